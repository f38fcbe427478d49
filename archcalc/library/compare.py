"""Networks side by side: what `archcalc.compare` is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from archcalc.count import compare as side_by_side
from archcalc.sources.saved import is_saved, read_report
from archcalc.values.errors import UsageError
from archcalc.values.report import Report

if TYPE_CHECKING:
    from torch import nn

    from archcalc.values.comparison import Comparison


def compare(*models: str | nn.Module | Report, inputs: Any = None, batch_size: int | None = None) -> Comparison:
    """Networks side by side, each measure with its ratio to the first.

    A network is given as a report or as anything that `analyze` takes; `inputs` and `batch_size` go to all but the
    reports, saved ones too. Raises UsageError for anything else, and UsageError and ModelError as `analyze` does.
    """
    if not models:
        raise UsageError("name at least one network to compare")
    given: Sequence[Any] = models
    for model in given:
        if not isinstance(model, (str, Report)) and not hasattr(model, "named_modules"):  # reports need no torch
            hint = "; Report.from_dict makes a report of it" if isinstance(model, dict) else ""
            kind = type(model).__name__
            raise UsageError(f"compare takes names, torch modules and reports, not a {kind}{hint}")
    return side_by_side.compare(
        *(model if isinstance(model, Report) else _analyzed(model, inputs, batch_size) for model in models)
    )


def _analyzed(model: str | nn.Module, inputs: Any, batch_size: int | None) -> Report:
    if is_saved(model):
        return read_report(model)
    from archcalc.library.analyze import analyze  # comparing reports needs no torch

    return analyze(model, inputs, batch_size=batch_size)
