"""Units that a person chose for the figures of a table: `--units M`, or `--units params=M,macs=G`."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.formats.units import PREFIXES
from archcalc.values.columns import COLUMNS
from archcalc.values.comparison import Metric
from archcalc.values.errors import UsageError
from archcalc.values.measures import chosen_measures

RAW = "raw"


def check_units(units: str | None) -> None:
    """Raise UsageError where the text names no units."""
    _parsed(units)


def scales(units: str | None, metrics: Sequence[Metric]) -> dict[str, str]:
    """The prefix of each metric that has one, by its key: "M" for all that add up, or for each its own."""
    by_key = _parsed(units)
    chosen = {}
    for metric in metrics:
        prefix = by_key.get(metric.key, by_key.get("", RAW) if is_scalable(metric) else RAW)
        if prefix != RAW:
            chosen[metric.key] = prefix
    return chosen


def is_scalable(metric: Metric) -> bool:
    """Whether a metric is counted in millions at times: one that adds up, or bytes."""
    column = COLUMNS.get(metric.key)
    return metric.unit == "memory" or (metric.unit == "count" and column is not None and column.total)


def suffix(metric: Metric, prefix: str) -> str:
    """The unit behind a title: "(M)", or "(MB)" where it is one of bytes."""
    is_bytes = metric.unit == "memory" or "bytes" in metric.key.split("_")
    return f" ({prefix}{'B' * is_bytes})"


def _parsed(units: str | None) -> dict[str, str]:
    """The prefixes by key, "" for all."""
    prefixes: dict[str, str] = {}
    for part in (units or "").split(",") if units is not None else ():
        name, equals, prefix = part.rpartition("=")
        prefix = prefix.strip()
        prefix = RAW if prefix.lower() == RAW else prefix.upper()
        if prefix not in (*PREFIXES, RAW) or (equals and not name.strip()):
            raise UsageError(
                f"'{part}' is no unit; write K, M, G, T or raw, or for each column its own: params=M,macs=G"
            )
        prefixes[chosen_measures(name)[0] if equals else ""] = prefix
    return prefixes
