"""table: one row a layer, with what each costs."""

from __future__ import annotations

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
    Tokens,
    Training,
)
from archcalc.cli.request import analyze, request
from archcalc.cli.streams import clear_errors, write
from archcalc.formats import RAW
from archcalc.values.errors import ModelError


def table(
    model: Model,
    input_size: Inputs = None,
    batch_size: Batch = None,
    set_: Settings = None,
    tokens: Tokens = None,
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
    archcalc table resnet50 --device a100-bf16
    """  # noqa: D301  \b keeps the lines of the example apart
    with clear_errors(debug):
        from archcalc.count.roofline import roofline, with_roofline
        from archcalc.render.table import layers
        from archcalc.values.columns import BACKWARD, ROOFLINE, selection, with_more

        board = roofline(device, peak, bandwidth)
        keys = None if columns is None else selection(columns)
        if keys is None and (backward or board):
            keys = with_more(BACKWARD * backward + ROOFLINE * (board is not None), raw=form in RAW)
        backward = backward or bool({*BACKWARD} & {*(keys or ())})
        try:
            report = analyze(request(model, input_size, batch_size, set_, tokens), training, backward).report
        except ModelError as error:
            if error.report is not None and error.report.rows:
                write(layers(folded(error.report, depth, all_, form), keys), form, None)
            raise
        if board is not None:
            report = with_roofline(report, board)
        write(layers(folded(report, depth, all_, form), keys), form, output)
        check_complete([report], strict)
