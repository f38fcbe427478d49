"""What other tools print: small nets by hand, and every number against the tool itself where it is installed."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from typer.testing import CliRunner

import archcalc
from archcalc.cli import app
from archcalc.peers.registry import peers
from archcalc.peers.run import is_installed
from archcalc.trace.run import trace
from archcalc.values.conventions import Conventions, Projection
from tests.support import public_nets
from tests.support.convention_nets import NETS, Calls, small

SMALL = [
    "lenet5",
    "lenet5-modern",
    "inception-bottleneck",
    "head-gap",
    "nin-cifar10",
    "residual-projection",
    "resnet20",
]
FAST = [
    "inception-module",
    "conv5x5",
    "conv1x7-7x1",
    "plain-block",
    "residual-block",
    "residual-bottleneck",
    "resnet18",
]
LARGE = ["alexnet", "vgg16", "googlenet", "inception-v3", "resnet50", "resnet110"]
OTHER_FAMILIES = ["vit_b_16", "densenet121", "convnext_tiny", "mobilenet_v2"]
VERY_DEEP = ["resnet1202", "preresnet1001"]  # made of what resnet110 and preresnet164 are made of
EVERY = [
    pytest.param(name, marks=() if name in (*SMALL, *FAST) else pytest.mark.oracle)
    for name in archcalc.names()
    if name not in VERY_DEEP
]
ALWAYS = ["fvcore", "torch FlopCounterMode"]
OTHERS = [name for name in peers() if name not in ALWAYS]


def installed(tool: str) -> None:
    if not is_installed(peers()[tool]):
        apart = ", where thop is not, or in a folder of its own" if tool == "ultralytics-thop" else ""
        pytest.skip(f"{tool} is not installed; pip install {' '.join(peers()[tool].packages)}{apart}")


def by_tool(found: Conventions) -> dict[str, Projection]:
    return {tool.tool: tool for tool in found.tools}


def agrees(tool: str, net: str | nn.Module, *sizes: Any) -> None:
    """What is computed is what the tool prints, or is said to be doubtful."""
    found = archcalc.conventions(net, list(sizes) or None, run=True, tools=[tool])
    computed = by_tool(found)[tool]
    assert found.verdict(computed) == "equal" or computed.unsure, (found.verdict(computed), computed)


@pytest.mark.sweep
@pytest.mark.parametrize("tool", ALWAYS)
@pytest.mark.parametrize("name", EVERY)
def test_fvcore_and_torch_print_what_is_computed(name: str, tool: str) -> None:
    agrees(tool, name)
    assert not by_tool(archcalc.conventions(name))[tool].unsure


@pytest.mark.parametrize("tool", OTHERS)
def test_the_other_tools_print_what_is_computed_for_small_networks(tool: str) -> None:
    installed(tool)
    for name in SMALL:
        agrees(tool, name)


@pytest.mark.oracle
@pytest.mark.parametrize("tool", OTHERS)
@pytest.mark.parametrize("name", LARGE)
def test_the_other_tools_print_what_is_computed_for_large_networks(name: str, tool: str) -> None:
    installed(tool)
    agrees(tool, name)


@pytest.mark.oracle
@pytest.mark.parametrize("tool", peers())
@pytest.mark.parametrize("name", OTHER_FAMILIES)
def test_every_tool_prints_what_is_computed_for_other_families(name: str, tool: str) -> None:
    installed(tool)
    net = getattr(public_nets, name)()
    agrees(tool, net, (1, *net.input_shape))


# ---- one small net, by hand


CONV, POOLED, FC = 8 * 10 * 10, 8 * 5 * 5, 4
OURS = CONV * 3 * 3 * 3 + FC * 8
BY_HAND: dict[str, dict[str, float]] = {
    "fvcore": {"batch norm, 2 an element": 2 * CONV, "inputs of adaptive average pooling": POOLED},
    "torch FlopCounterMode": {},
    "torchinfo": {"biases": CONV + FC, "scales and shifts of normalisation": 8 + 8},
    "ptflops": {
        "biases": CONV + FC,
        "normalisation, 2 an element": 2 * CONV,
        "elements of activations": CONV,
        "inputs of pooling": CONV + POOLED,
        "elements of activations and inputs of pooling, in functions": CONV + CONV + POOLED,
    },
    "ptflops aten": {"biases of convolutions": CONV, "biases of linear layers": FC},
    "thop": {
        "normalisation, 4 an element": 4 * CONV,
        "windows and outputs of adaptive average pooling": (5 * 5 + 1) * 8,
    },
    "calflops": {},
    "DeepSpeed": {},
    "torchscan": {
        "batch norm, 2 an element": 2 * CONV,
        "windows of pooling, the kernel's side taken for its area": POOLED * (2 - 1),
        "windows of adaptive pooling": 8 * (5 * 5 - 1 + 2),
    },
    "ultralytics-thop": {
        "normalisation, 4 an element": 4 * CONV,
        "inputs and outputs of adaptive average pooling": POOLED + 8,
    },
    "TorchLens": {
        "biases, 1 FLOP an output": (CONV + FC) / 2,
        "batch_norm, 5 FLOPs an output": 5 * CONV / 2,
        "relu, 1 FLOP an output": CONV / 2,
        "windows of pooling, the kernel's side taken for its area": POOLED * 2 / 2,
        "adaptive_avg_pool2d, 1 FLOP an input": POOLED / 2,
    },
}
FLOPS = ["torch FlopCounterMode", "TorchLens"]


@pytest.mark.parametrize("tool", peers())
def test_a_small_net_by_hand(tool: str) -> None:
    computed = by_tool(archcalc.conventions(small(), (1, 3, 12, 12)))[tool]
    assert {term.reason: term.macs for term in computed.terms} == BY_HAND[tool]
    assert computed.macs == OURS + sum(BY_HAND[tool].values())
    assert computed.printed == computed.macs * (2 if tool in FLOPS else 1)
    assert not computed.unsure


def test_ptflops_counts_modules_for_one_sample() -> None:
    computed = by_tool(archcalc.conventions(small(), (4, 3, 12, 12)))["ptflops"]
    modules = OURS + CONV + FC + 2 * CONV + CONV + CONV + POOLED
    assert computed.macs == modules + 4 * (CONV + CONV + POOLED)


# ---- what a tool sees wrongly, each with its reason


@pytest.mark.parametrize("tool", ALWAYS)
@pytest.mark.parametrize("name", NETS)
def test_nets_that_tools_get_wrong_are_computed_as_wrong(name: str, tool: str) -> None:
    net, size = NETS[name]
    agrees(tool, net, size)


@pytest.mark.parametrize("tool", OTHERS)
def test_other_tools_get_them_wrong_as_computed(tool: str) -> None:
    installed(tool)
    for net, size in NETS.values():
        agrees(tool, net, size)


def test_an_operator_is_told_from_the_function_of_the_same_name() -> None:
    net = Calls(lambda parts, x: torch.matmul(x @ x, x).matmul(F.relu(x + x)).add(torch.add(2 * x, x)))
    written = [op.spelling for op in trace(net, (torch.empty(3, 3, device="meta"),)).ops]
    expected = "operator torch.matmul operator F.relu Tensor.matmul operator torch.add Tensor.add"
    assert written == expected.split()


def test_fused_attention_is_missed_and_named() -> None:
    net, size = NETS["attention, fused"]
    found = by_tool(archcalc.conventions(net, size))
    scores_and_values = 2 * (2 * 4 * 6 * 6 * 4)  # batch, heads, 6 queries by 6 keys, 4 numbers a head, twice
    terms = {
        tool: {term.macs for term in found[tool].terms} for tool in ("fvcore", "torch FlopCounterMode", "calflops")
    }
    assert all(macs == {-scores_and_values} for macs in terms.values())
    assert found["DeepSpeed"].difference == 0
    assert found["thop"].macs == found["torchscan"].macs == 0
    softmax = 2 * 4 * 6 * (3 * 6 - 1)
    assert found["ultralytics-thop"].difference == softmax
    assert found["TorchLens"].difference == (6 * 2 * 4 * 6 * 6 + 2 * 6 * (48 + 16)) / 2  # scale, softmax and biases


def test_rules_that_go_by_a_modules_class_or_its_sizes() -> None:
    def projections(name: str) -> dict[str, Projection]:
        net, size = NETS[name]
        return by_tool(archcalc.conventions(net, size))

    hidden = 2 * (2 * 4 * 6 * 6 * 4) + 2 * 4 * 6 * 6  # attention's two products and its softmax, not its modules
    assert projections("attention, derived")["ptflops"].macs == hidden
    first, second = (4 * (6 * (read + 6) + 6) + 4 * 6 + 2 * 4 * 6 for read in (8, 2 * 6))  # not 2 * 3, as projected
    assert projections("lstm, projected both ways")["thop"].macs == 5 * 2 * 2 * (first + second)
    pooled = 2 * (2 * 3 * 4 * 4) * 2  # values and indices, a side of the window each
    assert projections("pooling, indices")["TorchLens"].macs == (pooled + 2 * 3 * 8 * 8) / 2
    assert projections("gru cell, without batch")["ptflops"].unsure
    assert projections("einsum, a list")["calflops"].unsure


def test_what_cannot_be_known_is_doubted() -> None:
    net, size = NETS["encoder, frozen"]
    assert by_tool(archcalc.conventions(net, size))["torch FlopCounterMode"].unsure
    net, size = NETS["functional"]  # F.relu may have been imported under a name of its own
    assert by_tool(archcalc.conventions(net, size))["ptflops"].unsure


def test_nothing_stays_behind() -> None:
    net = small()
    before = (
        F.relu,
        F.adaptive_avg_pool2d,
        torch.add,
        Tensor.__matmul__,
        sorted(net.state_dict()),
        torch.get_rng_state(),
    )
    archcalc.conventions(net, (1, 3, 12, 12), run=True)
    after = (
        F.relu,
        F.adaptive_avg_pool2d,
        torch.add,
        Tensor.__matmul__,
        sorted(net.state_dict()),
        torch.get_rng_state(),
    )
    assert all(one is other for one, other in zip(before[:4], after[:4], strict=True))
    assert before[4] == after[4]
    assert torch.equal(before[5], after[5])
    assert net.training
    assert not any(module._forward_hooks for module in net.modules())


def test_a_flop_is_half_a_multiply_add() -> None:
    computed = by_tool(archcalc.conventions(nn.Sequential(nn.Linear(3, 5), nn.ReLU()), (1, 3)))["TorchLens"]
    assert computed.printed == 2 * 3 * 5 + 5 + 5
    assert [term.macs for term in computed.terms] == [2.5, 2.5]
    assert computed.difference == 5
    odd = by_tool(archcalc.conventions(nn.Linear(3, 5), (1, 3)))["TorchLens"]
    assert (odd.printed, odd.macs, odd.difference) == (35, 17.5, 2.5)


def test_torchlens_misses_products_with_sliced_weights() -> None:
    net, size = NETS["attention, other keys"]
    computed = by_tool(archcalc.conventions(net, size))["TorchLens"]
    products = {term.reason: term.macs for term in computed.terms if "slices" in term.reason}
    assert list(products.values()) == [-(2 * 6 * 16 * 16) * 3]  # queries, keys and values, of 2 times 6 rows


def test_ultralytics_thop_counts_products_outside_of_modules_with_a_rule() -> None:
    net, size = NETS["operators"]  # two products of 2 x 4 heads, 6 x 6 x 16 each, which thop misses
    found = by_tool(archcalc.conventions(net, size))
    assert found["ultralytics-thop"].difference == 0
    assert found["thop"].difference == -2 * (2 * 4 * 6 * 6 * 16)


# ---- the command


def run(*words: str) -> Any:
    return CliRunner().invoke(app, ["conventions", *words], env={"COLUMNS": "100"}, catch_exceptions=False)


def test_the_command_runs_what_is_installed_and_says_whether_it_agrees() -> None:
    done = run("lenet5-modern", "--run", "-f", "json")
    assert done.exit_code == 0, done.output
    told = {each["tool"]: each for each in json.loads(done.stdout)["tools"]}
    assert list(told) == list(peers())
    for tool in ALWAYS:
        assert told[tool]["verdict"] == "equal"
        assert told[tool]["said"] == told[tool]["printed"]
    assert {each["verdict"] for each in told.values()} <= {"equal", "not installed"}


def test_every_format_says_the_difference() -> None:
    pooled = 1024 * 7 * 7
    ours = archcalc.analyze("head-gap").total("macs")
    csv = run("head-gap", "-f", "csv").stdout.splitlines()
    assert csv[0] == "network,tool,prints,unit,difference,exact,terms,said,verdict,schema"
    assert csv[1].startswith(f'head-gap,fvcore,{ours + pooled},MACs,{pooled},true,"+ {pooled:,} inputs of adaptive')
    table = run("head-gap").stdout
    assert f"{ours + pooled:,}" in table
    assert f"+ {pooled:,} inputs of adaptive average pooling" in table
    assert "about: it fails on a model without parameters" in " ".join(table.split())
