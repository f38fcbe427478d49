"""What a network costs, call by call: what `archcalc.analyze` is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archcalc.analysis import analysis_of
from archcalc.sources.saved import is_saved, is_settled, saved_report

if TYPE_CHECKING:
    from torch import nn

    from archcalc.values.report import Report


def analyze(
    model: str | nn.Module,
    inputs: Any = None,
    *,
    batch_size: int | None = None,
    training: bool = False,
    backward: bool = False,
    **settings: Any,
) -> Report:
    """What a network costs, call by call, without allocating its weights.

    `model`: a zoo name, "package.module:factory", "path/to/net.py:Net", or any torch module, which comes back as it
    was; the file of a saved report, "before.json", gives that report. `inputs`: a shape with the batch, `(1, 3, 224,
    224)`, a tensor, a list of those, a dict of keyword inputs, in which numbers, strings and None stay what they are,
    or a callable that makes the arguments, tensors in them; a zoo network has an input of its own and also takes a
    shape without the batch. `batch_size` goes before a shape without a batch. `training` counts what runs in training,
    such as auxiliary heads; `backward` also follows the backward pass, for the rows' `backward_macs` and `saved_bytes`.
    `settings` go to the builder.

    Raises UsageError if the request is wrong, and ModelError, with the rows so far as its `report`, if the model
    cannot be built or run.
    """
    if is_saved(model):
        if inputs is not None or batch_size is not None or settings:
            raise is_settled(model)
        return saved_report(model, training=training, backward=backward)
    return analysis_of(model, inputs, batch_size, settings=settings, training=training, backward=backward).report
