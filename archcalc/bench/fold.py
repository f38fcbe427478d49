"""Timed rows gathered into the modules that hold them, as `table` gathers its rows. No torch here."""

from __future__ import annotations

from dataclasses import replace

from archcalc.values.benchmark import Bound, Layers, LayerTiming
from archcalc.values.samples import Samples


def fold(layers: Layers, depth: int) -> Layers:
    """The same with one row for each module `depth` levels below the root, its time the sum of its rows' in a pass."""
    groups: dict[str, list[LayerTiming]] = {}
    for number, row in enumerate(layers.rows):
        parts = row.path.split(".")
        key = ".".join(parts[:depth]) if len(parts) > depth else f"{row.path}\n{number}"
        groups.setdefault(key, []).append(row)
    return replace(layers, rows=tuple(_gathered(key.partition("\n")[0], rows) for key, rows in groups.items()))


def fold_to(layers: Layers, rows: int) -> Layers:
    """Folded no further than needed to have about that many rows; as it is if it has no more."""
    folded = layers
    for depth in range(max((row.path.count(".") for row in layers.rows), default=0), 0, -1):
        if len(folded.rows) <= rows:
            break
        folded = fold(layers, depth)
    return folded


def _gathered(path: str, rows: list[LayerTiming]) -> LayerTiming:
    if len(rows) == 1:
        return replace(rows[0], path=path)
    return LayerTiming(
        path=path,
        kind="module",
        module=path,
        call=0,
        output_shape=rows[-1].output_shape,
        params=sum(row.params for row in rows),
        macs=_sum([row.macs for row in rows]),
        backward_macs=_sum([row.backward_macs for row in rows]),
        bound=Bound(sum(row.bound.seconds for row in rows), sum(row.bound.memory_seconds for row in rows)),
        forward=_added([row.forward for row in rows]),
        backward=_added([row.backward for row in rows]),
        note="; ".join(dict.fromkeys(row.note for row in rows if row.note)),
        calls=sum(row.calls for row in rows),
    )


def _sum(values: list[int | None]) -> int | None:
    return None if None in values else sum(value or 0 for value in values)


def _added(samples: list[Samples | None]) -> Samples | None:
    """Pass by pass the sum of all rows: a median of sums, since a sum of medians is something else."""
    each = [known.rounds for known in samples if known is not None]
    if not each:
        return None
    return Samples(tuple(tuple(sum(second) for second in zip(*turn, strict=True)) for turn in zip(*each, strict=True)))
