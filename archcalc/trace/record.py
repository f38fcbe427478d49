"""The recorder: runs a module on tensors without data and writes down every layer-level call.

Parameters and inputs are stood in for by tensors on the meta device, so nothing is allocated and the module that
was handed in is never written to. What does not depend on them (a position grid, a mask) is computed for real,
so that a model may read its values.

A call is keyed by its function, shapes, strides, dtypes and other arguments. Where a shape rule knows the result, or
an equal call has run before, it does not run at all: an empty tensor of the known shape is handed back.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from numbers import Integral
from threading import get_ident
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from archcalc.trace.attention import attention, multi_head
from archcalc.trace.autocast import as_dtype, cast
from archcalc.trace.beneath import aten_op
from archcalc.trace.calls import Call, classify, written
from archcalc.trace.known import Tensors
from archcalc.trace.layouts import strides_of
from archcalc.trace.modules import Modules, Runs
from archcalc.trace.shapes import IN_PLACE, RULES
from archcalc.trace.tensors import Key, Known, contiguous_strides, empty, on_meta, tensors_in
from archcalc.trace.values import AtenOp, Op, tensor_specs

_FLOATING = frozenset([torch.float32, torch.float16, torch.bfloat16, torch.float64])
_SCALARS = frozenset([int, float, bool, str, type(None), complex])
_WHOLE = (Tensor, nn.Parameter, nn.Buffer)
_PLACES = frozenset(["to", "cpu", "cuda"])
# What these do depends on the values of their constant arguments, which must stay real.
_BY_VALUE = frozenset("getitem setitem index_select repeat_interleave narrow tensor_split split take".split())
_MULTI_HEAD = "multi_head_attention_forward"
_RULED = frozenset([*RULES, _MULTI_HEAD])
_NAMED = (torch.dtype, torch.device, torch.memory_format, torch.layout, type(...))


class Result(NamedTuple):
    """What a call did: for each output the key of a new tensor, or the position of the argument handed back.

    `container` makes the sequence that holds several outputs of a list of them; None for a single one.
    """

    outputs: tuple[Key | int, ...]
    container: Callable[[list[Tensor]], Any] | None
    aten: tuple[AtenOp, ...]


class Failure(NamedTuple):
    """The error that ended a run, the path of the module it came from, and the call if it was one."""

    error: BaseException
    path: str
    kind: str = ""
    shapes: tuple[tuple[int, ...], ...] = ()


class Recorder(TorchFunctionMode):
    """Records the calls made while it is active; `ops` is the list, in order.

    `may_skip` is False where every call shall really run, on meta tensors, as it must where `autograd` is followed:
    which memory a tensor lies in, and what is kept for the backward pass, only a run can tell.
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
        self._stack: list[tuple[str, int]] = [("", 0)]
        self._begun: dict[str, int] = {}
        self._thread = get_ident()
        self._outer_error = sys.exc_info()[1]
        self._opaque = False

    # ---- modules: global hooks, so that the module itself gets none

    def enter(self, module: nn.Module, args: Any) -> None:
        """Forward pre-hook: from here on calls belong to this module."""
        if get_ident() != self._thread:
            return
        path = self._paths.get(id(module), self._stack[-1][0])  # one made while running has no path of its own
        run = self._begun.get(path, 0)
        self._begun[path] = run + 1
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
            return f"slice{parts}"
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
        key: list[Any] = [func]
        met: list[Known] = []
        self._opaque = False
        described = self._describe(args, key, met)
        described_kwargs = self._describe(kwargs, key, met)
        if self._opaque:  # recorded from what runs beneath it
            return func(*self._beside_opaque(args), **self._beside_opaque(kwargs))
        live = any([known.live for known in met])
        targets = self._targets(call, args, kwargs, live)
        for target in targets:
            met = self.tensors.writable(target, met, live)

        by_value = call.kind in _BY_VALUE and not all([known.live for known in met])
        by_value = by_value or torch._C._is_any_autocast_enabled()  # autocast changes dtypes behind the arguments
        signature = tuple(key) if live and key[0] is not None and self.may_skip and not by_value else None
        done = self._results.get(signature) if signature else None
        if done is None and signature:
            done = _by_rule(call.kind, bool(targets), described, described_kwargs, met)
        if done:
            outputs = [met[output].tensor if isinstance(output, int) else empty(output) for output in done.outputs]
            result, aten = (done.container(outputs) if done.container else outputs[0]), done.aten
        else:
            result, aten = self._run(func, call, args, kwargs, met, live)
            outputs = [self.tensors.known[id(args[0])].tensor] if call.kind == "setitem" else tensors_in(result)
            if not outputs:
                return result
            done = self._digest(result, outputs, met, aten)
        if signature and done:
            self._results[signature] = done
        if live or any(op.flops for op in aten):
            how = written(func, sys._getframe(1))
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
        if known.owned or (known.live and call.kind in ("device", "is_meta")):
            return func(known.tensor, *args[1:], **kwargs)
        return func(*args, **kwargs)

    def _targets(self, call: Call, args: Any, kwargs: Any, live: bool) -> list[Tensor]:
        """The tensors that a call writes to."""
        if call.in_place or _asks_in_place(call.kind, args, kwargs):
            return tensors_in(args[0])
        if "out" in kwargs:
            return tensors_in(kwargs["out"])
        if not live and call.kind in ("batch_norm", "instance_norm"):  # running statistics
            return [tensor for tensor in tensors_in(args[1:3]) if id(tensor) in self.tensors.known]
        return []

    def _run(
        self, func: Any, call: Call, args: Any, kwargs: Any, met: list[Known], live: bool
    ) -> tuple[Any, tuple[AtenOp, ...]]:
        """What the call returns, and which torch ops ran beneath it."""
        self.beneath = []
        to_meta = live and call.kind not in _BY_VALUE and not self.tensors.real
        if to_meta and func is F.scaled_dot_product_attention:
            func = attention
        try:
            args, kwargs = self._stand_in(args, to_meta), self._stand_in(kwargs, to_meta)
            if to_meta and (dtype := cast(call.kind)):
                args, kwargs = as_dtype(args, dtype), as_dtype(kwargs, dtype)
            result = func(*args, **kwargs)
            return result, tuple(self.beneath)
        except Exception as error:
            self._fail(Failure(error, self._stack[-1][0], call.kind, tuple(known.spec.shape for known in met)))
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
        return Result(tuple(keys), _container_like(result) if flat else None, aten)

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
        path, run = self._stack[-1]
        specs = []
        for at, output in enumerate(outputs):
            known = self.tensors.known.get(id(output))
            if known is None or at < len(targets):
                known = self.tensors.remember(output, output, live=live, owned=True, producer=index)
                if at < len(targets):
                    self.tensors.written(targets[at], known)
            spec = known.spec
            if spec.producer != index:  # an identity (`contiguous`) hands back what it got
                spec = replace(spec, producer=index)
            specs.append(spec)
        inputs = tuple(tensor_specs((args, kwargs)))
        saved = self.tensors.just_saved()
        self.ops.append(Op(index, kind, path, run, args, kwargs, inputs, tuple(specs), aten, saved, how))

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
            self._record(op.name, described, described_kwargs, outputs, (op,), live=True, targets=[])


