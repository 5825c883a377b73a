"""``facegen edit emotion_ldm``: photographs whose faces show another emotion."""

import difflib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from experiments.device import pick_device
from experiments.emotion_ldm.trained import same_networks, settled
from experiments.photographs import (
    FORMATS,
    Job,
    Photograph,
    Pixels,
    find_jobs,
    read_photograph,
    run_jobs,
    save_photograph,
)
from experiments.runs import find_run, stage_folder
from facegen_core.config import load_config
from facegen_core.emotions import EMOTIONS
from facegen_core.encoders.base import Encoder
from facegen_core.encoders.detector import Face, chosen, find_in_photograph
from facegen_core.encoders.emotion import emotion_encoder
from facegen_core.encoders.framing import framed
from facegen_core.errors import ConfigError, WeightsNotFoundError
from facegen_core.files import atomic_path
from facegen_core.geometry.paste import paste_change
from facegen_core.geometry.squares import average_face_square, cut_square, square_around
from facegen_core.images import from_uint8
from facegen_core.methods.emotion_ldm.edit_config import EditConfig
from facegen_core.reporting.sheet import titled_sheet

if TYPE_CHECKING:
    from facegen_core.methods.emotion_ldm.latent_editor import LatentEditor

SHEET_PIXELS, SHEET_MARGIN = 256, 1.7
"""Of a face on the sheet: its side, and how much wider than the aligned square it is shown."""
RECORD = "edit.json"
TUNED_FOR = ("strength", "guidance", "inversion_guidance", "at")
"""Settings of an edit that a network is tuned for."""

TellEmotions = Callable[[Photograph, Sequence[Face]], Tensor]
"""What emotions (F,) int64 the faces of a photograph show."""


@dataclass(frozen=True)
class Wish:
    """What is asked for; the command line's options.

    Attributes:
        inputs: photographs: files, folders, patterns.
        out: file or folder to write to.
        emotion: the target; several with commas between.
        source: the emotion that is shown; None: the judge tells, of each face.
        judge: classifier of emotions, as :func:`emotion_encoder` takes it.
        face: "all", or one counted from 0 for the largest.
        strength: this and what follows as :class:`EditConfig` has them.
        steps: likewise.
        guidance: likewise.
        inversion_guidance: likewise.
        at: likewise.
        eta: likewise.
        model: run of emotion_ldm: "last", a name, folder or checkpoint; or "shipped", or a file of networks. "last"
            means the shipped ones where there is no run.
        tuned: run of emotion_clip, likewise, which brings faces back; ``model`` is the one it was tuned from.
        overwrite: replace results that are there.
        outputs: folder of all runs.
    """

    inputs: tuple[str, ...]
    out: Path
    emotion: str
    source: str | None = None
    judge: str = "judge"
    face: str = "all"
    strength: int = EditConfig.strength
    steps: int = EditConfig.steps
    guidance: float = EditConfig.guidance
    inversion_guidance: Literal["same", "none"] = EditConfig.inversion_guidance
    at: Literal["destination", "origin"] = EditConfig.at
    eta: float = EditConfig.eta
    model: str = "last"
    tuned: str | None = None
    overwrite: bool = False
    outputs: str = "outputs"

    @property
    def targets(self) -> list[str]:
        """The emotions asked for, each once."""
        return list(dict.fromkeys(name.strip() for name in self.emotion.split(",")))

    @property
    def face_index(self) -> int | None:
        """Which face; None: all."""
        return None if self.face == "all" else int(self.face)

    @property
    def settings(self) -> EditConfig:
        """The edit's."""
        return EditConfig(
            strength=self.strength,
            steps=self.steps,
            guidance=self.guidance,
            inversion_guidance=self.inversion_guidance,
            at=self.at,
            eta=self.eta,
        )

    def check(self) -> None:
        """Refuses what is no emotion, no face, or out of range.

        Raises:
            ConfigError: with the option's name.
        """
        for option, names in (("--emotion", self.targets), ("--source", [self.source] if self.source else [])):
            for name in names:
                if name not in EMOTIONS:
                    near = difflib.get_close_matches(name, EMOTIONS, 1)
                    hint = f" Did you mean {near[0]}?" if near else ""
                    raise ConfigError(f"{option} {name}: no such emotion.{hint} There are: {', '.join(EMOTIONS)}.")
        if self.face != "all" and not self.face.isdecimal():
            raise ConfigError(f"--face {self.face}: 'all', or a number counted from 0 for the largest.")
        try:
            self.settings.check()
        except ConfigError as error:
            raise ConfigError(str(error).replace("edit.", "--")) from None


