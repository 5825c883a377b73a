"""The z-buffer against a ray tracer written out, and its promises: no holes, no order, depth, perspective."""

import numpy as np
import pytest
import torch
from scipy.spatial import Delaunay

from facegen_core.geometry.camera import framing, head_camera, look_at, perspective, to_clip
from facegen_core.geometry.rasteriser import rasterise

SIZE = 48
CAMERA = head_camera(torch.tensor([25.0]), torch.tensor([10.0]), distance=5.0, field_of_view=40.0)


def _sphere(rows: int = 8, columns: int = 12) -> tuple[torch.Tensor, torch.Tensor]:
    """A closed surface with poles, anticlockwise as seen from outside."""
    latitude = torch.linspace(-np.pi / 2, np.pi / 2, rows)[:, None]
    longitude = torch.arange(columns)[None] * (2 * np.pi / columns)
    points = [latitude.cos() * longitude.sin(), latitude.sin().expand(rows, columns), latitude.cos() * longitude.cos()]
    i, j = torch.meshgrid(torch.arange(rows - 1), torch.arange(columns), indexing="ij")
    a, b = i * columns + j, i * columns + (j + 1) % columns
    quads = torch.stack([a, b, b + columns, a, b + columns, a + columns], -1)
    return torch.stack(points, -1).reshape(1, -1, 3), quads.reshape(-1, 3)


