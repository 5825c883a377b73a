"""The linear model against scikit-learn's."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from facegen_core.methods.face3d import pca
from facegen_core.methods.face3d.pca import fit_pca


def _meshes(count: int, vertices: int = 60, factors: int = 12) -> np.ndarray:
    """Meshes of a few strong factors and faint noise, with a mean far from zero, in float32."""
    random = np.random.default_rng(0)
    strengths = random.normal(size=(count, factors)) * np.linspace(20, 4, factors)
    directions = random.normal(size=(factors, 3 * vertices)) / np.sqrt(3 * vertices)
    noise = random.normal(0, 0.01, (count, 3 * vertices))
    return (
        (strengths @ directions + noise + random.normal(0, 50, 3 * vertices)).astype(np.float32).reshape(count, -1, 3)
    )


def _sklearn(meshes: np.ndarray, components: int) -> PCA:
    return PCA(components, svd_solver="full").fit(meshes.reshape(len(meshes), -1).astype(np.float64))


def _angle(one: np.ndarray, two: np.ndarray) -> float:
    """Largest angle between the spaces spanned by two sets of orthonormal rows: its sine."""
    return float(np.linalg.norm(two - (two @ one.T) @ one, 2))


def test_subspace_variance_and_mean_equal_sklearn():
    meshes = _meshes(100)
    ours, theirs = fit_pca(meshes, 10), _sklearn(meshes, 10)
    assert _angle(ours.components.double().numpy(), theirs.components_) < 1e-5
    np.testing.assert_allclose(ours.variance, theirs.explained_variance_, rtol=1e-5)
    np.testing.assert_allclose(ours.mean, theirs.mean_, atol=1e-4)


def test_reconstruction_of_unseen_meshes_equals_sklearn():
    meshes = _meshes(130)
    ours, theirs = fit_pca(meshes[:100], 10), _sklearn(meshes[:100], 10)
    unseen = meshes[100:]
    expected = theirs.inverse_transform(theirs.transform(unseen.reshape(30, -1))).reshape(30, -1, 3)
    shown = torch.from_numpy(unseen)
    np.testing.assert_allclose(ours.decode(ours.encode(shown)), expected, atol=1e-3)


def test_components_are_orthonormal_and_ordered():
    model = fit_pca(_meshes(100), 10)
    np.testing.assert_allclose(model.components @ model.components.T, np.eye(10), atol=1e-5)
    assert (model.variance[:-1] >= model.variance[1:]).all()


def test_codes_of_the_fitted_meshes_vary_as_variance_says():
    meshes = _meshes(100)
    model = fit_pca(meshes, 10)
    codes = model.encode(torch.from_numpy(meshes)).double()
    np.testing.assert_allclose(np.cov(codes.numpy().T), np.diag(model.variance.double()), atol=1e-2)


def test_blocks_of_rows_do_not_change_the_model(monkeypatch):
    meshes = _meshes(100)
    whole = fit_pca(meshes, 10)
    monkeypatch.setattr(pca, "ROWS_AT_A_TIME", 7)  # 100 is no multiple of it
    parts = fit_pca(meshes, 10)
    assert _angle(whole.components.double().numpy(), parts.components.double().numpy()) < 1e-5
    torch.testing.assert_close(whole.variance, parts.variance)


def test_fewer_meshes_than_components_gives_all_there_are():
    """M meshes span M - 1 directions, and these give the meshes back exactly."""
    meshes = _meshes(6)
    model = fit_pca(meshes, 130)
    assert model.components.shape == (5, 180)
    shown = torch.from_numpy(meshes)
    np.testing.assert_allclose(model.decode(model.encode(shown)), meshes, atol=1e-3)


def test_repeated_meshes_give_a_finite_model():
    """Copies span fewer directions than their number says; the rest must not divide by zero."""
    meshes = np.repeat(_meshes(3), 4, axis=0)
    model = fit_pca(meshes, 8)
    assert all(part.isfinite().all() for part in model)
    shown = torch.from_numpy(meshes)
    np.testing.assert_allclose(model.decode(model.encode(shown)), meshes, atol=1e-3)


def test_memory_map_is_read_as_an_array_is(tmp_path):
    meshes = _meshes(40)
    meshes.tofile(tmp_path / "meshes.f32")
    mapped = np.memmap(tmp_path / "meshes.f32", np.float32, "r", shape=meshes.shape)
    for one, two in zip(fit_pca(mapped, 8), fit_pca(meshes, 8), strict=True):
        torch.testing.assert_close(one, two, rtol=0, atol=0)


def test_one_mesh_is_refused():
    with pytest.raises(ValueError, match="two meshes"):
        fit_pca(_meshes(1), 3)


def test_rounding_of_files_is_no_component():
    """Meshes that span three dimensions, written to 4 decimals as OBJ files are, give three components."""
    random = np.random.default_rng(0)
    meshes = (random.normal(size=(50, 3)) @ random.normal(size=(3, 300))).round(4).astype(np.float32)
    assert fit_pca(meshes, 20).components.shape == (3, 300)


def test_equal_meshes_have_no_components():
    model = fit_pca(np.ones((5, 4, 3), np.float32), 3)
    assert model.encode(torch.ones(2, 4, 3)).shape == (2, 0)
    torch.testing.assert_close(model.decode(torch.zeros(2, 0)), torch.ones(2, 4, 3))
