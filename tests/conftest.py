import os
from pathlib import Path

import pytest

os.environ.setdefault("FACEGEN_QUIET", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # test files run side by side, one on each core
REPOSITORY = Path(__file__).parents[1]


def real_folder() -> Path | None:
    """The folder of real faces: $FACEGEN_REAL, else ``shared`` beside the repository."""
    folder = Path(os.environ.get("FACEGEN_REAL", REPOSITORY.parent / "shared"))
    return folder if (folder / "data").is_dir() else None


@pytest.fixture(scope="session")
def real() -> Path:
    folder = real_folder()
    if folder is None:
        pytest.skip("no real faces: set FACEGEN_REAL to the folder that holds data/ and weights/")
    return folder
