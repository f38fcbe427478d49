"""Formulas that users register for ops of their own: plain multiply-adds from the call's arguments."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, TypeVar

from archcalc.ops.definition import counts
from archcalc.values.errors import UsageError
from archcalc.values.report import Cost, Product
from archcalc.values.trace import TensorSpec

Formula = TypeVar("Formula", bound=Callable[..., int])

USER_FORMULAS: dict[str, Callable[..., Any]] = {}
"""By kind of call or name of torch op."""


def formula(*ops: str) -> Callable[[Formula], Formula]:
    """Register a formula for ops of your own, so that calls of them are counted and not unknown.

    `ops` are names as the table shows them: the kind of a call, or a torch op, "mylib::scan". The function that is
    decorated gets the op's first output and then its arguments, each tensor as a TensorSpec with `shape`, `numel` and
    `dtype`, and gives the multiply-adds of one call as an integer. Raises ValueError if there is a formula already.

    >>> @archcalc.formula("mylib::scan")
    ... def scan(out, x, state):
    ...     return x.numel * state.shape[-1]
    """
    if not ops or not all(isinstance(op, str) and op.strip() for op in ops):
        raise UsageError('name the op that the formula is for: @archcalc.formula("mylib::scan")')

    def add(function: Formula) -> Formula:
        for op in ops:
            kind = op.strip().replace("::", ".").removesuffix(".default")
            # a user's file may be imported twice in one run; its formula is then registered again, not a second one
            again = kind in USER_FORMULAS and _place(USER_FORMULAS[kind]) == _place(function) is not None
            if not again and (kind in USER_FORMULAS or counts(kind)):
                raise ValueError(f"there is a formula for {kind} already")
            USER_FORMULAS[kind] = function
        return function

    return add


def has_formula(kind: str) -> bool:
    """Whether a user registered a formula for a kind of call or a torch op."""
    return kind in USER_FORMULAS


def _place(function: Callable[..., Any]) -> tuple[str, int] | None:
    code = getattr(function, "__code__", None)
    return code and (code.co_filename, code.co_firstlineno)


def user_cost(kind: str, out: TensorSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Cost:
    """What a call costs by the user's formula for its kind; UsageError where that fails or gives no whole number."""
    try:
        macs = operator.index(USER_FORMULAS[kind](out, *args, **kwargs))
    except Exception as error:
        raise UsageError(f"the formula for {kind} failed: {type(error).__name__}: {error}") from error
    if macs < 0:
        raise UsageError(f"the formula for {kind} gives {macs} multiply-adds")
    by = f"by the formula for {kind}"
    products = (Product((macs,), (), f"multiply-adds {by}"),) if macs else ()
    return Cost(products, activations=out.numel if macs else 0, free="" if macs else f"none {by}", backward=False)
