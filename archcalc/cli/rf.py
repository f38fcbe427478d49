"""rf: what the units of a network see of its input."""

from __future__ import annotations

from shutil import get_terminal_size
from typing import TYPE_CHECKING, Annotated

import typer

from archcalc.cli.folding import ROWS_IN_A_TERMINAL
from archcalc.cli.options import All, As, Debug, Depth, Format, Inputs, Model, Output, Settings
from archcalc.cli.request import analyze, report_of, request
from archcalc.cli.streams import clear_errors, write
from archcalc.formats import RAW
from archcalc.values.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        asked = request(model, input_size, None, set_)

        from archcalc.count.rf_layer import layer_field
        from archcalc.render import rf, rf_unit

        if unit is None or layer is None:
            report, shown = _shown(report_of(asked), depth, all_, form)
            width = get_terminal_size((80, 24)).columns if form is Format.table else None
            write(rf.receptive_fields(report, shown, width), form, output)
            return
        position = _position(unit)
        analysis = analyze(asked)
        field = layer_field(analysis.trace, analysis.report, layer, position)
        write(rf_unit.layer_field(field, sketch=form is Format.table), form, output)


def _shown(report: Report, depth: int | None, everything: bool, form: Format) -> tuple[Report, Sequence[Row]]:
    """The report folded, if it is to be, and the rows of it that a table shows."""
    from archcalc.count.fold import fold
    from archcalc.count.rf_growth import growth, growth_within

    if depth is not None:
        report = fold(report, depth)
    if everything or form in RAW:
        return report, report.rows
    return report, growth(report.rows) if depth is not None else growth_within(report, ROWS_IN_A_TERMINAL)


def _position(text: str) -> tuple[int, ...]:
    parts = text.replace("x", ",").split(",")
    if not all(part.strip().isdecimal() for part in parts):
        raise UsageError(f"'{text}' is no unit; write its place in the layer's output, counted from 0, such as 3,3")
    return tuple(int(part) for part in parts)
