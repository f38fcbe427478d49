"""What a unit of a layer really looks at: what `archcalc.effective_field` is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from archcalc.lessons import effective_field as lesson
from archcalc.values.gradients import StartSetting

if TYPE_CHECKING:
    from torch import nn

    from archcalc.values.effective_field import EffectiveField


def effective_field(
    model: str | nn.Module,
    layer: str,
    inputs: Any = None,
    *,
    unit: int | Sequence[int] | None = None,
    init: str | None = None,
    seeds: int = 3,
    batch_size: int = 4,
    **settings: Any,
) -> EffectiveField:
    """The effective receptive field of a unit of a layer (Luo 2016), in pixels, beside the theoretical one.

    The squared gradient of the unit's output by the input spreads less than the pixels that the unit can see: the width
    of an axis is four standard deviations of it. `unit` is a position in the layer's output, counted from 0, the middle
    one by default. `init` is "he" for a network that is built by name, and "own", its weights as they are, for a module
    that is handed in, which is copied; the others are as in `gradients`. It runs in evaluation mode on random images,
    once for each of `seeds`; a normalisation that has seen no data gets the statistics of one batch.

    Raises UsageError for a layer or a unit that does not exist or that sees the whole input, ModelError where the
    network cannot be run or no gradient reaches the input.
    """
    setting = StartSetting(init or ("he" if isinstance(model, str) else "own"), seeds, batch_size)
    position = (unit,) if isinstance(unit, int) else unit
    return lesson.effective_field(model, layer, inputs, setting, settings, position)
