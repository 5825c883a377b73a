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
import torch
from PIL import Image

from facegen_core.errors import FacegenError
from facegen_core.files import atomic_path, only_one
from facegen_core.geometry.mesh import format_topology, format_vertices
from facegen_core.population.anatomy import Anatomy, anatomy
from facegen_core.population.expressions import FACESCAPE, personal_strengths
from facegen_core.population.identity import draw_identity, neutral_heads
from facegen_core.progress import bar
from facegen_core.seeding import numpy_generator

_TEXTURE = 102
PEOPLE_AT_A_TIME = 4
TEXTURE_PIXELS = 64
MANIFEST = "population.json"


@dataclass(frozen=True)
class Population:
    """What decides every byte of a written population; kept as ``population.json`` in its folder."""

    layout: str
    people: int
    seed: int
    version: int = 1
    """Raised whenever the same seed gives other people."""


def write_facescape(out: Path, people: int, seed: int) -> None:
    """Writes ``<id>/models_reg/<k>_<name>.obj`` with ``.obj.mtl`` and ``.jpg`` for people 1..N and all 20 expressions.

    A folder that is complete is left as it is, one that was interrupted is completed, one with fewer people grown.

    Args:
        out: folder to write to.
        people: how many.
        seed: which population.

    Raises:
        FacegenError: the folder holds something else, or the disk is too full.
    """
    if people < 1:
        raise FacegenError(f"--people {people}: a population has at least one person.")
    out.mkdir(parents=True, exist_ok=True)
    _refuse_foreign(out)  # before a lock file is put there
    with only_one(out / ".lock"):
        _claim(out, Population("facescape", people, seed))
        _write_missing(out, people, seed)


def _write_missing(out: Path, people: int, seed: int) -> None:
    for unfinished in out.glob(".*.tmp"):  # of a process that was killed
        shutil.rmtree(unfinished, ignore_errors=True)
    missing = [person for person in range(people) if not (out / str(person + 1)).is_dir()]
    if not missing:
        return
    shared = anatomy()  # also lets anny fill its cache once, before the processes that use it start
    _need_room(out, len(missing) * len(FACESCAPE) * 130 * len(shared.template))
    chunks = [missing[i : i + PEOPLE_AT_A_TIME] for i in range(0, len(missing), PEOPLE_AT_A_TIME)]
    context = multiprocessing.get_context("forkserver")
    with (
        ProcessPoolExecutor(min(os.cpu_count() or 1, len(chunks)), mp_context=context, initializer=_one_thread) as pool,
        bar(people, "write people", "person", initial=people - len(missing)) as progress,
    ):
        for done in as_completed([pool.submit(partial(_write_people, out, seed), chunk) for chunk in chunks]):
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
        found = Population(**json.loads(note.read_text()))
        if (found.layout, found.seed, found.version) != (wanted.layout, wanted.seed, wanted.version):
            raise FacegenError(
                f"{out}: holds another population ({found.layout}, seed {found.seed}, version {found.version}). "
                "Give another folder, or remove this one."
            )
        if found.people > wanted.people:
            raise FacegenError(f"{out}: holds {found.people} people already. Give another folder for {wanted.people}.")
    with atomic_path(note) as temporary:
        temporary.write_text(json.dumps(asdict(wanted), indent=1) + "\n")


def _need_room(out: Path, wanted: int) -> None:
    free = shutil.disk_usage(out).free
    if free < wanted:
        raise FacegenError(f"{out}: needs {wanted / 2**30:.1f} GiB of disk, {free / 2**30:.1f} GiB are free.")


def _one_thread() -> None:
    torch.set_num_threads(1)


def _write_people(out: Path, seed: int, people: list[int]) -> int:
    shared = anatomy()
    topology = format_topology(shared.faces, shared.uv, shared.faces_uv)
    neutral = neutral_heads([draw_identity(seed, person, shared) for person in people], shared)
    for person, head in zip(people, neutral, strict=True):
        _write_person(out, seed, person, head, shared, topology)
    return len(people)


def _write_person(out: Path, seed: int, person: int, neutral: torch.Tensor, shared: Anatomy, topology: str) -> None:
    temporary = out / f".{person + 1}.{os.getpid()}.tmp"
    folder = temporary / "models_reg"
    folder.mkdir(parents=True)
    tone = draw_identity(seed, person, shared).tone
    for k, name in enumerate(FACESCAPE, start=1):
        actions = personal_strengths(seed, person, name, shared.action_names)
        head = shared.express(neutral[None], torch.from_numpy(actions)[None])[0].numpy()
        stem = f"{k}_{name}"
        material = f"newmtl {stem}\nKa 0.2 0.2 0.2\nKd 1 1 1\nKs 0 0 0\nmap_Kd {stem}.jpg\n"
        (folder / f"{stem}.obj.mtl").write_text(material)
        header = f"mtllib {stem}.obj.mtl\n"
        (folder / f"{stem}.obj").write_text(header + format_vertices(head) + f"usemtl {stem}\n" + topology)
        _plain_skin(tone, numpy_generator(seed, _TEXTURE, person, k)).save(folder / f"{stem}.jpg", quality=90)
    temporary.rename(out / str(person + 1))


def _plain_skin(tone: np.ndarray, random: np.random.Generator) -> Image.Image:
    """A square of one skin colour with faint mottling."""
    mottle = random.normal(0, 0.015, (TEXTURE_PIXELS, TEXTURE_PIXELS, 1))
    return Image.fromarray((np.clip(tone + mottle, 0, 1) * 255).round().astype(np.uint8))
