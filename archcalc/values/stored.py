"""Values as JSON, and back: one mixin for every frozen dataclass that can be saved.

The fields' types are the format: pydantic derives it from them and checks what is read. It is imported only when a
value is written or read.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from reprlib import Repr
from typing import TYPE_CHECKING, Any, ClassVar, Self

from archcalc.values.bounds import with_bounds
from archcalc.values.errors import UsageError
from archcalc.values.files import read_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema, ErrorDetails, SchemaSerializer, SchemaValidator

_shortened = Repr()
_shortened.maxlevel, _shortened.maxlist, _shortened.maxdict = 2, 3, 2
_shortened.maxlong = _shortened.maxstring = _shortened.maxother = 40


class Stored:
    """Gives a frozen dataclass `to_dict`, `to_json`, `from_dict` and `from_json`; reading back gives an equal value.

    `SCHEMA` names the format and its version, as "archcalc.report/1"; it is "" for values that are only written inside
    others. Reading needs every field to be there, so that nothing is taken for its default by mistake, except where
    `SPARSE` is set: then fields that hold an empty default are neither written nor needed.
    """

    __slots__ = ()

    SCHEMA: ClassVar[str] = ""
    SPARSE: ClassVar[bool] = False

    __pydantic_config__: ClassVar[dict[str, bool]] = {"strict": True, "allow_inf_nan": False}

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values: raw integers, lists, shapes with the batch. A Fraction is text, as "3/2".

        Raises UsageError if a value has no form in JSON.
        """
        _, writer = _reader_and_writer(type(self))
        try:
            document: dict[str, Any] = writer.to_python(self, mode="json", warnings=False)
        except (TypeError, ValueError, RecursionError) as error:  # pydantic's own are ValueErrors
            raise _not_writable(self, error) from error
        return document

    def to_json(self) -> str:
        """`to_dict` as one line of JSON."""
        document = self.to_dict()
        try:
            return json.dumps(document, allow_nan=False)
        except (ValueError, RecursionError) as error:
            raise _not_writable(self, error) from error

    @classmethod
    def from_dict(cls, document: Any, *, origin: str = "the document") -> Self:
        """The value that `to_dict` wrote; keys that are no fields are ignored.

        `origin` is what an error calls the document, such as the name of its file. Raises UsageError, with the place of
        the first problem, if it holds anything else.
        """
        if cls.SCHEMA:
            _check_schema(cls, document, origin)
        document = cls._read(document) if isinstance(document, dict) else document
        reader, _ = _reader_and_writer(cls)
        try:
            # pydantic takes lists for tuples only in JSON text when it is strict on types.
            value: Self = reader.validate_json(json.dumps(document))
        except (TypeError, ValueError, RecursionError) as error:
            raise UsageError(f"{origin} is not whole: {_problem(error, document)}") from None
        return value

    @classmethod
    def from_json(cls, text: str | bytes, *, origin: str = "the text") -> Self:
        """The value that `to_json` wrote; `origin` and errors as in `from_dict`, also if it is no JSON at all."""
        try:
            document = json.loads(text, object_pairs_hook=_unambiguous)
        except (TypeError, ValueError, RecursionError) as error:
            reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise UsageError(f"{origin} is not JSON: {reason}") from None
        return cls.from_dict(document, origin=origin)

    @classmethod
    def from_file(cls, path: str | Path, hint: str = "") -> Self:
        """The value that a file holds; UsageError, with a hint how to make such a file, where there is none."""
        text = read_file(path)
        try:
            return cls.from_json(text, origin=str(path))
        except UsageError as error:
            raise UsageError(f"{error}; {hint}" if hint else str(error)) from error

    def _write(self, document: dict[str, Any]) -> dict[str, Any]:
        """What to write for the fields in `document`: those and what is derived from them."""
        return document

    @classmethod
    def _read(cls, document: dict[str, Any]) -> dict[str, Any]:
        """The fields in a document; undoes what `_write` did to them."""
        return document

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema

        schema = handler(source)
        dataclass: Any = handler.resolve_ref_schema(schema)
        if not cls.SPARSE:
            for field in dataclass["schema"]["fields"]:
                if field["schema"]["type"] == "default":
                    field["schema"] = field["schema"]["schema"]
        dataclass["serialization"] = core_schema.wrap_serializer_function_ser_schema(_document)
        return schema


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these pairs; ValueError where a key is there twice, so that nobody knows which one holds."""
    document = dict(pairs)
    if len(document) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {_shortened.repr(max(keys, key=keys.count))} is there twice in one object")
    return document


def _document(value: Stored, fields_of: Callable[[Stored], dict[str, Any]]) -> dict[str, Any]:
    document = fields_of(value)
    if value.SPARSE:
        empty = _empty_defaults(type(value))
        document = {key: item for key, item in document.items() if key not in empty or item != empty[key]}
    head = {"schema": value.SCHEMA} if value.SCHEMA else {}
    return head | value._write(document)


_made: dict[Any, tuple[SchemaValidator, SchemaSerializer]] = {}


def _reader_and_writer(cls: type[Stored]) -> tuple[SchemaValidator, SchemaSerializer]:
    """Those of a class, made once, as that takes a few milliseconds."""
    if cls not in _made:
        from pydantic import TypeAdapter
        from pydantic_core import SchemaSerializer, SchemaValidator

        schema = with_bounds(TypeAdapter(cls).core_schema)
        # By default NaN would become None; `json.dumps` refuses it.
        _made[cls] = SchemaValidator(schema), SchemaSerializer(schema, {"ser_json_inf_nan": "constants"})
    return _made[cls]


def _empty_defaults(cls: Any) -> dict[str, Any]:
    """The defaults that say nothing, by field: None, "", 0, False and {}."""
    defaults = {
        entry.name: entry.default if entry.default_factory is MISSING else entry.default_factory()
        for entry in fields(cls)
    }
    return {name: default for name, default in defaults.items() if default is not MISSING and not default}


def _check_schema(cls: type[Stored], document: Any, origin: str) -> None:
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema == cls.SCHEMA:
        return
    if not isinstance(schema, str):
        raise UsageError(f"{origin} holds no {cls.__name__.lower()}: there is no schema {cls.SCHEMA} in it")
    held = schema if len(schema) <= 60 else f"{schema[:60]}..."
    (name, _, own), (held_name, _, version) = cls.SCHEMA.rpartition("/"), held.rpartition("/")
    newer = held_name == name and version.isascii() and version.isdecimal() and int(version) > int(own)
    advice = "; it was written by a newer archcalc: update yours" if newer else ""
    raise UsageError(f"{origin} holds {held}, not {cls.SCHEMA}{advice}")


def _problem(error: Exception, document: Any) -> str:
    """The first problem in one line, with its place: "rows.3.macs: should be a valid integer, not 'many'"."""
    from pydantic import ValidationError

    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if not isinstance(error, ValidationError):
        return str(error)
    details = error.errors(include_url=False, include_context=False)
    places = [_place(detail, document) for detail in details]
    alike = [detail for detail, place in zip(details, places, strict=True) if place == places[0]]  # one for each type
    first = alike[0]
    if first["type"] == "missing":
        return f"{places[0]}: is missing"
    if first["type"] == "json_invalid":  # though json.dumps wrote it: pydantic's limits are narrower
        return "it is nested too deeply" if "recursion" in first["msg"] else "it holds text that is not valid Unicode"
    texts = [detail["msg"].removeprefix("Input ").removeprefix("Value error, ") for detail in alike]
    return f"{places[0]}: {' or '.join(dict.fromkeys(texts))}, not {_shortened.repr(first['input'])}"


def _place(detail: ErrorDetails, document: Any) -> str:
    """The keys and indices that lead to a problem, without pydantic's names of the types that it tried."""
    location: Sequence[int | str] = detail["loc"]
    parts = []
    for part in location:
        if isinstance(document, dict):
            inside = part in document
        else:
            inside = isinstance(document, (list, tuple)) and isinstance(part, int) and part < len(document)
        if inside:
            document = document[part]
            parts.append(part)
    if detail["type"] == "missing":
        parts.append(location[-1])
    return ".".join(map(str, parts))


def _not_writable(value: Stored, error: Exception) -> UsageError:
    return UsageError(f"this {type(value).__name__} cannot be written as JSON: {error}")
