"""Trainings written out by hand, so that what is said of them is tested without training."""

from archcalc.values.training import Point, Recipe, Training, TrainingRun


def run(network: str, seed: int, *errors: tuple[float, float]) -> TrainingRun:
    """A run of ten steps an epoch, by its training and test errors."""
    points = tuple(Point(10 * at, at, 2.0 / at, *pair) for at, pair in enumerate(errors, start=1))
    return TrainingRun(network, seed, (3, 8, 8), 1000, points, 2.5)


def training(*runs: TrainingRun, seeds: tuple[int, ...] = (0, 1)) -> Training:
    """A training on digits that holds these runs."""
    names = tuple(dict.fromkeys(run.network for run in runs))
    return Training(Recipe(steps=20), (1, 8, 8), 10, 1352, 445, names, seeds, "2.13.0", runs)


DEGRADED = training(
    run("plain20", 0, (0.5, 0.5), (0.01, 0.1)),
    run("plain56", 0, (0.9, 0.9), (0.6, 0.7)),
    run("plain20", 1, (0.4, 0.5), (0.02, 0.1)),
    run("plain56", 1, (0.9, 0.9), (0.8, 0.75)),
)
"""The deeper network is worse on the images that it was trained on, from both seeds."""
