"""What is known of a pretrained network's file."""

from dataclasses import dataclass
from typing import Literal

from facegen_core.encoders.base import Preprocessing


@dataclass(frozen=True)
class WeightSpec:
    """A file of pretrained weights, or a folder in the layout of diffusers.

    Attributes:
        name: what configurations call it.
        file: its name as its owners hand it out, below the folder of weights.
        purpose: what it is used for here.
        source: where its owners hand it out.
        licence: of the weights; "unstated" where the owners say none.
        check: how to tell that a file is the right one: "git" (SHA-1 of a git blob, for files kept in a git
            repository), "sha256" (all of it or how it begins), or "none" where the owners publish no digest.
        digest: the expected value, in hex.
        parameters: how many numbers were learnt, running statistics of batch normalisation left out; None where that
            is not known.
        url: what `facegen weights get` downloads; empty where the owners give no address that a program can use.
        preprocessing: how pictures are made ready for it; None where that is not ours to do.
        classes: what its outputs stand for, in their order, of a classifier of emotions.
        probabilities: whether its last layer is a softmax, so that outputs are probabilities and not logits.
    """

    name: str
    file: str
    purpose: str
    source: str
    licence: str
    check: Literal["git", "sha256", "none"] = "none"
    digest: str = ""
    parameters: int | None = None
    url: str = ""
    preprocessing: Preprocessing | None = None
    classes: tuple[str, ...] = ()
    probabilities: bool = False
