"""A plain folder of pictures."""

from pathlib import Path

from datamodules.pictures import PictureDataModule
from datamodules.prepare.picture_folder import PictureFolder


class PictureFolderDataModule(PictureDataModule):
    """All pictures below a folder, labelled if its folders are named as emotions; see :class:`PictureDataModule`."""

    def find(self, root: Path) -> PictureFolder:
        """All of them."""
        return PictureFolder(root)
