"""One forward pass of a module, recorded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

from archcalc.trace.beneath import Beneath
from archcalc.trace.record import Failure, Recorder
from archcalc.trace.values import Parameter, Trace


def trace(
    module: nn.Module,
    args: tuple[Any, ...] = (),
    kwargs: dict[str, Any] | None = None,
    *,
    subject: str = "",
    training: bool = False,
    batch_size: int | None = None,
) -> Trace:
    """Run `module(*args, **kwargs)` on tensors without data and record every call.

    The module comes back as it was: modes, buffers, hooks and the random state. If it raises, the trace ends
    there and `failure` says where and why.
    """
    recorder = Recorder(module)
    stand_ins = [_stand_in(value, recorder) for value in args]
    named_stand_ins = {name: _stand_in(value, recorder) for name, value in (kwargs or {}).items()}
    inputs = recorder.specs((stand_ins, named_stand_ins))
    result: Any = None
    failure = None
    with _left_as_it_was(module, training), _following_modules(recorder), Beneath(recorder), recorder:
        try:
            result = module(*stand_ins, **named_stand_ins)
        except Exception as error:  # whatever a user's model raises ends the table, not the program
            failure = _explain(error, recorder.failure)
    return Trace(
        subject=subject,
        inputs=inputs,
        outputs=recorder.specs(result),
        training=training,
        batch_size=batch_size,
        ops=tuple(recorder.ops),
        params=tuple(
            Parameter(name, tuple(p.shape), str(p.dtype).removeprefix("torch."), p.requires_grad)
            for name, p in module.named_parameters()
        ),
        modules=recorder.modules,
        failure=failure,
    )


def _stand_in(value: Any, recorder: Recorder) -> Any:
    if isinstance(value, Tensor):
        return recorder.add_input(value)
    if type(value) in (tuple, list):
        return type(value)(_stand_in(item, recorder) for item in value)
    if type(value) is dict:
        return {name: _stand_in(item, recorder) for name, item in value.items()}
    return value


@contextmanager
def _left_as_it_was(module: nn.Module, training: bool) -> Iterator[None]:
    modes = [(child, child.training) for child in module.modules()]
    fast_attention = torch.backends.mha.get_fastpath_enabled()
    random_state = torch.get_rng_state()
    if any(mode is not training for _, mode in modes):
        module.train(training)
    torch.backends.mha.set_fastpath_enabled(False)  # it would hide what attention is made of
    try:
        with torch.no_grad():
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast_attention)
        torch.set_rng_state(random_state)
        for child, mode in modes:
            child.training = mode


@contextmanager
def _following_modules(recorder: Recorder) -> Iterator[None]:
    hooks = [
        register_module_forward_pre_hook(recorder.enter),
        register_module_forward_hook(recorder.leave, always_call=True),
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _explain(error: Exception, failure: Failure | None) -> str:
    """Where the model failed, what it got there, and what torch says of it."""
    reason = " ".join(str(error).split()) or type(error).__name__
    if failure is None or failure.error is not error:
        return reason
    where = failure.path or "the model's own forward"
    if failure.kind:
        got = ", ".join("x".join(map(str, shape)) or "a scalar" for shape in failure.shapes)
        return f"{where}: {failure.kind} got {got}: {reason}"
    return f"{where}: {type(error).__name__}: {reason}"
