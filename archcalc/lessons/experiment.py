"""Several networks trained from several seeds on the same images, to be interrupted and gone on with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

import torch
from torch import nn

from archcalc.lessons.learner import Learner, learners
from archcalc.lessons.train import Tell, train_once
from archcalc.values.errors import UsageError
from archcalc.values.trace import Shape
from archcalc.values.training import Recipe, Training


def train(
    models: Sequence[str | nn.Module],
    inputs: Shape | None,
    recipe: Recipe,
    seeds: Sequence[int],
    *,
    resume: Training | None = None,
    step_done: Tell = lambda message: None,
    run_done: Callable[[Training], None] = lambda training: None,
) -> Training:
    """See `archcalc.train`; `step_done` is called after each step, and `run_done` after each run with all so far."""
    _check(models, recipe, seeds)
    if inputs is not None:
        inputs = _image(inputs)
    networks = learners(models, inputs, recipe)
    names = [learner.name for learner in networks]
    if len(set(names)) < len(names):
        raise UsageError(f"two of these networks have the same name: {max(names, key=names.count)}")
    data = networks[0].data
    if recipe.batch_size > len(data.train):
        raise UsageError(f"a batch of {recipe.batch_size} needs more than the {len(data.train)} images to train on")
    training = Training(
        recipe=recipe,
        image_shape=data.image_shape,
        classes=len(data.classes),
        train_images=len(data.train),
        test_images=len(data.test),
        networks=tuple(names),
        seeds=tuple(dict.fromkeys(seeds)),
        torch=torch.__version__,
        runs=(),
    )
    if resume is not None:
        training = merged(resume, training, {learner.name: learner for learner in networks})
    for seed in seeds:
        for learner in networks:
            if training.run(learner.name, seed) is None:
                run = train_once(learner, recipe, seed, step_done)
                training = replace(training, runs=(*training.runs, run))
                run_done(training)
    return training


def merged(before: Training, asked: Training, networks: dict[str, Learner]) -> Training:
    """What was trained before, to be gone on with; UsageError, naming what differs, where it was another experiment."""
    differing = [
        f"{field.name} was {getattr(before.recipe, field.name)!r}, now {getattr(asked.recipe, field.name)!r}"
        for field in fields(Recipe)
        if getattr(before.recipe, field.name) != getattr(asked.recipe, field.name)
    ]
    for name in ("torch", "classes", "train_images", "test_images"):
        if getattr(before, name) != getattr(asked, name):
            differing.append(f"{name} was {getattr(before, name)}, now {getattr(asked, name)}")
    for run in before.runs:
        learner = networks.get(run.network)
        if learner and (learner.input_shape, learner.params) != (run.input_shape, run.params):
            differing.append(f"{run.network} was another network")
    if differing:
        raise UsageError(f"what is to be resumed is another experiment: {'; '.join(dict.fromkeys(differing))}")
    return replace(
        before,
        networks=tuple(dict.fromkeys((*before.networks, *asked.networks))),
        seeds=tuple(dict.fromkeys((*before.seeds, *asked.seeds))),
    )


def _check(models: Sequence[str | nn.Module], recipe: Recipe, seeds: Sequence[int]) -> None:
    if not models:
        raise UsageError("name at least one network to train")
    for name in ("steps", "batch_size", "threads"):
        if getattr(recipe, name) < 1:
            raise UsageError(f"{name} should be 1 or more, not {getattr(recipe, name)}")
    if not 0 < recipe.learning_rate < float("inf"):
        raise UsageError(f"a learning rate is a number above 0, not {recipe.learning_rate}")
    if not 0 <= recipe.momentum < 1:
        raise UsageError(f"a momentum is 0 or more and below 1, not {recipe.momentum}")
    if not seeds or not all(0 <= seed < 2**63 for seed in seeds):
        raise UsageError("there should be one seed or several, each from 0 to 2^63 - 1")


def _image(inputs: Any) -> Shape:
    """The shape of one image, C×H×W; UsageError for any other."""
    if not isinstance(inputs, (tuple, list)) or len(inputs) != 3 or not all(isinstance(size, int) for size in inputs):
        raise UsageError(f"an image is channels x height x width, such as 3x32x32, not {inputs!r}")
    return tuple(inputs)
