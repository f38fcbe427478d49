"""What a network holds in memory, in bytes by part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from archcalc.values.shown import Shown
from archcalc.values.stored import Stored


@dataclass(frozen=True, slots=True)
class Peak:
    """The most bytes at once, and the path of the call at which they are reached."""

    nbytes: int
    path: str


@dataclass(frozen=True, slots=True)
class Step(Stored):
    """What is alive while a call runs forward, or while its backward pass runs, in bytes by part.

    `path` is the call's and `direction` "forward" or "backward". `saved` is kept for the backward pass, the input
    included. `activations` are the tensors of the forward pass that are alive and not saved, or the gradients of
    activations. `weight_gradients` are those that there are so far.
    """

    path: str
    direction: str
    saved: int
    activations: int
    weight_gradients: int

    @property
    def nbytes(self) -> int:
        """All parts."""
        return self.saved + self.activations + self.weight_gradients


@dataclass(frozen=True, slots=True)
class Timeline(Stored):
    """A training step: every call forward, then every call backward; weights and optimizer state are not in it."""

    SCHEMA: ClassVar[str] = "archcalc.timeline/1"

    subject: str
    batch_size: int | None
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Budget(Shown, Stored):
    """Bytes by part.

    `weights` and `buffers` are always there; `gradients` and `optimizer_state` while training. `input` is what goes
    in. `saved` is kept by the forward pass for the backward pass, parameters excluded. `inference` is the peak of the
    tensors of a forward pass without gradients, `training` that of a step: saved tensors, and gradients of
    activations and weights. `notes` say what a reader must know about these numbers.
    """

    SCHEMA: ClassVar[str] = "archcalc.memory/1"

    subject: str
    batch_size: int | None
    optimizer: str
    weights: int
    buffers: int
    gradients: int
    optimizer_state: int
    input: int
    saved: int
    inference: Peak
    training: Peak
    notes: tuple[str, ...] = ()

    @property
    def inference_total(self) -> int:
        """Bytes that a forward pass needs in all."""
        return self.weights + self.buffers + self.inference.nbytes

    @property
    def training_total(self) -> int:
        """Bytes that a training step needs in all; its peak holds the gradients of the weights so far."""
        return self.weights + self.buffers + self.optimizer_state + self.training.nbytes

    def _write(self, document: dict[str, Any]) -> dict[str, Any]:
        return {**document, "inference_total": self.inference_total, "training_total": self.training_total}