class CropEditor(Protocol):
    """Networks that change the emotion of aligned faces.

    Attributes:
        pixels: side of the crops R.
    """

    @property
    def pixels(self) -> int: ...

    def reconstruct(self, crops: Tensor) -> Tensor:
        """Crops (B, 3, R, R) in [0, 1] as the networks give them back when nothing is edited."""

    def edit_crops(self, crops: Tensor, source: Tensor, targets: Sequence[int]) -> Tensor:
        """Crops (B, 3, R, R) in [0, 1] that show ``source`` (B,) int64, as (T, B, 3, R, R) that show each target."""


def edit(wish: Wish) -> None:
    """Edits all photographs that are asked for.

    Raises:
        ConfigError: an option is wrong or not what a network was tuned for, or results would replace something.
        NoFaceError: the photograph has no face, or not the one asked for.
        BadPictureError: it cannot be read.
        FacegenError: there is no such run, or some of several photographs could not be edited.
        WeightsNotFoundError: the judge's weights are missing.
    """
    wish.check()
    jobs = find_jobs(wish.inputs, wish.out, wish.targets, wish.overwrite)
    wish = which_runs(wish)
    edit_all(wish, jobs, open_editor(wish), _teller(wish))


def which_runs(wish: Wish) -> Wish:
    """With the runs that "last" means now; a tuned one brings its own model along.

    Raises:
        FacegenError: there is no such run.
        ConfigError: it was tuned for another emotion or edit, or from another model.
    """
    if wish.tuned is None:
        return replace(wish, model=settled(wish.model, "emotion_ldm", wish.outputs))
    from experiments.emotion_ldm import emotion_clip

    tuned = settled(wish.tuned, "emotion_clip", wish.outputs, or_shipped=False)
    run = find_run(stage_folder(wish.outputs, "emotion_ldm", "emotion_clip"), tuned)
    settings: emotion_clip.Config = load_config(emotion_clip.Config, run / "config.yaml")
    model = settings.model if wish.model == "last" else settled(wish.model, "emotion_ldm", wish.outputs)
    if same_networks(model, settings.model):
        model = settings.model
    asked = {"emotion": ",".join(wish.targets), "model": model} | {name: getattr(wish, name) for name in TUNED_FOR}
    meant = {"emotion": settings.target, "model": settings.model}
    meant |= {name: getattr(settings.edit, name) for name in TUNED_FOR}
    if differ := [name for name in asked if asked[name] != meant[name]]:
        option = "--" + differ[0].replace("_", "-")
        were = " and ".join(f"--{name.replace('_', '-')} {meant[name]}" for name in differ)
        raise ConfigError(
            f"{option} {asked[differ[0]]}: {run} was tuned for {were}. Ask for that, or leave out --tuned."
        )
    return replace(wish, model=model, tuned=tuned)


def open_editor(wish: Wish) -> "LatentEditor":
    """The networks of the runs that are asked for; ``wish`` is of :func:`which_runs`."""
    from experiments.emotion_ldm.trained import open_denoiser, open_first_stage, open_tuned
    from facegen_core.methods.emotion_ldm.latent_editor import LatentEditor

    if wish.tuned is None:
        there, config, reference = open_denoiser(wish.model, wish.outputs)
        back = there
    else:
        there, back, config, reference, _ = open_tuned(wish.tuned, wish.outputs)
    first_stage, sizes, _ = open_first_stage(reference, wish.outputs)
    if wish.strength >= config.schedule.steps:
        raise ConfigError(f"--strength {wish.strength}: the model's last time is {config.schedule.steps - 1}.")
    device = pick_device()
    for network in (first_stage, there, back):
        network.to(device)
    return LatentEditor(first_stage, there, back, config.schedule, sizes.pixels, wish.settings)


