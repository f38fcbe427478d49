"""The trace: what ran, as frozen values without torch in them."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cache
from math import prod
from typing import Annotated, Any, ClassVar

from archcalc.values.bounds import Shape as Shape
from archcalc.values.json_types import Tree
from archcalc.values.stored import Stored


@cache
def item_bytes(dtype: str) -> int:
    """Bytes of an element by the name of its dtype, which says its bits: 2 for bfloat16, 1 for bool and below a byte.

    Raises ValueError for a name that says nothing.
    """
    bits = re.search(r"\d+", dtype)
    if bits is None and dtype != "bool":
        raise ValueError(f"nobody knows the size of an element of dtype {dtype}")
    return 1 if bits is None else max(1, int(bits[0]) // 8)


ORIGINS = ("call", "input", "parameter", "buffer", "constant")
"""Where a tensor can come from: a recorded call, the network's arguments, or what a module or its code holds."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One tensor as a call reads or makes it: its shape and dtype, and where it comes from.

    `origin` is one of ORIGINS. For "call", `producer` is the index of the Op that made it or was the last to write to
    its memory, and `output` is its place among that Op's outputs. For "input", `output` is its place among the trace's
    inputs. `name` is the qualified name of a parameter or buffer; the argument's name of an input, with the index or
    key of a tensor inside a list or dict ("images[0]"); for a constant the path of the module's attribute that holds
    it, or "constant_N" if none does. Where autograd was followed, `storage` numbers the memory that holds it, which
    views and in-place results share, and `needs_grad` says whether the backward pass computes its gradient.
    """

    shape: Shape
    dtype: str
    origin: str = "constant"
    producer: int | None = None
    output: int = 0
    name: str = ""
    storage: int | None = None
    needs_grad: bool = False

    @property
    def param(self) -> str | None:
        """The qualified name of a parameter, None for any other tensor."""
        return self.name if self.origin == "parameter" else None

    @property
    def numel(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of its elements."""
        return self.numel * item_bytes(self.dtype)


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
    `backward` are the FLOPs of its factors' gradients, where autograd was followed; `recomputations` is how often the
    backward pass runs it again, for the checkpointed regions that it ran in.
    `arguments` are its outputs, args and kwargs, where a formula may be needed; their TensorSpecs say nothing of where
    the tensors come from.
    """

    name: str
    flops: int | None
    tags: tuple[str, ...]
    output_elements: int
    backward: int = 0
    recomputations: int = 0
    arguments: tuple[tuple[Argument, ...], tuple[Argument, ...], dict[str, Argument]] | None = field(
        default=None, hash=False
    )


@dataclass(frozen=True, slots=True)
class Op:
    """One layer-level call, as a person would draw it: a convolution, a `cat`, an addition.

    `modules` are the modules that were running, the root first and the innermost last: each by its dotted
    `named_modules()` path, "" for the root, and the number of its run from 0.
    `args` and `kwargs` are the call's own, tensors as TensorSpec and other objects by their name; `inputs` are the
    tensors among them, parameters included. `aten` is what ran beneath it; empty where its shape rule made running
    needless. `saved` are the memories, by number with their bytes, that it is the first to keep for the backward pass.
    `checkpoints` are the numbers of the checkpointed regions that it ran in, outermost first, and `saved_again` what it
    is the first to keep in one, until the backward pass of that region: (region, memory, bytes).
    `spelling` is how the program wrote the call: "torch.add", "Tensor.add", "F.relu", or "operator" for a `+`.
    """

    index: int
    kind: str
    modules: tuple[tuple[str, int], ...]
    args: tuple[Argument, ...] = field(hash=False)  # lists become tuples, but dicts stay dicts
    kwargs: dict[str, Argument] = field(hash=False)
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    aten: tuple[AtenOp, ...] = ()
    saved: tuple[tuple[int, int], ...] = ()
    spelling: str = ""
    checkpoints: tuple[int, ...] = ()
    saved_again: tuple[tuple[int, int, int], ...] = ()

    @property
    def path(self) -> str:
        """The path of the innermost module that was running, "" for the root."""
        return self.modules[-1][0]

    @property
    def call(self) -> int:
        """Which run of that module it was, counted from 0."""
        return self.modules[-1][1]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpointed region: the backward pass runs the calls from `first` up to but without `stop` again.

    `reentrant` is torch's `use_reentrant`: then the outputs and their gradients stay until the region's backward pass
    is done. Nothing runs again if `first` is `stop`.
    """

    first: int
    stop: int
    reentrant: bool


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
        return self.numel * item_bytes(self.dtype)


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
    parameters: dict[str, Shape] = field(default_factory=dict, hash=False)
    places: int = 1
    leaf: bool = False


@dataclass(frozen=True, slots=True)
class Trace(Stored):
    """Everything that ran, in order, and what was registered.

    `modules` holds every module by its path, also those that did not run. `notes` says what a reader must know
    about how the trace was taken. `autograd` says whether what training needs was followed. `failure` is the error's
    text if the model raised: then `ops` ends before it. `buffer_bytes` is the size of the registered buffers.
    `checkpoints` are the checkpointed regions, by the numbers that ops have for them.
    """

    SCHEMA: ClassVar[str] = "archcalc.trace/1"

    subject: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    training: bool
    batch_size: int | None
    ops: tuple[Op, ...]
    params: tuple[Parameter, ...]
    modules: dict[str, Module] = field(hash=False)
    notes: tuple[str, ...] = ()
    failure: str | None = None
    autograd: bool = False
    buffer_bytes: int = 0
    checkpoints: tuple[Checkpoint, ...] = ()


def backward_unknown(names: Collection[str]) -> tuple[str, ...]:
    """A note about calls whose backward pass is not counted; empty if there are none."""
    note = f"what {', '.join(names)} costs in the backward pass is not known: its mult-adds are a lower bound"
    return (note,) if names else ()


def tensor_specs(tree: Any) -> list[TensorSpec]:
    """Every TensorSpec in nested tuples, lists and dicts, in order."""
    specs: list[TensorSpec] = []
    for branch in tree.values() if isinstance(tree, dict) else tree:
        if isinstance(branch, TensorSpec):
            specs.append(branch)
        elif isinstance(branch, (tuple, list, dict)):
            specs += tensor_specs(branch)
    return specs
