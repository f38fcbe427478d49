"""The architecture of a network, pinned: what `archcalc.lock` is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archcalc.analysis import analysis_of
from archcalc.claims.locks import locked

if TYPE_CHECKING:
    from torch import nn

    from archcalc.values.lock import Lock


def lock(
    model: str | nn.Module,
    inputs: Any = None,
    *,
    batch_size: int | None = None,
    training: bool = False,
    **settings: Any,
) -> Lock:
    """What every layer of a network is, reads and holds, with a hash of all of it; the values of weights are left out.

    The arguments are as in `analyze`. `lock.save("arch.lock")` writes it and `Lock.load("arch.lock")` reads it;
    `before.difference(now)` names the first layer that is not as it was locked, "" if all are. Two networks of equal
    `hash` have the same layers, wired alike, with parameters of equal names and shapes. Raises UsageError and
    ModelError as `analyze` does.
    """
    analysis = analysis_of(model, inputs, batch_size, settings=settings, training=training)
    return locked(analysis, model if isinstance(model, str) else "", settings)
