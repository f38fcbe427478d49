"""A network that is to be trained: how it is made from a seed, and the size in which it reads the images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import nn

from archcalc.analysis import analysis_of
from archcalc.lessons.data import SMALL, Dataset, class_names, load
from archcalc.lessons.start import own_module
from archcalc.sources.load import subject_of
from archcalc.values.errors import ModelError, UsageError
from archcalc.values.report import Report
from archcalc.values.trace import Shape
from archcalc.values.training import Recipe
from archcalc.zoo import registry


@dataclass(frozen=True, slots=True)
class Learner:
    """A network to be trained on `data`, whose images it reads as C×H×W of `input_shape`.

    `make` builds it anew with the random state of now; a module that was handed in is copied, weights and all.
    """

    name: str
    make: Callable[[], nn.Module]
    input_shape: Shape
    params: int
    data: Dataset


def learners(models: Sequence[str | nn.Module], inputs: Shape | None, recipe: Recipe) -> list[Learner]:
    """The networks that are named or handed in, each traced once; those of the zoo get an output for each class.

    `inputs` is C×H×W of an image. Without it a network reads small images as they are, or at its own input size if it
    takes no such small ones. Raises UsageError and ModelError as `analyze`, and UsageError for a network that takes
    neither.
    """
    classes = class_names(recipe.data)
    loaded: dict[tuple[int, ...], Dataset] = {}
    result = []
    for model in dict.fromkeys(models):
        settings = _settings(model, recipe.settings, len(classes))
        shape, report = _fitting(model, inputs, recipe.data, settings)
        size = () if recipe.data in SMALL else shape[1:]
        if size not in loaded:
            loaded[size] = load(recipe.data, shape[1:])
        make = partial(own_module, subject_of(model, settings))
        result.append(Learner(report.subject, make, shape, report.total("params"), loaded[size]))
    return result


def _settings(model: str | nn.Module, given: dict[str, Any], classes: int) -> dict[str, Any]:
    settings = dict(given)
    entry = registry.find(model) if isinstance(model, str) else None
    if entry is not None and "num_classes" in entry.settings:
        settings.setdefault("num_classes", classes)
    return settings


def _fitting(model: str | nn.Module, inputs: Shape | None, data: str, settings: dict[str, Any]) -> tuple[Shape, Report]:
    """The shape in which a network reads an image, and what a training step of two of them costs."""

    def traced(shape: Shape) -> Report:
        return analysis_of(model, (2, *shape), settings=settings, training=True).report

    subject = subject_of(model, settings)
    own = subject.input_shape
    if inputs is not None:
        return inputs, traced(inputs)
    if data in SMALL:
        small = (own[0] if own else SMALL[data][0], *SMALL[data][1:])
        try:
            return small, traced(small)
        except ModelError as error:
            if own is None:
                raise UsageError(
                    f"{subject.name} does not take images of {'x'.join(map(str, small))}; "
                    f"say which it takes, such as -i 3x32x32 or inputs=(3, 32, 32): {error}"
                ) from error
    if own is None:
        raise UsageError(f"{subject.name} needs the size of an image, such as -i 3x32x32 or inputs=(3, 32, 32)")
    return own, traced(own)
