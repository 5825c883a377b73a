"""The head of every person: anny's parametric head in one frame, and the shapes that make people differ."""

import functools
import pickle
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from facegen_core.errors import FacegenError
from facegen_core.files import only_one
from facegen_core.geometry.alignment import rigid_align
from facegen_core.geometry.mesh import Floats, Indices
from facegen_core.population.unwrap import parts, unwrap
from facegen_core.progress import say

LEAST_MOVE_MM = 0.5
"""A shape counts as one of the head if it moves some vertex of it further than this, rigid motion aside."""

WIDE = 2.0
"""How far eyes are opened before they are laid out on the map, in eyeWide's strength: so their slits get some room."""


@dataclass(frozen=True, eq=False)  # compared by identity, so that what is worked out from it can be kept
class Anatomy:
    """Geometry that all people share, in mm, y up, looking along +z, the person's left at +x, as FaceScape has it.

    Attributes:
        model: the anny network.
        template: (V, 3) float64, the average young adult.
        faces: (F, 3) triangles.
        uv: (T, 2) texture coordinates, FaceScape's way: see :mod:`facegen_core.population.unwrap`.
        faces_uv: (F, 3) indices into ``uv``.
        parts: triangles (n,) of each part: skin, eyes, mouth and so on; see :func:`.unwrap.parts`.
        head: (V,) bool, the vertices above the chin. Frames are aligned on them: the neck follows the body's posture.
        mirror: (V,) int64, the vertex opposite each vertex.
        actions: (A, V, 3) displacement of each facial action at strength 1.
        action_names: names of the facial actions.
        shapes: (S,) int64, anny's local changes that move the head.
        shape_names: (S,) their names.
        shape_moves: (S,) furthest a vertex of the head moves at strength 1.
        sideways: (S,) bool, shapes that move the whole mouth, nose or head to one side.
    """

    model: Any
    template: Tensor
    faces: Indices
    uv: Floats
    faces_uv: Indices
    parts: dict[str, Indices]
    head: Tensor
    mirror: Tensor
    actions: Tensor
    action_names: list[str]
    shapes: Tensor
    shape_names: list[str]
    shape_moves: Tensor
    sideways: Tensor

    def part_of(self) -> Indices:
        """Which part each triangle belongs to, (F,): its place in :attr:`parts`."""
        part = np.empty(len(self.faces), dtype=np.int64)
        for place, triangles in enumerate(self.parts.values()):
            part[triangles] = place
        return part

    def neutral(self, phenotypes: Tensor, strengths: Tensor) -> Tensor:
        """Neutral heads.

        Phenotypes bring the posture and height of a whole body with them; each head is moved rigidly, without scale,
        onto the template's place, so that what differs is shape and size.

        Args:
            phenotypes: (B, P) in [0, 1], in the order of ``model.phenotype_labels``.
            strengths: (B, S) of :attr:`shapes`.

        Returns:
            (B, V, 3) float64, mm.
        """
        local = torch.zeros(len(strengths), len(self.model.local_change_labels), dtype=torch.float64)
        local[:, self.shapes] = strengths.double()
        heads = _rest(self.model, phenotype_kwargs=phenotypes.double(), local_changes_kwargs=local)
        return rigid_align(heads, self.template.expand_as(heads), self.head)

    def express(self, neutral: Tensor, strengths: Tensor) -> Tensor:
        """Heads (B, V, 3), mm, with facial actions of given strengths (B, A) added to neutral heads (B, V, 3)."""
        return neutral + torch.einsum("ba,avc->bvc", strengths.double(), self.actions)


def load_anny(**parts: str) -> Any:
    """An anny network; what it is made of is prepared once on a machine and kept in anny's cache.

    Args:
        parts: which rig, topology, shapes and actions, as ``anny.Anny`` takes them.

    Raises:
        FacegenError: anny's cache is damaged.
    """
    import anny
    from anny.paths import get_anny_cache_path

    if not get_anny_cache_path().is_dir():
        say("population: preparing the head model (once on this machine, about 40 s)")
    with warnings.catch_warnings(), only_one(get_anny_cache_path().parent / ".anny.lock"):
        warnings.simplefilter("ignore")  # anny asks for an optional accelerator
        try:
            return anny.Anny(**parts)
        except (EOFError, RuntimeError, pickle.UnpicklingError) as error:  # it writes its cache files in place
            raise FacegenError(
                f"{get_anny_cache_path()}: the head model's cache is damaged, perhaps by a process that was killed "
                f"({error}). Remove that folder and run again."
            ) from None


