"""Hair as geometry: on the scalp, outside the head, out of the face, and moving with the skin it grows on."""

import hashlib

import numpy as np
import pytest
import torch
import trimesh
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from facegen_core.geometry.flatten import boundary_loops
from facegen_core.population.anatomy import Anatomy, anatomy
from facegen_core.population.hair import HAIRLINE
from facegen_core.population.identity import Identity, draw_identity, neutral_heads
from facegen_core.population.portrait import facial_hair, strands
from facegen_core.population.portrait.bust import bust_model
from facegen_core.population.portrait.facial_hair import beard_pieces, brow_pieces, lash_pieces
from facegen_core.population.portrait.hairstyle import Hairstyle, draw_hairstyle, groomed
from facegen_core.population.portrait.pieces import Piece
from facegen_core.population.portrait.strands import hair_pieces

HAIRSTYLES_SHA256 = "93cfe4f911a9221f9e75366ca1ca04eec2897bc92f5b7f695bd07a0c184d3887"
STRANDS = 600
MAKERS = (hair_pieces, brow_pieces, lash_pieces, beard_pieces)


@pytest.fixture(scope="module")
def shared() -> Anatomy:
    return anatomy()


@pytest.fixture(scope="module")
def people(shared) -> list[Identity]:
    return [draw_identity(0, person, shared) for person in range(30)]


@pytest.fixture(scope="module")
def styles(people) -> list[Hairstyle]:
    return [draw_hairstyle(0, person, identity.appearance) for person, identity in enumerate(people)]


@pytest.fixture(scope="module")
def heads(shared, people) -> np.ndarray:
    return neutral_heads(people, shared).numpy().astype(np.float32)


def _doing(shared: Anatomy, head: np.ndarray, *actions: str) -> np.ndarray:
    """A head that does some facial actions, on both sides, at strength 1."""
    chosen = [i for i, name in enumerate(shared.action_names) if name.startswith(actions)]
    return head + shared.actions[chosen].sum(0).numpy().astype(np.float32)


def _one_of_each_cut(styles: list[Hairstyle]) -> list[int]:
    cuts = [style.cut for style in styles]
    return [cuts.index(cut) for cut in sorted(set(cuts)) if cut != "bald"]


def _lines(piece: Piece) -> list[np.ndarray]:
    """The middle lines of a piece's strips, found by what is connected to what."""
    edges = piece.faces[:, [0, 1, 1, 2]].reshape(-1, 2).T
    graph = coo_array((np.ones(edges.shape[1]), tuple(edges)), (len(piece.vertices),) * 2)
    count, strip = connected_components(graph, directed=False)
    assert (np.diff(strip) >= 0).all()
    pairs = piece.vertices.reshape(-1, 2, 3).mean(1)
    return np.split(pairs, np.flatnonzero(np.diff(strip[::2])) + 1) if count > 1 else [pairs]


