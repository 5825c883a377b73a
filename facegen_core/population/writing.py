"""How embedded people are written as files, whatever the layout: one population a folder, each person whole."""

import json
import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from facegen_core.errors import FacegenError
from facegen_core.files import only_one, settle_text
from facegen_core.population.anatomy import Anatomy, anatomy
from facegen_core.population.identity import Person, draw_identity, neutral_heads
from facegen_core.population.skin import LEAST_PIXELS, MOST_PIXELS, paint
from facegen_core.progress import bar

PEOPLE_AT_A_TIME = 4
TEXTURE_PIXELS = 256
JPEG_QUALITY = 95
MANIFEST = "population.json"
VERSION = 3
"""Raised whenever the same seed gives other people."""

Chunk = list[tuple[int, str]]
"""Numbers and names of people that are written together."""


@dataclass(frozen=True)
class Population:
    """What decides every byte of a written population; kept as ``population.json`` in its folder."""

    layout: str
    people: int
    seed: int
    pixels: int
    items: int
    version: int = VERSION


class Layout(NamedTuple):
    """How people become files.

    Attributes:
        name: the layout's name.
        whole: the file or folder that says that a person is whole, below the population's; {} is the person's name.
        names: (seed, people) -> names of people 0, 1, ...; more people leave the first ones' names as they are.
        write_person: (folder, person, anatomy, pixels) -> writes one person's files, as they lie in the whole, below a
            folder. A function of a module, or a partial of one: it is sent to other processes.
        items: how many meshes with a texture, or pictures, a person has.
        bytes_a_vertex: disk that an item takes for each of the head's vertices.
        finish: (folder) -> writes what lists everybody, once all are there.
    """

    name: str
    whole: str
    names: Callable[[int, int], list[str]]
    write_person: Callable[[Path, Person, Anatomy, int], None]
    items: int
    bytes_a_vertex: int = 0
    finish: Callable[[Path], None] | None = None


def write_population(out: Path, layout: Layout, people: int, seed: int, pixels: int) -> None:
    """Writes people in a layout.

    A folder that is complete is left as it is, one that was interrupted is completed, one with fewer people grown.

    Args:
        out: folder to write to.
        layout: how.
        people: how many.
        seed: which population.
        pixels: side of the textures or pictures, 16 to 1024.

    Raises:
        FacegenError: a number is out of range, the folder holds something else, or the disk is too full.
    """
    if people < 1:
        raise FacegenError(f"--people {people}: a population has at least one person.")
    if not LEAST_PIXELS <= pixels <= MOST_PIXELS:
        raise FacegenError(f"{pixels} pixels: textures and pictures have {LEAST_PIXELS} to {MOST_PIXELS} a side.")
    out.mkdir(parents=True, exist_ok=True)
    _refuse_foreign(out)  # before a lock file is put there
    with only_one(out / ".lock"):
        _claim(out, Population(layout.name, people, seed, pixels, layout.items))
        _write_missing(out, layout, people, seed, pixels)
        if layout.finish is not None:
            layout.finish(out)


def write_texture(
    path: Path, person: Person, actions: npt.NDArray[np.float64], shared: Anatomy, texture_pixels: int
) -> None:
    """Paints the person's skin with facial actions (A,) and writes it as a JPEG."""
    Image.fromarray(paint(person.identity, actions, shared, texture_pixels)).save(path, quality=JPEG_QUALITY)


def _write_missing(out: Path, layout: Layout, people: int, seed: int, pixels: int) -> None:
    for unfinished in out.glob(".*.tmp"):  # of a process that was killed
        shutil.rmtree(unfinished, ignore_errors=True)
    names = layout.names(seed, people)
    missing = [(i, name) for i, name in enumerate(names) if not (out / layout.whole.format(name)).exists()]
    if not missing:
        return
    shared = anatomy()  # also lets anny fill its cache once, before the processes that use it start
    an_item = layout.bytes_a_vertex * len(shared.template) + pixels**2  # about a byte a pixel of a jpg
    _need_room(out, len(missing) * layout.items * an_item)
    chunks = [missing[i : i + PEOPLE_AT_A_TIME] for i in range(0, len(missing), PEOPLE_AT_A_TIME)]
    write = partial(_write_people, out, layout, seed, pixels)
    with bar(people, "write people", "person", initial=people - len(missing)) as progress:
        for done in _written(write, chunks):
            progress.update(done)


def _written(write: Callable[[Chunk], int], chunks: list[Chunk]) -> Iterator[int]:
    """Writes chunks, each by one thread, so that bytes do not hang on how many there are; yields how many people."""
    if len(chunks) == 1:  # a process of its own would take seconds to start
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield write(chunks[0])
        finally:
            torch.set_num_threads(threads)
        return
    context = multiprocessing.get_context("forkserver")
    count = min(os.cpu_count() or 1, len(chunks))
    with ProcessPoolExecutor(count, mp_context=context, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for done in as_completed([pool.submit(write, chunk) for chunk in chunks]):
            yield done.result()


def _write_people(out: Path, layout: Layout, seed: int, pixels: int, people: Chunk) -> int:
    shared = anatomy()
    identities = [draw_identity(seed, number, shared) for number, _ in people]
    heads = neutral_heads(identities, shared)
    for (number, name), identity, neutral in zip(people, identities, heads, strict=True):
        temporary, last = out / f".{name}.{os.getpid()}.tmp", out / f".{name}.{os.getpid()}.last.tmp"
        person = Person(seed, number, name, identity, neutral)
        layout.write_person(temporary, person, shared, pixels)
        whole = layout.whole.format(name)
        (temporary / whole).rename(last)
        _move_files(temporary, out)
        (out / whole).parent.mkdir(parents=True, exist_ok=True)
        last.rename(out / whole)
        shutil.rmtree(temporary)
    return len(people)


def _move_files(source: Path, target: Path) -> None:
    """Puts every file below ``source`` at the same place below ``target``, over what an interrupted writer left."""
    for path in [path for path in source.rglob("*") if path.is_file()]:
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        path.replace(place)


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
    settle_text(note, json.dumps(asdict(wanted), indent=1) + "\n")


def _need_room(out: Path, wanted: int) -> None:
    free = shutil.disk_usage(out).free
    if free < wanted:
        raise FacegenError(f"{out}: needs {wanted / 2**30:.1f} GiB of disk, {free / 2**30:.1f} GiB are free.")
