"""The devices whose peaks are known: those of devices.toml, and those of a file of a user's own in the same form."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources
from typing import Any

from archcalc.values.device import ELEMENT_BYTES, Device
from archcalc.values.errors import UsageError, unknown
from archcalc.values.files import read_file

_NUMBERS = ("bytes_per_second", "memory")
_TEXTS = ("title", "source")
_KEYS = (*_NUMBERS, *_TEXTS, "flops_per_second")


@cache
def devices() -> dict[str, Device]:
    """The devices that come with archcalc, by name: "a100-bf16" is an A100 that computes in bfloat16."""
    text = resources.files("archcalc.count").joinpath("devices.toml").read_text(encoding="utf-8")
    return _parsed(text, "devices.toml")


def device(name: str) -> Device:
    """The device of that name: one that comes with archcalc, or "my.toml:NAME" for one of a file.

    The name after the colon may be left out where the file describes one device in one dtype. Raises UsageError for a
    name that is not known, and for a file that cannot be read or says something else.
    """
    file, dot, rest = name.rpartition(".toml")
    if not dot or rest[:1] not in ("", ":"):
        return _chosen(name, devices(), f"`archcalc devices` shows all of them; {OWN}")
    path = f"{file}.toml"
    own = of_file(path)
    if rest in ("", ":") and len(own) == 1:
        return next(iter(own.values()))
    if rest in ("", ":"):
        raise UsageError(f"{path} describes {', '.join(own)}; name one of them: {path}:{next(iter(own))}")
    return _chosen(rest[1:], own, f"{path} describes {', '.join(own)}")


def of_file(path: str) -> dict[str, Device]:
    """The devices that a file describes, by name; UsageError for a file that cannot be read or says something else."""
    try:
        text = read_file(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text") from error
    return _parsed(text, path)


def plain(name: str) -> str:
    """A name as it is compared: "RTX 4090" is "rtx4090"."""
    return re.sub(r"[\s_-]", "", name.lower())


OWN = "--peak and --bandwidth, or a file my.toml, describe any other"


def _chosen(name: str, known: dict[str, Device], hint: str) -> Device:
    """The device of that name; one whose dtype was left out is asked for with it."""
    key = plain(name)
    by_name = {plain(line): device for line, device in known.items()}
    if key in by_name:
        return by_name[key]
    lines = [line for line in known if plain(line.rpartition("-")[0]) == key]
    if lines:
        raise UsageError(f"in which dtype does {name} compute? {', '.join(lines)}")
    raise unknown("device", name, known, hint)


def _parsed(text: str, file: str) -> dict[str, Device]:
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also a number of thousands of digits, or nested too deeply
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise UsageError(f"{file} is not TOML: {reason}") from error
    found = {}
    for name, values in document.items():
        if not isinstance(values, dict):
            raise UsageError(f"{file}: {name} stands alone; a device is a table [{name}] with {', '.join(_KEYS)}")
        for device in _lines(name, values, f"{file}, {name}"):
            found[device.name] = device
    if not found:
        raise UsageError(f"{file} describes no device: write a table [name] with {', '.join(_KEYS)}")
    return found


def _lines(name: str, values: dict[str, Any], entry: str) -> list[Device]:
    """A device for each dtype of one table."""
    for key, value in values.items():
        if key not in _KEYS:
            error = unknown("key", key, _KEYS)
            raise UsageError(f"{entry}: {error}")
        if key in _TEXTS and not isinstance(value, str):
            raise UsageError(f"{entry}: {key} must be text")
        if key in _NUMBERS:
            _check_number(key, value, entry)
    rates = values.get("flops_per_second")
    if "bytes_per_second" not in values or not isinstance(rates, dict) or not rates:
        raise UsageError(f"{entry}: give bytes_per_second = 2.0e12 and flops_per_second = {{ fp32 = 20e12 }}")
    for dtype, rate in rates.items():
        if dtype not in ELEMENT_BYTES:
            error = unknown("dtype", dtype, ELEMENT_BYTES)
            raise UsageError(f"{entry}: {error}")
        _check_number(f"flops_per_second of {dtype}", rate, entry)
    facts = {key: values[key] for key in (*_NUMBERS, *_TEXTS) if key in values}
    return [Device(f"{name.lower()}-{dtype}", rate, dtype=dtype, **facts) for dtype, rate in rates.items()]


def _check_number(key: str, value: Any, entry: str) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 1 <= value <= 1e30:
        raise UsageError(f"{entry}: {key} is {value!r}, it must be a number from 1 to 1e30")
