"""Cameras against places whose pictures are known."""

import numpy as np
import pytest
import torch

from facegen_core.geometry.camera import orthographic, to_clip


@pytest.mark.parametrize("towards", [(0.0, 0.0, 1.0), (0.6, 0.0, 0.8), (0.0, 1.0, 0.0), (0.48, -0.6, 0.64)])
def test_ball_fills_the_picture_of_a_camera_at_infinity(towards):
    """It is round, touches all four sides, and lies between depths -1/4 and 1/4, the near half nearer."""
    centre, radius = torch.tensor([5.0, -3.0, 20.0]), 40.0
    towards = torch.tensor(towards)
    matrix = orthographic(towards, centre, radius)
    directions = torch.from_numpy(np.random.default_rng(0).normal(size=(2000, 3))).float()
    directions = torch.nn.functional.normalize(directions, dim=1)
    x, y, depth, w = to_clip((centre + radius * directions)[None], matrix)[0].T
    assert torch.allclose(w, torch.ones_like(w))
    assert torch.allclose(depth, (-0.25 * directions @ towards).double(), atol=1e-6)
    off_axis = torch.linalg.cross(directions, towards.expand_as(directions)).norm(dim=1)
    assert torch.allclose((x**2 + y**2).sqrt(), off_axis.double(), atol=1e-6)
