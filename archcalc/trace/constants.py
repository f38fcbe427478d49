"""Constants that a forward makes: small ones are computed, large ones that nobody reads would be a waste."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from torch import Tensor

from archcalc.trace.known_values import LIMIT, unrecorded
from archcalc.trace.tensors import tensors_in, with_tensors

if TYPE_CHECKING:
    from archcalc.trace.call import Call

_FACTORIES = frozenset("empty zeros ones full rand randn randint arange linspace logspace eye".split())


def without_data(call: Call, stand_in: Callable[[Tensor], Tensor]) -> tuple[Any, Any] | None:
    """The arguments with which a call of constants gives a tensor without data; None if it is to be computed.

    It is computed if no new tensor of it has more than LIMIT elements. `stand_in` gives a constant's stand-in.
    """
    factory = call.kind.name in _FACTORIES and not call.operands
    if call.targets or not (call.operands or factory) or _most_elements(call) <= LIMIT:
        return None
    try:
        with unrecorded():
            args, kwargs = with_tensors((call.args, call.kwargs), stand_in)
            kwargs = {**kwargs, "device": "meta"} if factory or "device" in kwargs else kwargs
            memories = {one.untyped_storage()._cdata for one in tensors_in((args, kwargs))}
            made = tensors_in(call.func(*args, **kwargs))
    except Exception:  # it reads values, or is none that runs without data
        return None
    large = any([one.numel() > LIMIT and one.untyped_storage()._cdata not in memories for one in made])
    return (args, kwargs) if large and all([one.is_meta for one in made]) else None


def _most_elements(call: Call) -> float:
    """A number of elements that a result does not exceed: all sizes and operands multiplied."""
    most = 1.0
    for operand in call.operands:
        most *= max(operand.user_tensor.numel(), 1)
    for number in _numbers((call.args, call.kwargs)):
        most *= max(abs(number), 1)
    return most


def _numbers(tree: Any) -> list[float]:
    if isinstance(tree, (int, float)):
        return [tree]
    if isinstance(tree, dict):
        tree = tree.values()
    elif not isinstance(tree, (tuple, list)):
        return []
    return [number for branch in tree for number in _numbers(branch)]
