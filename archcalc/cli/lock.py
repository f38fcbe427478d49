"""lock: an architecture pinned in a file."""

from __future__ import annotations

from archcalc.cli.options import Batch, Debug, Inputs, Model, Output, Settings, Training
from archcalc.cli.request import analyze, request
from archcalc.cli.streams import clear_errors, write_content


def lock(
    model: Model,
    input_size: Inputs = None,
    batch_size: Batch = None,
    set_: Settings = None,
    training: Training = False,
    output: Output = None,
    debug: Debug = False,
) -> None:
    """The architecture as JSON, a line and a hash for each layer; verify --lock names the first that is another.

    \b
    archcalc lock resnet50 -o arch.lock
    archcalc lock net.py:Net -i 3x64x64 --set width=32 -o arch.lock
    archcalc verify --lock arch.lock
    """  # noqa: D301
    with clear_errors(debug):
        asked = request(model, input_size, batch_size, set_)
        analysis = analyze(asked, training)

        from archcalc.claims.locks import locked

        write_content(locked(analysis, asked.model, asked.settings).text(), output)