def _above_skin(shared: Anatomy, head: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where points (P, 3) lie, by trimesh, against the triangles of skin nearest to them.

    Returns:
        (P,) their distance, mm; (P,) how far above the planes of these triangles they lie, below 0 if under all; (P,)
        bool, whether the nearest belongs to an ear or to the neck's lower edge, where the mesh is thin or open.
    """
    triangles = shared.faces[shared.parts["skin"]]
    corners = head[triangles].astype(np.float64)
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    grid = np.array([(i, j, 6 - i - j) for i in range(7) for j in range(7 - i)]) / 6
    dense = np.einsum("gk,fkc->fgc", grid, corners).reshape(-1, 3)
    near = cKDTree(dense).query(points, k=8)[1] // len(grid)
    closest = trimesh.triangles.closest_point(corners[near.ravel()], points.repeat(8, axis=0)).reshape(-1, 8, 3)
    distance = np.linalg.norm(points[:, None] - closest, axis=2)
    side = np.einsum("pkc,pkc->pk", points[:, None] - closest, normal[near])
    x, y, z = shared.template.numpy()[triangles].mean(1).T
    ears = (np.abs(x) > 66) & (y > -35) & (y < 45) & (z > -98) & (z < -30)
    neck = np.isin(triangles, max(boundary_loops(triangles), key=len)).any(1)
    best = near[np.arange(len(near)), distance.argmin(1)]
    return distance.min(1), side.max(1), (ears | neck)[best]


def _letters(factor: object) -> list[int]:
    """Of a text, or of None, as numbers."""
    return list(str(factor).encode())


def test_hairstyles_have_not_changed(people):
    digest = hashlib.sha256()
    for person in (0, 1, 17, 25, 29):
        for factor in draw_hairstyle(0, person, people[person].appearance):
            number = factor if isinstance(factor, (int, float, tuple)) else _letters(factor)
            digest.update(np.atleast_1d(np.asarray(number, dtype="<f8")).round(9).tobytes())
    assert digest.hexdigest() == HAIRSTYLES_SHA256


def test_same_person_same_hair_whatever_was_made_before(shared, people, styles, heads):
    def pieces() -> list[Piece]:
        return [p for make in MAKERS for p in make(styles[5], people[5].appearance, heads[5], shared, STRANDS)]

    first = pieces()
    strands.grown.cache_clear()
    facial_hair._brows.cache_clear()
    hair_pieces(styles[8], people[8].appearance, heads[8], shared, STRANDS)
    assert draw_hairstyle(0, 5, people[5].appearance) == styles[5]
    for one, other in zip(first, pieces(), strict=True):
        assert np.array_equal(one.vertices, other.vertices)
        assert np.array_equal(one.colours, other.colours)


def test_people_wear_their_hair_differently(people):
    drawn = [draw_hairstyle(0, person, people[0].appearance) for person in range(200)]
    assert len({style.cut for style in drawn}) >= 9
    assert len({style.words for style in drawn}) >= 12
    assert len({style.grain for style in drawn}) == 200


def test_cuts_go_with_sex_and_baldness(people):
    woman, man = (
        next(p.appearance for p in people if (p.appearance.female > 0.5) == female) for female in (True, False)
    )
    balding = man._replace(baldness=0.9)
    long, bare = [], []
    for look in (woman, man._replace(baldness=0.1), balding):
        drawn = [draw_hairstyle(1, person, look) for person in range(300)]
        long.append(np.mean([style.long for style in drawn]))
        bare.append(np.mean([style.cut in ("bald", "buzz", "receding short") for style in drawn]))
    assert long[0] > 0.7 > 0.3 > long[1] > 0 == long[2]
    assert bare[0] == 0 < bare[1] < 0.4 < bare[2] == 1


def test_words_name_length_fall_and_colour(styles):
    base = styles[0]._replace(colour="brown", fringe=None)
    assert base._replace(cut="wavy long").words == "long wavy brown hair"
    assert base._replace(cut="bob", fringe=60.0).words == "a brown bob with a fringe"
    assert base._replace(cut="afro", colour="auburn").words == "an auburn afro"
    assert base._replace(cut="bald").words == "a bald head"


def test_all_values_are_usable(shared, people, styles, heads):
    for i in range(24):
        for make in MAKERS:
            for piece in make(styles[i], people[i].appearance, heads[i], shared, STRANDS):
                assert np.isfinite(piece.vertices).all()
                assert piece.vertices.dtype == piece.colours.dtype == np.float32
                assert piece.colours.min() >= 0 <= 1 >= piece.colours.max()
                assert piece.faces.min() == 0
                assert piece.faces.max() == len(piece.vertices) - 1
                assert piece.normals is not None
                assert piece.tangents is not None
                for direction in (piece.normals, piece.tangents):
                    assert direction.shape == piece.vertices.shape
                    np.testing.assert_allclose(np.linalg.norm(direction, axis=1), 1, atol=1e-3)
                assert piece.material == "hair"
                assert piece.follows == "head"


def test_bald_people_have_no_hair_on_the_head(shared, people, styles, heads):
    bald = [i for i, style in enumerate(styles) if style.cut == "bald"]
    assert bald
    for i in bald:
        look = people[i].appearance
        assert hair_pieces(styles[i], look, heads[i], shared, STRANDS) == []
        assert brow_pieces(styles[i], look, heads[i], shared, STRANDS)
        painted = np.array(groomed(styles[i], look).hair)
        assert np.abs(painted - look.tone).max() < 0.15
    assert groomed(styles[0], people[0].appearance) == people[0].appearance


@pytest.mark.parametrize("budget", [100, 600, 2500])
def test_there_are_no_more_strands_than_asked_for(shared, people, styles, heads, budget):
    for i in _one_of_each_cut(styles):
        *_, hair = hair_pieces(styles[i], people[i].appearance, heads[i], shared, budget)
        assert 0.9 * budget <= len(_lines(hair)) <= budget
        for make, most in ((brow_pieces, 0.2), (lash_pieces, 0.1), (beard_pieces, 0.5)):
            for piece in make(styles[i], people[i].appearance, heads[i], shared, budget):
                assert len(_lines(piece)) <= most * budget


def test_fewer_strands_are_wider(shared, people, styles, heads):
    for i in _one_of_each_cut(styles):
        if styles[i].cut == "buzz":
            continue  # its strands are as wide as they are long
        widths = []
        for budget in (600, 2500):
            *_, hair = hair_pieces(styles[i], people[i].appearance, heads[i], shared, budget)
            pair = hair.vertices.reshape(-1, 2, 3)
            widths.append(np.median(np.linalg.norm(pair[:, 1] - pair[:, 0], axis=1)))
        assert widths[0] > 1.8 * widths[1]


def test_strands_start_on_the_scalp_behind_the_painted_hairline(shared, people, styles):
    template = shared.template.numpy().astype(np.float32)
    angle, height = np.array(HAIRLINE, dtype=float).T
    for i in _one_of_each_cut(styles):
        if styles[i].flow == "knot":
            continue  # the tail starts at the knot
        *_, hair = hair_pieces(styles[i], people[i].appearance, template, shared, STRANDS)
        root = np.stack([line[0] for line in _lines(hair)])
        assert _above_skin(shared, template, root)[0].max() < 2.5
        around = np.degrees(np.arctan2(np.abs(root[:, 0]), root[:, 2] + 50))
        look = people[i].appearance
        edge = np.interp(around, angle, height) + look.hairline * np.clip(1 - around / 70, 0, 1)
        assert (root[:, 1] - edge).min() > -13  # it is ragged and soft


@pytest.mark.parametrize("actions", [(), ("jawOpen", "browInnerUp", "cheekPuff")])
def test_strands_stay_outside_the_head(shared, people, styles, heads, actions):
    """But for the ears, which are thinner than what hair is kept away from."""
    for i in _one_of_each_cut(styles):
        head = _doing(shared, heads[i], *actions) if actions else heads[i]
        *_, hair = hair_pieces(styles[i], people[i].appearance, head, shared, STRANDS)
        _, above, elsewhere = _above_skin(shared, head, np.concatenate(_lines(hair)))
        assert (~elsewhere).mean() > 0.3
        assert above[~elsewhere].min() > -1


def test_hair_leaves_the_face_free(shared, people, styles, heads):
    for i in _one_of_each_cut(styles):
        *_, hair = hair_pieces(styles[i], people[i].appearance, heads[i], shared, STRANDS)
        x, y, z = hair.vertices.T
        face = (np.abs(x) < 42) & (y < 42) & (y > -75) & (z > 15)
        assert face.mean() < 0.002
        if styles[i].fringe is None and not styles[i].curl:
            assert ((np.abs(x) < 30) & (y < 70) & (z > 15)).mean() < 0.01


def test_fringe_covers_the_forehead_down_to_its_end(shared, people, styles):
    template = shared.template.numpy().astype(np.float32)
    look = people[0].appearance
    bob = next(style for style in (draw_hairstyle(0, p, look) for p in range(200)) if style.cut == "bob")
    *_, with_fringe = hair_pieces(bob._replace(fringe=58.0), look, template, shared, 2500)
    *_, without = hair_pieces(bob._replace(fringe=None), look, template, shared, 2500)
    covered = []
    for hair in (with_fringe, without):
        x, y, z = hair.vertices.T
        front = (z > 15) & (np.abs(x) < 35)
        covered.append(len(set(np.round(x[front & (y < 72) & (y > 60)] / 4).tolist())))
    assert covered[0] >= 15
    assert covered[1] <= 2


def test_length_goes_to_where_hair_is_cut(shared, people, styles):
    template = shared.template.numpy().astype(np.float32)
    look = people[0].appearance
    bob = next(style for style in (draw_hairstyle(0, p, look) for p in range(200)) if style.cut == "bob")
    for ends in (-60.0, -100.0):
        *_, hair = hair_pieces(bob._replace(ends=ends), look, template, shared, STRANDS)
        lowest = np.percentile(hair.vertices[:, 1], 1)
        assert abs(lowest - ends) < 15


def test_long_hair_lies_on_the_shoulders(shared, people, styles):
    """Outside the average bust, whose skin is found by trimesh, and on it: some of it nearer than cloth is thick."""
    template, body = shared.template.numpy().astype(np.float32), bust_model(shared)
    look = people[0].appearance
    long = next(s for s in (draw_hairstyle(0, p, look) for p in range(200)) if s.cut == "long" and s.ends < -200)
    *_, hair = hair_pieces(long, look, template, shared, STRANDS)
    low = hair.vertices[hair.vertices[:, 1] < -125][::6]
    assert len(low) > 100
    surface = trimesh.Trimesh(body.template, body.faces, process=False)
    closest, distance, triangle = trimesh.proximity.closest_point_naive(surface, low)
    outside = np.einsum("pc,pc->p", low - closest, surface.face_normals[triangle]) > 0
    assert outside.mean() > 0.98
    assert np.quantile(distance[outside], 0.1) < 15


def test_brows_go_up_and_down_with_the_skin(shared, people, styles, heads):
    for i in (0, 4, 8):
        look = people[i].appearance
        relaxed, raised, lowered = (
            brow_pieces(styles[i], look, head, shared, STRANDS)[0].vertices
            for head in (heads[i], _doing(shared, heads[i], "browInnerUp"), _doing(shared, heads[i], "browDown"))
        )
        inner = np.abs(relaxed[:, 0]) < 25
        assert (raised - relaxed)[inner, 1].mean() > 2
        assert (lowered - relaxed)[:, 1].mean() < -1


@pytest.mark.parametrize("make", [brow_pieces, beard_pieces])
def test_short_hairs_stay_on_the_skin_whatever_the_face_does(shared, people, styles, heads, make):
    i = next(i for i, p in enumerate(people) if p.appearance.moustache > 0.7)
    for actions in ((), ("jawOpen",), ("browInnerUp", "browOuterUp"), ("mouthSmile",)):
        head = _doing(shared, heads[i], *actions) if actions else heads[i]
        (piece,) = make(styles[i], people[i].appearance, head, shared, STRANDS)
        lines = np.stack(_lines(piece))
        assert _above_skin(shared, head, lines[:, 0])[0].max() < 1.5
        assert np.percentile(_above_skin(shared, head, lines.reshape(-1, 3))[1], 1) > -1.5


def test_lashes_come_down_with_the_lids(shared, people, styles, heads):
    for i in (0, 4, 8):
        look = people[i].appearance
        (relaxed,), (closed,) = (
            lash_pieces(styles[i], look, head, shared, STRANDS)
            for head in (heads[i], _doing(shared, heads[i], "eyeBlink"))
        )
        moved = closed.vertices[:, 1] - relaxed.vertices[:, 1]
        middle = np.median(relaxed.vertices[:, 1])
        assert moved.min() < -7
        assert moved[relaxed.vertices[:, 1] > middle].mean() < -4
        assert np.median(np.abs(moved[relaxed.vertices[:, 1] < middle - 4])) < 2


def test_stubble_stays_paint_and_beards_grow(shared, people, styles, heads):
    i = next(i for i, p in enumerate(people) if p.appearance.female < 0.5)
    look, style = people[i].appearance, styles[i]
    stubble = look._replace(moustache=0.25, chin_beard=0.25, cheek_beard=0.2)
    beard = look._replace(moustache=0.9, chin_beard=0.95, cheek_beard=0.8)
    assert beard_pieces(style, stubble, heads[i], shared, STRANDS) == []
    lengths = []
    for longest in (6.0, 20.0):
        (piece,) = beard_pieces(style._replace(beard_mm=longest), beard, heads[i], shared, STRANDS)
        lengths.append(max(np.linalg.norm(np.diff(line, axis=0), axis=1).sum() for line in _lines(piece)))
    assert 3 < lengths[0] < 9 < lengths[1] < 30


def test_hair_has_the_colour_of_the_look(shared, people, styles, heads):
    for i in _one_of_each_cut(styles):
        *_, hair = hair_pieces(styles[i], people[i].appearance, heads[i], shared, STRANDS)
        assert np.abs(np.median(hair.colours, axis=0) - people[i].appearance.hair).max() < 0.15


def test_hair_goes_along_with_the_head(shared, people, styles, heads):
    """On a head that is a tenth larger the same strands lie a tenth further out."""
    template = shared.template.numpy().astype(np.float32)
    i = _one_of_each_cut(styles)[0]
    *_, usual = hair_pieces(styles[i], people[i].appearance, template, shared, STRANDS)
    *_, large = hair_pieces(styles[i], people[i].appearance, 1.1 * template, shared, STRANDS)
    top = usual.vertices[:, 1] > 100
    ratio = np.linalg.norm(large.vertices[top], axis=1) / np.linalg.norm(usual.vertices[top], axis=1)
    assert abs(np.median(ratio) - 1.1) < 0.02
    assert torch.equal(torch.from_numpy(usual.colours), torch.from_numpy(large.colours))