def _asks_in_place(kind: str, args: Any, kwargs: Any) -> bool:
    position = IN_PLACE.get(kind)
    return position is not None and bool(kwargs.get("inplace", len(args) > position and args[position]))


def _container_like(result: Any) -> Callable[[list[Tensor]], Any]:
    """What puts tensors into a sequence like that one, None where it has None."""
    kind, there = type(result), [item is not None for item in result]

    def fill(tensors: list[Tensor]) -> Any:
        left = iter(tensors)
        return kind([next(left) if each else None for each in there])

    return fill


def _by_rule(kind: str, in_place: bool, args: Any, kwargs: Any, met: list[Known]) -> Result | None:
    operands = met[1:] if kind == "embedding" else met  # its indices are integers
    dtype = operands[0].key[2]
    if kind not in _RULED or not all([known.plain and known.key[2] is dtype for known in operands]):
        return None
    try:
        if kind == _MULTI_HEAD:
            several = multi_head(*args, **kwargs)
            return several and Result(
                tuple([(shape, contiguous_strides(shape), dtype) for shape in several[0]]),
                lambda tensors: (*tensors, None)[:2],
                several[1],
            )
        shape = RULES[kind](*args, **kwargs)
    except TypeError:  # arguments that the rule does not know
        return None
    if shape is None:
        return None
    contiguous = all([known.contiguous for known in met])
    if in_place:
        return Result((0,), None, ()) if contiguous and shape == met[0].spec.shape else None
    strides = strides_of(kind, shape, [known.key for known in operands], contiguous)
    return None if strides is None else Result(((shape, strides, dtype),), None, ())


def _left_in_place(args: Any, kwargs: Any) -> tuple[Any, Any]:
    """The arguments of `to` and its like without devices: every tensor stays where it stands for the real one."""
    kept = [arg for arg in args if not isinstance(arg, torch.device) and not _names_device(arg)]
    return kept, {name: value for name, value in kwargs.items() if name != "device"}


def _names_device(value: Any) -> bool:
    return isinstance(value, str) and value.partition(":")[0] in ("cpu", "cuda", "mps", "xpu", "meta")
