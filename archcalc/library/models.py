"""The zoo's networks, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archcalc.zoo import registry

if TYPE_CHECKING:
    from torch import nn


def names() -> list[str]:
    """The names of the networks that archcalc knows, oldest first; imports no torch."""
    return registry.names()


def build(name: str, **settings: Any) -> nn.Module:
    """A network of the zoo as a fresh torch module, initialised and in training mode.

    `settings` are its builder's own, such as `num_classes=10`. Raises UsageError for a name or setting that does not
    exist.
    """
    return registry.build(name, **settings)
