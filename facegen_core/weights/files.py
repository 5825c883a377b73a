"""Finds the file of a pretrained network and checks that it is the published one. Nothing here downloads."""

import difflib
import hashlib
import os
from pathlib import Path

from facegen_core.errors import WeightsNotFoundError
from facegen_core.files import CHUNK_BYTES
from facegen_core.weights.spec import WeightSpec
from facegen_core.weights.table import WEIGHTS

FOLDER_VARIABLE = "FACEGEN_WEIGHTS"
EMBEDDED = Path(__file__).parent


def weights_folder() -> Path:
    """Where weights are looked for first: ``$FACEGEN_WEIGHTS``, else ``weights/`` in the working folder."""
    return Path(os.environ.get(FOLDER_VARIABLE, "weights"))


def find_weights(spec: WeightSpec) -> Path | None:
    """The file or folder of a network, or None.

    Looked for in :func:`weights_folder`, in this package, and where torch, facenet-pytorch and open_clip keep what
    they download themselves.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser()
    torch_home = Path(os.environ.get("TORCH_HOME", home / "torch")).expanduser()
    caches = (torch_home / "hub" / "checkpoints", torch_home / "checkpoints", Path("~/.cache/clip").expanduser())
    places = [folder / spec.file for folder in (weights_folder(), EMBEDDED, *caches)]
    return next((path for path in places if path.exists()), None)


def resolve_weights(name_or_path: str) -> Path:
    """The file of a named network, or a path given as it is.

    Raises:
        WeightsNotFoundError: no such file, or it is not the one its owners published; says which file goes where.
    """
    spec = WEIGHTS.get(name_or_path)
    if spec is None:
        if not Path(name_or_path).exists():
            raise WeightsNotFoundError(f"{name_or_path}: neither a file nor a known network{near(name_or_path)}.")
        return Path(name_or_path)
    path = find_weights(spec)
    if path is None:
        get = f", `facegen weights get {spec.name}` does that" if spec.url else ""
        raise WeightsNotFoundError(
            f"{spec.name}: {weights_folder() / spec.file} is missing. Get {spec.file} from {spec.source} (licence: "
            f"{spec.licence}) and put it there{get}, or set {FOLDER_VARIABLE} to the folder it is in."
        )
    if not is_published(path, spec):
        raise WeightsNotFoundError(
            f"{spec.name}: {path} is not the published file: its {spec.check} digest is {digest(path, spec.check)}, "
            f"expected {spec.digest}. Get it again from {spec.source}."
        )
    return path


def trouble(path: Path) -> str:
    """What a path is that holds no network of any kind, as far as that shows at once; "" if it may hold one."""
    if not path.is_file():
        return "a folder, not a file" if path.is_dir() else "no such file"
    with path.open("rb") as file:
        head = file.read(512)
    if not head:
        return "an empty file"
    if head.lstrip()[:1] == b"<":
        return "a web page, not weights"
    if head.startswith(b"version https://git-lfs"):
        return "a pointer of git LFS, not the file it points to"
    return ""


def near(name: str) -> str:
    """What to add to a message about a name that is in no table."""
    names = difflib.get_close_matches(name, WEIGHTS, n=3, cutoff=0.4)
    return f" ({'near: ' + ', '.join(names) + '; ' if names else ''}`facegen weights list` names all)"


def spec_of(path: Path) -> WeightSpec | None:
    """The row of the table a file belongs to, by its digest or, where the owners publish none, by its name."""
    digests = {check: digest(path, check) for check in ("git", "sha256")} if path.is_file() else {}
    for spec in WEIGHTS.values():
        if spec.digest and digests.get(spec.check, "").startswith(spec.digest):
            return spec
    same_name = (
        spec for spec in WEIGHTS.values() if path.parts[-len(Path(spec.file).parts) :] == Path(spec.file).parts
    )
    return next(same_name, None)


def name_of(path: Path, spec: WeightSpec | None) -> str:
    """What metric tags call a network: its name in the table if it is the published file, else that of its file."""
    return spec.name if spec and is_published(path, spec) else path.stem


def is_published(path: Path, spec: WeightSpec) -> bool:
    """Whether a file has the digest its owners publish; True where they publish none."""
    return spec.check == "none" or digest(path, spec.check).startswith(spec.digest)


def digest(path: Path, check: str) -> str:
    """Digest of a file in hex: "sha256", or "git" for the SHA-1 by which git names it."""
    if check == "git":
        total = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    else:
        total = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            total.update(chunk)
    return total.hexdigest()
