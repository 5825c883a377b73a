"""The judges of a run as files that ship, and the card that says what they are."""

import json
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from experiments.evaluate import fill_weights, read_checkpoint
from facegen_core.errors import CheckpointError
from facegen_core.files import atomic_path, file_digest
from facegen_core.methods.face_judge.files import MOST_BYTES, Kind, save_judge
from facegen_core.progress import say
from lightning_modules.face_judge import FaceJudgeModule

FILES: dict[Kind, str] = {"identity": "identity_judge.safetensors", "emotion": "emotion_judge.safetensors"}
CARD = "JUDGES.md"
PHOTOGRAPHS = "photographs.md"
"""In a run's folder: what was found on photographs; it goes into the card."""
USE = """\
* To measure whether generated or edited pictures keep a person, and which emotion they show, where no licensed network
  is at hand; to train with, as a loss. Figures by them are comparable with each other and with nobody else's.
* Not to recognise, verify or watch anybody. They know no real person, and are far from what is needed to tell real
  people apart.
* Faces that the population lacks (children, glasses, head coverings, sickness, strong profile) they have never seen."""


def write_judges(run: Path, checkpoint: Path | None, out: Path) -> None:
    """Writes both judges of a run, and their card.

    Args:
        run: the run's folder; its ``metrics.json``, if it has been evaluated, and its ``photographs.md``, if somebody
            wrote one, go into the card.
        checkpoint: which of its checkpoints; the newest if None.
        out: an existing folder.

    Raises:
        CheckpointError: no checkpoint, or networks too large to ship.
    """
    path, saved = read_checkpoint(run, checkpoint)
    module = FaceJudgeModule(**saved["hyper_parameters"])
    fill_weights(module, path, saved)
    lines = []
    for name, file in FILES.items():
        judge = getattr(module.judges, name)
        save_judge(judge, name, module.config, module.unit_names, out / file)
        size = (out / file).stat().st_size
        if size > MOST_BYTES:
            raise CheckpointError(f"{out / file}: {size} bytes, but a judge that ships has {MOST_BYTES} at most.")
        lines.append(
            f"| {file} | {sum(p.numel() for p in judge.parameters()):,} | {size:,} | {file_digest(out / file)} |"
        )
    with atomic_path(out / CARD) as temporary:
        temporary.write_text(_card(run, int(path.stem), lines))
    say(f"{out}: {', '.join(FILES.values())} and {CARD}")


def _card(run: Path, steps: int, lines: list[str]) -> str:
    scores = json.loads((run / "metrics.json").read_text()) if (run / "metrics.json").is_file() else {}
    shown = "\n".join(f"* {key}: {value:.4f}" for key, value in scores.items() if key != "step") or "* not measured yet"
    photographs = (run / PHOTOGRAPHS).read_text().strip() if (run / PHOTOGRAPHS).is_file() else "* not measured yet"
    return f"""# The embedded judges of identity and emotion

**Trained on synthetic people only.** No photograph, and no picture of a real person, was used.

| file | parameters | bytes | sha256 |
|---|---|---|---|
{chr(10).join(lines)}

## Made by

`facegen train face_judge profile=paper`, then `facegen export face_judge`; {steps} steps. Settings:

```yaml
{_settings(run)}
```

## Data

The embedded population, which the command writes (`population` above); people of a seed of their own, whom no other
stage is trained or tested on.

## Figures on embedded people held out

{shown}

## Figures on photographs of real people, none of whom it was trained on

{photographs}

## Meant for

{USE}
"""


def _settings(run: Path) -> str:
    """The run's settings that decide what is learnt: without its folders."""
    config = OmegaConf.load(run / "config.yaml")
    assert isinstance(config, DictConfig)
    kept = OmegaConf.masked_copy(config, ["seed", "trainer", "optim", "ema", "population", "model"])
    return OmegaConf.to_yaml(kept).strip()
