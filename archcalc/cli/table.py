"""table: one row a layer, with what each costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archcalc.cli.folding import check_complete, folded
from archcalc.cli.options import (
    All,
    As,
    Backward,
    Bandwidth,
    Batch,
    Columns,
    Debug,
    Depth,
    Format,
    Inputs,
    Model,
    Output,
    Peak,
    Roofline,
    Settings,
    Strict,
    Training,
)
from archcalc.cli.request import report_of, request
from archcalc.cli.streams import clear_errors, write
from archcalc.formats import RAW
from archcalc.values.errors import ModelError, UsageError

if TYPE_CHECKING:
    from archcalc.values.document import Remark


def table(
    model: Model,
    input_size: Inputs = None,
    batch_size: Batch = None,
    set_: Settings = None,
    training: Training = False,
    depth: Depth = None,
    all_: All = False,
    columns: Columns = None,
    backward: Backward = False,
    device: Roofline = None,
    peak: Peak = None,
    bandwidth: Bandwidth = None,
    form: As = Format.table,
    output: Output = None,
    strict: Strict = False,
    debug: Debug = False,
) -> None:
    """One row a layer, in forward order: shapes, parameters, multiply-adds.

    \b
    archcalc table alexnet
    archcalc table resnet152 --depth 1
    archcalc table resnet50 -i 3x384x384 -b 8 -f csv -o resnet50.csv
    archcalc table net.py:Net -i 3x64x64 --set width=32
    archcalc table vgg16 --backward
    archcalc table resnet50 --device a100-bf16 --depth 1
    archcalc table net.py:Net -i 3x64x64 -f json -o before.json
    archcalc table before.json
    """  # noqa: D301  \b keeps the lines of the example apart
    with clear_errors(debug):
        from archcalc.count.roofline import roofline, with_roofline
        from archcalc.render.roofline import roofline_remarks
        from archcalc.render.table import layers
        from archcalc.values.columns import BACKWARD, ROOFLINE, selection, with_more

        board = roofline(device, peak, bandwidth)
        keys = None if columns is None else selection(columns)
        if keys is None and (backward or board) and form is not Format.json:  # its rows are whole, to be read back
            keys = with_more(BACKWARD * backward + ROOFLINE * (board is not None), raw=form in RAW)
        stepwise = board is not None and training
        backward = backward or stepwise or bool({*BACKWARD} & {*(keys or ())})
        asked = {*BACKWARD * backward, *ROOFLINE * (board is not None)}
        try:
            report = report_of(request(model, input_size, batch_size, set_), training, backward)
        except ModelError as error:
            if error.report is not None and error.report.rows:
                write(layers(folded(error.report, depth, all_, form), keys), form, None)
            raise
        more: tuple[Remark, ...] = ()
        if board is not None:
            if any(row.least_seconds is not None for row in report.rows):  # a saved one, with the bytes of that device
                raise UsageError(f"{model} was saved with a device already: leave out --device, --peak and --bandwidth")
            report = with_roofline(report, board, "step" if stepwise else "forward")
            more = roofline_remarks(report, board)
        write(layers(folded(report, depth, all_, form), keys, asked, more), form, output)
        check_complete([report], strict)
