"""Neck, shoulders and chest of a person: anny's body from the edge of the head mesh down, with hanging arms.

The head mesh is a part of anny's body, vertex for vertex, so the body of the same phenotypes and shapes continues it.
"""

import functools
import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import csr_array
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation
from torch import Tensor

from facegen_core.geometry.alignment import rigid_align
from facegen_core.geometry.flatten import boundary_loops
from facegen_core.geometry.mesh import Indices
from facegen_core.geometry.normals import vertex_normals
from facegen_core.population.anatomy import Anatomy, in_mm, load_anny, young_adult
from facegen_core.population.identity import Identity
from facegen_core.population.portrait.subdivide import subdivide

Reals = npt.NDArray[np.float64]

NECK_PIVOT = np.array([0.0, -150.0, -85.0])
"""What heads turn about, mm in the frame of the head: the middle of the neck's base."""
LOWEST = -385.0
"""Where the bust ends, mm: about 290 below the chin."""
FINE_ABOVE = -300.0
"""Triangles lower than this are not made finer, mm."""
ARMS_DOWN = {"upperarm01": 26.0, "clavicle": 7.0}
"""Degrees by which anny's arms, which stand off, are let down."""
STURDIER, THINNEST_MM = 0.12, -128.0
"""anny makes necks thinner than photographs show them, above all women's: by so much, and at which height."""
BENDS_MM, PULLS_MM, PULLED_MM = 85.0, 75.0, 12.0
"""How far below the head's edge a turned head takes the neck with it; how far a displacement of the edge reaches down;
and how wide around it is averaged."""
PEOPLE_KEPT = 256


@dataclass(frozen=True, eq=False)
class BustModel:
    """What all busts share. The coarse mesh has V vertices, the fine one N.

    Attributes:
        model: the anny network of the whole body.
        pose: turns of its bones that let the arms hang.
        rows: (V,) body vertices of the bust.
        head_rows: (H,) body vertices of the head mesh, in its order.
        ring: (L,) coarse vertices on the edge of the head. The fine mesh begins with the coarse one's vertices.
        head_ring: (L,) the same as vertices of the head.
        follow: (V,) share of the head's turn that a vertex makes: 1 on the ring, 0 on the body.
        pull: (V, L) share of each ring vertex's displacement that a vertex makes.
        fine: (N, V) weights that make the fine mesh from the coarse one.
        faces: (F, 3) of the fine mesh.
        template: (N, 3) the average young adult.
    """

    model: Any
    pose: dict[str, Tensor]
    rows: Indices
    head_rows: Indices
    ring: Indices
    head_ring: Indices
    follow: Reals
    pull: Reals
    fine: csr_array
    faces: Indices
    template: Reals


class Body(NamedTuple):
    """One person's bust in one picture, in the WORLD frame: where the body stays and the head has turned.

    Attributes:
        vertices: (N, 3) of the fine mesh, mm.
        normals: (N, 3) of length 1; on the ring those of the head mesh, so that light passes the seam.
        head: (H, 3) the head with its expression, turned.
    """

    vertices: Reals
    normals: Reals
    head: Reals


@functools.lru_cache(maxsize=1)
def bust_model(anatomy: Anatomy) -> BustModel:
    """Builds what all busts share: in half a second, but 10 s the first time on a machine: anny fills its cache."""
    model = load_anny(rig="anny", topology="anny-noeyes-notongue", phenotypes="all")
    pose = {
        f"{bone}.{side}": _turn_about_depth(sign * degrees)
        for bone, degrees in ARMS_DOWN.items()
        for side, sign in (("L", 1), ("R", -1))
    }
    average = young_adult(model)
    with torch.inference_mode():
        rest = [m(phenotype_kwargs=average)["rest_vertices"][0].numpy() for m in (model, anatomy.model)]
    head_rows = cKDTree(rest[0]).query(rest[1])[1]
    whole = _aligned(_posed(model, pose, average), head_rows, anatomy)
    faces = model.faces.numpy().astype(np.int64)
    body = ~np.isin(_keys(faces), _keys(head_rows[anatomy.faces])) & (whole[faces, 1] > LOWEST).all(1)
    rows, local = np.unique(faces[body], return_inverse=True)
    coarse, points = local.reshape(-1, 3), whole[rows]
    in_head = {row: vertex for vertex, row in enumerate(head_rows.tolist())}
    ring = max(boundary_loops(coarse), key=lambda loop: float(points[loop, 1].mean()))
    fine, finer = subdivide(coarse, len(rows), ring, _seen(points, coarse))
    far = np.linalg.norm(points[:, None] - points[ring], axis=2)
    near = np.exp(-((far / PULLED_MM) ** 2) + (far.min(1, keepdims=True) / PULLED_MM) ** 2)
    pull = near / near.sum(1, keepdims=True) * _fade(far.min(1) / PULLS_MM)[:, None]
    pull[ring] = np.eye(len(ring))
    return BustModel(
        model=model,
        pose=pose,
        rows=rows,
        head_rows=head_rows,
        ring=ring,
        head_ring=np.array([in_head[row] for row in rows[ring].tolist()]),
        follow=_fade(far.min(1) / BENDS_MM),
        pull=pull,
        fine=fine,
        faces=finer,
        template=fine @ points,
    )


