"""Metrics over two processes: shares that differ, and one sample, so that one process has none."""

import numpy as np
import pytest
import torch
from helpers.processes import run_ranks
from sklearn.metrics import roc_auc_score

COUNTS = (5, 1)
TRAINING_MM = 2.0
PEOPLE = (0, 1, 0, 1, 2)
NAMES = ("mean error", "median error", "diversity", "specificity", "distance to all", "identity auc")
RANKS = """
import numpy as np
from facegen_core.metrics.diversity import Diversity
from facegen_core.metrics.specificity import Specificity
from facegen_core.metrics.verification import VerificationAUC
from facegen_core.metrics.vertex_error import VertexError

a, b, path, shape, counts, training_mm, people = data
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
    metric = VerificationAUC()
    for x, who in zip(a[mine, 0].split(1), torch.tensor(people)[mine].split(1)):
        metric.update(x / x.norm(), who)
    value.append(metric.compute())
value = torch.stack(value).view(len(counts), -1)
"""


def _distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.linalg.norm(a.astype(np.float64) - b, axis=-1).mean(-1)


def _auc(embeddings: np.ndarray) -> float:
    """Over all pairs; without two of one person there is none."""
    pairs = [(i, j) for i in range(len(embeddings)) for j in range(i)]
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    same = [PEOPLE[i] == PEOPLE[j] for i, j in pairs]
    return roc_auc_score(same, [unit[i] @ unit[j] for i, j in pairs]) if any(same) else float("nan")


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> list[dict[str, tuple[float, float]]]:
    """For each count, metric name -> (found, expected), where both processes agree on what is found."""
    folder = tmp_path_factory.mktemp("ranks")
    random = np.random.default_rng(0)
    a, b, training = (random.normal(0, 9, (count, 30, 3)).astype(np.float32) for count in (5, 5, 40))
    training.tofile(folder / "training.f32")
    meshes = (torch.from_numpy(a), torch.from_numpy(b))
    first, second = run_ranks(
        RANKS, folder, (*meshes, str(folder / "training.f32"), training.shape, COUNTS, TRAINING_MM, PEOPLE)
    )
    torch.testing.assert_close(first, second, rtol=0, atol=0, equal_nan=True)
    error, to_training = _distance(a, b), _distance(a[:, None], training[None])
    return [
        dict(zip(NAMES, zip(values.tolist(), expected, strict=True), strict=True))
        for count, values in zip(COUNTS, first, strict=True)
        for expected in [
            (
                error[:count].mean(),
                np.median(error[:count]),
                error[:count].mean() / TRAINING_MM,
                to_training[:count].min(1).mean(),
                to_training[:count].mean(),
                _auc(a[:count, 0]),
            )
        ]
    ]


@pytest.mark.parametrize("case", range(len(COUNTS)), ids=["unequal shares", "one process without"])
@pytest.mark.parametrize("name", NAMES)
def test_two_processes_give_the_value_of_one(found, name, case):
    value, expected = found[case][name]
    assert value == pytest.approx(expected, rel=1e-5, nan_ok=True)
