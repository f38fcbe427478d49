"""A benchmark against an earlier one: what became faster, slower, or stayed within the noise. No torch here."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from archcalc.values.benchmark import Benchmark, Timing
from archcalc.values.errors import UsageError
from archcalc.values.samples import Ratio, ratio


@dataclass(frozen=True, slots=True)
class Change:
    """One timing and the one that it is held against; `ratio` is the new median to the old."""

    now: Timing
    before: Timing
    ratio: Ratio


def changes(now: Benchmark, before: Benchmark) -> tuple[Change | None, ...]:
    """For each timing its change since the benchmark before, None where that one did not measure it.

    Two belong together that have network, input and phase in common. Raises UsageError if none do.
    """
    old: dict[tuple[object, ...], list[Timing]] = {}
    for timing in before.timings:
        old.setdefault(_key(timing), []).append(timing)
    pairs = []
    for timing in now.timings:
        alike = old.get(_key(timing))
        twin = alike.pop(0) if alike else None
        pairs.append(Change(timing, twin, ratio(timing.samples, twin.samples)) if twin else None)
    if not any(pairs):
        held = ", ".join(sorted({f"{each.network} {each.phase}" for each in before.timings}))
        raise UsageError(f"nothing to hold these timings against; the earlier benchmark has {held}")
    return tuple(pairs)


def differences(now: Benchmark, before: Benchmark) -> list[str]:
    """What else differs between the two, each as "threads 2, before 4": a change may come from there."""
    ignored = {"load", "commit", "flags", "seconds", "seed", "archcalc"}
    pairs = [(asdict(now.machine), asdict(before.machine)), (asdict(now.setting), asdict(before.setting))]
    return [
        f"{key} {value}, before {old[key]}"
        for new, old in pairs
        for key, value in new.items()
        if key not in ignored and value != old[key]
    ]


def _key(timing: Timing) -> tuple[object, ...]:
    return timing.network, timing.input_shapes, timing.phase
