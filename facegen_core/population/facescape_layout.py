"""Writes embedded people as a FaceScape TU folder, so that the reader of the real data set reads them."""

import json
import multiprocessing
import os
import shutil
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from facegen_core.errors import FacegenError
from facegen_core.files import atomic_path, only_one
from facegen_core.geometry.mesh import format_topology, format_vertices
from facegen_core.population.anatomy import Anatomy, anatomy
from facegen_core.population.expressions import FACESCAPE, personal_strengths
from facegen_core.population.identity import Identity, draw_identity, neutral_heads
from facegen_core.population.skin import LEAST_PIXELS, MOST_PIXELS, paint
from facegen_core.progress import bar

PEOPLE_AT_A_TIME = 4
TEXTURE_PIXELS = 256
JPEG_QUALITY = 95
MANIFEST = "population.json"


@dataclass(frozen=True)
class Population:
    """What decides every byte of a written population; kept as ``population.json`` in its folder."""

    layout: str
    people: int
    seed: int
    texture_pixels: int
    version: int = 2
    """Raised whenever the same seed gives other people."""


def write_facescape(out: Path, people: int, seed: int, texture_pixels: int = TEXTURE_PIXELS) -> None:
    """Writes ``<id>/models_reg/<k>_<name>.obj`` with ``.obj.mtl`` and ``.jpg`` for people 1..N and all 20 expressions.

    A folder that is complete is left as it is, one that was interrupted is completed, one with fewer people grown.

    Args:
        out: folder to write to.
        people: how many.
        seed: which population.
        texture_pixels: side of the textures, 16 to 1024.

    Raises:
        FacegenError: a number is out of range, the folder holds something else, or the disk is too full.
    """
    if people < 1:
        raise FacegenError(f"--people {people}: a population has at least one person.")
    if not LEAST_PIXELS <= texture_pixels <= MOST_PIXELS:
        raise FacegenError(f"--texture-pixels {texture_pixels}: textures have {LEAST_PIXELS} to {MOST_PIXELS} a side.")
    out.mkdir(parents=True, exist_ok=True)
    _refuse_foreign(out)  # before a lock file is put there
    with only_one(out / ".lock"):
        _claim(out, Population("facescape", people, seed, texture_pixels))
        _write_missing(out, people, seed, texture_pixels)


def _write_missing(out: Path, people: int, seed: int, texture_pixels: int) -> None:
    for unfinished in out.glob(".*.tmp"):  # of a process that was killed
        shutil.rmtree(unfinished, ignore_errors=True)
    missing = [person for person in range(people) if not (out / str(person + 1)).is_dir()]
    if not missing:
        return
    shared = anatomy()  # also lets anny fill its cache once, before the processes that use it start
    _need_room(out, len(missing) * len(FACESCAPE) * (130 * len(shared.template) + texture_pixels**2))
    chunks = [missing[i : i + PEOPLE_AT_A_TIME] for i in range(0, len(missing), PEOPLE_AT_A_TIME)]
    context = multiprocessing.get_context("forkserver")
    with (
        ProcessPoolExecutor(min(os.cpu_count() or 1, len(chunks)), mp_context=context, initializer=_one_thread) as pool,
        bar(people, "write people", "person", initial=people - len(missing)) as progress,
    ):
        for done in as_completed(
            [pool.submit(partial(_write_people, out, seed, texture_pixels), chunk) for chunk in chunks]
        ):
            progress.update(done.result())


def _refuse_foreign(out: Path) -> None:
    """Refuses a folder with things in it that no population wrote; another process may be claiming it right now."""
    names = {path.name for path in out.iterdir()}
    ours = {name for name in names if name == ".lock" or name.startswith(f".{MANIFEST}.")}
    if names - ours and not (out / MANIFEST).is_file():
        raise FacegenError(f"{out}: is not empty and holds no population. Give another folder.")


def _claim(out: Path, wanted: Population) -> None:
    """Marks the folder as this population's, unless it is another's."""
    note = out / MANIFEST
    if note.is_file():
        found = json.loads(note.read_text())
        differs = [name for name, value in asdict(wanted).items() if name != "people" and found.get(name) != value]
        if differs:
            held = ", ".join(f"{name.replace('_', ' ')} {found.get(name)}" for name in differs)
            raise FacegenError(f"{out}: holds another population ({held}). Give another folder, or remove this one.")
        if found["people"] > wanted.people:
            raise FacegenError(
                f"{out}: holds {found['people']} people already. Give another folder for {wanted.people}."
            )
    with atomic_path(note) as temporary:
        temporary.write_text(json.dumps(asdict(wanted), indent=1) + "\n")


def _need_room(out: Path, wanted: int) -> None:
    free = shutil.disk_usage(out).free
    if free < wanted:
        raise FacegenError(f"{out}: needs {wanted / 2**30:.1f} GiB of disk, {free / 2**30:.1f} GiB are free.")


def _one_thread() -> None:
    torch.set_num_threads(1)


def _write_people(out: Path, seed: int, texture_pixels: int, people: list[int]) -> int:
    shared = anatomy()
    topology = format_topology(shared.faces, shared.uv, shared.faces_uv)
    identities = [draw_identity(seed, person, shared) for person in people]
    neutral = neutral_heads(identities, shared)
    for person, identity, head in zip(people, identities, neutral, strict=True):
        folder = out / f".{person + 1}.{os.getpid()}.tmp"
        (folder / "models_reg").mkdir(parents=True)
        for k, name in enumerate(FACESCAPE, start=1):
            actions = personal_strengths(seed, person, name, shared.action_names)
            _write_face(
                folder / "models_reg" / f"{k}_{name}", identity, head, actions, shared, topology, texture_pixels
            )
        folder.rename(out / str(person + 1))
    return len(people)


def _write_face(
    path: Path,
    identity: Identity,
    neutral: torch.Tensor,
    actions: npt.NDArray[np.float64],
    shared: Anatomy,
    topology: str,
    texture_pixels: int,
) -> None:
    """Writes a mesh, its material and its texture beside each other; ``path`` has no suffix."""
    head = shared.express(neutral[None], torch.from_numpy(actions)[None])[0].numpy()
    name = path.name
    material = f"newmtl {name}\nKa 0.2 0.2 0.2\nKd 1 1 1\nKs 0 0 0\nmap_Kd {name}.jpg\n"
    path.with_suffix(".obj.mtl").write_text(material)
    mesh = f"mtllib {name}.obj.mtl\n" + format_vertices(head) + f"usemtl {name}\n" + topology
    path.with_suffix(".obj").write_text(mesh)
    texture = paint(identity, actions, shared, texture_pixels)
    Image.fromarray(texture).save(path.with_suffix(".jpg"), quality=JPEG_QUALITY)
