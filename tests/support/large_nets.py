"""Large networks, and what analysing them takes.

`python tests/support/large_nets.py transformer`, and `python tests/support/large_nets.py 5000 10000` for chains of so
many layers, print it as JSON; the first entry is a process that has done nearly nothing.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WORDS, WIDTH, HEADS, HIDDEN, BLOCKS, LENGTH = 32000, 4096, 32, 11008, 32, 2048


class Block(nn.Module):
    """Attention, then a gated perceptron, both after a norm and beside a shortcut."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.RMSNorm(WIDTH), nn.RMSNorm(WIDTH)
        self.q, self.k, self.v, self.o = (nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(4))
        self.gate, self.up = (nn.Linear(WIDTH, HIDDEN, bias=False) for _ in range(2))
        self.down = nn.Linear(HIDDEN, WIDTH, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        batch, length, _ = x.shape
        y = self.norm1(x)
        q, k, v = (part(y).view(batch, length, HEADS, -1).transpose(1, 2) for part in (self.q, self.k, self.v))
        y = F.scaled_dot_product_attention(turned(q, cos, sin), turned(k, cos, sin), v, is_causal=True)
        x = x + self.o(y.transpose(1, 2).reshape(batch, length, WIDTH))
        y = self.norm2(x)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))


def turned(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary positions."""
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat((-second, first), -1) * sin


class Transformer(nn.Module):
    """A language model of seven billion parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(WORDS, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(BLOCKS))
        self.norm = nn.RMSNorm(WIDTH)
        self.head = nn.Linear(WIDTH, WORDS, bias=False)

    def forward(self, ids: Tensor) -> Tensor:
        width = WIDTH // HEADS
        angles = torch.arange(ids.shape[1])[:, None] / 10000 ** (torch.arange(0, width, 2) / width)
        angles = torch.cat((angles, angles), -1)
        x = self.words(ids)
        for block in self.blocks:
            x = block(x, angles.cos(), angles.sin())
        return self.head(self.norm(x))


def chain(layers: int) -> nn.Module:
    """So many small layers, one after the other."""
    return nn.Sequential(*[nn.Linear(8, 8, bias=False) for _ in range(layers)])


def peak() -> int:
    """The most memory that this process has had, in bytes."""
    # ru_maxrss would not do: a child inherits its parent's, and pytest's own may be larger than all that is measured
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def measure(net: Callable[[], nn.Module], inputs: Any) -> dict[str, Any]:
    import archcalc

    start = time.perf_counter()
    module = net()
    built = time.perf_counter()
    report = archcalc.analyze(module, inputs)
    seconds = time.perf_counter() - built
    return {
        "params": report.total("params"),
        "macs": report.total("macs"),
        "complete": report.complete,
        "calls": len(report.rows),
        "notes": report.notes,
        "peak": peak(),
        "build_seconds": built - start,
        "seconds": seconds,
    }


if __name__ == "__main__":
    found = [measure(partial(chain, 1), (1, 8))]  # imports what the others need
    if sys.argv[1] == "transformer":
        with torch.device("meta"):
            found.append(measure(Transformer, torch.zeros(1, LENGTH, dtype=torch.long)))
    else:
        found += [measure(partial(chain, int(layers)), (1, 8)) for layers in sys.argv[1:]]
    print(json.dumps(found, indent=1))  # noqa: T201
