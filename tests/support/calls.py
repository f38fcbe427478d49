"""How much work a function does, in calls: a slow machine counts the same."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


def calls_of(function: Callable[..., Any], *args: Any, **kwargs: Any) -> int:
    """How many functions, of Python and of C, are called while it runs a second time, all imports behind it."""
    function(*args, **kwargs)
    calls = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        function(*args, **kwargs)
    finally:
        sys.setprofile(before)
    return calls
