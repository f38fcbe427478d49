"""The recorder: runs a module on tensors without data and writes down every layer-level call.

Parameters and inputs are stood in for by tensors on the meta device, so nothing is allocated and the module that
was handed in is never written to. What does not depend on them (a position grid, a mask) is computed for real,
so that a model may read its values.

A call is keyed by its function, shapes, strides, dtypes and other arguments. Where a shape rule knows the result, or
an equal call has run before, it does not run at all: an empty tensor of the known shape is handed back.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from numbers import Integral
from threading import enumerate as threads
from threading import get_ident
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch._ops import OpOverload, OpOverloadPacket
from torch.overrides import TorchFunctionMode

from archcalc.ops import definition
from archcalc.ops.definition import asks_in_place
from archcalc.ops.layout import Key
from archcalc.trace.attention import PLAIN, as_on_the_cpu, attention
from archcalc.trace.autocast import as_dtype, cast
from archcalc.trace.calls import Call, classify, spelling, written_to
from archcalc.trace.dispatch import aten_op
from archcalc.trace.modules import Modules, ModuleStack, Runs
from archcalc.trace.predict import Result, container_like, predict_result
from archcalc.trace.tensor_table import Tensors
from archcalc.trace.tensors import Known, empty, on_meta, tensors_in
from archcalc.values.trace import AtenOp, Op, Slice, tensor_specs

_SCALARS = frozenset([int, float, bool, str, type(None), complex])
_PLACES = frozenset(["to", "cpu", "cuda"])
_NAMED = (torch.dtype, torch.device, torch.memory_format, torch.layout, type(...))


class Failure(NamedTuple):
    """The error that ended a run, the path of the module it came from, and the call if it was one."""

    error: BaseException
    path: str
    kind: str = ""
    shapes: tuple[tuple[int, ...], ...] = ()


class Recorder(TorchFunctionMode):
    """Records the calls made while it is active; `ops` is the list, in order.

    `may_skip` is False where every call shall really run, on meta tensors, as it must where `autograd` is followed:
    which memory a tensor lies in, and what is kept for the backward pass, only a run can tell. `nodes` are then the
    nodes of the graph that each call made. `astray` is a module that was run by a thread that the forward started.
    """

    def __init__(self, modules: Modules, autograd: bool = False, real: bool = False, skip: bool = True) -> None:
        super().__init__()
        self.tensors = Tensors(modules, autograd, real)
        self.may_skip = skip and not autograd and not real
        self.ops: list[Op] = []
        self.runs: Runs = {}
        self.failure: Failure | None = None
        self.beneath: list[AtenOp] | None = None
        self._paths = {id(module): path for path, module in modules}
        self._results: dict[tuple[Any, ...], Result] = {}
        self._stack = ModuleStack(self._paths)
        self._thread = get_ident()
        self._elsewhere = {thread.ident for thread in threads()}  # what they run is none of this forward's
        self.astray: str | None = None
        self.nodes: list[tuple[Any, ...]] = []
        self._outer_error = sys.exc_info()[1]
        self._opaque = False

    # ---- modules: global hooks, so that the module itself gets none

    def enter(self, module: nn.Module, args: Any) -> None:
        """Forward pre-hook: from here on calls belong to this module."""
        if get_ident() != self._thread:
            if get_ident() not in self._elsewhere and id(module) in self._paths:
                self.astray = self._paths[id(module)]
            return
        self._stack.enter(module)

    def leave(self, module: nn.Module, args: Any, result: Any) -> None:
        """Forward hook, called after an error too: the module is done."""
        if get_ident() != self._thread:
            return
        path = self._stack.leave()
        error = sys.exc_info()[1]
        if error is not None and error is not self._outer_error:
            self._fail(Failure(error, path))
        elif id(module) in self._paths:
            self.runs.setdefault(path, []).append((self.tensors.shapes(args), self.tensors.shapes(result)))

    def _fail(self, failure: Failure) -> None:
        # An error passes every module on its way out; the first to see it is where it came from.
        if self.failure is None or self.failure.error is not failure.error:
            self.failure = failure

    # ---- arguments

    def _describe(self, value: Any, key: list[Any], met: list[Known]) -> Any:
        """`value` with specs for tensors; what the result can depend on goes to `key`, each tensor to `met`."""
        kind = type(value)
        if kind in _SCALARS:
            key += (kind, value)  # 1, 1.0 and True are equal, but not the same argument
            return value
        if isinstance(value, Tensor):
            known = self.tensors.meet(value)
            if known is None:
                self._opaque = True
                return kind.__name__
            if known.sparse:
                key[0] = None
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
            return Slice(*parts)
        if isinstance(value, _NAMED):
            key.append(value)
            return str(value)
        if isinstance(value, (Integral, float, str)):  # numpy's numbers, members of an IntEnum
            base = str if isinstance(value, str) else float if isinstance(value, float) else int
            return self._describe(base(value), key, met)
        key[0] = None  # an object that may act on the call in ways not seen from here: not to be remembered
        return kind.__name__

    def _stand_in(self, value: Any, live: bool) -> Any:
        """`value` with each tensor replaced by what the call runs on; all of them on meta if `live`."""
        kind = type(value)
        if isinstance(value, Tensor):
            tensor = self.tensors.known[id(value)].tensor
            return on_meta(tensor) if live else tensor
        if kind in (tuple, list):
            return kind([self._stand_in(item, live) for item in value])
        if kind is dict:
            return {name: self._stand_in(item, live) for name, item in value.items()}
        if kind is slice:
            return slice(*self._stand_in((value.start, value.stop, value.step), live))
        return value

    def _beside_opaque(self, value: Any) -> Any:
        """`value` with the stand-in for each tensor that depends on the input or on a parameter."""
        kind = type(value)
        if isinstance(value, Tensor):
            known = self.tensors.known.get(id(value))
            if known is None or not known.live:
                return value
            self.tensors.known.setdefault(id(known.tensor), known._replace(original=known.tensor))
            return known.tensor
        if kind in (tuple, list):
            return kind([self._beside_opaque(item) for item in value])
        if kind is dict:
            return {name: self._beside_opaque(item) for name, item in value.items()}
        return value

    # ---- calls

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Records one call, and runs it only if its result is not known."""
        call = classify(func)
        kwargs = kwargs or {}
        if call.query:
            return self._answer(func, call, args, kwargs)
        if call.kind in _PLACES:
            args, kwargs = _left_in_place(args, kwargs)
            if len(args) + len(kwargs) == 1 or call.kind != "to":
                return args[0]
        made = args[0] if args else kwargs.get("tensor")
        if isinstance(made, nn.Parameter) and id(made) not in self.tensors.known and _initialises(func, call):
            return self._quietly(func, args, kwargs)  # a module made on the way, whose weights may never be used
        key: list[Any] = [func]
        met: list[Known] = []
        self._opaque = False
        described = self._describe(args, key, met)
        described_kwargs = self._describe(kwargs, key, met)
        if self._opaque:  # recorded from what runs beneath it
            return func(*self._beside_opaque(args), **self._beside_opaque(kwargs))
        live = any([known.live for known in met])
        targets = self._targets(func, call, args, kwargs, live)
        for target in targets:
            met = self.tensors.writable(target, met, live)

        by_value = definition(call.kind).reads_values and not all([known.live for known in met])
        by_value = by_value or torch._C._is_any_autocast_enabled()  # autocast changes dtypes behind the arguments
        signature = tuple(key) if live and key[0] is not None and self.may_skip and not by_value else None
        done = self._results.get(signature) if signature else None
        if done is None and signature:
            done = predict_result(call.kind, bool(targets), described, described_kwargs, met)
        if done:
            outputs = [met[output].tensor if isinstance(output, int) else empty(output) for output in done.outputs]
            result, aten = (done.container(outputs) if done.container else outputs[0]), done.aten
        else:
            result, aten = self._run(func, call, args, kwargs, met, live)
            outputs = tensors_in(result)
            if call.kind == "setitem" or isinstance(func, (OpOverload, OpOverloadPacket)):
                into = [self.tensors.known[id(target)].tensor for target in targets]
                outputs = into + [output for output in outputs if not any(output is each for each in into)]
            if not outputs:
                return result
            done = self._digest(result, outputs, met, aten)
        if signature and done:
            self._results[signature] = done
        if live or any(op.flops for op in aten):
            if any([known.spec.producer is None and not known.spec.name for known in met]):
                self.tensors.name_constants(met)
                described, described_kwargs = self._describe(args, [None], []), self._describe(kwargs, [None], [])
            how = spelling(func, sys._getframe(1))
            # a formula for dense operands would count what a sparse one leaves out
            sparse = key[0] is None and any([known.sparse for known in met])
            kind = f"sparse.{call.kind}" if sparse else call.kind
            self._record(kind, described, described_kwargs, outputs, aten, live, targets, how)
        else:
            owned = all(known.owned for known in met) or not any(
                id(output) in self.tensors.sharing for output in outputs
            )
            for output in outputs:
                if id(output) not in self.tensors.known:
                    self.tensors.remember(output, output, live=False, owned=owned)
        return None if call.kind == "setitem" else result

    def _quietly(self, func: Any, args: Any, kwargs: Any) -> Any:
        self.beneath = []
        try:
            return func(*args, **kwargs)
        finally:
            self.beneath = None

    def _answer(self, func: Any, call: Call, args: Any, kwargs: Any) -> Any:
        """What is asked of a tensor, or set on it: of the stand-in where that is the one that changes."""
        known = self.tensors.known.get(id(args[0])) if args else None
        if known is None:
            return func(*args, **kwargs)
        if func.__name__ == "__set__" or call.kind == "requires_grad_":
            if call.kind == "data" and isinstance(args[1], Tensor) and (value := self.tensors.meet(args[1])):
                self.tensors.known[id(args[0])] = known._replace(tensor=value.tensor, key=value.key)
                return None
            return args[0] if known.spec.param is not None else func(known.tensor, *args[1:])
        if known.live and call.kind == "device":
            return self.tensors.device
        if known.owned or (known.live and call.kind == "is_meta"):
            return func(known.tensor, *args[1:], **kwargs)
        return func(*args, **kwargs)

    def _targets(self, func: Any, call: Call, args: Any, kwargs: Any, live: bool) -> list[Tensor]:
        """The tensors that a call writes to."""
        if call.in_place or asks_in_place(call.kind, args, kwargs):
            return tensors_in(args[0])
        if "out" in kwargs:
            return tensors_in(kwargs["out"])
        if isinstance(func, (OpOverload, OpOverloadPacket)):
            return tensors_in(written_to(func, args, kwargs))
        if not live and call.kind in ("batch_norm", "instance_norm"):  # running statistics
            return [tensor for tensor in tensors_in(args[1:3]) if id(tensor) in self.tensors.known]
        return []

    def _run(
        self, func: Any, call: Call, args: Any, kwargs: Any, met: list[Known], live: bool
    ) -> tuple[Any, tuple[AtenOp, ...]]:
        """What the call returns, and which torch ops ran beneath it."""
        self.beneath = []
        somewhere = live or any([known.tensor.is_meta for known in met])
        to_meta = somewhere and not definition(call.kind).reads_values and not self.tensors.real
        if to_meta and func is PLAIN:
            func = attention
        try:
            args, kwargs = self._stand_in(args, to_meta), self._stand_in(kwargs, to_meta)
            if to_meta and (dtype := cast(call.kind)):
                args, kwargs = as_dtype(args, dtype), as_dtype(kwargs, dtype)
            with as_on_the_cpu() if to_meta and call.kind == "multi_head_attention_forward" else nullcontext():
                result = func(*args, **kwargs)
            return result, tuple(self.beneath)
        except Exception as error:
            path = self._stack.running[-1][0]
            self._fail(Failure(error, path, call.kind, tuple(known.spec.shape for known in met)))
            raise
        finally:
            self.beneath = None

    def _digest(self, result: Any, outputs: list[Tensor], met: list[Known], aten: tuple[AtenOp, ...]) -> Result | None:
        """What to hand back when an equal call comes; None where only running it again will do."""
        if any([known.sparse for known in met]) or any([tensor.layout is not torch.strided for tensor in outputs]):
            return None
        positions = {id(known.tensor): position for position, known in enumerate(met)}
        memories = {known.tensor.untyped_storage()._cdata: at for at, known in enumerate(met)}
        keys: list[Key | int] = []
        again = False
        for output in outputs:
            key: Key = (tuple(output.shape), output.stride(), output.dtype)
            position = positions.get(id(output))
            base = memories.get(output.untyped_storage()._cdata)
            if position is None and base is not None:
                self.tensors.share(output, met[base].original)  # a view: a new tensor would not share the memory
            again = (
                again or (position is None) is not (base is None) or (position is not None and key != met[position].key)
            )
            keys.append(key if position is None else position)
        flat = isinstance(result, (tuple, list)) and all([item is None or isinstance(item, Tensor) for item in result])
        if again or not (flat or isinstance(result, Tensor)):
            return None
        return Result(tuple(keys), container_like(result) if flat else None, aten)

    def _record(
        self,
        kind: str,
        args: Any,
        kwargs: Any,
        outputs: list[Tensor],
        aten: tuple[AtenOp, ...],
        live: bool,
        targets: list[Tensor],
        how: str = "",
    ) -> None:
        index = len(self.ops)
        specs = []
        for at, output in enumerate(outputs):
            known = self.tensors.known.get(id(output))
            if known is None or at < len(targets):
                known = self.tensors.remember(
                    output, output, live=live, owned=True, origin="call", producer=index, output=at
                )
                if at < len(targets):
                    self.tensors.written(targets[at], known)
            spec = known.spec
            if spec.producer != index:
                spec = self.tensors.handed_back(known, index, at)
            specs.append(spec)
        inputs = tuple(tensor_specs((args, kwargs)))
        saved = self.tensors.just_saved()
        if self.tensors.autograd:
            self.nodes.append(tuple([output.grad_fn for output in outputs]))
        self.ops.append(Op(index, kind, self._stack.running, args, kwargs, inputs, tuple(specs), aten, saved, how))

    def forget(self, begun: int) -> None:
        """Takes back the calls from that one on: who ran them will record them."""
        del self.ops[begun:], self.nodes[begun:]

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
            if any(known.spec.producer is None and not known.spec.name for known in met):
                self.tensors.name_constants(met)
                described, described_kwargs = self._describe(args, [None], []), self._describe(kwargs, [None], [])
            self._record(op.name, described, described_kwargs, outputs, (op,), live=True, targets=[])


def _initialises(func: Any, call: Call) -> bool:
    """Whether a call is one of torch.nn.init, or made by one; two frames back stands who made it."""
    if call.in_place:
        return sys._getframe(2).f_globals.get("__name__") == "torch.nn.init"
    return getattr(func, "__module__", "") == "torch.nn.init"


def _left_in_place(args: Any, kwargs: Any) -> tuple[Any, Any]:
    """The arguments of `to` that change more than the device: every tensor stays where it stands for the real one."""
    kept = [args[0], *(arg for arg in args[1:] if isinstance(arg, (torch.dtype, Tensor)))]
    named = {name: kwargs[name] for name in ("dtype", "memory_format", "other") if kwargs.get(name) is not None}
    return kept, named
