"""What calls save for the backward pass on the meta device, against real autograd on the CPU."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

import archcalc
from archcalc.trace.recurrent import workspace_bytes
from tests.count.test_memory import really_saved
from tests.trace.test_trace import Of

WIDTHS = (1, 3, 16, 17, 33, 64, 128, 256, 257)
DTYPES = (torch.float32, torch.float32, torch.float64, torch.bfloat16, torch.float16)


def recurrent_case(kind: Callable[..., nn.RNNBase], draw: random.Random) -> tuple[nn.RNNBase, Tensor]:
    """A layer of random settings and an input for it."""
    settings: dict[str, Any] = {
        "num_layers": draw.choice((1, 2, 3)),
        "bidirectional": draw.random() < 0.5,
        "batch_first": draw.random() < 0.5,
        "bias": draw.random() < 0.7,
        "dropout": draw.choice((0, 0.2)),
        "dtype": draw.choice(DTYPES),
    }
    width, hidden = draw.choice(WIDTHS), draw.choice(WIDTHS)
    if kind is nn.LSTM and hidden > 1 and draw.random() < 0.2:
        settings["proj_size"] = hidden // 2
    shape = (*draw.choice(((1,), (3,), ())), draw.choice((1, 2, 5)), width)
    return kind(width, hidden, **settings), torch.rand(shape, dtype=settings["dtype"])


@pytest.mark.filterwarnings("ignore:dropout option adds dropout", "ignore:LSTM with projections is not supported")
@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_a_recurrent_layer_saves_what_the_cpu_saves(kind: Callable[..., nn.RNNBase]) -> None:
    draw = random.Random(kind.__name__)
    for _ in range(12):
        layer, x = recurrent_case(kind, draw)
        # the result of a ReLU is saved, and a copy of it in the order of the steps may be too
        net = nn.Sequential(nn.ReLU(), layer) if draw.random() < 0.4 else layer
        saved = archcalc.analyze(net, x, training=True, backward=True).total("saved_bytes")
        assert saved == really_saved(net.train(), x), (net, x.shape, x.dtype)


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_a_packed_sequence_saves_what_the_cpu_saves(kind: Callable[..., nn.RNNBase]) -> None:
    def forward(self: Any, x: Tensor) -> Any:
        return self.layer(pack_padded_sequence(x.relu(), torch.tensor([5, 3])))[0].data

    net = Of(forward, layer=kind(4, 6, 2, bidirectional=True))
    saved = archcalc.analyze(net, (5, 2, 4), backward=True).total("saved_bytes")
    assert saved == really_saved(net, torch.rand(5, 2, 4))


def test_the_workspace_of_an_lstm_is_all_that_each_step_makes_in_whole_pages() -> None:
    # 64 rows of 16 floats are one page. Each of 5 steps: 4 gates and the hidden state; for each of 5 + 1 places, for
    # the layer and for what goes into it: both states and the gradients by layer, by time and of the cell.
    assert workspace_bytes(5, 64, 16, 16, 4) == 4096 * (5 * (4 + 1) + 2 * 6 * (2 + 3))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("mode", "settings"),
    [
        *itertools.product(("sum", "mean", "max"), ({}, {"padding_idx": 2}, {"include_last_offset": True})),
        ("sum", {"weighted": True}),  # torch weighs sums alone
    ],
)
def test_bags_of_embeddings_save_what_the_cpu_saves(mode: str, dtype: torch.dtype, settings: dict[str, Any]) -> None:
    def forward(self: Any, words: Tensor, offsets: Tensor) -> Tensor:
        weights = {"per_sample_weights": self.each.relu()} if "weighted" in settings else {}
        options = {key: value for key, value in settings.items() if key != "weighted"}
        return F.embedding_bag(words, self.table, offsets, mode=mode, **weights, **options)

    net = Of(forward)
    net.table = nn.Parameter(torch.rand(10, 4, dtype=dtype))
    net.each = nn.Parameter(torch.rand(7, dtype=dtype))
    given = [torch.tensor([0, 1, 2, 3, 4, 5, 1]), torch.tensor([0, 3, 7])]
    assert archcalc.analyze(net, given, backward=True).total("saved_bytes") == really_saved(net, *given)


def test_a_batch_norm_outside_training_saves_no_statistics() -> None:
    def forward(self: Any, x: Tensor) -> Any:
        return torch.ops.aten._native_batch_norm_legit(x, self.weight, None, self.mean, self.var, False, 0.1, 1e-5)[0]

    net = Of(forward)
    net.weight = nn.Parameter(torch.rand(3))
    net.register_buffer("mean", torch.rand(3))
    net.register_buffer("var", torch.rand(3))
    saved = archcalc.analyze(net, (2, 3, 4), backward=True).total("saved_bytes")
    assert saved == really_saved(net, torch.rand(2, 3, 4))


def test_an_input_that_needs_a_gradient_needs_it_on_real_tensors_too() -> None:
    net = Of(lambda self, x: (x * float(x.sum())).exp())
    x = torch.rand(2, 3, requires_grad=True)
    report = archcalc.analyze(net, x, backward=True)
    assert any("reads values" in note for note in report.notes)
    assert report.total("saved_bytes") == 2 * 3 * 4  # the result of the exponential


def test_a_mask_that_is_read_is_saved_once() -> None:
    net = Of(lambda self, x, mask: x[mask])
    given = [torch.rand(5, 3, requires_grad=True), torch.tensor([True, False, True, False, True])]
    report = archcalc.analyze(net, given, backward=True)
    assert report.notes == ()  # it does not take real tensors
    assert report.total("saved_bytes") == 5 == really_saved(net, *given)
