"""What the tables show: the trade of closeness for emotion, and ours against SDEdit at one accuracy."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

Point = Mapping[str, float]
"""Figures of one edit: "strength", "guidance", "emotion_accuracy", "psnr", ..."""

EXPECTED = {("psnr", "guidance"): -1, ("psnr", "strength"): -1,
            ("emotion_accuracy", "guidance"): 1, ("emotion_accuracy", "strength"): 1}  # fmt: skip
"""How a figure goes with a setting in [P table 3]: with both, closeness falls and accuracy rises."""


class Signs(NamedTuple):
    """How many pairs of edits, the same but for one setting, order a figure as expected.

    Attributes:
        agree: as expected.
        pairs: of all.
    """

    agree: int
    pairs: int


def trade_off(edits: Sequence[Point]) -> dict[tuple[str, str], Signs]:
    """Whether a grid shows the trade-off: for each of :data:`EXPECTED`, its pairs' signs.

    Args:
        edits: the grid's, of one target or of all together; pairs that lack the figure are left out.
    """
    return {(figure, setting): _signs(edits, figure, setting, sign) for (figure, setting), sign in EXPECTED.items()}


def _signs(edits: Sequence[Point], figure: str, setting: str, sign: int) -> Signs:
    other = "strength" if setting == "guidance" else "guidance"
    agree = pairs = 0
    for first, second in itertools.combinations(edits, 2):
        if first[other] == second[other] and first[setting] != second[setting] and figure in first and figure in second:
            up = (second[figure] - first[figure]) * (second[setting] - first[setting])
            agree, pairs = agree + int(sign * up > 0), pairs + 1
    return Signs(agree, pairs)


def summed(signs: Iterable[Mapping[tuple[str, str], Signs]]) -> dict[tuple[str, str], Signs]:
    """Signs of several grids together."""
    tables = list(signs)
    return {
        key: Signs(sum(table[key].agree for table in tables), sum(table[key].pairs for table in tables))
        for key in EXPECTED
    }


class AtAccuracy(NamedTuple):
    """A figure where a method reaches a given accuracy.

    Attributes:
        value: the figure.
        accuracy: at which it was read.
        reached: whether that is the accuracy asked for; else it is the method's nearest.
        between: strengths of the edits it was read between, the same twice where it is one edit's; and their guidance.
    """

    value: float
    accuracy: float
    reached: bool
    between: tuple[float, float, float]


def at_accuracy(edits: Sequence[Point], accuracy: float, figure: str, name: str = "emotion_accuracy") -> AtAccuracy:
    """The highest figure that a method has at an accuracy.

    The edits of one guidance lie on a curve by their strengths; between neighbours both figures are interpolated. Of
    several places with this accuracy the best counts, so that the method is shown at its best.

    Args:
        edits: of the method; one at least.
        accuracy: asked for.
        figure: wanted there; higher is better.
        name: of the accuracy.
    """
    found = []
    for guidance in sorted({edit["guidance"] for edit in edits}):
        curve = sorted((e for e in edits if e["guidance"] == guidance), key=lambda edit: edit["strength"])
        for a, b in itertools.pairwise(curve):
            low, high = sorted((a[name], b[name]))
            if low <= accuracy <= high and low < high:
                share = (accuracy - a[name]) / (b[name] - a[name])
                value = a[figure] + share * (b[figure] - a[figure])
                found.append(AtAccuracy(value, accuracy, True, (a["strength"], b["strength"], guidance)))
        found += [
            AtAccuracy(e[figure], accuracy, True, (e["strength"], e["strength"], guidance))
            for e in curve
            if e[name] == accuracy
        ]
    if found:
        return max(found, key=lambda place: place.value)
    nearest = min(edits, key=lambda edit: abs(edit[name] - accuracy))
    at = (nearest["strength"], nearest["strength"], nearest["guidance"])
    return AtAccuracy(nearest[figure], nearest[name], False, at)
