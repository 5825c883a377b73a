"""Faces of the ICT model, made from real scans, written the way FaceScape is laid out."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from facegen_core.geometry.mesh import format_topology, format_vertices
from facegen_core.population.expressions import FACESCAPE
from facegen_core.progress import track
from facegen_core.seeding import numpy_generator

MM = 10.0  # the model is in cm
DECIMALS = 4
PEOPLE_WORTH_A_POOL = 4

# One preset for each of FaceScape's expressions; "X" stands for X_L and X_R where the model has sides.
PRESETS: dict[str, dict[str, float]] = {
    "neutral": {},
    "smile": {"mouthSmile": 1.0},
    "mouth_stretch": {"jawOpen": 1.0},
    "anger": {"browDown": 1.0, "noseSneer": 1.0},
    "jaw_left": {"jawLeft": 1.0},
    "jaw_right": {"jawRight": 1.0},
    "jaw_forward": {"jawForward": 1.0},
    "mouth_left": {"mouthLeft": 1.0},
    "mouth_right": {"mouthRight": 1.0},
    "dimpler": {"mouthDimple": 1.0},
    "chin_raiser": {"mouthShrugLower": 1.0},
    "lip_puckerer": {"mouthPucker": 1.0},
    "lip_funneler": {"mouthFunnel": 1.0},
    "sadness": {"mouthFrown": 1.0, "browInnerUp": 1.0},
    "lip_roll": {"mouthRollLower": 1.0, "mouthRollUpper": 1.0},
    "grin": {"mouthSmile": 1.0, "mouthStretch": 1.0, "jawOpen": 0.2},
    "cheek_blowing": {"cheekPuff": 1.0},
    "eye_closed": {"eyeBlink": 1.0},
    "brow_raiser": {"browInnerUp": 1.0, "browOuterUp": 1.0},
    "brow_lower": {"browDown": 1.0},
}
STRENGTH_SPREAD = 0.12
"""People perform an expression differently strongly: relative standard deviation of each shape."""


def ict_file(real: Path) -> Path:
    """The packed model inside the folder of real faces."""
    return real / "data" / "ict_face" / "ict_face.npz"


def ict_person(model: Path, seed: int, person: int, expressions: int = len(FACESCAPE)) -> np.ndarray:
    """Meshes (expressions, 26719, 3) float32, mm, centred on the mean face: a function of (seed, person)."""
    names, neutral, identity, expression, _, _, _ = _load(model)
    random = numpy_generator(seed, person)
    base = neutral + np.tensordot(random.standard_normal(len(identity), dtype=np.float32), identity, 1)
    meshes = []
    for name in list(FACESCAPE)[:expressions]:
        strengths = _strengths(names, PRESETS[name]) * (1 + STRENGTH_SPREAD * random.standard_normal(len(names)))
        meshes.append(base + np.tensordot(strengths.astype(np.float32), expression, 1))
    return (np.stack(meshes) - neutral.mean(0)) * np.float32(MM)


def ict_topology(model: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Triangles (F, 3), texture coordinates (T, 2), of 0 to 1 in their tile, and triangles into those (F, 3)."""
    *_, faces, uv, faces_uv = _load(model)
    return faces.astype(np.int64), (uv % 1).astype(np.float32), faces_uv.astype(np.int64)


def write_ict_facescape(
    out: Path, npz: Path, people: int, seed: int, workers: int = 2, expressions: int = len(FACESCAPE)
) -> None:
    """Writes ``<id>/models_reg/<k>_<name>.obj`` for people 1..N at the model's full 26,719 vertices.

    Args:
        out: folder to write to.
        npz: ``ict_face.npz``, see :func:`ict_file`.
        people: how many.
        seed: which people.
        workers: processes that write; few people are written in this one.
        expressions: how many of FaceScape's twenty, from neutral on.
    """
    write = partial(_write_person, out, seed, npz, expressions)
    if workers < 2 or people < PEOPLE_WORTH_A_POOL:
        for person in range(people):
            write(person)
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("forkserver")) as pool:
        for _ in track(pool.map(write, range(people)), "write ICT people", "person", people):
            pass


def _write_person(out: Path, seed: int, model: Path, expressions: int, person: int) -> None:
    folder = out / str(person + 1) / "models_reg"
    folder.mkdir(parents=True)
    topology = _topology(model)
    for k, (name, mesh) in enumerate(zip(FACESCAPE, ict_person(model, seed, person, expressions), strict=False), 1):
        (folder / f"{k}_{name}.obj").write_text(format_vertices(mesh, DECIMALS) + topology)


@lru_cache(maxsize=1)
def _load(model: Path) -> tuple[list[str], *tuple[np.ndarray, ...]]:
    with np.load(model) as packed:
        return (
            [str(name) for name in packed["expression_names"]],
            packed["neutral"],
            packed["identity"].astype(np.float32),
            packed["expression"].astype(np.float32),
            packed["faces"],
            packed["uv"],
            packed["faces_uv"],
        )


@lru_cache(maxsize=1)
def _topology(model: Path) -> str:
    *_, faces, uv, faces_uv = _load(model)
    return format_topology(faces, uv, faces_uv)


def _strengths(names: list[str], preset: dict[str, float]) -> np.ndarray:
    strengths = np.zeros(len(names))
    for shape, strength in preset.items():
        found = [i for i, name in enumerate(names) if name in (shape, f"{shape}_L", f"{shape}_R")]
        if not found:
            raise KeyError(f"the ICT model has no shape {shape}; it has {names}")
        strengths[found] = strength
    return strengths
