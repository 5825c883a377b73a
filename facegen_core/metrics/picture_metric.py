"""What all metrics of pictures share: how they were made stands beside what they gave."""

from abc import abstractmethod
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

Tags = dict[str, str | int]


@dataclass(frozen=True)
class Protocol:
    """How a figure is made. Two figures may stand in one table only where these agree.

    Attributes:
        formula: what is computed, with its constants, and how pictures are averaged.
        judge: name of the network that looks at the pictures; "" where none does.
        framing: which part of a picture the judge is shown, and how it is aligned.
        resize: the filter that brings it to the judge's size.
        no_face: what becomes of a picture in which no face is found.
    """

    formula: str
    judge: str = ""
    framing: str = ""
    resize: str = ""
    no_face: str = ""


@dataclass(frozen=True)
class Measured:
    """What a metric gives.

    Attributes:
        value: ().
        details: figures that stand beside it: name -> value.
        notes: what its protocol says beyond :class:`Protocol`.
    """

    value: Tensor
    details: dict[str, float] = field(default_factory=dict)
    notes: Tags = field(default_factory=dict)


class PictureMetric(Metric):
    """Base of the picture metrics. A metric without pictures gives NaN.

    Sums are kept in float64 and added up over processes, so that shares of any size, none included, give the value of
    one process. Pictures are (B, 3, H, W), RGB, in [0, 1]; ``facegen_core.images.from_signed`` makes them of a batch's
    [-1, 1].

    Args:
        protocol: how it measures.
    """

    is_differentiable = False
    full_state_update = False
    count: Tensor
    without_face: Tensor

    def __init__(self, protocol: Protocol, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._protocol = protocol
        self._details: dict[str, float] = {}
        self._notes: Tags | None = None
        self.add_state("count", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("without_face", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    @abstractmethod
    def measure(self) -> Measured:
        """The value of all that was seen, by all processes."""

    def compute(self) -> Tensor:
        measured = self.measure()
        self._details = measured.details
        self._notes = {"count": int(self.count)}
        if self._protocol.no_face:
            self._notes["without_face"] = int(self.without_face)
        self._notes |= measured.notes
        return measured.value

    def details(self) -> dict[str, float]:
        """Figures that stand beside the value of the last ``compute``."""
        return dict(self._details)

    def protocol(self) -> Tags:
        """How the value of the last ``compute`` was made, and of how many pictures or pairs: tags for the tracker.

        It asks no other process, so that one may call it alone.
        """
        if self._notes is None:
            raise RuntimeError(f"{type(self).__name__}: compute() comes before protocol(), which says how many it saw")
        return {key: value for key, value in asdict(self._protocol).items() if value} | self._notes

    def reset(self) -> None:
        super().reset()
        self._details, self._notes = {}, None


class MeanPictureMetric(PictureMetric):
    """Mean of one number a picture, or a pair of pictures."""

    total: Tensor

    def __init__(self, protocol: Protocol, **kwargs: Any) -> None:
        super().__init__(protocol, **kwargs)
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def add(self, values: Tensor) -> None:
        """Takes in numbers (B,)."""
        self.total += values.double().sum()
        self.count += len(values)

    def measure(self) -> Measured:
        return Measured(self.total / self.count)


def protocol_tags(name: str, metric: PictureMetric) -> dict[str, str]:
    """A metric's protocol as tags of a run: ``judge.<name>`` and ``protocol.<name>.<what>``.

    Args:
        name: the metric's key in the tracker.
        metric: computed.
    """
    return as_tags(name, metric.protocol())


def as_tags(name: str, protocol: Tags) -> dict[str, str]:
    """A protocol as tags; of a figure that no metric object gave, :class:`Protocol` as a dictionary will do."""
    told = {key: str(value) for key, value in protocol.items() if value != ""}
    judge = {f"judge.{name}": told.pop("judge")} if "judge" in told else {}
    return judge | {f"protocol.{name}.{key}": value for key, value in told.items()}
