"""What other tools print: what `archcalc.conventions` is."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from archcalc.analysis import analysis_of
from archcalc.peers import conventions as peers

if TYPE_CHECKING:
    from torch import nn

    from archcalc.values.conventions import Conventions


def conventions(
    model: str | nn.Module,
    inputs: Any = None,
    *,
    batch_size: int | None = None,
    run: bool = False,
    tools: Collection[str] = (),
    **settings: Any,
) -> Conventions:
    """What other tools print for a network, in their own units, and what the difference to our count is made of.

    `model`, `inputs`, `batch_size` and `settings` as in `analyze`. With `run` the tools that are installed, or only
    those named in `tools`, are run on real weights beside it. Raises UsageError and ModelError as `analyze` does.
    """
    return peers.conventions(
        analysis_of(model, inputs, batch_size, settings=settings, every_op=True), run=run, only=tools
    )
