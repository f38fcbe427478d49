"""Derivatives that a forward takes itself: what torch.func and forward-mode differentiation do to tensors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch._C._functorch import TransformType, get_interpreter_stack
from torch.autograd import forward_ad

from archcalc.trace.known_values import unrecorded
from archcalc.trace.tensors import TrackedTensor

if TYPE_CHECKING:
    from archcalc.trace.record import Recorder

_DERIVATIVES = (TransformType.Grad, TransformType.Jvp)


def wraps_results() -> bool:
    """Whether torch.func takes a derivative: then every call gives wrappers, whatever it is given."""
    stack = get_interpreter_stack()
    return stack is not None and any(interpreter.key() in _DERIVATIVES for interpreter in stack)


def has_tangents(operands: list[TrackedTensor]) -> bool:
    """Whether one of these carries a forward-mode derivative along, which calls then compute as well."""
    if forward_ad._current_level < 0:
        return False
    with unrecorded():
        return any(_tangent(operand.tensor) is not None for operand in operands)


def _tangent(tensor: Tensor) -> Tensor | None:
    tangent: Tensor | None = forward_ad.unpack_dual(tensor).tangent  # type: ignore[no-untyped-call]  # torch's own
    return tangent


def autograd_nodes(outputs: list[Tensor]) -> tuple[Any, ...]:
    """The autograd nodes that a call made: those of its outputs, and of the derivatives that these carry along."""
    nodes = [output.grad_fn for output in outputs]
    if forward_ad._current_level >= 0:
        with torch._C._DisableTorchDispatch(), torch._C.DisableTorchFunction():
            nodes += [tangent.grad_fn for output in outputs if (tangent := _tangent(output)) is not None]
    return tuple(nodes)


@contextmanager
def saved_tensors_hidden(recorder: Recorder) -> Iterator[None]:
    """Within it torch.func can take gradients, which it refuses where a hook watches what autograd keeps.

    What it keeps then is not seen, and `recorder` says so.
    """
    graph: Any = torch.autograd.graph
    plain = graph.disable_saved_tensors_hooks

    @contextmanager
    def without_hook(message: str) -> Iterator[None]:
        hooks = torch._C._autograd._top_saved_tensors_default_hooks(False)
        if hooks is None or hooks[0] != recorder.tensors.save:  # the model's own are refused by torch
            with plain(message):
                yield
            return
        recorder.hides_saved_tensors = True
        torch._C._autograd._pop_saved_tensors_default_hooks()
        try:
            with plain(message):
                yield
        finally:
            torch._C._autograd._push_saved_tensors_default_hooks(*hooks)

    graph.disable_saved_tensors_hooks = without_hook
    try:
        yield
    finally:
        graph.disable_saved_tensors_hooks = plain
