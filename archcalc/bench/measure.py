"""Measurements taken in turns, A B A B, so that a slow phase of the machine affects all of them alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from torch.utils.benchmark import Timer

from archcalc.bench.clock import Clock
from archcalc.values.samples import Samples

ROUNDS = 8
"""Turns that each measurement gets; the time budget is shared among them."""

ENOUGH = 5
"""Samples after which a measurement stops that has used three times its time budget."""


class Measurement(Protocol):
    """Something that is measured in turns; a failure stops every measurement with the same `owner`."""

    owner: object
    label: str

    @property
    def count(self) -> int:
        """Samples so far."""

    def sample(self, seconds: float) -> None:
        """Take samples for about that long, at least one."""


class Timed:
    """A run timed as a whole by `torch.utils.benchmark`, which warms up and repeats what is short."""

    def __init__(self, owner: object, label: str, run: Callable[[], object], clock: Clock, threads: int) -> None:
        self.owner = owner
        self.label = label
        self._timer = Timer("run()", timer=clock, globals={"run": run}, num_threads=threads)
        self._rounds: list[tuple[float, ...]] = []

    @property
    def count(self) -> int:
        """Samples so far."""
        return sum(map(len, self._rounds))

    @property
    def samples(self) -> Samples:
        """The samples so far, a round each turn."""
        return Samples(tuple(self._rounds))

    def sample(self, seconds: float) -> None:
        """Take samples until they make up `seconds` together."""
        self._rounds.append(tuple(self._timer.blocked_autorange(min_run_time=seconds).times))


def interleaved(
    measurements: Sequence[Measurement],
    seconds: float,
    clock: Clock,
    tell: Callable[[str], None] = lambda message: None,
) -> dict[object, Exception]:
    """Take all measurements in turns, `seconds` of samples each; returns the errors by owner."""
    failed: dict[object, Exception] = {}
    spent = dict.fromkeys(range(len(measurements)), 0.0)
    for turn in range(ROUNDS):
        for index, measurement in enumerate(measurements):
            owner = measurement.owner
            if owner in failed or (spent[index] > 3 * seconds and measurement.count >= ENOUGH):
                continue
            tell(f"round {turn + 1} of {ROUNDS}: {measurement.label}")
            begun = clock()
            try:
                measurement.sample(seconds / ROUNDS)
            except Exception as error:  # the other networks are still measured
                failed[owner] = error.with_traceback(None)  # its frames would keep tensors alive
            spent[index] += clock() - begun
    return failed
