"""Every network's totals against independent counters: torch's FlopCounterMode, and fvcore where it counts the same."""

from __future__ import annotations

import logging

import pytest
import torch
from fvcore.nn import FlopCountAnalysis
from torch.utils.flop_counter import FlopCounterMode

import archcalc
from archcalc.sources.meta import weights_on_meta
from archcalc.zoo.registry import architecture
from tests.support.facts import MACS, PARAMS

BIG = ["vgg11", "vgg11-lrn", "vgg13", "vgg16-1x1", "vgg16", "vgg19", "resnet101", "resnet152", "resnet34", "plain34"]
BIG += ["resnet101-v1.5", "resnet152-v1.5", "resnet50", "nin", "alexnet-one-tower", "inception-v3", "inception-v4"]
BIG += [f"{kind}{depth}" for kind in ("resnet", "plain") for depth in (32, 44, 56, 110)]
BIG += ["resnet1202", "preresnet110", "preresnet164", "preresnet1001"]
VERY_DEEP = ["resnet1202", "preresnet1001"]

pytestmark = pytest.mark.sweep

HEADS = {"googlenet": 3188840 + 3190888, "inception-v3": 27161264 - 23834568}  # they run in training only


@pytest.mark.parametrize("name", archcalc.names())
def test_params_and_macs_are_the_documented_ones(name: str) -> None:
    report = archcalc.analyze(name)
    assert report.complete
    assert report.total("params") == PARAMS[name] - HEADS.get(name, 0)
    assert report.total("params") + sum(report.uncalled.values()) == PARAMS[name]
    assert report.total("macs") == MACS[name]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.oracle if name in VERY_DEEP else ()) for name in archcalc.names()]
)
def test_macs_are_half_of_what_torch_counts(name: str) -> None:
    image = torch.empty(1, *architecture(name).input_shape, device="meta")
    with weights_on_meta():
        net = archcalc.build(name).eval().to("meta")
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(image)
    assert 2 * archcalc.analyze(name).total("macs") == counter.get_total_flops()


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.oracle if name in BIG else ()) for name in archcalc.names()]
)
@pytest.mark.filterwarnings("ignore")  # fvcore traces through a part of torch that is deprecated
def test_macs_are_what_fvcore_counts_for_convolutions_and_matrix_products(name: str) -> None:
    image = torch.zeros(1, *architecture(name).input_shape)
    logging.getLogger("fvcore.nn.jit_analysis").setLevel(logging.ERROR)
    by_operator = FlopCountAnalysis(archcalc.build(name).eval(), image).by_operator()
    same = sum(by_operator[operator] for operator in ("conv", "linear", "addmm", "matmul", "bmm"))
    assert archcalc.analyze(name).total("macs") == same
