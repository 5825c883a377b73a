"""Settings of the data modules, apart from them so that reading a configuration does not import torch."""

from dataclasses import dataclass, field
from typing import Literal

from facegen_core.errors import ConfigError
from facegen_core.types import BadSamplePolicy


@dataclass
class MeshDataConfig:
    """Registered meshes of people, whatever their layout.

    Attributes:
        root: the data set's folder; null where the population stands in.
        template: OBJ file that displacements are measured from; the mean of the training meshes if null.
        val_fraction: share of identities held out for validation.
        test_fraction: share of identities held out for the final evaluation.
        val_identities: people held out for validation, by the names of their folders; overrides the fraction.
        test_identities: the same for the final evaluation.
        on_bad_sample: "raise" or "skip" a mesh that cannot be read.
        num_workers: loader processes; 0 reads in the training process, which is fastest from a memory map.
        cache: folder of the memory map; ``<root>/.facegen_cache`` if null.
    """

    root: str | None = None
    template: str | None = None
    val_fraction: float = 0.05
    test_fraction: float = 0.1
    val_identities: list[int | str] = field(default_factory=list)
    test_identities: list[int | str] = field(default_factory=list)
    on_bad_sample: BadSamplePolicy = "skip"
    num_workers: int = 0
    cache: str | None = None

    def check(self) -> None:
        if min(self.val_fraction, self.test_fraction) < 0 or self.val_fraction + self.test_fraction >= 1:
            raise ConfigError(
                "data.val_fraction and data.test_fraction must be 0 or more and leave people to train on."
            )


@dataclass
class FaceScapeConfig(MeshDataConfig):
    """A FaceScape TU folder, or any registered meshes laid out like it: ``<id>/models_reg/<k>_<name>.obj``."""


@dataclass
class BP4DConfig(MeshDataConfig):
    """A BP4D folder with registered meshes; its tree stands in ``prepare/bp4d.py``.

    Attributes:
        frames_per_sequence: coded frames read of each sequence, evenly spread [P 4.1: "around 50 frames"].
        frame_offset: number of the picture, and of the mesh made from it, minus the number of the coded frame: 0 in
            BP4D, -1 in BP4D+.
    """

    frames_per_sequence: int = 50
    frame_offset: int = 0

    def check(self) -> None:
        super().check()
        if self.frames_per_sequence < 1:
            raise ConfigError(f"data.frames_per_sequence = {self.frames_per_sequence}: must be 1 or more.")


@dataclass
class TextureConfig(MeshDataConfig):
    """Textures of a FaceScape TU folder, ``<id>/models_reg/<k>_<name>.jpg``; of BP4D, all people's are read.

    Attributes:
        first_person: number of the first person whose textures are read.
        last_person: of the last; all if null. FaceScape's people from 360 on have mosaics over their eyes, which the
            released code leaves out.
    """

    first_person: int = 1
    last_person: int | None = None

    def has(self, person: int) -> bool:
        """Whether a person's textures are read."""
        return self.first_person <= person and (self.last_person is None or person <= self.last_person)


@dataclass
class PictureDataConfig:
    """Pictures of faces, whatever their layout; a plain folder of them needs no more.

    Attributes:
        root: the data set's folder.
        pixels: side of the pictures.
        crop: "as_is" (the whole picture), "box" (the face's box, made square), "align" (the face, eyes level, by the
            data set's own points; by a detector in AffectNet where they are missing and in plain folders); "auto":
            "box" for AffectNet's old release, "align" for FFHQ's pictures in the wild, else "as_is".
        flip: mirror half of the pictures trained on.
        val_fraction: share held out for validation where the data set has no such list; of people, if they are known.
        test_fraction: share of what is trained on held out for the final evaluation; if 0, that is done on the
            validation pictures.
        on_bad_sample: "raise" or "skip" a picture that cannot be used.
        num_workers: loader processes; 0 reads in the training process, which is fastest from a memory map.
        cache: folder of the memory map; ``<root>/.facegen_cache`` if null.
    """

    root: str | None = None
    pixels: int = 128
    crop: Literal["auto", "as_is", "box", "align"] = "auto"
    flip: bool = True
    val_fraction: float = 0.05
    test_fraction: float = 0.0
    on_bad_sample: BadSamplePolicy = "skip"
    num_workers: int = 0
    cache: str | None = None

    def check(self) -> None:
        if min(self.val_fraction, self.test_fraction) < 0 or self.val_fraction + self.test_fraction >= 1:
            raise ConfigError(
                "data.val_fraction and data.test_fraction must be 0 or more and leave pictures to train on."
            )


@dataclass
class AffectNetConfig(PictureDataConfig):
    """AffectNet, of either release; its trees stand in ``prepare/affectnet.py``.

    Attributes:
        annotation: "manual", or "automatic": the old release's other half, labelled by a network.
        contempt: "keep", "drop", or "neutral": counted as neutral, as EmotionLDM's CLIP fine-tuning does [5.2].
    """

    annotation: Literal["manual", "automatic"] = "manual"
    contempt: Literal["keep", "neutral", "drop"] = "keep"


@dataclass
class FFHQConfig(PictureDataConfig):
    """FFHQ; its tree stands in ``prepare/ffhq.py``.

    Attributes:
        version: "images" (1024 x 1024), "thumbnails" (128 x 128) or "in_the_wild" (whole photographs).
    """

    version: Literal["images", "thumbnails", "in_the_wild"] = "images"


@dataclass
class JudgeDataConfig:
    """Embedded people as ``facegen data population --layout affectnet`` writes them, with the truth about each.

    Attributes:
        root: the folder; null where the population is written for the run.
        pictures_of_each: pictures of a person in a training batch.
        val_fraction: share of people held out for validation.
        test_fraction: share of people held out for the final evaluation.
        on_bad_sample: "raise" or "skip" a picture that cannot be used.
        num_workers: loader processes; 0 reads in the training process, which is fastest from a memory map.
        cache: folder of the memory map; ``<root>/.facegen_cache`` if null.
    """

    root: str | None = None
    pictures_of_each: int = 4
    val_fraction: float = 0.05
    test_fraction: float = 0.05
    on_bad_sample: BadSamplePolicy = "skip"
    num_workers: int = 0
    cache: str | None = None

    def check(self) -> None:
        if min(self.val_fraction, self.test_fraction) <= 0 or self.val_fraction + self.test_fraction >= 1:
            raise ConfigError("data.val_fraction and data.test_fraction must be above 0 and leave people to train on.")
        if self.pictures_of_each < 2:
            raise ConfigError(
                f"data.pictures_of_each = {self.pictures_of_each}: must be 2 or more, or there is nothing to compare."
            )


@dataclass
class PoolConfig:
    """Pictures that are inverted before a model is tuned.

    Attributes:
        per_class: training pictures of each emotion that may be drawn [A: 500].
        size: training pictures drawn of these, at random [P, A: 1000].
        validation: pictures held out that checks look at, spread over them all [P, A: 100].
        test: pictures held out that the final evaluation looks at, likewise; 0 takes all [P, A].
        invert_batch: pictures inverted at a time.
    """

    per_class: int = 500
    size: int = 1000
    validation: int = 100
    test: int = 0
    invert_batch: int = 32

    def check(self) -> None:
        for name in ("per_class", "size", "validation", "invert_batch"):
            if getattr(self, name) < 1:
                raise ConfigError(f"pool.{name} = {getattr(self, name)}: must be 1 or more.")
        if self.test < 0:
            raise ConfigError(f"pool.test = {self.test}: must be 0, for all, or more.")
