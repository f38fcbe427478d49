"""Values on the quick path: what whole-number inputs and constants alone determine, computed when the model asks.

Token ids, masks and positions depend on no weight. Calls whose tensors all have known values are written down as
steps, and run on real tensors, in their order, once the model reads the value of any of them: writes and views then
act on real memory as they would in a real run. A model that reads nothing never runs a step.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from archcalc.ops import definition
from archcalc.trace.inputs import ids_below, with_values
from archcalc.trace.tensor_table import TensorTable
from archcalc.trace.tensors import TrackedTensor, on_meta, tensors_in, with_tensors

if TYPE_CHECKING:
    from archcalc.trace.call import Call

LIMIT = 2**20
"""The most elements of a tensor whose values are kept known."""

READS = frozenset("item tolist numpy is_nonzero __bool__ __int__ __float__ __index__ __complex__".split())
"""What asks for the value of a tensor, and gives no tensor."""


class _Step(NamedTuple):
    """A call on known values.

    `constants` are its constants by id(), each with the version that it had when it was called; `donors` are operands
    of which only shape and dtype matter. `made` are the tensors that it gave, `written` those that it wrote to, as the
    model holds them, each followed by its stand-in.
    """

    func: Any
    args: Any
    kwargs: Any
    constants: dict[int, tuple[Tensor, int]]
    donors: dict[int, TrackedTensor]
    made: list[Tensor]
    written: list[Tensor]


class KnownValues:
    """The real values of tensors that depend on the input, but neither on a weight nor on a float input."""

    def __init__(self, module: nn.Module, tensors: TensorTable) -> None:
        self._module = module
        self._tensors = tensors
        self._drawn = False  # whether a value was drawn for an input that was given by its shape
        self._inputs: dict[int, Tensor] = {}
        self._values: dict[int, Tensor | None] = {}  # by id(); None until the steps that lead there have run
        self._lost: set[int] = set()  # memories, written to with values that are not known
        self._broken: set[int] = set()  # memories that a step which failed was to write to
        self._steps: list[_Step] = []
        self._at_once = False  # after the first read

    def add_input(self, stand_in: Tensor, given: Tensor) -> None:
        """An input; its values are known if it is small and holds whole numbers, truth values or positions."""
        fractions = given.is_floating_point() or given.is_complex()
        plain = type(given) is Tensor and given.layout is torch.strided and not self._tensors.real
        if plain and not fractions and given.numel() <= LIMIT:
            self._inputs[id(stand_in)] = given
            self._values[id(stand_in)] = None

    def is_known(self, tensor: Tensor) -> bool:
        """Whether a tensor that depends on the input has known values."""
        return id(tensor) in self._values and self._lost.isdisjoint(self._memories(tensor))

    def value(self, tensor: Tensor) -> Tensor | None:
        """The values of a tensor that the model reads, on the CPU; None where they are not known."""
        if not self.is_known(tensor):
            return None
        self._at_once = True
        steps, self._steps = self._steps, []
        with unrecorded():
            for step in steps:
                self._run(step)
            ready = self._values.get(id(tensor)) is not None or id(tensor) in self._inputs
            return self._value(tensor) if ready and self.is_known(tensor) else None

    def ask(self, func: Any, args: Any, kwargs: Any) -> tuple[Any] | None:
        """What `func` reads of its first argument, in a tuple; None where its values are not known."""
        value = self.value(args[0])
        if value is None:
            return None
        with unrecorded():
            return (func(value.clone(), *args[1:], **kwargs),)

    def note_call(self, call: Call, outputs: list[Tensor]) -> None:
        """Take note of a recorded call, with the tensors that it gave; its targets come first."""
        if before_write := self._tensors.before_write:
            self._tensors.before_write = {}
        if not self._values and not definition(call.kind.name).makes_constant:
            return
        made = outputs[len(call.targets) :]
        step = self._step(call, made, before_write)
        if step is None:
            for target in call.targets:
                self.forget(target)
        elif call.targets or not all([id(output) in self._values for output in made]):  # else handed back, or kept
            for tensor in (*step.made, *step.written):
                self._values.setdefault(id(tensor), None)
            if self._at_once:
                self._run(step)
            else:
                self._steps.append(step)

    def forget(self, tensor: Tensor) -> None:
        """Something unknown was written to a tensor, and so to all that lies in its memory."""
        if self._values:
            self._lost.update(self._memories(tensor))

    def detach(self, tensor: Tensor) -> None:
        """A tensor was given another memory."""
        self._values.pop(id(tensor), None)

    def in_place_of_stand_ins(self, call: Call) -> Iterator[tuple[Any, Any]]:
        """Other arguments, by position and by name, that a call may run on where it failed on stand-ins.

        First values for its indices or its sizes, which may be given as tensors; then values for all of its tensors.
        """
        if not call.depends_on_input:
            return
        operands = call.operands
        values = {id(one.user_tensor): self._value_of(one) for one in operands}
        known = {key: value for key, value in values.items() if value is not None}
        stand_ins = {id(one.user_tensor): self._tensors.constant_on_meta(one.tensor) for one in operands}
        if not definition(call.kind.name).reads_values:
            operands = [one for one in operands if not one.spec.shape and not one.key[2].is_floating_point]
        chosen = {key: known[key] for one in operands if (key := id(one.user_tensor)) in known}
        for tensor in (call.operands[0].user_tensor, *call.targets):
            chosen.pop(id(tensor), None)
        arguments = (call.args, call.kwargs)
        if chosen:
            yield with_tensors(arguments, lambda tensor: (stand_ins | chosen)[id(tensor)])
        if len(known) == len(values) and not call.targets:
            yield with_tensors(arguments, lambda tensor: known[id(tensor)])

    def _value_of(self, operand: TrackedTensor) -> Tensor | None:
        value = self.value(operand.user_tensor) if operand.depends_on_input else operand.tensor
        return None if value is None or value.is_meta else value

    def as_stand_ins(self, result: Any, arguments: Any) -> Any:
        """What a call gave, with stand-ins for real tensors, whose values are known from now on.

        Raises LookupError for one in the memory of an operand, where a stand-in would not lie.
        """
        with unrecorded():
            values, memories = tensors_in(result), {one.untyped_storage()._cdata for one in tensors_in(arguments)}
            if all([value.is_meta for value in values]):
                return result
            if any([value.untyped_storage()._cdata in memories for value in values]):
                raise LookupError("the result lies in the memory of an operand")
            stand_ins = {id(value): on_meta(value) for value in values}
            for value in values:
                if value.numel() <= LIMIT:
                    self._values[id(stand_ins[id(value)])] = value
            return with_tensors(result, lambda value: stand_ins[id(value)])

    def notes(self) -> tuple[str, ...]:
        """What a reader must know about values that were read."""
        if not self._drawn:
            return ()
        high = ids_below(self._module)
        return (f"the model reads values of its inputs: whole numbers among them were drawn below {high} (seed 0)",)

    def release(self) -> None:
        """Let go of every tensor."""
        self._inputs.clear()
        self._values.clear()
        self._steps.clear()

    # ---- steps

    def _memories(self, tensor: Tensor) -> tuple[int, ...]:
        """What identifies the memory of a tensor: that of its stand-in, and what it shares with others."""
        entry, shared = self._tensors.tracked.get(id(tensor)), self._tensors.sharing.get(id(tensor))
        stand_in = tensor if entry is None else entry.tensor
        own = () if stand_in.layout is not torch.strided else (stand_in.untyped_storage()._cdata,)
        return own if shared is None else (*own, id(shared))

    def _step(self, call: Call, made: list[Tensor], before_write: dict[int, Tensor]) -> _Step | None:
        """The call as a step; None if one of its tensors is not known, or too large."""
        kind, first = definition(call.kind.name), call.operands[0]
        if first.depends_on_input and id(first.user_tensor) not in self._values and not kind.makes_constant:
            return None  # as most calls are
        constants: dict[int, tuple[Tensor, int]] = {}
        donors: dict[int, TrackedTensor] = {}
        for at, operand in enumerate(call.operands):
            key = id(operand.user_tensor)
            if self.is_known(operand.user_tensor):
                continue
            constant = before_write.get(key, operand.tensor)
            if not constant.is_meta and (key in before_write or not operand.depends_on_input):
                if constant.numel() > LIMIT or constant.is_inference():
                    return None
                constants[key] = (constant, constant._version)
            elif kind.makes_constant or (at and kind.only_shape_of_others):
                donors[key] = operand
            else:
                return None
        written = [one for target in call.targets for one in (target, self._tensors.tracked[id(target)].tensor)]
        args, kwargs = with_tensors((call.args, call.kwargs), lambda tensor: tensor)  # lists may change until it runs
        step = _Step(call.func, args, kwargs, constants, donors, made, written)
        return None if any([tensor.numel() > LIMIT for tensor in (*made, *call.targets)]) else step

    def _run(self, step: _Step) -> None:
        """Run a step on real values; if that fails, what it gives or writes to has no known values."""
        try:
            with unrecorded():
                for target in step.written[::2]:
                    if id(target) in step.constants:
                        self._values[id(target)] = self._constant(step, target).clone()
                args, kwargs = with_tensors((step.args, step.kwargs), lambda tensor: self._argument(step, tensor))
                results = tensors_in(step.func(*args, **kwargs))
        except Exception:  # the value of a tensor that nobody may ask for
            for tensor in step.made:
                self._values.pop(id(tensor), None)
            for target in step.written:
                self.forget(target)
                self._broken.update(self._memories(target))
            return
        for target, stand_in in zip(step.written[::2], step.written[1::2], strict=True):
            self._values[id(stand_in)] = self._values.get(id(target))
        memories = {constant.untyped_storage()._cdata for constant, _ in step.constants.values()}
        fresh = [one for one in results if not any([one is self._values.get(id(target)) for target in step.written])]
        for tensor, value in zip(step.made, fresh if step.written else results, strict=False):
            # a view of a constant, which is not to be written to
            own = value.clone() if value.untyped_storage()._cdata in memories else value
            self._values[id(tensor)] = own

    def _argument(self, step: _Step, tensor: Tensor) -> Tensor:
        """The real tensor that a step runs on; LookupError where an earlier step failed."""
        if self._broken and not self._broken.isdisjoint(self._memories(tensor)):
            raise LookupError("the values were to be written by a step that failed")
        if id(tensor) in step.donors:
            key = step.donors[id(tensor)].key
            return torch.empty_strided(key[0], key[1], dtype=key[2], device=self._tensors.device).zero_()
        if id(tensor) in step.constants and self._values.get(id(tensor)) is None:
            return self._constant(step, tensor)
        return self._value(tensor)

    def _constant(self, step: _Step, tensor: Tensor) -> Tensor:
        constant, version = step.constants[id(tensor)]
        if constant._version != version:
            raise LookupError("the constant was written to after the call")
        return constant

    def _value(self, tensor: Tensor) -> Tensor:
        """The values of a known tensor all of whose steps have run."""
        value = self._values[id(tensor)]
        if value is None:
            given = self._inputs[id(tensor)]
            self._drawn |= given.is_meta
            value = with_values(self._module, given).to(self._tensors.device)
            self._values[id(tensor)] = value
        return value


@contextmanager
def unrecorded() -> Iterator[None]:
    """Within it torch computes without autograd, and the recorder sees nothing of it."""
    with torch.no_grad(), torch._C._DisableTorchDispatch(), torch._C.DisableTorchFunction():
        yield
