"""Batches that data modules hand to training stages. Shapes and units are part of the contract."""

from __future__ import annotations  # keeps torch out of the import: configuration reads the aliases below

from typing import TYPE_CHECKING, Literal, NamedTuple, TypedDict

if TYPE_CHECKING:
    from torch import Tensor

BadSamplePolicy = Literal["raise", "skip"]
"""What a reader does with a sample it cannot read: stop with its name, or leave it out and count it."""

ExpressionLabels = Literal["classes", "action_units"]
"""How expressions are labelled: one class a mesh (FaceScape) or several action units a mesh (BP4D)."""

UNKNOWN = -1
"""Label of an action unit, or intensity of one, that the coder could not tell."""


class MeshBatch(TypedDict):
    """Registered meshes of one topology.

    Attributes:
        displacement: (B, V, 3) float32, vertices minus the template, in mm; in PRNet's pixels where they come from its
            position maps.
        identity: (B,) int64, identity label, counted from 0 over the whole data set.
        expression: (B,) int64 class labels, or (B, A) int64 action units with 0 absent, 1 present, -1 unknown.
    """

    displacement: Tensor
    identity: Tensor
    expression: Tensor


class CodeBatch(TypedDict):
    """The SAE's codes of meshes.

    Attributes:
        identity_code: (B, identity_dim) float32.
        expression_code: (B, expression_dim) float32.
        identity: (B,) int64, as in :class:`MeshBatch`.
        expression: (B,) or (B, A) int64, as in :class:`MeshBatch`.
    """

    identity_code: Tensor
    expression_code: Tensor
    identity: Tensor
    expression: Tensor


class TextureBatch(TypedDict):
    """Faces from texture maps.

    Attributes:
        image: (B, 3, R, R) float32 in [-1, 1].
        identity: (B,) int64, as in :class:`MeshBatch`.
        expression: (B,) or (B, A) int64, as in :class:`MeshBatch`.
        alpha: () float32, share of the newest block of a growing network, see ``methods/face3d/progressive.py``.
    """

    image: Tensor
    identity: Tensor
    expression: Tensor
    alpha: Tensor


class PictureBatch(TypedDict):
    """Pictures of faces.

    Attributes:
        image: (B, 3, R, R) float32 in [-1, 1], RGB.
        emotion: (B,) int64, AffectNet's 0 to 7, see ``facegen_core/emotions.py``; -1 where the data set has none.
        identity: (B,) int64, counted from 0 over the whole data set; -1 where the data set does not say.
        index: (B,) int64, place of the picture in its split.
    """

    image: Tensor
    emotion: Tensor
    identity: Tensor
    index: Tensor


class LatentBatch(TypedDict):
    """Pictures of faces as a first stage's latents.

    Attributes:
        latent: (B, C, h, w) float32, as the first stage's encoder gave it, unscaled.
        emotion: (B,) int64, as in :class:`PictureBatch`.
        identity: (B,) int64, as in :class:`PictureBatch`.
        index: (B,) int64, as in :class:`PictureBatch`.
    """

    latent: Tensor
    emotion: Tensor
    identity: Tensor
    index: Tensor


class PoolBatch(TypedDict):
    """Pictures of faces as noise that an edit brings back from.

    Attributes:
        latent: (B, C, h, w) float32, inverted under the emotion shown.
        reference: (B, 3, R, R) float32 in [-1, 1], RGB, the picture as the first stage gives it back, in 8 bits.
        emotion: (B,) int64, as in :class:`PictureBatch`.
        identity: (B,) int64, as in :class:`PictureBatch`.
        index: (B,) int64, place of the picture in the pool.
    """

    latent: Tensor
    reference: Tensor
    emotion: Tensor
    identity: Tensor
    index: Tensor


class JudgeBatch(TypedDict):
    """Pictures of people who are known to be who they are: several of each person, one after another.

    Attributes:
        image: (B, 3, R, R) uint8, RGB, aligned; see ``methods/face_judge/framing.py``.
        identity: (B,) int64; those trained on are counted from 0.
        emotion: (B,) int64, 0 to 7.
        units: (B, U) float32, strengths of action units.
    """

    image: Tensor
    identity: Tensor
    emotion: Tensor
    units: Tensor


class Faces(NamedTuple):
    """Faces found in pictures.

    Attributes:
        pictures: (F, 3, h, w) in [0, 1], in order, one of each picture that has a face.
        found: (B,) bool, which of the pictures have one.
    """

    pictures: Tensor
    found: Tensor
