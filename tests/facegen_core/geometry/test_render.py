"""Colours of pictures: textures, light, alpha, and their gradients."""

import numpy as np
import pytest
import torch
import trimesh

from facegen_core.geometry.camera import head_camera
from facegen_core.geometry.normals import vertex_normals
from facegen_core.geometry.render import render
from facegen_core.geometry.shading import harmonics, lights, sample_texture

CAMERA = head_camera(
    torch.tensor([0.0]), torch.tensor([0.0]), distance=10.0, field_of_view=2 * np.rad2deg(np.arctan(0.1))
)
SQUARE = torch.tensor([[[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]])
FACES = torch.tensor([[0, 1, 2], [0, 2, 3]])
UV = torch.tensor([[0.0, 0], [1, 0], [1, 1], [0, 1]])
AMBIENT = lights(torch.ones(3), torch.tensor([[0.0, 0, 1]]), torch.zeros(1, 3))


def _textured(texture: torch.Tensor, size: int, **options) -> torch.Tensor:
    return render(SQUARE, FACES, CAMERA, size, texture=texture, uv=UV, faces_uv=FACES, light=AMBIENT, **options)


def test_square_that_fills_the_picture_shows_its_texture():
    """Texel by texel, right side up: row 0 of the texture is at v = 1."""
    texture = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    picture = _textured(texture, 8, antialias=1)
    torch.testing.assert_close(picture[:, :3], texture, atol=1e-5, rtol=0)
    assert (picture[:, 3] == 1).all()


def test_antialiasing_is_the_mean_of_a_larger_picture():
    texture = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    large, small = _textured(texture, 12, antialias=1), _textured(texture, 4, antialias=3)
    torch.testing.assert_close(small, torch.nn.functional.avg_pool2d(large, 3), atol=1e-5, rtol=0)


def test_alpha_is_the_share_of_a_pixel_that_is_covered():
    half = SQUARE * torch.tensor([0.5, 1, 1]) - torch.tensor([0.5, 0, 0])  # left half of the picture
    picture = render(half, FACES, CAMERA, (1, 1), colours=torch.ones(4, 3), light=AMBIENT, antialias=4)
    torch.testing.assert_close(picture[0, :, 0, 0], torch.tensor([1, 1, 1, 0.5]), atol=1e-5, rtol=0)


def test_background_shows_through_what_is_not_covered():
    half = SQUARE * torch.tensor([0.5, 1, 1]) - torch.tensor([0.5, 0, 0])
    behind = torch.tensor([0.2, 0.4, 0.6])
    picture = render(half, FACES, CAMERA, 4, colours=torch.ones(4, 3), light=AMBIENT, background=behind)
    torch.testing.assert_close(picture[0, :, :, 0], torch.ones(3, 4), atol=1e-5, rtol=0)
    torch.testing.assert_close(picture[0, :, 0, 3], behind)


def test_each_picture_has_its_own_texture():
    texture = torch.stack([torch.zeros(3, 4, 4), torch.ones(3, 4, 4)])
    picture = render(SQUARE.expand(2, -1, -1), FACES, CAMERA, 4, texture=texture, uv=UV, faces_uv=FACES, light=AMBIENT)
    assert picture[0, :3].max() < 1e-5
    assert picture[1, :3].min() > 1 - 1e-5


def test_bilinear_lookup_equals_torchs_own():
    texture = torch.rand(2, 3, 5, 7, generator=torch.Generator().manual_seed(2))
    uv = torch.rand(2, 50, 2, generator=torch.Generator().manual_seed(3)) * 1.2 - 0.1
    grid = torch.stack([uv[..., 0] * 2 - 1, 1 - uv[..., 1] * 2], -1)[:, None]
    expected = torch.nn.functional.grid_sample(texture, grid, padding_mode="border", align_corners=False)
    ours = sample_texture(texture, torch.arange(2).repeat_interleave(50), uv.flatten(0, 1))
    torch.testing.assert_close(ours, expected[:, :, 0].permute(0, 2, 1).flatten(0, 1))


@pytest.mark.parametrize("size", [(1, 1), (1, 4), (4, 1)])
def test_texture_of_one_row_or_column(size):
    texture = torch.rand(1, 3, *size)
    assert sample_texture(texture, torch.zeros(5, dtype=torch.long), torch.rand(5, 2)).shape == (5, 3)


def test_harmonics_are_orthonormal():
    """Integrated over the sphere by Gauss and Legendre's points."""
    height, weight = np.polynomial.legendre.leggauss(8)
    angle = np.arange(16) * (2 * np.pi / 16)
    ring = np.sqrt(1 - height**2)[:, None]
    points = np.stack([ring * np.cos(angle), ring * np.sin(angle), np.broadcast_to(height[:, None], (8, 16))], -1)
    values = harmonics(torch.from_numpy(points)).numpy()
    product = np.einsum("hai,haj,h->ij", values, values, weight) * (2 * np.pi / 16)
    np.testing.assert_allclose(product, np.eye(9), atol=2e-5)


def test_light_of_a_direction_is_lamberts_cosine_up_to_degree_two():
    """The cosine cut off at 0, projected onto Legendre polynomials: 1/4 + x/2 + 5/32 (3 x^2 - 1)."""
    light = lights(torch.zeros(3), torch.tensor([[0.0, 0, 2]]), torch.ones(1, 3))
    cosine = torch.linspace(-1, 1, 21, dtype=torch.float64)
    normals = torch.stack([(1 - cosine**2).sqrt(), torch.zeros_like(cosine), cosine], -1)
    received = harmonics(normals) @ light.double()
    expected = 1 / 4 + cosine / 2 + 5 / 32 * (3 * cosine**2 - 1)
    torch.testing.assert_close(received, expected[:, None].expand(-1, 3), atol=1e-5, rtol=0)


def test_ambient_light_is_the_same_from_everywhere():
    normals = torch.nn.functional.normalize(torch.randn(20, 3, generator=torch.Generator().manual_seed(0)), dim=-1)
    torch.testing.assert_close(harmonics(normals) @ AMBIENT, torch.ones(20, 3), atol=1e-5, rtol=0)


def test_normals_of_a_flat_square_point_at_the_viewer():
    torch.testing.assert_close(vertex_normals(SQUARE, FACES), torch.tensor([0.0, 0, 1]).expand(1, 4, 3))


def test_normals_of_a_sphere_are_its_points():
    sphere = trimesh.creation.icosphere(3)
    vertices = torch.from_numpy(np.array(sphere.vertices))[None]
    normals = vertex_normals(vertices, torch.from_numpy(np.array(sphere.faces)))
    assert (normals * vertices).sum(-1).min() > 0.999


@pytest.mark.parametrize("what", ["texture", "light"])
def test_gradient_is_that_of_finite_differences(what):
    inputs = {
        "texture": torch.rand(1, 3, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(4)),
        "light": AMBIENT.double() * 0.5,
    }
    inputs[what].requires_grad_()

    def draw(value: torch.Tensor) -> torch.Tensor:
        given = inputs | {what: value}
        return render(SQUARE.double(), FACES, CAMERA, 3, texture=given["texture"], uv=UV.double(), faces_uv=FACES,
                      light=given["light"], antialias=1)[:, :3]  # fmt: skip

    assert torch.autograd.gradcheck(draw, (inputs[what],), eps=1e-4, atol=1e-3)


def test_gradient_reaches_the_colours_of_vertices():
    colours = torch.full((4, 3), 0.5, requires_grad=True)
    render(SQUARE, FACES, CAMERA, 8, colours=colours, light=AMBIENT)[:, :3].sum().backward()
    assert float(colours.grad.sum()) == pytest.approx(8 * 8 * 3, rel=1e-3)
    assert (colours.grad > 0).all()


def test_empty_picture_is_transparent():
    picture = render(SQUARE + 100, FACES, CAMERA, 4)
    assert (picture == 0).all()
