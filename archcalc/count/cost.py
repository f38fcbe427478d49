"""What a call costs: by the definition of its kind, or by the torch ops that ran beneath it.

The convention is the one of the papers and of the published model tables: a multiply-add of a convolution or of a
matrix product counts one; bias, normalisation, pooling and activations count nothing, and say so. A kind whose
definition gives no products is counted from the torch ops that ran beneath it, by torch's own registry. The cost
of anything else is unknown.
"""

from __future__ import annotations

from typing import Any

from archcalc.ops import Definition, parse
from archcalc.ops.aten import zero_cost_reason
from archcalc.ops.user_formulas import has_formula, user_cost
from archcalc.values.report import Cost
from archcalc.values.trace import AtenOp, Op


def parsed(op: Op) -> Definition:
    """A recorded call with its arguments under their names."""
    return parse(op.kind, op.args, _without_out(op.kwargs))


def _without_out(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in kwargs.items() if name != "out"} if "out" in kwargs else kwargs


def cost(op: Op, call: Definition | None = None) -> tuple[Cost, tuple[str, ...]]:
    """What a call costs as far as it is known, and the names of the ops in it whose cost is unknown."""
    call = call or parsed(op)
    if has_formula(op.kind):
        return user_cost(op.kind, op.outputs[0], op.args, _without_out(op.kwargs)), ()
    products = call.products(op.outputs[0])
    if products is not None:
        activations = call.activations(op.outputs[0]) if products else 0
        return Cost(products, activations=activations, window=call.window(), free=call.zero_cost), ()
    return _cost_beneath(op)


def _cost_beneath(op: Op) -> tuple[Cost, tuple[str, ...]]:
    """The cost of a call by the torch ops that ran beneath it."""
    counted = [aten for aten in op.aten if aten.flops is not None]
    by_user = [_user_cost_beneath(aten) for aten in op.aten if has_formula(aten.name) and aten.arguments]
    uncounted = [aten for aten in op.aten if aten.flops is None and not has_formula(aten.name)]
    reasons = {aten.name: zero_cost_reason(aten) for aten in uncounted}
    flops = sum(aten.flops or 0 for aten in counted)
    return (
        Cost(
            # torch counts a multiply-add as two
            registry_macs=flops // 2 + sum(known.macs for known in by_user),
            activations=sum(aten.output_elements for aten in counted) + sum(known.activations for known in by_user),
            free="" if counted or by_user else next(filter(None, reasons.values()), "data movement"),
            # of a call that takes a derivative along, nobody knows which part gradients come back to
            backward=not by_user and not (flops and op.kind.startswith("dual.")),
        ),
        tuple(name for name, reason in reasons.items() if not reason),
    )


def _user_cost_beneath(aten: AtenOp) -> Cost:
    assert aten.arguments is not None
    outputs, args, kwargs = aten.arguments
    return user_cost(aten.name, outputs[0], args, kwargs)
