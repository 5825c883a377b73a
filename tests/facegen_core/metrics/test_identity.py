"""Identity metrics against numpy, scikit-learn and counting by hand."""

import numpy as np
import pytest
import torch
from helpers.judges import Corner, Projection, pictures, with_faces
from sklearn.metrics import roc_auc_score

from facegen_core.metrics.functional.auc import exact_auc
from facegen_core.metrics.functional.disentanglement import retrieval_rank1
from facegen_core.metrics.functional.identity import (
    id_cosine,
    id_rank1,
    mean_of_groups,
    verification_auc,
    verification_scores,
)
from facegen_core.metrics.identity import IdentityCosine, IdentityRank1

JUDGE = Projection(6)
EDITED, SOURCE = pictures(7, 0), pictures(7, 1)


def _cosines(first: torch.Tensor, second: torch.Tensor) -> np.ndarray:
    a, b = (JUDGE(x).double().numpy() for x in (first, second))
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def test_cosine_of_embeddings_of_any_length():
    a, b = torch.randn(50, 128), torch.randn(50, 128)
    expected = [np.dot(x, y) / np.linalg.norm(x) / np.linalg.norm(y) for x, y in zip(a.numpy(), b.numpy(), strict=True)]
    assert id_cosine(3 * a, b) == pytest.approx(np.mean(expected), abs=1e-6)


def test_class_is_the_mean_over_pairs_of_unequal_batches():
    metric = IdentityCosine(JUDGE)
    for rows in (slice(0, 5), slice(5, 5), slice(5, 7)):
        metric.update(EDITED[rows], SOURCE[rows])
    assert float(metric.compute()) == pytest.approx(_cosines(EDITED, SOURCE).mean(), abs=1e-6)
    assert metric.protocol() == {
        "formula": "mean cosine over pairs", "judge": "projection to 6", "framing": "as given",
        "resize": "the judge's own", "count": 7,
    }  # fmt: skip


def test_a_person_is_like_himself_and_reset_forgets():
    metric = IdentityCosine(JUDGE)
    metric.update(EDITED, SOURCE)
    metric.reset()
    metric.update(EDITED[:1], EDITED[:1])
    assert float(metric.compute()) == pytest.approx(1)


def test_pairs_without_two_faces_are_left_out_and_counted():
    """The first pair has both, the second misses one, the third the other; each judged on its crop."""
    edited, source = (
        with_faces(EDITED[:4], [True, False, True, True]),
        with_faces(SOURCE[:4], [True, True, False, True]),
    )
    metric = IdentityCosine(JUDGE, Corner())
    metric.update(edited, source)
    kept = [0, 3]
    expected = _cosines(edited[kept][..., 1:-1, 1:-1], source[kept][..., 1:-1, 1:-1]).mean()
    assert float(metric.compute()) == pytest.approx(expected, abs=1e-6)
    assert metric.details() == {"face_found": 0.5}
    protocol = metric.protocol()
    assert (protocol["count"], protocol["without_face"]) == (2, 2)
    assert protocol["framing"] == "bright corner, crop by one"
    assert "left out" in protocol["no_face"]


def test_no_face_at_all_gives_nan():
    metric = IdentityCosine(JUDGE, Corner())
    metric.update(with_faces(EDITED, [False] * 7), with_faces(SOURCE, [True] * 7))
    assert metric.compute().isnan()
    assert metric.details() == {"face_found": 0}


def test_groups_are_averaged_before_they_are_averaged():
    """Three pairs of group 0, one of group 2, none of group 1; the mean of pairs would be another number."""
    cosines, group = _cosines(EDITED[:4], SOURCE[:4]), [0, 0, 2, 0]
    means = [cosines[[0, 1, 3]].mean(), cosines[2]]
    metric = IdentityCosine(JUDGE, groups=3)
    metric.update(EDITED[:3], SOURCE[:3], torch.tensor(group[:3]))
    metric.update(EDITED[3:4], SOURCE[3:4], torch.tensor(group[3:]))
    counted = [mean for mean in means if mean > 1e-6]
    assert float(metric.compute()) == pytest.approx(np.mean(counted), abs=1e-6)
    assert metric.protocol()["groups"] == len(counted)
    assert metric.protocol()["groups_left_out"] == 3 - len(counted)


def test_a_group_of_nothing_alike_does_not_count():
    value, counted = mean_of_groups(torch.tensor([1.5, -3.0, 0.0, 0.2]), torch.tensor([3, 4, 0, 1]))
    assert (float(value), counted) == (pytest.approx((0.5 + 0.2) / 2), 2)


@pytest.mark.parametrize(("groups", "group"), [(0, torch.zeros(7, dtype=torch.int64)), (3, None)])
def test_groups_are_said_twice_or_not_at_all(groups, group):
    with pytest.raises(ValueError, match="group"):
        IdentityCosine(JUDGE, groups=groups).update(EDITED, SOURCE, group)


def test_pictures_without_references_are_refused():
    with pytest.raises(ValueError, match="pairs of pictures, got 7 and 6"):
        IdentityCosine(JUDGE).update(EDITED, SOURCE[:6])


