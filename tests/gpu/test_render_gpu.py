"""Pictures drawn by a GPU are those drawn by the processor."""

import pytest
import torch

from facegen_core.geometry.camera import head_camera, to_clip
from facegen_core.geometry.rasteriser import rasterise
from facegen_core.geometry.render import render
from facegen_core.population.anatomy import anatomy

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]
CAMERA = head_camera(torch.tensor([0.0, 35.0]), torch.tensor([0.0, 15.0]))


@pytest.fixture(scope="module")
def heads() -> tuple[torch.Tensor, torch.Tensor]:
    shared = anatomy()
    return shared.template.float() * torch.tensor([0.9, 1.1])[:, None, None], torch.from_numpy(shared.faces)


def test_gpu_sees_the_same_triangles(heads):
    vertices, faces = heads
    ours = rasterise(to_clip(vertices, CAMERA), faces, 256, 200)
    theirs = rasterise(to_clip(vertices.cuda(), CAMERA.cuda()), faces.cuda(), 256, 200)
    assert torch.equal(ours.pixel, theirs.pixel.cpu())
    assert torch.equal(ours.face, theirs.face.cpu())
    torch.testing.assert_close(ours.barycentric, theirs.barycentric.cpu(), atol=1e-4, rtol=0)
    torch.testing.assert_close(ours.depth, theirs.depth.cpu(), atol=1e-6, rtol=0)


def test_gpu_paints_the_same_picture(heads):
    vertices, faces = heads
    shared = anatomy()
    texture = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    look = {"texture": texture, "uv": torch.from_numpy(shared.uv), "faces_uv": torch.from_numpy(shared.faces_uv)}
    ours = render(vertices, faces, CAMERA, 128, **look)
    theirs = render(vertices.cuda(), faces.cuda(), CAMERA.cuda(), 128, **{k: v.cuda() for k, v in look.items()})
    torch.testing.assert_close(ours, theirs.cpu(), atol=1e-3, rtol=0)
    again = render(vertices.cuda(), faces.cuda(), CAMERA.cuda(), 128, **{k: v.cuda() for k, v in look.items()})
    torch.testing.assert_close(theirs, again, atol=1e-5, rtol=0)
