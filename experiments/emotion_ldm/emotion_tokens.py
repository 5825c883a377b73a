"""The tokens that tell EmotionLDM's denoiser an emotion, as a part of a diffusers pipeline.

This file is copied into every exported folder and needs torch and diffusers alone.
"""

from collections.abc import Sequence

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn


class EmotionTokens(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Names of emotions -> tokens.

    Args:
        names: of the emotions.
        dim: length of a token.
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(self, names: Sequence[str], dim: int) -> None:
        super().__init__()
        self.named = nn.Embedding(len(names), dim)
        self.null = nn.Parameter(torch.zeros(1, dim))

    def forward(self, names: Sequence[str | None]) -> Tensor:
        """Tokens (B, 1, dim) of emotions; None is the learnt token of no emotion.

        Raises:
            ValueError: there is no emotion of that name.
        """
        known = {name: self.named.weight[i : i + 1] for i, name in enumerate(self.config.names)} | {None: self.null}
        if unknown := [name for name in names if name not in known]:
            raise ValueError(f"{unknown[0]!r} is no emotion; there are {', '.join(self.config.names)}")
        return torch.stack([known[name] for name in names])
