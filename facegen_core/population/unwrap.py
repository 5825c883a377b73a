"""A square map of the head's surface with the face in the middle, laid out as FaceScape lays out its textures.

One chart holds the skin and, between their lids, the fronts of the eyes: the map reads as a face. It is cut open from
the back of the neck over the top of the head to the forehead. What lies inside the head has its place in a strip below.
"""

import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import cKDTree

from facegen_core.geometry.flatten import Reals, boundary_loops, flatten
from facegen_core.geometry.mesh import Floats, Indices

FACE_ROWS, FACE_COLUMNS = (0.06, 0.64), (0.21, 0.79)
"""Where the face goes, row 0 on top: just inside FaceScape's crop, rows .05-.65, columns .20-.80 [C add_tex.py]."""
EYES_ROW, LIPS_ROW, EYES_APART = 0.235, 0.455, 0.205
"""Where eyes and lips go in it: somewhat further apart than on the skin, for there a face is read."""
MARGIN, STRIP = 0.004, 0.2
"""What is left free at the map's border, and its height, at the bottom, for what is not seen from outside."""
SQUARENESS = 6.0
"""Exponent of the superellipse that bounds the chart: nearly a square, and still strictly convex."""
SCALP, EYES, BEHIND_LIDS = 0.6, 4.0, 2.0
"""Length on the map against that of the face: the rest of the skin, the eyes, and what of them the lids hide."""
FEATURES, FEATURES_MM = 1.5, 18.0
"""Skin is by so much larger at lids, lips and the tip of the nose, where a face is read; it falls off in so many mm."""
LIDS_SHARE = np.array([0.95, 0.9])
"""Width and height of an eye on the map against the opening of its lids."""
SEEN = np.array([0.5, 2.5])
"""How strongly the middle of an eye, across and up, is enlarged against its edges, which the lids hide."""


def unwrap(
    template: Reals,
    faces: Indices,
    atlas: Indices,
    atlas_uv: Floats,
    part: dict[str, Indices],
    face: npt.NDArray[np.bool_],
) -> tuple[Floats, Indices]:
    """Texture coordinates of the head.

    Args:
        template: (V, 3) mm, y up, looking along +z, with eyes wide open.
        faces: (F, 3) triangles.
        atlas: (F, 3) the same triangles as indices into the model's own texture coordinates.
        atlas_uv: (U, 2) those coordinates.
        part: which triangles are what; see :func:`parts`.
        face: (V,) the vertices of the face, which go inside FaceScape's crop; what is no skin is left out.

    Returns:
        uv: (T, 2) in [0, 1], origin bottom left.
        faces_uv: (F, 3) indices into ``uv``.
    """
    skin, eyes = part["skin"], [part["left eye"], part["right eye"]]
    inside = [part[name] for name in part if name not in ("skin", "left eye", "right eye")]
    seen = np.concatenate([skin, *eyes])
    chart, vertex = _cut_open(template, faces[seen], face)
    points, on_face = template[vertex], face[vertex]
    on_face[chart[len(skin) :]] = False
    glue, points, hidden = _put_in_eyes(points, chart[: len(skin)], np.split(chart[len(skin) :], 2))
    size = np.where(on_face[chart[: len(skin)]].all(1), _skin_sizes(points, chart[: len(skin)]), SCALP)
    size = np.concatenate([size, np.where(hidden, BEHIND_LIDS, EYES), np.zeros(len(glue))])
    triangles = np.concatenate([chart, glue])
    (outline,) = boundary_loops(triangles)
    outline = np.roll(outline, -points[outline, 2].argmax())  # from the front end of the cut
    on = _on_superellipse(points[outline], np.flatnonzero(vertex[outline] == vertex[-1]).tolist())
    plane = flatten(points, triangles, outline, on, size)
    eyes_at = [plane[eye].mean((0, 1)) for eye in np.split(chart[len(skin) :], 2)]
    uv = [_fit(plane[: len(vertex)], on_face, eyes_at, lips=plane[-1])]
    faces_uv = np.empty_like(faces)
    faces_uv[seen] = chart
    for k, island in enumerate(inside):
        corners, local = np.unique(atlas[island], return_inverse=True)
        faces_uv[island] = sum(map(len, uv)) + local.reshape(-1, 3)
        uv.append(_in_strip(atlas_uv[corners].astype(np.float64), k, len(inside)))
    return np.concatenate(uv).astype(np.float32), faces_uv


