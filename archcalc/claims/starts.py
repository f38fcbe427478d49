"""Claims about gradients that are tested by starting networks with seeded weights and looking at what comes back.

Each holds only if it holds for every seed. `archcalc gradients` shows the numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from archcalc.claims.printed_number import Value
from archcalc.lessons.gradients import gradients
from archcalc.values.gradients import Gradients, Range, StartSetting
from archcalc.zoo import registry

VANISHED, EXPLODED = 0.01, 100
PIXELS = 2048
"""Small images make a batch of so many pixels, run with two seeds. A larger image is run alone, with one seed, so that
all of it takes seconds."""


@cache
def _start(
    subject: str,
    init: str = "own",
    activation: str | None = None,
    without_norm: bool = False,
    first_output: bool = False,
) -> Gradients:
    height, width = registry.architecture(subject).input_shape[1:]
    images = PIXELS // (height * width)
    seeds = 2 if images else 1
    setting = StartSetting(init, seeds, max(1, images), 0, activation, without_norm, first_output)
    return gradients(subject, None, setting, {})


def _first(subject: str, **how: str | bool) -> Range:
    """What the first layer gets over what the last one gets."""
    gradient = _start(subject, **how).first.gradient
    assert gradient is not None
    return gradient


def gradient_vanishes(subject: str, place: str) -> Value:
    """The first layer gets at most a hundredth of what the last one gets."""
    return _first(subject).high <= VANISHED


def gradient_vanishes_without_normalisation(subject: str, place: str) -> Value:
    """The same for the network with its normalisations left out."""
    return _first(subject, without_norm=True).high <= VANISHED


def gradient_does_not_vanish(subject: str, place: str) -> Value:
    """The first layer gets more than a hundredth of what the last one gets."""
    return _first(subject).low > VANISHED


def gradient_vanishes_or_explodes(subject: str, place: str) -> Value:
    """The first layer gets at most a hundredth, or at least a hundred times, of what the last one gets."""
    first = _first(subject)
    return first.high <= VANISHED or first.low >= EXPLODED


def shortcuts_keep_the_gradient(subject: str, place: str) -> Value:
    """A residual net's first layer gets within a factor of 100 of what the last one gets; its plain twin's does not."""
    own = _first(subject)
    kept = own.low > VANISHED and own.high < EXPLODED
    return kept and bool(gradient_vanishes_or_explodes(subject.replace("resnet", "plain"), place))


def initialisation_keeps_the_gradient(subject: str, place: str) -> Value:
    """Without normalisation He's weights hand the first layer over a thousand times what Xavier's do."""
    he, xavier = (_first(subject, init=init, without_norm=True) for init in ("he", "xavier"))
    return he.low > 1000 * xavier.high


def batch_norm_keeps_the_gradient(subject: str, place: str) -> Value:
    """It vanishes without batch normalisation, and does not vanish with it."""
    return bool(gradient_vanishes_without_normalisation(subject, place)) and _first(subject).low > VANISHED


def sigmoid_keeps_least(subject: str, place: str) -> Value:
    """Without normalisation, under each of three initialisations, sigmoid hands on less than ReLU and than tanh."""
    return all(
        _first(subject, init=init, activation="sigmoid", without_norm=True).high
        < min(_first(subject, init=init, activation=other, without_norm=True).low for other in ("relu", "tanh"))
        for init in ("torch", "xavier", "he")
    )


def heads_raise_the_gradient(subject: str, place: str) -> Value:
    """The first layer gets more with the losses of the auxiliary heads than with that of the last output alone."""
    return _first(subject).low > _first(subject, first_output=True).high


STARTS: dict[str, Callable[[str, str], Value]] = {
    function.__name__: function
    for function in (
        gradient_vanishes,
        gradient_vanishes_without_normalisation,
        gradient_does_not_vanish,
        gradient_vanishes_or_explodes,
        shortcuts_keep_the_gradient,
        initialisation_keeps_the_gradient,
        batch_norm_keeps_the_gradient,
        sigmoid_keeps_least,
        heads_raise_the_gradient,
    )
}
"""By name, as properties of claims."""
