"""Trained models of 3DFaceCAM, put together from their runs."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from datamodules.codes import CodeFile
from experiments.evaluate import fill_weights, read_checkpoint
from experiments.face3d import shape_cgan
from experiments.face3d.codes import encode_meshes
from facegen_core.config import load_config
from facegen_core.errors import CheckpointError
from facegen_core.methods.face3d.autoencoder import ShapeAutoencoder
from facegen_core.methods.face3d.expression_codes import expression_codes
from facegen_core.methods.face3d.identity_codes import IdentityCodes
from lightning_modules.sae import SAEModule
from lightning_modules.shape_cgan import ShapeCGANModule
from lightning_modules.texture_progan import TextureProGANModule

AT_A_TIME = 64


@dataclass
class ShapeModel:
    """The shape GAN with the SAE's decoder behind it.

    Attributes:
        gan: generators and z_id table.
        autoencoder: whose decoder turns codes into displacements.
        codes: template, triangles, texture coordinates and names.
    """

    gan: ShapeCGANModule
    autoencoder: ShapeAutoencoder
    codes: CodeFile

    @property
    def identity_codes(self) -> IdentityCodes:
        """The z_id table, and draws of new people."""
        return self.gan.identity_codes

    @property
    def expressions(self) -> int:
        """How many expressions, or action units, z_exp has; this and what follows as ``FaceModel`` says."""
        return len(self.codes.expression_names)

    def draw_identity(self, count: int, generator: torch.Generator) -> Tensor:
        """z_id of new people (count, identity_code_dim)."""
        return self.identity_codes.sample(count, generator)

    def draw_noise(self, count: int, generator: torch.Generator) -> Tensor:
        """Noise codes (count, noise_dim)."""
        return torch.randn(count, self.gan.config.noise_dim, generator=generator)

    @torch.no_grad()
    def displacements(self, noise: Tensor, identity: Tensor, expression: Tensor, style: Tensor | None = None) -> Tensor:
        """Displacements (B, V, 3), mm from the template; arguments as :class:`ShapeGenerator` takes them."""
        return self.autoencoder.decode(*self.gan.generator(noise, identity, expression, style))

    def generate(self, identity: Tensor, expression: Tensor, noise: Tensor, level: float = 1.0) -> Tensor:
        """Displacements (B, V, 3), mm, of people with class labels (B,), at a level of intensity."""
        return self.displacements(noise, identity, level * expression_codes(expression, self.expressions))

    def at_level(self, level: float) -> "ShapeModel":
        """The same model whose expressions have another intensity."""
        return LevelledShapeModel(self.gan, self.autoencoder, self.codes, level)


@dataclass
class LevelledShapeModel(ShapeModel):
    """A shape model that makes every expression at one level, as rows "level 5" and "level 10" of table 1."""

    level: float

    def generate(self, identity: Tensor, expression: Tensor, noise: Tensor, level: float = 1.0) -> Tensor:
        """As the model does it, ``self.level`` times as strong."""
        return super().generate(identity, expression, noise, level * self.level)


def load_shape_model(run: Path, checkpoint: Path | None = None) -> ShapeModel:
    """The model of a ShapeCGAN run; the data set is not needed.

    Raises:
        CheckpointError: a run has no checkpoint, or one that does not fit, or the SAE was trained on since.
    """
    config = load_config(shape_cgan.Config, run / "config.yaml")
    encode_meshes(Path(config.sae))  # again, if the SAE was trained on
    datamodule = shape_cgan.build_datamodule(config)
    datamodule.setup("test")
    path, saved = read_checkpoint(run, checkpoint)
    if saved["callbacks"]["checkpoints"]["agreement"]["data"] != datamodule.digest():
        raise CheckpointError(
            f"{run}: learnt other codes than those its SAE, {config.sae}, makes now: that was trained on since. "
            f"Train a shape GAN for it: facegen train shape_cgan sae={config.sae}"
        )
    gan = shape_cgan.build_module(config, datamodule)
    fill_weights(gan, path, saved)
    return ShapeModel(gan, load_autoencoder(Path(config.sae)), datamodule.file)


@dataclass
class TextureModel:
    """The texture GAN.

    Attributes:
        gan: generator and z_id table.
    """

    gan: TextureProGANModule

    @property
    def expression_names(self) -> list[str]:
        """Of the E expressions or action units."""
        return self.gan.expression_names

    @property
    def identity_codes(self) -> IdentityCodes:
        """The z_id table, and draws of new people."""
        return self.gan.identity_codes

    @property
    def template(self) -> Tensor | None:
        """A whole map (3, R, R) in [0, 1] of which its pictures are a part; None if they stand alone."""
        return None if self.gan.template is None else self.gan.template.float().cpu() / 255

    @property
    def resolution(self) -> int:
        """Pixels of a side of its pictures."""
        return int(self.gan.resolution)

    def draw_noise(self, count: int, generator: torch.Generator) -> Tensor:
        """Noise codes (count, noise_dim)."""
        return torch.randn(count, self.gan.config.noise_dim, generator=generator)

    def pictures(self, noise: Tensor, identity: Tensor, expression: Tensor) -> Tensor:
        """Face crops (B, 3, R, R) in [0, 1] of codes (B, .), see :class:`TextureProGANModule`."""
        parts = zip(noise.split(AT_A_TIME), identity.split(AT_A_TIME), expression.split(AT_A_TIME), strict=True)
        return torch.cat([self.gan.pictures(*part) for part in parts])


def load_texture_model(run: Path, checkpoint: Path | None = None) -> TextureModel:
    """The model of a TextureProGAN run; the data set is not needed.

    Raises:
        CheckpointError: the run has no checkpoint, or one that does not fit.
    """
    path, saved = read_checkpoint(run, checkpoint)
    weights = saved["state_dict"]
    table = IdentityCodes(weights["identity_codes.codes"], weights["identity_codes.people"])
    template = weights.get("template")
    gan = TextureProGANModule(**saved["hyper_parameters"], identity_codes=table, template=template)
    fill_weights(gan, path, saved)
    return TextureModel(gan)


def load_autoencoder(run: Path) -> ShapeAutoencoder:
    """The networks of an SAE run, sized as its checkpoint says.

    Raises:
        CheckpointError: there is no checkpoint.
    """
    path, saved = read_checkpoint(run)
    module = SAEModule(**saved["hyper_parameters"])
    fill_weights(module, path, saved)
    return module.model
