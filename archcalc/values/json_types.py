"""How fields are written as JSON whose types JSON does not have, nested call arguments, and fractions.

These are annotations that pydantic reads. It is imported only when it asks for them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from fractions import Fraction
from math import isfinite
from typing import TYPE_CHECKING, Annotated, Any

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema


class _FractionText:
    """Writes a Fraction as "3/2" and reads it back exactly."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema

        return core_schema.no_info_after_validator_function(
            Fraction,
            core_schema.custom_error_schema(
                core_schema.str_schema(pattern=r"^-?\d{1,40}/[1-9]\d{0,39}$"),
                custom_error_type="fraction",
                custom_error_message="Input should be a fraction such as '3/2'",
            ),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda fraction: f"{fraction.numerator}/{fraction.denominator}"
            ),
        )


ExactFraction = Annotated[Fraction, _FractionText()]

TREE = "archcalc.Tree"
"""What pydantic's name of the type of a Tree begins with."""


@dataclass(frozen=True, slots=True)
class Tree:
    """Annotates a field that holds nested plain values, and objects of the dataclasses `leaves`.

    Numbers, strings, booleans, None, lists, and dicts with string keys are written as they are. Anything else is a JSON
    object with one key that begins with "$": `{"$tuple": [1, 2]}`, `{"$float": "inf"}`, `{"$complex": "1j"}`,
    `{"$dict": [[key, value], ...]}` for other keys, `{"$TensorSpec": {...}}` for a leaf.
    """

    leaves: tuple[type, ...] = ()

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema as schemas

        if source is not self:  # pydantic keeps the definition of a type by its name, but not that of an annotation
            return handler.generate_schema(self)
        name = f"{TREE}({', '.join(leaf.__name__ for leaf in self.leaves)})"
        tree = schemas.definition_reference_schema(name)
        pair = schemas.tuple_schema([tree, tree])

        def tagged(tag: str, content: CoreSchema) -> CoreSchema:
            field = schemas.typed_dict_field(content)
            return schemas.no_info_after_validator_function(
                lambda document: document[tag], schemas.typed_dict_schema({tag: field}, extra_behavior="forbid")
            )

        after = schemas.no_info_after_validator_function
        choices: dict[Any, CoreSchema] = {
            "plain": schemas.any_schema(),
            "number": schemas.float_schema(allow_inf_nan=False),
            "list": schemas.list_schema(tree),
            "object": schemas.dict_schema(schemas.str_schema(), tree),
            "$tuple": tagged("$tuple", schemas.tuple_variable_schema(tree)),
            "$dict": tagged("$dict", after(_dict_of, schemas.list_schema(pair))),
            "$float": tagged("$float", after(float, schemas.literal_schema(["inf", "-inf", "nan"]))),
            "$complex": tagged("$complex", after(complex, schemas.str_schema(max_length=100))),
        }
        for leaf in self.leaves:
            tag = f"${leaf.__name__}"
            choices[tag] = tagged(tag, handler.generate_schema(leaf))
        written = schemas.plain_serializer_function_ser_schema(self._written)
        return schemas.tagged_union_schema(
            choices,
            _kind,
            ref=name,
            serialization=written,
            custom_error_type="tag",
            custom_error_message=f"Input should have a key among {', '.join(tag for tag in choices if tag[0] == '$')}",
        )

    def _written(self, value: Any) -> Any:
        if value is None or isinstance(value, (bool, int, str)):
            return value
        if isinstance(value, float):
            return value if isfinite(value) else {"$float": str(value)}
        if isinstance(value, complex):
            return {"$complex": str(value)}
        if isinstance(value, tuple):
            return {"$tuple": [self._written(item) for item in value]}
        if isinstance(value, list):
            return [self._written(item) for item in value]
        if isinstance(value, dict):
            if all(isinstance(key, str) and not key.startswith("$") for key in value):
                return {key: self._written(item) for key, item in value.items()}
            return {"$dict": [[self._written(key), self._written(item)] for key, item in value.items()]}
        if isinstance(value, self.leaves):
            leaf: Any = type(value)
            return {f"${leaf.__name__}": {entry.name: getattr(value, entry.name) for entry in fields(leaf)}}
        raise TypeError(f"there is no form for an object of type {type(value).__name__}")


def _kind(value: Any) -> str:
    """Which of the forms above a JSON value has."""
    if isinstance(value, dict):
        return next((key for key in value if key.startswith("$")), "object")
    return "list" if isinstance(value, list) else "number" if isinstance(value, float) else "plain"


def _dict_of(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    try:
        return dict(pairs)
    except TypeError as error:  # only a ValueError becomes one of pydantic's, with its place
        raise ValueError("keys have to be hashable") from error


PlainTree = Annotated[Any, Tree()]
