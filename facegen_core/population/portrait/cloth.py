"""Cloth on a bust: layers cut out of its surface, lifted off along its normals, with hems; and lines on it.

Where cloth is cut is said once, on the average bust, by a number at each vertex: positive where there is cloth. A layer
is a table of weights, so that on any person in any pose it costs a product of matrices.
"""

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array, eye_array, vstack
from scipy.spatial import cKDTree

from facegen_core.geometry.mesh import Indices
from facegen_core.population.anatomy import Anatomy
from facegen_core.population.portrait.bust import Body, BustModel, Reals, bust_model, mesh_normals
from facegen_core.population.portrait.solids import Part

RIDGE_Z = -105.0
"""Depth of the shoulders' ridge on the average bust, mm: what is cut is different before it and behind it."""
NECK_Z = -85.0
"""Depth of the neck's axis at its base, mm."""
EASE_ROUNDS, LEAST_MM = 10, 2.0
"""How loosely cloth bridges hollows of the body, in rounds of averaging; and the least distance it keeps from it."""
UP = np.array([0.0, 0.97, 0.24])
"""Along the neck."""
OFF_MIDDLE = 0.3
"""mm: points exactly in the middle lie on edges, where either triangle may be missed."""
ENDS = -370.0
"""Where cloth ends, mm: below what portraits show."""
OFF_SKIN_MM = 0.3
"""Where hems end."""
ALL = 1 - 1e-9
"""Weights that make a whole vertex, but for rounding."""
NECK_ENDS = -200.0
"""Height on the average bust below which no collar reaches, mm."""
JAW_MM = 4.0
"""What collars leave free below the jaw."""


class Layer(NamedTuple):
    """Cloth cut out of the bust's surface.

    Attributes:
        rows: (n, N) weights of the bust's vertices.
        faces: (F, 3).
        template: (n, 3) where it lies on the average bust, mm.
        ease: (n,) distance that it keeps from the skin because it bridges hollows, mm; may be negative on ridges.
        cut: (E, 2) edges along which it was cut, as their triangles turn.
    """

    rows: csr_array
    faces: Indices
    template: Reals
    ease: Reals
    cut: Indices


@functools.lru_cache(maxsize=1)
def whole(anatomy: Anatomy) -> Layer:
    """All of the bust, down to an even edge that has no hem."""
    layer = _surface(anatomy)
    return cut(layer, layer.template[:, 1] - ENDS)._replace(cut=layer.cut)


@functools.lru_cache(maxsize=1)
def _surface(anatomy: Anatomy) -> Layer:
    """The bust as it is."""
    model = bust_model(anatomy)
    count = len(model.template)
    corners = np.concatenate([model.faces, model.faces[:, ::-1]])
    a, b = corners.ravel(), np.roll(corners, -1, axis=1).ravel()
    near = coo_array((np.ones(len(a)), (a, b)), (count, count)).tocsr()
    near = csr_array(near.multiply(1 / near.sum(1)[:, None]))
    border = _border(model.faces)
    loose = model.template
    for _ in range(EASE_ROUNDS):
        loose = 0.5 * loose + 0.5 * (near @ loose)
        loose[np.unique(border)] = model.template[np.unique(border)]
    ease = ((loose - model.template) * mesh_normals(model.template, model.faces)).sum(1)
    return Layer(csr_array(eye_array(count)), model.faces, model.template, ease, np.empty((0, 2), dtype=np.int64))


def cut(layer: Layer, keep: Reals) -> Layer:
    """What of a layer is positive; triangles that are so in part are cut through.

    Args:
        layer: of n vertices.
        keep: (n,) numbers, linear along edges.
    """
    mix, faces = _cut(layer.faces, keep)
    on_bust = np.ones(len(keep))
    on_bust[np.setdiff1d(np.arange(len(keep)), _border(layer.faces))] = 0
    on_bust[np.unique(layer.cut)] = 0
    edges = _border(faces)
    return _mixed(layer, mix, faces, edges[~(mix @ on_bust > ALL)[edges].all(1)])