def test_what_was_not_computed_has_no_protocol_yet():
    with pytest.raises(RuntimeError, match="compute"):
        IdentityCosine(JUDGE).protocol()


def test_rank1_is_the_share_of_best_cosines():
    """References of very unequal norms: the nearest point is another than the one of the top cosine."""
    random = torch.Generator().manual_seed(0)
    gallery, who = torch.randn(40, 8, generator=random), torch.arange(40) % 10
    queries, asked = gallery + 0.7 * torch.randn(40, 8, generator=random), who
    gallery = gallery * torch.logspace(-1, 1, 40)[:, None]
    cosine = torch.nn.functional.cosine_similarity(queries[:, None], gallery[None], dim=2)
    expected = np.mean([int(who[row.argmax()]) == int(i) for row, i in zip(cosine, asked, strict=True)])
    assert 0.2 < expected < 0.9
    assert retrieval_rank1(gallery, who, queries, asked) < expected - 0.05, "or distances would do as well"
    assert id_rank1(gallery, who, queries, asked) == pytest.approx(expected)
    assert np.isnan(id_rank1(gallery[:0], who[:0], queries, asked))


def test_rank1_class_asks_each_picture_among_all_references():
    identity = torch.tensor([5, 6, 7, 8, 9, 10, 11])
    edited = (SOURCE + 0.3 * (EDITED - SOURCE)).clamp(0, 1)
    edited[0] = SOURCE[4]  # taken for another person
    metric = IdentityRank1(JUDGE)
    metric.update(edited[:0], SOURCE[:0], identity[:0])
    assert metric.compute().isnan()
    for row in range(7):
        metric.update(edited[row : row + 1], SOURCE[row : row + 1], identity[row : row + 1])
    expected = id_rank1(JUDGE(SOURCE), identity, JUDGE(edited), identity)
    assert 0 < expected < 1
    assert float(metric.compute()) == pytest.approx(expected)
    metric.reset()
    metric.update(edited[1:2], SOURCE[1:2], identity[1:2])
    assert float(metric.compute()) == 1  # the only reference
    assert metric.protocol()["count"] == 1


def test_rank1_leaves_pairs_without_faces_out():
    metric = IdentityRank1(JUDGE, Corner())
    found = [True, False, True, True, True, True, True]
    metric.update(with_faces(SOURCE, found), with_faces(SOURCE, [True] * 7), torch.arange(7))
    assert float(metric.compute()) == 1
    assert (metric.protocol()["count"], metric.protocol()["without_face"]) == (6, 1)


def test_auc_halves_ties():
    random = np.random.default_rng(0)
    positives, negatives = random.integers(2, 8, 60), random.integers(0, 6, 90)
    higher = (positives[:, None] > negatives).mean() + 0.5 * (positives[:, None] == negatives).mean()
    found = exact_auc(torch.from_numpy(positives), torch.from_numpy(negatives))
    assert found == pytest.approx(higher, abs=1e-12)
    labels, scores = np.repeat([1, 0], [60, 90]), np.concatenate([positives, negatives])
    assert found == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


@pytest.mark.parametrize(
    ("positives", "negatives", "expected"),
    [
        ([1.0], [0.0], 1.0),
        ([0.0], [1.0], 0.0),
        ([0.5], [0.5], 0.5),
        ([torch.inf], [-torch.inf], 1.0),
        ([], [1.0], None),
    ],
)
def test_auc_of_few(positives, negatives, expected):
    found = exact_auc(torch.tensor(positives), torch.tensor(negatives))
    assert np.isnan(found) if expected is None else found == expected


def test_auc_refuses_nan():
    with pytest.raises(ValueError, match="NaN"):
        exact_auc(torch.tensor([float("nan")]), torch.tensor([0.0]))


def test_verification_takes_every_pair_across_two_sets_once():
    first, second = torch.randn(4, 5), torch.randn(3, 5)
    who, whom = torch.tensor([0, 1, 1, 2]), torch.tensor([1, 2, 3])
    genuine, impostor = verification_scores(first, who, second, whom)
    pairs = {(i, j): id_cosine(first[i : i + 1], second[j : j + 1]) for i in range(4) for j in range(3)}
    same = [x for (i, j), x in pairs.items() if who[i] == whom[j]]
    other = [x for (i, j), x in pairs.items() if who[i] != whom[j]]
    np.testing.assert_allclose(sorted(genuine.tolist()), sorted(same), atol=1e-6)
    np.testing.assert_allclose(sorted(impostor.tolist()), sorted(other), atol=1e-6)
    expected = np.mean([a > b for a in same for b in other])
    assert verification_auc(first, who, second, whom) == pytest.approx(expected)


class OneNumber:
    name = "one number"

    def __call__(self, pictures: torch.Tensor) -> torch.Tensor:
        return pictures.mean()


def test_a_judge_that_gives_no_vectors_is_named():
    with pytest.raises(ValueError, match="one number: expected one vector a picture"):
        IdentityCosine(OneNumber()).update(EDITED, SOURCE)
