"""Embeddings: rows of a table by their numbers."""

from __future__ import annotations

from dataclasses import dataclass

from archcalc.ops.definition import Definition, define
from archcalc.ops.layout import Layout
from archcalc.values.trace import Shape, TensorSpec


@define("embedding")
@dataclass(slots=True, eq=False)
class Embedding(Definition):
    """A row of the weight for each number."""

    input: TensorSpec
    weight: TensorSpec
    padding_idx: int | None = None
    max_norm: float | None = None
    norm_type: float = 2.0
    scale_grad_by_freq: bool = False
    sparse: bool = False

    zero_cost = "data movement"
    layout = Layout.NEW
    index_operands = 1

    def shape(self) -> Shape | None:
        """… to …×E."""
        weight, padding = self.weight.shape, self.padding_idx
        fits = len(weight) == 2 and self.max_norm is None and (padding is None or abs(padding) < weight[0])
        return (*self.input.shape, weight[1]) if fits else None
