"""Networks of other families: their published sizes, and torch's own count of what they multiply."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import archcalc
from archcalc.trace.run import trace
from archcalc.values.trace import Op
from tests.support import public_nets

# Parameters, and multiply-adds in units of 10⁹, as torchvision's documentation of its models prints them.
PUBLISHED = {
    "vit_b_16": (86_567_656, 17.564),
    "densenet121": (7_978_856, 2.834),
    "convnext_tiny": (28_589_128, 4.456),
    "mobilenet_v2": (3_504_872, 0.301),
}
IMAGE = torch.empty(1, 3, 224, 224, device="meta")


@pytest.fixture(params=PUBLISHED)
def net(request: pytest.FixtureRequest) -> tuple[str, nn.Module]:
    with torch.device("meta"):
        return request.param, getattr(public_nets, request.param)().eval()


def test_sizes_are_the_published_ones(net: tuple[str, nn.Module]) -> None:
    name, module = net
    report = archcalc.analyze(module, tuple(IMAGE.shape))
    assert report.complete
    assert (report.total("params"), round(report.total("macs") / 1e9, 3)) == PUBLISHED[name]


@pytest.mark.sweep
def test_macs_are_half_of_what_torch_counts(net: tuple[str, nn.Module]) -> None:
    with FlopCounterMode(display=False) as counter:
        net[1](IMAGE)
    assert 2 * archcalc.analyze(net[1], tuple(IMAGE.shape)).total("macs") == counter.get_total_flops()


@pytest.mark.sweep
@pytest.mark.parametrize("training", [False, True])
def test_rules_change_nothing(net: tuple[str, nn.Module], training: bool) -> None:
    quick, slow = (trace(net[1], (IMAGE,), training=training, skip=skip) for skip in (True, False))
    assert quick.failure is None
    for one, other in zip(quick.ops, slow.ops, strict=True):
        assert (one.kind, one.path, one.inputs, one.outputs) == (other.kind, other.path, other.inputs, other.outputs)


class Attention(nn.Module):
    def __init__(self, options: dict[str, Any], call: Callable[..., Any]) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, **options)
        self.call = call

    def forward(self, x: Tensor, y: Tensor) -> Any:
        return self.call(self.attention, x, y)


CALLS: dict[str, Callable[..., Any]] = {
    "one sequence": lambda a, x, y: a(x, x, x),
    "two": lambda a, x, y: a(x, y, y, need_weights=False),
    "three": lambda a, x, y: a(x, y, y + 1),
    "weights of every head": lambda a, x, y: a(x, y, y, average_attn_weights=False),
}


@pytest.mark.sweep
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("batch", [[], [3], [1]])
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("options", [{}, {"bias": False}, {"batch_first": True}, {"dropout": 0.1}, {"kdim": 8}])
def test_attention_by_rule_is_attention_as_run(
    options: dict[str, Any], call: str, batch: list[int], training: bool
) -> None:
    module = Attention(options, CALLS[call])
    x, y = (torch.empty(*((*batch, n) if options.get("batch_first") else (n, *batch)), 8) for n in (5, 7))
    quick, slow = (trace(module, (x, y), training=training, skip=skip) for skip in (True, False))
    assert quick.failure is None
    assert [(op.kind, op.outputs) for op in quick.ops] == [(op.kind, op.outputs) for op in slow.ops]
    for one, other in zip(quick.ops, slow.ops, strict=True):
        if "multi_head" in one.kind:
            assert counted(one) == counted(other)


def counted(op: Op) -> tuple[int, int]:
    """FLOPs of what ran beneath a call, and elements of its products."""
    products = [aten for aten in op.aten if aten.flops]
    return sum(aten.flops or 0 for aten in products), sum(aten.output_elements for aten in products)


def test_a_transformer_brings_no_compiler_along() -> None:
    # torch imports sympy with the first call that really runs on the meta device: a second that rules save
    code = (
        "import sys, torch, archcalc, public_nets\n"
        "for name in ('vit_b_16', 'densenet121', 'convnext_tiny', 'mobilenet_v2'):\n"
        "    with torch.device('meta'):\n"
        "        net = getattr(public_nets, name)()\n"
        "    assert archcalc.analyze(net, (1, 3, 224, 224)).complete\n"
        "    assert 'sympy' not in sys.modules, name\n"
    )
    here = Path(__file__).parents[1] / "support"
    done = subprocess.run([sys.executable, "-c", code], cwd=here, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
