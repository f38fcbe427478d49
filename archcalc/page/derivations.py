"""Derivations for the page: how the numbers of a call, a module and a network come about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from archcalc.count.explain import of_network, of_row
from archcalc.formats.safe import one_line
from archcalc.formats.units import size
from archcalc.render.table import without_batch
from archcalc.values.explanation import Step
from archcalc.values.report import Report, Row

Lines = tuple[tuple[str, str], ...]
"""What is derived, and how."""


def of_rows(report: Report, rows: Sequence[int]) -> Lines:
    """Which layers of a module, or of the network, hold the params and do the multiply-adds."""
    part = replace(report, rows=tuple(report.rows[number] for number in rows))
    return _lines(of_network(part))


def listing(report: Report, numbers: Iterable[int]) -> str:
    """The derivations of single calls as lines of text: what the page's script shows for a box.

    The first block has each different step once, its quantity and its derivation. The second has for each call its
    number, its name and shapes, and the numbers of its steps. Tabs stand between parts and a blank line between blocks.
    """
    steps: dict[str, int] = {}
    calls = []
    for number in sorted(set(numbers)):
        row = report.rows[number]
        taken = [steps.setdefault("\t".join(line), len(steps)) for line in _lines(of_row(report, row))]
        calls.append(f"{number}\t{_title(report, row)}\t{' '.join(map(str, taken))}")
    return "\n".join([*steps, "", *calls])


def _lines(steps: Iterable[Step]) -> Lines:
    """The steps that derive something: a plain zero is left out."""
    return tuple((one_line(step.quantity), one_line(step.derivation)) for step in steps if step.derivation != "0")


def _title(report: Report, row: Row) -> str:
    shapes = [
        size(without_batch(report, shape, "shape"))
        for shape in (row.input_shape, row.output_shape)
        if shape is not None
    ]
    return one_line(f"{row.path} · {row.kind} {' → '.join(shapes)}")
