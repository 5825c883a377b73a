"""Downloads a network's file, when the user asks for it and never otherwise."""

import urllib.error
import urllib.request
from pathlib import Path

from facegen_core.errors import WeightsNotFoundError
from facegen_core.files import CHUNK_BYTES, atomic_path
from facegen_core.progress import bar
from facegen_core.weights.files import digest, is_published, near, trouble, weights_folder
from facegen_core.weights.spec import WeightSpec
from facegen_core.weights.table import WEIGHTS

TIMEOUT_SECONDS = 30


def get_weights(name: str, url: str = "") -> Path:
    """Downloads a file into the folder of weights; it appears there whole and checked, or not at all.

    Args:
        name: of ``facegen weights list``.
        url: where to get it instead of where the table says.

    Returns:
        Its path; a file that is there already and is the published one is left alone.

    Raises:
        WeightsNotFoundError: no such name, no address, no network, or another file than the published one.
    """
    spec = WEIGHTS.get(name)
    if spec is None:
        raise WeightsNotFoundError(f"{name}: no known network{near(name)}.")
    path = weights_folder() / spec.file
    if path.exists() and is_published(path, spec):
        return path
    address = url or spec.url
    if not address:
        raise WeightsNotFoundError(
            f"{name}: no program can download it. Get {spec.file} by hand from {spec.source} (licence: {spec.licence}) "
            f"and put it at {path}, or give its address with --url."
        )
    try:
        with atomic_path(path) as temporary:
            _fetch(address, temporary, spec.file)
            _check(temporary, spec, address)
    except (OSError, ValueError) as error:  # URLError is an OSError; ValueError: no address at all
        reason = error if isinstance(error, urllib.error.HTTPError) else getattr(error, "reason", None) or error
        raise WeightsNotFoundError(
            f"{name}: {address} could not be downloaded ({reason}). Get it on a machine that can, and put it at {path}."
        ) from error
    return path


def _fetch(address: str, path: Path, title: str) -> None:
    request = urllib.request.Request(address, headers={"User-Agent": "facegen"})
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer, path.open("wb") as file:
        length = int(answer.headers.get("Content-Length") or 0)
        with bar(length or None, title, "B") as progress:
            while chunk := answer.read(CHUNK_BYTES):
                file.write(chunk)
                progress.update(len(chunk))
        if length and file.tell() != length:
            raise urllib.error.ContentTooShortError(f"{file.tell()} of {length} bytes", (title, answer.headers))


def _check(path: Path, spec: WeightSpec, address: str) -> None:
    if not is_published(path, spec):
        raise WeightsNotFoundError(
            f"{spec.name}: what {address} gave is not the published file: its {spec.check} digest is "
            f"{digest(path, spec.check)}, expected {spec.digest}. Nothing was kept."
        )
    if wrong := trouble(path):
        raise WeightsNotFoundError(f"{spec.name}: {address} gave {wrong}. Nothing was kept.")
