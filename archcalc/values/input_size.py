"""Input sizes, from what a person writes; no torch is needed to turn a wrong one away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, TypeVar

from archcalc.values.errors import UsageError, unknown
from archcalc.values.trace import Shape

LARGEST = 2**60  # elements; beyond, torch itself cannot count the bytes

_DTYPES = """float32 float64 float16 bfloat16 int64 int32 int16 int8 uint8 bool complex64 complex128""".split()


@dataclass(frozen=True, slots=True)
class Typed:
    """A shape whose tensor has a dtype of its own, such as int64 for the numbers of words."""

    shape: Shape
    dtype: str


@dataclass(frozen=True, slots=True)
class CallInputs:
    """What a forward pass is given by position and what by name, where there is some of both."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


Sized = TypeVar("Sized", Shape, Typed, Shape | Typed)


def parse_input(text: str) -> Shape | Typed:
    """The shape that `3x224x224` says, or with its dtype what `128:int64` says; UsageError for anything else."""
    size, colon, dtype = text.partition(":")
    if not colon:
        return parse_size(size)
    if dtype.strip() not in _DTYPES:
        raise unknown("dtype", dtype, _DTYPES)
    return Typed(parse_size(size), dtype.strip())


def parse_inputs(texts: Iterable[str]) -> tuple[list[Shape | Typed], dict[str, Any]]:
    """The sizes of inputs by position, and by name what `name=1x128:int64` or `keep=196` says.

    A size that has a name is the whole shape with its batch; a number, True, False or None is an argument as it stands.
    """
    sizes: list[Shape | Typed] = []
    named: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            sizes.append(parse_input(text))
            continue
        name = name.strip()
        if not name.isidentifier():
            raise UsageError(f"'{text}' is no input; write a size, such as 3x224x224, or name=size")
        if name in named:
            raise UsageError(f"the input {name} is given twice")
        named[name] = _argument(value.strip())
    return sizes, named


def _argument(text: str) -> Any:
    """A size, or a number, True, False or None, which are arguments themselves."""
    words = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    if re.fullmatch(r"[-+]?\d{1,18}", text, flags=re.ASCII):
        return int(text)
    if re.fullmatch(r"[-+]?\d*\.\d+", text, flags=re.ASCII):
        return float(text)
    return parse_input(text)


def joined(sizes: Sequence[Any], named: dict[str, Any]) -> Any:
    """The inputs of one forward pass as `archcalc.analyze` takes them; None where there are none."""
    if named:
        return CallInputs(tuple(sizes), named) if sizes else named
    return None if not sizes else sizes[0] if len(sizes) == 1 else list(sizes)


def parse_size(text: str) -> Shape:
    """The shape that `3x224x224`, `1x3x224x224` or `3,224,224` says; UsageError for anything else."""
    if not re.fullmatch(r"\d{1,18}([x×X,]\d{1,18})*", text.strip(), flags=re.ASCII):
        raise UsageError(f"'{text}' is no input size; write channels x height x width, such as 3x224x224")
    return checked(tuple(int(number) for number in re.split(r"[x×X,]", text.strip())))


def checked(shape: Shape) -> Shape:
    """The shape itself; UsageError where a size is zero or they are too large together."""
    if min(shape, default=1) < 1:
        raise UsageError(f"the input size {'x'.join(map(str, shape))} has a size below 1")
    if prod(shape) > LARGEST:
        raise UsageError(f"the input size {'x'.join(map(str, shape))} is larger than any memory")
    return shape


def with_batch(given: Sized, batch_size: int | None) -> Sized:
    """The shape of a batch: one to three numbers are one sample, four or more hold the batch already.

    Raises UsageError where both say a batch size and they differ.
    """
    if isinstance(given, Typed):
        return replace(given, shape=with_batch(given.shape, batch_size))
    shape: Shape = given
    if len(shape) < 4:
        return checked((1 if batch_size is None else batch_size, *shape))
    if batch_size not in (None, shape[0]):
        raise UsageError(
            f"the input size {'x'.join(map(str, shape))} says a batch of {shape[0]}, the batch size is {batch_size}: "
            "leave one of them out"
        )
    return shape


def of_another_batch(shape: Shape | Typed, batch_size: int) -> Shape | Typed:
    """The shape of a batch with so many samples in it."""
    if isinstance(shape, Typed):
        return Typed((batch_size, *shape.shape[1:]), shape.dtype)
    return (batch_size, *shape[1:])
