"""Locked architectures: made of an analysis, and checked against what the model is now."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from archcalc.analysis import Analysis, analysis_of
from archcalc.count.lock import lock
from archcalc.sources.trust import vet
from archcalc.values.errors import UsageError
from archcalc.values.input_size import Typed, parse_input
from archcalc.values.lock import Lock, require_model


@dataclass(frozen=True, slots=True)
class LockVerdict:
    """A file of a lock, what it holds, and the first thing that is not as it was locked, "" where all is."""

    file: str
    lock: Lock
    problem: str


def locked(analysis: Analysis, model: str, settings: dict[str, Any]) -> Lock:
    """The lock of a network; it can be built from `model` again if all of its inputs are plain tensors."""
    values = (*analysis.args, *analysis.kwargs.values())
    is_plain = all(isinstance(value, Tensor) for value in values) and not (analysis.args and analysis.kwargs)
    return lock(analysis.trace, analysis.report, model if is_plain else "", settings, by_name=bool(analysis.kwargs))


def check_lock(file: str | Path, *, trust: bool = False) -> LockVerdict:
    """Whether the model that a lock names is still as it was locked.

    Without `trust` the file may only name what a file of claims may. Raises UsageError for a file that cannot be read
    or checked, ModelError where the model cannot be run.
    """
    before = Lock.load(file)
    require_model(before, file)
    try:
        if not trust:
            vet(before.model, before.settings, [Path(file).parent, Path()])
        now = locked(
            analysis_of(before.model, _inputs(before), settings=before.settings, training=before.training),
            before.model,
            before.settings,
        )
    except UsageError as error:
        raise UsageError(f"{file}: {error}") from error
    return LockVerdict(str(file), before, before.difference(now))


def _inputs(before: Lock) -> Any:
    for tensor in before.inputs:
        parse_input(f"1:{tensor.dtype}")  # an error where it is no dtype
    tensors = [Typed(tensor.shape, tensor.dtype) for tensor in before.inputs]
    return dict(zip((tensor.name for tensor in before.inputs), tensors, strict=True)) if before.by_name else tensors
