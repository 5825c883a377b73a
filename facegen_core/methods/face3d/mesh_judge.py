"""A judge of meshes, fitted on people that the judged model never saw."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import GridSearchCV, GroupKFold
from torch import Tensor

from facegen_core.methods.face3d.pca import LinearModel, fit_pca

COMPONENTS = 120
SHRINKAGES = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1]
FOLDS = 5


class MeshJudge(NamedTuple):
    """Reads the expression off a mesh, and places it where meshes of one person lie together.

    Attributes:
        space: principal components of the meshes it was fitted on.
        expressions: classifier of their expressions.
        people: discriminant projection in which their people are furthest apart and their expressions least so.
    """

    space: LinearModel
    expressions: LinearDiscriminantAnalysis
    people: LinearDiscriminantAnalysis

    def expression(self, displacement: Tensor) -> Tensor:
        """Expression labels (B,) of displacements (B, V, 3), mm."""
        return torch.from_numpy(self.expressions.predict(self.space.encode(displacement).numpy()))

    def identity(self, displacement: Tensor) -> Tensor:
        """Identity embeddings (B, D) of displacements (B, V, 3): a person's expressions spread by about 1 in each."""
        return torch.from_numpy(self.people.transform(self.space.encode(displacement).numpy())).float()


def fit_mesh_judge(meshes: npt.NDArray[np.float32], identity: Tensor, expression: Tensor) -> MeshJudge:
    """Fits two linear discriminants (Fisher 1936) on principal components.

    Args:
        meshes: (M, V, 3) displacements, mm, of people the judged model never saw.
        identity: (M,) labels.
        expression: (M,) class labels.

    The share of shrinkage is the one with which people left out are read best: plain covariances of a few hundred
    meshes are too rough, and the shrinkage of Ledoit and Wolf, which knows nothing of people, is far too strong.

    Raises:
        ValueError: fewer people than folds, or fewer than two expressions.
    """
    if len(identity.unique()) < FOLDS or len(expression.unique()) < 2:
        raise ValueError(f"a judge needs meshes of {FOLDS} people and two expressions at least")
    space = fit_pca(meshes, COMPONENTS)
    codes = space.encode(torch.from_numpy(np.asarray(meshes))).numpy()
    search = GridSearchCV(
        LinearDiscriminantAnalysis(solver="lsqr"), {"shrinkage": SHRINKAGES}, cv=GroupKFold(FOLDS), n_jobs=1
    )
    expressions = search.fit(codes, expression.numpy(), groups=identity.numpy()).best_estimator_
    people = LinearDiscriminantAnalysis(solver="eigen", shrinkage=search.best_params_["shrinkage"])
    return MeshJudge(space, expressions, people.fit(codes, identity.numpy()))
