"""Scores and labels in CSV files."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from archcalc.values.errors import UsageError
from archcalc.values.files import read_file


def read_scores(path: Path) -> tuple[list[list[float]], tuple[str, ...]]:
    """A row of scores for each line, and the names of the columns: the first line if it is no numbers, else none.

    An empty cell is NaN. Raises UsageError, with the line, for a file that holds anything else.
    """
    lines = _lines(path)
    names: tuple[str, ...] = ()
    if any(_number(cell) is None for cell in lines[0][1]):
        names = tuple(cell.strip() for cell in lines.pop(0)[1])
        if len(set(names)) < len(names):
            raise UsageError(f"{path} names the class '{max(names, key=names.count)}' twice")
    if not lines:
        raise UsageError(f"{path} holds no scores: write a line for each image below the names of the classes")
    width = len(names or lines[0][1])
    table = []
    for number, cells in lines:
        if len(cells) != width:
            raise UsageError(f"{path}, line {number} holds {len(cells)} scores, and not {width} as the first line")
        row = [_number(cell) for cell in cells]
        for cell, score in zip(cells, row, strict=True):
            if score is None:
                raise UsageError(f"{path}, line {number}: '{cell[:40]}' is no number")
        table.append([score for score in row if score is not None])
    return table, names


def read_labels(path: Path, names: Sequence[str], classes: int, images: int) -> list[int]:
    """The columns of the true classes: a line each, its name or its number from 0, below a heading if there is one.

    Raises UsageError, with the line, for a label that is no class and for a number of labels other than `images`.
    """
    lines = _lines(path)
    if len(lines) == images + 1:
        lines.pop(0)
    if len(lines) != images:
        raise UsageError(
            f"{path} holds {len(lines):,} labels, and there are {images:,} rows of scores; names of the columns of the "
            "scores are told from scores by not being numbers"
        )
    return [_label(path, number, cells, names, classes) for number, cells in lines]


def _label(path: Path, number: int, cells: Sequence[str], names: Sequence[str], classes: int) -> int:
    if len(cells) != 1:
        raise UsageError(f"{path}, line {number} holds {len(cells)} values, and should hold one label")
    label = cells[0].strip()
    if label in names:
        return names.index(label)
    if label.isascii() and label.isdecimal() and len(label) < 10 and int(label) < classes:
        return int(label)
    known = f"a name among {', '.join(names[:10])}{', ...' * (len(names) > 10)}, or " if names else ""
    raise UsageError(f"{path}, line {number}: '{label[:40]}' is no class; write {known}a number of 0 to {classes - 1}")


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """The cells of each line that holds any, with its number."""
    try:
        reader = csv.reader(io.StringIO(read_file(path).decode("utf-8-sig")), strict=True)
        lines = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not text in UTF-8: {error.reason}") from error
    except csv.Error as error:
        raise UsageError(f"{path} is no CSV: {error}") from error
    if not lines:
        raise UsageError(f"{path} is empty")
    return lines


def _number(cell: str) -> float | None:
    """The number in a cell, NaN in an empty one; None where there is something else."""
    try:
        return float(cell) if cell.strip() else float("nan")
    except ValueError:
        return None
