"""Models that archcalc has never seen: what once went wrong stays right."""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import archcalc
from tests.cli.test_cli import run
from tests.trace.test_trace import Of, kinds, traced


def real_output(net: nn.Module, *shape: int) -> tuple[int, ...]:
    with torch.no_grad():
        return tuple(net.eval()(torch.rand(shape)).shape)


# ---- tensors that share memory


def test_what_is_written_through_a_view_changes_the_whole() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        y = torch.zeros(2, 4)
        y[:, :2].copy_(self.a(x)[:, :2])
        return self.b(y.relu().softmax(-1))

    found = traced(forward, 2, 4, a=nn.Linear(4, 4), b=nn.Linear(4, 3))
    assert kinds(found)[-3:] == ["relu", "softmax", "linear"]
    assert archcalc.analyze(Of(forward, a=nn.Linear(4, 4), b=nn.Linear(4, 3)), (2, 4)).depth == 2


def test_a_part_that_is_added_to_is_a_path_through_the_whole() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        y = x.clone()
        a, _ = y.chunk(2, 1)
        a += self.a(x)[:, :2]
        return self.b(y)

    assert archcalc.analyze(Of(forward, a=nn.Linear(4, 4), b=nn.Linear(4, 3)), (2, 4)).depth == 2


@pytest.mark.parametrize("change", [lambda t: t.resize_(2, 4), lambda t: t.unsqueeze_(0)[0], lambda t: t.t_()])
def test_an_in_place_change_of_shape_happens_every_time(change: Callable[[Tensor], Tensor]) -> None:
    def forward(self: Any, x: Tensor) -> tuple[Tensor, ...]:
        return tuple(change(part * 1) for part in x.unbind())

    shapes = [spec.shape for spec in traced(forward, 2, 8, 6).outputs]
    assert shapes[0] == shapes[1] == tuple(change(torch.empty(8, 6)).shape)


# ---- results that are not all tensors, arguments that are no plain numbers


@pytest.mark.parametrize("training", [False, True])
def test_two_equal_attention_layers(training: bool) -> None:
    layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)
    one, two = (archcalc.analyze(nn.TransformerEncoder(layer, n), (2, 5, 16), training=training) for n in (1, 2))
    assert two.total("macs") == 2 * one.total("macs") > 0
    assert two.complete


class Size(IntEnum):
    TWO = 2


@pytest.mark.parametrize("two", [2, np.int64(2), Size.TWO])
def test_whole_numbers_of_any_make(two: int) -> None:
    found = archcalc.analyze(nn.Conv2d(3, 4, two, stride=two), (1, 3, 8, 8)).rows[0]
    assert (found.kernel, found.stride, found.output_shape) == ((2, 2), (2, 2), (1, 4, 4, 4))


@pytest.mark.parametrize(
    "product",
    [
        lambda x: torch.mm(x, mat2=x),
        lambda x: torch.matmul(x, x, out=torch.empty(4, 4)),
        lambda x: x.__rmatmul__(x),
        lambda x: torch.bmm(x[None], mat2=x[None]),
    ],
)
def test_matrix_products_however_they_are_written(product: Callable[[Tensor], Tensor]) -> None:
    assert archcalc.analyze(Of(lambda self, x: product(x)), (4, 4)).total("macs") == 4 * 4 * 4


# ---- values and devices


READS = {
    "item": lambda self, x: self.fc(x) * x.sum().item(),
    "a condition": lambda self, x: self.fc(x) if x.sum() > -1 else x,
    "a mask of the input": lambda self, x: self.fc(x)[x.sum(1) > -1],
    "format": lambda self, x: self.fc(x) if f"{x.mean():.2f}" else x,
}


@pytest.mark.parametrize("case", READS)
def test_a_model_that_reads_values_is_run_for_real_and_says_so(case: str) -> None:
    net = Of(READS[case], fc=nn.Linear(4, 3))
    before = {key: value.clone() for key, value in net.state_dict().items()}
    found = archcalc.analyze(net, (2, 4))
    assert "real tensors" in found.notes[0]
    assert found.rows[[row.path for row in found.rows].index("fc")].macs == 2 * 4 * 3
    assert found.output_shapes == (real_output(net, 2, 4),)
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())


CONSTANTS = {
    "mask": lambda self, x: x[torch.tensor([True, False])],
    "repeats": lambda self, x: x.repeat_interleave(torch.tensor([1, 2]), dim=0),
    "a tensor as index": lambda self, x: x[: torch.tensor(1)],
}


@pytest.mark.parametrize("case", CONSTANTS)
def test_constants_keep_their_values(case: str) -> None:
    net = Of(CONSTANTS[case])
    found = archcalc.analyze(net, (2, 4))
    assert found.notes == ()
    assert found.output_shapes == (real_output(net, 2, 4),)


