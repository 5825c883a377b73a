"""A trained EmotionLDM as a folder that diffusers opens, without facegen."""

import json
import shutil
from pathlib import Path

import torch
from diffusers import DDIMScheduler, VQModel

from experiments.emotion_ldm import emotion_tokens, pipeline
from experiments.emotion_ldm.emotion_tokens import EmotionTokens
from experiments.emotion_ldm.pipeline import EmotionEditPipeline
from experiments.emotion_ldm.trained import open_denoiser, open_first_stage
from facegen_core.emotions import EMOTIONS
from facegen_core.files import atomic_path
from facegen_core.methods.emotion_ldm.denoiser import EmotionDenoiser
from facegen_core.methods.emotion_ldm.denoiser_config import DenoiserConfig
from facegen_core.progress import say

_CARD = """\
# EmotionLDM, exported by facegen

Changes the emotion of a face. Pictures are of one upright face that fills them, {pixels} x {pixels} pixels. Emotions:
{emotions}.

```python
from diffusers import DiffusionPipeline

pipeline = DiffusionPipeline.from_pretrained("FOLDER", trust_remote_code=True)  # runs pipeline.py of this folder
edited = pipeline(picture, source="neutral", target="happy", strength=500, guidance_scale=5).images[0]
```

{made_from}
"""


def export_run(run: Path, checkpoint: Path | None, out: Path) -> None:
    """Writes a run of the EmotionLDM stage, with its averaged weights and the first stage it was trained on.

    Args:
        run: the run's folder, as it lies among others.
        checkpoint: which of its checkpoints; the newest if None.
        out: an existing folder.

    Raises:
        FacegenError: the run has no checkpoint, or its first stage is not there.
    """
    outputs = str(run.resolve().parents[2])  # <outputs>/emotion_ldm/emotion_ldm/<run>
    denoiser, config, reference = open_denoiser(str(checkpoint or run), outputs)
    first_stage, _, _ = open_first_stage(reference, outputs)
    at = f", step {checkpoint.stem}" if checkpoint else ""
    write_folder(first_stage, denoiser, config, out, f"Made by `facegen export emotion_ldm` of run {run.name}{at}.")
    say(f"{out}: {first_stage.num_parameters() + denoiser.unet.num_parameters():,} parameters; README.md opens it")


def write_folder(
    first_stage: VQModel, denoiser: EmotionDenoiser, config: DenoiserConfig, out: Path, made_from: str
) -> None:
    """Writes networks, tokens, scheduler, the code that runs them, and a card.

    Args:
        first_stage: the autoencoder.
        denoiser: the U-Net and its embeddings.
        config: the denoiser's, for the schedule.
        out: the folder.
        made_from: a sentence for the card.
    """
    tokens = EmotionTokens(names=EMOTIONS, dim=config.context_dim)
    tokens.load_state_dict({"named.weight": denoiser.emotions.weight, "null": denoiser.null})
    schedule = config.schedule
    scheduler = DDIMScheduler(
        num_train_timesteps=schedule.steps,
        beta_start=schedule.first,
        beta_end=schedule.last,
        beta_schedule=schedule.kind,
        clip_sample=False,
        set_alpha_to_one=False,  # a clean latent sits at time 0, as ours
    )
    for network in (first_stage, denoiser.unet):
        network.to(memory_format=torch.contiguous_format)  # as safetensors wants it
    EmotionEditPipeline(first_stage, denoiser.unet, tokens, scheduler).save_pretrained(out, safe_serialization=True)
    shutil.copyfile(pipeline.__file__, out / "pipeline.py")
    shutil.copyfile(emotion_tokens.__file__, out / "emotions" / "emotion_tokens.py")
    _point_to_copies(out / "model_index.json")
    pixels = first_stage.config["sample_size"]
    with atomic_path(out / "README.md") as temporary:
        temporary.write_text(_CARD.format(pixels=pixels, emotions=", ".join(EMOTIONS), made_from=made_from))


def _point_to_copies(index: Path) -> None:
    """Names the folder's own code where diffusers has named facegen's modules."""
    content = json.loads(index.read_text())
    content["_class_name"] = ["pipeline", EmotionEditPipeline.__name__]
    content["emotions"] = ["emotion_tokens", EmotionTokens.__name__]
    with atomic_path(index) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n")
