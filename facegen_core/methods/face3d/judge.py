"""A judge of meshes, or of pictures, fitted on people that the judged model never saw."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import GridSearchCV, GroupKFold
from torch import Tensor

from facegen_core.errors import ConfigError
from facegen_core.methods.face3d.pca import LinearModel, fit_pca

COMPONENTS = 120
SHRINKAGES = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1]
FOLDS = 5


class Judge(NamedTuple):
    """Reads the expression off a face, and places it where faces of one person lie together.

    Attributes:
        space: principal components of the faces it was fitted on.
        expressions: classifier of their expressions.
        people: discriminant projection in which their people are furthest apart and their expressions least so.
    """

    space: LinearModel
    expressions: LinearDiscriminantAnalysis
    people: LinearDiscriminantAnalysis

    def expression(self, faces: Tensor) -> Tensor:
        """Expression labels (B,) of faces (B, N, 3)."""
        return torch.from_numpy(self.expressions.predict(self.space.encode(faces).numpy()))

    def identity(self, faces: Tensor) -> Tensor:
        """Identity embeddings (B, D) of faces (B, N, 3): a person's expressions spread by about 1 in each."""
        return torch.from_numpy(self.people.transform(self.space.encode(faces).numpy())).float()


def fit_judge(faces: npt.NDArray[np.float32], identity: Tensor, expression: Tensor) -> Judge:
    """Fits two linear discriminants (Fisher 1936) on principal components.

    Args:
        faces: (M, N, 3) displacements of vertices, or pixels of pictures, of people the judged model never saw.
        identity: (M,) labels.
        expression: (M,) class labels.

    The share of shrinkage is the one with which people left out are read best: plain covariances of a few hundred
    meshes are too rough, and the shrinkage of Ledoit and Wolf, which knows nothing of people, is far too strong.

    Raises:
        ConfigError: fewer than three people, or than two expressions.
    """
    people = len(identity.unique())
    if people < 3 or len(expression.unique()) < 2:
        raise ConfigError(
            "a judge is fitted on people held out from training, and needs three of them with two expressions at "
            "least: raise data.val_fraction or data.test_fraction."
        )
    space = fit_pca(faces, COMPONENTS)
    codes = space.encode(torch.from_numpy(np.asarray(faces))).numpy()
    search = GridSearchCV(
        LinearDiscriminantAnalysis(solver="lsqr"),
        {"shrinkage": SHRINKAGES},
        cv=GroupKFold(min(FOLDS, people)),
        n_jobs=1,
    )
    expressions = search.fit(codes, expression.numpy(), groups=identity.numpy()).best_estimator_
    people = LinearDiscriminantAnalysis(solver="eigen", shrinkage=search.best_params_["shrinkage"])
    return Judge(space, expressions, people.fit(codes, identity.numpy()))


def judged(judge: Judge, faces: Tensor, identity: Tensor, expression: Tensor) -> dict[str, float]:
    """What a judge makes of labelled faces (N, V, 3).

    ``expression_accuracy``: share judged to have the expression of their label. ``identity_drift``: mean distance in
    the judge's identity space between two expressions of one person, as a share of that between two people with one
    expression.
    """
    accuracy = (judge.expression(faces) == expression).double().mean()
    places = judge.identity(faces)
    distance = torch.cdist(places, places)
    same_person, same_expression = identity[:, None] == identity, expression[:, None] == expression
    drift = distance[same_person & ~same_expression].mean() / distance[~same_person & same_expression].mean()
    return {"expression_accuracy": float(accuracy), "identity_drift": float(drift)}
