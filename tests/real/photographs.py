"""How well networks that judge faces carry over to photographs: a fixed, seeded protocol on london_faces.

102 people, one neutral and one smiling photograph each. As they are, anything tells the people apart (HOG without
training: AUC 0.9999), since light, hair and background are those of one session. So they are seen in four views:

* plain: the aligned crop;
* masked: only the inner face;
* hard: every photograph has its own light, exposure, colours, sharpness, noise and misalignment;
* hard+masked: both.

Choose on one half of the people (:data:`CHOOSING`), report on the other (:data:`REPORTED`).
"""

import functools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from sklearn.metrics import roc_auc_score
from torch import Tensor

from facegen_core.geometry.face_crop import ARCFACE_112

PEOPLE = 102
_ORDER = np.random.default_rng(51).permutation(PEOPLE)
CHOOSING, REPORTED = torch.from_numpy(np.sort(_ORDER[:51])), torch.from_numpy(np.sort(_ORDER[51:]))
EVERYBODY = torch.arange(PEOPLE)

DETECTED_AT = 256
"""Photographs are brought to this side for the detector: it finds the same points within a pixel, four times faster."""
MARGIN = 16
"""Pixels around ArcFace's 112 that are kept for pictures that are misaligned on purpose."""
SIDE = 72
"""Of the views; ArcFace's template, smaller."""
DRAWS = 4
ELLIPSE = (56.0, 70.0, 40.0, 50.0)
"""The inner face in the 112 x 112 crop: centre x, y, and half axes."""


class Photographs(NamedTuple):
    """Aligned photographs, RGB in [0, 1], the people in one order.

    Attributes:
        wide: (204, 3, 144, 144): ArcFace's crop with a margin of 16 pixels; 102 neutral ones, then 102 smiling ones.
        boxed: (204, 3, 112, 112): the detector's box made square.
    """

    wide: Tensor
    boxed: Tensor

    @property
    def aligned(self) -> Tensor:
        """(204, 3, 112, 112): ArcFace's crop."""
        return self.wide[..., MARGIN:-MARGIN, MARGIN:-MARGIN]


class Verification(NamedTuple):
    """Whether neutral and smiling photographs of one person are nearer than those of two.

    Attributes:
        auc: area under the ROC curve over all pairs.
        rank1: share of photographs whose nearest of the other kind is of the same person.
    """

    auc: float
    rank1: float


@functools.cache
def photographs(data: Path) -> Photographs:
    """Aligned photographs, found once on a machine and kept in its temporary folder."""
    kept = Path(tempfile.gettempdir()) / "facegen-london-aligned-1.npz"
    if not kept.is_file():
        crops = [
            _cut_out(path)
            for folder in ("neutral_front", "smiling_front")
            for path in sorted((data / "london_faces" / folder).glob("*.jpg"))
        ]
        assert len(crops) == 2 * PEOPLE
        with tempfile.NamedTemporaryFile(dir=kept.parent, suffix=".npz", delete=False) as file:
            np.savez(file, wide=np.stack([crop[0] for crop in crops]), boxed=np.stack([crop[1] for crop in crops]))
        Path(file.name).replace(kept)
    with np.load(kept) as arrays:
        return Photographs(*(torch.from_numpy(arrays[k]).permute(0, 3, 1, 2).float() / 255 for k in ("wide", "boxed")))