def split(layer: Layer, values: Reals) -> tuple[Layer, npt.NDArray[np.bool_]]:
    """A layer whose triangles are split where ``values`` (n,) pass zero, so that colours can change sharply there.

    Returns:
        The layer, with hems only where it had them, and for each of its vertices whether it is on the positive side.
    """
    (mix, faces), (other, others) = _cut(layer.faces, values), _cut(layer.faces, -values)
    both = csr_array(vstack([mix, other], format="csr"))
    faces = np.concatenate([faces, others + mix.shape[0]])
    on_cut = np.zeros(len(values))
    on_cut[np.unique(layer.cut)] = 1
    edges = _border(faces)
    mixed = _mixed(layer, both, faces, edges[(both @ on_cut > ALL)[edges].all(1)])
    return mixed, np.arange(both.shape[0]) < mix.shape[0]


def _mixed(layer: Layer, mix: csr_array, faces: Indices, edges: Indices) -> Layer:
    return Layer(csr_array(mix @ layer.rows), faces, mix @ layer.template, mix @ layer.ease, edges)


def _cut(faces: Indices, keep: Reals) -> tuple[csr_array, Indices]:
    """Marching triangles: weights of the vertices that are left, and their triangles."""
    keep = np.where(keep == 0, 1e-9, keep)
    inside = keep > 0
    kept = inside[faces].sum(1)
    turned = _turn_first(faces, inside, kept)
    one, two = turned[kept == 1], turned[kept == 2]
    crossed = np.concatenate([one[:, [0, 1]], one[:, [0, 2]], two[:, [0, 1]], two[:, [0, 2]]])
    edges, edge = np.unique(np.sort(crossed, axis=1), axis=0, return_inverse=True)
    share = keep[edges[:, 0]] / (keep[edges[:, 0]] - keep[edges[:, 1]])
    count, new = len(keep), np.arange(len(edges))
    weights = (np.concatenate([1 - share, share]), (np.tile(new, 2), edges.T.ravel()))
    on_edges = coo_array(weights, (len(edges), count)).tocsr()
    ab, ac, ba, ca = np.split(count + edge.reshape(-1), np.cumsum([len(one), len(one), len(two)]))
    left = np.concatenate([
        faces[kept == 3], np.stack([one[:, 0], ab, ac], 1),
        np.stack([ba, two[:, 1], two[:, 2]], 1), np.stack([ba, two[:, 2], ca], 1),
    ])  # fmt: skip
    used, left = np.unique(left, return_inverse=True)
    return csr_array(vstack([eye_array(count), on_edges], format="csr")[used]), left.reshape(-1, 3).astype(np.int64)


def drape(layer: Layer, body: Body, thickness: Reals | float) -> Reals:
    """Where cloth hangs, (n, 3): ``thickness`` mm, (n,) or one number, off the skin and over its hollows."""
    off = np.maximum(layer.ease + thickness, LEAST_MM)
    return np.asarray(layer.rows @ body.vertices + off[:, None] * _normals(layer, body))


def hem(layer: Layer, body: Body, outer: Reals, colours: Reals) -> Part:
    """The edge of cloth where it was cut: a wall from its outside down to the skin, so that it looks thick.

    Args:
        layer: what was cut.
        body: that wears it.
        outer: (n, 3) where the layer hangs.
        colours: (n, 3) of the layer.
    """
    at, edges = np.unique(layer.cut, return_inverse=True)
    a, b = edges.reshape(-1, 2).T
    inner = layer.rows[at] @ body.vertices + OFF_SKIN_MM * _normals(layer, body)[at]
    low_a, low_b = a + len(at), b + len(at)
    faces = np.concatenate([np.stack([b, a, low_a], 1), np.stack([b, low_a, low_b], 1)]).astype(np.int64)
    shade = np.concatenate([colours[at] * 0.92, colours[at] * 0.75])
    return Part(np.concatenate([outer[at], inner]), faces, shade)


