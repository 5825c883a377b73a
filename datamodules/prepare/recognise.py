"""Which data set a folder holds."""

from pathlib import Path

from datamodules.prepare.affectnet import find_affectnet, is_affectnet
from datamodules.prepare.bp4d_check import check_bp4d, is_bp4d
from datamodules.prepare.facescape import check_facescape, is_facescape
from datamodules.prepare.ffhq import find_ffhq, is_ffhq, versions
from datamodules.prepare.picture_cache import PictureSet
from datamodules.prepare.picture_check import check_pictures
from datamodules.prepare.picture_folder import PictureFolder, has_pictures
from facegen_core.errors import DatasetNotFoundError

KNOWN = """Known are:
  FaceScape   <person>/models_reg/<k>_<expression>.obj               https://facescape.nju.edu.cn
  BP4D        AUCoding/AU_OCC/F001_T1.csv, Registered/               https://www.cs.binghamton.edu/~lijun/Research/3DFE/
  AffectNet   Manually_Annotated_Images/ with lists, or train_set/   http://mohammadmahoor.com/affectnet/
  FFHQ        images1024x1024/, thumbnails128x128/                   https://github.com/NVlabs/ffhq-dataset
  pictures    any folder of .jpg, .png, ...
Without any: facegen data population --layout facescape|bp4d|affectnet|ffhq|pairs --out DIR"""


def recognise(root: Path) -> str:
    """Names the data set: "bp4d", "affectnet", "ffhq", "facescape", or "folder" for pictures in no known layout.

    Raises:
        DatasetNotFoundError: no folder, or none of these in it.
    """
    if not root.is_dir():
        raise DatasetNotFoundError(f"{root}: no such folder.\n{KNOWN}")
    tests = {"bp4d": is_bp4d, "affectnet": is_affectnet, "ffhq": is_ffhq, "facescape": is_facescape,
             "folder": has_pictures}  # fmt: skip
    for name, is_it in tests.items():
        if is_it(root):
            return name
    raise DatasetNotFoundError(f"{root}: no data set found.\n{KNOWN}")


def find_picture_set(root: Path, dataset: str, annotation: str = "manual", version: str | None = None) -> PictureSet:
    """The pictures of a folder.

    Args:
        root: the data set's folder.
        dataset: "affectnet", "ffhq" or "folder"; "auto" looks.
        annotation: of AffectNet: "manual" or "automatic".
        version: of FFHQ: "images", "thumbnails" or "in_the_wild"; if none, the first that is there.

    Raises:
        DatasetNotFoundError: it holds no such pictures.
    """
    name = recognise(root) if dataset == "auto" else dataset
    if name == "affectnet":
        return find_affectnet(root, annotation)
    if name == "ffhq":
        return find_ffhq(root, version)
    if name == "folder":
        return PictureFolder(root)
    raise DatasetNotFoundError(f"{root}: {name} is made ready by its first training; there is nothing to prepare.")


def check(root: Path, deep: bool = False) -> str:
    """Says what a folder has, what it lacks and what would be skipped, whichever data set it is.

    Args:
        root: the data set's folder.
        deep: also read every file that would be read.

    Raises:
        DatasetNotFoundError: no data set is there.
    """
    name = recognise(root)
    if name == "bp4d":
        return check_bp4d(root, deep)
    if name == "facescape":
        return check_facescape(root, deep)
    kinds = versions(root) if name == "ffhq" else [None]
    return "\n".join(check_pictures(find_picture_set(root, name, version=version), deep) for version in kinds)
