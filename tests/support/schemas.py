"""The published schemas of docs/schema, and what in a document is not as its schema says."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

FOLDER = Path(__file__).parents[2] / "docs" / "schema"


def problems(document: dict[str, Any]) -> list[str]:
    """What is wrong, missing, or not described in a document, each with its place."""
    return [
        f"{error.json_path}: {error.message[:300]}" for error in _validator(document["schema"]).iter_errors(document)
    ]


@cache
def _validator(name: str) -> Any:
    file = FOLDER / f"{name.removeprefix('archcalc.').partition('/')[0]}.json"
    schema = json.loads(file.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(_closed(schema))


def _closed(schema: Any) -> Any:
    """The schema in which an object has no other keys than those that are described."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {"additionalProperties": False} if schema.get("type") == "object" and "properties" in schema else {}
    return closed | {key: _closed(value) for key, value in schema.items()}
