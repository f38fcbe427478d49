"""A benchmark against an earlier one: what became faster, slower, or stayed within the noise. No torch here."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from archcalc.values.benchmark import Benchmark, Timing
from archcalc.values.errors import UsageError
from archcalc.values.samples import Ratio, ratio


@dataclass(frozen=True, slots=True)
class Change:
    """One timing and the earlier one of the same run; `ratio` is the new median to the old."""

    now: Timing
    before: Timing
    ratio: Ratio


def changes(now: Benchmark, before: Benchmark) -> tuple[Change | None, ...]:
    """For each timing its change since the earlier benchmark, None where that one did not measure it.

    Timings are compared if network, input and phase are the same. Raises UsageError if none do.
    """
    old: dict[tuple[object, ...], list[Timing]] = {}
    for timing in before.timings:
        old.setdefault(_key(timing), []).append(timing)
    result = []
    for timing in now.timings:
        same_key = old.get(_key(timing))
        earlier = same_key.pop(0) if same_key else None
        result.append(Change(timing, earlier, ratio(timing.samples, earlier.samples)) if earlier else None)
    if not any(result):
        known = ", ".join(sorted({f"{timing.network} {timing.phase}" for timing in before.timings}))
        raise UsageError(f"nothing to hold these timings against; the earlier benchmark has {known}")
    return tuple(result)


def differences(now: Benchmark, before: Benchmark) -> list[str]:
    """Other differences that may explain a change, such as "threads 2, before 4"."""
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
