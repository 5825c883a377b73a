"""Distances of meshes against numpy in float64, and what reading a memory map leaves behind."""

import numpy as np
import pytest
import torch

from facegen_core.metrics.functional import mesh_distance as module
from facegen_core.metrics.functional.mesh_distance import distance_matrix, mesh_distance, read_meshes, stream_meshes


def _meshes(count: int, seed: int = 0, vertices: int = 50) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(0, 60, (count, vertices, 3)).astype(np.float32))


def _expected(a: torch.Tensor, b: torch.Tensor) -> np.ndarray:
    return np.sqrt(((a.double().numpy() - b.double().numpy()) ** 2).sum(-1)).mean(-1)


@pytest.fixture(params=[1 << 20, 400, 1], ids=["one block", "blocks that do not fit evenly", "a mesh a block"])
def block(request, monkeypatch):
    monkeypatch.setattr(module, "CPU_BLOCK", request.param)


def test_distance_of_pairs(block):
    a, b = _meshes(7), _meshes(7, 1)
    np.testing.assert_allclose(mesh_distance(a, b), _expected(a, b), rtol=1e-5)


def test_distance_matrix_holds_every_pair(block):
    a, b = _meshes(4), _meshes(7, 1)
    np.testing.assert_allclose(distance_matrix(a, b), _expected(a[:, None], b[None]), rtol=1e-5)


def test_meshes_of_different_numbers_are_refused():
    with pytest.raises((ValueError, RuntimeError)):
        mesh_distance(_meshes(3), _meshes(2))


@pytest.fixture
def mapped(tmp_path) -> np.memmap:
    meshes = _meshes(150, vertices=2000).numpy()
    meshes.tofile(tmp_path / "meshes.f32")
    return np.memmap(tmp_path / "meshes.f32", np.float32, "r", shape=meshes.shape)


def test_stream_gives_every_mesh_once(mapped):
    parts = list(stream_meshes(mapped))
    assert [(p.start, p.stop) for p, _ in parts] == [(0, 64), (64, 128), (128, 150)]
    torch.testing.assert_close(torch.cat([m for _, m in parts]), _meshes(150, vertices=2000), rtol=0, atol=0)


def test_rows_are_read_in_the_order_asked(mapped):
    rows = np.array([149, 3, 3, 0])
    torch.testing.assert_close(read_meshes(mapped, rows), _meshes(150, vertices=2000)[rows], rtol=0, atol=0)


def test_a_pass_over_a_memory_map_does_not_stay_in_memory(mapped):
    """Of 3.6 MB, at most the last block is still the process's; a part of a map is as good as the whole."""

    def resident() -> int:
        text = open("/proc/self/smaps").read()  # noqa: PTH123, SIM115
        after = text[text.index("meshes.f32") :]
        return int(after.split("Rss:")[1].split()[0])

    for meshes in (mapped, mapped[10:]):
        float(np.asarray(meshes).sum())
        assert resident() > 3000
        for _ in stream_meshes(meshes):
            pass
        assert resident() < 1000


def test_changes_of_a_private_map_are_kept(tmp_path):
    _meshes(5).numpy().tofile(tmp_path / "meshes.f32")
    private = np.memmap(tmp_path / "meshes.f32", np.float32, "c", shape=(5, 50, 3))
    private[2] = 7
    read_meshes(private, slice(0, 1))
    assert (private[2] == 7).all()
