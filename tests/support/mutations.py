"""Seeded damage to files and documents: what a bad disk, a bad merge or a bad hand may make of them."""

from __future__ import annotations

import json
from copy import deepcopy
from random import Random
from typing import Any

NUMBERS = [
    "0",
    "-1",
    "1e308",
    "-1e308",
    "1e-320",
    str(10**400),
    str(-(2**63)),
    "NaN",
    "-Infinity",
    "1e999",
    "0.5",
    "1e5",
]
SPANS = [
    "\x00",
    "\ufeff",
    "\r\n",
    "\x1b[2J",
    '"',
    "{",
    "]",
    ",",
    "null",
    '"\\ud800"',
    "[" * 2000,
    "9" * 5000,
    "é☃\u202e",
]
VALUES: list[Any] = [
    *(None, True, 0, -1, 1, 2**63, 10**99, 10**101, 10**400, -(10**40), 0.5, 1e308, -1e308, 1e-320, float("nan")),
    *("", "0", "all", "?", "cpu", "int64", "float99", "-3/2", "\x1b[2J\n", "\udcff", "=1+1", "x" * 3000, "a.b"),
    *([], {}, [[]], [None], [0], [-1], [2**62] * 3, [1] * 200, {"": None}, {"$float": "inf"}, {"$tuple": []}),
]


def damaged(content: bytes, random: Random) -> bytes:
    """The bytes with one to three of: flipped bits, a cut, a span twice or missing, another number, something odd."""
    for _ in range(random.choice((1, 1, 2, 3))):
        at = random.randrange(len(content) + 1)
        end = min(len(content), at + random.choice((1, 1, 3, 20, 400)))
        match random.choice(("flip", "flip", "cut", "twice", "gone", "number", "number", "number", "span", "utf-16")):
            case "flip":
                flipped = bytes(byte ^ (1 << random.randrange(8)) for byte in content[at : at + 1])
                content = content[:at] + flipped + content[at + 1 :]
            case "cut":
                content = content[:at]
            case "twice":
                content = content[:end] + content[at:]
            case "gone":
                content = content[:at] + content[end:]
            case "number":
                content = _with_another_number(content, at, random)
            case "span":
                content = content[:at] + random.choice(SPANS).encode("utf-8", "surrogatepass") + content[at:]
            case "utf-16":
                content = content.decode("utf-8", "replace").encode("utf-16") if random.random() < 0.1 else content
    return content


def _with_another_number(content: bytes, start: int, random: Random) -> bytes:
    """The bytes with the first number behind a place replaced; it may be part of a word."""
    at = next((at for at in range(start, len(content)) if content[at : at + 1].isdigit()), len(content))
    end = at
    while end < len(content) and content[end : end + 1] in b"0123456789.eE+-":
        end += 1
    return content[:at] + random.choice(NUMBERS).encode() + content[end:]


def altered(document: Any, random: Random) -> Any:
    """A copy of a JSON document with one to three values dropped, replaced, or exchanged for one of its own."""
    document = deepcopy(document)
    for _ in range(random.choice((1, 1, 2, 3))):
        places = [(holder, key) for holder in _holders(document) for key in _keys(holder)]
        if not places:
            break
        holder, key = random.choice(places)
        other, other_key = random.choice(places)
        match random.choice(("drop", "value", "value", "own", "scaled")):
            case "drop":
                del holder[key]
            case "value":
                holder[key] = deepcopy(random.choice(VALUES))  # or a later change would be to VALUES itself
            case "own":
                holder[key] = deepcopy(other[other_key])
            case "scaled" if isinstance(holder[key], (int, float)):
                holder[key] = holder[key] * random.choice((-1, 0, 10**12, 10**60))
    return document


def as_text(document: Any) -> str:
    """The document as JSON, or as near to it as Python writes: NaN, numbers of any length."""
    return json.dumps(document)


def _holders(document: Any) -> list[Any]:
    """Every dict and list in a document, itself included."""
    found = [document] if isinstance(document, (dict, list)) else []
    items = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    return [*found, *(holder for item in items for holder in _holders(item))]


def _keys(holder: Any) -> list[Any]:
    return list(holder) if isinstance(holder, dict) else list(range(len(holder)))
