"""What runs beneath a call: every op that torch really executes, with its count where one is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch._ops import HigherOrderOperator
from torch.utils._python_dispatch import TorchDispatchMode

from archcalc.trace.flops import counts, flops
from archcalc.trace.tensors import specs_of, tensors_in
from archcalc.trace.values import AtenOp

if TYPE_CHECKING:
    from archcalc.trace.record import Recorder


class Beneath(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves its mode untyped
    """Tells the recorder of every op that torch really runs, also of those that no Python function announces."""

    supports_higher_order_operators = True

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._recorder = recorder

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # torch would otherwise import its compiler, a second, to keep it away from here

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Runs an op, or what it is composed of, and notes it."""
        kwargs = kwargs or {}
        if isinstance(func, HigherOrderOperator):
            result = func(*args, **kwargs)
            self._recorder.ran(func, args, kwargs, result)
            return result
        if not counts(func._overloadpacket) and torch._C._dispatch_has_kernel_for_dispatch_key(
            func.name(), "CompositeImplicitAutograd"
        ):
            with self:
                return func.decompose(*args, **kwargs)
        result = func(*args, **kwargs)
        if func._overloadpacket is torch.ops.aten.native_batch_norm and not args[5]:
            # outside training the real kernels leave the statistics of the batch empty, the meta kernel does not
            result = (result[0], result[1].new_empty(0), result[2].new_empty(0))
        self._recorder.ran(func, args, kwargs, result)
        return result


def aten_op(func: Any, args: Any, kwargs: Any, result: Any) -> AtenOp:
    """One op as a fact: torch's own count included, or what a formula needs where torch has none."""
    higher = isinstance(func, HigherOrderOperator)  # such as flex_attention: a program is among its arguments
    packet = func if higher else func._overloadpacket
    tags = () if higher else (*(tag.name for tag in func.tags), *["view"] * func.is_view)
    name = f"higher_order.{func.name()}" if higher else str(packet)
    count = flops(packet, args, kwargs, result)
    outputs = tensors_in(result)
    known = count is not None or higher or "pointwise" in tags or "view" in tags
    return AtenOp(
        name=name,
        flops=count,
        tags=tags,
        output_elements=sum([tensor.numel() for tensor in outputs]),
        gradients=_gradients(packet, args) if count is not None else 0,
        arguments=None if known else (specs_of(outputs), specs_of(args), specs_of(kwargs)),
    )


def _gradients(packet: Any, args: Any) -> int:
    """How many of a product's two factors need a gradient; the addend of `addmm` and its like is none of them."""
    tensors = [arg for arg in args if isinstance(arg, torch.Tensor)]
    first = 1 if "add" in packet.__name__ else 0
    return sum(tensor.requires_grad for tensor in tensors[first : first + 2])
