"""Samples of a time, and the statistics that follow from them. Nothing here needs torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from archcalc.values.bounds import Seconds

NOISY = 0.1
"""A spread (interquartile range over median) above this is flagged: the machine was doing something else as well."""

FLOOR = 0.02
"""Medians closer than this are within the noise: repeats of identical code differ by as much."""

RESAMPLES = 500
POINTS = 40
"""Bootstrap draws, and the most samples of a round that take part in one; fewer samples make a wider interval."""

RULE = (
    f"faster or slower where the 95% bootstrap interval of the ratio of medians ({RESAMPLES} draws of rounds, then of "
    f"samples) leaves out 1 and the medians differ by more than {FLOOR:.0%}; else within the noise"
)


@dataclass(frozen=True, slots=True)
class Samples:
    """Seconds that one run took, again and again, as measured.

    They are kept by round: within a round they follow each other, between rounds other measurements had their turn.
    """

    rounds: tuple[tuple[Seconds, ...], ...]

    def __post_init__(self) -> None:
        if not any(self.rounds):
            raise ValueError("there has to be at least one sample")

    @property
    def seconds(self) -> tuple[float, ...]:
        """Every sample, in the order of time."""
        return tuple(second for samples in self.rounds for second in samples)

    @property
    def count(self) -> int:
        """Number of samples."""
        return sum(map(len, self.rounds))

    @property
    def median_seconds(self) -> float:
        """The middle one."""
        return quantile(sorted(self.seconds), 0.5)

    @property
    def iqr_seconds(self) -> float:
        """Interquartile range: the middle half of the samples lies within so many seconds."""
        ordered = sorted(self.seconds)
        return quantile(ordered, 0.75) - quantile(ordered, 0.25)

    @property
    def min_seconds(self) -> float:
        """The quickest one."""
        return min(self.seconds)

    @property
    def noisy(self) -> bool:
        """Whether the interquartile range is more than a tenth of the median."""
        return self.iqr_seconds > NOISY * self.median_seconds


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of two medians, new to old, and the 95% bootstrap interval around it."""

    value: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """By RULE: "faster", "slower" or "within the noise"."""
        if self.high < 1 and self.value < 1 - FLOOR:
            return "faster"
        return "slower" if self.low > 1 and self.value > 1 + FLOOR else "within the noise"


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which that share of the sorted values lies, on the line between its two neighbours."""
    position = share * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])


def ratio(new: Samples, old: Samples, *, interleaved: bool = False, seed: int = 0) -> Ratio:
    """The ratio of the medians of two sets of samples.

    `interleaved`: both were measured in the same rounds, so that what slowed the machine in one of them slowed both;
    the same rounds are then drawn of each.
    """
    draw = Random(seed)
    a, b = ([_thinned(samples) for samples in side.rounds if samples] for side in (new, old))
    paired = interleaved and len(a) == len(b)
    ratios = []
    for _ in range(RESAMPLES):
        of_a = draw.choices(range(len(a)), k=len(a))
        of_b = of_a if paired else draw.choices(range(len(b)), k=len(b))
        ratios.append(_median_of(a, of_a, draw) / _median_of(b, of_b, draw))
    ratios.sort()
    return Ratio(new.median_seconds / old.median_seconds, quantile(ratios, 0.025), quantile(ratios, 0.975))


def _thinned(samples: Sequence[float]) -> list[float]:
    ordered = sorted(samples)
    if len(ordered) <= POINTS:
        return ordered
    return [quantile(ordered, (index + 0.5) / POINTS) for index in range(POINTS)]


def _median_of(rounds: list[list[float]], chosen: list[int], draw: Random) -> float:
    drawn = [second for index in chosen for second in draw.choices(rounds[index], k=len(rounds[index]))]
    return quantile(sorted(drawn), 0.5)