def edit_all(wish: Wish, jobs: Sequence[Job], editor: CropEditor, tell: TellEmotions) -> None:
    """Edits photographs with given networks.

    Args:
        wish: options.
        jobs: of :func:`find_jobs`.
        editor: of crops.
        tell: what a face shows before.

    Raises:
        FacegenError: as :func:`edit` says of photographs.
    """
    if len(jobs) > 1:
        _agree(wish, jobs)

    def work(job: Job) -> None:
        photograph = read_photograph(job.source)
        found = find_in_photograph(photograph.seen)
        height, width = photograph.pixels.shape[:2]
        faces = chosen(found, wish.face_index, str(job.source), (width, height))
        targets = [EMOTIONS.index(name) for name in job.edits]
        results = edit_faces(photograph, faces, editor, tell(photograph, faces), targets)
        for path, pixels in zip(job.edits.values(), results, strict=True):
            save_photograph(photograph, pixels, path)
        if job.sheet:
            _write_sheet(job.sheet, photograph, faces, dict(zip(job.edits, results, strict=True)))

    run_jobs(jobs, wish.overwrite, work)


def edit_faces(
    photograph: Photograph, faces: Sequence[Face], editor: CropEditor, source: Tensor, targets: Sequence[int]
) -> list[Pixels]:
    """A photograph with its faces' emotions changed, once for each target.

    Faces are aligned as training's are where no landmarks are given: eyes level, on an average face's points.

    Args:
        photograph: the whole of it.
        faces: those to edit.
        editor: of crops.
        source: (F,) int64, what they show.
        targets: emotions.

    Returns:
        For each target the photograph's pixels.
    """
    seen = photograph.seen
    squares = [average_face_square(face.points5) for face in faces]
    crops = torch.stack([from_uint8(np.asarray(cut_square(seen, square, editor.pixels))) for square in squares])
    before = editor.reconstruct(crops)
    results = []
    for edited in editor.edit_crops(crops, source, targets):
        pixels = photograph.pixels
        for square, one_before, after in zip(squares, before, edited, strict=True):
            pixels = paste_change(pixels, one_before, after, square)
        results.append(pixels)
    return results


def tell_emotions(photograph: Photograph, faces: Sequence[Face], judge: Encoder) -> Tensor:
    """The emotion (F,) int64 that each face shows, by a classifier."""
    picture = from_uint8(np.asarray(photograph.seen))[None]
    with torch.no_grad():
        logits = [judge(framed(picture, [face], judge.preprocessing)) for face in faces]
    return torch.cat(logits).argmax(1).cpu()


def _teller(wish: Wish) -> TellEmotions:
    """The emotion that is given, or a judge that tells it."""
    if wish.source is not None:
        given = EMOTIONS.index(wish.source)
        return lambda photograph, faces: torch.full((len(faces),), given)
    try:
        judge = emotion_encoder(wish.judge)
    except WeightsNotFoundError as error:
        raise WeightsNotFoundError(f"{error} Or say which emotion is shown: --source EMOTION.") from None
    return lambda photograph, faces: tell_emotions(photograph, faces, judge)


def _write_sheet(path: Path, photograph: Photograph, faces: Sequence[Face], results: dict[str, Pixels]) -> None:
    """Each face in a row, as it is and as it became."""
    rows = []
    for face in faces:
        corners = average_face_square(face.points5)
        middle, half = corners.mean(axis=0), SHEET_MARGIN * np.ptp(corners, axis=0).max() / 2
        around = square_around(*(middle - half), *(middle + half))
        rows.append([
            from_uint8(np.asarray(cut_square(Image.fromarray(pixels), around, SHEET_PIXELS)))
            for pixels in (photograph.pixels, *results.values())
        ])  # fmt: skip
    titles = [f"face {i}" for i in range(len(faces))] if len(faces) > 1 else []
    sheet = titled_sheet(rows, titles, ["as it is", *results])
    with atomic_path(path) as temporary:
        sheet.save(temporary, format=FORMATS[path.suffix.lower()])


def _agree(wish: Wish, jobs: Sequence[Job]) -> None:
    """Results that are there count as done, so they must have been made with the same settings.

    Raises:
        ConfigError: they were made with others.
    """
    asked = ("emotion", "source", "judge", "face", "strength", "steps", "guidance", "inversion_guidance", "at", "eta",
             "model", "tuned")  # fmt: skip
    settings = {name: getattr(wish, name) for name in asked}
    record = wish.out / RECORD
    if not wish.overwrite and record.is_file() and any(path.exists() for job in jobs for path in job.files):
        before = json.loads(record.read_text())
        others = [name for name in asked if before.get(name, getattr(Wish, name, None)) != settings[name]]
        if others:
            were = ", ".join(f"{name} {before.get(name)}" for name in others)
            raise ConfigError(f"{wish.out}: has results made with {were}. Give another folder, or --overwrite.")
    with atomic_path(record) as temporary:
        temporary.write_text(json.dumps(settings, indent=1) + "\n")
