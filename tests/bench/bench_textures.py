"""How fast textures are painted and read: ``python tests/bench/bench_textures.py [--people N]``.

What the 20 textures of a person share is worked out once and kept. The speed is given beside that of painting each
texture from nothing, taking turns in one run, and beside that of writing the mesh's vertices as text.
Batches for the texture GAN come from the cache, beside the same batches decoded from the files, taking turns too.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import torch
from PIL import Image

from datamodules.prepare.facescape import TextureMap
from datamodules.prepare.texture_cache import FaceMips, build_texture_cache, open_texture_cache
from datamodules.textures import TextureDataset
from facegen_core.geometry.mesh import format_vertices
from facegen_core.population.anatomy import Anatomy, anatomy
from facegen_core.population.complexion import complexion
from facegen_core.population.expressions import FACESCAPE, personal_strengths
from facegen_core.population.identity import Identity, draw_identity
from facegen_core.population.skin import paint

SIZES = (64, 256, 1024)
PICTURES, MAP, FILES, BATCH, TURNS = (16, 64, 256), 1024, 32, 16, 5


def main() -> None:
    """Prints milliseconds a painted texture by its size, and a mesh; and batches a second by the size of pictures."""
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
    with tempfile.TemporaryDirectory(prefix="facegen-bench-") as folder:
        bench_batches(Path(folder))


def bench_batches(root: Path) -> None:
    """Batches of 16 pictures from the cache, and from the files: decoded, cut and resized."""
    random = np.random.default_rng(0)
    textures = [TextureMap(f"{i}.jpg", i, 0, "neutral") for i in range(FILES)]
    for texture in textures:  # smooth as skin, grainy as a photograph
        smooth = Image.fromarray(random.integers(60, 200, (16, 16, 3), dtype=np.uint8)).resize((MAP, MAP))
        pixels = np.asarray(smooth) + random.normal(0, 4, (MAP, MAP, 3))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(root / texture.path, quality=95)
    mips = FaceMips(PICTURES)
    cache = open_texture_cache(
        build_texture_cache(root, textures, mips, root / "cache", "raise"), mips, "raise", TextureMap
    )
    labels = torch.arange(FILES)
    dataset = TextureDataset(cache.rows, np.arange(FILES), labels, labels, mips)
    print(f"\nbatches of {BATCH} a second      from the cache   from {MAP} x {MAP} JPEGs   ratio")
    for side in PICTURES:
        cached, decoded = [], []
        for turn in range(TURNS):
            chosen = [(turn * BATCH + i) % FILES for i in range(BATCH)]
            start = time.perf_counter()
            dataset.__getitems__([(index, side, 1.0) for index in chosen])
            middle = time.perf_counter()
            rows = np.stack([FaceMips((side,)).row(root, textures[index])[0] for index in chosen])
            FaceMips((side,)).pictures(rows, side).float().div_(127.5).sub_(1)
            cached.append(middle - start)
            decoded.append(time.perf_counter() - middle)
        a, b = median(cached), median(decoded)
        print(f"{side:5d} pixels {1 / a:27.0f} {1 / b:24.2f} {b / a:7.0f}")


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
