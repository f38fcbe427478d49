"""How the numbers of a layer come about: what `archcalc.explain` is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archcalc.claims.check import with_claims
from archcalc.count import explain as derivation
from archcalc.library.analyze import analyze

if TYPE_CHECKING:
    from torch import nn

    from archcalc.values.explanation import Explanation


def explain(
    model: str | nn.Module,
    layer: str | None = None,
    inputs: Any = None,
    *,
    batch_size: int | None = None,
    training: bool = False,
    backward: bool = False,
    **settings: Any,
) -> Explanation:
    """How the numbers of a layer come about: the formulas with their values in, and what documents say of them.

    `layer` is the path of a row or of a module, as the table shows it; None explains the whole network. The other
    arguments are as in `analyze`. `steps` holds a line for each quantity: the output's size, parameters, multiply-adds,
    with `backward` those of the backward pass, the receptive field in pixels. Raises UsageError, with the closest
    paths, where nothing ran at `layer`, and UsageError and ModelError as `analyze` does.
    """
    report = analyze(model, inputs, batch_size=batch_size, training=training, backward=backward, **settings)
    return with_claims(derivation.explain(report, layer))
