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
