"""BP4D's tables of coded action units, read as they are: columns in any order, gaps, unknowns, empty lines."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from facegen_core.errors import BadSampleError
from facegen_core.geometry.mesh import Indices
from facegen_core.population.action_units import ACTION_UNITS
from facegen_core.types import UNKNOWN

NOT_CODED = 9
"""How the tables write that a unit could not be coded."""
OCCURRENCE, INTENSITY = (0, 1, NOT_CODED), (*range(6), NOT_CODED)


class Coding(NamedTuple):
    """One table.

    Attributes:
        frames: (N,) int64, numbers of the coded frames, as written.
        values: (N, C) int64: a column for each of the 34 units, -1 where unknown; or one column of intensities.
        absent: the units of the 34 that the table has no column for.
    """

    frames: Indices
    values: Indices
    absent: tuple[int, ...] = ()


def read_occurrence(path: Path) -> Coding:
    """A table of ``AU_OCC``: a header of unit numbers, then a frame's number and 0, 1 or 9 for each unit.

    Columns are found by their header, since releases differ in which they have and in their order. The column of frames
    is the one headed 0, else the first. Units that are not among the 34 are left out.

    Raises:
        BadSampleError: the table cannot be read; the message has the line.
    """
    lines = _lines(path)
    number, header = lines[0][0], _fields(lines[0][1])
    units = [_unit(field) for field in header]
    column = units.index(0) if 0 in units else 0
    named = [unit for i, unit in enumerate(units) if i != column]
    if not named or {None, 0} & set(named) or len(set(named)) < len(named):
        raise BadSampleError(
            f"{path}, line {number}: expected a header of different action units, found '{','.join(header)[:60]}'"
        )
    table = _numbers(path, lines[1:], len(header))
    values = np.full((len(table), len(ACTION_UNITS)), UNKNOWN, dtype=np.int64)
    for i, unit in enumerate(ACTION_UNITS):
        if unit in named:
            values[:, i] = table[:, units.index(unit)]
    frames = _frames(path, lines[1:], table[:, column])
    _refuse_other(path, lines[1:], values, (*OCCURRENCE, UNKNOWN))
    values[values == NOT_CODED] = UNKNOWN
    return Coding(frames, values, tuple(unit for unit in ACTION_UNITS if unit not in named))


def read_intensity(path: Path) -> Coding:
    """A table of ``AU_INT``: a frame's number and 0 to 5, or 9 for unknown, of one unit; a header is not needed.

    Raises:
        BadSampleError: the table cannot be read; the message has the line.
    """
    lines = _lines(path)
    if not all(_is_whole(field) for field in _fields(lines[0][1])):
        lines = lines[1:]
    table = _numbers(path, lines, 2)
    frames = _frames(path, lines, table[:, 0])
    values = table[:, 1:]
    _refuse_other(path, lines, values, INTENSITY)
    return Coding(frames, np.where(values == NOT_CODED, UNKNOWN, values))


Line = tuple[int, str]
"""A line's number, from 1, and what it holds."""


def _lines(path: Path) -> list[Line]:
    """All lines that hold something."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSampleError(f"{path}: cannot be read: {error}") from None
    stripped = ((number, line.strip(" ,")) for number, line in enumerate(text.splitlines(), start=1))
    lines = [(number, line) for number, line in stripped if line]
    if not lines:
        raise BadSampleError(f"{path}: is empty")
    return lines


def _fields(line: str) -> list[str]:
    return [field.strip(' "') for field in line.split(",")]


def _unit(field: str) -> int | None:
    """The number in a header's field, such as 6, 06 or AU06; None for anything else."""
    digits = field.upper().removeprefix("AU")
    return int(digits) if digits.isdigit() else None


def _numbers(path: Path, lines: list[Line], columns: int) -> Indices:
    """The fields as whole numbers, (N, columns)."""
    if not lines:
        raise BadSampleError(f"{path}: holds no frames")
    try:
        table = np.loadtxt([line for _, line in lines], np.int64, delimiter=",", comments=None, quotechar='"', ndmin=2)
        if table.shape[1] == columns:
            return table
    except ValueError:
        pass  # the line is found below
    for number, line in lines:
        fields = _fields(line)
        if len(fields) != columns:
            raise BadSampleError(f"{path}, line {number}: {len(fields)} values where {columns} are expected")
        if wrong := [field for field in fields if not _is_whole(field)]:
            raise BadSampleError(f"{path}, line {number}: '{wrong[0]}' is no whole number")
    raise BadSampleError(f"{path}: is no table of whole numbers")


def _is_whole(field: str) -> bool:
    return field.removeprefix("-").isdecimal()


def _frames(path: Path, lines: list[Line], frames: Indices) -> Indices:
    """The column of frames, if each is there once and none is negative."""
    first: dict[int, int] = {}
    for (number, _), frame in zip(lines, frames.tolist(), strict=True):
        if frame < 0:
            raise BadSampleError(f"{path}, line {number}: frame {frame}")
        if first.setdefault(frame, number) != number:
            raise BadSampleError(f"{path}, line {number}: frame {frame} a second time; it is in line {first[frame]}")
    return frames


def _refuse_other(path: Path, lines: list[Line], values: Indices, allowed: tuple[int, ...]) -> None:
    wrong = ~np.isin(values, allowed)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        codes = ", ".join(str(code) for code in allowed if code != UNKNOWN)
        raise BadSampleError(f"{path}, line {lines[row][0]}: code {values[row, column]}; expected one of {codes}")
