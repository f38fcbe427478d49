"""The difference between two reports: layers aligned, each added, removed, changed, renamed or the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from archcalc.count.align import aligned_indices
from archcalc.count.fold import folded_row, groups_by_path
from archcalc.formats.units import count, size
from archcalc.values.columns import BACKWARD, COLUMNS, add
from archcalc.values.difference import Delta, Difference, LayerChange
from archcalc.values.report import Report, Row, Source

MEASURES = ("params", "macs", "activations")
"""What deltas are given of, and BACKWARD where the backward pass was followed in both."""


def difference(before: Report, after: Report) -> Difference:
    """What differs between two reports."""
    followed = all(_is_followed(report) for report in (before, after))
    keys = MEASURES + BACKWARD * followed
    pairs = aligned_indices(before.rows, after.rows)
    partners = _Partners(pairs)
    layers = []
    for i, j in pairs:
        one, other = (None if i is None else before.rows[i]), (None if j is None else after.rows[j])
        deltas = tuple(_delta(key, one, other) for key in keys)
        if one is None or other is None:
            layers.append(LayerChange("added" if one is None else "removed", one, other, deltas))
            continue
        reason = partners.rewired(before, after, one.inputs_from, other.inputs_from)
        is_same = _what_it_is(one, followed) == _what_it_is(other, followed) and not reason
        status = "changed" if not is_same else "same" if one.path == other.path else "renamed"
        layers.append(LayerChange(status, one, other, deltas, reason, differing=int(status != "same")))
    totals = tuple(total_delta(before, after, key) for key in keys)
    rewired = partners.rewired(
        before, after, before.outputs_from, after.outputs_from, "the network's output comes from"
    )
    return Difference(before, after, totals, tuple(layers), (*_notes(before, after), *filter(None, [rewired])))


def total_delta(before: Report, after: Report, key: str) -> Delta:
    """A measure of both networks; None where it is a lower bound only, as in a column's `is_lower_bound`."""
    column = COLUMNS[key]
    least = [column.of_network(report) for report in (before, after)]
    exact = [
        None if column.is_lower_bound(report) else value for report, value in zip((before, after), least, strict=True)
    ]
    return Delta(key, exact[0], exact[1], least[0], least[1])


def fold_difference(difference: Difference, depth: int) -> Difference:
    """The same difference with one line for each module `depth` levels below the root; the totals stay."""
    layers = []
    for path, numbers in groups_by_path([layer.path for layer in difference.layers], depth):
        group = [difference.layers[number] for number in numbers]
        layers.append(group[0] if len(group) == 1 else _folded(difference, path, depth, group))
    return replace(difference, layers=tuple(layers), folded=depth)


def fold_difference_to(difference: Difference, lines: int) -> Difference:
    """The difference folded no further than needed for about that many lines that are not the same."""
    folded = difference
    for depth in range(max((layer.path.count(".") for layer in difference.layers), default=0), 0, -1):
        if len(folded.differing) <= lines:
            break
        folded = fold_difference(difference, depth)
    return folded


def _folded(difference: Difference, path: str, depth: int, group: Sequence[LayerChange]) -> LayerChange:
    statuses = {layer.status for layer in group}
    status = "changed" if len(statuses) > 1 else statuses.pop()
    if statuses == {"same", "renamed"}:
        status = "renamed"
    befores = [layer.before for layer in group if layer.before]
    afters = [layer.after for layer in group if layer.after]
    was = ".".join(befores[0].path.split(".")[:depth]) if befores else ""
    differing = sum(layer.differing for layer in group)
    layers = sum(layer.layers for layer in group)
    return LayerChange(
        status,
        folded_row(difference.before, was, befores) if befores else None,
        replace(folded_row(difference.after, path, afters), path=path) if afters else None,
        tuple(_sum(deltas) for deltas in zip(*(layer.deltas for layer in group), strict=True)),
        f"{count(differing)} of {count(layers)} layers differ" if differing and differing < layers else "",
        layers,
        differing,
    )


def _sum(deltas: Sequence[Delta]) -> Delta:
    return Delta(
        deltas[0].key,
        add(delta.before for delta in deltas),
        add(delta.after for delta in deltas),
        sum(delta.least_before for delta in deltas),
        sum(delta.least_after for delta in deltas),
    )


def _delta(key: str, before: Row | None, after: Row | None) -> Delta:
    column = COLUMNS[key]
    exact = [column.value(row) if row else 0 for row in (before, after)]
    least = [column.least(row) if row else 0 for row in (before, after)]
    return Delta(key, exact[0], exact[1], least[0], least[1])


def _is_followed(report: Report) -> bool:
    """Whether the backward pass was followed."""
    return any(COLUMNS[key].value(row) is not None for key in BACKWARD for row in report.rows)


def _what_it_is(row: Row, followed: bool) -> tuple[Any, ...]:
    """What a layer is and costs, without its name and what follows from the layers before it."""
    parameters = [(parameter.shape, parameter.dtype) for parameter in row.parameters]
    backward = (row.backward_macs, row.saved_bytes) if followed else ()
    shapes = (row.input_shapes, row.output_shapes, row.dtype)
    costs = (row.params, row.macs, row.activations, row.least_macs, row.unknown, row.free, row.calls)
    return row.kind, row.window, *shapes, *costs, row.products, parameters, *backward


class _Partners:
    """Which row of each network stands where which row of the other does."""

    def __init__(self, pairs: Sequence[tuple[int | None, int | None]]) -> None:
        self._after = {i: j for i, j in pairs if i is not None and j is not None}
        self._before = {j: i for i, j in self._after.items()}

    def rewired(
        self,
        before: Report,
        after: Report,
        sources: Sequence[Source],
        others: Sequence[Source],
        verb: str = "reads",
    ) -> str:
        """Which other tensors are read, in words; "" where a layer was only put in between or taken out."""
        changes = [
            f"{_name(after, other)}, not {_name(before, source)}"
            for source, other in zip(sources, others, strict=False)
            if self._differ(source, other)
        ]
        return f"{verb} {'; '.join(changes)}" if changes else ""

    def _differ(self, source: Source, other: Source) -> bool:
        if source.row is not None and source.row not in self._after:
            return False
        if other.row is not None and other.row not in self._before:
            return False
        if source.row is not None and other.row is not None:
            return self._after[source.row] != other.row or source.output != other.output
        if "call" in (source.origin, other.origin):
            return True
        return source.origin != other.origin or (source.origin == "input" and source.output != other.output)


def _name(report: Report, source: Source) -> str:
    if source.row is None:
        return f"{source.origin} {source.name}".strip()
    return report.rows[source.row].path + (f" output {source.output}" if source.output else "")


def _notes(before: Report, after: Report) -> tuple[str, ...]:
    """What differs beside the layers."""
    pairs = zip(_facts(before).items(), _facts(after).items(), strict=True)
    return tuple(f"{name} {one} -> {other}" for (name, one), (_, other) in pairs if one != other)


def _facts(report: Report) -> dict[str, str]:
    return {
        "input": ", ".join(map(size, report.input_shapes)) or "none",
        "output": ", ".join(map(size, report.output_shapes)) or "none",
        "mode": "training" if report.training else "eval",
        "params that are not run": count(sum(report.uncalled.values())),
        "failure": report.failure or "none",
    }
