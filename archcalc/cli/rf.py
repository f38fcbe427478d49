"""rf: what the units of a network see of its input."""

from __future__ import annotations

from shutil import get_terminal_size
from typing import TYPE_CHECKING, Annotated

import typer

from archcalc.cli.folding import RAW, ROWS_IN_A_TERMINAL
from archcalc.cli.options import All, As, Debug, Depth, Format, Inputs, Model, Output, Settings
from archcalc.cli.request import analyze, request
from archcalc.cli.streams import clear_errors, write
from archcalc.values.errors import UsageError, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from archcalc.values.axis_field import Axis
    from archcalc.values.report import Report, Row


def rf(
    model: Model,
    input_size: Inputs = None,
    set_: Settings = None,
    depth: Depth = None,
    all_: All = False,
    unit: Annotated[
        str | None, typer.Option("--unit", metavar="Y,X", help="What one unit sees, counted from 0; with --layer.")
    ] = None,
    layer: Annotated[str | None, typer.Option("--layer", metavar="PATH", help="The layer of that unit.")] = None,
    form: As = Format.table,
    output: Output = None,
    debug: Debug = False,
) -> None:
    """What a unit sees of the input: the receptive field as it grows, layer by layer.

    \b
    archcalc rf vgg16
    archcalc rf resnet50 --depth 1
    archcalc rf alexnet --layer pool5 --unit 3,3
    """  # noqa: D301
    with clear_errors(debug):
        if (unit is None) != (layer is None):
            raise UsageError("--unit and --layer go together: --layer pool5 --unit 3,3")

        from archcalc.count.rf import receptive_fields
        from archcalc.render.rf import fields
        from archcalc.render.rf_unit import sights, unit_sight

        asked = request(model, input_size, None, set_)
        if unit is None or layer is None:
            report = analyze(asked).report
            report, shown = _shown(report, depth, all_, form)
            width = get_terminal_size((80, 24)).columns if form is Format.table else None
            write(fields(report, shown, width), form, output)
            return
        position = _position(unit)
        analysis = analyze(asked)
        report = analysis.report
        seen = receptive_fields(analysis.trace)
        row, field = _at(report, seen, layer)
        _check(row, field, position)
        write(unit_sight(report, row, sights(field, position), sketch=form is Format.table), form, output)


def _shown(report: Report, depth: int | None, everything: bool, form: Format) -> tuple[Report, Sequence[Row]]:
    """The report folded, if it is to be, and the rows of it that a table shows."""
    from archcalc.count.fold import fold
    from archcalc.render.rf import growth

    if depth is not None:
        report = fold(report, depth)
    if everything or form in RAW:
        return report, report.rows
    shown = growth(report.rows)
    deepest = max((row.path.count(".") for row in report.rows), default=0)
    for level in range(deepest, 0, -1):
        if len(shown) <= ROWS_IN_A_TERMINAL or depth is not None:
            break
        shown = growth(fold(report, level).rows)
    return report, shown


def _position(text: str) -> tuple[int, ...]:
    parts = text.replace("x", ",").split(",")
    if not all(part.strip().isdecimal() for part in parts):
        raise UsageError(f"'{text}' is no unit; write its place in the layer's output, counted from 0, such as 3,3")
    return tuple(int(part) for part in parts)


def _at(report: Report, seen: Sequence[tuple[Axis, ...] | None], layer: str) -> tuple[Row, tuple[Axis, ...]]:
    """The last call of that path, or in that module, and its field where each unit has one of its own."""
    inside = [at for at, row in enumerate(report.rows) if row.path == layer or row.path.startswith(f"{layer}.")]
    if not inside:
        raise unknown(f"layer of {report.subject}", layer, _paths(report), "`archcalc table --all` shows all of them")
    row, field = report.rows[inside[-1]], seen[inside[-1]]
    if field is None:
        lost = next(row for row, each in zip(report.rows, seen, strict=True) if each is None)
        raise UsageError(f"what {row.path} sees is not known: {lost.path} ({lost.kind}) cannot be followed")
    if not field:
        raise UsageError(f"{row.path} sees nothing of the input: it is made of constants")
    if all(axis.whole for axis in field):
        raise UsageError(f"every unit of {row.path} sees the whole input")
    if any(axis.merged for axis in field):
        raise UsageError(f"the units of {row.path} lie in one line; ask for the layer before it")
    return row, field


def _paths(report: Report) -> list[str]:
    """Every path that a row has or lies in, in forward order."""
    parts = [row.path.split(".") for row in report.rows]
    return list(dict.fromkeys(".".join(part[:depth]) for part in parts for depth in range(1, len(part) + 1)))


def _check(row: Row, field: Sequence[Axis], position: tuple[int, ...]) -> None:
    """Raise UsageError for a unit that the layer's output does not have."""
    shape = row.output_shape or ()
    sizes = [shape[axis.dim] if axis.dim else 1 for axis in field]
    if len(position) != len(sizes):
        raise UsageError(f"{row.path} puts out {'x'.join(map(str, sizes))} units: --unit takes {len(sizes)} numbers")
    if any(at >= size for at, size in zip(position, sizes, strict=True)):
        last = ",".join(str(size - 1) for size in sizes)
        raise UsageError(f"{row.path} puts out {'x'.join(map(str, sizes))} units: the last of them is {last}")
