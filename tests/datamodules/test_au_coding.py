"""BP4D's tables with everything that is known to be odd in them."""

from pathlib import Path

import numpy as np
import pytest

from datamodules.prepare.au_coding import read_intensity, read_occurrence
from facegen_core.errors import BadSampleError
from facegen_core.population.action_units import ACTION_UNITS

UNITS = list(ACTION_UNITS)


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "F001_T1.csv"
    path.write_bytes(text.encode(encoding))
    return path


def occurrence(folder: Path, text: str, **unit_codes: list[int]) -> None:
    """Fails unless a table with three units reads as frames 7 and 9 with these codes."""
    coding = read_occurrence(written(folder, text))
    assert coding.frames.tolist() == [7, 9]
    for name, codes in unit_codes.items():
        assert coding.values[:, UNITS.index(int(name[2:]))].tolist() == codes, name


def test_nine_is_unknown_and_so_is_a_unit_without_a_column(tmp_path):
    coding = read_occurrence(written(tmp_path, "0,1,2,12\n7,0,1,9\n9,1,9,0\n"))
    expected = np.full((2, 34), -1)
    expected[:, [UNITS.index(u) for u in (1, 2, 12)]] = [[0, 1, -1], [1, -1, 0]]
    np.testing.assert_array_equal(coding.values, expected)
    assert coding.absent == tuple(unit for unit in UNITS if unit not in (1, 2, 12))


CODES = {"AU01": [0, 1], "AU02": [1, -1], "AU12": [-1, 0]}
TRAPS = {
    "columns in another order": "0,12,1,2\n7,9,0,1\n9,0,1,9\n",
    "column of frames not the first": "1,2,0,12\n0,1,7,9\n1,9,9,0\n",
    "units of other lists between": "0,1,2,3,8,12,99\n7,0,1,1,1,9,0\n9,1,9,1,1,0,0\n",
    "units by name": "frame,AU1,AU02,au12\n7,0,1,9\n9,1,9,0\n",
    "Windows line ends": "0,1,2,12\r\n7,0,1,9\r\n9,1,9,0\r\n",
    "empty lines": "\n0,1,2,12\n\n7,0,1,9\n   \n,,,\n9,1,9,0\n\n",
    "no last line end, spaces, quotes, a comma too many": '"0","1", 2 ,12,\n7, 0,1,9,\n9,1,9 ,0',
    "byte order mark": "\ufeff0,1,2,12\n7,0,1,9\n9,1,9,0\n",
}


@pytest.mark.parametrize("trap", TRAPS)
def test_real_tables_are_read_by_their_header(tmp_path, trap):
    occurrence(tmp_path, TRAPS[trap], **CODES)


def test_all_34_units_land_in_their_columns(tmp_path):
    """A header in a random order, and a random code for each."""
    random = np.random.default_rng(0)
    order = random.permutation(UNITS)
    codes = random.choice([0, 1, 9], (50, 34))
    rows = [
        [0, *order],
        *([i + 100, *row[np.argsort(UNITS)][[UNITS.index(u) for u in order]]] for i, row in enumerate(codes)),
    ]
    coding = read_occurrence(written(tmp_path, "\n".join(",".join(map(str, row)) for row in rows)))
    np.testing.assert_array_equal(coding.values, np.where(codes == 9, -1, codes))
    assert coding.absent == ()


BROKEN = {
    "a value too few": ("0,1,2\n7,0,1\n8,0\n", r"line 3: 2 values where 3 are expected"),
    "a value too many": ("0,1,2\n7,0,1,1\n", r"line 2: 4 values where 3"),
    "no number": ("0,1,2\n\n7,0,x\n", r"line 3: 'x' is no whole number"),
    "a fraction": ("0,1,2\n7,0,0.5\n", r"line 2: '0.5' is no whole number"),
    "a hole": ("0,1,2\n7,,1\n", r"line 2: '' is no whole number"),
    "another code": ("0,1,2\n7,0,1\n8,0,4\n", r"line 3: code 4; expected one of 0, 1, 9"),
    "a frame twice": ("0,1,2\n7,0,1\n8,0,1\n7,1,1\n", r"line 4: frame 7 a second time; it is in line 2"),
    "a frame below zero": ("0,1,2\n-7,0,1\n", r"line 2: frame -7"),
    "no header": ("7,0,0,1\n8,0,0,1\n", r"line 1: expected a header of different action units, found '7,0,0,1'"),
    "words for a header": ("frame,smile\n7,0\n", r"line 1: expected a header"),
    "a header alone": ("0,1,2\n", r"holds no frames"),
    "nothing": ("\n\n", r"is empty"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_table_is_named_with_its_line(tmp_path, name):
    text, says = BROKEN[name]
    with pytest.raises(BadSampleError, match=rf"F001_T1\.csv.*{says}"):
        read_occurrence(written(tmp_path, text))


def test_table_that_is_no_text_is_named(tmp_path):
    with pytest.raises(BadSampleError, match=r"F001_T1\.csv: cannot be read"):
        read_occurrence(written(tmp_path, "0,1,é\n", "utf-16"))


@pytest.mark.parametrize("text", ["7,0\n8,5\n\n9,9\n", "frame,AU06\r\n7,0\r\n8,5\r\n9,9\r\n"])
def test_intensities_need_no_header(tmp_path, text):
    coding = read_intensity(written(tmp_path, text))
    assert coding.frames.tolist() == [7, 8, 9]
    assert coding.values.tolist() == [[0], [5], [-1]]


@pytest.mark.parametrize(
    ("text", "says"), [("7,6\n", "line 1: code 6; expected one of 0, 1, 2, 3, 4, 5, 9"), ("7\n", "line 1: 1 values")]
)
def test_broken_intensities_are_named_with_their_line(tmp_path, text, says):
    with pytest.raises(BadSampleError, match=says):
        read_intensity(written(tmp_path, text))
