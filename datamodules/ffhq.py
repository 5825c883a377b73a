"""FFHQ, in any of its versions."""

from pathlib import Path

from datamodules.config import FFHQConfig
from datamodules.pictures import PictureDataModule
from datamodules.prepare.ffhq import FFHQ, find_ffhq


class FFHQDataModule(PictureDataModule):
    """FFHQ's pictures, without labels, in the official split; see :class:`PictureDataModule`."""

    config: FFHQConfig

    def find(self, root: Path) -> FFHQ:
        """The pictures of the version asked for."""
        return find_ffhq(root, self.config.version)
