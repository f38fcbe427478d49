"""Tensors without strides, and modules that torch has scripted, frozen or compiled: counted, or one clear error."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from torch import nn

import archcalc
from archcalc.trace.run import trace
from tests.trace.test_trace import Of

pytestmark = pytest.mark.filterwarnings("ignore")  # torch calls sparse CSR a beta, and TorchScript deprecated


@pytest.mark.parametrize("registered", ["buffer", "parameter"])
@pytest.mark.parametrize(
    ("layout", "index_bytes"),
    [
        (torch.sparse_coo, 2 * 3 * 8),  # two coordinates an element
        (torch.sparse_csr, (3 + 1 + 3) * 8),  # where each row begins, and a column an element
        (torch.sparse_csc, (3 + 1 + 3) * 8),
    ],
)
def test_a_sparse_matrix_of_the_model(layout: torch.layout, index_bytes: int, registered: str) -> None:
    sparse = torch.eye(3).to_sparse(layout=layout)
    net: Any = Of(lambda self, x: self.adjacency @ self.a(x), a=nn.Linear(4, 4))
    if registered == "buffer":
        net.register_buffer("adjacency", sparse)
    else:
        net.adjacency = nn.Parameter(sparse)
    report = archcalc.analyze(net, torch.rand(3, 4))
    assert (report.macs, report.complete) == (3 * 4 * 4 + 3 * 4, True)  # three elements, each meets a row of four
    followed = archcalc.analyze(net, torch.rand(3, 4), training=True, backward=True)
    if registered == "buffer":  # the input of the layer, and the matrix
        assert followed.total("saved_bytes") == 3 * 4 * 4 + (3 * 4 + index_bytes)
        assert followed.total("backward_macs") == 3 * 4 * 4 + 3 * 4
        assert trace(net, (torch.rand(3, 4),), real=True).buffer_bytes == 3 * 4 + index_bytes
    else:  # what both products read, but for the weights
        assert followed.total("saved_bytes") == 2 * (3 * 4 * 4)


def blocks() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True))


CONV = 4 * 6 * 6 * (3 * 3 * 3)
INPUT, MAPS = 3 * 8 * 8 * 4, 4 * 6 * 6 * 4  # bytes


def test_scripted_code_has_a_backward_pass_and_may_write_in_place() -> None:
    scripted = torch.jit.script(blocks())
    report = archcalc.analyze(scripted, (1, 3, 8, 8), training=True, backward=True)
    assert (report.macs, report.total("backward_macs")) == (CONV, CONV)  # the weight's gradient
    statistics = 4 * 4 * 4  # mean and variance of each channel, of this batch and the running ones
    assert report.total("saved_bytes") == INPUT + MAPS + statistics + MAPS


def test_frozen_modules_run_in_their_mode_and_get_no_attributes() -> None:
    frozen = torch.jit.freeze(torch.jit.script(blocks().eval()))
    assert archcalc.analyze(frozen, (1, 3, 8, 8)).macs == CONV
    both = nn.Sequential(frozen, nn.Conv2d(4, 2, 1))
    assert archcalc.analyze(both, (1, 3, 8, 8)).macs == CONV + 2 * 6 * 6 * 4
    assert not hasattr(frozen, "training")


def test_an_optimised_module_is_a_lower_bound() -> None:
    optimised = torch.jit.optimize_for_inference(torch.jit.script(blocks().eval()))
    report = archcalc.analyze(optimised, (1, 3, 8, 8))
    assert report.macs == CONV or not report.complete


def test_a_module_that_is_compiled_in_place() -> None:
    net: Any = blocks()
    net._compiled_call_impl = compiled = partial(nn.Module._call_impl, net)  # as compile() does
    assert archcalc.analyze(net, (1, 3, 8, 8)).macs == CONV
    assert net._compiled_call_impl is compiled


def test_quantisation_multiplies_nothing() -> None:
    net = nn.Sequential(nn.Linear(4, 4), torch.ao.quantization.FakeQuantize())
    report = archcalc.analyze(net, (2, 4))
    assert (report.macs, report.complete) == (2 * 4 * 4, True)
