"""Writes embedded people as a BP4D folder with registered meshes, for the reader of the real data set."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from facegen_core.geometry.camera import framing, head_camera
from facegen_core.geometry.mesh import format_topology, format_vertices
from facegen_core.geometry.render import render
from facegen_core.images import from_uint8, to_uint8
from facegen_core.population.action_units import ACTION_UNITS, WITH_INTENSITY
from facegen_core.population.anatomy import Anatomy, anatomy
from facegen_core.population.identity import Person, draw_identity
from facegen_core.population.sequences import FRAMES, TASKS, play
from facegen_core.population.skin import paint
from facegen_core.population.writing import JPEG_QUALITY, TEXTURE_PIXELS, Layout, write_population
from facegen_core.seeding import numpy_generator

_CODING = 112
PICTURE_PIXELS = 128

CODED = range(1, FRAMES - 1)
"""Frames that are coded, and have a mesh: as in BP4D, a part of the sequence."""
UNKNOWN = 9
UNIT_UNKNOWN, FRAME_UNKNOWN = 0.03, 0.01
"""Probability that a unit is not coded in a whole sequence, and in one frame of it."""
STEPS = 5
"""Intensity 1, the full movement, is coded as 5; a unit counts as present from the first step."""
BYTES_A_VERTEX = 130
"""Of an OBJ file with its triangles and texture coordinates."""


def write_bp4d(out: Path, people: int, seed: int, texture_pixels: int = TEXTURE_PIXELS) -> None:
    """Writes people F001, M001, ... with eight sequences each: pictures, coded action units, registered meshes.

    ``Sequences(2D+3D)/F001/T1/000.jpg``, ``AUCoding/AU_OCC/F001_T1.csv``, ``AUCoding/AU_INT/AU06/F001_T1_AU06.csv``
    and ``Registered/F001/T1/001.obj`` with its texture ``001.jpg``. See
    :func:`facegen_core.population.writing.write_population`.

    Args:
        out: folder to write to.
        people: how many.
        seed: which population.
        texture_pixels: side of the textures, 16 to 1024.
    """
    layout = Layout("bp4d", "Sequences(2D+3D)/{}", _names, _write_person, len(TASKS) * len(CODED), BYTES_A_VERTEX)
    write_population(out, layout, people, seed, texture_pixels)


def _names(seed: int, people: int) -> list[str]:
    """F001, F002, ... and M001, M002, ...: numbered within a gender, in the order of the people."""
    shared = anatomy()
    female = shared.model.phenotype_labels.index("gender")
    count = {"F": 0, "M": 0}
    names = []
    for person in range(people):
        letter = "F" if draw_identity(seed, person, shared).phenotypes[female] > 0.5 else "M"
        count[letter] += 1
        names.append(f"{letter}{count[letter]:03d}")
    return names


def _write_person(out: Path, person: Person, shared: Anatomy, texture_pixels: int) -> None:
    topology = format_topology(shared.faces, shared.uv, shared.faces_uv)
    for task in range(len(TASKS)):
        place = Path(person.name, f"T{task + 1}")
        played = play(person.seed, person.number, task, shared)
        pictures, meshes = out / "Sequences(2D+3D)" / place, out / "Registered" / place
        for folder in (pictures, meshes):
            folder.mkdir(parents=True)
        heads = shared.express(person.neutral.expand(FRAMES, -1, -1), torch.from_numpy(played.actions))
        for frame, head in enumerate(heads):
            texture = paint(person.identity, played.actions[frame], shared, texture_pixels)
            _photograph(head, texture, shared).save(pictures / f"{frame:03d}.jpg", quality=JPEG_QUALITY)
            if frame in CODED:
                (meshes / f"{frame:03d}.obj").write_text(format_vertices(head.numpy()) + topology)
                Image.fromarray(texture).save(meshes / f"{frame:03d}.jpg", quality=JPEG_QUALITY)
        _write_coding(out / "AUCoding", f"{person.name}_T{task + 1}", _code(person, task, played.intensity))


def _photograph(head: Tensor, texture: npt.NDArray[np.uint8], shared: Anatomy) -> Image.Image:
    """The head (V, 3) from the front, before grey."""
    target, distance = framing(shared.template[None])
    camera = head_camera(torch.zeros(1), torch.zeros(1), distance=distance, target=target)
    picture = render(
        head[None].float(),
        torch.from_numpy(shared.faces),
        camera,
        PICTURE_PIXELS,
        texture=from_uint8(texture)[None],
        uv=torch.from_numpy(shared.uv),
        faces_uv=torch.from_numpy(shared.faces_uv),
        background=torch.full((3,), 0.5),
    )
    return Image.fromarray(to_uint8(picture[0]))


def _code(person: Person, task: int, intensity: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Coded intensities (T, 34): 0 to 5, and 9 where the coder could not tell."""
    random = numpy_generator(person.seed, _CODING, person.number, task)
    codes = np.rint(intensity * STEPS).clip(0, STEPS).astype(np.int64)
    codes[:, random.random(codes.shape[1]) < UNIT_UNKNOWN] = UNKNOWN
    codes[random.random(codes.shape) < FRAME_UNKNOWN] = UNKNOWN
    return codes


def _write_coding(folder: Path, sequence: str, codes: npt.NDArray[np.int64]) -> None:
    """A table of what occurs, with a header whose first column, of frames, is called 0; intensities have no header."""
    occurs = np.where(codes == UNKNOWN, UNKNOWN, np.minimum(codes, 1))
    rows = [[0, *ACTION_UNITS], *([frame, *occurs[frame].tolist()] for frame in CODED)]
    _write_table(folder / "AU_OCC" / f"{sequence}.csv", rows)
    for unit in WITH_INTENSITY:
        column = codes[:, list(ACTION_UNITS).index(unit)].tolist()
        name = f"AU{unit:02d}"
        _write_table(folder / "AU_INT" / name / f"{sequence}_{name}.csv", [[frame, column[frame]] for frame in CODED])


def _write_table(path: Path, rows: list[list[int]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
