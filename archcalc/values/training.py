"""The results of a training experiment: what was trained on what, and its errors as it went on."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from archcalc.values.bounds import Share
from archcalc.values.files import save_file
from archcalc.values.json_types import PlainTree
from archcalc.values.shown import Shown
from archcalc.values.stored import Stored
from archcalc.values.trace import Shape


@dataclass(frozen=True, slots=True)
class Recipe:
    """How networks are trained: stochastic gradient descent on batches of `batch_size` images, so many steps.

    `threads` are those of torch, on which the last digits of sums depend; `settings` are those of the builders.
    """

    data: str = "digits"
    steps: int = 70
    batch_size: int = 128
    learning_rate: float = 0.01
    momentum: float = 0.9
    threads: int = 1
    settings: dict[str, PlainTree] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Point:
    """Where a network stands after so many steps: at the end of an epoch, or at the last step of all.

    `train_error` and `test_error` are shares of 0 to 1 of all training images and of all held-out images, in inference
    mode. `loss` is the mean of the steps since the point before, None where it was no finite number.
    """

    step: int
    epoch: int
    loss: float | None
    train_error: Share
    test_error: Share


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """One network, trained once from one seed.

    `input_shape` is C×H×W of the images as the network got them. `diverged_at` is the step at which the loss was no
    finite number any more and the run ended, None where that never was. `seconds` is the time that it took.
    """

    network: str
    seed: int
    input_shape: Shape
    params: int
    points: tuple[Point, ...]
    seconds: float
    diverged_at: int | None = None

    def __post_init__(self) -> None:
        if not self.points:
            raise ValueError("there should be one point at least")

    @property
    def last(self) -> Point:
        """The errors at the end."""
        return self.points[-1]


@dataclass(frozen=True, slots=True)
class Training(Shown, Stored):
    """Networks trained on the same images from the same seeds, one run for each network and seed.

    `networks` and `seeds` are what was asked for; a file that was saved on the way holds fewer `runs`.
    """

    SCHEMA: ClassVar[str] = "archcalc.training/1"

    recipe: Recipe
    image_shape: Shape
    classes: int
    train_images: int
    test_images: int
    networks: tuple[str, ...]
    seeds: tuple[int, ...]
    torch: str
    runs: tuple[TrainingRun, ...]

    def run(self, network: str, seed: int) -> TrainingRun | None:
        """The run of that network and seed; None where it has not taken place."""
        return next((run for run in self.runs if (run.network, run.seed) == (network, seed)), None)

    def of(self, network: str) -> tuple[TrainingRun, ...]:
        """The runs of a network, by seed."""
        return tuple(run for run in self.runs if run.network == network)

    def save(self, path: str | Path) -> None:
        """Write the training as JSON, to be gone on with by `resume` and shown by `plot`; UsageError if it cannot."""
        save_file(Path(path), f"{self.to_json()}\n".encode())


def as_training(training: Training | str | Path | None) -> Training | None:
    """A training that is handed in, itself or as its file; None where there is none. Raises UsageError as `load`."""
    return training if training is None or isinstance(training, Training) else load(training)


def load(path: str | Path) -> Training:
    """The training that a file holds; UsageError where there is none, or one of another schema."""
    return Training.from_file(path, "save a training with `archcalc train MODEL --save FILE`")
