"""Bounds of the numbers that are read from files: whatever is accepted can be computed with and shown.

These are annotations that pydantic reads. It is imported only when it asks for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Annotated, Any

from archcalc.values.json_types import TREE

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

LARGEST = 10**100
"""No count, time or rate that is read is larger: arithmetic with larger ones leaves the range of a float."""


@dataclass(frozen=True, slots=True)
class Between:
    """Annotates a number that must lie between two bounds where it is read from a file."""

    low: float
    high: float

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema: Any = handler(source)
        return {**schema, "ge": self.low, "le": self.high}


Seconds = Annotated[float, Between(1e-12, 1e12)]
"""A measured time, which is never 0."""

Rate = Annotated[float, Between(1.0, 1e30)]
"""What a machine does a second."""

Share = Annotated[float, Between(0.0, 1.0)]
"""A part of a whole."""


class _ShapeBounds:
    """Sizes that torch's 64 bits hold, none below 0, whose product is a number to compute with."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema

        sizes = core_schema.tuple_variable_schema(core_schema.int_schema(ge=0, lt=2**63), max_length=64)
        return core_schema.no_info_after_validator_function(_countable, sizes)


def _countable(shape: tuple[int, ...]) -> tuple[int, ...]:
    if prod(shape) > LARGEST:
        raise ValueError("should have fewer elements")
    return shape


Shape = Annotated[tuple[int, ...], _ShapeBounds()]


def with_bounds(schema: Any) -> Any:
    """A schema of pydantic's in which every number has bounds, but those in a Tree, where any may stand."""
    if isinstance(schema, list):
        return [with_bounds(item) for item in schema]
    if not isinstance(schema, dict) or str(schema.get("ref", "")).startswith(TREE):
        return schema
    bounds = {"ge": -LARGEST, "le": LARGEST} if schema.get("type") in ("int", "float") else {}
    return bounds | {key: with_bounds(item) for key, item in schema.items()}
