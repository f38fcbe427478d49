"""A difference in one paragraph: by how much, where, and how many layers."""

from __future__ import annotations

from collections.abc import Iterator

from archcalc.formats.units import compact, count, percent, plural
from archcalc.values.columns import COLUMNS
from archcalc.values.difference import STATUSES, Delta, Difference

MOST = 0.8
"""The share of a change that a module must hold to be named as its place."""


def summary(difference: Difference) -> str:
    """Such as "+1.80M params (+7.2%), 92% of it in mid.attn; mult-adds stay. 4 layers added, 60 the same."."""
    layers = sum(layer.layers for layer in difference.layers)
    if difference.equal:
        known = "" if difference.after.complete else ", as far as they could be counted"
        return f"Nothing differs: {'all ' * (layers > 1)}{plural(layers, 'layer')} the same{known}."
    costs = "; ".join(_cost(difference, at, delta) for at, delta in enumerate(difference.totals))
    numbers = {status: sum(line.layers for line in difference.layers if line.status == status) for status in STATUSES}
    parts = [f"{count(number)} {status}" for status, number in numbers.items() if number]
    return f"{costs}. Layers: {', '.join(parts)}." if parts else f"{costs}."


def _cost(difference: Difference, at: int, delta: Delta) -> str:
    title = COLUMNS[delta.key].title
    if delta.change is None:
        return f"by how much the {title} change is not known, since they are a lower bound"
    if not delta.change:
        moved = sum(abs(line.deltas[at].known_change) for line in difference.layers)
        return f"as many {title}" + (" in all" if moved else "")
    grown = f" ({sign(delta.change)}{percent(abs(delta.change), delta.before)})" if delta.before else ""
    text = f"{sign(delta.change)}{compact(abs(delta.change))} {title}{grown}"
    place, share = _place(difference, at, delta.change)
    return f"{text}, {'all' if share == 1 else f'{100 * share:.0f}%'} of it in {place}" if place else text


def sign(number: int) -> str:
    """The sign of a number that is not 0."""
    return "-" if number < 0 else "+"


def _place(difference: Difference, at: int, change: int) -> tuple[str, float]:
    """The deepest module or layer that holds most of a change, with its share; "" where none does.

    Nothing is said where other layers change the other way: there shares have no meaning.
    """
    changes = [(line.path, line.deltas[at].known_change) for line in difference.layers]
    if any(part * change < 0 for _, part in changes):
        return "", 0
    by_path: dict[str, int] = {}
    for path, part in changes:
        for module in _modules(path) if part else ():
            by_path[module] = by_path.get(module, 0) + part
    holders = [(path.count("."), path) for path, part in by_path.items() if part / change >= MOST]
    if not holders:
        return "", 0
    place = max(holders)[1]
    return place, by_path[place] / change


def _modules(path: str) -> Iterator[str]:
    """A path and those of the modules around it."""
    parts = path.split(".")
    return (".".join(parts[:depth]) for depth in range(1, len(parts) + 1))
