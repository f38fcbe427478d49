"""The recorder: runs a module on tensors without data and writes down every layer-level call.

Parameters and inputs are stood in for by tensors on the meta device, so nothing is allocated and the module that
was handed in is never written to. What does not depend on them (a position grid, a mask) is computed for real,
so that a model may read its values.

A call is keyed by its function, shapes, strides, dtypes and other arguments. Where a shape rule knows the result, or
an equal call has run before, it does not run at all: an empty tensor of the known shape is handed back.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from threading import get_ident
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from archcalc.trace.beneath import aten_op
from archcalc.trace.calls import Call, classify
from archcalc.trace.shapes import IN_PLACE, RULES
from archcalc.trace.tensors import Key, Known, contiguous_strides, dtype_name, empty, on_meta, tensors_in
from archcalc.trace.values import AtenOp, Module, Op, TensorSpec

_FLOATING = frozenset([torch.float32, torch.float16, torch.bfloat16, torch.float64])
_SCALARS = frozenset([int, float, bool, str, type(None), complex])
_WHOLE = (Tensor, nn.Parameter, nn.Buffer)
_NAMED = (torch.dtype, torch.device, torch.memory_format, torch.layout, type(...))


class Result(NamedTuple):
    """What a call did: for each output the key of a new tensor, or the position of the argument handed back.

    `container` is the type of the sequence that holds several outputs, None for a single one.
    """

    outputs: tuple[Key | int, ...]
    container: Any
    aten: tuple[AtenOp, ...]


class Failure(NamedTuple):
    """The error that ended a run, the path of the module it came from, and the call if it was one."""

    error: BaseException
    path: str
    kind: str = ""
    shapes: tuple[tuple[int, ...], ...] = ()


class Recorder(TorchFunctionMode):
    """Records the calls made while it is active; `ops` is the list, in order.

    `may_skip` is False where every call shall really run, on meta tensors.
    """

    may_skip = True

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.ops: list[Op] = []
        self.modules: dict[str, Module] = {}
        self.failure: Failure | None = None
        self.beneath: list[AtenOp] | None = None
        self._paths: dict[int, str] = {}
        self._known: dict[int, Known] = {}
        self._kept: list[Tensor] = []  # so that no id() is given twice
        self._results: dict[tuple[Any, ...], Result] = {}
        self._stack: list[tuple[str, int]] = [("", 0)]
        self._runs: dict[str, int] = {}
        self._thread = get_ident()
        self._outer_error = sys.exc_info()[1]
        self._opaque = False
        for path, child in module.named_modules():
            self._paths[id(child)] = path
            self.modules[path] = Module(type(child).__name__)
        for name, parameter in module.named_parameters():
            self._remember(parameter, on_meta(parameter), live=True, param=name)

    # ---- modules: global hooks, so that the module itself gets none

    def enter(self, module: nn.Module, args: Any) -> None:
        """Forward pre-hook: from here on calls belong to this module."""
        if get_ident() != self._thread:
            return
        path = self._paths.get(id(module), self._stack[-1][0])  # one made while running has no path of its own
        run = self._runs.get(path, 0)
        self._runs[path] = run + 1
        self._stack.append((path, run))

    def leave(self, module: nn.Module, args: Any, result: Any) -> None:
        """Forward hook, called after an error too: the module is done."""
        if get_ident() != self._thread:
            return
        path, _ = self._stack.pop()
        error = sys.exc_info()[1]
        if error is not None and error is not self._outer_error:
            self._fail(Failure(error, path))
        elif id(module) in self._paths:
            self.modules[path] = Module(type(module).__name__, self.specs(args), self.specs(result))

    def _fail(self, failure: Failure) -> None:
        # An error passes every module on its way out; the first to see it is where it came from.
        if self.failure is None or self.failure.error is not failure.error:
            self.failure = failure

    # ---- tensors

    def _remember(
        self,
        original: Tensor,
        tensor: Tensor,
        *,
        live: bool,
        owned: bool = False,
        producer: int | None = None,
        param: str | None = None,
    ) -> Known:
        shape, dtype = tuple(tensor.shape), tensor.dtype
        plain = dtype in _FLOATING and 0 not in shape and tensor.is_contiguous()
        spec = TensorSpec(shape, dtype_name(dtype), producer, param)
        known = self._known[id(original)] = Known(tensor, spec, (shape, tensor.stride(), dtype), live, plain, owned)
        self._kept.append(original)
        return known

    def add_input(self, tensor: Tensor) -> Tensor:
        """The stand-in for an input tensor."""
        twin = on_meta(tensor)
        return self._remember(twin, twin, live=True, owned=True).tensor

    def specs(self, tree: Any) -> tuple[TensorSpec, ...]:
        """The specs of the tensors in what went into the module or came out of it."""
        return tuple(known.spec for known in map(self._meet, tensors_in(tree)) if known is not None)

    def _meet(self, tensor: Tensor) -> Known | None:
        """What is known of a tensor; None for a subclass or a functorch wrapper, whose shape is not the whole truth."""
        known = self._known.get(id(tensor))
        if known is not None:
            return known
        if type(tensor) not in _WHOLE or torch._C._functorch.is_functorch_wrapped_tensor(tensor):
            return None
        return self._remember(tensor, tensor, live=False)

    # ---- arguments

    def _describe(self, value: Any, key: list[Any], met: list[Known]) -> Any:
        """`value` with specs for tensors; what the result can depend on goes to `key`, each tensor to `met`."""
        kind = type(value)
        if kind in _SCALARS:
            key += (kind, value)  # 1, 1.0 and True are equal, but not the same argument
            return value
        if isinstance(value, Tensor):
            known = self._meet(value)
            if known is None:
                self._opaque = True
                return kind.__name__
            key.append(known.key)
            met.append(known)
            return known.spec
        if kind in (tuple, list, torch.Size):
            key.append(len(value))
            return tuple([self._describe(item, key, met) for item in value])
        if kind is dict:
            key.append(tuple(value))
            return {name: self._describe(item, key, met) for name, item in value.items()}
        if kind is slice:
            parts = self._describe((value.start, value.stop, value.step), key, met)
            return f"slice{parts}"
        if isinstance(value, _NAMED):
            key.append(value)
            return str(value)
        key[0] = None  # an object that may act on the call in ways not seen from here: not to be remembered
        return kind.__name__

    def _stand_in(self, value: Any, live: bool) -> Any:
        """`value` with each tensor replaced by what the call runs on; all of them on meta if any of them is live."""
        kind = type(value)
        if isinstance(value, Tensor):
            tensor = self._known[id(value)].tensor
            return on_meta(tensor) if live else tensor
        if kind in (tuple, list):
            return kind([self._stand_in(item, live) for item in value])
        if kind is dict:
            return {name: self._stand_in(item, live) for name, item in value.items()}
        if kind is slice:
            return slice(*self._stand_in((value.start, value.stop, value.step), live))
        return value

    def _writable(self, target: Tensor, met: list[Known], live: bool) -> list[Known]:
        """`met` with a copy in the target's place if the target is not ours to write to."""
        known = self._known[id(target)]
        if known.owned and known.tensor.is_meta >= live:
            return met
        copy = on_meta(known.tensor) if live else known.tensor.clone()
        ours = self._known[id(target)] = known._replace(tensor=copy, owned=True)
        return [ours if other is known else other for other in met]

    # ---- calls

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Records one call, and runs it only if its result is not known."""
        call = classify(func)
        kwargs = kwargs or {}
        if call.query:
            known = self._known.get(id(args[0])) if args else None
            return func(known.tensor, *args[1:], **kwargs) if known and known.owned else func(*args, **kwargs)
        key: list[Any] = [func]
        met: list[Known] = []
        self._opaque = False
        described = self._describe(args, key, met)
        described_kwargs = self._describe(kwargs, key, met)
        if self._opaque:
            return func(*args, **kwargs)  # recorded from what runs beneath it
        live = any([known.live for known in met])
        target = args[0] if call.in_place or _asks_in_place(call.kind, args, kwargs) else kwargs.get("out")
        if isinstance(target, Tensor):
            met = self._writable(target, met, live)

        signature = tuple(key) if live and key[0] is not None and self.may_skip else None
        done = self._results.get(signature) if signature else None
        if done is None and signature:
            done = _by_rule(call.kind, target is not None, described, described_kwargs, met)
        if done:
            outputs = [met[output].tensor if isinstance(output, int) else empty(output) for output in done.outputs]
            result = done.container(outputs) if done.container else outputs[0]
        else:
            result, aten = self._run(func, call, args, kwargs, met, live)
            outputs = [self._known[id(args[0])].tensor] if call.kind == "setitem" else tensors_in(result)
            if not outputs:
                return result
            done = _digest(result, outputs, met, aten)
        if signature:
            self._results[signature] = done
        if live or any(op.flops for op in done.aten):
            self._record(call.kind, described, described_kwargs, outputs, done.aten, live, target)
        else:
            for output in outputs:
                if id(output) not in self._known:
                    self._remember(output, output, live=False, owned=True)
        return None if call.kind == "setitem" else result

    def _run(
        self, func: Any, call: Call, args: Any, kwargs: Any, met: list[Known], live: bool
    ) -> tuple[Any, tuple[AtenOp, ...]]:
        """What the call returns, and which torch ops ran beneath it."""
        self.beneath = []
        try:
            result = func(*self._stand_in(args, live), **self._stand_in(kwargs, live))
            return result, tuple(self.beneath)
        except Exception as error:
            self._fail(Failure(error, self._stack[-1][0], call.kind, tuple(known.spec.shape for known in met)))
            raise
        finally:
            self.beneath = None

    def _record(
        self,
        kind: str,
        args: Any,
        kwargs: Any,
        outputs: list[Tensor],
        aten: tuple[AtenOp, ...],
        live: bool,
        target: Tensor | None = None,
    ) -> None:
        index = len(self.ops)
        path, run = self._stack[-1]
        specs = []
        for output in outputs:
            known = self._known.get(id(output))
            if known is None or target is not None:
                known = self._remember(output, output, live=live, owned=True, producer=index)
                if target is not None:
                    self._known[id(target)] = known
            specs.append(replace(known.spec, producer=index))  # an identity (`contiguous`) hands back what it got
        self.ops.append(Op(index, kind, path, run, args, kwargs, tuple(specs), aten))

    def ran(self, func: Any, args: Any, kwargs: Any, result: Any) -> None:
        """Takes note of one torch op: beneath the running call, or as a row of its own outside of any."""
        op = aten_op(func, args, kwargs, result)
        if self.beneath is not None:
            self.beneath.append(op)
            return
        met: list[Known] = []
        described = self._describe(args, [None], met)
        described_kwargs = self._describe(kwargs, [None], met)
        if any(known.live for known in met) and (outputs := tensors_in(result)):
            self._record(op.name, described, described_kwargs, outputs, (op,), live=True)


def _asks_in_place(kind: str, args: Any, kwargs: Any) -> bool:
    position = IN_PLACE.get(kind)
    return position is not None and bool(kwargs.get("inplace", len(args) > position and args[position]))


def _by_rule(kind: str, in_place: bool, args: Any, kwargs: Any, met: list[Known]) -> Result | None:
    rule = RULES.get(kind)
    dtype = met[0].key[2]
    if rule is None or not all([known.plain and known.key[2] is dtype for known in met]):
        return None
    try:
        shape = rule(*args, **kwargs)
    except TypeError:  # arguments that the rule does not know
        return None
    if shape is None or (in_place and shape != met[0].spec.shape):
        return None
    return Result((0 if in_place else (shape, contiguous_strides(shape), dtype),), None, ())


def _digest(result: Any, outputs: list[Tensor], met: list[Known], aten: tuple[AtenOp, ...]) -> Result:
    """What to hand back when an equal call comes."""
    given = {id(known.tensor): position for position, known in enumerate(met)}
    keys = tuple(given.get(id(out), (tuple(out.shape), out.stride(), out.dtype)) for out in outputs)
    return Result(keys, type(result) if isinstance(result, (tuple, list)) else None, aten)
