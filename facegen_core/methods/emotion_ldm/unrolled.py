"""Sampling that is trained through: memory for one forward of the network, however many steps there are."""

from torch import Tensor
from torch.utils.checkpoint import checkpoint

from facegen_core.methods.emotion_ldm.manipulation import EmotionModel


class Checkpointed:
    """A network that keeps no more of a forward than its inputs, and computes it again when gradients come.

    ``reverse_emotion`` with it in the network's place gives the same pictures and gradients. Besides the network's
    forward a step keeps nothing larger than latents. The price is one more forward a step.

    Args:
        model: predicts noise, of the same inputs always the same.
    """

    def __init__(self, model: EmotionModel) -> None:
        self.model = model

    def context(self, emotion: Tensor) -> Tensor:
        """As the network's."""
        return self.model.context(emotion)

    def __call__(self, latents: Tensor, t: Tensor, context: Tensor) -> Tensor:
        """As the network's."""
        made: Tensor = checkpoint(self.model, latents, t, context, use_reentrant=False, preserve_rng_state=False)
        return made
