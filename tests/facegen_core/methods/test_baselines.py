"""Linear and bilinear models of faces: meshes in their span come back, samples have the moments they should."""

import numpy as np
import pytest
import torch
from scipy.linalg import subspace_angles

from facegen_core.errors import FacegenError
from facegen_core.methods.face3d.bilinear import BilinearModel, fit_bilinear
from facegen_core.methods.face3d.face_model import sample, sample_pairs
from facegen_core.methods.face3d.pca import LinearModel, fit_pca
from facegen_core.methods.face3d.separate_pca import SeparateLinearModel, fit_separate_pca

PEOPLE, LABELS, VERTICES = 40, 5, 60
IDENTITY = torch.arange(PEOPLE).repeat_interleave(LABELS)
EXPRESSION = torch.arange(LABELS).repeat(PEOPLE)


def _random(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def additive() -> np.ndarray:
    """Neutral faces of 6 factors, plus expressions of 4 with personal strength; (people, labels, V, 3), mm."""
    neutral = _random(0, PEOPLE, 6) @ _random(1, 6, 3 * VERTICES) * 5 + 40
    strengths = _random(2, LABELS, 4) * (1 + 0.2 * _random(3, PEOPLE, LABELS, 1))
    strengths[:, 0] = 0
    return _meshes(neutral[:, None] + strengths @ _random(4, 4, 3 * VERTICES))


@pytest.fixture(scope="module")
def bilinear() -> np.ndarray:
    """mean + p q C with 4 weights of people and 3 of expressions; (people, labels, V, 3), mm."""
    people, expressions = _random(5, PEOPLE, 4) + 1, _random(6, LABELS, 3)
    return _meshes(np.einsum("pa,ef,afc->pec", people, expressions, 10 * _random(7, 4, 3, 3 * VERTICES)) + 20)


def _meshes(flat: np.ndarray) -> np.ndarray:
    return flat.reshape(PEOPLE, LABELS, VERTICES, 3).astype(np.float32)


def _fitted(name: str, meshes: np.ndarray, people: slice = slice(None)):
    own = meshes[people].reshape(-1, VERTICES, 3)
    labels = (x.view(PEOPLE, LABELS)[people].flatten() for x in (IDENTITY, EXPRESSION))
    if name == "joint":
        return fit_pca(own, 10)
    return {"separate": fit_separate_pca, "bilinear": fit_bilinear}[name](own, *labels)


def _reconstruct(model, meshes: torch.Tensor) -> torch.Tensor:
    """Through the model's codes, as table 2 does it."""
    codes = model.encode(meshes)
    return model.decode(codes) if isinstance(model, LinearModel) else model.decode(*codes)


@pytest.mark.parametrize(("name", "data"), [("joint", "additive"), ("separate", "additive"), ("bilinear", "bilinear")])
def test_unseen_people_in_the_span_come_back(name, data, request):
    meshes = request.getfixturevalue(data)
    model = _fitted(name, meshes, slice(0, 30))
    unseen = torch.from_numpy(meshes[30:].reshape(-1, VERTICES, 3))
    assert float((_reconstruct(model, unseen) - unseen).norm(dim=-1).max()) < 0.01


@pytest.mark.parametrize("name", ["joint", "separate", "bilinear"])
def test_samples_are_reconstructed_as_they_are(name, additive, bilinear):
    model = _fitted(name, bilinear if name == "bilinear" else additive)
    faces = sample(model, 30, _generator())
    assert faces.shape == (30, VERTICES, 3)
    assert float((_reconstruct(model, faces) - faces).norm(dim=-1).max()) < 0.02


@pytest.mark.parametrize("name", ["joint", "separate", "bilinear"])
def test_reconstruction_is_the_best_of_the_span(name, additive):
    """Least squares: what is left of a noisy mesh is orthogonal to what the model could still add."""
    model = _fitted(name, additive)
    noisy = torch.from_numpy(additive[:4].reshape(-1, VERTICES, 3)).double() + 3 * torch.from_numpy(
        _random(8, 20, VERTICES, 3)
    )
    left = (noisy - _reconstruct(model, noisy.float()).double()).flatten(1)
    for tangent in _tangents(model, noisy.float()):
        cosine = (left[:, None] * tangent).sum(-1) / left.norm(dim=1)[:, None] / tangent.norm(dim=-1).clamp(min=1e-9)
        assert float(cosine.abs().max()) < 2e-3


def _tangents(model, meshes: torch.Tensor) -> list[torch.Tensor]:
    """Directions (B, D, 3V) in which the model's faces move when one of its codes does."""
    if isinstance(model, LinearModel):
        return [model.components.double().expand(len(meshes), -1, -1)]
    if isinstance(model, SeparateLinearModel):
        return [part.components.double().expand(len(meshes), -1, -1) for part in (model.identity, model.expression)]
    assert isinstance(model, BilinearModel)
    people, expressions = (x.double() for x in model.encode(meshes))
    core = model.core.double()
    tangents = [torch.einsum("bf,afc->bac", expressions, core), torch.einsum("ba,afc->bfc", people, core)]
    return [t[:, t.norm(dim=-1).amin(0) > 1] for t in tangents]  # not those the data do not reach


def test_joint_samples_have_the_data_s_moments(additive):
    flat = additive.reshape(-1, 3 * VERTICES).astype(np.float64)
    faces = sample(_fitted("joint", additive), 20_000, _generator()).flatten(1).double().numpy()
    np.testing.assert_allclose(faces.mean(0), flat.mean(0), atol=5 * flat.std(0).max() / np.sqrt(20_000))
    assert np.linalg.norm(np.cov(faces.T) - np.cov(flat.T)) < 0.05 * np.linalg.norm(np.cov(flat.T))


@pytest.mark.parametrize("name", ["separate", "bilinear"])
@pytest.mark.parametrize("label", [0, 3])
def test_samples_of_a_label_have_its_meshes_moments(name, label, additive, bilinear):
    """For the separate model people and what they do are independent, so their variances add."""
    meshes = bilinear if name == "bilinear" else additive
    own = meshes[:, label].reshape(PEOPLE, -1).astype(np.float64)
    model, count = _fitted(name, meshes), 20_000
    generator = _generator(1)
    identity, noise = model.draw_identity(count, generator), model.draw_noise(count, generator)
    faces = model.generate(identity, torch.full((count,), label), noise).flatten(1).double().numpy()
    np.testing.assert_allclose(faces.mean(0), own.mean(0), atol=6 * faces.std(0).max() / np.sqrt(count))
    expected = np.cov(own.T)
    if name == "separate":
        neutral = additive[:, 0].reshape(PEOPLE, -1).astype(np.float64)
        expected = np.cov(neutral.T) + np.cov((own - neutral).T)
    assert np.linalg.norm(np.cov(faces.T) - expected) < 0.05 * np.linalg.norm(expected)


def test_noise_and_label_of_the_neutral_expression_do_nothing(additive):
    model = _fitted("separate", additive)
    identity = model.draw_identity(3, _generator())
    faces = model.generate(identity, torch.zeros(3, dtype=torch.int64), model.draw_noise(3, _generator()))
    torch.testing.assert_close(faces, model.identity.decode(identity), rtol=0, atol=0)


def test_bilinear_ranks_and_weights_are_those_of_numpy(bilinear):
    """The singular vectors of both unfoldings of the tensor, made here in one piece."""
    model = fit_bilinear(bilinear.reshape(-1, VERTICES, 3), IDENTITY, EXPRESSION, identity_rank=4, expression_rank=3)
    tensor = bilinear.reshape(PEOPLE, LABELS, -1).astype(np.float64)
    tensor = tensor - tensor.mean((0, 1))
    label = np.linalg.svd(tensor.transpose(1, 0, 2).reshape(LABELS, -1))[0][:, :3]
    assert np.sin(subspace_angles(label, model.expression_weights.double().numpy())).max() < 1e-4
    person = np.linalg.svd(tensor.reshape(PEOPLE, -1), full_matrices=False)[0][:, :4]
    core = np.einsum("pa,ef,pec->afc", person, label, tensor)
    assert float(model.core.double().norm()) == pytest.approx(np.linalg.norm(core), rel=1e-5)
    np.testing.assert_allclose(model.identity_mean.abs(), np.abs(person.mean(0)), atol=1e-5)


def test_bilinear_mixes_expressions_of_new_people(bilinear):
    """Weights between two learnt expressions are found, not only the learnt ones."""
    model = _fitted("bilinear", bilinear)
    person = model.draw_identity(10, _generator())
    faces = model.decode(
        person, model.expression_weights[[1, 2] * 5] * 0.5 + model.expression_weights[[3, 4] * 5] * 0.5
    )
    assert float((_reconstruct(model, faces) - faces).norm(dim=-1).mean()) < 0.05


def test_people_who_lack_an_expression_are_left_out(bilinear, capsys):
    keep = torch.ones(len(IDENTITY), dtype=torch.bool)
    keep[[3, 77]] = False  # two people's
    flat = bilinear.reshape(-1, VERTICES, 3)
    model = fit_bilinear(flat[keep.numpy()], IDENTITY[keep], EXPRESSION[keep])
    assert "2 of 40 people" in capsys.readouterr().err
    whole = [p for p in range(PEOPLE) if p not in (0, 77 // LABELS)]
    expected = bilinear[whole].reshape(-1, 3 * VERTICES).mean(0)
    np.testing.assert_allclose(model.mean, expected, atol=1e-3)


@pytest.mark.parametrize("name", ["separate", "bilinear"])
def test_order_of_the_meshes_does_not_matter(name, additive):
    order = torch.randperm(len(IDENTITY), generator=_generator())
    flat = additive.reshape(-1, VERTICES, 3)
    fit = fit_separate_pca if name == "separate" else fit_bilinear
    faces = torch.from_numpy(flat[:10]) + torch.from_numpy(_random(9, 10, VERTICES, 3)).float()
    one, two = fit(flat, IDENTITY, EXPRESSION), fit(flat[order.numpy()], IDENTITY[order], EXPRESSION[order])
    torch.testing.assert_close(_reconstruct(one, faces), _reconstruct(two, faces), rtol=0, atol=0.02)


def test_pairs_that_differ_in_identity_share_the_expression(additive):
    """What both faces of a pair add to their neutrals is the same."""
    model = _fitted("separate", additive)
    first, second = sample_pairs(model, 20, _generator(), "identity")
    basis = model.expression.components
    identity = model.identity.components
    across = torch.linalg.qr(identity.T)[0]
    moved = (first - second).flatten(1)
    assert float((moved - moved @ across @ across.T).norm()) < 1e-2  # only people's directions differ
    assert float(moved.norm(dim=1).min()) > 1
    assert float((basis - basis @ across @ across.T).norm()) > 0.1


def test_pairs_that_differ_in_expression_share_the_person(additive):
    model = _fitted("separate", additive)
    first, second = sample_pairs(model, 20, _generator(), "expression")
    motions = model.expression.components
    moved = (first - second).flatten(1)
    assert float((moved - moved @ motions.T @ motions).norm()) < 1e-2
    assert float(moved.norm(dim=1).min()) > 0.1  # labels differ in every pair


def test_a_model_without_expressions_fills_diversity_alone(additive):
    model = _fitted("joint", additive)
    assert sample_pairs(model, 4, _generator(), "identity") is None
    assert sample_pairs(model, 4, _generator(), "expression") is None
    first, second = sample_pairs(model, 4, _generator(), "anything")
    assert first.shape == second.shape == (4, VERTICES, 3) and not torch.equal(first, second)


@pytest.mark.parametrize("name", ["joint", "separate", "bilinear"])
def test_samples_are_a_function_of_the_seed(name, additive):
    model = _fitted(name, additive)
    assert torch.equal(sample(model, 3, _generator(5)), sample(model, 3, _generator(5)))


def test_labels_of_samples_are_uniform(additive):
    """A model that returns its label: 5,000 draws of 5, within five standard deviations."""

    class Labels:
        expressions = LABELS

        def draw_identity(self, count, generator):
            return torch.zeros(count, 0)

        draw_noise = draw_identity

        def generate(self, identity, expression, noise):
            return expression

    counts = sample(Labels(), 5000, _generator()).bincount(minlength=LABELS)
    assert float((counts - 1000).abs().max()) < 5 * np.sqrt(5000 * 0.2 * 0.8)
    first, second = sample_pairs(Labels(), 5000, _generator(), "expression")
    assert (first != second).all()
    assert float(((first - second) % LABELS).bincount(minlength=LABELS)[1:].min()) > 1250 - 5 * np.sqrt(5000 * 0.1875)


@pytest.mark.parametrize(
    ("fit", "labels", "message"),
    [
        (fit_separate_pca, ([0, 1, 2], [1, 1, 1]), "0 people have a neutral"),
        (fit_separate_pca, ([0, 0, 0, 1, 1], [0, 1, 3, 0, 1]), "no mesh has expression label 2"),
        (fit_bilinear, ([0, 0, 1, 2], [0, 1, 0, 1]), "1 of 3 people have all 2"),
    ],
)
def test_data_that_cannot_be_fitted_are_told(fit, labels, message):
    identity, expression = (torch.tensor(x) for x in labels)
    meshes = _random(0, len(identity), VERTICES, 3).astype(np.float32)
    with pytest.raises(FacegenError, match=message):
        fit(meshes, identity, expression)
