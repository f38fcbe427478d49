"""Two or more networks side by side: measures of each, and their ratios to one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from archcalc.values.benchmark import Benchmark, Timing
from archcalc.values.budget import Budget
from archcalc.values.columns import BACKWARD, COLUMNS, COMPARED
from archcalc.values.comparison import Comparison, Metric
from archcalc.values.errors import unknown
from archcalc.values.listing import PublishedError
from archcalc.values.measures import LATENCY, MEMORY, TOP1, TOP5, TRAINING_MEMORY, WITH_RATIO, measures
from archcalc.values.report import Report


@dataclass(frozen=True, slots=True)
class Network:
    """A network to compare: its report, and what no report holds, where it is known.

    `budget` is the memory of a training step; `errors` are those published for the network as it was built and run.
    """

    report: Report
    budget: Budget | None = None
    errors: tuple[PublishedError, ...] = ()


def follows_backward(keys: Sequence[str]) -> bool:
    """Whether these measures need reports of the backward pass."""
    return not {*BACKWARD}.isdisjoint(keys)


def needs_budget(keys: Sequence[str]) -> bool:
    """Whether these measures need the memory budget of each network."""
    return not {MEMORY, TRAINING_MEMORY}.isdisjoint(keys)


def compare(*reports: Report) -> Comparison:
    """Input, output, depth, params, macs, FLOPs and activations of each report, with the ratio to the first.

    Where the backward pass was followed in all of them, its mult-adds and the bytes saved for it as well.
    """
    followed = all(row.backward_macs is not None or row.macs is None for report in reports for row in report.rows)
    comparison = compare_by([Network(report) for report in reports], COMPARED + BACKWARD * followed)
    return replace(comparison, chosen=False)


def compare_by(networks: Sequence[Network], keys: Sequence[str], measured: Benchmark | None = None) -> Comparison:
    """These measures of each network, with the ratios to the first; the latency is that of `measured`."""
    reports = tuple(network.report for network in networks)
    comparison = Comparison(reports, (), chosen=True)
    metrics = []
    for key in keys:
        if key == LATENCY:
            metrics.append(_latency(comparison, measured))
        elif key in (TOP1, TOP5):
            metrics.append(_published(networks, key))
        else:
            metrics.append(_metric(key, [_value(network, key) for network in networks]))
    return replace(comparison, metrics=tuple(metrics))


def with_baseline(comparison: Comparison, name: str | None) -> Comparison:
    """The same with the ratios to the network of that name, None for the first; UsageError if there is none."""
    subjects = [report.subject for report in comparison.reports]
    if name is not None and name not in subjects:
        raise unknown("baseline", name, subjects)
    changed = replace(comparison, baseline=name)
    metrics = (replace(metric, ratios=_ratios(metric.values, metric.unit, changed.base)) for metric in changed.metrics)
    return replace(changed, metrics=tuple(metrics))


def with_latency(comparison: Comparison, measured: Benchmark) -> Comparison:
    """The comparison with the median time of a forward pass, in seconds, as its last metric, if it has none yet."""
    if any(metric.key == LATENCY for metric in comparison.metrics):
        return comparison
    latency = _latency(comparison, measured)
    ratios = _ratios(latency.values, latency.unit, comparison.base)
    return replace(comparison, metrics=(*comparison.metrics, replace(latency, ratios=ratios)))


def forward_timings(comparison: Comparison, measured: Benchmark) -> list[Timing | None]:
    """For each network of the comparison the timing of its forward pass, None where it could not be measured."""
    timings: dict[str, list[Timing]] = {}
    for timing in measured.timings:
        if timing.phase in ("inference", "forward"):
            timings.setdefault(timing.network, []).append(timing)
    left = [timings.get(report.subject, []) for report in comparison.reports]
    return [of_network.pop(0) if of_network else None for of_network in left]


def _value(network: Network, key: str) -> Any:
    """A measure of a network; None where it is not known."""
    if key in (MEMORY, TRAINING_MEMORY):
        if network.budget is None:
            return None
        return network.budget.inference_total if key == MEMORY else network.budget.training_total
    column = COLUMNS[key]
    if key in BACKWARD and all(column.value(row) is None for row in network.report.rows):
        return None  # the backward pass was not followed
    return column.of_network(network.report)


def _latency(comparison: Comparison, measured: Benchmark | None) -> Metric:
    timings = forward_timings(comparison, measured) if measured else [None] * len(comparison.reports)
    seconds = [timing.samples.median_seconds if timing else None for timing in timings]
    phase = next((timing.phase for timing in timings if timing), "")
    notes = {
        "inference": "inference: median time of a forward pass without gradients",
        "forward": "forward: median time of the forward pass of a training step",
    }
    return replace(_metric(LATENCY, seconds), note=notes.get(phase, ""))


def _published(networks: Sequence[Network], key: str) -> Metric:
    """The errors by the test protocol that most of the networks have, the earliest of equals."""
    protocols = Counter(protocol for network in networks for protocol, *_ in network.errors)
    protocol = protocols.most_common(1)[0][0] if protocols else ""
    values = []
    for network in networks:
        percents = next((percents for name, *percents in network.errors if name == protocol), [None, None])
        values.append(percents[0 if key == TOP1 else 1])
    others = [network.report.subject for network in networks if network.errors and not _has(network, protocol)]
    more = f"; by other protocols, not shown: {', '.join(others)}" if others else ""
    note = f"published, {protocol}{more}" if protocol else "none is published for these networks as they were run"
    return replace(_metric(key, values), note=note)


def _has(network: Network, protocol: str) -> bool:
    return any(name == protocol for name, *_ in network.errors)


def _metric(key: str, values: Sequence[Any]) -> Metric:
    measure = measures()[key]
    return Metric(key, measure.title, measure.unit, tuple(values), _ratios(values, measure.unit, 0))


def _ratios(values: Sequence[Any], unit: str, base: int | None) -> tuple[float | None, ...]:
    first = None if base is None or not values else values[base]
    if unit not in WITH_RATIO or not first:
        return (None,) * len(values)
    return tuple(None if value is None else value / first for value in values)
