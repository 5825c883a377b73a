"""The head's map: nothing overlaps, the face lies whole in FaceScape's crop, and keeps its shape there."""

import numpy as np
import pytest

from facegen_core.geometry.flatten import boundary_loops
from facegen_core.geometry.uv import face_rectangle
from facegen_core.population.anatomy import Anatomy, anatomy


@pytest.fixture(scope="module")
def shared() -> Anatomy:
    return anatomy()


def _face(shared: Anatomy) -> np.ndarray:
    """(F,) bool: triangles of skin above the chin that some facial action moves by more than half a millimetre."""
    moved = (shared.actions.norm(dim=-1).amax(0) > 0.5).numpy() & shared.head.numpy()
    skin = np.zeros(len(shared.faces), dtype=bool)
    skin[shared.parts["skin"]] = True
    return skin & moved[shared.faces].all(1)


def _in_crop(shared: Anatomy, triangles: np.ndarray) -> np.ndarray:
    """(n, 3) bool: corners of triangles that lie inside the crop of a map of 1024 pixels."""
    top, left, length = face_rectangle(1024)
    places = shared.uv[shared.faces_uv[triangles]] * [1024, -1024] + [0, 1024]
    return ((places > [left, top]) & (places < [left + length, top + length])).all(-1)


def _areas(corners: np.ndarray) -> np.ndarray:
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2


def test_every_triangle_has_a_part(shared):
    assert np.array_equal(np.sort(np.concatenate(list(shared.parts.values()))), np.arange(len(shared.faces)))
    x = {name: shared.template.numpy()[shared.faces[triangles]][..., 0] for name, triangles in shared.parts.items()}
    assert x["left eye"].min() > 10
    assert x["right eye"].max() < -10
    assert abs(x["mouth"].mean()) < 1


def test_no_triangle_is_folded_over(shared):
    assert _areas(shared.uv[shared.faces_uv].astype(np.float64)).min() > 1e-8


def test_no_place_on_the_map_is_used_twice(shared):
    """Points strewn over the map, densely over the face, and all triangles that hold them, counted."""
    random = np.random.default_rng(0)
    points = np.concatenate([random.uniform(0, 1, (1500, 2)), random.uniform([0.2, 0.35], [0.8, 0.95], (1500, 2))])
    corners = shared.uv[shared.faces_uv].astype(np.float64)
    holders = np.zeros(len(points), dtype=int)
    for k, point in enumerate(points):
        edges = np.roll(corners, -1, axis=1) - corners
        away = point - corners
        holders[k] = ((edges[..., 0] * away[..., 1] - edges[..., 1] * away[..., 0]) > 0).all(1).sum()
    assert holders.max() == 1
    assert (holders[1500:] == 1).mean() > 0.95  # the crop is full of face and hair; the slits of the lids are not


def test_face_lies_inside_the_crop(shared):
    assert _face(shared).sum() > 2500
    assert _in_crop(shared, np.flatnonzero(_face(shared))).all()


def test_eyes_lie_in_the_face_and_what_is_inside_the_head_does_not(shared):
    assert _in_crop(shared, shared.parts["left eye"]).all()
    assert _in_crop(shared, shared.parts["right eye"]).all()
    for name in ("mouth", "tongue", "left socket", "right socket", "back of eyes"):
        assert not _in_crop(shared, shared.parts[name]).any(), name


def test_no_seam_crosses_the_face(shared):
    """Skin above the chin and before the ears has one place on the map for each vertex; the cut is at the back."""
    skin = shared.parts["skin"]
    pairs = np.unique(np.stack([shared.faces[skin].ravel(), shared.faces_uv[skin].ravel()]), axis=1)
    vertices, places = np.unique(pairs[0], return_counts=True)
    cut = shared.template.numpy()[vertices[places > 1]]
    assert 10 < len(cut) < 40
    assert np.abs(cut[:, 0]).max() < 1
    face = np.unique(shared.faces[_face(shared)])
    assert not np.isin(vertices[places > 1], face).any()


def test_skin_is_one_chart_with_holes_for_eyes_and_mouth(shared):
    assert len(boundary_loops(shared.faces_uv[shared.parts["skin"]])) == 4


def test_left_and_right_mirror_each_other(shared):
    place = np.full((len(shared.template), 2), np.nan)
    face = _face(shared)
    place[shared.faces[face]] = shared.uv[shared.faces_uv[face]]
    opposite = place[shared.mirror.numpy()] * [-1, 1] + [1, 0]
    assert np.nanmean(np.linalg.norm(place - opposite, axis=1)) < 0.005
    assert np.nanmax(np.linalg.norm(place - opposite, axis=1)) < 0.03


def test_face_keeps_its_shape(shared):
    """Singular values of the map from the skin: few triangles are much smaller, or narrower, than the usual one."""
    face = _face(shared) & (shared.template.numpy()[shared.faces].mean(1)[:, 2] > 0)
    p, q = shared.template.numpy()[shared.faces[face]], shared.uv[shared.faces_uv[face]].astype(np.float64)
    u = (p[:, 1] - p[:, 0]) / np.linalg.norm(p[:, 1] - p[:, 0], axis=1, keepdims=True)
    n = np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0])
    v = np.cross(n, u) / np.linalg.norm(n, axis=1, keepdims=True)
    flat = np.stack([((p[:, 1:] - p[:, :1]) * axis[:, None]).sum(-1) for axis in (u, v)], axis=-1)
    jacobian = np.linalg.solve(flat, q[:, 1:] - q[:, :1])
    large, small = np.linalg.svd(jacobian, compute_uv=False).T
    size = np.sqrt(large * small)
    assert np.quantile(size, 0.95) / np.quantile(size, 0.05) < 4
    assert np.median(large / small) < 1.8
    assert np.quantile(large / small, 0.95) < 5


def test_features_lie_where_a_face_has_them(shared):
    """Rows from the top: brows, eyes, nose, lips, chin; the person's left at the right."""
    row = {}
    for name in ("browInnerUp", "eyeBlinkLeft", "noseSneerLeft", "mouthPucker", "jawForward"):
        moved = shared.actions[shared.action_names.index(name)].norm(dim=-1).numpy()[shared.faces].mean(1)
        strongest = _face(shared) & (moved > 0.7 * moved[_face(shared)].max())
        row[name] = shared.uv[shared.faces_uv[strongest]][..., 1].mean()
    assert list(row.values()) == sorted(row.values(), reverse=True)
    assert shared.uv[shared.faces_uv[shared.parts["left eye"]]][..., 0].mean() > 0.55
