"""What values offer as methods and later stages do: `archcalc/__init__` names the functions, values import none."""

from __future__ import annotations

from importlib import import_module
from typing import Any

places: dict[str, str] = {}
"""Where each is: "archcalc.render.shown.text" for `render(value, format)`; `row_at`, `plot` and `draw` of a report."""


def later(name: str, *args: Any, **options: Any) -> Any:
    """What the function of that name gives; its module is imported now."""
    module, _, function = places[name].rpartition(".")
    return getattr(import_module(module), function)(*args, **options)