DEVICES = {
    "of a weight": lambda self, x: self.fc(x.to(self.fc.weight.device)),
    "by name": lambda self, x: self.fc(x.to("cpu")),
    "cpu": lambda self, x: self.fc(x.cpu().float()),
    "of all parameters": lambda self, x: self.fc(x.to(next(self.parameters()).device, non_blocking=True)),
    "compared": lambda self, x: self.fc(x) if x.device == self.fc.weight.device else x,
}


@pytest.mark.parametrize("case", DEVICES)
def test_devices_are_all_one(case: str) -> None:
    found = archcalc.analyze(Of(DEVICES[case], fc=nn.Linear(4, 3)), (2, 4))
    assert (found.total("macs"), found.notes) == (2 * 4 * 3, ())


# ---- do no harm


HARMS = {
    "an average": lambda self, x: setattr(self, "buffer", 0.9 * self.buffer + 0.1 * x.mean(0)),
    "an average in place": lambda self, x: setattr(self, "buffer", self.buffer.add_(x.mean(0))),
    "a count": lambda self, x: setattr(self, "buffer", self.buffer + 1),
    "a count in place": lambda self, x: self.buffer.add_(1),
    "through data": lambda self, x: self.buffer.data.mul_(0.9),
    "through detach": lambda self, x: self.buffer.detach().add_(1),
    "through a view": lambda self, x: self.buffer[:2].zero_(),
    "through its rows": lambda self, x: [row.mul_(2) for row in self.buffer],
    "a foreach": lambda self, x: torch._foreach_add_([self.buffer], 1),
    "a cache": lambda self, x: setattr(self, "plain", x * 2),
    "a cache of the device": lambda self, x: setattr(self, "plain", torch.arange(4.0, device=x.device)),
    "a new buffer": lambda self, x: self.register_buffer("late", x.mean()),
    "a gradient": lambda self, x: setattr(self.fc.weight, "grad", None),
    "a frozen weight": lambda self, x: self.fc.weight.requires_grad_(False),
    "a clamped weight": lambda self, x: setattr(self.fc.weight, "data", self.fc.weight.data.clamp(0)),
}


@pytest.mark.parametrize("case", HARMS)
def test_nothing_of_the_module_changes(case: str) -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        HARMS[case](self, x)
        return self.fc(x)

    net: Any = Of(forward, fc=nn.Linear(4, 4))
    net.register_buffer("buffer", torch.ones(4))
    net.plain = None
    net.fc.weight.grad = torch.ones(4, 4)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    keys = set(net.__dict__)
    for training in (False, True):
        assert archcalc.analyze(net, (2, 4), training=training).total("macs") == 2 * 4 * 4
    assert net.state_dict().keys() == before.keys()
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    assert set(net.__dict__) == keys
    assert net.plain is None
    assert net.fc.weight.grad is not None
    assert net.fc.weight.requires_grad


# ---- clear words


def test_parameters_that_are_not_registered_are_counted_and_named() -> None:
    layers = [nn.Linear(4, 4)]
    found = archcalc.analyze(Of(lambda self, x: layers[0](x)), (2, 4))
    assert found.total("params") == 4 * 4 + 4
    assert "not registered" in found.notes[0]


def test_lazy_modules_are_a_clear_error() -> None:
    with pytest.raises(archcalc.ModelError, match="run the lazy module once"):
        archcalc.analyze(nn.LazyConv2d(3, 3), (1, 3, 8, 8))


def test_a_batch_size_beside_inputs_that_have_theirs_is_refused() -> None:
    with pytest.raises(archcalc.UsageError, match="have their batch already"):
        archcalc.analyze(nn.Linear(4, 4), torch.zeros(2, 4), batch_size=8)


def test_leaving_by_force_is_a_failure_like_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("leaves.py").write_text(
        "import sys\nfrom torch import nn\n"
        "class Forward(nn.Module):\n    def forward(self, x): sys.exit(9)\n"
        "class Build(nn.Module):\n    def __init__(self): sys.exit(7)\n"
        "class Prints(nn.Module):\n    def forward(self, x): print('hello'); return x + 1\n"
    )
    for name in ("Forward", "Build"):
        assert run("table", f"leaves.py:{name}", "-i", "4").exit_code == 3
    printing = run("table", "leaves.py:Prints", "-i", "4", "-f", "csv")
    assert printing.stdout.startswith("network,")
    assert "hello" in printing.stderr


def test_two_files_whose_neighbours_share_a_name(tmp_path: Path) -> None:
    for folder, width in (("a", 4), ("b", 80)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "blocks.py").write_text(f"from torch import nn\nBlock = lambda: nn.Linear(4, {width})\n")
        (tmp_path / folder / "net.py").write_text("from blocks import Block\ndef Net(): return Block()\n")
    first, second = (f"{tmp_path}/{folder}/net.py:Net" for folder in "ab")
    found = archcalc.compare(first, second, inputs=(1, 4))
    assert found.metrics[4].values == (16, 320)
    assert "blocks" not in sys.modules
