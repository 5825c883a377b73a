"""How an expression changes the light on the skin and the blood in it, from the shape alone."""

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array

from facegen_core.population.anatomy import Anatomy

Reals = npt.NDArray[np.float64]

LIGHT = np.array([0.0, 0.75, 0.66])
"""Where soft light comes from: above, in front."""
SMOOTHING = 2
"""Rounds of averaging with the neighbours: folds are wider than a triangle."""


class Relief(NamedTuple):
    """What the shape of a face does to its look, per vertex (V,), against the relaxed face.

    Attributes:
        shade: light lost: into folds, and where the skin turns away from the light.
        squeeze: logarithm of the area lost: squeezed skin reddens, stretched skin pales.
    """

    shade: Reals
    squeeze: Reals


class _Shape(NamedTuple):
    light: Reals
    hollow: Reals
    area: Reals


def relief(anatomy: Anatomy, strengths: npt.NDArray[np.float64]) -> Relief:
    """The relief of an expression on the template.

    Args:
        anatomy: the head.
        strengths: (A,) of the facial actions.
    """
    relaxed, means, actions = _relaxed(anatomy)
    moved = anatomy.template.numpy() + (strengths @ actions).reshape(-1, 3)
    now = _measure(moved, anatomy.faces, means)
    shade = 0.5 * (relaxed.light - now.light) + 0.55 * (now.hollow - relaxed.hollow)
    squeeze = np.log(relaxed.area / now.area)
    for _ in range(SMOOTHING):
        shade, squeeze = means @ shade, means @ squeeze
    return Relief(np.clip(shade, -0.15, 0.6), np.clip(squeeze, -0.35, 0.7))


def resting_shade(anatomy: Anatomy) -> Reals:
    """Light lost in the hollows of the relaxed face, (V,): beside the nose, in the corners of the eyes, in the ears."""
    relaxed, means, _ = _relaxed(anatomy)
    shade = np.clip(relaxed.hollow, 0, 1.2)
    for _ in range(SMOOTHING):
        shade = means @ shade
    return shade


@functools.lru_cache(maxsize=1)
def _relaxed(anatomy: Anatomy) -> tuple[_Shape, csr_array, Reals]:
    """The template's shape, the matrix that averages neighbours, and the actions as (A, 3V)."""
    faces = anatomy.faces
    a, b = faces.ravel(), np.roll(faces, 1, axis=1).ravel()
    count = len(anatomy.template)
    joined = coo_array((np.ones(2 * len(a)), (np.append(a, b), np.append(b, a))), (count, count)).tocsr()
    joined.data[:] = 1
    means = csr_array(joined.multiply(1 / np.maximum(joined.sum(1), 1)[:, None]))
    actions = anatomy.actions.numpy().reshape(len(anatomy.actions), -1)
    return _measure(anatomy.template.numpy(), faces, means), means, actions


def _measure(points: Reals, faces: npt.NDArray[np.int64], means: csr_array) -> _Shape:
    corners = points[faces]
    outward = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.stack(
        [sum(np.bincount(faces[:, k], outward[:, c], len(points)) for k in range(3)) for c in range(3)], axis=1
    )
    area = np.linalg.norm(outward, axis=1)
    around = sum(np.bincount(faces[:, k], area, len(points)) for k in range(3))
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    above = ((means @ points - points) * normals).sum(1)  # the neighbours stand out above a vertex in a hollow
    return _Shape(normals @ LIGHT, above / np.sqrt(np.maximum(around, 1e-9) / 12) * 2, np.maximum(around, 1e-6))
