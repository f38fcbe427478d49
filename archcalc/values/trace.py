"""The trace: what ran, as frozen values without torch in them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from math import prod
from typing import Annotated, Any, ClassVar

from archcalc.values.json_types import Tree
from archcalc.values.stored import Stored

Shape = tuple[int, ...]

ITEM_BYTES = {"float64": 8, "int64": 8, "complex64": 8, "complex128": 16, "float16": 2, "bfloat16": 2, "int16": 2}
ITEM_BYTES |= dict.fromkeys(("uint8", "int8", "bool", "float8_e4m3fn", "float8_e5m2"), 1)
"""Bytes of an element by dtype; 4 for those that are not here."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One tensor: its shape and dtype, which call made it, and its qualified name if it is a parameter.

    `producer` is the index of the Op that made it; None for inputs, parameters, buffers and constants. Where autograd
    was followed, `storage` numbers the memory that holds it, which views and in-place results share, and `needs_grad`
    says whether the backward pass computes its gradient.
    """

    shape: Shape
    dtype: str
    producer: int | None = None
    param: str | None = None
    storage: int | None = None
    needs_grad: bool = False

    @property
    def numel(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of its elements."""
        return self.numel * ITEM_BYTES.get(self.dtype, 4)


@dataclass(frozen=True, slots=True)
class Slice:
    """A slice as an argument of a call."""

    start: Any = None
    stop: Any = None
    step: Any = None


Argument = Annotated[Any, Tree((TensorSpec, Slice))]
"""An argument of a call: plain values, nested, with a TensorSpec for every tensor."""


@dataclass(frozen=True, slots=True)
class AtenOp:
    """One primitive torch op that ran beneath a call.

    `flops` is what torch's own registry (`torch.utils.flop_counter`) gives, None where it has no formula;
    `tags` are torch's own: "pointwise", "view", "factory", …; `output_elements` is the size of its results;
    `backward` are the FLOPs of its factors' gradients, where autograd was followed.
    `arguments` are its outputs, args and kwargs, tensors as TensorSpec, where a formula may be needed.
    """

    name: str
    flops: int | None
    tags: tuple[str, ...]
    output_elements: int
    backward: int = 0
    arguments: tuple[tuple[Argument, ...], tuple[Argument, ...], dict[str, Argument]] | None = None


@dataclass(frozen=True, slots=True)
class Op:
    """One layer-level call, as a person would draw it: a convolution, a `cat`, an addition.

    `path` is the dotted `named_modules()` path of the innermost module that was running, "" for the root;
    `call` counts that module's runs from 0. `args` and `kwargs` are the call's own, tensors as TensorSpec and
    other objects by their name; `inputs` are the tensors among them, parameters included. `aten` is what ran
    beneath it; empty where its shape rule made running needless.
    `saved` are the memories, by number with their bytes, that it is the first to keep for the backward pass.
    `written` is how the program wrote the call: "torch.add", "Tensor.add", "F.relu", or "operator" for a `+`.
    """

    index: int
    kind: str
    path: str
    call: int
    args: tuple[Argument, ...]
    kwargs: dict[str, Argument]
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    aten: tuple[AtenOp, ...] = ()
    saved: tuple[tuple[int, int], ...] = ()
    written: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A registered parameter, under the first of its names."""

    name: str
    shape: Shape
    dtype: str
    trainable: bool

    @property
    def numel(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of its elements."""
        return self.numel * ITEM_BYTES.get(self.dtype, 4)


@dataclass(frozen=True, slots=True)
class Module:
    """A module of the tree: its class, how often it ran, and the shapes that it took and gave.

    The shapes are empty if it did not run, or took or gave other shapes from run to run. `classes` names its class and
    those that it is derived from, torch's own as "nn.Conv2d"; `parameters` are its own, not its children's, by name;
    `places` is how many ways lead to it from the root. `leaf`: it has no children.
    """

    kind: str
    runs: int = 0
    inputs: tuple[Shape, ...] = ()
    outputs: tuple[Shape, ...] = ()
    classes: tuple[str, ...] = ()
    parameters: dict[str, Shape] = field(default_factory=dict)
    places: int = 1
    leaf: bool = False


@dataclass(frozen=True, slots=True)
class Trace(Stored):
    """Everything that ran, in order, and what was registered.

    `modules` holds every module by its path, also those that did not run. `notes` says what a reader must know
    about how the trace was taken. `autograd` says whether what training needs was followed. `failure` is the error's
    text if the model raised: then `ops` ends before it. `buffer_bytes` is the size of the registered buffers.
    """

    SCHEMA: ClassVar[str] = "archcalc.trace/1"

    subject: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    training: bool
    batch_size: int | None
    ops: tuple[Op, ...]
    params: tuple[Parameter, ...]
    modules: dict[str, Module]
    notes: tuple[str, ...] = ()
    failure: str | None = None
    autograd: bool = False
    buffer_bytes: int = 0


def backward_unknown(names: Collection[str]) -> tuple[str, ...]:
    """What a reader must know of calls whose backward pass nobody counts; nothing where there are none."""
    said = f"what {', '.join(names)} costs in the backward pass is not known: its mult-adds are a lower bound"
    return (said,) if names else ()


def tensor_specs(tree: Any) -> list[TensorSpec]:
    """Every TensorSpec in nested tuples, lists and dicts, in order."""
    found: list[TensorSpec] = []
    for branch in tree.values() if isinstance(tree, dict) else tree:
        if isinstance(branch, TensorSpec):
            found.append(branch)
        elif isinstance(branch, (tuple, list, dict)):
            found += tensor_specs(branch)
    return found
