"""z_exp: what a face is asked to do, as numbers [P 3.2; C]."""

import re

import torch
import torch.nn.functional as F
from torch import Tensor

from facegen_core.errors import ConfigError
from facegen_core.names import find_name

_TERM = re.compile(r"(?:(?P<strength>[-+]?\d*\.?\d+)\*)?(?P<name>[A-Za-z_][A-Za-z0-9_-]*)")


def expression_codes(labels: Tensor, expressions: int) -> Tensor:
    """Codes (B, E) of a data set's labels: one-hot for classes (B,), multi-hot for action units (B, E).

    An action unit that is not known is taken as absent.
    """
    if labels.ndim == 1:
        return F.one_hot(labels, expressions).float()
    return labels.clamp(min=0).float()


def parse_expression(text: str, names: list[str]) -> Tensor:
    """A code from words: "smile", "0.6*smile+anger" for a mixture, "AU06+AU12" for action units.

    A mixture is the sum of scaled one-hot codes, as [P figure 7] shows without saying.

    Args:
        text: names of expressions, each with a strength before it if it is not 1, joined by "+".
        names: the E expressions or action units that were trained, in the order of their labels.

    Returns:
        (E,) float32.

    Raises:
        ConfigError: a name is unknown; the message has the nearest ones.
    """
    code = torch.zeros(len(names))
    for term in text.replace(" ", "").split("+"):
        match = _TERM.fullmatch(term)
        if match is None:
            raise ConfigError(f"expression '{text}': '{term}' is not a name or strength*name, such as 0.6*smile.")
        code[find_name(match["name"], names)] += float(match["strength"] or 1)
    return code


def parse_levels(text: str) -> Tensor:
    """Levels of intensity: "1", "0,0.5,1", or "0:1.5:5" for five evenly spaced ones from 0 to 1.5.

    Level L multiplies the expression's code: 0 is nearly neutral, 1 as trained, more is extrapolated [C].

    Returns:
        (L,) float32.

    Raises:
        ConfigError: the text is neither.
    """
    try:
        if ":" in text:
            first, last, count = text.split(":")
            if int(count) < 1:
                raise ValueError
            levels = torch.linspace(float(first), float(last), int(count))
        else:
            levels = torch.tensor([float(part) for part in text.split(",")])
        if not levels.isfinite().all():
            raise ValueError
        return levels
    except ValueError:
        raise ConfigError(f"intensity '{text}': expected a number, a list 0,0.5,1 or first:last:count.") from None
