"""Every tensor that a run meets: what stands in for it, where it came from, what shares its memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from archcalc.trace.modules import Modules
from archcalc.trace.tensors import Known, dtype_name, on_meta, tensors_in
from archcalc.values.errors import ModelError
from archcalc.values.trace import Parameter, Shape, TensorSpec

_FLOATING = frozenset([torch.float32, torch.float16, torch.bfloat16, torch.float64])
_WHOLE = (Tensor, nn.Parameter, nn.Buffer)


class Tensors:
    """What is known of each tensor, by id(); they are all kept, so that no id() is given twice.

    `sharing` holds, for a tensor that has views or is one, the ids of all that lie in its memory. With `autograd`,
    `saved` are the memories, by number, that are kept for the backward pass, with their bytes.
    """

    def __init__(self, modules: Modules, autograd: bool, real: bool) -> None:
        self.autograd = autograd
        self.real = real
        self.device = _device(modules)
        self.known: dict[int, Known] = {}
        self.sharing: dict[int, list[int]] = {}
        self.parameters: list[Parameter] = []
        self.unregistered = 0
        self._modules = modules
        self._buffers: dict[int, tuple[Tensor, str]] = {}
        self._attributes: dict[int, tuple[Tensor, str]] | None = None
        self._numbered = 0
        self._storages: dict[int, tuple[int, Any]] = {}
        self._saved: dict[int, int] = {}
        self._just_saved: list[tuple[int, int]] = []
        for path, module in modules:
            for name, parameter in module._parameters.items():
                if parameter is not None and id(parameter) not in self.known:
                    self._add_parameter(f"{path}.{name}" if path else name, parameter)
            for name, buffer in module._buffers.items():
                if buffer is not None:
                    self._buffers.setdefault(id(buffer), (buffer, f"{path}.{name}" if path else name))

    def _twin(self, tensor: Tensor) -> Tensor:
        """What calls run on in place of a live tensor."""
        return tensor if self.real else on_meta(tensor)

    def _add_parameter(self, name: str, parameter: nn.Parameter) -> Known:
        if isinstance(parameter, nn.UninitializedParameter):
            raise ModelError(f"{name} has no shape yet: run the lazy module once, on a real input, then analyze it")
        dtype = dtype_name(parameter.dtype)
        self.parameters.append(Parameter(name, tuple(parameter.shape), dtype, parameter.requires_grad))
        known = self.remember(parameter, self._twin(parameter), live=True, origin="parameter", name=name)
        if known.spec.storage is not None:
            self._saved[known.spec.storage] = 0  # it is there anyway, and so is what an autograd function may hold
            self._saved[self._storage(parameter)] = 0
        return known

    def remember(
        self,
        original: Tensor,
        tensor: Tensor,
        *,
        live: bool,
        owned: bool = False,
        origin: str = "constant",
        producer: int | None = None,
        output: int = 0,
        name: str = "",
    ) -> Known:
        """Takes a tensor in: what the model holds, and what calls shall run on."""
        shape, dtype = tuple(tensor.shape), tensor.dtype
        sparse = tensor.layout is not torch.strided
        plain = dtype in _FLOATING and 0 not in shape and not sparse
        followed = self.autograd and not sparse
        storage = self._storage(tensor) if followed else None
        needs_grad = followed and tensor.requires_grad
        spec = TensorSpec(shape, dtype_name(dtype), origin, producer, output, name, storage, needs_grad)
        key = (shape, () if sparse else tensor.stride(), dtype)
        known = self.known[id(original)] = Known(original, tensor, spec, key, live, plain, owned, sparse)
        return known

    def _storage(self, tensor: Tensor) -> int:
        """The number of the memory that a tensor lies in."""
        storage = tensor.untyped_storage()
        return self._storages.setdefault(storage._cdata, (len(self._storages), storage))[0]

    def save(self, tensor: Tensor) -> Tensor:
        """Takes note of a tensor that autograd keeps; parameters are kept anyway, and each memory only once."""
        number = self._storage(tensor)
        if number not in self._saved:
            self._saved[number] = size = tensor.untyped_storage().nbytes()
            self._just_saved.append((number, size))
        return tensor

    def forget(self) -> None:
        """Let go of every tensor: the graph of autograd, which some of them hold, holds this through its hooks."""
        self.known.clear()
        self._storages.clear()
        self._buffers.clear()
        self._attributes = None

    def notes(self) -> tuple[str, ...]:
        """What a reader must know about how the trace came about."""
        found = []
        if self.real:
            found.append("the model reads values: it was run on real tensors, of random values, on the CPU")
        if self.unregistered:
            found.append(f"{self.unregistered} parameters are used but not registered: no optimiser would find them")
        return tuple(found)

    def add_input(self, tensor: Tensor, name: str) -> Tensor:
        """The stand-in for an input tensor; `input_specs` numbers them."""
        if tensor.is_nested:
            raise ModelError("an input is a nested tensor, which has no one shape: pad it")
        twin = self._twin(tensor)
        if id(twin) in self.known and self.known[id(twin)].spec.origin == "input":
            return twin
        return self.remember(twin, twin, live=True, owned=True, origin="input", name=name).tensor

    def input_specs(self, arguments: Any) -> tuple[TensorSpec, ...]:
        """The specs of the network's inputs, numbered in order; a tensor that is given twice keeps its first number."""
        inputs = [known for known in map(self.meet, tensors_in(arguments)) if known is not None]
        for number, known in enumerate(inputs):
            if known.spec is self.known[id(known.original)].spec and known.spec.param is None:
                name = known.spec.name or f"input_{number}"
                self._respecify(known, replace(known.spec, origin="input", output=number, name=name))
        return tuple(self.known[id(known.original)].spec for known in inputs)

    def output_specs(self, result: Any) -> tuple[TensorSpec, ...]:
        """The specs of the network's outputs."""
        self.name_constants([known for known in map(self.meet, tensors_in(result)) if known is not None])
        return self.specs(result)

    def name_constants(self, tensors: list[Known]) -> None:
        """Number those that no call made and no module holds: "constant_0", "constant_1", as they come to be read."""
        for known in tensors:
            spec = self.known[id(known.original)].spec
            if spec.origin == "constant" and not spec.name:
                self._respecify(known, replace(spec, name=f"constant_{self._numbered}"))
                self._numbered += 1

    def handed_back(self, known: Known, producer: int, output: int) -> TensorSpec:
        """The spec of a call's output that is its own input, such as a dropout's outside training.

        From now on the tensor comes from that call, unless it is one that the model holds.
        """
        spec = replace(known.spec, origin="call", producer=producer, output=output, name="")
        if known.spec.origin in ("call", "input"):
            self._respecify(known, spec)
        return spec

    def _respecify(self, known: Known, spec: TensorSpec) -> None:
        self.known[id(known.original)] = self.known[id(known.original)]._replace(spec=spec)

    def shapes(self, tree: Any) -> tuple[Shape, ...]:
        """The shapes of the tensors in what went into a module or came out of it."""
        known = self.known.get(id(tree[0] if type(tree) is tuple and len(tree) == 1 else tree))
        return (known.spec.shape,) if known else tuple([spec.shape for spec in self.specs(tree)])

    def specs(self, tree: Any) -> tuple[TensorSpec, ...]:
        """The specs of the tensors in what went into the module or came out of it."""
        return tuple(known.spec for known in map(self.meet, tensors_in(tree)) if known is not None)

    def meet(self, tensor: Tensor) -> Known | None:
        """What is known of a tensor; None for a subclass or a functorch wrapper, whose shape is not the whole truth."""
        known = self.known.get(id(tensor))
        if known is not None:
            return known
        if type(tensor) not in _WHOLE or torch._C._functorch.is_functorch_wrapped_tensor(tensor):
            return None
        if isinstance(tensor, nn.Parameter):
            self.unregistered += 1
            return self._add_parameter(f"unregistered_{self.unregistered}", tensor)
        if id(tensor) in self._buffers:
            return self.remember(tensor, tensor, live=False, origin="buffer", name=self._buffers[id(tensor)][1])
        if self._attributes is None:
            self._attributes = _attributes(self._modules)
        _, name = self._attributes.get(id(tensor), (tensor, ""))
        return self.remember(tensor, tensor, live=False, name=name)

    def share(self, view: Tensor, base: Tensor) -> None:
        """Takes note that two tensors lie in the same memory: what is written to one changes the other."""
        group = self.sharing.setdefault(id(base), [id(base)])
        if id(view) not in group:
            group.append(id(view))
        self.sharing[id(view)] = group

    def writable(self, target: Tensor, met: list[Known], live: bool) -> list[Known]:
        """`met` with a copy in the target's place if the target is not ours to write to."""
        known = self.known[id(target)]
        if self.real or (known.owned and known.tensor.is_meta >= live):
            return met
        copy = on_meta(known.tensor) if live else known.tensor.clone()
        ours = self.known[id(target)] = known._replace(tensor=copy, owned=True)
        return [ours if other is known else other for other in met]

    def written(self, target: Tensor, known: Known) -> None:
        """After an in-place call: the target, and all that shares its memory, come from that call now."""
        self.known[id(target)] = known._replace(original=target)
        for other in self.sharing.get(id(target), ()):
            before = self.known[other]
            if other != id(target) and before.spec.param is None:
                wrote = known.spec
                spec = replace(before.spec, origin="call", producer=wrote.producer, output=wrote.output, name="")
                tensor = self._twin(before.tensor) if known.live else before.tensor
                self.known[other] = before._replace(tensor=tensor, spec=spec, live=known.live, owned=True)

    def just_saved(self) -> tuple[tuple[int, int], ...]:
        """What was kept for the backward pass since this was asked last."""
        found, self._just_saved = tuple(self._just_saved), []
        return found


def _attributes(modules: Modules) -> dict[int, tuple[Tensor, str]]:
    """The tensors that are plain attributes of a module, by id(), each with the first of its paths."""
    found: dict[int, tuple[Tensor, str]] = {}
    for path, module in modules:
        for name, value in module.__dict__.items():
            if isinstance(value, Tensor):
                found.setdefault(id(value), (value, f"{path}.{name}" if path else name))
    return found


def _device(modules: Modules) -> torch.device:
    """Where the model is, so that what it makes there meets what it holds; the CPU for one without data."""
    for _, module in modules:
        for held in (*module._parameters.values(), *module._buffers.values()):
            if held is not None and not held.is_meta:
                return held.device
    return torch.device("cpu")
