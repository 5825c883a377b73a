"""Clothes and costumes: they fit whoever wears them, however the head turns, and leave the face free."""

import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from facegen_core.errors import ConfigError
from facegen_core.population.anatomy import Anatomy, anatomy
from facegen_core.population.identity import Identity, draw_identity, neutral_heads
from facegen_core.population.portrait.bust import bust_model, mesh_normals, pose_body, turn_head
from facegen_core.population.portrait.outfits import MEN, WOMEN, Outfit, draw_outfit
from facegen_core.population.portrait.pieces import Piece
from facegen_core.population.portrait.wardrobe import (
    CAPTIONS,
    COSTUMES,
    HIDES_HAIR,
    bust_pieces,
    costume_pieces,
    neck_colours,
)
from facegen_core.population.skin import paint

NECK = np.array([0.7, 0.5, 0.4])
TURNED = Rotation.from_euler("yxz", [35, -15, 8], degrees=True).as_matrix()
MOST_PLAIN, MOST_RICH, MOST_COSTUME = 6_000, 7_500, 20_000
"""Vertices of neck and clothes, of those with stripes, bare arms or three layers, and of a costume."""


@pytest.fixture(scope="module")
def shared() -> Anatomy:
    return anatomy()


@pytest.fixture(scope="module")
def people(shared) -> list[Identity]:
    return [draw_identity(0, person, shared) for person in range(4)]


def _head(identity: Identity, shared: Anatomy, **actions: float) -> np.ndarray:
    head = neutral_heads([identity], shared)[0].numpy().copy()
    for name, strength in actions.items():
        head += strength * shared.actions[shared.action_names.index(name)].numpy()
    return head


def _outfit(kind: str, pattern: str = "plain") -> Outfit:
    for seed in range(2000):
        outfit = draw_outfit(seed, female=kind in WOMEN and kind not in MEN)
        if (outfit.kind, outfit.pattern) == (kind, pattern):
            return outfit
    raise AssertionError(f"nobody wears {pattern} {kind}")


def _all_pieces(shared: Anatomy, identity: Identity, head: np.ndarray, turn: np.ndarray) -> dict[str, list[Piece]]:
    everyday = {kind: bust_pieces(head, identity, shared, _outfit(kind), NECK, turn) for kind in WOMEN}
    return everyday | {name: costume_pieces(name, 3, head, identity, shared, NECK, turn) for name in COSTUMES[1:]}


def test_outfits_are_a_function_of_the_seed_and_all_kinds_are_worn():
    assert draw_outfit(1, female=True) == draw_outfit(1, female=True)
    women, men = ([draw_outfit(seed, female=female) for seed in range(300)] for female in (True, False))
    assert {outfit.kind for outfit in women} == set(WOMEN)
    assert {outfit.kind for outfit in men} == set(MEN)
    assert len({outfit.words for outfit in women}) > 60


def test_words_name_what_is_worn():
    assert _outfit("shirt").words.endswith("shirt")
    assert " and " in _outfit("crew", "striped").words
    assert "tie" in _outfit("suit").words
    assert all(draw_outfit(seed, female=True).words.split()[0] in ("a", "an") for seed in range(50))


def test_what_is_worn_is_a_function_of_its_arguments(shared, people):
    head = _head(people[0], shared)
    first = _all_pieces(shared, people[0], head, TURNED)
    _all_pieces(shared, people[1], _head(people[1], shared), np.eye(3))
    second = _all_pieces(shared, people[0], head, TURNED)
    for name, pieces in first.items():
        for one, other in zip(pieces, second[name], strict=True):
            assert np.array_equal(one.vertices, other.vertices)
            assert np.array_equal(one.colours, other.colours)


@pytest.mark.parametrize("turn", [np.eye(3), TURNED, Rotation.from_euler("y", -60, degrees=True).as_matrix()])
def test_neck_meets_the_edge_of_the_head_however_it_turns(shared, people, turn):
    model = bust_model(shared)
    for identity in people:
        head = _head(identity, shared, jawOpen=1.0)
        skin = bust_pieces(head, identity, shared, _outfit("crew"), NECK, turn)[0]
        edge = turn_head(head, turn)[model.head_ring]
        away, nearest = cKDTree(skin.vertices).query(edge)
        assert away.max() < 1e-3
        normals = mesh_normals(turn_head(head, turn), shared.faces)[model.head_ring]
        assert (skin.normals[nearest] * normals).sum(1).min() > 0.999


def test_body_stays_when_the_head_turns(shared, people):
    head = _head(people[0], shared)
    straight, turned = (pose_body(head, people[0], shared, turn).vertices for turn in (np.eye(3), TURNED))
    low = straight[:, 1] < -230
    assert low.sum() > 300
    assert np.abs(straight - turned)[low].max() < 1e-9
    assert np.abs(straight - turned)[~low].max() > 10


@pytest.mark.parametrize("turn", [np.eye(3), TURNED])
def test_cloth_lies_outside_the_skin(shared, people, turn):
    """The skin's vertex nearest to cloth has it on its outer side; in the armpits it may be that of the other side."""
    x, y, _ = bust_model(shared).template.T
    armpit = (np.abs(np.abs(x) - 145) < 32) & (y < -250)
    for identity in people[:2]:
        head = _head(identity, shared)
        body = pose_body(head, identity, shared, turn)
        tree = cKDTree(body.vertices)
        for name, pieces in _all_pieces(shared, identity, head, turn).items():
            cloth = [piece.vertices for piece in pieces if piece.follows == "body" and piece.material == "cloth"]
            if name == "sheep":  # all wool
                assert not cloth
                continue
            points = np.concatenate(cloth)
            nearest = tree.query(points)[1]
            off = ((points - body.vertices[nearest]) * body.normals[nearest]).sum(1)[~armpit[nearest]]
            assert (off > 0).mean() > 0.99, name


