"""What runs beneath a call: every op that torch really executes, with its count where one is known."""

from __future__ import annotations

from functools import cache
from math import prod
from typing import TYPE_CHECKING, Any

import torch
from torch._ops import HigherOrderOperator
from torch.utils._python_dispatch import TorchDispatchMode

from archcalc.trace.as_on_cpu import run_op
from archcalc.trace.aten_memo import AtenMemo, memo_key
from archcalc.trace.flops import counts, flops
from archcalc.trace.tensors import specs_of, tensors_in
from archcalc.values.trace import AtenOp

if TYPE_CHECKING:
    from archcalc.trace.record import Recorder


class DispatchRecorder(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves its mode untyped
    """Tells the recorder of every op that torch really runs, also of those that no Python function announces."""

    supports_higher_order_operators = True

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._recorder = recorder
        self._memo = AtenMemo()

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # torch would otherwise import its compiler, a second, to keep it away from here

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Runs an op, or what it is composed of, and notes it."""
        kwargs = kwargs or {}
        if isinstance(func, HigherOrderOperator):
            before = self._recorder.description(args, kwargs)
            result = func(*args, **kwargs)
            self._recorder.on_aten_op(func, args, kwargs, result, before)
            return result
        if _is_composed(func):
            with self:
                return func.decompose(*args, **kwargs)
        aten_ops = self._recorder.aten_ops
        key = memo_key(func, args, kwargs) if aten_ops is not None else None
        if aten_ops is not None and key is not None and (known := self._memo.recall(key, args)) is not None:
            aten_ops.append(known.op)
            return known.result
        begun = len(self._recorder.ops)
        description = self._recorder.description(args, kwargs) if aten_ops is None else None
        result = run_op(func, args, kwargs)
        if self._recorder.aten_ops is None:  # scripted code comes here first, and only then passes the recorder
            self._recorder.drop_ops_from(begun)
        self._recorder.on_aten_op(func, args, kwargs, result, description)
        if key is not None and aten_ops is not None:
            self._memo.keep(key, args, result, aten_ops[-1])
        return result


@cache
def _is_composed(func: Any) -> bool:
    """Whether torch makes an op of others, each of which is noted; one with a count of its own stays whole."""
    if func.namespace == "prim":  # a property of a tensor, which the dispatcher does not know
        return False
    composed = torch._C._dispatch_has_kernel_for_dispatch_key(func.name(), "CompositeImplicitAutograd")
    return composed and not counts(func._overloadpacket)


@cache
def _tags(func: Any) -> tuple[str, ...]:
    """Torch's own tags of an op, and "view" for one that gives a view."""
    return (*(tag.name for tag in func.tags), *["view"] * func.is_view)


def aten_op(func: Any, args: Any, kwargs: Any, result: Any) -> AtenOp:
    """One op as a fact: torch's own count included, or what a formula needs where torch has none."""
    higher = isinstance(func, HigherOrderOperator)  # such as flex_attention: a program is among its arguments
    packet = func if higher else func._overloadpacket
    tags = () if higher else _tags(func)
    name = f"higher_order.{func.name()}" if higher else str(packet)
    count = flops(packet, args, kwargs, result)
    outputs = tensors_in(result)
    known = count is not None or higher or "pointwise" in tags or "view" in tags
    return AtenOp(
        name=name,
        flops=count,
        tags=tags,
        output_elements=_elements(packet, args, outputs),
        backward=_backward(packet, args, count) if count is not None and torch.is_grad_enabled() else 0,
        arguments=None if known else (specs_of(outputs), specs_of(args), specs_of(kwargs)),
    )


def _elements(packet: Any, args: Any, outputs: list[torch.Tensor]) -> int:
    """How many elements the results have; of attention and recurrent kernels those of the products within them."""
    if "scaled_dot_product" in packet.__name__:
        return int(prod(args[0].shape[:-1]) * args[1].shape[-2] + outputs[0].numel())
    if packet is torch.ops.aten.mkldnn_rnn_layer:  # the gates from the input, and those from the state
        return int(prod(args[0].shape[:2]) * (args[1].shape[0] + args[2].shape[0]))
    return sum([tensor.numel() for tensor in outputs])


def _backward(packet: Any, args: Any, count: int) -> int:
    """FLOPs of the gradients of a product: each factor that needs its own costs as much as the product.

    The addend of `addmm` and its like is no factor. In attention the scores are a factor of the second product.
    """
    tensors = [arg for arg in args if isinstance(arg, torch.Tensor)]
    if "scaled_dot_product" in packet.__name__:
        query, key, value = tensors[:3]
        scores = 2 * prod(query.shape[:-1]) * key.shape[-2]
        of_scores = query.requires_grad + key.requires_grad
        return scores * (query.shape[-1] * of_scores + value.shape[-1] * ((of_scores > 0) + value.requires_grad))
    if packet is torch.ops.aten.mkldnn_rnn_layer:
        return _backward_of_rnn_layer(tensors[0], tensors[1], tensors[2], state=tensors[5])
    first = 1 if "add" in packet.__name__ else 0
    return count * sum(tensor.requires_grad for tensor in tensors[first : first + 2])


def _backward_of_rnn_layer(input: Any, input_weight: Any, hidden_weight: Any, state: Any) -> int:
    """The state before the first step is none that a step has made, and may need no gradient."""
    steps, batch = input.shape[:2]
    of_input = 2 * steps * batch * input_weight.numel() * (input.requires_grad + input_weight.requires_grad)
    states = steps * hidden_weight.requires_grad + steps - 1 + state.requires_grad
    return int(of_input + 2 * batch * hidden_weight.numel() * states)
