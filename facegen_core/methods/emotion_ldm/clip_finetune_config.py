"""Settings of EmotionLDM's fine-tuning towards one emotion. Plain values only: they travel in checkpoints."""

import difflib
import math
from dataclasses import dataclass, field
from typing import Literal

from facegen_core.diffusion.timesteps import strided_steps
from facegen_core.emotions import EMOTIONS
from facegen_core.errors import ConfigError
from facegen_core.methods.emotion_ldm.edit_config import EditConfig

DirectionalForm = Literal["log", "cosine"]
Guide = Literal["clip", "judge"]
WORDS = {
    "happy": "happy", "sad": "sad", "surprise": "surprised", "fear": "scared", "disgust": "disgusted", "anger": "angry",
}  # fmt: skip
"""The paper's words of the emotions that faces are given."""


@dataclass
class ClipFinetuneConfig:
    """What is tuned towards, and how far from the source.

    Attributes:
        target: the emotion that all faces are given, a name of ``EMOTIONS``; one model a target [P].
        edit: the inversion that pictures come from, and the steps of the reverse that is measured; the tuned model is
            for this strength and guidance.
        train_steps: stops of the reverse that is trained through [P, A: 6].
        guide: what says where a picture should go. "clip": texts, in the space of CLIP. "judge": the mean pictures of
            emotions, in the features of the embedded emotion judge; its figures are named ``judge_direction``.
        clip: which CLIP, a name of open_clip [P, A: ViT-B/16].
        directional_form: see ``directional.directional_loss``.
        directional_weight: of the directional loss [P: 1 to 3; A's hints: 3 at guidance 1, else 2].
        identity_weight: of 1 minus the cosine of what a recognition network sees of face and source [P, A: 1].
        l2_weight: of the mean squared difference to the source, in [-1, 1] [P, A: 1; A: mean, P eq. 11: sum].
        identity: the recognition network, as ``encoders/identity.py`` takes it; gradients must pass it.
        framing: how networks that look at faces are shown them. "whole": the aligned picture as it is [A]. "window":
            its fixed window where the five points of an average face lie as the network was trained to see them.
    """

    target: str = "happy"
    edit: EditConfig = field(default_factory=EditConfig)
    train_steps: int = 6
    guide: Guide = "clip"
    clip: str = "ViT-B-16-quickgelu"
    directional_form: DirectionalForm = "log"
    directional_weight: float = 2.0
    identity_weight: float = 1.0
    l2_weight: float = 1.0
    identity: str = "ir_se50"
    framing: Literal["whole", "window"] = "whole"

    @property
    def target_label(self) -> int:
        """The target's number."""
        return EMOTIONS.index(self.target)

    @property
    def directional_name(self) -> str:
        """What figures of the directional loss are called."""
        return "directional" if self.guide == "clip" else "judge_direction"

    def check(self) -> None:
        """Refuses what is no emotion, and numbers outside their range."""
        if self.target not in EMOTIONS:
            near = difflib.get_close_matches(self.target, EMOTIONS, 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise ConfigError(f"target = {self.target}: no such emotion.{hint} There are: {', '.join(EMOTIONS)}.")
        if self.guide == "clip" and self.target not in WORDS:
            raise ConfigError(
                f"target = {self.target}: the paper has no word for it. With guide=clip there are: {', '.join(WORDS)}; "
                "guide=judge knows all emotions."
            )
        for name in ("directional_weight", "identity_weight", "l2_weight"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ConfigError(f"{name} = {getattr(self, name)}: must be a finite number, 0 or more.")
        if self.edit.eta > 0:
            raise ConfigError(f"edit.eta = {self.edit.eta}: must be 0; what is tuned is the path without new noise.")
        try:
            strided_steps(self.edit.strength, self.train_steps)
        except ConfigError as error:
            raise ConfigError(f"train_steps: {error}") from None
