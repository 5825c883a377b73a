"""How fast textures are painted: ``python tests/bench/bench_textures.py [--people N]``.

What the 20 textures of a person share is worked out once and kept. The speed is given beside that of painting each
texture from nothing, taking turns in one run, and beside that of writing the mesh's vertices as text.
"""

import argparse
import sys
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from facegen_core.geometry.mesh import format_vertices
from facegen_core.population.anatomy import Anatomy, anatomy
from facegen_core.population.complexion import complexion
from facegen_core.population.expressions import FACESCAPE, personal_strengths
from facegen_core.population.identity import Identity, draw_identity
from facegen_core.population.skin import paint

SIZES = (64, 256, 1024)


def main() -> None:
    """Prints a table: milliseconds a texture by its size, and a mesh."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=3)
    shared, people = anatomy(), range(parser.parse_args().people)
    print("textures, ms each            a person's 20 in a row   each from nothing   ratio")
    for pixels in SIZES:
        paint(draw_identity(0, 0, shared), np.zeros(len(shared.action_names)), shared, pixels)  # the canvas is kept
        kept, fresh = [], []
        for person in people:
            identity = draw_identity(1, person, shared)
            kept.append(_twenty(identity, person, shared, pixels, forget=False))
            fresh.append(_twenty(identity, person, shared, pixels, forget=True))
        a, b = median(kept), median(fresh)
        print(f"{pixels:5d} pixels {a:34.1f} {b:19.1f} {b / a:7.1f}")
    start = time.perf_counter()
    for _ in FACESCAPE:
        format_vertices(shared.template.numpy())
    print(f"vertices of a mesh as text {(time.perf_counter() - start) / len(FACESCAPE) * 1e3:20.1f}")


def _twenty(identity: Identity, person: int, shared: Anatomy, pixels: int, forget: bool) -> float:
    """Milliseconds a texture of all 20 of a person."""
    complexion.cache_clear()
    start = time.perf_counter()
    for name in FACESCAPE:
        if forget:
            complexion.cache_clear()
        paint(identity, personal_strengths(1, person, name, shared.action_names), shared, pixels)
    return (time.perf_counter() - start) / len(FACESCAPE) * 1e3


if __name__ == "__main__":
    main()
