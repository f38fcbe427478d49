"""What the units of a layer see: what `archcalc.receptive_field` is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from archcalc.analysis import analysis_of
from archcalc.count.rf_layer import layer_field

if TYPE_CHECKING:
    from torch import nn

    from archcalc.values.layer_field import LayerField


def receptive_field(
    model: str | nn.Module,
    layer: str,
    inputs: Any = None,
    *,
    unit: int | Sequence[int] | None = None,
    batch_size: int | None = None,
    **settings: Any,
) -> LayerField:
    """What the units of a layer see of the network's input, in pixels along each axis of it.

    `layer` is the path of a row, or of a module, whose last call is meant. The result's `size`, `jump` and `offset`
    have one number an axis. `unit` is the position of a unit in the layer's output, counted from 0, such as (3, 3) in
    an output of 1×256×6×6; the result's `unit` then says for each axis the first and the last pixel that it sees,
    padding included. The other arguments are as in `analyze`.

    Raises UsageError, with the closest paths, where nothing ran at `layer`, for a unit that its output does not have or
    that cannot be told from the others, and UsageError and ModelError as `analyze` does.
    """
    analysis = analysis_of(model, inputs, batch_size, settings=settings)
    return layer_field(analysis.trace, analysis.report, layer, (unit,) if isinstance(unit, int) else unit)
