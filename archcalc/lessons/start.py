"""Networks as they start: built or copied with real weights, initialised and changed as a setting says."""

from __future__ import annotations

import random
import sys
from copy import deepcopy

import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd

from archcalc.sources.subject import Subject
from archcalc.values.errors import ModelError, UsageError, error_text
from archcalc.values.gradients import StartSetting, deviation

_ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}
_NORMS = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm, nn.LocalResponseNorm, nn.RMSNorm)


def seed_all(seed: int) -> None:
    """Seed what a constructor or a forward may draw from: torch, Python and numpy, if it is loaded."""
    torch.manual_seed(seed)
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed % 2**32)


def started(subject: Subject, setting: StartSetting, seed: int) -> nn.Module:
    """A network with real weights of its own, in training mode; a module that was handed in is copied.

    The random states are left as the seed and the drawing of the weights make them. Raises UsageError where its weights
    have no data or the setting asks for a change that it has no place for, ModelError where it cannot be copied.
    """
    seed_all(seed)
    module = own_module(subject)
    if any(tensor.is_meta for tensor in (*module.parameters(), *module.buffers())):
        raise UsageError(f"{subject.name} has weights without data: gradients need real ones")
    if setting.activation is not None:
        _replace(subject, module, (nn.ReLU, nn.Tanh, nn.Sigmoid), _ACTIVATIONS[setting.activation], "--activation")
    if setting.without_norm:
        _replace(subject, module, _NORMS, nn.Identity, "--without-norm")
    with torch.no_grad():
        initialise(module, setting.init)
    return module.train()


def own_module(subject: Subject) -> nn.Module:
    """A network with real weights, built with the random state of now or, where it was handed in, copied.

    Raises ModelError where it cannot be copied.
    """
    module = subject.with_weights()
    if subject.in_zoo:
        return module
    try:
        return _copied(module)  # whoever handed it in may go on using it
    except Exception as error:
        raise ModelError(f"{subject.name} cannot be copied, and is not changed: {error_text(error)}") from error


def _copied(module: nn.Module) -> nn.Module:
    """A copy with parameters of its own; those that autograd copies from a scripted module would be no leaves."""
    with torch.no_grad():
        copy = deepcopy(module)
    for own, given in zip(copy.parameters(), module.parameters(), strict=True):
        own.requires_grad_(given.requires_grad)
    return copy


def _replace(
    subject: Subject, module: nn.Module, kinds: tuple[type[nn.Module], ...], by: type[nn.Module], option: str
) -> None:
    """Put another module in the place of each one of those kinds; UsageError where there is none."""
    places = [
        (parent, name)
        for parent in list(module.modules())
        for name, child in parent._modules.items()
        if isinstance(child, kinds)
    ]
    if not places:
        raise UsageError(f"{option} replaces modules, and {subject.name} has none that it could replace")
    for parent, name in places:
        setattr(parent, name, by())


def initialise(module: nn.Module, init: str) -> None:
    """Draw the weights of convolutions and linear layers anew, biases zero; "own" leaves all as it is.

    "torch" resets every layer that has a default, to that default.
    """
    if init == "own":
        return
    spread = deviation(init)
    for child in module.modules():
        if init == "torch":
            reset = getattr(child, "reset_parameters", None)
            if callable(reset):
                reset()
            continue
        if not isinstance(child, (_ConvNd, nn.Linear)):
            continue
        if spread is not None:
            nn.init.normal_(child.weight, std=spread)
        elif init == "xavier":
            nn.init.xavier_uniform_(child.weight)
        else:
            nn.init.kaiming_normal_(child.weight, nonlinearity="relu")
        if child.bias is not None:
            nn.init.zeros_(child.bias)
