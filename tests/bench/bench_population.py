"""How fast pictures of embedded people are taken: ``python -m tests.bench.bench_population [--people N]``.

Written as ``facegen data population --layout affectnet`` writes them, by all processors, and beside them, in one of
them, the same heads as bare textured meshes with the same sampling.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import torch

from facegen_core.geometry.camera import framing, head_camera
from facegen_core.geometry.render import render
from facegen_core.images import from_uint8
from facegen_core.population.affectnet_layout import write_affectnet
from facegen_core.population.anatomy import anatomy
from facegen_core.population.identity import draw_identity, neutral_heads
from facegen_core.population.portrait.portrait import ANTIALIAS
from facegen_core.population.skin import paint

PIXELS, PICTURES, WANTED = 128, 20, 10_000


def main() -> None:
    """Prints pictures a second, minutes for 10,000, and the ratio to bare heads."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=12)
    arguments, _ = parser.parse_known_args()
    anatomy()  # anny's cache is filled once on a machine
    with tempfile.TemporaryDirectory(prefix="facegen-bench-") as folder:
        start = time.perf_counter()
        write_affectnet(Path(folder) / "few", 1, seed=1, pixels=PIXELS, pictures=1)
        began = time.perf_counter()
        write_affectnet(Path(folder) / "people", arguments.people, seed=1, pixels=PIXELS, pictures=PICTURES)
        seconds = time.perf_counter() - began - (began - start)  # without what starting processes takes
    each = seconds / (arguments.people * PICTURES)
    bare = _bare_head()
    processors = os.cpu_count() or 1
    print(f"\npictures of embedded people, {PIXELS} x {PIXELS}, {processors} processors")
    print(f"  portraits  {1 / each:8.1f} a second, {each * WANTED / 60:.1f} minutes for {WANTED:,}")
    print(
        f"  bare heads {1 / bare:8.1f} a second in one process; a portrait costs {each * processors / bare:.1f} of them"
    )


def _bare_head() -> float:
    """Seconds for a textured head alone, painted and drawn."""
    shared = anatomy()
    torch.set_num_threads(1)
    target, distance = framing(shared.template[None])
    seconds = []
    for number in range(3):
        identity = draw_identity(1, number, shared)
        head = neutral_heads([identity], shared)
        camera = head_camera(torch.zeros(1), torch.zeros(1), distance=distance, target=target)
        for k in range(PICTURES):
            start = time.perf_counter()
            actions = torch.full((len(shared.action_names),), 0.01 * k).double()
            texture = from_uint8(paint(identity, actions.numpy(), shared, 2 * PIXELS))[None]
            moved = shared.express(head, actions[None])
            render(
                moved.float(), torch.from_numpy(shared.faces), camera, PIXELS, texture=texture,
                uv=torch.from_numpy(shared.uv), faces_uv=torch.from_numpy(shared.faces_uv), antialias=ANTIALIAS,
            )  # fmt: skip
            seconds.append(time.perf_counter() - start)
    return sum(seconds) / len(seconds)


if __name__ == "__main__":
    main()
