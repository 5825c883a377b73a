"""What is true of embedded people's pictures, as it lies beside them: ``truth/<person>.json``, one file a person."""

import json
from pathlib import Path
from typing import Any

from facegen_core.errors import DatasetNotFoundError

TRUTH = "truth/{}.json"
"""Of a person by name; there once all of the person's files are."""
MASKS = "masks"
"""Folder of the faces' masks, which are no pictures of people."""
ANOTHER = "counterfactual_of"
"""Fact of a picture that shows the one it names once more, with another emotion."""
FAINT = "faint"
"""Fact of a picture whose expression can hardly be seen."""
Truth = dict[str, Any]
"""``{"person": 7, "pictures": [{"file": path, ...}, ...]}``; the facts are listed in ``picture_writing.py``."""


def truth_files(root: Path) -> list[Path]:
    """The files below a data set's folder, in a fixed order; none where it is no population."""
    return sorted(root.glob(TRUTH.format("*")))


def read_truth(path: Path, *facts: str) -> Truth:
    """The truth about one person.

    Args:
        path: one of :func:`truth_files`.
        facts: what each picture must have besides its file.

    Raises:
        DatasetNotFoundError: it cannot be read, or lacks something.
    """
    try:
        truth: Truth = json.loads(path.read_text())
        for picture in truth["pictures"]:
            _ = [picture[fact] for fact in ("file", *facts)]
        return {**truth, "person": int(truth["person"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetNotFoundError(f"{path}: not the truth about a person's pictures: {error!r}") from None


def read_truths(root: Path, *facts: str) -> list[Truth]:
    """The truth about everybody, by their numbers; arguments and errors as in :func:`read_truth`."""
    return sorted((read_truth(path, *facts) for path in truth_files(root)), key=lambda truth: truth["person"])
