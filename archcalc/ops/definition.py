"""The base class of definitions: the arguments of one kind of call, and everything that follows from them.

A definition is a class whose fields are the arguments of the torch function, in torch's order and under torch's names.
Its methods and class variables say what the call puts out, how that lies in memory, what it costs, which input pixels
its outputs see, and in which dtype autocast runs it. `parse` gives the definition of a recorded call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeVar

from archcalc.ops.axis import UnknownError
from archcalc.ops.field import Axes, SeenInput
from archcalc.ops.layout import Layout
from archcalc.values.report import Product, Window
from archcalc.values.trace import AtenOp, Op, Shape, TensorSpec

LOWER = "lower precision"
FLOAT32_ON_CUDA = "float32 on CUDA"


@dataclass(slots=True, eq=False)
class Definition:
    """One call of a kind; the base class stands for a call of which nothing but its kind is known."""

    kind: str

    # ---- what holds for every call of the kind

    zero_cost: ClassVar[str] = ""
    """Why it has no multiply-adds by our convention; "" where it has some, or where it is not known."""
    layout: ClassVar[Layout] = Layout.UNKNOWN
    """How its result lies in memory where its operands are not all contiguous."""
    autocast: ClassVar[str] = ""
    """LOWER or FLOAT32_ON_CUDA, as in torch's documentation of autocast; "" where the dtype stays as it is."""
    reads_values: ClassVar[bool] = False
    """It reads the values of its constant tensors, such as indices, so they are not replaced by meta tensors."""
    makes_constant: ClassVar[bool] = False
    """It takes only shape and dtype from its argument (zeros_like), so its result is a constant."""
    only_shape_of_others: ClassVar[bool] = False
    """Of all tensors but the first only shape or dtype matters (expand_as, type_as)."""
    enlarges: ClassVar[bool] = False
    """Its output has more positions than its input: neighbours may share what they see."""
    passes_gradient_on: ClassVar[bool] = False
    """Its backward pass returns the gradient of the output unchanged (addition)."""
    index_operands: ClassVar[int] = 0
    """How many of its first tensors are indices, whose dtype says nothing of the result's."""
    most_outputs: ClassVar[int] = 1
    """How many values it returns; those beyond what `shapes` gives are None."""
    inplace_at: ClassVar[int | None] = None
    """The position of its argument `inplace`, set by `define`."""
    aliases: ClassVar[dict[str, str]] = {"axis": "dim"}
    """Other names of its arguments."""

    @classmethod
    def parse(cls, kind: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Definition:
        """The call with these arguments; TypeError where they do not fit."""
        if kwargs:
            kwargs = {cls.aliases.get(name, name): value for name, value in kwargs.items()}
        return cls(kind, *args, **kwargs)

    # ---- what follows from the arguments

    def shape(self) -> Shape | None:
        """The shape of its only output; None if torch has to run it."""
        return None

    def shapes(self) -> tuple[Shape, ...] | None:
        """The shapes of all its outputs; None if torch has to run it."""
        shape = self.shape()
        return None if shape is None else (shape,)

    def aten_ops(self) -> tuple[AtenOp, ...]:
        """The torch ops with multiply-adds beneath it, where it has no `products` of its own."""
        return ()

    def window(self) -> Window | None:
        """What slides over its input, if anything does."""
        return None

    def products(self, out: TensorSpec) -> tuple[Product, ...] | None:
        """Its multiply-adds; `out` is its first output. None where they are counted from the torch ops beneath it."""
        return () if self.zero_cost else None

    def activations(self, out: TensorSpec) -> int:
        """Elements that its multiply-adds put out."""
        return out.numel

    def field(self, op: Op, seen: list[SeenInput]) -> Axes:
        """The receptive field of its first output from its inputs' fields; UnknownError where it cannot be followed."""
        raise UnknownError


class AnyArguments(Definition):
    """A kind whose properties do not depend on its arguments."""

    __slots__ = ()

    @classmethod
    def parse(cls, kind: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Definition:
        """The call, whatever its arguments are."""
        return cls(kind)

    def field(self, op: Op, seen: list[SeenInput]) -> Axes:
        """That of the input, if nothing ran beneath the call: then it handed it back."""
        if op.aten or op.outputs[0].shape != seen[0].spec.shape:
            raise UnknownError
        return seen[0].field


DEFINITIONS: dict[str, type[Definition]] = {}
"""By kind of call."""

Class = TypeVar("Class", bound=type[Definition])


def define(kinds: str) -> Callable[[Class], Class]:
    """Register a definition for calls of these kinds, set apart by blanks; a second one for a kind is an error."""

    def add(definition: Class) -> Class:
        for kind in kinds.split():
            if kind in DEFINITIONS:
                raise ValueError(f"there is a definition of {kind} already")
            DEFINITIONS[kind] = definition
        names = [field.name for field in fields(definition)][1:]  # without the kind
        definition.inplace_at = names.index("inplace") if "inplace" in names else None
        return definition

    return add


def define_plainly(kinds: str, base: type[Definition] = AnyArguments, **properties: Any) -> None:
    """Register kinds that differ from `base` only in class variables, such as the dtype under autocast."""
    define(kinds)(type(f"{kinds.split()[0]}_and_others", (base,), {"__slots__": (), **properties}))


def definition(kind: str) -> type[Definition]:
    """The definition registered for a kind, else AnyArguments."""
    return DEFINITIONS.get(kind, AnyArguments)


def parse(kind: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Definition:
    """A call with its arguments under their names; AnyArguments where they do not fit the definition."""
    try:
        return definition(kind).parse(kind, args, kwargs)
    except TypeError:
        return AnyArguments(kind)


def counts(kind: str) -> bool:
    """Whether a kind's definition says what it costs."""
    known = definition(kind)
    return bool(known.zero_cost) or known.products is not Definition.products


def asks_in_place(kind: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a function such as `relu` is called with `inplace=True`."""
    position = definition(kind).inplace_at
    return position is not None and bool(kwargs.get("inplace", len(args) > position and args[position]))