def pose_body(
    head: npt.NDArray[np.floating], identity: Identity, anatomy: Anatomy, rotation: npt.NDArray[np.floating]
) -> Body:
    """The bust under a head that does an expression and turns.

    Args:
        head: (H, 3) mm, in the frame of the head: before it turns.
        identity: whose body.
        anatomy: of the head.
        rotation: (3, 3) of the head about :data:`NECK_PIVOT`.
    """
    shared = bust_model(anatomy)
    head = np.asarray(head, dtype=np.float64)
    coarse = person_bust(identity, anatomy)
    coarse = coarse + shared.pull @ (head[shared.head_ring] - coarse[shared.ring])
    turns = Rotation.from_rotvec(shared.follow[:, None] * Rotation.from_matrix(rotation).as_rotvec())
    coarse = turns.apply(coarse - NECK_PIVOT) + NECK_PIVOT
    head = turn_head(head, rotation)
    coarse[shared.ring] = head[shared.head_ring]
    vertices = shared.fine @ coarse
    normals = mesh_normals(vertices, shared.faces)
    normals[shared.ring] = mesh_normals(head, anatomy.faces)[shared.head_ring]
    return Body(vertices, normals, head)


def turn_head(points: npt.NDArray[np.floating], rotation: npt.NDArray[np.floating]) -> Reals:
    """Points (..., 3) that follow the head, from its own frame to the world's."""
    return np.asarray((points - NECK_PIVOT) @ np.asarray(rotation, dtype=np.float64).T + NECK_PIVOT)


def person_bust(identity: Identity, anatomy: Anatomy) -> Reals:
    """(V, 3) coarse bust of a straight head, before it is pulled to the head's edge; kept for the people seen last."""
    return _person_bust(anatomy, identity.phenotypes.tobytes())


@functools.lru_cache(maxsize=PEOPLE_KEPT)
def _person_bust(anatomy: Anatomy, phenotypes: bytes) -> Reals:
    shared = bust_model(anatomy)
    phenotype = torch.from_numpy(np.frombuffer(phenotypes).copy())[None]
    bust = _aligned(_posed(shared.model, shared.pose, phenotype), shared.head_rows, anatomy)[shared.rows]
    female = float(phenotype[0, shared.model.phenotype_labels.index("gender")])
    middle = np.array([0, NECK_PIVOT[2]])
    wider = STURDIER * female * np.exp(-(((bust[:, 1] - THINNEST_MM) / 30) ** 2))
    wider *= _fade((np.linalg.norm(bust[:, [0, 2]] - middle, axis=1) - 60) / 60)
    bust[:, [0, 2]] += wider[:, None] * (bust[:, [0, 2]] - middle)
    bust.setflags(write=False)
    return bust


def mesh_normals(vertices: Reals, faces: Indices) -> Reals:
    """Smooth normals (V, 3) of one mesh."""
    return vertex_normals(torch.from_numpy(vertices)[None], torch.from_numpy(faces))[0].numpy()


def _posed(model: Any, pose: dict[str, Tensor], phenotypes: Tensor) -> Reals:
    """(B, 3) body in a pose, mm."""
    with torch.inference_mode():
        vertices = model(phenotype_kwargs=phenotypes, pose_parameters=pose)["vertices"]
    return in_mm(vertices[0]).numpy()


def _aligned(whole: Reals, head_rows: Indices, anatomy: Anatomy) -> Reals:
    """The body (B, 3) in the head's frame: where :meth:`.Anatomy.neutral` puts its head."""
    count = len(whole)
    kept = np.zeros(count, dtype=bool)
    kept[head_rows] = anatomy.head.numpy()
    target = np.zeros_like(whole)
    target[head_rows] = anatomy.template.numpy()
    moved = rigid_align(torch.from_numpy(whole)[None], torch.from_numpy(target)[None], torch.from_numpy(kept))
    return moved[0].numpy()


def _turn_about_depth(degrees: float) -> Tensor:
    """(1, 4, 4) a turn about anny's y axis."""
    matrix = torch.eye(4, dtype=torch.float64)
    sin, cos = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    matrix[0, 0], matrix[0, 2], matrix[2, 0], matrix[2, 2] = cos, sin, -sin, cos
    return matrix[None]


def _seen(points: Reals, faces: Indices) -> npt.NDArray[np.bool_]:
    """(F,) the triangles that portraits show: not those of the back or far down."""
    normal, middle = mesh_normals(points, faces)[faces].mean(1), points[faces].mean(1)
    facing = (normal[:, 2] > 0) | (normal[:, 1] > 0.35) | (middle[:, 1] > -140)
    return np.asarray(facing & (middle[:, 1] > FINE_ABOVE))


def _keys(faces: Indices) -> Indices:
    """(F,) one number for each triangle, whichever corner comes first."""
    a, b, c = np.sort(faces, axis=1).T
    return np.asarray((a << 40) | (b << 20) | c)


def _fade(share: Reals) -> Reals:
    """From 1 at 0 to 0 at 1, level at both ends."""
    t = 1 - np.clip(share, 0, 1)
    return t * t * (3 - 2 * t)