def parts(template: Reals, faces: Indices, atlas: Indices) -> dict[str, Indices]:
    """Which triangles are what, told apart by where the islands of the model's atlas lie and what they touch.

    Args:
        template: (V, 3) mm, y up, looking along +z.
        faces: (F, 3) triangles.
        atlas: (F, 3) the same triangles as indices into the model's own texture coordinates.

    Returns:
        Indices of triangles under ``skin``, ``left eye``, ``right eye`` (their fronts), ``left socket``,
        ``right socket``, ``mouth`` (its inside), ``tongue`` and ``back of eyes``.
    """
    a, b = atlas.ravel(), np.roll(atlas, 1, axis=1).ravel()
    edges = coo_array((np.ones(len(a)), (a, b)), (atlas.max() + 1,) * 2)
    island = connected_components(edges, directed=False)[1][atlas[:, 0]]
    members = [np.flatnonzero(island == i) for i in np.unique(island)]
    members.sort(key=len, reverse=True)
    head, others = members[0], members[1:]
    found: dict[str, list[Indices]] = {"skin": [head]}
    for member in sorted(others, key=lambda member: -template[faces[member], 2].mean()):  # what is in front first
        centre = template[faces[member]].mean((0, 1))
        side = "left " if centre[0] > 5 else "right " if centre[0] < -5 else ""
        if np.isin(faces[member], faces[head]).any():
            name = f"{side}socket" if side else "mouth" if "mouth" not in found else "skin"  # the neck's front
        else:
            name = f"{side}eye" if side else "tongue"
        found.setdefault("back of eyes" if name in found and side else name, []).append(member)
    return {name: np.concatenate(member) for name, member in found.items()}


def _cut_open(template: Reals, triangles: Indices, face: npt.NDArray[np.bool_]) -> tuple[Indices, Indices]:
    """Cuts a head along the middle, from the back of the neck over the top to where the face begins.

    Returns:
        (F, 3) the triangles with points of their own along both sides of the cut, and the vertex each point is; the
        last one is the end of the cut at the neck.
    """
    kept, local = np.unique(triangles, return_inverse=True)
    chart, points = local.reshape(-1, 3), template[kept]
    middle = np.abs(points[:, 0] - np.median(points[:, 0])) < 1
    neck = max(boundary_loops(chart), key=lambda loop: np.ptp(points[loop], axis=0).sum())
    back = neck[points[neck, 2].argmin()]
    above = np.flatnonzero(middle & (points[:, 1] > points[middle & face[kept], 1].max()) & (points[:, 2] > 0))
    front = above[points[above, 1].argmin()]
    scalp = middle & (points[:, 2] <= points[front, 2]) & ~face[kept]
    a, b = chart.ravel(), np.roll(chart, 1, axis=1).ravel()
    a, b = a[scalp[a] & scalp[b]], b[scalp[a] & scalp[b]]
    length = np.linalg.norm(points[a] - points[b], axis=1)
    graph = coo_array((length, (a, b)), (len(points),) * 2).tocsr()
    before = dijkstra(graph, directed=False, indices=back, return_predecessors=True)[1]
    cut = [before[front]]  # the front end stays whole
    while cut[-1] != back:
        cut.append(before[cut[-1]])
    copies = np.arange(len(points))
    copies[cut] = len(points) + np.arange(len(cut))
    right = points[chart].mean(1)[:, 0] < points[cut, 0].mean()
    chart[right] = copies[chart[right]]
    return chart, np.concatenate([kept, kept[cut]])


def _skin_sizes(points: Reals, skin: Indices) -> Reals:
    """Sizes of the skin's triangles by their distance from the tip of the nose and the skin's inner borders."""
    *borders, _ = sorted(boundary_loops(skin), key=len)
    read = np.append(np.concatenate(borders), points[:, 2].argmax())
    distance = cKDTree(points[read]).query(points[skin].mean(1))[0]
    return 1 + FEATURES * np.exp(-distance / FEATURES_MM)


