"""Timed rows gathered into the modules that hold them, as `table` gathers its rows. No torch here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archcalc.count.fold import folded_until, groups_by_path
from archcalc.values.benchmark import Bound, Layers, LayerTiming
from archcalc.values.columns import add
from archcalc.values.samples import Samples


def fold(layers: Layers, depth: int) -> Layers:
    """The same with one row for each module `depth` levels below the root, its time the sum of its rows' in a pass."""
    groups = groups_by_path([row.path for row in layers.rows], depth)
    return replace(
        layers, rows=tuple(_folded_row(path, [layers.rows[number] for number in numbers]) for path, numbers in groups)
    )


def fold_to(layers: Layers, rows: int) -> Layers:
    """Folded no further than needed to have about that many rows; as it is if it has no more."""
    return folded_until(layers, lambda folded: len(folded.rows) <= rows, fold)


def _folded_row(path: str, rows: Sequence[LayerTiming]) -> LayerTiming:
    if len(rows) == 1:
        return replace(rows[0], path=path)
    return LayerTiming(
        path=path,
        kind="module",
        module=path,
        call=0,
        output_shape=rows[-1].output_shape,
        params=sum(row.params for row in rows),
        macs=add(row.macs for row in rows),
        backward_macs=add(row.backward_macs for row in rows),
        bound=Bound(sum(row.bound.seconds for row in rows), sum(row.bound.memory_seconds for row in rows)),
        forward=_added([row.forward for row in rows]),
        backward=_added([row.backward for row in rows]),
        note="; ".join(dict.fromkeys(row.note for row in rows if row.note)),
        calls=sum(row.calls for row in rows),
    )


def _added(samples: Sequence[Samples | None]) -> Samples | None:
    """The rows' sum in each pass, so that the median is that of the module, not a sum of medians."""
    timed = [row.rounds for row in samples if row is not None]
    if not timed:
        return None
    return Samples(tuple(tuple(sum(passes) for passes in zip(*turn, strict=True)) for turn in zip(*timed, strict=True)))
