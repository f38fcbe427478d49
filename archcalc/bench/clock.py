"""Clocks: one that synchronises the device, a stopwatch for a part of a run, and marks within a pass."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from time import perf_counter
from types import TracebackType
from typing import Any

import torch

Clock = Callable[[], float]
"""Seconds since some moment."""


def clock_of(device: torch.device) -> Clock:
    """A clock that waits for the device to finish its queue before it reads the time."""
    if device.type == "cpu":
        return perf_counter

    def now() -> float:
        torch.cuda.synchronize(device)
        return perf_counter()

    return now


class Stopwatch(AbstractContextManager["Stopwatch"]):
    """A clock that runs only inside `with`: a timer that reads it measures only that part of a call."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._total = 0.0
        self._begun = 0.0

    def __enter__(self) -> Stopwatch:
        self._begun = self._clock()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._total += self._clock() - self._begun

    def read(self) -> float:
        """Seconds that it has run so far."""
        return self._total


class Marks:
    """Moments of a pass on a CPU: a mark is the time itself."""

    def __init__(self, mark: Callable[[], Any]) -> None:
        self.mark = mark

    def hold(self) -> None:
        """Nothing to do: a CPU has no queue."""

    def done(self) -> None:
        """Nothing to wait for."""

    def seconds(self, begin: Any, end: Any) -> float:
        """Seconds between two marks."""
        return float(end - begin)


class DeviceMarks(Marks):
    """Moments of a pass on a GPU: a mark is an event in the stream, so the GPU's own time lies between two of them.

    The stream sleeps until the host has queued most of a pass; otherwise the GPU would idle between calls, and the
    host's launch overhead would be counted as time of the calls.
    """

    CYCLES_A_SECOND = 2_000_000_000
    LONGEST = 0.05

    def __init__(self, device: torch.device) -> None:
        super().__init__(self._event)
        self._device = device
        self._begun = perf_counter()
        self._queued = 0.02

    def _event(self) -> torch.cuda.Event:
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]  # torch leaves it untyped
        event.record(torch.cuda.current_stream(self._device))
        return event

    def hold(self) -> None:
        """Keep the stream waiting for about as long as the last pass took to be queued."""
        self._begun = perf_counter()
        torch.cuda._sleep(int(self._queued * self.CYCLES_A_SECOND))  # type: ignore[no-untyped-call]  # the same

    def done(self) -> None:
        """Wait until every mark has been passed."""
        self._queued = min(self.LONGEST, perf_counter() - self._begun)
        torch.cuda.synchronize(self._device)

    def seconds(self, begin: Any, end: Any) -> float:
        """Seconds between two marks; torch gives milliseconds."""
        return float(begin.elapsed_time(end)) / 1000


def marks_of(device: torch.device) -> Marks:
    """The marks that suit a device."""
    return Marks(perf_counter) if device.type == "cpu" else DeviceMarks(device)
