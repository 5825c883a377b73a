"""Small data sets of pictures as their owners lay them out, with procedural pictures, each of its own colours."""

import csv
import json
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

HEADER = ["subDirectory_filePath", "face_x", "face_y", "face_width", "face_height", "facial_landmarks", "expression",
          "valence", "arousal"]  # fmt: skip
LABELS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1]
"""Of a list's pictures, in their order."""
ENDINGS = ["jpg", "png", "jpeg", "JPG", "bmp", "tif"]


def picture(number: int, width: int = 64, height: int = 48) -> np.ndarray:
    """Smooth colours (height, width, 3), different for each number, that change along both axes."""
    y, x = np.mgrid[0:height, 0:width] / max(width, height)
    random = np.random.default_rng(number)
    waves = [
        np.sin(2 * np.pi * (random.uniform(0.3, 1) * x + random.uniform(0.3, 1) * y + random.random())) for _ in "rgb"
    ]
    return (127.5 + 100 * np.stack(waves, axis=-1)).astype(np.uint8)


def save(path: Path, pixels: np.ndarray, **settings) -> Path:
    """As the ending of the name says; JPEG at a high quality."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **({"quality": 95} | settings))
    return path


def write_header(path: Path, width: int, height: int) -> None:
    """A PNG that promises many pixels and holds none."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (header, b"IDAT" + zlib.compress(b"\0"))
    data = b"".join(struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)


def points(width: int = 64, height: int = 48, angle: float = 0.0) -> np.ndarray:
    """68 landmarks (68, 2) in the middle of a picture, turned by ``angle`` radians about it."""
    along = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    face = np.stack([0.2 * height * np.cos(along), 0.25 * height * np.sin(along)], axis=1)
    eye = 0.03 * height * np.stack([np.cos(along[::12]), np.sin(along[::12])], axis=1)[:6]
    for place, side in ((slice(36, 42), -1), (slice(42, 48), 1)):
        face[place] = eye + 0.1 * height * np.array([side, -1])
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return face @ turn + [width / 2, height / 2]


def row(name: str, label: int | str, box: Sequence[float | str] = (16, 8, 32, 32), landmarks: np.ndarray | None = None):
    """A line of a list of the old release."""
    flat = points().ravel() if landmarks is None else landmarks.ravel()
    valence = "-2" if label in (9, 10) else "0.25"
    return [name, *map(str, box), ";".join(f"{value:.2f}" for value in flat), str(label), valence, valence]


def write_list(path: Path, rows: list[list[str]], header: Sequence[str] | None = HEADER) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows] if header else rows)
    return path


def write_affectnet(root: Path, nested: bool = False, header: bool = True, kind: str = "Manually") -> Path:
    """The old release: twelve training and three validation pictures, labelled 0 to 10."""
    images = root / f"{kind}_Annotated" / f"{kind}_Annotated_Images" if nested else root / f"{kind}_Annotated_Images"
    lists = root / f"{kind}_Annotated_file_lists"
    names = {"training.csv": LABELS, "validation.csv": [1, 0, 7]}
    if kind == "Automatically":
        names = {"automatically_annotated.csv": LABELS}
    for start, (name, labels) in enumerate(names.items()):
        rows = []
        for i, label in enumerate(labels):
            path = f"{1 + i % 3}/{start}{i:03d}hash.{ENDINGS[i % len(ENDINGS)]}"
            save(images / path, picture(100 * start + i))
            rows.append(row(path, label))
        write_list(lists / name, rows, HEADER if header or name != "validation.csv" else None)
    return root


def write_affectnet_2021(root: Path) -> Path:
    """The release of 2021: eight training and two validation pictures with gaps in their numbers."""
    for folder, labels in (("train_set", range(8)), ("val_set", (3, 1))):
        for i, label in enumerate(labels):
            number = 3 * i
            save(root / folder / "images" / f"{number}.jpg", picture(label, 56, 56))
            write_annotations(root / folder / "annotations", number, label)
    return root


def write_annotations(folder: Path, number: int, label: int | str) -> None:
    """Four arrays of a picture: texts without axes, and landmarks."""
    folder.mkdir(parents=True, exist_ok=True)
    for key, value in (("exp", str(label)), ("val", "0.1"), ("aro", "-0.25")):
        np.save(folder / f"{number}_{key}.npy", np.array(value))
    np.save(folder / f"{number}_lnd.npy", points(56, 56).ravel())


def ffhq_entry(number: int, category: str, side: int = 64, angle: float = 0.0) -> dict:
    """One picture's entry in the list, with what surrounds the parts that are read."""

    def part(folder: str, pixels: int) -> dict:
        path = f"{folder}/{number // 1000 * 1000:05d}/{number:05d}.png"
        return {"file_path": path, "file_size": 1, "file_md5": "0" * 32, "pixel_size": [pixels, pixels]}

    centre, half = np.array([40.0, 24.0]), 14.0
    x = half * np.array([np.cos(angle), np.sin(angle)])
    y = np.array([-x[1], x[0]])
    quad = [(centre - x - y).tolist(), (centre - x + y).tolist(), (centre + x + y).tolist(), (centre + x - y).tolist()]
    return {
        "category": category,
        "metadata": {"photo_title": 'A "name" with {braces}, \u00e9 and \\', "author": "", "country": None},
        "image": part("images1024x1024", side) | {"face_landmarks": points(side, side).tolist()},
        "thumbnail": part("thumbnails128x128", side),
        "in_the_wild": part("in-the-wild-images", side)
        | {"face_rect": [30, 14, 50, 30], "face_landmarks": points(64, 48).tolist(), "face_quad": quad},
    }


FFHQ_NUMBERS = (0, 1, 999, 1000, 59_999, 60_000, 69_999)


def write_ffhq(
    root: Path, folders: Sequence[str] = ("images1024x1024",), listed: bool = True, angle: float = 0.0
) -> Path:
    """Seven pictures; by the list, number 1 is for validation, which its number does not say."""
    for folder in folders:
        for number in FFHQ_NUMBERS:
            size = (64, 48) if folder == "in-the-wild-images" else (64, 64)
            save(root / folder / f"{number // 1000 * 1000:05d}" / f"{number:05d}.png", picture(number, *size))
        (root / folder / "LICENSE.txt").write_text("CC BY-NC-SA 4.0")
    if listed:
        entries = {
            str(n): ffhq_entry(n, "validation" if n == 1 or n >= 60_000 else "training", angle=angle)
            for n in FFHQ_NUMBERS
        }
        (root / "ffhq-dataset-v2.json").write_text(json.dumps(entries))
    return root


def write_folder(root: Path, names: Sequence[str] = ("a", "b"), each: int = 5) -> Path:
    """A plain folder: some pictures in each of its folders."""
    for i, name in enumerate(names):
        for j in range(each):
            save(root / name / f"{j}.png", picture(each * i + j))
    return root
