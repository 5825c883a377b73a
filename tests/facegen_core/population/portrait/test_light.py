import math

import pytest
import torch

from facegen_core.population.portrait.light import Light
from facegen_core.population.portrait.shade import MATERIALS, Surface, shade
from facegen_core.population.portrait.shadow import ShadowMap

DARK = (0.0, 0.0, 0.0)


def slab(height, half):
    """A square, mm, facing up, as two triangles."""
    corners = torch.tensor([[-half, height, half], [half, height, half], [half, height, -half], [-half, height, -half]])
    return corners.float(), torch.tensor([[0, 1, 2], [0, 2, 3]])


@pytest.fixture(scope="module")
def under_a_board():
    """A board of 80 mm, 50 mm above the ground, under a light straight above."""
    ground, faces = slab(0.0, 200.0)
    board, more = slab(50.0, 40.0)
    vertices, faces = torch.cat([ground, board]), torch.cat([faces, more + 4])
    return ShadowMap(vertices, faces, torch.tensor([0.0, 1.0, 0.0]), torch.zeros(3), 220.0, 880)


def on_ground(*x):
    points = torch.tensor([[float(at), 0.0, 0.0] for at in x])
    return points, torch.tensor([0.0, 1.0, 0.0]).expand(len(x), 3)


def test_shadow_falls_straight_below_the_board(under_a_board):
    lit = under_a_board.visible(*on_ground(0, 30, 50, 120), softness=0.0, turn=torch.zeros(4))
    assert lit.tolist() == [0, 0, 1, 1]


def test_penumbra_is_as_broad_as_light_and_distance_say(under_a_board):
    """Its half width is the distance of what blocks times the tangent of half the light's angle: 50 mm x 0.2."""
    x = torch.linspace(20, 60, 161)
    turn = torch.rand(161, generator=torch.Generator().manual_seed(0)) * 2 * math.pi
    lit = under_a_board.visible(*on_ground(*x.tolist()), softness=0.2, turn=turn)
    assert lit[(x - 40).abs().argmin()] == pytest.approx(0.5, abs=0.15), "half the light is seen at the edge"
    assert (lit[x < 29] == 0).all() and (lit[x > 51] == 1).all()
    assert ((lit > 0.02) & (lit < 0.98)).sum() * 0.25 == pytest.approx(20, rel=1 / 3), "mm, by a dozen samples"


def test_board_does_not_shade_itself(under_a_board):
    points = torch.tensor([[10.0, 50.0, 5.0]])
    assert under_a_board.visible(points, torch.tensor([[0.0, 1.0, 0.0]]), 0.1, torch.zeros(1)) == 1


def surface(material, colour=(0.5, 0.4, 0.3), normal=(0.0, 0.0, 1.0), openness=1.0):
    return Surface(
        position=torch.zeros(1, 3),
        normal=torch.tensor([normal]),
        tangent=torch.tensor([[1.0, 0.0, 0.0]]),
        colour=torch.tensor([colour]),
        material=torch.tensor([MATERIALS.index(material)]),
        open=torch.tensor([openness]),
        gloss=torch.zeros(1),
    )


def light(key=(0.0, 0.0, 1.0), key_colour=(1.0, 1.0, 1.0), around=DARK):
    return Light(key, key_colour, 0.1, around, around, (1.0, 0.0, 0.0), DARK)


EYE = torch.tensor([0.0, 0.0, 1000.0])


@pytest.mark.parametrize("material", ["skin", "cloth", "petal", "tooth"])
def test_matt_surface_that_faces_the_light_sends_back_its_colour(material):
    assert torch.allclose(shade(surface(material), light(), torch.ones(1), EYE), torch.tensor([[0.5, 0.4, 0.3]]))


def test_shadow_takes_all_the_key_light_and_no_other():
    both = light(around=(0.5, 0.5, 0.5))
    shaded = shade(surface("cloth"), both, torch.zeros(1), EYE)
    assert torch.allclose(shaded, 0.5 * torch.tensor([[0.5, 0.4, 0.3]]), atol=1e-3)


def test_skin_lets_red_creep_furthest_into_the_shade():
    aside = surface("skin", colour=(1.0, 1.0, 1.0), normal=(1.0, 0.0, 0.0))
    red, green, blue = shade(aside, light(), torch.ones(1), EYE)[0].tolist()
    assert red > green > blue > 0


def test_hollow_is_darker_and_keeps_more_of_its_own_colour():
    around = light(key_colour=DARK, around=(1.0, 1.0, 1.0))
    free, hollow = (shade(surface("cloth", openness=share), around, torch.ones(1), EYE)[0] for share in (1.0, 0.4))
    assert (hollow < free).all()
    assert hollow[2] / hollow[0] < free[2] / free[0], "light that is reflected twice is coloured twice"