def level_line(anatomy: Anatomy, keep: Reals, angles: Reals) -> csr_array:
    """Where numbers (N,) at the bust's vertices pass zero on a line around the neck: (K, N) weights.

    Args:
        anatomy: of the head.
        keep: (N,) negative at the neck.
        angles: (K,) about the neck's axis, radians: 0 in front, pi / 2 at the person's left.
    """
    layer = cut(_surface(anatomy), keep)
    return line_at(layer, around_neck(layer.template), angles)


def line_at(layer: Layer, turned: Reals, angles: Reals) -> csr_array:
    """Points on the edge along which a layer was cut, (K, N) weights, at angles (K,) of those (n,) of its vertices."""
    at = np.unique(layer.cut)
    at = at[turned[at].argsort()]
    angle = turned[at]
    after = np.searchsorted(angle, angles % (2 * np.pi)) % len(at)
    before = after - 1
    gap = (angle[after] - angle[before]) % (2 * np.pi)
    share = ((angles - angle[before]) % (2 * np.pi)) / np.maximum(gap, 1e-9)
    row = np.arange(len(angles))
    entries = (np.concatenate([1 - share, share]), (np.tile(row, 2), np.concatenate([at[before], at[after]])))
    return csr_array(coo_array(entries, (len(row), len(turned))).tocsr() @ layer.rows)


def around_neck(points: Reals, axis_z: float = NECK_Z) -> Reals:
    """Angles (n,) in [0, 2 pi) of points (n, 3) about the neck's upright axis: 0 in front, pi / 2 at the left."""
    return np.asarray(np.arctan2(points[:, 0], points[:, 2] - axis_z) % (2 * np.pi))


