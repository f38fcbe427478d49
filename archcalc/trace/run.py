"""One forward pass of a module, recorded."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import wraps
from inspect import Parameter, iscoroutine, isgenerator, signature
from threading import RLock
from typing import Any, ParamSpec, TypeVar

import torch
from torch import Tensor, nn

from archcalc.trace.backward import Training, what_training_needs
from archcalc.trace.checkpoints import recorded_checkpoints
from archcalc.trace.control_flow import uncompiled_control_flow
from archcalc.trace.derivatives import saved_tensors_hidden
from archcalc.trace.dispatch import DispatchRecorder
from archcalc.trace.module_runs import Failure
from archcalc.trace.modules import forward_hooks, tree, walk
from archcalc.trace.preserve import preserve_surroundings
from archcalc.trace.record import Recorder
from archcalc.trace.tensors import mapped, stored_bytes
from archcalc.trace.twin import twin_of
from archcalc.values.errors import ModelError, error_message, error_text
from archcalc.values.trace import Trace

Params = ParamSpec("Params")
Result = TypeVar("Result")

# Forward hooks for all modules, and the attention that takes torch's place, are there once for all threads.
_ONE_AT_A_TIME = RLock()
_COMPILING = frozenset(["torch._dynamo", "torch.nn.attention.flex_attention"])


def _one_at_a_time(function: Callable[Params, Result]) -> Callable[Params, Result]:
    @wraps(function)
    def alone(*args: Params.args, **kwargs: Params.kwargs) -> Result:
        with _ONE_AT_A_TIME:
            return function(*args, **kwargs)

    return alone


@_one_at_a_time
def trace(
    module: nn.Module,
    args: tuple[Any, ...] = (),
    kwargs: dict[str, Any] | None = None,
    *,
    subject: str = "",
    training: bool = False,
    batch_size: int | None = None,
    autograd: bool = False,
    real: bool = False,
    skip: bool = True,
) -> Trace:
    """Run `module(*args, **kwargs)` on tensors without data and record every call.

    `real` runs it on the tensors as they are, for a model that reads values.
    Without `skip` every call really runs, and so tells of all torch ops beneath it.
    With `autograd` also which gradients the backward pass computes and what it keeps; no call is skipped then.
    The module itself does not run and is never written to: a twin of it does. If that raises, the trace ends there and
    `failure` says where and why.
    """
    kwargs = kwargs or {}
    module, originals = twin_of(module, own_buffers=real)
    modules = walk(module)
    recorder = Recorder(modules, autograd, real, skip)
    recorder.modules.originals = originals
    stand_ins = [
        _stand_in(value, name, recorder) for name, value in zip(_argument_names(module, len(args)), args, strict=True)
    ]
    named_stand_ins = {name: _stand_in(value, name, recorder) for name, value in kwargs.items()}
    inputs = recorder.tensors.input_specs((stand_ins, named_stand_ins))
    result: Any = None
    failure = None
    watch_saved_tensors = torch.autograd.graph.saved_tensors_hooks(recorder.tensors.save, lambda tensor: tensor)
    with (
        preserve_surroundings(module, modules, training),
        _uncompiled(),
        uncompiled_control_flow(),
        torch.set_grad_enabled(autograd),
        watch_saved_tensors if autograd else nullcontext(),
        recorded_checkpoints(recorder) if autograd else nullcontext(),
        saved_tensors_hidden(recorder) if autograd else nullcontext(),
        forward_hooks(recorder.modules.enter, recorder.modules.leave),
        DispatchRecorder(recorder),
        recorder,
    ):
        try:
            result = module(*stand_ins, **named_stand_ins)
            if iscoroutine(result) or isgenerator(result):
                result.close()
                raise ModelError("the model's own forward: it gives a coroutine or a generator, whose code never ran")
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # whatever a user's model raises ends the table, not the program
            failure = _explain(error, recorder.modules.failure)
    if (escaped := recorder.modules.escaped_module) is not None:
        failure = f"{escaped or 'the model'}: it runs in a thread of its own, where no call can be followed"
    followed = what_training_needs(recorder, result) if autograd else Training(recorder.ops)
    recorded = Trace(
        subject=subject,
        inputs=inputs,
        outputs=recorder.tensors.output_specs(result),
        training=training,
        batch_size=batch_size,
        ops=tuple(followed.ops),
        params=tuple(recorder.tensors.parameters),
        modules=tree(modules, recorder.modules.runs),
        notes=recorder.tensors.notes() + recorder.values.notes() + followed.notes,
        failure=failure,
        autograd=autograd,
        buffer_bytes=sum(_buffer_bytes(buffer) for buffer in module.buffers()),
        checkpoints=followed.checkpoints,
    )
    recorder.tensors.release()
    recorder.values.release()
    return recorded


def _buffer_bytes(buffer: Tensor) -> int:
    return buffer.nbytes if buffer.layout is torch.strided else stored_bytes(buffer)


def _argument_names(module: nn.Module, count: int) -> list[str]:
    """What the module's forward calls the first `count` of its arguments; "args[0]" and so on where it has no names."""
    parameters: list[Parameter] = []
    with suppress(AttributeError, TypeError, ValueError):  # scripted code has no signature
        parameters = list(signature(module.forward).parameters.values())
    names = [one.name for one in parameters if one.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)]
    rest = next((one.name for one in parameters if one.kind is Parameter.VAR_POSITIONAL), "args")
    return [*names[:count], *[f"{rest}[{number}]" for number in range(count - len(names))]]


def _stand_in(value: Any, name: str, recorder: Recorder) -> Any:
    if isinstance(value, Tensor):
        stand_in = recorder.tensors.add_input(value, name)
        recorder.values.add_input(stand_in, value)
        return stand_in
    return mapped(value, lambda key, item: _stand_in(item, f"{name}[{key}]", recorder))


@contextmanager
def _uncompiled() -> Iterator[None]:
    """Within it compiled modules run as they were written, and torch does not warn of what the trace is the cause."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Using `torch\.compile\(module\)` when there are global hooks")
        warnings.filterwarnings("ignore", message="global module forward hook with")  # too deep in a recursion to run
        warnings.filterwarnings("ignore", message="None of the inputs have requires_grad=True")
        if not _COMPILING.isdisjoint(sys.modules):  # whoever compiles has imported it, which takes a second
            with torch.compiler.set_stance("force_eager"):
                yield
        else:
            yield


def _explain(error: BaseException, failure: Failure | None) -> str:
    """Where the model failed, what it got there, and what torch says of it."""
    reason = _error_text(error)
    if failure is None or failure.error is not error:
        return reason
    where = failure.path or "the model's own forward"
    if failure.kind:
        got = ", ".join("x".join(map(str, shape)) or "a scalar" for shape in failure.shapes)
        return f"{where}: {failure.kind} got {got}: {reason}"
    return f"{where}: {error_text(error)}"


def _error_text(error: BaseException) -> str:
    text = error_message(error)
    if isinstance(error, SystemExit):
        return f"the model's own forward: it exits with {text or 0}"
    if not isinstance(error, Exception):  # torch's hooks after an error do not run for these
        return f"the model's own forward: {error_text(error)}"
    return text or type(error).__name__
