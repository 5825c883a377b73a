"""What is measured of textured faces: pictures of them, judged by people held out from training."""

import numpy as np
import torch
from torch import Tensor

from datamodules.meshes import MeshDataModule, MeshDataset
from datamodules.textures import TextureDataModule, TextureDataset
from experiments.face3d.textured_model import Faces, TexturedModel, draw_faces, whole_maps
from facegen_core.methods.face3d.judge import fit_judge, judged
from facegen_core.progress import track

PIXELS = 64
AT_A_TIME = 16
PEOPLE = 30
"""New people, and real ones, each with every expression."""

Labelled = tuple[Tensor, Tensor, Tensor]
"""Pictures as rows (N, PIXELS * PIXELS, 3), identity labels (N,), expression labels (N,)."""


def judge_faces(
    model: TexturedModel, meshes: MeshDataModule, textures: TextureDataModule, seed: int
) -> dict[str, float]:
    """Expression accuracy and identity drift of pictures of new faces, and of real ones of people trained on.

    Real meshes with their real textures and generated pairs are drawn alike: from the front, with one light.

    Args:
        model: shape and texture.
        meshes: of which the shape was learnt, set up.
        textures: of which the texture was learnt, set up; the judge is fitted on their people held out.
        seed: of the people drawn.
    """
    held_out = [_real(model, meshes, textures, split) for split in ("val", "test")]
    faces, who, what = (torch.cat(parts) for parts in zip(*held_out, strict=True))
    judge = fit_judge(faces.numpy(), who, what)
    real = judged(judge, *_real(model, meshes, textures, "train", PEOPLE))
    codes = torch.eye(len(model.expression_names))
    people = [model.draw_person(seed, 1 + i) for i in range(PEOPLE)]
    pictures = [_rows(draw_faces(model, model.make(p, codes), PIXELS)) for p in track(people, "judge faces", "person")]
    labels = torch.arange(PEOPLE).repeat_interleave(len(codes)), torch.arange(len(codes)).repeat(PEOPLE)
    made = judged(judge, torch.cat(pictures), *labels)
    return made | {f"real_{key}": value for key, value in real.items()}


def _real(
    model: TexturedModel, meshes: MeshDataModule, textures: TextureDataModule, split: str, people: int | None = None
) -> Labelled:
    """Pictures of the split's people who have both meshes and textures, or of the first ``people`` of them."""
    shape: MeshDataset = meshes.datasets[split]  # type: ignore[assignment]
    skin: TextureDataset = textures.datasets[split]  # type: ignore[assignment]
    painted = {key: row for row, key in enumerate(_keys(skin, textures.everybody))}
    pairs = [(row, painted[key]) for row, key in enumerate(_keys(shape, meshes.everybody)) if key in painted]
    some = shape.identity[[row for row, _ in pairs]].unique()[:people]
    pairs = [pair for pair in pairs if shape.identity[pair[0]] in some]
    assert model.texture is not None
    side = model.texture.resolution
    pictures = [torch.empty(0, PIXELS**2, 3)]
    for start in range(0, len(pairs), AT_A_TIME):
        own, its = np.array(pairs[start : start + AT_A_TIME]).T
        crops = skin.pictures(its, side)
        faces = Faces(torch.from_numpy(shape[own]) + meshes.template, whole_maps(model.texture, crops))
        pictures.append(_rows(draw_faces(model, faces, PIXELS)))
    rows = [row for row, _ in pairs]
    return torch.cat(pictures), shape.identity[rows], shape.expression[rows]


def _keys(dataset: MeshDataset | TextureDataset, everybody: list[int]) -> list[tuple[int, int]]:
    """Each sample's person and expression, in the data set's own numbers."""
    labels = zip(dataset.identity.tolist(), dataset.expression.tolist(), strict=True)
    return [(everybody[identity], expression) for identity, expression in labels]


def _rows(pictures: Tensor) -> Tensor:
    return pictures.flatten(2).mT.contiguous()
