"""``facegen measure``: the picture metrics, on folders of pictures."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from facegen_core.emotions import EMOTIONS
from facegen_core.errors import ConfigError, DatasetNotFoundError

if TYPE_CHECKING:
    from torch import Tensor
    from torchmetrics import Metric

BATCH = 16
ALONE = ("face_found", "emotion_accuracy", "prompt_similarity")
PAIRED = (
    "psnr",
    "ssim",
    "lpips",
    "id_cosine",
    "id_rank1",
    "expression_distance",
    "fid",
    "kid",
    "fid_judge",
    "kid_judge",
)
EDITED = "counterfactual"
METRICS = (*ALONE, *PAIRED, EDITED)
"""What can be asked for: of pictures alone, of pictures against references, and of edits against truths."""
Files = dict[str, list[Path]]
Plan = dict[str, tuple["Metric", tuple[str, ...]]]


@dataclass(frozen=True)
class Measurement:
    """What to measure.

    Attributes:
        pictures: folder of the pictures.
        against: folder of the references, or truths; None where no metric needs them.
        source: folder of the pictures before they were edited, for counterfactual metrics.
        metrics: names of :data:`METRICS`; empty takes those that need nothing but what is given.
        identity: recognition network: "judge", a name of ``facegen weights list`` or a file.
        emotion: classifier of emotions, likewise.
        clip: network of the prompts' similarity, a model's name in open_clip.
        backbone: of LPIPS.
        target: the emotion that all pictures should show.
        prompt: what all pictures should show, in words.
        whole: pictures are face crops already: judges are shown them whole, and no detector looks for faces.
        pixels: side that pictures are brought to before they are compared; None keeps theirs, which must be equal.
        out: file for the figures as JSON, or None.
    """

    pictures: Path
    against: Path | None = None
    source: Path | None = None
    metrics: Sequence[str] = ()
    identity: str = "judge"
    emotion: str = "judge"
    clip: str = "ViT-B-32-quickgelu"
    backbone: str = "alex"
    target: str | None = None
    prompt: str | None = None
    whole: bool = False
    pixels: int | None = None
    out: Path | None = None


def measure(wanted: Measurement) -> str:
    """Measures, and says each figure with what stands beside it and how it was made.

    Pictures belong together by their names, endings aside; where the names of two folders differ throughout, by their
    order.

    Raises:
        ConfigError: a metric lacks something, or pictures do not fit together.
        DatasetNotFoundError: a folder is missing or has no pictures.
        BadPictureError: a picture cannot be read.
        WeightsNotFoundError: a network's weights are missing.
    """
    names = list(wanted.metrics) or _usual(wanted)
    for name in names:
        _check_given(name, wanted)
    files = _find(wanted)  # before networks are loaded
    plan = {key: metric for name in names for key, metric in _built(name, wanted).items()}
    for batch in _batches(files, wanted):
        for metric, fields in plan.values():
            metric.update(*(batch[field] for field in fields))
    figures = {name: _figure(metric) for name, (metric, _) in plan.items()}
    if wanted.out is not None:
        wanted.out.parent.mkdir(parents=True, exist_ok=True)
        wanted.out.write_text(json.dumps(figures, indent=1) + "\n")
    return "\n".join(line for name, figure in figures.items() for line in _lines(name, figure))


def _usual(wanted: Measurement) -> list[str]:
    """What needs no weights that do not ship and no words."""
    names = ["face_found"] if not wanted.whole else []
    names += ["emotion_accuracy"] if wanted.target else []
    return names + (["psnr", "ssim", "id_cosine"] if wanted.against else [])


def _check_given(name: str, wanted: Measurement) -> None:
    if name not in METRICS:
        raise ConfigError(f"--metrics {name}: no such metric. There are: {', '.join(METRICS)}.")
    needs = {"--against DIR": wanted.against is None and name in (*PAIRED, EDITED),
             "--source DIR": wanted.source is None and name == EDITED,
             "--target EMOTION": wanted.target is None and name in ("emotion_accuracy", EDITED),
             "--prompt TEXT": wanted.prompt is None and name == "prompt_similarity"}  # fmt: skip
    if lacks := [option for option, is_missing in needs.items() if is_missing]:
        raise ConfigError(f"{name}: needs {' and '.join(lacks)}.")
    if wanted.target is not None and wanted.target not in EMOTIONS:
        raise ConfigError(f"--target {wanted.target}: no such emotion. There are: {', '.join(EMOTIONS)}.")
    if name == "face_found" and wanted.whole:
        raise ConfigError("face_found: needs a detector; leave --whole out.")


def _built(name: str, wanted: Measurement) -> Plan:
    """One metric, or those of edits; networks are loaded here."""
    from facegen_core.encoders.emotion import emotion_encoder, expression_encoder
    from facegen_core.encoders.framing import FaceFramer
    from facegen_core.encoders.identity import identity_encoder
    from facegen_core.metrics.counterfactual import counterfactual_metrics
    from facegen_core.metrics.distribution import FID, KID
    from facegen_core.metrics.emotion import EmotionAccuracy
    from facegen_core.metrics.expression_distance import ExpressionDistance
    from facegen_core.metrics.face_found import FaceFoundRate
    from facegen_core.metrics.functional.lpips import LPIPSNetwork
    from facegen_core.metrics.identity import IdentityCosine, IdentityRank1
    from facegen_core.metrics.inception import InceptionFeatures
    from facegen_core.metrics.prompt_similarity import PromptSimilarity
    from facegen_core.metrics.reconstruction import LPIPS, PSNR, SSIM

    def finder(judge: Any) -> FaceFramer | None:
        return None if wanted.whole else FaceFramer(judge.preprocessing)

    pair = ("pictures", "against")
    match name:
        case "face_found":
            return {name: (FaceFoundRate(FaceFramer(identity_encoder(wanted.identity).preprocessing)), ("pictures",))}
        case "emotion_accuracy":
            judge = emotion_encoder(wanted.emotion)
            return {name: (EmotionAccuracy(judge, finder(judge)), ("pictures", "target"))}
        case "prompt_similarity":
            from facegen_core.encoders.clip import clip_encoder

            clip = clip_encoder(wanted.clip)
            return {name: (PromptSimilarity(clip, clip.embed_texts), ("pictures", "prompts"))}
        case "psnr":
            return {name: (PSNR(), pair)}
        case "ssim":
            return {name: (SSIM(), pair)}
        case "lpips":
            return {name: (LPIPS(LPIPSNetwork(wanted.backbone)), pair)}  # type: ignore[arg-type]
        case "id_cosine" | "id_rank1":
            judge = identity_encoder(wanted.identity)
            if name == "id_cosine":
                return {name: (IdentityCosine(judge, finder(judge)), pair)}
            return {name: (IdentityRank1(judge, finder(judge)), (*pair, "index"))}
        case "expression_distance":
            judge = emotion_encoder("judge") if wanted.emotion == "judge" else expression_encoder(wanted.emotion)
            return {name: (ExpressionDistance(judge, finder(judge)), pair)}
        case "fid" | "kid":
            return {name: ((FID if name == "fid" else KID)(InceptionFeatures()), pair)}
        case "fid_judge" | "kid_judge":
            judge = identity_encoder(wanted.identity)
            return {name: ((FID if name == "fid_judge" else KID)(judge), pair)}
        case _:
            identity, emotion = identity_encoder(wanted.identity), emotion_encoder(wanted.emotion)
            fields = {"edited": "pictures", "truth": "against", "source": "source", "target_emotion": "target"}
            metrics = counterfactual_metrics(
                identity, emotion, identity_finder=finder(identity), emotion_finder=finder(emotion)
            )
            return {
                key: (metric, tuple(fields[field] for field in needed if field in fields))
                for key, (metric, needed) in metrics.items()
            }


def _batches(files: Files, wanted: Measurement) -> Iterator[dict[str, Any]]:
    """Pictures, what they belong to, and what they should show."""
    import torch

    from facegen_core.progress import track

    count = len(files["pictures"])
    target = EMOTIONS.index(wanted.target) if wanted.target else 0
    for start in track(range(0, count, BATCH), "measure", "batch"):
        chosen = slice(start, min(start + BATCH, count))
        batch: dict[str, Any] = {name: _read(paths[chosen], wanted.pixels) for name, paths in files.items()}
        batch["index"] = torch.arange(chosen.start, chosen.stop)
        batch["target"] = torch.full((chosen.stop - chosen.start,), target)
        batch["prompts"] = [wanted.prompt] * (chosen.stop - chosen.start)
        yield batch


def _find(wanted: Measurement) -> Files:
    """The pictures of each folder, those that belong together at the same places."""
    folders = {"pictures": wanted.pictures, "against": wanted.against, "source": wanted.source}
    given = {name: folder for name, folder in folders.items() if folder is not None}
    return _paired({name: _files(folder) for name, folder in given.items()}, given)


def _files(folder: Path) -> list[Path]:
    from datamodules.prepare.pictures import find_pictures

    if not folder.is_dir():
        raise DatasetNotFoundError(f"{folder}: no such folder.")
    found = sorted(folder / path for path in find_pictures(folder))
    if not found:
        raise DatasetNotFoundError(f"{folder}: no pictures in it.")
    return found


def _paired(files: Files, folders: dict[str, Path]) -> Files:
    """The same pictures of all folders, in the same order."""
    if len(files) == 1:
        return files
    named = {
        name: {path.relative_to(folders[name]).with_suffix(""): path for path in paths} for name, paths in files.items()
    }
    shared = set.intersection(*(set(paths) for paths in named.values()))
    if shared:
        left_out = {
            folders[name]: len(paths) - len(shared) for name, paths in named.items() if len(paths) > len(shared)
        }
        if left_out:
            odd = ", ".join(f"{count} of {folder}" for folder, count in left_out.items())
            raise ConfigError(
                f"{odd}: pictures without a partner of the same name. Remove them, or give their partners."
            )
        return {name: [paths[stem] for stem in sorted(shared)] for name, paths in named.items()}
    counts = {str(folders[name]): len(paths) for name, paths in files.items()}
    if len(set(counts.values())) > 1:
        raise ConfigError(f"no names in common, and not as many in each: {counts}. Which pictures belong together?")
    return files


def _read(paths: list[Path], pixels: int | None) -> "Tensor":
    """Pictures (B, 3, H, W) in [0, 1]."""
    import torch
    from PIL import Image

    from datamodules.prepare.pictures import read_picture
    from facegen_core.images import from_uint8

    images = [read_picture(path).image for path in paths]
    if pixels is not None:
        images = [image.resize((pixels, pixels), Image.Resampling.LANCZOS) for image in images]
    if len({image.size for image in images}) > 1:
        raise ConfigError(f"{paths[0]} and others: pictures of several sizes. --pixels N brings them to one.")
    return torch.stack([from_uint8(np.asarray(image)) for image in images])


def _figure(metric: "Metric") -> dict[str, Any]:
    from facegen_core.metrics.picture_metric import PictureMetric

    value = float(metric.compute())
    assert isinstance(metric, PictureMetric)
    return {"value": value, "details": metric.details(), "protocol": metric.protocol()}


def _lines(name: str, figure: dict[str, Any]) -> list[str]:
    protocol = ", ".join(f"{key}: {value}" for key, value in figure["protocol"].items())
    details = [f"  {key:<24} {value:.4f}" for key, value in figure["details"].items() if value]
    return [f"{name:<26} {figure['value']:.4f}", *details, f"  {protocol}"]
