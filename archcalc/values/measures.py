"""What networks are compared by: the columns that a whole network has a value of, and measures that no row has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archcalc.values.columns import COLUMNS, plain
from archcalc.values.errors import UsageError, unknown

WITH_RATIO = ("count", "seconds", "memory")
"""Units of measures that are so many times another network's."""

_UNIT_IN_KEY = ("_bytes", "_seconds", "_percent")


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of a network: its key, with the unit, its title, its unit (see formats/units.py) and what it means."""

    key: str
    title: str
    unit: str
    meaning: str


MEMORY, TRAINING_MEMORY = "memory_bytes", "training_memory_bytes"
LATENCY, TOP1, TOP5 = "latency_seconds", "top1_percent", "top5_percent"

_OTHERS = (
    Measure(MEMORY, "memory", "memory", "weights, buffers and the most activations alive at once in a forward pass"),
    Measure(TRAINING_MEMORY, "training memory", "memory", "the same for a training step with SGD, gradients included"),
    Measure(LATENCY, "latency", "seconds", "median time of a forward pass, measured on this machine"),
    Measure(TOP1, "top-1 error %", "percent", "published top-1 error of a network of the zoo"),
    Measure(TOP5, "top-5 error %", "percent", "published top-5 error of a network of the zoo"),
)


def measures() -> dict[str, Measure]:
    """Every measure by its key: columns first, in their order."""
    columns = (
        Measure(column.key, column.title, column.unit, column.meaning)
        for column in COLUMNS.values()
        if column.total or column.network
    )
    return {measure.key: measure for measure in (*columns, *_OTHERS)}


def chosen_measures(wish: str | Sequence[str]) -> tuple[str, ...]:
    """The keys of the measures in "params,mult-adds,latency", given by key, with or without its unit, or by title.

    "all" is every measure but the latency, which is measured only where it is asked for by name. Raises UsageError for
    what does not exist or is a column of layers alone, and for none at all.
    """
    known = measures()
    names = wish.split(",") if isinstance(wish, str) else list(wish)
    names = [name.strip() for name in names if name.strip()]
    if names == ["all"]:
        return tuple(key for key in known if key != LATENCY)
    keys = {plain(name): key for key, measure in known.items() for name in (_without_unit(key), measure.title, key)}
    keys |= {"top-1": TOP1, "top-5": TOP5}
    of_layers = {plain(name) for column in COLUMNS.values() for name in (column.key, column.title)}
    for name in names or [""]:
        if plain(name) in keys:
            continue
        if plain(name) in of_layers:
            raise UsageError(f"'{name}' is a column of layers and none of whole networks: add --layers")
        raise unknown("column", name, map(_without_unit, known))
    return tuple(dict.fromkeys(keys[plain(name)] for name in names))


def _without_unit(key: str) -> str:
    """`latency` for `latency_seconds`; the key of a column stays as it is."""
    if key in COLUMNS:
        return key
    return next((key.removesuffix(unit) for unit in _UNIT_IN_KEY if key.endswith(unit)), key)
