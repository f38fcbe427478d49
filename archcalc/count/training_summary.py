"""What trainings side by side show: deeper against shallower networks, and networks that learned nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from archcalc.formats.units import share
from archcalc.values.training import Training

CHANCE = 0.95
"""A training error of more than this part of what guessing gives counts as guessing."""


def comparisons(training: Training) -> list[str]:
    """A sentence for each network and the next deeper one of its family, and for a plain and a residual one alike."""
    return [_comparison(training, *pair) for pair in _pairs(training)]


def at_chance(training: Training, network: str) -> bool:
    """Whether a network, in every run, is wrong about as many training images as guessing a class would be."""
    guess = 1 - 1 / training.classes
    return all(run.last.train_error > CHANCE * guess for run in training.of(network))


def _pairs(training: Training) -> Iterator[tuple[str, str]]:
    families: dict[str, list[tuple[int, str]]] = {}
    for network in training.networks:
        if (match := re.fullmatch(r"([a-z-]+?)(\d{1,6})", network)) and training.of(network):
            families.setdefault(match[1], []).append((int(match[2]), network))
    for family in families.values():
        for (_, shallow), (_, deep) in pairwise(sorted(family)):
            yield shallow, deep
    for depth, network in families.get("plain", []):
        if (depth, residual := f"resnet{depth}") in families.get("resnet", []):
            yield network, residual


def _comparison(training: Training, first: str, second: str) -> str:
    less, more = ([run.last.train_error for run in training.of(name)] for name in (first, second))
    held = [run.last.test_error for run in training.of(second)]
    figures = f"{error_range(more)} against {error_range(less)} of {first}"
    seeds = f" in each of {len(more)} seeds" if len(more) > 1 else ""
    if min(more) > max(less):
        return (
            f"{second} is wrong about more of the images that it was trained on than {first}{seeds}: {figures}. That "
            f"is no overfitting (on held-out images: {error_range(held)}): the same steps fit it less."
        )
    if max(more) < min(less):
        return f"{second} is wrong about fewer of the images that it was trained on than {first}{seeds}: {figures}."
    return f"{second} and {first} do not differ beyond their seeds in the training error: {figures}."


def error_range(errors: Sequence[float]) -> str:
    """From the least to the greatest, as 7.5% – 15.2%; one of them where both are written alike."""
    low, high = share(min(errors)), share(max(errors))
    return low if low == high else f"{low} – {high}"
