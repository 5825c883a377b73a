import numpy as np
import torch

from facegen_core.population.anatomy import anatomy
from facegen_core.reporting.mesh_figure import portraits, reconstruction_figure


def _head() -> tuple[torch.Tensor, torch.Tensor]:
    shared = anatomy()
    return shared.template.float()[None], torch.from_numpy(shared.faces)


def test_portraits_keep_the_sizes_of_heads():
    head, faces = _head()
    small, large = (portraits(torch.cat([0.8 * head, head]), faces) < 1).any(1).sum((1, 2)).tolist()
    assert 0.9 * 0.64 < small / large < 1.1 * 0.64


def test_figure_shows_where_a_reconstruction_errs():
    """4 mm to the side is the yellow end of the scale, and moves no picture by a pixel; no error is its violet end."""
    head, faces = _head()
    away = head + torch.tensor([4.5, 0, 0])
    exact, wrong = (np.asarray(reconstruction_figure(head, r, faces)).astype(int) for r in (head, away))
    meshes, errors = np.s_[: len(exact) // 3], np.s_[2 * len(exact) // 3 :, : exact.shape[1] // 2]
    assert np.abs(exact[meshes] - wrong[meshes]).mean() < 4
    yellow = [(np.minimum(p[..., 0], p[..., 1]) > p[..., 2] + 60).mean() for p in (exact[errors], wrong[errors])]
    assert yellow[0] == 0
    assert yellow[1] > 0.05