def _put_in_eyes(points: Reals, skin: Indices, eyes: list[Indices]) -> tuple[Indices, Reals, npt.NDArray[np.bool_]]:
    """Lays the eyes flat between the lids and joins them, and closes the lips, so that all keep their places.

    Returns:
        (G, 3) triangles that join; the points, with those of the eyes moved and one more between the lips; and for
        each of the eyes' triangles whether the lids hide it.
    """
    loops, moved, glue, hidden = boundary_loops(skin), points.copy(), [], []
    for eye in eyes:
        (rim,) = boundary_loops(eye)
        centre = points[rim].mean(0)
        lids = min(loops, key=lambda loop: float(np.linalg.norm(points[loop].mean(0) - centre)))
        least, most = points[lids].min(0), points[lids].max(0)
        middle = points[eye][..., :2].mean(1)
        hidden.append(((middle < least[:2]) | (middle > most[:2])).any(1))
        ball = np.unique(eye)
        inside = 2 * (points[ball, :2] - centre[:2]) / np.ptp(points[rim, :2], axis=0)
        spread = np.tanh(SEEN * inside) / np.tanh(SEEN)
        moved[ball, :2] = ((least + most)[:2] + spread * LIDS_SHARE * (most - least)[:2]) / 2
        moved[ball, 2] = points[lids, 2].mean()
        middle_of_lids = moved[rim].mean(0)
        glue += _zip(*(_from_the_left(loop, moved[loop] - middle_of_lids) for loop in (lids, rim[::-1])))
    lips = max((loop for loop in loops if np.abs(points[loop, 0].mean()) < 5), key=lambda loop: points[loop, 2].mean())
    glue += [(b, a, len(points)) for a, b in zip(lips.tolist(), np.roll(lips, -1).tolist(), strict=True)]
    moved = np.append(moved, points[lips].mean(0, keepdims=True), axis=0)
    return np.array(glue, dtype=np.int64), moved, np.concatenate(hidden)


def _from_the_left(loop: Indices, offset: Reals) -> tuple[list[int], list[float]]:
    """A closed loop from its first point clockwise from the left, that point once more at its end, and their turns."""
    turn = -np.arctan2(offset[:, 1], offset[:, 0]) / (2 * np.pi) + 0.5
    start = int(turn.argmin())
    order = np.roll(np.arange(len(loop)), -start)
    return [*loop[order].tolist(), int(loop[start])], [*turn[order].tolist(), turn[start] + 1]


def _zip(outer: tuple[list[int], list[float]], inner: tuple[list[int], list[float]]) -> list[tuple[int, int, int]]:
    """Triangles between two loops that go around the same centre the same way."""
    (a, a_turn), (b, b_turn) = outer, inner
    i = j = 0
    triangles = []
    while i + j < len(a) + len(b) - 2:
        if j == len(b) - 1 or (i < len(a) - 1 and a_turn[i + 1] <= b_turn[j + 1]):
            triangles.append((a[i + 1], a[i], b[j]))
            i += 1
        else:
            triangles.append((b[j], b[j + 1], a[i]))
            j += 1
    return triangles


def _on_superellipse(outline: Reals, ends: list[int]) -> Reals:
    """Where the chart's outline goes.

    Args:
        outline: (L, 3) from the top counterclockwise.
        ends: where in it the two ends of the neck are.

    Returns:
        (L, 2) on a superellipse in [-1, 1]^2: the neck on the lowest quarter, the two sides of the cut on the rest.
    """
    steps = np.linalg.norm(np.roll(outline, -1, axis=0) - outline, axis=1)
    way = np.append(0, np.cumsum(steps))
    share = np.interp(way[:-1], way[[0, *ends, -1]], [0, 3 / 8, 5 / 8, 1])
    angle = np.linspace(np.pi / 2, 5 / 2 * np.pi, 4001)
    cos, sin = np.cos(angle), np.sin(angle)
    curve = np.stack([np.sign(t) * np.abs(t) ** (2 / SQUARENESS) for t in (cos, sin)], axis=1)
    along = np.append(0, np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1)))
    return np.stack([np.interp(share * along[-1], along, curve[:, k]) for k in range(2)], axis=1)


def _fit(plane: Reals, face: npt.NDArray[np.bool_], eyes: list[Reals], lips: Reals) -> Reals:
    """The chart on the map: each axis is stretched so that the face, its eyes and its lips come to their places."""
    least, most = plane[face].min(0), plane[face].max(0)
    left, right = eyes
    across = PchipInterpolator(
        [-1, least[0], right[0], left[0], most[0], 1],
        [MARGIN, FACE_COLUMNS[0], 0.5 - EYES_APART / 2, 0.5 + EYES_APART / 2, FACE_COLUMNS[1], 1 - MARGIN],
    )
    up = PchipInterpolator(
        [-1, least[1], lips[1], (left[1] + right[1]) / 2, most[1], 1],
        [STRIP, *(1 - np.array([FACE_ROWS[1], LIPS_ROW, EYES_ROW, FACE_ROWS[0]])), 1 - MARGIN],
    )
    return np.stack([across(plane[:, 0]), up(plane[:, 1])], axis=1)


def _in_strip(uv: Reals, place: int, places: int) -> Reals:
    """An island scaled into one of the places of the strip at the bottom."""
    width, height = 1 / places - 2 * MARGIN, STRIP - 4 * MARGIN
    scaled = (uv - uv.min(0)) * min(width / np.ptp(uv[:, 0]), height / np.ptp(uv[:, 1]))
    return scaled + np.array([place / places + MARGIN, MARGIN])
