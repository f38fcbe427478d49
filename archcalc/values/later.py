"""What values offer as methods and later stages do: `archcalc/__init__` registers the functions, values import none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

functions: dict[str, Callable[..., Any]] = {}
"""`render(value, format)`, `row_at(report, path)`, `plot(kind, report, …)` and `draw(report, …)`."""


def register(**later: Callable[..., Any]) -> None:
    """Make these the functions that the methods of values call."""
    functions.update(later)
