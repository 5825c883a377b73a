"""What ``facegen data check`` says of a data set of pictures."""

import tempfile
from collections import Counter
from pathlib import Path

from datamodules.prepare.picture_cache import PictureSet, build_picture_cache, choose_framing, open_picture_cache
from datamodules.prepare.report import Tally
from facegen_core.emotions import EMOTIONS
from facegen_core.types import UNKNOWN

PIXELS = 8
"""Side of the crops of a deep check, which are thrown away."""


def check_pictures(pictures: PictureSet, deep: bool = False) -> str:
    """Says what a data set has, what it lacks and what would be skipped.

    Args:
        pictures: all that were found.
        deep: also read and crop every picture.

    Raises:
        DatasetNotFoundError: its lists cannot be read.
    """
    framing = choose_framing(pictures, "auto")
    tally = Tally()
    files = pictures.files(tally, framing.needs)
    lines = [f"{pictures.root}: {pictures.title}, {len(files)} pictures to use; usual crop: {framing.name}"]
    for split in sorted({file.split for file in files}):
        labels = Counter(file.emotion for file in files if file.split == split)
        lines.append(f"{split or 'all'}: {sum(labels.values())} ({_labels(labels)})")
    lines += tally.lines()
    if not deep or not files:
        return "\n".join([*lines, "pictures not opened; --deep reads every one"])
    with tempfile.TemporaryDirectory(prefix="facegen-check-") as folder:
        cache = open_picture_cache(build_picture_cache(pictures, PIXELS, framing, Path(folder), "skip"))
    return "\n".join(
        [*lines, f"pictures opened: {len(files)}, of which can be used: {len(cache.files)}", *cache.found()]
    )


def _labels(labels: Counter[int]) -> str:
    if set(labels) == {UNKNOWN}:
        return "no labels"
    names = {UNKNOWN: "without a label"} | dict(enumerate(EMOTIONS))
    return ", ".join(f"{name} {labels[label]}" for label, name in names.items() if labels[label])
