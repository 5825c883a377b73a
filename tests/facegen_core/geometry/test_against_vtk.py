"""The whole picture against VTK's: the same scene, another renderer."""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.ict_facescape import ict_file, ict_person, ict_topology
from helpers.vtk_render import draw_by_vtk

from facegen_core.geometry.camera import head_camera, to_clip
from facegen_core.geometry.rasteriser import rasterise
from facegen_core.geometry.render import render
from facegen_core.geometry.shading import lights
from facegen_core.population.anatomy import anatomy

SIZE, DISTANCE, FIELD = 256, 900.0, 20.0
YAW, PITCH = 35.0, 15.0


def _texture() -> np.ndarray:
    """Smooth colours with structure in both directions, none of them black."""
    y, x = np.mgrid[:256, :256] / 256
    waves = [np.sin(20 * x), np.sin(17 * y + 1), np.sin(9 * (x + y) + 2)]
    return np.stack([(150 + 90 * wave) for wave in waves], -1).astype(np.uint8)


def _scene(mesh: tuple, folder: Path):
    vertices, faces, uv, faces_uv = mesh
    yaw, pitch = np.deg2rad([YAW, PITCH])
    eye = DISTANCE * np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
    clip = (DISTANCE / 4, DISTANCE * 4)
    theirs = draw_by_vtk(folder, vertices[None], faces, uv, faces_uv, _texture(), SIZE, FIELD, tuple(eye), clip)
    if theirs is None:
        pytest.skip("VTK cannot draw here: it needs the extra facegen[vtk] and a software OpenGL (libegl1)")
    camera = head_camera(torch.tensor([YAW]), torch.tensor([PITCH]), distance=DISTANCE, field_of_view=FIELD)
    return torch.from_numpy(vertices)[None], torch.from_numpy(faces), camera, theirs


def _head() -> tuple:
    shared = anatomy()
    return shared.template.numpy().astype(np.float32), shared.faces, shared.uv, shared.faces_uv


def _real_face(real: Path) -> tuple:
    model = ict_file(real)
    return ict_person(model, seed=0, person=0, expressions=1)[0], *ict_topology(model)


@pytest.fixture(scope="module", params=["head", "real face"])
def scene(request, tmp_path_factory):
    mesh = _head() if request.param == "head" else _real_face(request.getfixturevalue("real"))
    return mesh, *_scene(mesh, tmp_path_factory.mktemp("vtk"))


def test_coverage_is_within_one_percent(scene):
    _, vertices, faces, camera, theirs = scene
    seen = rasterise(to_clip(vertices, camera), faces, SIZE, SIZE)
    ours = np.zeros(SIZE * SIZE, bool)
    ours[seen.pixel] = True
    drawn = np.isfinite(theirs["depth"])
    assert drawn.mean() > 0.1
    assert (ours.reshape(SIZE, SIZE) ^ drawn).sum() < 0.01 * drawn.sum()


def test_depth_is_within_a_tenth_of_a_millimetre(scene):
    """Where both drew, but for one pixel in a hundred on silhouettes inside the face."""
    _, vertices, faces, camera, theirs = scene
    seen = rasterise(to_clip(vertices, camera), faces, SIZE, SIZE)
    near, far = DISTANCE / 4, DISTANCE * 4
    distance = 2 * near * far / (far + near - seen.depth.double().numpy() * (far - near))
    other = theirs["depth"].reshape(-1)[seen.pixel.numpy()]
    difference = np.abs(distance - other)[np.isfinite(other)]
    assert np.median(difference) < 0.01
    assert (difference < 0.1).mean() > 0.99


def test_colour_is_within_two_levels(scene):
    """Unlit, so that only coverage, perspective and texture decide; pixels on silhouettes and seams aside."""
    (_, _, uv, faces_uv), vertices, faces, camera, theirs = scene
    texture = torch.from_numpy(_texture()).permute(2, 0, 1)[None].float() / 255
    everywhere = lights(torch.ones(3), torch.tensor([[0.0, 0, 1]]), torch.zeros(1, 3))
    ours = render(vertices, faces, camera, SIZE, texture=texture, uv=torch.from_numpy(uv),
                  faces_uv=torch.from_numpy(faces_uv), light=everywhere, antialias=1)[0]  # fmt: skip
    both = np.isfinite(theirs["depth"]) & (ours[3] == 1).numpy()
    difference = np.abs(ours[:3].permute(1, 2, 0).numpy()[both] * 255 - theirs["picture"][both]).max(1)
    assert np.median(difference) < 1
    assert (difference < 2).mean() > 0.97
