"""rf: what the units of a network see of its input."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Annotated

import typer

from archcalc.cli.folding import ROWS_IN_A_TERMINAL, ordered_by
from archcalc.cli.options import (
    All,
    As,
    Debug,
    Depth,
    Format,
    Inputs,
    Model,
    Output,
    Seeds,
    Settings,
    Sort,
    Tokens,
    Top,
)
from archcalc.cli.request import Request, analyze, report_of, request
from archcalc.cli.streams import clear_errors, progress, write
from archcalc.formats import RAW
from archcalc.values.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from archcalc.values.gradients import StartSetting
    from archcalc.values.report import Report, Row

BATCH = 4
"""Images over which the squared gradient is summed."""


def rf(
    model: Model,
    input_size: Inputs = None,
    set_: Settings = None,
    tokens: Tokens = None,
    depth: Depth = None,
    all_: All = False,
    unit: Annotated[
        str | None, typer.Option("--unit", metavar="Y,X", help="What one unit sees, counted from 0; with --layer.")
    ] = None,
    layer: Annotated[str | None, typer.Option("--layer", metavar="PATH", help="The layer of that unit.")] = None,
    draw: Annotated[
        bool, typer.Option("--draw", help="Draw a unit's field over the input: the middle one's, or that of --unit.")
    ] = False,
    effective: Annotated[
        bool, typer.Option("--effective", help="How far a unit's gradient really spreads, with --layer.")
    ] = False,
    init: Annotated[
        str, typer.Option("--init", metavar="he|own|torch|xavier|gaussian:STD", help="With --effective: the weights.")
    ] = "he",
    seeds: Seeds = 3,
    sort: Sort = None,
    top: Top = None,
    form: As = Format.table,
    output: Output = None,
    debug: Debug = False,
) -> None:
    """What a unit sees of the input: the receptive field as it grows, layer by layer.

    \b
    archcalc rf vgg16
    archcalc rf resnet50 --depth 1
    archcalc rf alexnet --layer pool5 --unit 3,3
    archcalc rf vgg16 --layer conv3_3 --draw
    archcalc rf googlenet --layer inception_4a --effective
    """  # noqa: D301
    with clear_errors(debug):
        order = ordered_by(sort, top, form)
        one_unit = unit is not None or draw or effective
        if one_unit != (layer is not None):
            raise UsageError(
                "--unit and --layer go together, --draw and --effective with --layer: --layer pool5 --unit 3,3"
            )
        asked = request(model, input_size, None, set_, tokens)
        position = None if unit is None else _position(unit)

        from archcalc.count.rf_layer import layer_field, middle_unit
        from archcalc.render import rf, rf_unit

        if layer is None:
            report, shown = _shown(report_of(asked), depth, all_, form)
            width = get_terminal_size((80, 24)).columns if form is Format.table else None
            write(rf.receptive_fields(report, shown, width), form, output, order)
            return
        if effective:
            from archcalc.values.gradients import StartSetting

            _write_effective(asked, layer, position, StartSetting(init, seeds, BATCH), form, output)
            return
        analysis = analyze(asked)
        if position is None:
            position = middle_unit(analysis.report, layer)
        field = layer_field(analysis.trace, analysis.report, layer, position)
        write(rf_unit.layer_field(field, sketch=form is Format.table), form, output, order)


def _write_effective(
    asked: Request,
    layer: str,
    unit: tuple[int, ...] | None,
    setting: StartSetting,
    form: Format,
    output: Path | None,
) -> None:
    from archcalc.lessons.effective_field import effective_field
    from archcalc.render import rf_effective

    inputs = asked.inputs
    with progress(setting.seeds) as done, redirect_stdout(sys.stderr):
        field = effective_field(asked.model, layer, inputs, setting, asked.settings, unit, done)
    write(rf_effective.effective_field(field, sketch=form is Format.table), form, output)


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
