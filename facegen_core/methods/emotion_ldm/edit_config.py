"""How an emotion is changed. Plain values only."""

import math
from dataclasses import dataclass
from typing import Literal

from facegen_core.diffusion.timesteps import strided_steps
from facegen_core.errors import ConfigError


@dataclass
class EditConfig:
    """An edit: inversion under the source emotion, reverse under the target's. Defaults give "Ours" of [P table 1].

    Attributes:
        strength: time t0 that pictures are inverted to; 400, 500 and 600 in [P table 3].
        steps: stops on the way, the same both ways; 20, 40 and 80 in [P table 4].
        guidance: gamma of [P eq. 12]; 1 to 5 in [P table 3].
        inversion_guidance: "same": the inversion is guided too, towards the source emotion [A]. "none": it is
            conditioned on the source emotion alone. The paper does not say; the code gave its numbers.
        at: time that the network is told in the inversion: of each step's "destination" [A] or "origin" [P eq. 8].
        eta: new noise in the reverse; 0 in [P] and [A].
    """

    strength: int = 500
    steps: int = 40
    guidance: float = 5.0
    inversion_guidance: Literal["same", "none"] = "same"
    at: Literal["destination", "origin"] = "destination"
    eta: float = 0.0

    def check(self) -> None:
        """Refuses steps that coincide, and numbers outside their range."""
        try:
            strided_steps(self.strength, self.steps)
        except ConfigError as error:
            raise ConfigError(f"edit.strength, edit.steps: {error}") from None
        if not (math.isfinite(self.guidance) and self.guidance >= 0):
            raise ConfigError(f"edit.guidance = {self.guidance}: must be a finite number, 0 or more.")
        if not 0 <= self.eta <= 1:
            raise ConfigError(f"edit.eta = {self.eta}: must be from 0 to 1.")