def test_build_follows_the_phenotype(shared, people):
    labels = shared.model.phenotype_labels

    def width(**changes: float) -> float:
        phenotypes = people[0].phenotypes.copy()
        for name, value in changes.items():
            phenotypes[labels.index(name)] = value
        body = pose_body(_head(people[0], shared), people[0]._replace(phenotypes=phenotypes), shared, np.eye(3))
        return float(np.ptp(body.vertices[:, 0]))

    slim, heavy = width(gender=1.0, weight=0.25, muscle=0.3), width(gender=0.0, weight=0.8, muscle=0.8)
    assert 360 < slim < heavy - 60 < 540


def test_neck_has_the_colours_painted_at_the_edge(shared, people):
    texture = paint(people[1], np.zeros(52), shared, 256)
    colours = neck_colours(texture, shared)
    skin = bust_pieces(_head(people[1], shared), people[1], shared, _outfit("dress"), colours)[0]
    model = bust_model(shared)
    edge = cKDTree(skin.vertices).query(_head(people[1], shared)[model.head_ring])[1]
    assert np.allclose(skin.colours[edge], colours, atol=1e-5)
    assert np.abs(np.median(skin.colours, axis=0) - people[1].tone).max() < 0.12
    assert np.allclose(neck_colours(np.full((64, 64, 3), 51, np.uint8), shared), 0.2)


def _covered(triangles: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(P,) whether a triangle (F, 3, 3) lies before a point (P, 3), seen from far in front."""
    (a, b, c), covered = triangles.transpose(1, 0, 2), np.zeros(len(points), dtype=bool)
    for k, point in enumerate(points):
        sides = [
            (q[:, 0] - p[:, 0]) * (point[1] - p[:, 1]) - (q[:, 1] - p[:, 1]) * (point[0] - p[:, 0])
            for p, q in ((b, c), (c, a), (a, b))
        ]
        area = sum(sides)
        inside = np.all([side * np.sign(area) > 0 for side in sides], axis=0)
        depth = sum(side * p[:, 2] for side, p in zip(sides, (a, b, c), strict=True))
        covered[k] = (depth[inside] / area[inside] > point[2] + 0.1).any()
    return covered


@pytest.mark.parametrize("name", COSTUMES)
def test_costumes_leave_the_face_free(shared, people, name):
    """Between brows and chin, as wide as the eyes' outer corners and a little more."""
    x, y, z = shared.template.numpy().T
    face = np.flatnonzero((np.abs(x) < 52) & (y > -80) & (y < 52) & (z > 10))[::3]
    for identity in people:
        head = _head(identity, shared)
        pieces = costume_pieces(name, 1, head, identity, shared, NECK)
        triangles = np.concatenate([piece.vertices[piece.faces] for piece in pieces])
        within = (triangles.max(1) > head[face].min(0))[:, :2].all(1) & (triangles.min(1) < head[face].max(0))[
            :, :2
        ].all(1)
        triangles = triangles[within]
        assert len(triangles)
        assert not _covered(triangles, head[face]).any()


@pytest.mark.parametrize("kind", ["shirt", "turtleneck", "hoodie"])
def test_collars_give_way_to_a_dropped_jaw(shared, people, kind):
    for identity in people:
        head = _head(identity, shared, jawOpen=1.0)
        chin = head[(np.abs(head[:, 0]) < 15) & (head[:, 2] > -10)]
        cloth = bust_pieces(head, identity, shared, _outfit(kind), NECK)[1].vertices
        below = cloth[(np.abs(cloth[:, 0]) < 15) & (cloth[:, 2] > -10)]
        assert below[:, 1].max() < chin[:, 1].min()


def test_everything_is_finite_sound_and_within_its_budget(shared, people):
    plain = {kind for kind in MEN if kind != "suit"} | {"dress"}
    for name, pieces in _all_pieces(shared, people[2], _head(people[2], shared), TURNED).items():
        budget = MOST_COSTUME if name in COSTUMES else MOST_PLAIN if name in plain else MOST_RICH
        assert sum(len(piece.vertices) for piece in pieces) <= budget, name
        for piece in pieces:
            assert np.isfinite(piece.vertices).all()
            assert piece.vertices.dtype == piece.colours.dtype == np.float32
            assert piece.faces.min() >= 0
            assert piece.faces.max() < len(piece.vertices)
            assert piece.colours.min() >= 0
            assert piece.colours.max() <= 1
    striped = bust_pieces(_head(people[0], shared), people[0], shared, _outfit("turtleneck", "striped"), NECK)
    assert sum(len(piece.vertices) for piece in striped) <= MOST_RICH


@pytest.mark.parametrize("name", ["flower", "sheep", "santa", "royal"])
def test_what_is_worn_on_the_head_follows_it(shared, people, name):
    head = _head(people[0], shared)
    straight, turned = (costume_pieces(name, 2, head, people[0], shared, NECK, turn) for turn in (np.eye(3), TURNED))
    for one, other in zip(straight, turned, strict=True):
        if one.follows == "head":
            assert np.array_equal(one.vertices, other.vertices)
            assert one.vertices[:, 1].max() > 50
    assert {piece.follows for piece in straight} == {"head", "body"}


def test_unknown_costumes_are_refused_with_the_nearest(shared, people):
    with pytest.raises(ConfigError, match=r"'shep': no such costume\. Nearest: sheep"):
        costume_pieces("shep", 0, _head(people[0], shared), people[0], shared, NECK)


def test_every_costume_has_words_and_says_what_hair_it_hides():
    assert set(CAPTIONS) == set(HIDES_HAIR) == set(COSTUMES)
    assert CAPTIONS["royal"] == "traditional golden palace costume"
