"""Watching a real forward pass: each call that is a row of the report, with its arguments and its result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from archcalc.trace.calls import classify
from archcalc.trace.modules import ModuleStack, forward_hooks, walk
from archcalc.values.report import Row

See = Callable[[Row | None, str, Any, Any], None]
"""Called with the row, None for a call that is no row, the kind of call, its arguments and its result."""


@contextmanager
def watching(module: nn.Module, rows: Sequence[Row], see: See) -> Iterator[None]:
    """Within it `see` is called after every torch call of a forward pass of the module; `rows` are of its report."""
    stack = ModuleStack({id(child): path for path, child in walk(module)})
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # it would hide the calls that are rows
    try:
        with forward_hooks(stack.enter, stack.leave), _WatchingMode(stack, rows, see):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


class _WatchingMode(TorchFunctionMode):
    """Matches calls with rows: the nth call of a kind in a run of a module is the nth such row."""

    def __init__(self, stack: ModuleStack, rows: Sequence[Row], see: See) -> None:
        super().__init__()
        self._stack, self._see = stack, see
        self._rows: dict[tuple[str, int, str], list[Row]] = {}
        for row in rows:
            self._rows.setdefault((row.module, row.call, row.kind), []).append(row)
        self._calls: Counter[tuple[str, int, str]] = Counter()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        kind = classify(func)
        if not kind.records_nothing:
            key = (*self._stack.running[-1], kind.name)
            alike, number = self._rows.get(key, ()), self._calls[key]
            self._calls[key] += 1
            self._see(alike[number] if number < len(alike) else None, kind.name, (args, kwargs), result)
        return result
