"""What a network holds in memory: what `archcalc.memory` is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archcalc.analysis import analysis_of
from archcalc.count.memory import budget, check_optimizer

if TYPE_CHECKING:
    from torch import nn

    from archcalc.values.budget import Budget


def memory(
    model: str | nn.Module,
    inputs: Any = None,
    *,
    batch_size: int | None = None,
    optimizer: str = "sgd",
    **settings: Any,
) -> Budget:
    """What a network holds in memory, in bytes by part: weights, saved tensors, the peaks of a pass and of a step.

    `model`, `inputs`, `batch_size` and `settings` as in `analyze`; `optimizer` is "none", "sgd", "momentum" or "adam".
    Nothing is allocated. Raises UsageError and ModelError as `analyze` does.
    """
    check_optimizer(optimizer)
    analysis = analysis_of(model, inputs, batch_size, settings=settings, training=True, backward=True)
    return budget(analysis.trace, optimizer)