def _cut_out(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The wide crop and the square box of a photograph, uint8."""
    from skimage.transform import SimilarityTransform

    with Image.open(path) as file:
        image = file.convert("RGB")
    scale = image.width / DETECTED_AT
    boxes, _, points = _detector().detect(image.resize((DETECTED_AT, DETECTED_AT), Image.BOX), landmarks=True)
    box, five = (np.asarray(found[0], np.float64) * scale for found in (boxes, points))
    side = 112 + 2 * MARGIN
    fine = SimilarityTransform.from_estimate(2 * (ARCFACE_112.numpy() + MARGIN), five).params  # 2 x 2 samples a pixel
    wide = image.transform((2 * side, 2 * side), Image.AFFINE, fine[:2].ravel().tolist(), Image.BICUBIC).reduce(2)
    centre, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]).max() / 2
    corners = np.clip([*(centre - half), *(centre + half)], 0, image.width)
    return np.asarray(wide), np.asarray(image.resize((112, 112), Image.BILINEAR, box=tuple(corners)))


@functools.cache
def _detector():
    from facenet_pytorch import MTCNN

    return MTCNN(min_face_size=60, select_largest=True)


def views(photos: Photographs) -> dict[str, list[Tensor]]:
    """Each view's draws, (204, 3, 72, 72)."""
    plain = F.interpolate(photos.aligned, (SIDE, SIDE), mode="area")
    hard = [hardened(photos.wide, torch.Generator().manual_seed(draw)) for draw in range(DRAWS)]
    inner = inner_face(SIDE)
    return {
        "plain": [plain],
        "masked": [plain * inner],
        "hard": hard,
        "hard+masked": [picture * inner for picture in hard],
    }


def inner_face(side: int) -> Tensor:
    """(side, side): 1 inside the ellipse that holds brows, eyes, nose and mouth, else 0."""
    x, y, half_x, half_y = ELLIPSE
    place = (torch.arange(side) + 0.5) * 112 / side
    return (((place - x) / half_x) ** 2 + ((place[:, None] - y) / half_y) ** 2 <= 1).float()


def hardened(wide: Tensor, random: torch.Generator) -> Tensor:
    """Every photograph (N, 3, 144, 144) as if taken by another camera under another light: (N, 3, 72, 72)."""
    count = len(wide)

    def normal(*shape: int) -> Tensor:
        return torch.randn(count, *shape, generator=random)

    pictures = F.grid_sample(wide, _misaligned(normal(4), torch.rand(count, generator=random) < 0.5),
                             padding_mode="reflection", align_corners=False)  # fmt: skip
    blurred = torch.rand(count, generator=random) < 0.5
    pictures = pictures.clamp(1e-3, 1) ** torch.exp(0.3 * normal(1, 1, 1))
    light = F.interpolate(0.36 * normal(1, 3, 3), (SIDE, SIDE), mode="bicubic", align_corners=False)
    pictures = pictures * torch.exp(light + 0.3 * normal(1, 1, 1) + 0.1 * normal(3, 1, 1))
    grey = pictures.mean(1, keepdim=True)
    pictures = pictures.lerp(grey.expand_as(pictures), torch.rand(count, 1, 1, 1, generator=random))
    middle = pictures.mean((1, 2, 3), keepdim=True)
    pictures = middle + (pictures - middle) * torch.exp(0.1 * normal(1, 1, 1))
    half = F.interpolate(F.interpolate(pictures, scale_factor=0.5, mode="area"), (SIDE, SIDE), mode="bilinear")
    pictures = torch.where(blurred[:, None, None, None], half, pictures)
    return (pictures + 0.03 * normal(3, SIDE, SIDE)).clamp(0, 1)


def _misaligned(drawn: Tensor, mirrored: Tensor) -> Tensor:
    """Sampling grids (N, 72, 72, 2) of the wide crop: turned, scaled, shifted and perhaps mirrored."""
    angle, scale = 0.02 * drawn[:, 0], torch.exp(-0.02 * drawn[:, 1])
    cos, sin, side = scale * angle.cos(), scale * angle.sin(), 1 - 2 * mirrored.float()
    across = torch.stack([cos * side, -sin, 0.015 * drawn[:, 2]], 1)
    down = torch.stack([sin * side, cos, 0.015 * drawn[:, 3]], 1)
    grid = F.affine_grid(torch.stack([across, down], 1), [len(drawn), 3, SIDE, SIDE], align_corners=False)
    return grid * (112 / (112 + 2 * MARGIN))


def embedded(encode: Callable[[Tensor], Tensor], photos: Photographs) -> dict[str, list[Tensor]]:
    """Unit embeddings (204, D) of all draws of all views; ``encode`` takes pictures (B, 3, 72, 72) in [0, 1]."""
    return {name: [F.normalize(encode(draw), dim=1) for draw in draws] for name, draws in views(photos).items()}


def verification(embeddings: dict[str, list[Tensor]], people: Tensor) -> dict[str, Verification]:
    """Each view's figures over some of the people, means of its draws."""
    figures = {name: [_verified(draw, people) for draw in draws] for name, draws in embeddings.items()}
    return {name: Verification(*np.mean(values, axis=0).tolist()) for name, values in figures.items()}


def _verified(embeddings: Tensor, people: Tensor) -> Verification:
    similarity = embeddings[people] @ embeddings[people + PEOPLE].T
    same = torch.eye(len(people), dtype=torch.bool)
    nearest = torch.cat([similarity.argmax(0), similarity.argmax(1)])
    hits = nearest == torch.arange(len(people)).repeat(2)
    return Verification(float(roc_auc_score(same.flatten(), similarity.flatten())), float(hits.float().mean()))


def smile_auc(happy: Tensor, people: Tensor) -> float:
    """AUC of the probability of happy (204,), smiling against neutral photographs of some of the people."""
    label = np.repeat([0, 1], len(people))
    return float(roc_auc_score(label, torch.cat([happy[people], happy[people + PEOPLE]])))


def hog(pictures: Tensor) -> Tensor:
    """Histograms of gradients (Dalal and Triggs 2005), centred on the mean picture's: the untrained baseline."""
    from skimage import feature

    found = np.stack([feature.hog(p.mean(0).numpy(), 8, (8, 8), (2, 2)) for p in pictures])
    return torch.from_numpy(found - found.mean(0)).float()


def main() -> None:
    """Prints the figures of exported judges: ``python -m real.photographs FOLDER DATA``, with tests on the path."""
    import sys

    from facegen_core.emotions import EMOTIONS
    from facegen_core.encoders.judge import emotion_judge, identity_judge

    folder, data = map(Path, sys.argv[1:3])
    photos = photographs(data)
    with torch.no_grad():
        embeddings = embedded(identity_judge(folder / "identity_judge.safetensors"), photos)
        happy = emotion_judge(folder / "emotion_judge.safetensors")(photos.aligned).softmax(1)[
            :, EMOTIONS.index("happy")
        ]
    for half, people in (("choosing", CHOOSING), ("reported", REPORTED), ("all", EVERYBODY)):
        figures = verification(embeddings, people)
        shown = "  ".join(f"{view} {value.auc:.4f}/{value.rank1:.2f}" for view, value in figures.items())
        print(f"{half:>8}: identity {shown}  smile {smile_auc(happy, people):.4f}")


if __name__ == "__main__":
    main()
