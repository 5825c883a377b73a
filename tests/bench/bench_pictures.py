"""How fast pictures are read: ``python tests/bench/bench_pictures.py [--files N] [--pixels R]``.

Batches of AffectNet's old layout from the cache, beside the same batches decoded from the files, cropped to their boxes
and resized, as the cache is made; taking turns in one run. The files are 512 x 512 JPEGs of quality 90.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import torch
from helpers.raw_pictures import row, save, write_list
from PIL import Image

from datamodules.affectnet import AffectNetDataModule
from datamodules.config import AffectNetConfig
from datamodules.prepare.affectnet import find_affectnet
from datamodules.prepare.picture_cache import PictureReader, choose_framing
from datamodules.prepare.report import Tally

FILE, BOX, BATCH, TURNS = 512, (96, 80, 320, 352), 32, 15


def main() -> None:
    """Prints pictures a second."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=256)
    parser.add_argument("--pixels", type=int, nargs="+", default=[64, 128, 256])
    arguments, _ = parser.parse_known_args()
    with tempfile.TemporaryDirectory(prefix="facegen-bench-") as folder:
        size = write(Path(folder), arguments.files)
        print(f"\n{arguments.files} JPEGs of {FILE} x {FILE}, {size / 1024:.0f} KiB each; batches of {BATCH}")
        print("pictures a second   from the cache   from the files   ratio")
        for pixels in arguments.pixels:
            bench(Path(folder), pixels)


def write(root: Path, count: int) -> float:
    """AffectNet's old layout; returns the mean size of a file in bytes. Smooth as skin, grainy as a photograph."""
    random, rows = np.random.default_rng(0), []
    for i in range(count):
        smooth = Image.fromarray(random.integers(40, 220, (16, 16, 3), dtype=np.uint8)).resize((FILE, FILE))
        pixels = np.asarray(smooth) + random.normal(0, 4, (FILE, FILE, 1))
        path = root / "Manually_Annotated_Images" / str(i % 7) / f"{i}.jpg"
        save(path, pixels.clip(0, 255).astype(np.uint8), quality=90)
        rows.append(row(f"{i % 7}/{i}.jpg", i % 8, BOX))
    write_list(root / "Manually_Annotated_file_lists" / "training.csv", rows)
    return sum(path.stat().st_size for path in root.rglob("*.jpg")) / count


def bench(root: Path, pixels: int) -> None:
    """One line."""
    datamodule = AffectNetDataModule(AffectNetConfig(root=str(root), pixels=pixels, val_fraction=0.0), BATCH, 0)
    datamodule.setup("fit")
    pictures = find_affectnet(root)
    reader = PictureReader(pixels, choose_framing(pictures, "auto"))
    files = {file.path: file for file in pictures.files(Tally(), "box")}
    order = [files[datamodule.pictures.files[i].path] for i in datamodule.rows["train"]]
    dataset, cached, decoded = datamodule.datasets["train"], [], []
    for turn in range(TURNS):
        places = [((turn * BATCH + i) * 37 % len(order), i) for i in range(BATCH)]
        start = time.perf_counter()
        dataset.__getitems__(places)  # type: ignore[attr-defined]
        middle = time.perf_counter()
        batch = np.stack([reader.row(root, order[place]).values for place, _ in places])
        torch.from_numpy(batch).permute(0, 3, 1, 2).contiguous().float().div_(127.5).sub_(1)
        cached.append(middle - start)
        decoded.append(time.perf_counter() - middle)
    a, b = BATCH / median(cached), BATCH / median(decoded)
    print(f"{pixels:5d} x {pixels:<5d} {a:20.0f} {b:16.0f} {a / b:7.1f}")


if __name__ == "__main__":
    main()
