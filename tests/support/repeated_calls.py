"""Calls each public function again and again, and prints what is then held more: objects, tensors, KiB of memory.

`python repeated_calls.py CALLS` writes a line for each function: its name, the number of calls, and those three.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

import archcalc

WARM_UP = 20
SIZE = (1, 3, 8, 8)
CLAIM = 'claim = [{ subject = "lenet5", metric = "params", printed = "61.7k" }]\n'


class Cubed(torch.autograd.Function):
    """A function of the user's own, with a backward pass."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        """x³"""
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> torch.Tensor:
        """3x²"""
        (x,) = ctx.saved_tensors
        return 3 * x**2 * grads[0]


class Head(nn.Linear):
    """A linear layer that saves its outputs, its inputs, and a mask."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """N×144 to N×3."""
        cubed: torch.Tensor = Cubed.apply(super().forward(input))
        return nn.functional.dropout(cubed.sigmoid(), training=self.training)


def functions(folder: Path) -> dict[str, Callable[[], object]]:
    """The calls by name; the first one leaks on purpose."""
    net = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.GroupNorm(2, 4), nn.ReLU(), nn.Sigmoid(), nn.Flatten(), Head(144, 3), nn.Softmax(1)
    )
    report = archcalc.analyze(net, SIZE)
    claims = folder / "claims.toml"
    claims.write_text(CLAIM, encoding="utf-8")
    saved = folder / "report.json"
    saved.write_text(report.to_json(), encoding="utf-8")
    kept: list[torch.Tensor] = []

    def formula() -> None:
        archcalc.formula("linalg_inv")(lambda out, *args: 7)
        assert archcalc.analyze(Inverse(), (3, 3)).total("macs") == 7

    def text() -> tuple[str, object]:
        return str(report), archcalc.Report.from_json(report.to_json())

    return {
        "leaking": lambda: kept.append(torch.zeros(20_000)),
        "analyze": lambda: archcalc.analyze(net, SIZE, backward=True, training=True),
        "memory": lambda: archcalc.memory(net, SIZE),
        "compare": lambda: archcalc.compare(report, archcalc.analyze(net, SIZE)),
        "diff": lambda: str(archcalc.diff(net, report, inputs=SIZE)),
        "lock": lambda: str(archcalc.lock(net, SIZE)),
        "load": lambda: archcalc.load(saved),
        "conventions": lambda: archcalc.conventions(net, SIZE),
        "explain": lambda: archcalc.explain(net, "0", SIZE),
        "receptive_field": lambda: archcalc.receptive_field(net, "0", SIZE),
        "gradients": lambda: archcalc.gradients(net, SIZE, steps=1, seeds=1),
        "effective_field": lambda: archcalc.effective_field(net, "0", SIZE, seeds=1),
        "build": lambda: archcalc.build("lenet5"),
        "text": text,
        "devices": archcalc.devices,
        "formula": formula,
        "draw": lambda: archcalc.draw(net, SIZE).svg,
        "verify": lambda: str(archcalc.verify(claims)),
        "benchmark": lambda: archcalc.benchmark(net, inputs=SIZE, seconds=0.001, layers=True),
        "plot": lambda: archcalc.plot("layers", report).svg,
        "top_k_error": lambda: archcalc.top_k_error(torch.ones(2, 3), [0, 2]),
        "train": lambda: archcalc.train(nn.Sequential(nn.Flatten(), nn.Linear(64, 10)), data="synthetic", steps=1),
        "report_page": lambda: archcalc.report_page(net, inputs=SIZE),
    }


SLOW = ("benchmark", "plot", "report_page", "train")
"""These are called a quarter as often, and at least twice."""


class Inverse(nn.Module):
    """An op that is counted by a formula of the user's."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """N×N to N×N."""
        return torch.linalg.inv(x)


def held() -> tuple[int, int, int]:
    """Objects that the collector knows, tensors among them, and the KiB of memory of this process."""
    gc.collect()
    objects = gc.get_objects()
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    resident = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    return len(objects), sum(isinstance(value, torch.Tensor) for value in objects), int(resident)


def main(calls: int) -> None:
    """A line for each function."""
    with tempfile.TemporaryDirectory() as folder:
        calls_of = functions(Path(folder))
        gc.freeze()  # the collector need not look at all of torch each time
        for name, function in calls_of.items():
            times = max(2, calls // 4) if name in SLOW else calls
            for _ in range(min(times, WARM_UP)):
                function()
            before = held()
            for _ in range(times):
                function()
            after = held()
            growth = (new - old for new, old in zip(after, before, strict=True))
            sys.stdout.write(" ".join(map(str, (name, times, *growth))) + "\n")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(int(sys.argv[1]))