def front(model: BustModel, at: Reals) -> csr_array:
    """The points (K, 2) at x and y of the average bust's front: (K, N) weights."""
    corners = model.template[model.faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    faces = model.faces[(normal[:, 2] > 0) & (corners[..., 2].mean(1) > NECK_Z)]
    a, b, c = (model.template[faces[:, k], :2] for k in range(3))
    area = _cross(b - a, c - a)
    p = at[:, None]
    weights = np.stack([_cross(b - p, c - p), _cross(c - p, a - p), _cross(a - p, b - p)], axis=-1) / area[:, None]
    best = weights.min(-1).argmax(1)
    entries = (weights[np.arange(len(at)), best].ravel(), (np.repeat(np.arange(len(at)), 3), faces[best].ravel()))
    return csr_array(coo_array(entries, (len(at), len(model.template))))


@functools.cache
def front_line(anatomy: Anatomy, top: float, bottom: float, count: int) -> csr_array:
    """Points down the middle of the chest: (count, N) weights."""
    down = np.linspace(top, bottom, count)
    return front(bust_model(anatomy), np.stack([np.full(count, OFF_MIDDLE), down], axis=1))


def neckline(points: Reals, width: float, before: float, behind: float, power: float = 2.0) -> Reals:
    """Distance outside a neckline, about mm: negative where the neck and what is below it are bare.

    Args:
        points: (n, 3) on the average bust.
        width: mm from the middle to where it passes the shoulder's ridge.
        before: how far below that place it lies in front, mm.
        behind: the same of the back.
        power: 1 is a V, 2 is round, 4 is nearly square.
    """
    ridge = np.interp(width, *_RIDGE)
    back = 1 / (1 + np.exp((points[:, 2] - RIDGE_Z) / 5))
    depth = before + (behind - before) * back
    bend = power + (2 - power) * back
    across, down = np.abs(points[:, 0]) / width, np.maximum(ridge - points[:, 1], 0) / depth
    return np.asarray(width * ((across**bend + down**bend) ** (1 / bend) - 1))


def outward(angles: Reals) -> Reals:
    """Level directions (K, 3) away from the neck's axis, at angles (K,) about it: 0 is the front."""
    return np.stack([np.sin(angles), np.zeros_like(angles), np.cos(angles)], axis=1)


def below_edge(points: Reals) -> Reals:
    """Distance below the plane of the head mesh's edge, mm, of points (n, 3) on the average bust."""
    return np.asarray(-((points[:, 1] + 120.4) * 0.905 + (points[:, 2] + 23.7) * 0.426))


def under_jaw(points: Reals, head: Reals, anatomy: Anatomy, clearance: float = JAW_MM) -> Reals:
    """Points (..., 3) of collars, moved down to where the jaw, however far it has dropped, leaves room.

    Args:
        points: in the frame of ``head``.
        head: (H, 3).
        anatomy: of the head.
        clearance: below the jaw, mm.
    """
    jaw = head[_jaw(anatomy)]
    flat = points.reshape(-1, 3)
    far = np.linalg.norm(flat[:, None, [0, 2]] - jaw[:, [0, 2]], axis=2)
    room = (jaw[:, 1] - clearance + np.maximum(far - 6, 0)).min(1)
    lowered = flat.copy()
    at_neck = flat[:, 1] < jaw[:, 1].max()  # and not on top of the head
    lowered[at_neck, 1] = np.minimum(flat[:, 1], room)[at_neck]
    return lowered.reshape(points.shape)


def round_neck(points: Reals, body: Body, anatomy: Anatomy) -> Reals:
    """Points (..., 3) of collars, moved to where neither the neck, which bends with the head, nor the jaw is."""
    neck = np.flatnonzero(bust_model(anatomy).template[:, 1] > NECK_ENDS)
    flat = points.reshape(-1, 3)
    nearest = neck[cKDTree(body.vertices[neck]).query(flat)[1]]
    normals = body.normals[nearest]
    off = ((flat - body.vertices[nearest]) * normals).sum(1)
    flat = flat + np.maximum(LEAST_MM / 2 - off, 0)[:, None] * normals
    return under_jaw(flat.reshape(points.shape), body.head, anatomy)


@functools.lru_cache(maxsize=1)
def _jaw(anatomy: Anatomy) -> Indices:
    """Vertices of the head at the chin and along the jaw's underside; every third one is enough."""
    x, y, z = anatomy.template.numpy().T
    skin = np.unique(anatomy.faces[anatomy.parts["skin"]])
    return skin[(y[skin] < -62) & (z[skin] > -25) & (np.abs(x[skin]) < 50)][::3]


_RIDGE = (
    np.array([45.0, 53, 62, 73, 86, 93, 114, 135, 155, 174, 193, 214]),
    np.array([-77.0, -90, -103, -116, -127, -132, -141, -150, -158, -168, -182, -203]),
)
"""x and y of the shoulders' ridge on the average bust, mm."""


def _normals(layer: Layer, body: Body) -> Reals:
    normals = layer.rows @ body.normals
    return np.asarray(normals / np.linalg.norm(normals, axis=1, keepdims=True))


def _turn_first(faces: Indices, inside: npt.NDArray[np.bool_], kept: Indices) -> Indices:
    """Triangles turned so that the corner unlike the other two comes first."""
    odd = np.where((kept == 1)[:, None], inside[faces], ~inside[faces]).argmax(1)
    return np.asarray(faces[np.arange(len(faces))[:, None], (odd[:, None] + np.arange(3)) % 3])


def _border(faces: Indices) -> Indices:
    """(E, 2) edges of one triangle only, as it turns."""
    edges = np.stack([faces, np.roll(faces, -1, 1)], axis=-1).reshape(-1, 2)
    keys = np.sort(edges, axis=1) @ np.array([1 << 32, 1])
    _, first, uses = np.unique(keys, return_index=True, return_counts=True)
    return np.asarray(edges[first[uses == 1]])


def _cross(a: Reals, b: Reals) -> Reals:
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])