def young_adult(model: Any) -> Tensor:
    """Phenotypes (1, P), float64, of the average young adult: the middle of everything at 25 years."""
    phenotypes = torch.full((1, len(model.phenotype_labels)), 0.5, dtype=torch.float64)
    phenotypes[:, model.phenotype_labels.index("age")] = 2 / 3
    return phenotypes


def in_mm(vertices: Tensor) -> Tensor:
    """Vertices (..., 3) of anny, which has metres, z up, looking along -y, in mm, y up, looking along +z."""
    x, y, z = vertices.clone().unbind(-1)
    return torch.stack([x, z, -y], dim=-1) * 1000


@functools.lru_cache(maxsize=1)
def anatomy() -> Anatomy:
    """Builds the anatomy: in a second or two, but 40 s the first time on a machine, when anny fills its cache."""
    model = load_anny(
        rig="makehuman-head", topology="head", local_changes="all", facial_actions="all", phenotypes="all"
    )
    average = young_adult(model)
    relaxed = _rest(model, phenotype_kwargs=average)
    template = relaxed[0] - relaxed[0].mean(0)
    names = list(model.facial_action_labels)
    raised = _rest(model, phenotype_kwargs=average, facial_actions=torch.eye(len(names), dtype=torch.float64))
    actions = raised - relaxed
    dropped = actions[names.index("jawOpen")].norm(dim=1)
    chin = template[dropped > 0.5 * dropped.max(), 1].min()  # the jaw moves as a whole, the neck hardly
    head = template[:, 1] > chin
    mirror = torch.from_numpy(cKDTree(template.numpy()).query(template.numpy() * [-1, 1, 1])[1])
    faces = model.faces.numpy().astype(np.int64)
    atlas = model.face_texture_coordinate_indices.numpy().astype(np.int64)
    part = parts(template.numpy(), faces, atlas)
    face = (actions.norm(dim=-1).amax(0) > LEAST_MOVE_MM) & head
    wide = template + WIDE * sum(actions[names.index(f"eyeWide{side}")] for side in ("Left", "Right"))
    uv, faces_uv = unwrap(wide.numpy(), faces, atlas, model.texture_coordinates.numpy(), part, face.numpy())
    shapes, moves, sideways = _shapes_of_head(model, average, template, head, mirror)
    return Anatomy(
        model=model,
        template=template,
        faces=faces,
        uv=uv,
        faces_uv=faces_uv,
        parts=part,
        head=head,
        mirror=mirror,
        actions=actions,
        action_names=names,
        shapes=shapes,
        shape_names=[model.local_change_labels[i] for i in shapes.tolist()],
        shape_moves=moves,
        sideways=sideways,
    )


def _shapes_of_head(
    model: Any, phenotypes: Tensor, template: Tensor, head: Tensor, mirror: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Which local changes deform the head, by how much, and which of them push it to one side."""
    all_shapes = torch.eye(len(model.local_change_labels), dtype=torch.float64)
    changed = _rest(model, phenotype_kwargs=phenotypes, local_changes_kwargs=all_shapes)
    moved = rigid_align(changed, template.expand_as(changed), head) - template
    furthest = moved[:, head].norm(dim=-1).amax(1)
    chosen = (furthest > LEAST_MOVE_MM).nonzero().flatten()
    moved = moved[chosen]
    mirrored = moved[:, mirror] * torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64)
    paired = torch.tensor([model.local_change_labels[i][:2] in ("l-", "r-") for i in chosen.tolist()])
    odd = (moved - mirrored).norm(dim=(1, 2)) > moved.norm(dim=(1, 2))
    return chosen, furthest[chosen], odd & ~paired


def _rest(model: Any, **parameters: Tensor) -> Tensor:
    """Vertices of the undeformed skeleton, (B, V, 3) mm."""
    with torch.inference_mode():
        vertices = model(**parameters)["rest_vertices"]
    return in_mm(vertices)
