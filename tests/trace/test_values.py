"""Models that read values, and sizes in bytes: what they are run on, and what is kept of constants."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archcalc
from archcalc.trace.inputs import with_values
from archcalc.values.errors import ModelError
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


def reads_and_runs(layer: nn.Module) -> nn.Module:
    """A network that reads an activation before it runs a recurrent layer."""

    def forward(self: Any, x: Tensor) -> Tensor:
        y: Tensor = self.layer(x * float(x.sum() + 1))[0]
        return y

    return Of(forward, layer=layer)


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
@pytest.mark.parametrize("settings", [{}, {"num_layers": 2, "bidirectional": True}, {"batch_first": True}])
def test_a_recurrent_layer_on_real_tensors_counts_as_without(
    kind: Callable[..., nn.Module], settings: dict[str, Any]
) -> None:
    layer = kind(12, 8, **settings)
    without = archcalc.analyze(layer, (5, 3, 12), backward=True)
    real = archcalc.analyze(reads_and_runs(layer), (5, 3, 12), backward=True)
    assert any("real tensors" in note for note in real.notes)
    assert real.complete
    assert (real.total("macs"), real.total("backward_macs")) == (without.total("macs"), without.total("backward_macs"))


def test_a_real_lstm_goes_through_two_matrices_a_gate_and_step() -> None:
    report = archcalc.analyze(reads_and_runs(nn.LSTM(12, 8)), (5, 3, 12))
    assert report.total("macs") == 5 * 3 * 4 * 8 * (12 + 8)


def test_where_the_real_run_fails_too_both_errors_are_shown() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        y: Tensor = self.fc(x * x.sum().item())
        return y

    with pytest.raises(
        ModelError, match=r"cannot be called on meta tensors; on real tensors it failed at fc: linear got"
    ):
        archcalc.analyze(Of(forward, fc=nn.Linear(5, 3)), (2, 4))


def test_a_plain_mistake_is_shown_once() -> None:
    with pytest.raises(ModelError, match=r"^((?!real tensors).)*$"):
        archcalc.analyze(nn.Linear(5, 3), (2, 4))


def test_values_that_weights_on_meta_cannot_give_are_an_error() -> None:
    with torch.device("meta"):
        net = reads_and_runs(nn.LSTM(12, 8))
    with pytest.raises(ModelError, match="cannot be called on meta tensors"):
        archcalc.analyze(net, (5, 3, 12))


class Batch(UserDict[str, Any]):
    """What tokenizers give: a mapping that is no dict."""


@pytest.mark.parametrize("made", [lambda batch: batch, lambda batch: lambda: batch], ids=["itself", "a callable"])
def test_a_mapping_of_any_kind_gives_keyword_arguments(made: Any) -> None:
    def forward(self: Any, x: Tensor, mask: Tensor) -> Tensor:
        y: Tensor = self.fc(x) if mask.all() else x
        return y

    batch = Batch(x=torch.ones(2, 4), mask=torch.ones(2))
    report = archcalc.analyze(Of(forward, fc=nn.Linear(4, 3)), made(Batch(x=batch["x"], mask=batch["mask"].bool())))
    assert report.total("macs") == 2 * 4 * 3
    assert report.notes == ()
    assert batch["x"].tolist() == [[1.0] * 4] * 2


def test_large_constants_that_nobody_reads_are_not_computed() -> None:
    sizes: list[int] = []

    def forward(self: Any, x: Tensor) -> Tensor:
        mask = torch.zeros(1, 2**11, 2**11, device=x.device)
        mask[:, :10] = 1
        scores = (mask.unsqueeze(1) - mask.unsqueeze(2)[:, :2]).masked_fill(mask != 0, -100.0)
        grid = torch.arange(2.0**11)[:, None] * torch.arange(2.0**11)
        held = [mask, scores, grid.to(x.device)]
        sizes.extend(one.untyped_storage().nbytes() for one in held if not one.is_meta)
        assert all(one.device == x.device for one in held)
        assert int(torch.arange(9).max()) == 8  # small ones are read
        y: Tensor = self.fc(x) + scores.mean() + grid.sum()
        return y

    report = archcalc.analyze(Of(forward, fc=nn.Linear(4, 3)), (2, 4))
    assert sizes == []
    assert report.total("macs") == 2 * 4 * 3
    assert report.notes == ()


def test_a_large_constant_that_is_read_needs_a_real_run() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        y: Tensor = self.fc(x) if torch.ones(2**21).sum().item() > 9 else x
        return y

    report = archcalc.analyze(Of(forward, fc=nn.Linear(4, 3)), (2, 4))
    assert report.total("macs") == 2 * 4 * 3
    assert any("real tensors" in note for note in report.notes)


def test_products_of_large_constants_are_counted() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        return x + (torch.zeros(2**11, 2**10) @ torch.zeros(2**10, 7)).sum()

    assert archcalc.analyze(Of(forward), (2, 4)).total("macs") == 2**11 * 2**10 * 7


def test_modules_that_a_forward_makes_for_itself() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        self.block.attention = nn.Sequential(self.block.first)
        y: Tensor = self.block.attention(x)
        return y

    block = nn.Module()
    block.first = nn.Linear(4, 3)
    report = archcalc.analyze(Of(forward, block=block), (2, 4))
    assert report.total("macs") == 2 * 4 * 3
    assert not hasattr(block, "attention")


WITHOUT_PRODUCTS: dict[str, Any] = {
    "scatter_reduce": lambda x: x.scatter_reduce_(0, torch.zeros(1, 4, dtype=torch.int64), x + 1, "sum"),
    "is all true": lambda x: x + torch.ops.aten._is_all_true(x > 0),
    "isin": lambda x: x * torch.isin(x, x + 1),
    "trace": lambda x: x * torch.trace(x),
    "diag_embed": lambda x: torch.diag_embed(x),
    "index_reduce": lambda x: x.index_reduce_(0, torch.zeros(2, dtype=torch.int64), x + 1, "mean"),
    "put": lambda x: x.put_(torch.tensor([1]), x[0, :1] * 2),
}


@pytest.mark.parametrize("name", WITHOUT_PRODUCTS)
def test_calls_without_products_are_free(name: str) -> None:
    report = archcalc.analyze(
        Of(lambda self, x: WITHOUT_PRODUCTS[name](self.fc(x).clone()), fc=nn.Linear(4, 4)), (2, 4)
    )
    assert report.complete
    assert report.total("macs") == 2 * 4 * 4
