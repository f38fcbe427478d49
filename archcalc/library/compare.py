"""Networks side by side: what `archcalc.compare` is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from archcalc.count import compare as side_by_side
from archcalc.sources.saved import is_saved, read_report
from archcalc.values.errors import UsageError
from archcalc.values.measures import LATENCY, chosen_measures
from archcalc.values.report import Report

if TYPE_CHECKING:
    from torch import nn

    from archcalc.values.benchmark import Benchmark
    from archcalc.values.comparison import Comparison


def compare(
    *models: str | nn.Module | Report,
    inputs: Any = None,
    batch_size: int | None = None,
    columns: str | Sequence[str] | None = None,
    baseline: str | None = None,
    **labelled: Any,
) -> Comparison:
    """Networks side by side, each measure with its ratio to the first, or to the one that is called `baseline`.

    A network is given as a report or as anything that `analyze` takes, by keyword under the name that tables show:
    `compare("resnet50", Ours=net)`; `inputs` and `batch_size` go to all but reports, saved ones too. `columns`
    are the measures, such as "params,macs,memory,latency,top1" or a list of them, and then a network is a row; what a
    report alone does not hold is missing for reports. The latency is that of a forward pass, measured on this machine
    in turns.

    Raises UsageError for anything else, and UsageError and ModelError as `analyze` does.
    """
    if not models and not labelled:
        raise UsageError("name at least one network to compare")
    given: list[Any] = [*models, *labelled.values()]
    for model in given:
        if not isinstance(model, (str, Report)) and not hasattr(model, "named_modules"):  # reports need no torch
            hint = "; Report.from_dict makes a report of it" if isinstance(model, dict) else ""
            kind = type(model).__name__
            raise UsageError(f"compare takes names, torch modules and reports, not a {kind}{hint}")
    keys = None if columns is None else chosen_measures(columns)
    given = [read_report(model) if is_saved(model) else model for model in given]
    networks = [
        side_by_side.Network(model) if isinstance(model, Report) else _network(model, inputs, batch_size, keys or ())
        for model in given
    ]
    if keys is None:
        compared = side_by_side.compare(*(network.report for network in networks))
    else:
        measured = _measured(given, inputs, batch_size) if LATENCY in keys else None
        compared = side_by_side.compare_by(networks, keys, measured)
    labels = [*(report.subject for report in compared.reports[: len(models)]), *labelled]
    named = (replace(report, subject=label) for report, label in zip(compared.reports, labels, strict=True))
    return side_by_side.with_baseline(replace(compared, reports=tuple(named)), baseline)


def _network(model: Any, inputs: Any, batch_size: int | None, keys: Sequence[str]) -> side_by_side.Network:
    from archcalc.analysis import analysis_of  # comparing reports needs no torch
    from archcalc.count.memory import budget
    from archcalc.sources.published import published_errors

    report = analysis_of(model, inputs, batch_size, backward=side_by_side.follows_backward(keys)).report
    held = None
    if side_by_side.needs_budget(keys):
        held = budget(analysis_of(model, inputs, batch_size, training=True, backward=True).trace)
    return side_by_side.Network(report, held, published_errors(model, {}, report))


def _measured(given: Sequence[Any], inputs: Any, batch_size: int | None) -> Benchmark | None:
    """The forward passes of those that are no reports; None where all are."""
    models = [model for model in given if not isinstance(model, Report)]
    if not models:
        return None
    from archcalc.library.benchmark import benchmark

    return benchmark(*models, inputs=inputs, batch_size=batch_size, mode="inference")
