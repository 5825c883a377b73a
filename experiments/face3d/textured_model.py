"""Shape and texture of 3DFaceCAM as one model: the same z_id and z_exp make a mesh and what is painted on it."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from experiments.device import pick_device
from experiments.face3d import shape_cgan
from experiments.face3d.models import ShapeModel, TextureModel, load_shape_model, load_texture_model
from experiments.runs import find_run, stage_folder
from facegen_core.config import load_config
from facegen_core.errors import CheckpointError, FacegenError
from facegen_core.geometry.camera import framing, head_camera
from facegen_core.geometry.render import render
from facegen_core.geometry.uv import resize_square, surround_face
from facegen_core.reporting.mesh_figure import SKIN
from facegen_core.seeding import torch_generator

PLAIN_PIXELS = 16

_PEOPLE = 82
_SHAPE, _TEXTURE = 0, 1


class Person(NamedTuple):
    """A new person: all that stays the same when the expression changes.

    Attributes:
        number: from 1.
        identity: (D,), z_id.
        shape_noise: (N,), of the shape GAN.
        texture_noise: (M,), of the texture GAN; (0,) without one.
    """

    number: int
    identity: Tensor
    shape_noise: Tensor
    texture_noise: Tensor


class Faces(NamedTuple):
    """Textured meshes.

    Attributes:
        vertices: (B, V, 3), mm.
        maps: (B, 3, R, R) in [0, 1].
    """

    vertices: Tensor
    maps: Tensor


@dataclass
class TexturedModel:
    """A shape model with the texture model that was trained on the same z_id, or with none.

    Attributes:
        shape: makes the mesh.
        texture: makes the face's part of the texture; None leaves people in one plain colour.
        runs: that they come from.
    """

    shape: ShapeModel
    texture: TextureModel | None
    runs: tuple[Path, ...] = ()

    @property
    def expression_names(self) -> list[str]:
        """Of the E expressions or action units."""
        return self.shape.codes.expression_names

    def draw_person(self, seed: int, number: int) -> Person:
        """The person of a number, from 1: the same however many others are drawn, with and without a texture."""
        generator = torch_generator(seed, _PEOPLE, number, _SHAPE)
        identity, noise = self.shape.draw_identity(1, generator)[0], self.shape.draw_noise(1, generator)[0]
        if self.texture is None:
            return Person(number, identity, noise, torch.empty(0))
        paint = self.texture.draw_noise(1, torch_generator(seed, _PEOPLE, number, _TEXTURE))[0]
        return Person(number, identity, noise, paint)

    def make(
        self, person: Person, expressions: Tensor, style: Person | None = None, pixels: int | None = None
    ) -> Faces:
        """Faces of one person.

        Args:
            person: who.
            expressions: (B, E), z_exp times the level of intensity.
            style: whose way of making expressions the mesh has, see :class:`ShapeGenerator`; the person's own if None.
            pixels: side of the maps; None: twice that of the faces the texture GAN makes, which cover 0.6 of it.
        """
        count = len(expressions)
        identity, noise = person.identity.expand(count, -1), person.shape_noise.expand(count, -1)
        way = None if style is None else style.identity.expand(count, -1)
        vertices = self.shape.codes.template + self.shape.displacements(noise, identity, expressions, way)
        if self.texture is None:
            side = pixels or PLAIN_PIXELS
            return Faces(vertices, SKIN[:, None, None].expand(count, 3, side, side))
        return Faces(vertices, whole_maps(self.texture, self.crops(person, expressions), pixels))

    def crops(self, person: Person, expressions: Tensor) -> Tensor:
        """The faces' part of one person's textures (B, 3, R, R) in [0, 1], for z_exp (B, E) times the level."""
        assert self.texture is not None
        count = len(expressions)
        noise, identity = person.texture_noise.expand(count, -1), person.identity.expand(count, -1)
        return self.texture.pictures(noise, identity, expressions)


def whole_maps(texture: TextureModel, crops: Tensor, pixels: int | None = None) -> Tensor:
    """Maps (B, 3, P, P) in [0, 1] around faces (B, 3, R, R), which cover 0.6 of a map's side; None: 2 R pixels.

    A model of whole maps needs nothing around them; None: R pixels.
    """
    if texture.gan.sizes.whole_maps:
        return resize_square(crops, pixels or crops.shape[-1])
    return surround_face(crops, pixels or 2 * crops.shape[-1], texture.template).clamp(0, 1)


def draw_faces(model: TexturedModel, faces: Faces, pixels: int) -> Tensor:
    """Pictures (B, 3, pixels, pixels) of faces from the front on white, all taken by one camera."""
    codes = model.shape.codes
    target, distance = framing(codes.template[None])
    camera = head_camera(torch.zeros(1), torch.zeros(1), distance=distance, target=target)
    return render(
        faces.vertices, codes.faces, camera, pixels, texture=faces.maps, uv=codes.uv, faces_uv=codes.faces_uv,
        background=torch.ones(3),
    )  # fmt: skip


def load_textured_model(outputs: str, shape: str, texture: str) -> TexturedModel:
    """The models of two runs.

    Args:
        outputs: folder of all runs.
        shape: ShapeCGAN's run: "last", its name, its folder or one of its checkpoints.
        texture: TextureProGAN's run likewise, or "none".

    Raises:
        CheckpointError: a run has no checkpoint, or the two do not belong together.
        FacegenError: there is no such run.
    """
    model = _load(outputs, shape, texture)
    if not len(model.shape.codes.faces_uv):
        raise FacegenError(
            "these meshes have no texture coordinates (vt), so they cannot be written with a texture. Train the SAE on "
            "OBJ files that have them."
        )
    return model


def _load(outputs: str, shape: str, texture: str) -> TexturedModel:
    shape_run = find_run(stage_folder(outputs, "face3d", "shape_cgan"), shape)
    if texture == "none":
        return TexturedModel(load_shape_model(shape_run, _checkpoint(shape)), None, (shape_run,))
    try:
        texture_run = find_run(stage_folder(outputs, "face3d", "texture_progan"), texture)
    except FacegenError as error:
        raise FacegenError(f"{error} For shapes alone: --texture none.") from None
    painter = load_texture_model(texture_run, _checkpoint(texture))
    painter.gan.to(pick_device())  # the shape's networks are small
    model = TexturedModel(load_shape_model(shape_run, _checkpoint(shape)), painter, (shape_run, texture_run))
    _refuse_strangers(model, shape_run, texture_run)
    return model


def _checkpoint(which: str) -> Path | None:
    return Path(which) if which.endswith(".ckpt") else None


def _refuse_strangers(model: TexturedModel, shape_run: Path, texture_run: Path) -> None:
    """Shape and texture show the same person only if they learnt the same z_id, and expressions in the same order."""
    shape, texture = model.shape, model.texture
    assert texture is not None
    if not shape.identity_codes.agrees_with(texture.identity_codes):
        table = load_config(shape_cgan.Config, shape_run / "config.yaml").identity_codes
        raise CheckpointError(
            f"{texture_run}: was trained with another table of identity codes (z_id) than {shape_run}, so its textures "
            f"are other people's. Name two runs that share one with --shape and --texture, or train it on the other's: "
            f"facegen train texture_progan identity_codes={table}"
        )
    pairs = zip(model.expression_names, texture.expression_names, strict=False)
    other = next(((a, b) for a, b in pairs if a != b), None)
    if other or len(model.expression_names) != len(texture.expression_names):
        what = f"'{other[1]}' for '{other[0]}'" if other else f"{len(texture.expression_names)} expressions"
        raise CheckpointError(
            f"{texture_run}: was trained on other expressions than {shape_run} ({what}). Name two runs of one data set "
            f"with --shape and --texture."
        )
