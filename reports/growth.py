"""How the time of an analysis grows with the network: `python reports/growth.py`.

Each workload is timed at once, twice and four times a size. Printed are the seconds, the exponent between the first and
the last (1 is linear), and the ratio to a bare forward pass on the meta device at the largest size.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from math import log
from typing import Any

import torch
from torch import Tensor, nn

from archcalc import Report, analyze, draw, memory, plot

Forward = Callable[[nn.ModuleList, Tensor, int], Any]


class Workload(nn.Module):
    """A forward pass given as a function of layers, the input and a size."""

    def __init__(self, forward: Forward, layers: list[nn.Module], size: int) -> None:
        super().__init__()
        self.layers, self.size, self._forward = nn.ModuleList(layers), size, forward

    def forward(self, x: Tensor) -> Any:
        """Whatever the function does."""
        return self._forward(self.layers, x, self.size)


def views(layers: nn.ModuleList, x: Tensor, size: int) -> Tensor:
    """Writes through one view after another."""
    out = x.new_zeros(len(x), size)
    for column in range(size):
        out[:, column].copy_(x[:, 0])
    return out


def chain(layers: nn.ModuleList, x: Tensor, size: int) -> Tensor:
    """One elementwise call after another."""
    for _ in range(size):
        x = x + 1
    return x


def in_place(layers: nn.ModuleList, x: Tensor, size: int) -> Tensor:
    """One call after another that writes to the same tensor."""
    x = x.clone()
    for _ in range(size):
        x.add_(1)
    return x


def fan_out(layers: nn.ModuleList, x: Tensor, size: int) -> Tensor:
    """Many calls read one tensor, and one call reads all of theirs."""
    return torch.cat([x * 2 for _ in range(size)])


def split(layers: nn.ModuleList, x: Tensor, size: int) -> Tensor:
    """Parts of one tensor, stacked again."""
    return torch.stack(x[:1].expand(size, 8).unbind())


def modules(layers: nn.ModuleList, x: Tensor, size: int) -> Tensor:
    """One module after another."""
    for layer in layers:
        x = layer(x)
    return x


def cells(layers: nn.ModuleList, x: Tensor, size: int) -> Tensor:
    """A recurrent cell, step by step; with a single module, it runs that as often as the size says."""
    state = layers[0](x)
    for _ in range(size - 1):
        state = layers[0](x, state)
    hidden: Tensor = state[0]
    return hidden


WORKLOADS: dict[str, tuple[Forward, Callable[[int], list[nn.Module]], int, bool]] = {
    "write through views": (views, lambda size: [], 750, False),
    "chain of calls": (chain, lambda size: [], 5000, False),
    "in-place calls": (in_place, lambda size: [], 2000, False),
    "fan out, cat": (fan_out, lambda size: [], 1250, False),
    "unbind, stack": (split, lambda size: [], 500, False),
    "modules": (modules, lambda size: [nn.Linear(8, 8) for _ in range(size)], 1250, False),
    "modules, backward": (modules, lambda size: [nn.Linear(8, 8) for _ in range(size)], 500, True),
    "LSTMCell": (cells, lambda size: [nn.LSTMCell(8, 8)], 250, False),
    "LSTMCell, backward": (cells, lambda size: [nn.LSTMCell(8, 8)], 250, True),
}
"""The forward pass, its layers at a size, the smallest size, and whether the backward pass is followed."""


STAGES: dict[str, Callable[[nn.Module], Any]] = {
    "memory": lambda model: memory(model, (2, 8)),
    "drawing": lambda model: draw(model, (2, 8)).svg(),
    "roofline": lambda model: plot("roofline", model, inputs=(2, 8), device="a100-fp32"),
    "JSON": lambda model: Report.from_json(analyze(model, (2, 8)).to_json()),
}
"""What is made of a wide network, its analysis included."""


def wide(layers: nn.ModuleList, x: Tensor, size: int) -> Tensor:
    """Many modules read one tensor, and one call reads all of theirs."""
    return torch.cat([layer(x) for layer in layers])


def seconds(function: Callable[..., Any], *args: Any, **kwargs: Any) -> float:
    """How long a call takes."""
    start = time.perf_counter()
    function(*args, **kwargs)
    return time.perf_counter() - start


def main() -> None:
    """Time every workload and print a line for each."""
    print(f"{'workload':24}{'1x s':>9}{'2x s':>9}{'4x s':>9}{'exponent':>10}{'/ bare':>8}")
    for name, (forward, layers, smallest, backward) in WORKLOADS.items():
        analyze(Workload(forward, layers(2), 2), (2, 8), backward=backward)
        times = []
        for size in (smallest, 2 * smallest, 4 * smallest):
            with torch.device("meta"):
                model = Workload(forward, layers(size), size)
            times.append(seconds(analyze, model, (2, 8), backward=backward))
        with torch.set_grad_enabled(backward):
            bare = seconds(model, torch.empty(2, 8, device="meta"))
        exponent = log(times[2] / times[0]) / log(4)
        columns = "".join(f"{taken:9.3f}" for taken in times)
        print(f"{name:24}{columns}{exponent:10.2f}{times[2] / bare:8.2f}", flush=True)
    for name, stage in STAGES.items():
        models = [Workload(wide, [nn.Linear(8, 8) for _ in range(size)], size) for size in (20, 1000, 2000, 4000)]
        _, *times = [seconds(stage, model) for model in models]
        columns = "".join(f"{taken:9.3f}" for taken in times)
        print(f"{name:24}{columns}{log(times[2] / times[0]) / log(4):10.2f}", flush=True)


if __name__ == "__main__":
    main()
