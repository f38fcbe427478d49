"""The recorder: runs a module on tensors without data and writes down every layer-level call.

Parameters and inputs are stood in for by tensors on the meta device, so nothing is allocated and the module that
was handed in is never written to. What does not depend on them (a position grid, a mask) is computed for real,
so that a model may read its values.

A call is described by its function, shapes, strides, dtypes and other arguments. Where its definition knows the result,
or an equal call has run before, it does not run at all: an empty tensor of the known shape is handed back.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch._ops import HigherOrderOperator, OpOverload, OpOverloadPacket
from torch.overrides import TorchFunctionMode

from archcalc.ops import definition
from archcalc.ops.definition import asks_in_place
from archcalc.trace.attention import PLAIN, as_on_the_cpu, attention
from archcalc.trace.autocast import as_dtype, cast
from archcalc.trace.call import Call, Outcome, Recorded, initialises, recorded_name, without_device
from archcalc.trace.calls import CallKind, classify, spelling, written_to
from archcalc.trace.captured import CapturedParameters
from archcalc.trace.checkpoints import Regions
from archcalc.trace.constants import without_data
from archcalc.trace.control_flow import CONTROL_FLOW
from archcalc.trace.derivatives import autograd_nodes, has_tangents, wraps_results
from archcalc.trace.describe import Description
from archcalc.trace.dispatch import aten_op
from archcalc.trace.known_values import READS, KnownValues
from archcalc.trace.module_runs import Failure, ModuleRuns
from archcalc.trace.modules import Modules
from archcalc.trace.predict import Result, memoizable_result, overlaps_of, predict_result
from archcalc.trace.recurrent import KINDS, recurrent
from archcalc.trace.tensor_table import TensorTable
from archcalc.trace.tensors import TrackedTensor, empty, tensors_in, with_tensors
from archcalc.values.trace import AtenOp, Op, TensorSpec, tensor_specs

_MOVES = frozenset(["to", "cpu", "cuda"])
_OF_STAND_INS = frozenset("shape size dim ndim ndimension numel nelement dtype stride requires_grad __len__".split())
"""What is asked of the stand-in for a parameter: the forward may have set it."""
_SETS = frozenset(["__set__", "__delete__", "requires_grad_", "retain_grad", "register_hook"])
_SETS |= {"register_post_accumulate_grad_hook"}


class Recorder(TorchFunctionMode):
    """Records the calls made while it is active; `ops` is the list, in order.

    `aten_ops` are the torch ops that have run beneath the running call, None outside of any. `hides_saved_tensors`:
    something kept tensors for the backward pass unseen. `skip=False` forces every call to run on meta tensors; so does
    `autograd`, which needs real storages.
    """

    def __init__(self, modules: Modules, autograd: bool = False, real: bool = False, skip: bool = True) -> None:
        super().__init__()
        self.regions = Regions(self)
        self.tensors = TensorTable(modules, autograd, real, self.regions)
        self.values = KnownValues(modules[0][1], self.tensors)
        self.modules = ModuleRuns(modules, self.tensors)
        self.ops: list[Op] = []
        self.hides_saved_tensors = False
        self._nodes: list[tuple[Any, ...]] = []
        self.aten_ops: list[AtenOp] | None = None
        self._may_skip = skip and not autograd and not real
        self._results: dict[tuple[Any, ...], Result] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Describe a call, predict what it gives or execute it, and record it."""
        kind = classify(func)
        kwargs = kwargs or {}
        if kind.records_nothing:
            return self._ask(func, kind, args, kwargs)
        if kind.name in CONTROL_FLOW:
            with self:
                return CONTROL_FLOW[kind.name](*args, **kwargs)
        if kind.name in _MOVES:
            args, kwargs = without_device(args, kwargs)
            if len(args) + len(kwargs) == 1 or kind.name != "to":
                return args[0]
        if self._is_new_parameter(args, kwargs) and initialises(func, kind, sys._getframe(1)):
            return self._run_unrecorded(func, args, kwargs)  # a module made on the way, whose weights may not be used
        call = self._describe(func, kind, args, kwargs)
        if call is None:
            for tensor in tensors_in((args, kwargs)):
                if self.values.is_known(tensor):
                    self.values.forget(tensor)  # it may be written to
            # what runs beneath it is recorded
            return func(*with_tensors(args, self._known_stand_in), **with_tensors(kwargs, self._known_stand_in))
        outcome = self._predict(call)
        if outcome is None:
            outcome = self._execute(call)
        if not outcome.outputs:
            return outcome.result
        if call.depends_on_input or any(op.flops for op in outcome.aten_ops):
            self._record(call, outcome, recorded_name(call), spelling(func, sys._getframe(1)))
        else:
            self._keep_constants(call, outcome)
        return None if kind.name == "setitem" else outcome.result

    # ---- calls that are not recorded

    def _ask(self, func: Any, kind: CallKind, args: Any, kwargs: Any) -> Any:
        """What is asked of a tensor, or set on it: of its stand-in where that is the one that changes."""
        if kind.name in _SETS and isinstance(args[0], Tensor) and (entry := self.tensors.track(args[0])) is not None:
            return self._set(func, entry, args, kwargs)
        entry = self.tensors.lookup(args[0]) if args else None
        if entry is None:
            return func(*args, **kwargs)
        if kind.name in READS and (answer := self.values.ask(func, args, kwargs)) is not None:
            return answer[0]
        if entry.spec.param is not None and kind.name in _OF_STAND_INS:
            return func(entry.tensor, *args[1:], **kwargs)
        made_here = entry.depends_on_input or entry.spec.origin == "constant"
        if kind.name == "device" and entry.tensor.is_meta and made_here:
            return self.tensors.device
        if entry.writable or (entry.depends_on_input and kind.name == "is_meta"):
            return func(entry.tensor, *args[1:], **kwargs)
        return func(*args, **kwargs)

    def _set(self, func: Any, entry: TrackedTensor, args: Any, kwargs: Any) -> Any:
        """An attribute or a hook is set on a tensor: on its stand-in, as that of the user stays as it is."""
        self.values.detach(args[0])
        if func.__name__ == "__set__" and func.__self__.__name__ == "data" and isinstance(args[1], Tensor):
            value = self.tensors.track(args[1])
            if value is not None:
                return self.tensors.set_data(entry, value)
        result = func(self.tensors.own_object(entry), *args[1:], **kwargs)
        return args[0] if func.__name__ == "requires_grad_" else result

    def _is_new_parameter(self, args: Any, kwargs: Any) -> bool:
        first = args[0] if args else kwargs.get("tensor")
        return id(first) not in self.tensors.tracked and isinstance(first, nn.Parameter)

    def _run_unrecorded(self, func: Any, args: Any, kwargs: Any) -> Any:
        self.aten_ops = []
        try:
            return func(*args, **kwargs)
        finally:
            self.aten_ops = None

    def _known_stand_in(self, tensor: Tensor) -> Tensor:
        """What stands in for a tensor that depends on the input or is a parameter; itself for any other."""
        entry = self.tensors.lookup(tensor)
        if entry is None or not entry.depends_on_input:
            return tensor
        self.tensors.tracked.setdefault(id(entry.tensor), entry._replace(user_tensor=entry.tensor))
        return entry.tensor

    # ---- describe

    def _describe(self, func: Any, kind: CallKind, args: Any, kwargs: Any) -> Call | None:
        """The call, with targets that may be written to; None for one of tensors whose shape tells too little."""
        description = Description(self.tensors, func)
        specs, named_specs = description.read(args), description.read(kwargs)
        if description.opaque or wraps_results():
            return None
        operands = description.operands
        depends_on_input = any([operand.depends_on_input for operand in operands])
        targets = self._targets(func, kind, args, kwargs, depends_on_input)
        for target in targets:
            operands = self.tensors.make_writable(target, operands, depends_on_input)
        by_value = definition(kind.name).reads_values and not all([operand.depends_on_input for operand in operands])
        by_value = by_value or torch._C._is_any_autocast_enabled()  # autocast changes dtypes behind the arguments
        followed = torch.is_grad_enabled() or has_tangents(operands)  # the model takes a derivative of its own
        memoizable = depends_on_input and description.memoizable and self._may_skip and not by_value and not followed
        key = tuple(description.key) if memoizable else None
        return Call(func, kind, args, kwargs, specs, named_specs, operands, depends_on_input, targets, key)

    def _targets(self, func: Any, kind: CallKind, args: Any, kwargs: Any, depends_on_input: bool) -> list[Tensor]:
        """The tensors that a call writes to."""
        if kind.in_place or asks_in_place(kind.name, args, kwargs):
            return tensors_in(args[0])
        if "out" in kwargs:
            return tensors_in(kwargs["out"])
        if isinstance(func, (OpOverload, OpOverloadPacket)):
            return tensors_in(written_to(func, args, kwargs))
        if not depends_on_input and kind.name in ("batch_norm", "instance_norm"):  # running statistics
            return [tensor for tensor in tensors_in(args[1:3]) if id(tensor) in self.tensors.tracked]
        return []

    # ---- predict

    def _predict(self, call: Call) -> Outcome | None:
        """What the call gives, by an equal one that has run or by its definition; None if it has to run."""
        if call.key is None:
            return None
        result = self._results.get(call.key)
        if result is None:
            result = predict_result(call.kind.name, bool(call.targets), call.specs, call.named_specs, call.operands)
            if result is None:
                return None
            self._results[call.key] = result
        outputs = [call.operands[key].tensor if isinstance(key, int) else empty(key) for key in result.outputs]
        return Outcome(result.container(outputs) if result.container else outputs[0], outputs, result.aten)

    # ---- execute

    def _execute(self, call: Call) -> Outcome:
        """Run the call, and keep what it gives for calls that are equal to it."""
        saved_before = self.tensors.saved_so_far()
        try:
            result, aten_ops = self._run(call)
        except Exception:
            self.tensors.drop_saved_from(saved_before)
            on_values = self._run_on_values(call)
            if on_values is None:
                raise
            call, (result, aten_ops) = replace(call, key=None), on_values
        outputs = tensors_in(result)
        if call.kind.name == "setitem" or isinstance(call.func, (OpOverload, OpOverloadPacket)):
            targets = [self.tensors.tracked[id(target)].tensor for target in call.targets]
            outputs = targets + [output for output in outputs if not any(output is target for target in targets)]
        if (overlaps := overlaps_of(outputs, call.operands)) is not None:
            for output, (operand, memory) in zip(outputs, overlaps, strict=True):
                if operand is None and memory is not None:
                    self.tensors.share(output, call.operands[memory].user_tensor)
            memoizable = memoizable_result(result, outputs, overlaps, call.operands, aten_ops)
            if call.key is not None and memoizable is not None:
                self._results[call.key] = memoizable
        return Outcome(result, outputs, aten_ops)

    def _run(self, call: Call) -> tuple[Any, tuple[AtenOp, ...]]:
        """What the call returns on stand-ins for its tensors, and which torch ops ran beneath it."""
        tracked, name = self.tensors.tracked, call.kind.name
        on_any_meta = call.depends_on_input or any([operand.tensor.is_meta for operand in call.operands])
        to_meta = on_any_meta and not definition(name).reads_values and not self.tensors.real
        func = attention if to_meta and call.func is PLAIN else call.func
        func = recurrent(func) if to_meta and name in KINDS else func
        constant = None if on_any_meta or self.tensors.real else without_data(call, self.tensors.constant_on_meta)
        self.aten_ops = []
        try:
            args, kwargs = constant or with_tensors(
                (call.args, call.kwargs),
                lambda tensor: self._stand_in(tracked[id(tensor)], to_meta),
            )
            if to_meta and (dtype := cast(name)):
                args, kwargs = as_dtype(args, dtype), as_dtype(kwargs, dtype)
            if isinstance(func, HigherOrderOperator):
                return self._run_higher_order(call, args, kwargs), tuple(self.aten_ops)
            with as_on_the_cpu() if to_meta and name == "multi_head_attention_forward" else nullcontext():
                result = func(*args, **kwargs)
            return result, tuple(self.aten_ops)
        except BaseException as error:
            shapes = tuple([operand.spec.shape for operand in call.operands])
            self.modules.fail(Failure(error, self.modules.running[-1][0], name, shapes))
            raise
        finally:
            self.aten_ops = None

    def _run_higher_order(self, call: Call, args: Any, kwargs: Any) -> Any:
        """What an operator returns that is given functions; the weights that these read are operands of the call."""
        captured = CapturedParameters(self._known_stand_in)
        result = call.func(*captured.watching(args), **kwargs)
        if captured.parameters:
            call.kwargs = {**call.kwargs, "captured": tuple(captured.parameters)}
            description = Description(self.tensors)
            call.named_specs = description.read(call.kwargs)
            call.operands = [*call.operands, *description.operands]
        return result

    def _run_on_values(self, call: Call) -> tuple[Any, tuple[AtenOp, ...]] | None:
        """What a call that failed on stand-ins gives if known values take their place; None if that is not enough."""
        for args, kwargs in self.values.in_place_of_stand_ins(call):
            self.aten_ops = []
            try:
                return self.values.as_stand_ins(call.func(*args, **kwargs), (args, kwargs)), tuple(self.aten_ops)
            except Exception:  # the error on stand-ins is the one to report
                continue
            finally:
                self.aten_ops = None
        return None

    def _stand_in(self, entry: TrackedTensor, to_meta: bool) -> Tensor:
        return self.tensors.constant_on_meta(entry.tensor) if to_meta else entry.tensor

    # ---- record

    def _record(self, call: Call, outcome: Outcome, kind: str, spelling: str = "", running: bool = False) -> None:
        """Write the call down, and track what it gave; torch sets `grad_fn` once the call is no longer `running`."""
        specs, named_specs = call.specs, call.named_specs
        if any([operand.spec.producer is None and not operand.spec.name for operand in call.operands]):
            self.tensors.name_constants(call.operands)
            again = Description(self.tensors)
            specs, named_specs = again.read(call.args), again.read(call.kwargs)
        index = len(self.ops)
        outputs = self._track_outputs(call, outcome.outputs, index)
        self.values.note_call(call, outcome.outputs)
        inputs = tuple(tensor_specs((specs, named_specs)))
        saved, saved_again = self.tensors.take_saved()
        if self.tensors.autograd:
            self._nodes.append(tuple(outcome.outputs) if running else autograd_nodes(outcome.outputs))
        modules = self.modules.running
        self.ops.append(
            Op(
                index,
                kind,
                modules,
                specs,
                named_specs,
                inputs,
                outputs,
                outcome.aten_ops,
                saved,
                spelling,
                self.regions.numbers,
                saved_again,
            )
        )

    def _track_outputs(self, call: Call, outputs: list[Tensor], index: int) -> tuple[TensorSpec, ...]:
        """The specs of what the call of that index gave; its targets come first."""
        specs = []
        writable = not self.tensors.real or self._may_be_written_to(call, outputs)
        for at, output in enumerate(outputs):
            entry = self.tensors.lookup(output)
            if entry is None or at < len(call.targets):
                entry = self.tensors.add_output(output, index, at, call.depends_on_input, writable)
                if at < len(call.targets):
                    self.tensors.mark_written(call.targets[at], entry)
            is_new = entry.spec.producer == index
            specs.append(entry.spec if is_new else self.tensors.handed_back(entry, index, at))
        return tuple(specs)

    def _keep_constants(self, call: Call, outcome: Outcome) -> None:
        """Track what a call gave that nothing of the input or a weight goes into."""
        writable = self._may_be_written_to(call, outcome.outputs)
        for output in outcome.outputs:
            if id(output) not in self.tensors.tracked:
                self.tensors.add(output, output, depends_on_input=False, writable=writable)

    def _may_be_written_to(self, call: Call, outputs: list[Tensor]) -> bool:
        """Whether what a call gave is no view of what the user holds."""
        views = any([id(output) in self.tensors.sharing for output in outputs])
        return not views or all([operand.writable for operand in call.operands])

    # ---- what torch runs beneath calls

    def description(self, args: Any, kwargs: Any) -> Recorded:
        """The arguments of a torch op, read before it runs and may write to them; constants in them are named."""
        description = Description(self.tensors)
        specs, named_specs, operands = description.read(args), description.read(kwargs), description.operands
        constants = any([operand.spec.producer is None and not operand.spec.name for operand in operands])
        if not constants or not any([operand.depends_on_input for operand in operands]):
            return specs, named_specs, operands
        self.tensors.name_constants(operands)
        return self.description(args, kwargs)

    def on_aten_op(self, func: Any, args: Any, kwargs: Any, result: Any, description: Recorded | None = None) -> None:
        """Take note of one torch op: beneath the running call, or as a row of its own, by its description, outside."""
        if self.regions.running:
            self.regions.on_aten_op(result)
        op = aten_op(func, args, kwargs, result)
        if self.aten_ops is not None:
            self.aten_ops.append(op)
        if self.aten_ops is not None or description is None:
            return
        if isinstance(func, OpOverload) and func._schema.is_mutable:
            for target in tensors_in(written_to(func, args, kwargs)):
                self.values.forget(target)
        specs, named_specs, operands = description
        outputs = tensors_in(result)
        if outputs and any(operand.depends_on_input for operand in operands):
            call = Call(func, CallKind(op.name), args, kwargs, specs, named_specs, operands, True, [], None)
            self._record(call, Outcome(result, outputs, (op,)), op.name, running=True)

    def drop_ops_from(self, begun: int) -> None:
        """Drop the calls from that one on: their caller records itself, so they would count twice."""
        for op in reversed(self.ops[begun:]):
            self.tensors.put_back_saved(op.saved, op.saved_again)
        del self.ops[begun:], self._nodes[begun:]

    def nodes(self) -> list[tuple[Any, ...]]:
        """The autograd nodes that each of the calls made, where autograd is followed."""
        return [tuple([node.grad_fn if isinstance(node, Tensor) else node for node in nodes]) for nodes in self._nodes]