def _rays(camera: torch.Tensor, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Origins on the near plane and ends on the far plane, in the world, of the rays through pixels' centres."""
    inverse = np.linalg.inv(camera.numpy())
    x, y = np.meshgrid((np.arange(size) + 0.5) / size * 2 - 1, 1 - (np.arange(size) + 0.5) / size * 2)
    ends = []
    for z in (-1, 1):
        clip = np.stack([x, y, np.full_like(x, z), np.ones_like(x)], -1).reshape(-1, 4) @ inverse.T
        ends.append(clip[:, :3] / clip[:, 3:])
    return ends[0], ends[1]


def _trace(vertices: np.ndarray, faces: np.ndarray, camera: torch.Tensor, size: int):
    """Nearest triangle, its barycentric weights and the point hit, by Moeller and Trumbore (1997)."""
    start, end = _rays(camera, size)
    way = end - start
    nearest = np.full(len(start), np.inf)
    face, weights = np.full(len(start), -1), np.zeros((len(start), 3))
    for number, (a, b, c) in enumerate(vertices[faces]):
        p = np.cross(way, c - a)
        determinant = p @ (b - a)
        with np.errstate(divide="ignore", invalid="ignore"):
            u = ((start - a) * p).sum(1) / determinant
            q = np.cross(start - a, b - a)
            v, t = (way * q).sum(1) / determinant, (q @ (c - a)) / determinant
        hit = (determinant > 0) & (u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0) & (t < nearest)
        nearest[hit], face[hit] = t[hit], number
        weights[hit] = np.stack([1 - u - v, u, v], 1)[hit]
    return face, weights, start + nearest[:, None] * way


@pytest.fixture(scope="module")
def sphere():
    return _sphere()


def test_pixels_show_what_rays_hit(sphere):
    vertices, faces = sphere
    seen = rasterise(to_clip(vertices, CAMERA), faces, SIZE, SIZE)
    face, weights, _ = _trace(vertices[0].double().numpy(), faces.numpy(), CAMERA[0], SIZE)
    hit = np.flatnonzero(face >= 0)
    np.testing.assert_array_equal(seen.pixel, hit)
    same = seen.face.numpy() == face[hit]
    assert same.mean() > 0.99  # pixels on an edge may name either side
    np.testing.assert_allclose(seen.barycentric[same], weights[hit][same], atol=1e-4)


def test_depth_is_that_of_the_point_hit(sphere):
    vertices, faces = sphere
    seen = rasterise(to_clip(vertices, CAMERA), faces, SIZE, SIZE)
    face, _, points = _trace(vertices[0].double().numpy(), faces.numpy(), CAMERA[0], SIZE)
    clip = to_clip(torch.from_numpy(points[face >= 0])[None], CAMERA)[0]
    np.testing.assert_allclose(seen.depth, clip[:, 2] / clip[:, 3], atol=1e-5)


def test_surface_without_holes_has_none_in_any_size(sphere):
    """Every row's pixels are one stretch: a closed convex surface covers them without a gap."""
    vertices, faces = _sphere(40, 60)
    for size in (31, 64, 257):
        seen = rasterise(to_clip(vertices, CAMERA), faces, size, size)
        covered = torch.zeros(size * size, dtype=torch.bool)
        covered[seen.pixel] = True
        for row in covered.view(size, size).int():
            assert (row.diff() > 0).sum() + row[0] <= 1


def test_pixel_on_an_edge_is_covered_once():
    """Two triangles of a square whose diagonal and middle run through pixels' centres."""
    square = torch.tensor([[[-1.0, -1, 0, 1], [1, -1, 0, 1], [1, 1, 0, 1], [-1, 1, 0, 1]]])
    seen = rasterise(square, torch.tensor([[0, 1, 2], [0, 2, 3]]), 5, 5)
    assert torch.equal(seen.pixel, torch.arange(25))


@pytest.mark.parametrize("seed", range(4))
def test_triangles_that_share_edges_cover_every_pixel_once(seed):
    """Triangulations of points of which half lie on pixels' centres, so that many edges run through centres."""
    random = np.random.default_rng(seed)
    corners = np.array([[-1, -1], [33, -1], [33, 33], [-1, 33]])
    points = np.concatenate([corners, random.integers(0, 32, (40, 2)) + 0.5, random.uniform(0, 32, (40, 2))])
    faces = torch.from_numpy(Delaunay(points).simplices).long()
    ndc = torch.from_numpy(points / 16 - 1) * torch.tensor([1.0, -1.0])
    clip = torch.cat([ndc, torch.zeros(len(points), 1), torch.ones(len(points), 1)], dim=1)
    alone = [rasterise(clip[None], face[None], 32, 32, cull=False).pixel for face in faces]
    assert torch.equal(torch.bincount(torch.cat(alone), minlength=32 * 32), torch.ones(32 * 32, dtype=torch.long))


def test_order_of_triangles_does_not_matter(sphere):
    vertices, faces = sphere
    clip = to_clip(vertices, CAMERA)
    order = torch.randperm(len(faces), generator=torch.Generator().manual_seed(0))
    plain, shuffled = (rasterise(clip, f, SIZE, SIZE) for f in (faces, faces[order]))
    assert torch.equal(plain.pixel, shuffled.pixel)
    torch.testing.assert_close(plain.depth, shuffled.depth)
    assert (order[shuffled.face] == plain.face).double().mean() > 0.99


def test_pictures_of_a_batch_are_those_drawn_alone(sphere):
    vertices, faces = sphere
    both = torch.cat([to_clip(vertices, CAMERA), to_clip(vertices * 0.7, CAMERA)])
    together = rasterise(both, faces, SIZE, SIZE)
    for number in range(2):
        alone = rasterise(both[number : number + 1], faces, SIZE, SIZE)
        mine = together.picture == number
        assert torch.equal(together.pixel[mine] - number * SIZE * SIZE, alone.pixel)
        assert torch.equal(together.face[mine], alone.face)


def test_slivers_have_weights_and_depths_between_their_corners():
    """Needles across the picture, down to a ten-millionth of a pixel wide."""
    random = np.random.default_rng(0)
    ends = random.uniform(-1.5, 1.5, (5000, 2, 2))
    third = ends[:, 0] + 10 ** random.uniform(-8, -1, (5000, 1)) * random.normal(size=(5000, 2))
    xyz = np.concatenate([np.concatenate([ends, third[:, None]], 1), random.uniform(-0.9, 0.9, (5000, 3, 1))], 2)
    clip = torch.from_numpy(np.concatenate([xyz, np.ones((5000, 3, 1))], 2))
    seen = rasterise(clip, torch.tensor([[0, 1, 2]]), 64, 64, cull=False)
    assert len(seen.pixel) > 1000
    torch.testing.assert_close(seen.barycentric.sum(1), torch.ones(len(seen.pixel)))
    least, most = clip[seen.picture, :, 2].aminmax(dim=1)
    assert ((seen.depth >= least - 1e-4) & (seen.depth <= most + 1e-4)).double().mean() > 0.999
    assert seen.barycentric.min() >= 0


def test_nearer_surface_hides_the_further():
    near_and_far = torch.tensor([[[-1.0, -1, 0.5, 1], [3, -1, 0.5, 1], [-1, 3, 0.5, 1],
                                  [-1, -1, -0.5, 1], [3, -1, -0.5, 1], [-1, 3, -0.5, 1]]])  # fmt: skip
    seen = rasterise(near_and_far, torch.tensor([[0, 1, 2], [3, 4, 5]]), 4, 4)
    assert (seen.face == 1).all()
    torch.testing.assert_close(seen.depth, torch.full((16,), -0.5))


def test_what_is_seen_from_behind_is_left_out_if_asked(sphere):
    vertices, faces = sphere
    clip = to_clip(vertices, CAMERA)
    assert len(rasterise(clip, faces.flip(1)[:1], SIZE, SIZE).pixel) + len(
        rasterise(clip, faces[:1], SIZE, SIZE).pixel
    ) == len(rasterise(clip, faces[:1], SIZE, SIZE, cull=False).pixel)


def test_what_is_behind_the_camera_or_out_of_the_picture_is_left_out():
    behind = torch.tensor([[[-1.0, -1, 0, 1], [3, -1, 0, -1], [-1, 3, 0, 1]]])
    too_near = torch.tensor([[[-1.0, -1, 0, 1], [3, -1, -1.1, 1], [-1, 3, 0, 1]]])
    beside = torch.tensor([[[2.0, -1, 0, 1], [5, -1, 0, 1], [2, 3, 0, 1]]])
    broken = torch.full((1, 3, 4), float("nan"))
    endless = torch.tensor([[[-1.0, -1, 0, 1], [float("inf"), -1, 0, 1], [-1, 3, 0, 1]]])
    for clip in (behind, too_near, beside, broken, endless):
        assert len(rasterise(clip, torch.tensor([[0, 1, 2]]), 4, 4, cull=False).pixel) == 0
    assert len(rasterise(beside, torch.zeros(0, 3, dtype=torch.long), 4, 4).pixel) == 0


def test_camera_puts_its_target_in_the_middle_and_up_on_top():
    view = look_at(torch.tensor([1.0, 2, 3]).double(), torch.tensor([0.0, 1, 0]).double())
    camera = perspective(30, 1, 0.1, 100) @ view
    points = torch.tensor([[[0.0, 1, 0], [0, 1.1, 0]]])
    clip = to_clip(points, camera)[0]
    np.testing.assert_allclose(clip[0, :2], 0, atol=1e-12)
    assert clip[1, 1] / clip[1, 3] > 0
    assert float(clip[0, 3]) == pytest.approx(11**0.5)


def test_field_of_view_spans_the_picture():
    camera = head_camera(torch.tensor([0.0]), torch.tensor([0.0]), distance=10, field_of_view=60)
    top = to_clip(torch.tensor([[[0.0, 10 * np.tan(np.pi / 6), 0]]]), camera)[0, 0]
    assert float(top[1] / top[3]) == pytest.approx(1)


def test_positive_yaw_sees_the_left_side_and_positive_pitch_looks_down():
    left_ear, crown = torch.tensor([[[80.0, 0, 0]]]), torch.tensor([[[0.0, 100, 0]]])
    for point, camera in (
        (left_ear, head_camera(torch.tensor([40.0]), torch.tensor([0.0]))),
        (crown, head_camera(torch.tensor([0.0]), torch.tensor([40.0]))),
    ):
        assert to_clip(point, camera)[0, 0, 3] < 900  # nearer than the head's middle


def test_frame_holds_a_mesh_from_every_side():
    points = torch.randn(1, 500, 3, generator=torch.Generator().manual_seed(0)) * 50 + torch.tensor([200.0, 0, -30])
    target, distance = framing(points, field_of_view=25.0)
    ends = []
    for yaw in range(0, 360, 30):
        camera = head_camera(torch.tensor([float(yaw)]), torch.tensor([20.0]), 1, distance, 25.0, target)
        clip = to_clip(points, camera)
        ends.append(float((clip[..., :2] / clip[..., 3:]).abs().max()))
    assert 0.7 < max(ends) <= 1
