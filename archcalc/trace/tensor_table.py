"""Every tensor that a run meets: what stands in for it, where it came from, what shares its memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from archcalc.trace.checkpoints import Regions
from archcalc.trace.modules import Modules
from archcalc.trace.shared_memory import SharedMemory
from archcalc.trace.tensors import TrackedTensor, dtype_name, memory_of, on_meta, stored_bytes, tensors_in
from archcalc.values.errors import ModelError
from archcalc.values.trace import Parameter, Shape, TensorSpec

_FLOATING = frozenset([torch.float32, torch.float16, torch.bfloat16, torch.float64])
_TYPES = (Tensor, nn.Parameter, nn.Buffer)
"""Types of tensors whose shape tells what they hold."""


class TensorTable:
    """What is known of each tensor, by id().

    Keeps every tensor alive: CPython reuses the id() of freed objects. `sharing` holds the memory of each tensor that
    has views or is one. `before_write` holds the constants that the running call is the first to write the input into.
    """

    def __init__(self, modules: Modules, autograd: bool, real: bool, regions: Regions) -> None:
        self.autograd = autograd
        self.real = real
        self.device = _device(modules)
        self.tracked: dict[int, TrackedTensor] = {}
        self.sharing: dict[int, SharedMemory] = {}
        self.before_write: dict[int, Tensor] = {}
        self.parameters: list[Parameter] = []
        self.unregistered = 0
        self._modules = modules
        self._regions = regions
        self._buffers: dict[int, tuple[Tensor, str]] = {}
        self._attributes: dict[int, tuple[Tensor, str]] | None = None
        self._constants = 0
        self._storages: dict[int, tuple[int, Any]] = {}
        self._meta_storages: dict[int, Any] = {}
        self._saved: dict[int, int] = {}
        self._just_saved: list[tuple[int, int]] = []
        self._just_saved_again: list[tuple[int, int, int]] = []
        for path, module in modules:
            for name, parameter in module._parameters.items():
                if parameter is not None and id(parameter) not in self.tracked:
                    self._add_parameter(f"{path}.{name}" if path else name, parameter)
            for name, buffer in module._buffers.items():
                if buffer is not None:
                    self._buffers.setdefault(id(buffer), (buffer, f"{path}.{name}" if path else name))

    def _stand_in(self, tensor: Tensor) -> Tensor:
        """What calls run on in place of a tensor that depends on the input, or is a parameter."""
        return tensor if self.real else on_meta(tensor)

    def _add_parameter(self, name: str, parameter: nn.Parameter) -> TrackedTensor:
        if isinstance(parameter, nn.UninitializedParameter):
            raise ModelError(f"{name} has no shape yet: run the lazy module once, on a real input, then analyze it")
        dtype = dtype_name(parameter.dtype)
        self.parameters.append(Parameter(name, tuple(parameter.shape), dtype, parameter.requires_grad))
        stand_in = self._alias(parameter) if self.real else on_meta(parameter)
        entry = self.add(parameter, stand_in, depends_on_input=True, origin="parameter", name=name)
        if self.autograd:
            self._saved[self.storage(stand_in)] = 0  # it is there anyway, and so is what an autograd function may hold
            self._saved[self.storage(parameter)] = 0
        return entry

    def _alias(self, tensor: Tensor) -> Tensor:
        """A tensor of its own in the same memory: attributes and a gradient that are set on it stay there."""
        with torch._C._DisableTorchDispatch(), torch._C.DisableTorchFunction():
            return tensor.detach().requires_grad_(tensor.requires_grad)

    def add(
        self,
        user_tensor: Tensor,
        tensor: Tensor,
        *,
        depends_on_input: bool,
        writable: bool = False,
        origin: str = "constant",
        producer: int | None = None,
        output: int = 0,
        name: str = "",
    ) -> TrackedTensor:
        """Track a tensor: what the model holds, and what calls shall run on."""
        if tensor.is_nested:
            raise ModelError("it uses a nested tensor, which has no one shape: pad it")
        shape, dtype = tuple(tensor.shape), tensor.dtype
        sparse = tensor.layout is not torch.strided
        rule_applies = dtype in _FLOATING and 0 not in shape and not sparse
        followed = self.autograd and not sparse
        storage = self.storage(tensor) if followed else None
        needs_grad = followed and tensor.requires_grad
        spec = TensorSpec(shape, dtype_name(dtype), origin, producer, output, name, storage, needs_grad)
        key = (shape, () if sparse else tensor.stride(), dtype)
        entry = self.tracked[id(user_tensor)] = TrackedTensor(
            user_tensor, tensor, spec, key, depends_on_input, rule_applies, writable, sparse
        )
        if (memory := self.sharing.get(id(user_tensor))) is not None:
            memory.take_over(id(user_tensor))
        return entry

    def lookup(self, tensor: Tensor) -> TrackedTensor | None:
        """What is known of a tensor that was met before, after all writes to its memory; None for any other."""
        entry = self.tracked.get(id(tensor))
        memory = self.sharing.get(id(tensor))
        if entry is None or memory is None or not memory.is_stale(id(tensor)):
            return entry
        memory.take_over(id(tensor))
        if entry.spec.param is None:
            spec = replace(entry.spec, origin="call", producer=memory.producer, output=memory.output, name="")
            entry = self.tracked[id(tensor)] = entry._replace(
                tensor=self._stand_in(entry.tensor) if memory.depends_on_input else entry.tensor,
                spec=spec,
                depends_on_input=memory.depends_on_input,
                writable=True,
            )
        return entry

    def add_output(
        self, tensor: Tensor, producer: int, output: int, depends_on_input: bool, writable: bool = True
    ) -> TrackedTensor:
        """Track what a recorded call gave."""
        return self.add(
            tensor,
            tensor,
            depends_on_input=depends_on_input,
            writable=writable,
            origin="call",
            producer=producer,
            output=output,
        )

    def storage(self, tensor: Tensor) -> int:
        """The number of the memory that a tensor lies in."""
        storage = memory_of(tensor)
        return self._storages.setdefault(storage._cdata, (len(self._storages), storage))[0]

    def save(self, tensor: Tensor) -> Tensor:
        """Hook for tensors that autograd keeps: counts each memory once, and those of parameters not at all."""
        self._note_saved(self.storage(tensor), stored_bytes(tensor))
        with torch._C._DisableTorchDispatch(), torch._C.DisableTorchFunction():
            return tensor.detach()

    def _note_saved(self, number: int, size: int) -> None:
        """Count a memory that is kept: by the innermost checkpointed region, if one runs, else until its backward."""
        running = self._regions.running
        if running:
            running[-1].on_save(*self._regions.place())
            if number not in self._saved and not any(number in region.saved for region in running):
                running[-1].saved.add(number)
                self._just_saved_again.append((running[-1].number, number, size))
        elif number not in self._saved:
            self._saved[number] = size
            self._just_saved.append((number, size))

    def saved_so_far(self) -> tuple[int, int]:
        """How much was kept since `take_saved` was asked last: a place for `drop_saved_from`."""
        return len(self._just_saved), len(self._just_saved_again)

    def drop_saved_from(self, place: tuple[int, int]) -> None:
        """Forget what was kept from that place on: the call that kept it failed, and runs again another way."""
        for number, _ in self._just_saved[place[0] :]:
            del self._saved[number]
        for region, number, _ in self._just_saved_again[place[1] :]:
            self._regions.all[region].saved.discard(number)
        del self._just_saved[place[0] :], self._just_saved_again[place[1] :]

    def release(self) -> None:
        """Let go of every tensor, to break the cycle tensor -> autograd graph -> saved-tensor hook -> self."""
        self.tracked.clear()
        self.sharing.clear()
        self.before_write.clear()
        self._storages.clear()
        self._meta_storages.clear()
        self._buffers.clear()
        self._attributes = None
        del self._regions  # they hold the recorder, and so the autograd graph

    def notes(self) -> tuple[str, ...]:
        """What a reader must know about how the trace came about."""
        notes = []
        if self.real:
            notes.append("the model reads values: it was run on real tensors, of random values (seed 0), on the CPU")
        if self.unregistered:
            notes.append(f"{self.unregistered} parameters are used but not registered: no optimiser would find them")
        return tuple(notes)

    def constant_on_meta(self, tensor: Tensor) -> Tensor:
        """The stand-in for a constant; those of one memory share a memory, which autograd then keeps only once."""
        if tensor.is_meta or tensor.layout is not torch.strided or not self.autograd:
            return on_meta(tensor)
        number = self.storage(tensor)
        with torch._C._DisableTorchDispatch(), torch._C.DisableTorchFunction():
            if number not in self._meta_storages:
                memory = torch.empty(
                    tensor.untyped_storage().nbytes(), dtype=torch.uint8, device="meta"
                ).untyped_storage()
                self._meta_storages[number] = memory
                self._storages[memory._cdata] = (number, memory)
            stand_in = torch.empty(0, dtype=tensor.dtype, device="meta")
            stand_in.set_(self._meta_storages[number], tensor.storage_offset(), tensor.shape, tensor.stride())
        return stand_in.requires_grad_(tensor.requires_grad)

    def add_input(self, tensor: Tensor, name: str) -> Tensor:
        """The stand-in for an input tensor; `input_specs` numbers them."""
        if tensor.is_nested:
            raise ModelError("an input is a nested tensor, which has no one shape: pad it")
        stand_in = self._stand_in(tensor)
        if id(stand_in) not in self.tracked or self.tracked[id(stand_in)].spec.origin != "input":
            self.add(stand_in, stand_in, depends_on_input=True, writable=True, origin="input", name=name)
        return stand_in

    def input_specs(self, arguments: Any) -> tuple[TensorSpec, ...]:
        """The specs of the network's inputs, numbered in order; a tensor that is given twice keeps its first number."""
        inputs = self._entries(arguments)
        numbered: set[int] = set()
        for number, entry in enumerate(inputs):
            if id(entry.user_tensor) not in numbered and entry.spec.param is None:
                numbered.add(id(entry.user_tensor))
                name = entry.spec.name or f"input_{number}"
                self._set_spec(entry, replace(entry.spec, origin="input", output=number, name=name))
        return self.specs(arguments)

    def output_specs(self, result: Any) -> tuple[TensorSpec, ...]:
        """The specs of the network's outputs."""
        self.name_constants(self._entries(result))
        return self.specs(result)

    def specs(self, tree: Any) -> tuple[TensorSpec, ...]:
        """The specs of the tensors in what went into a module or came out of it."""
        return tuple([entry.spec for entry in self._entries(tree)])

    def shapes(self, tree: Any) -> tuple[Shape, ...]:
        """The shapes of the tensors in what went into a module or came out of it."""
        entry = self.tracked.get(id(tree[0] if type(tree) is tuple and len(tree) == 1 else tree))
        return (entry.spec.shape,) if entry else tuple([spec.shape for spec in self.specs(tree)])

    def _entries(self, tree: Any) -> list[TrackedTensor]:
        return [entry for entry in map(self.track, tensors_in(tree)) if entry is not None]

    def name_constants(self, entries: list[TrackedTensor]) -> None:
        """Number those that no call made and no module holds: "constant_0", "constant_1", as they come to be read."""
        for entry in entries:
            spec = self.tracked[id(entry.user_tensor)].spec
            if spec.origin == "constant" and not spec.name:
                self._set_spec(entry, replace(spec, name=f"constant_{self._constants}"))
                self._constants += 1

    def handed_back(self, entry: TrackedTensor, producer: int, output: int) -> TensorSpec:
        """The spec of a call's output that is its own input, such as a dropout's outside training.

        From now on the tensor comes from that call, unless it is one that the model holds.
        """
        spec = replace(entry.spec, origin="call", producer=producer, output=output, name="")
        if entry.spec.origin in ("call", "input"):
            self._set_spec(entry, spec)
        return spec

    def _set_spec(self, entry: TrackedTensor, spec: TensorSpec) -> None:
        self.tracked[id(entry.user_tensor)] = self.tracked[id(entry.user_tensor)]._replace(spec=spec)

    def track(self, tensor: Tensor) -> TrackedTensor | None:
        """What is known of a tensor; None for tensor subclasses and functorch wrappers.

        Their `.shape` omits batch dimensions, or says nothing of what they hold.
        """
        entry = self.lookup(tensor)
        if entry is not None:
            return entry
        if type(tensor) not in _TYPES or torch._C._functorch.is_functorch_wrapped_tensor(tensor):
            return None
        if isinstance(tensor, nn.Parameter):
            self.unregistered += 1
            return self._add_parameter(f"unregistered_{self.unregistered}", tensor)
        if id(tensor) in self._buffers:
            name = self._buffers[id(tensor)][1]
            # on real tensors these are the twin's own
            return self.add(tensor, tensor, depends_on_input=False, writable=self.real, origin="buffer", name=name)
        if self._attributes is None:
            self._attributes = _attributes(self._modules)
        _, name = self._attributes.get(id(tensor), (tensor, ""))
        return self.add(tensor, tensor, depends_on_input=False, name=name)

    def share(self, view: Tensor, base: Tensor) -> None:
        """Two tensors lie in the same memory: what is written to one changes the other."""
        memory = self.sharing.setdefault(id(base), SharedMemory(taken_over={id(base): 0}))
        if self.sharing.get(id(view)) is not memory:
            self.sharing[id(view)] = memory
            memory.take_over(id(view))

    def make_writable(
        self, target: Tensor, operands: list[TrackedTensor], depends_on_input: bool
    ) -> list[TrackedTensor]:
        """`operands` with a copy in the target's place if the target is the user's, and so must not be written to."""
        entry = self.lookup(target)
        assert entry is not None, "the targets of a call are among its operands"
        if entry.writable and (self.real or entry.tensor.is_meta >= depends_on_input):
            return operands
        copy = on_meta(entry.tensor) if depends_on_input and not self.real else entry.tensor.detach().clone()
        if entry.spec.param is not None:
            copy.requires_grad_(entry.tensor.requires_grad)
        if copy.is_meta and not entry.depends_on_input:
            self.before_write[id(target)] = entry.tensor
        with_copy = self.tracked[id(target)] = entry._replace(tensor=copy, writable=True)
        return [with_copy if operand is entry else operand for operand in operands]

    def mark_written(self, target: Tensor, result: TrackedTensor) -> None:
        """After an in-place call: the target, and all that shares its memory, come from that call now."""
        self.tracked[id(target)] = result._replace(user_tensor=target)
        if (memory := self.sharing.get(id(target))) is not None:
            memory.write(id(target), result.spec.producer, result.spec.output, result.depends_on_input)

    def own_object(self, entry: TrackedTensor) -> Tensor:
        """What stands in for a tensor, and is not the very object that the user holds."""
        if entry.tensor is entry.user_tensor and not entry.writable:
            entry = self.tracked[id(entry.user_tensor)] = entry._replace(tensor=self._alias(entry.tensor))
        return entry.tensor

    def set_data(self, entry: TrackedTensor, value: TrackedTensor) -> None:
        """A tensor is given the memory, shape and dtype of another; what its gradient comes from stays as it was."""
        target = self.own_object(entry)
        data = self._alias(value.tensor if value.writable or value.tensor.is_meta else value.tensor.clone())
        with torch._C._DisableTorchDispatch(), torch._C.DisableTorchFunction():
            data = self._stand_in(data) if target.is_meta else data
            if target.is_meta is data.is_meta:
                target.data = data
            else:  # a constant becomes something that depends on the input
                target = data
        given = entry.spec if entry.depends_on_input else value.spec
        self.tracked[id(entry.user_tensor)] = value._replace(
            user_tensor=entry.user_tensor,
            tensor=target,
            spec=replace(given, shape=value.spec.shape, dtype=value.spec.dtype),
            depends_on_input=entry.depends_on_input or value.depends_on_input,
            writable=entry.spec.param is None,
        )
        if entry.spec.param is None:
            self.share(entry.user_tensor, value.user_tensor)

    def put_back_saved(self, saved: tuple[tuple[int, int], ...], again: tuple[tuple[int, int, int], ...]) -> None:
        """What calls that are dropped were the first to keep is kept by the next one."""
        self._just_saved[:0], self._just_saved_again[:0] = saved, again

    def take_saved(self) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int, int], ...]]:
        """What was kept for the backward pass since this was asked last: all through, and by checkpointed regions."""
        saved, self._just_saved = tuple(self._just_saved), []
        saved_again, self._just_saved_again = tuple(self._just_saved_again), []
        return saved, saved_again


def _attributes(modules: Modules) -> dict[int, tuple[Tensor, str]]:
    """The tensors that are plain attributes of a module, by id(), each with the first of its paths."""
    attributes: dict[int, tuple[Tensor, str]] = {}
    for path, module in modules:
        for name, value in module.__dict__.items():
            if isinstance(value, Tensor):
                attributes.setdefault(id(value), (value, f"{path}.{name}" if path else name))
    return attributes


def _device(modules: Modules) -> torch.device:
    """Where the model is, so that what it makes there meets what it holds; the CPU for one without data."""
    for _, module in modules:
        for held in (*module._parameters.values(), *module._buffers.values()):
            if held is not None and not held.is_meta:
                return held.device
    return torch.device("cpu")
