"""Reads and checks the TOML files of claims."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import fields
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from archcalc.values.claim import FORMS, VERDICTS, Claim
from archcalc.values.errors import ArchcalcError, UsageError, unknown
from archcalc.values.files import read_file

LONGEST = 2_000
"""Characters that a text in a claim may have."""

_KEYS = {entry.name: entry for entry in fields(Claim) if entry.name not in ("file", "number")}
_TYPES: dict[str, tuple[type, ...]] = {
    "digits": (int,),
    "batch": (int,),
    "training": (bool,),
    "settings": (dict,),
    "against_settings": (dict,),
    "printed": (str, int, float, bool),
    "max": (str, int),
    "min": (str, int),
}


def documented() -> list[Claim]:
    """Every claim that comes with archcalc, one file a document; the files are read once."""
    return list(_documented())


@cache
def _documented() -> tuple[Claim, ...]:
    files = sorted(
        (file for file in resources.files("archcalc.claims").iterdir() if file.name.endswith(".toml")),
        key=lambda file: file.name,
    )
    return tuple(claim for file in files for claim in parse(file.read_text(encoding="utf-8"), file.name))


def read(path: Path) -> list[Claim]:
    """The claims of a file. UsageError, naming file and entry, for whatever is wrong with it."""
    try:
        text = read_file(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text") from error
    return parse(text, str(path))


def parse(text: str, file: str) -> list[Claim]:
    """The claims of a TOML text: an array `claim`, and keys outside of it that hold for every entry."""
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also a number of thousands of digits, or nested too deeply
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise UsageError(f"{file} is not TOML: {reason}") from error
    entries = document.pop("claim", None)
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise UsageError(f"{file} holds no claims; write [[claim]] with subject, metric and printed, max or min")
    document.pop("title", None)
    _check_keys(document, f"{file}, before the first claim")
    return [_claim({**document, **entry}, file, number) for number, entry in enumerate(entries, start=1)]


def _claim(values: dict[str, Any], file: str, number: int) -> Claim:
    entry = f"{file}, claim {number}"
    _check_keys(values, entry)
    for key in ("subject", "metric"):
        if key not in values:
            raise UsageError(f"{entry}: {key} is missing")
    if not {"printed", "max", "min"} & values.keys():
        raise UsageError(f"{entry}: it says nothing to check; give printed, max or min")
    if "printed" in values and {"max", "min"} & values.keys():
        raise UsageError(f"{entry}: printed and a budget do not go together; make them two claims")
    for key in ("printed", "max", "min"):
        if key in values:
            values[key] = str(values[key]).lower() if isinstance(values[key], bool) else str(values[key])
    for key, allowed in (("expect", VERDICTS), ("form", FORMS)):
        if key in values and values[key] not in allowed:
            raise _in(entry, unknown(key, values[key], allowed))
    return Claim(**values, file=file, number=number)


def _check_keys(values: dict[str, Any], entry: str) -> None:
    for key, value in values.items():
        if key not in _KEYS:
            raise _in(entry, unknown("key", key, _KEYS))
        kinds = _TYPES.get(key, (str,))
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise UsageError(f"{entry}: {key} is {value!r}, it must be {' or '.join(kind.__name__ for kind in kinds)}")
        if isinstance(value, str) and len(value) > LONGEST:
            raise UsageError(f"{entry}: {key} has {len(value):,} characters, it may have {LONGEST:,}")
        if key in ("digits", "batch") and isinstance(value, int) and value < 1:
            raise UsageError(f"{entry}: {key} is {value}, it must be at least 1")


def _in(entry: str, error: ArchcalcError) -> UsageError:
    return UsageError(f"{entry}: {error}")


def located(claim: Claim, error: ArchcalcError) -> UsageError:
    """The same error, naming the file and entry that caused it."""
    return _in(claim.entry, error)


def chosen(files: Iterable[Path], subject: str | None, source: str | None) -> list[Claim]:
    """The claims of these files, or the documented ones where there are none, as `choose` picks them.

    Raises UsageError as `read` does, and where none is left.
    """
    claims = [claim for file in files for claim in read(file)] or documented()
    left = choose(claims, subject, source)
    if not left:
        raise UsageError(f"none of the {len(claims)} claims is about that; `archcalc verify` shows all of them")
    return left


def choose(claims: Iterable[Claim], subject: str | None, source: str | None) -> list[Claim]:
    """The claims about a network (or against it), and those of a source; both may be parts of a name."""
    return [
        claim
        for claim in claims
        if (subject is None or subject.lower().replace("_", "-") in (claim.subject, claim.against))
        and (source is None or source.lower() in claim.source.lower())
    ]
