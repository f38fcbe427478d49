"""Models that read values, and sizes in bytes: what they are run on, and what is kept of constants."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archcalc
from archcalc.trace.inputs import with_values
from archcalc.values.trace import TensorSpec, item_bytes
from tests.trace.test_trace import Of

DTYPES = sorted({value for value in vars(torch).values() if isinstance(value, torch.dtype)}, key=str)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_the_size_of_an_element_is_torchs_own(dtype: torch.dtype) -> None:
    assert TensorSpec((3,), str(dtype).removeprefix("torch.")).nbytes == 3 * dtype.itemsize


def test_a_dtype_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(ValueError, match="nobody knows the size of an element of dtype half"):
        item_bytes("half")


def test_whole_numbers_lie_below_the_smallest_embedding() -> None:
    net = nn.Sequential(nn.Embedding(50, 2), nn.Embedding(7, 2))
    ids = with_values(net, torch.empty(1000, dtype=torch.int64, device="meta"))
    assert set(ids.tolist()) == set(range(7))
    mask = with_values(net, torch.empty(1000, dtype=torch.bool, device="meta"))
    assert set(mask.tolist()) == {False, True}


def test_a_model_that_skips_padding_is_run_on_numbers_of_words() -> None:
    def forward(self: Any, ids: Tensor) -> Tensor:
        kept = ids[:, (ids != 0).any(0)]
        y: Tensor = self.fc(self.words(kept))
        return y * y.abs().sum().item()

    report = archcalc.analyze(
        Of(forward, words=nn.Embedding(1000, 4), fc=nn.Linear(4, 3)),
        lambda: torch.empty(2, 8, dtype=torch.int64, device="meta"),
    )
    assert report.total("macs") == 2 * 8 * 4 * 3  # no column of eight is all zeros
    assert report.notes == (
        "the model reads values: it was run on real tensors, of random values (seed 0), on the CPU",
        "whole numbers among the inputs were drawn below 1000",
    )


def test_whole_numbers_that_were_given_are_not_said_to_be_drawn() -> None:
    def forward(self: Any, ids: Tensor) -> Tensor:
        y: Tensor = self.words(ids)
        return y * y.abs().sum().item()

    report = archcalc.analyze(Of(forward, words=nn.Embedding(10, 4)), torch.tensor([[1, 2]]))
    assert not any("drawn" in note for note in report.notes)
    assert any("reads values" in note for note in report.notes)


def saved_by_autograd(net: nn.Module, x: Tensor) -> int:
    """Bytes that a real forward pass keeps, each memory once, parameters left out."""
    weights = {parameter.untyped_storage().data_ptr() for parameter in net.parameters()}
    memories: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        memory = tensor.untyped_storage()
        memories[memory.data_ptr()] = 0 if memory.data_ptr() in weights else memory.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        net(x)
    return sum(memories.values())


def test_a_constant_that_many_calls_read_is_kept_once() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x) * self.table[: x.shape[1]] + self.table[1 : x.shape[1] + 1].sigmoid() * x
        return x

    net = Of(forward, layers=nn.ModuleList(nn.Linear(16, 16) for _ in range(4)))
    net.register_buffer("table", torch.rand(64, 16))
    saved = archcalc.analyze(net, (2, 32, 16), backward=True).total("saved_bytes")
    assert saved == saved_by_autograd(net, torch.rand(2, 32, 16))


def test_a_recurrent_layer_says_that_its_kernel_keeps_more() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        y: Tensor = self.rnn(x)[0]
        return y

    net = Of(forward, rnn=nn.LSTM(4, 8))
    report = archcalc.analyze(net, (5, 2, 4), backward=True)
    assert report.total("saved_bytes") < saved_by_autograd(net, torch.rand(5, 2, 4))
    assert report.notes == ("saved bytes are a lower bound: the kernel of lstm keeps a workspace of its own",)
    assert archcalc.analyze(net, (5, 2, 4)).notes == ()
