"""AffectNet, of either release."""

from pathlib import Path

import numpy as np

from datamodules.config import AffectNetConfig
from datamodules.pictures import LEFT_OUT, PictureDataModule, Rows
from datamodules.prepare.affectnet import find_affectnet
from datamodules.prepare.picture_cache import PictureSet
from facegen_core.emotions import EMOTIONS

NEUTRAL, CONTEMPT = EMOTIONS.index("neutral"), EMOTIONS.index("contempt")


class AffectNetDataModule(PictureDataModule):
    """AffectNet's pictures with their emotions, validated on its own list; see :class:`PictureDataModule`."""

    config: AffectNetConfig

    def find(self, root: Path) -> PictureSet:
        """The pictures of the release that is there."""
        return find_affectnet(root, self.config.annotation)

    def emotions(self, labels: Rows) -> Rows:
        """Contempt kept, counted as neutral, or left out."""
        instead = {"keep": CONTEMPT, "neutral": NEUTRAL, "drop": LEFT_OUT}[self.config.contempt]
        return np.where(labels == CONTEMPT, instead, labels)
