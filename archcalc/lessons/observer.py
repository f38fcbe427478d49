"""Follows a pass through the weight layers of a network: the gradient of each one's output, and its activation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from archcalc.trace.tensors import tensors_in
from archcalc.values.report import Row

_NORMS = frozenset("batch_norm instance_norm group_norm layer_norm rms_norm local_response_norm".split())
_FOLLOWERS = _NORMS | frozenset(
    """relu relu6 leaky_relu prelu elu selu celu gelu silu mish tanh sigmoid softplus hardtanh hardswish
    hardsigmoid""".split()
)
"""Calls that belong to the layer before them: its activation is what comes out of the last of them."""


def weight_layers(rows: Sequence[Row]) -> list[Row]:
    """The calls with multiply-adds of which one operand comes from parameters alone: each is one layer of depth."""
    depths = [row.depth for row in rows]
    return [
        row
        for row in rows
        if row.macs and row.depth > max((depths[s.row] for s in row.inputs_from if s.row is not None), default=0)
    ]


@dataclass(slots=True, eq=False)
class SeenLayer:
    """What one pass shows of a layer.

    `current` is its activation so far, None when the pass is over, with its `mean`, `spread` (standard deviation) and
    share of `zeros`. `norm` is that of the gradient of its output, None if none came; `weight_squares` the sum of
    squares of its weights' gradient, None if they get none. `followed`: autograd records what it does. `zero_scale`:
    the scale of a normalisation behind it is zero.
    """

    followed: bool
    current: Tensor | None
    mean: float = 0.0
    spread: float = 0.0
    zeros: float = 0.0
    norm: float | None = None
    weight_squares: float | None = None
    zero_scale: bool = False

    def take(self, activation: Tensor) -> None:
        """Make this its activation."""
        self.current = activation
        values = activation.detach()
        values = values.abs() if values.is_complex() else values
        spread, mean = torch.std_mean(values.float(), correction=0)
        self.mean, self.spread = mean.item(), spread.item()
        self.zeros = 1 - values.count_nonzero().item() / max(1, values.numel())


class Observer:
    """What a pass shows of those rows, in `layers` by number: `see` is for `watching`, and hooks follow the way back.

    `inputs` are what the network is given.
    """

    def __init__(self, rows: Sequence[Row], inputs: Any) -> None:
        self.layers: dict[int, SeenLayer] = {}
        self._numbers = {id(row): number for number, row in enumerate(rows)}
        self._from_input = set(map(id, tensors_in(inputs)))
        self._by_activation: dict[int, SeenLayer] = {}
        self._kept: list[Any] = [inputs]  # CPython reuses the id() of freed objects
        self._hooks: list[Any] = []

    def see(self, row: Row | None, kind: str, arguments: Any, result: Any) -> None:
        """Called after each torch call of the forward pass."""
        results, operands = tensors_in(result), tensors_in(arguments)
        if not results:
            return
        self._kept += [result, arguments]
        if any(id(tensor) in self._from_input for tensor in operands):
            self._from_input.update(map(id, results))
        if row is not None and id(row) in self._numbers:
            self._add(self._numbers[id(row)], operands, results[0])
        elif kind in _FOLLOWERS and operands:
            self._follow(kind, operands, results[0])

    def remove_hooks(self) -> None:
        """Take the hooks off the weights and let go of the tensors: what was seen is numbers."""
        for hook in self._hooks:
            hook.remove()
        for layer in self.layers.values():
            layer.current = None
        self._kept.clear()

    def _follow(self, kind: str, operands: list[Tensor], result: Tensor) -> None:
        layer = self._by_activation.get(id(operands[0]))
        if layer is None or layer.current is not operands[0]:
            return
        if kind in _NORMS:
            scale = next((tensor for tensor in operands[1:] if tensor.requires_grad), None)
            layer.zero_scale |= scale is not None and not scale.detach().any()
        layer.take(result)
        self._by_activation[id(result)] = layer

    def _add(self, number: int, operands: list[Tensor], output: Tensor) -> None:
        layer = self.layers[number] = SeenLayer(output.requires_grad, output)
        layer.take(output)
        self._by_activation[id(output)] = layer
        if not output.requires_grad:
            return

        def reached(gradient: Tensor) -> None:
            layer.norm = gradient.norm(dtype=torch.float64).item()

        def weight_reached(gradient: Tensor) -> None:
            layer.weight_squares = (layer.weight_squares or 0.0) + gradient.norm(dtype=torch.float64).item() ** 2

        self._hooks.append(output.register_hook(reached))  # type: ignore[no-untyped-call]  # torch leaves it untyped
        for weight in operands:
            if weight.requires_grad and weight.ndim >= 2 and id(weight) not in self._from_input:
                self._hooks.append(weight.register_hook(weight_reached))  # type: ignore[no-untyped-call]
