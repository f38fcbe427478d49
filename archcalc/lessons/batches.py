"""What a network is given, and the loss of what it gives: random images and classes, or those of a data set."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from archcalc.formats.units import listed, plural, size
from archcalc.sources.subject import Subject
from archcalc.trace.inputs import ids_below
from archcalc.trace.tensors import tensors_in, with_tensors
from archcalc.values.errors import ArchcalcError, ModelError, UsageError, error_message, error_text
from archcalc.values.gradients import StartSetting
from archcalc.zoo.lenet import RadialBasis

HEAD_WEIGHT = 0.3
"""The weight of the loss of each further head: Szegedy 2014, section 5."""


def batch_size_of(subject: Subject, inputs: Any, setting: StartSetting) -> int | None:
    """The batch to put before the inputs; None where they have one: all but the shape of one sample that is known."""
    if inputs is None:
        return setting.batch_size
    own = subject.input_shape
    is_shape = isinstance(inputs, (tuple, list)) and bool(inputs) and all(isinstance(size, int) for size in inputs)
    return setting.batch_size if is_shape and own is not None and len(inputs) == len(own) else None


@contextmanager
def real_run(name: str) -> Iterator[None]:
    """Within it whatever the network raises on real tensors, such as running out of memory, becomes a ModelError."""
    try:
        yield
    except (ArchcalcError, KeyboardInterrupt):
        raise
    except Exception as error:
        raise ModelError(f"{name} fails on real tensors: {error_text(error)}") from error


class Feed:
    """Batches for a network: random ones, or images of a data set with their classes.

    `inputs` are the arguments of a forward pass, by position and by name. Raises UsageError where there is no such
    data, or where the network does not read images.
    """

    def __init__(self, inputs: tuple[tuple[Any, ...], dict[str, Any]], data: str) -> None:
        self._inputs = inputs
        self._data = None
        if data == "random":
            return
        from archcalc.lessons.data import load

        args, kwargs = inputs
        if kwargs or len(args) != 1 or not isinstance(args[0], Tensor) or args[0].ndim != 4:
            raise UsageError("--data is for a network that reads one batch of images; leave it out")
        self._shape = tuple(args[0].shape)
        self._data = load(data, self._shape[2:])

    @property
    def classes_in_words(self) -> str:
        """Which classes the loss wants."""
        return "random classes" if self._data is None else f"the classes of {self._data.name}"

    def batch(self, module: nn.Module, generator: Generator) -> tuple[Any, Tensor | None]:
        """The arguments of a pass, and the classes that the images are of; None for random ones."""
        if self._data is None:
            return random_inputs(module, self._inputs, generator), None
        chosen = torch.randperm(len(self._data.train), generator=generator)[: self._shape[0]]
        images = self._data.train.at(chosen)
        return ((self._data.inputs(images, self._shape[1:]),), {}), images.labels


def random_inputs(module: nn.Module, inputs: Any, generator: Generator) -> Any:
    """`inputs` with normal random values for every tensor without data, and a copy of those that have data.

    Whole numbers lie below the rows of the module's smallest embedding.
    """
    high = ids_below(module)

    def filled(tensor: Tensor) -> Tensor:
        try:
            return drawn(tensor)
        except RuntimeError as error:
            text = f"an input of {size(tuple(tensor.shape))} does not fit into memory"
            raise UsageError(f"{text}: {error_message(error)}") from error

    def drawn(tensor: Tensor) -> Tensor:
        if not tensor.is_meta:
            return tensor.detach().clone()
        if tensor.is_floating_point():
            return torch.randn(tensor.shape, generator=generator).to(tensor.dtype)
        return torch.randint(2 if tensor.dtype is torch.bool else high, tensor.shape, generator=generator).to(
            tensor.dtype
        )

    return with_tensors(inputs, filled)


def with_gradients(inputs: Any) -> Any:
    """The same inputs, their floating-point tensors part of a graph, so that gradients pass frozen layers too."""

    def tracked(tensor: Tensor) -> Tensor:
        # the clone is no leaf: a model may write to it
        return tensor.requires_grad_().clone() if tensor.is_floating_point() else tensor

    return with_tensors(inputs, tracked)


def outputs_of(module: nn.Module, result: Any, name: str, *, first: bool = False) -> list[Tensor]:
    """The outputs that a gradient can start from, all or only the first; ModelError where there is none.

    Distances, as LeNet-5 gives them, become scores by their sign.
    """
    outputs = [tensor for tensor in tensors_in(result) if tensor.requires_grad and tensor.is_floating_point()]
    if not outputs:
        raise ModelError(f"{name} puts out nothing that a gradient can start from")
    if any(isinstance(part, RadialBasis) for part in module.modules()):
        outputs = [-distances for distances in outputs]
    return outputs[:1] if first else outputs


def loss_of(outputs: list[Tensor], generator: Generator, classes: Tensor | None = None) -> Tensor:
    """The loss of a batch: cross-entropy of outputs that are scores, else the output along a random direction.

    `classes` are the true ones, random where there are none. Scores of further heads weigh 0.3 each.
    """
    losses = []
    for number, output in enumerate(outputs):
        if _is_scores(output):
            wanted = classes
            if wanted is not None and wanted.max() >= output.shape[1]:
                raise UsageError(f"the data has classes that a network of {output.shape[1]} scores has no score for")
            if wanted is None:
                wanted = torch.randint(output.shape[1], output.shape[:1], generator=generator)
            further = number > 0 and output.shape == outputs[0].shape
            losses.append((HEAD_WEIGHT if further else 1) * F.cross_entropy(output, wanted))
        else:
            direction = torch.randn(output.shape, generator=generator).to(output.dtype)
            losses.append((output * direction).sum() / max(1, output.shape[0] if output.ndim else 1))
    return torch.stack([loss.float() for loss in losses]).sum()


def loss_in_words(outputs: list[Tensor], classes: str) -> str:
    """What `loss_of` is for these outputs; `classes` says which classes are wanted, such as "random classes"."""
    parts = []
    scores = sum(map(_is_scores, outputs))
    if scores:
        heads = "" if scores == 1 else f" and, weighing {HEAD_WEIGHT} each, of {plural(scores - 1, 'further head')}"
        parts.append(f"cross-entropy with {classes} of the scores{heads}")
    parts += [f"a random direction of an output of {size(tuple(o.shape))}" for o in outputs if not _is_scores(o)]
    return listed(parts)


def _is_scores(output: Tensor) -> bool:
    return output.ndim == 2 and output.shape[1] > 1
