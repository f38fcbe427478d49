"""Input sizes, from what a person writes; no torch is needed to turn a wrong one away."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from math import prod
from typing import TypeVar

from archcalc.values.errors import UsageError, unknown
from archcalc.values.trace import Shape

LARGEST = 2**60  # elements; beyond, torch itself cannot count the bytes

_DTYPES = """float32 float64 float16 bfloat16 int64 int32 int16 int8 uint8 bool complex64 complex128""".split()


@dataclass(frozen=True, slots=True)
class Typed:
    """A shape whose tensor has a dtype of its own, such as int64 for the numbers of words."""

    shape: Shape
    dtype: str


Sized = TypeVar("Sized", Shape, Typed, Shape | Typed)


def parse_input(text: str) -> Shape | Typed:
    """The shape that `3x224x224` says, or with its dtype what `128:int64` says; UsageError for anything else."""
    size, colon, dtype = text.partition(":")
    if not colon:
        return parse_size(size)
    if dtype.strip() not in _DTYPES:
        raise unknown("dtype", dtype, _DTYPES)
    return Typed(parse_size(size), dtype.strip())


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
