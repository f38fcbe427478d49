"""Trains one network from one seed, and records its errors epoch by epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from math import isfinite, sqrt
from time import perf_counter

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from archcalc.bench.device import preserve_torch_state
from archcalc.count.top_k import top_k
from archcalc.lessons.batches import HEAD_WEIGHT
from archcalc.lessons.images import Images
from archcalc.lessons.learner import Learner
from archcalc.lessons.start import seed_all
from archcalc.values.errors import ArchcalcError, ModelError, error_text
from archcalc.values.training import Point, Recipe, TrainingRun
from archcalc.zoo.lenet import RadialBasis

EVALUATED = 2
"""Times as many images as in a batch are evaluated at once: nothing has to be kept for a backward pass."""

Tell = Callable[[str], None]


def scores_of(module: nn.Module, batch: Tensor, classes: int) -> tuple[Tensor, ...]:
    """The scores B×classes that a network gives, first its own and then those of its auxiliary heads.

    Distances, as LeNet-5 gives them, change their sign, and are divided by the root of the units that they go over: so
    far do they spread, and a softmax of them as they are hardly learns. Raises ModelError for any other output.
    """
    result = module(batch)
    every = tuple(result) if isinstance(result, (tuple, list)) else (result,)
    for scores in every:
        if not isinstance(scores, Tensor) or scores.ndim != 2 or len(scores) != len(batch):
            given = f"a tensor of {tuple(scores.shape)}" if isinstance(scores, Tensor) else type(scores).__name__
            raise ModelError(f"it should give a score for each of {len(batch)} images and each class, not {given}")
        if scores.shape[1] < classes:
            raise ModelError(f"it gives {scores.shape[1]} scores an image, and the data has {classes} classes")
    for part in module.modules():
        if isinstance(part, RadialBasis):
            return tuple(-distances / sqrt(part.codes.shape[1]) for distances in every)
    return every


def loss_of(scores: Sequence[Tensor], labels: Tensor) -> Tensor:
    """Cross-entropy, and that of each auxiliary head times HEAD_WEIGHT."""
    main, *heads = (F.cross_entropy(each, labels) for each in scores)
    return main + HEAD_WEIGHT * torch.stack(heads).sum() if heads else main


def batches(images: int, batch_size: int, seed: int) -> Iterator[tuple[int, Tensor]]:
    """For ever the epoch, from 1, and the indices of a batch: whole batches, and a new order in each epoch."""
    shuffler = torch.Generator().manual_seed(seed)
    epoch = 0
    while True:
        epoch += 1
        order = torch.randperm(images, generator=shuffler)
        for start in range(0, images - batch_size + 1, batch_size):
            yield epoch, order[start : start + batch_size]


def refresh_batch_norm(module: nn.Module, batches: Iterable[Tensor]) -> None:
    """Take the averages of batch normalisation anew, over these batches and with the weights of now.

    After few steps, the moving averages are still those of weights long gone, and errors would tell of that lag.
    """
    norms = [part for part in module.modules() if isinstance(part, _BatchNorm) and part.track_running_stats]
    norms = [norm for norm in norms if norm.training]  # the others are kept as they are while training, too
    if not norms:
        return
    module.eval()
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.train()
        norm.reset_running_stats()
        norm.momentum = None  # the mean of all batches
    with torch.no_grad():
        for batch in batches:
            if len(batch) > 1:  # the spread of one image is nothing to take an average of
                module(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def error_on(module: nn.Module, batches: Iterable[Tensor], labels: Tensor, classes: int) -> float:
    """The share of images that a network is wrong about, in inference mode; ties and NaN are wrong."""
    module.eval()
    with torch.no_grad():
        scores = [scores_of(module, batch, classes)[0] for batch in batches]
    return top_k(torch.cat(scores), labels, (1,))[1]


def in_batches(learner: Learner, images: Images, size: int, dtype: torch.dtype) -> Iterator[Tensor]:
    """All images as inputs of a network, in their order, `size` of them at a time."""
    for start in range(0, len(images), size):
        chosen = images.at(torch.arange(start, min(start + size, len(images))))
        yield learner.data.inputs(chosen, learner.input_shape).to(dtype)


def train_once(learner: Learner, recipe: Recipe, seed: int, step_done: Tell) -> TrainingRun:
    """One run from one seed: weights, order of the images and dropout come from it alone."""
    with preserve_torch_state(torch.device("cpu"), recipe.threads, seed):
        seed_all(seed)
        try:
            return _train(learner, recipe, seed, step_done)
        except ModelError as error:
            raise ModelError(f"{learner.name} cannot be trained: {error}") from error
        except (ArchcalcError, KeyboardInterrupt):
            raise
        except (Exception, SystemExit) as error:
            raise ModelError(f"{learner.name} cannot be trained: {error_text(error)}") from error


def _train(learner: Learner, recipe: Recipe, seed: int, step_done: Tell) -> TrainingRun:
    data, classes = learner.data, len(learner.data.classes)
    start = perf_counter()
    points: list[Point] = []
    losses: list[float] = []
    module = learner.make()
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    if not parameters:
        raise ModelError("it has no parameters, or none that requires gradients")
    optimiser = torch.optim.SGD(parameters, lr=recipe.learning_rate, momentum=recipe.momentum)
    dtype = parameters[0].dtype
    in_turn = partial(in_batches, learner, size=EVALUATED * recipe.batch_size, dtype=dtype)
    per_epoch = len(data.train) // recipe.batch_size
    for step, (epoch, chosen) in enumerate(batches(len(data.train), recipe.batch_size, seed), start=1):
        module.train()
        images = data.train.at(chosen)
        optimiser.zero_grad()
        loss = loss_of(scores_of(module, data.inputs(images, learner.input_shape).to(dtype), classes), images.labels)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimiser.step()
        losses.append(loss.item())
        step_done(f"{learner.name}, seed {seed}: step {step} of {recipe.steps}, loss {losses[-1]:.3f}")
        diverged = not isfinite(losses[-1])
        ended = diverged or step == recipe.steps
        if ended or step % per_epoch == 0:
            refresh_batch_norm(module, in_turn(data.train))
            mean = sum(losses) / len(losses)
            errors = (error_on(module, in_turn(part), part.labels, classes) for part in (data.train, data.test))
            points.append(Point(step, epoch, None if diverged else mean, *errors))
            losses.clear()
        if ended:
            break
    seconds = perf_counter() - start
    return TrainingRun(
        learner.name,
        seed,
        learner.input_shape,
        learner.params,
        tuple(points),
        seconds,
        diverged_at=step if diverged else None,
    )
