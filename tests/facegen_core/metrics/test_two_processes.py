"""Metrics over two processes: shares that differ, and one mesh, so that one process has none."""

import numpy as np
import pytest
import torch
from helpers.processes import run_ranks

COUNTS = (5, 1)
TRAINING_MM = 2.0
RANKS = """
import numpy as np
from facegen_core.metrics.diversity import Diversity
from facegen_core.metrics.specificity import Specificity
from facegen_core.metrics.vertex_error import VertexError

a, b, path, shape, counts, training_mm = data
training = np.memmap(path, np.float32, "r", shape=shape)
value = []
for count in counts:
    mine = slice(rank, count, size)
    for metric in (VertexError("mean"), VertexError("median"), Diversity(training_mm)):
        for x, y in zip(a[mine].split(1), b[mine].split(1)):
            metric.update(x, y)
        value.append(metric.compute().double())
    for metric in (Specificity(training), Specificity(training, "all")):
        metric.update(a[mine])
        value.append(metric.compute().double())
value = torch.stack(value).view(len(counts), -1)
"""


def _distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.linalg.norm(a.astype(np.float64) - b, axis=-1).mean(-1)


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> list[dict[str, tuple[float, float]]]:
    """For each count, metric name -> (found, expected), where both processes agree on what is found."""
    folder = tmp_path_factory.mktemp("ranks")
    random = np.random.default_rng(0)
    a, b, training = (random.normal(0, 9, (count, 30, 3)).astype(np.float32) for count in (5, 5, 40))
    training.tofile(folder / "training.f32")
    meshes = (torch.from_numpy(a), torch.from_numpy(b))
    first, second = run_ranks(
        RANKS, folder, (*meshes, str(folder / "training.f32"), training.shape, COUNTS, TRAINING_MM)
    )
    assert torch.equal(first, second)
    error, to_training = _distance(a, b), _distance(a[:, None], training[None])
    names = ("mean error", "median error", "diversity", "specificity", "distance to all")
    return [
        dict(zip(names, zip(values.tolist(), expected, strict=True), strict=True))
        for count, values in zip(COUNTS, first, strict=True)
        for expected in [
            (
                error[:count].mean(),
                np.median(error[:count]),
                error[:count].mean() / TRAINING_MM,
                to_training[:count].min(1).mean(),
                to_training[:count].mean(),
            )
        ]
    ]


@pytest.mark.parametrize("case", range(len(COUNTS)), ids=["unequal shares", "one process without"])
@pytest.mark.parametrize("name", ["mean error", "median error", "diversity", "specificity", "distance to all"])
def test_two_processes_give_the_value_of_one(found, name, case):
    value, expected = found[case][name]
    assert value == pytest.approx(expected, rel=1e-5)
