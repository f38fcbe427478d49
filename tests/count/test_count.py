"""What a call costs, against values derived by hand, and what a report adds up to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import archcalc
from archcalc import Report
from archcalc.count.fold import fold, fold_to
from archcalc.ops import Definition, define
from tests.trace.test_trace import Of

T, D = 5, 8  # length and width of the sequences below


def report(forward: Callable[..., Any], *shape: int, **children: nn.Module) -> Report:
    return archcalc.analyze(Of(forward, **children), shape)


def layer(module: nn.Module, *shape: int) -> Report:
    return report(lambda self, x: self.layer(x), *shape, layer=module)


CASES: dict[str, tuple[Callable[[], Report], int]] = {
    "conv of one dimension": (lambda: layer(nn.Conv1d(3, 4, 5), 2, 3, 20), 2 * 16 * 4 * (5 * 3)),
    "conv with groups": (lambda: layer(nn.Conv2d(4, 6, 3, groups=2), 1, 4, 8, 8), 6 * 6 * 6 * (3 * 3 * 2)),
    "depthwise conv": (lambda: layer(nn.Conv2d(4, 4, 3, padding=1, groups=4), 1, 4, 8, 8), 8 * 8 * 4 * (3 * 3)),
    "dilated conv": (lambda: layer(nn.Conv2d(1, 1, 3, dilation=2), 1, 1, 9, 9), 5 * 5 * 3 * 3),
    "conv with padding by name": (lambda: layer(nn.Conv2d(1, 2, 5, padding="same"), 1, 1, 9, 9), 9 * 9 * 2 * 5 * 5),
    "conv of three dimensions": (lambda: layer(nn.Conv3d(2, 3, 2), 1, 2, 4, 5, 6), 3 * 4 * 5 * 3 * (8 * 2)),
    "conv without a batch": (lambda: layer(nn.Conv2d(3, 4, 3), 3, 8, 8), 6 * 6 * 4 * (3 * 3 * 3)),
    "circular conv": (lambda: layer(nn.Conv1d(1, 1, 3, padding=1, padding_mode="circular"), 1, 1, 9), 9 * 3),
    # a transposed convolution spreads each of its inputs over a window of each output channel
    "transposed conv": (lambda: layer(nn.ConvTranspose2d(3, 4, 2, stride=2), 1, 3, 5, 5), 5 * 5 * 3 * (2 * 2 * 4)),
    "transposed conv with groups": (
        lambda: layer(nn.ConvTranspose2d(4, 6, 3, groups=2), 1, 4, 5, 5),
        5 * 5 * 4 * (3 * 3 * 3),
    ),
    "linear on three dimensions": (lambda: layer(nn.Linear(D, 3), 2, T, D), 2 * T * 3 * D),
    "matmul": (lambda: report(lambda s, x: x @ x.transpose(1, 2), 2, T, D), 2 * T * T * D),
    "matmul that broadcasts": (lambda: report(lambda s, x: torch.matmul(x, x[0].T), 2, T, D), 2 * T * T * D),
    "matrix times vector": (lambda: report(lambda s, x: x @ x[0], T, D), T * D),
    "dot product": (lambda: report(lambda s, x: x @ x, D), D),
    "bmm": (lambda: report(lambda s, x: torch.bmm(x, x.mT), 2, T, D), 2 * T * T * D),
    "einsum": (lambda: report(lambda s, x: torch.einsum("btd,bsd->bts", x, x), 2, T, D), 2 * T * T * D),
    "addmm": (lambda: report(lambda s, x: torch.addmm(x, x, x), D, D), D * D * D),
    "attention by hand": (lambda: report(lambda s, x: (x @ x.mT).softmax(-1) @ x, 2, T, D), 2 * (2 * T * T * D)),
    "scaled dot product attention": (
        lambda: report(lambda s, x: F.scaled_dot_product_attention(x, x, x), 2, 4, T, D),
        2 * 4 * (2 * T * T * D),
    ),
    # four projections of T×D by D×D, then scores and their product with the values
    "nn.MultiheadAttention": (
        lambda: report(lambda s, x: s.layer(x, x, x), 2, T, D, layer=nn.MultiheadAttention(D, 2, batch_first=True)),
        2 * (4 * T * D * D + 2 * T * T * D),
    ),
    "nn.TransformerEncoderLayer": (
        lambda: layer(nn.TransformerEncoderLayer(D, 2, 16, batch_first=True), 2, T, D),
        2 * (4 * T * D * D + 2 * T * T * D + 2 * T * D * 16),
    ),
    # four gates, each from the input and from the state, at every step
    "nn.LSTM": (lambda: layer(nn.LSTM(D, 3, batch_first=True), 2, T, D), 2 * T * 4 * (D * 3 + 3 * 3)),
    "nn.GRU of two layers": (
        lambda: layer(nn.GRU(D, 3, num_layers=2), T, 2, D),
        2 * T * 3 * ((D * 3 + 3 * 3) + (3 * 3 + 3 * 3)),
    ),
    "no multiply-add at all": (lambda: report(lambda s, x: F.relu(x).sum() + x.topk(2)[0].mean(), 2, 9), 0),
}


@pytest.mark.parametrize("case", CASES)
def test_macs_are_what_the_derivation_says(case: str) -> None:
    analyzed, macs = CASES[case]
    found = analyzed()
    assert found.complete, found.unknown
    assert found.total("macs") == macs
    assert found.total("flops") == 2 * macs


def test_embeddings_have_parameters_and_no_multiply_add() -> None:
    net = nn.Sequential(nn.Embedding(100, D), nn.Linear(D, 2))
    found = archcalc.analyze(net, torch.zeros(3, T, dtype=torch.long))
    assert [row.params for row in found.rows] == [100 * D, D * 2 + 2]
    assert found.total("macs") == 3 * T * D * 2


def test_the_window_of_a_layer_is_reported() -> None:
    net = nn.Sequential(
        nn.Conv2d(4, 6, (3, 5), stride=2, padding=(1, 2), groups=2), nn.MaxPool2d(3, 2), nn.AvgPool2d(2)
    )
    conv, pool, average = archcalc.analyze(net, (1, 4, 32, 32)).rows
    assert (conv.kernel, conv.stride, conv.padding, conv.dilation, conv.groups) == ((3, 5), (2, 2), (1, 2), (1, 1), 2)
    assert (pool.kernel, pool.stride, pool.padding) == ((3, 3), (2, 2), (0, 0))
    assert (average.kernel, average.stride) == ((2, 2), (2, 2))


# ---- parameters


def test_a_shared_module_is_counted_once_and_runs_twice() -> None:
    found = report(lambda self, x: self.layer(self.layer(x)), 2, D, layer=nn.Linear(D, D))
    assert [row.params for row in found.rows] == [D * D + D, 0]
    assert [row.call for row in found.rows] == [0, 1]
    assert found.total("macs") == 2 * (2 * D * D)


def test_tied_weights_are_counted_once() -> None:
    first, second = nn.Linear(D, D), nn.Linear(D, D, bias=False)
    second.weight = first.weight
    assert archcalc.analyze(nn.Sequential(first, second), (1, D)).total("params") == D * D + D


def test_a_weight_that_is_used_through_a_view_is_counted() -> None:
    found = report(lambda self, x: x @ self.layer.weight.t(), 2, D, layer=nn.Linear(D, 3))
    assert found.total("params") == D * 3
    assert found.uncalled == {"layer.bias": 3}
    assert found.depth == 1


def test_what_does_not_run_is_listed_apart() -> None:
    found = archcalc.analyze("googlenet")
    assert found.total("params") == 6998552
    assert sum(found.uncalled.values()) == 3188840 + 3190888
    trained = archcalc.analyze("googlenet", training=True)
    assert trained.total("params") == 13378280
    assert trained.uncalled == {}
    assert len(trained.output_shapes) == 3


# ---- unknown is never zero


def test_an_unknown_op_is_named_and_makes_the_total_a_lower_bound() -> None:
    found = report(lambda self, x: torch.fft.fft(self.layer(x)).real, 2, D, layer=nn.Linear(D, D))
    assert not found.complete
    assert found.unknown == ("fft_fft: aten._fft_r2c",)
    assert [row.macs for row in found.rows] == [2 * D * D, None, 0]
    assert [row.flops for row in found.rows] == [2 * 2 * D * D, None, 0]
    assert found.total("macs") == 2 * D * D
    folded = fold(report(lambda s, x: s.inner(x), 2, D, inner=Of(lambda s, x: torch.fft.fft(x + 1))), 1)
    assert folded.rows[0].macs is None
    assert folded.unknown == ("inner: inner.fft_fft: aten._fft_r2c",)


def test_somebody_elses_function_does_not_get_the_formula_of_its_name() -> None:
    @torch.library.custom_op("archcalc_test::linear", mutates_args=())
    def linear(x: Tensor) -> Tensor:
        return x.clone()

    linear.register_fake(lambda x: x.clone())
    found = report(lambda self, x: linear(x), 2, D)
    assert found.rows[0].macs is None
    assert "archcalc_test.linear" in found.unknown[0]


# ---- names, folding, depth


def test_rows_are_named_by_module_and_by_kind_where_a_module_does_more() -> None:
    block = Of(lambda self, x: F.relu(self.conv(x) + x) + x, conv=nn.Conv2d(3, 3, 1))
    found = report(lambda self, x: self.block(x).flatten(1) * 2, 1, 3, 4, 4, block=block)
    assert [row.path for row in found.rows] == [
        "block.conv",
        "block.add",
        "block.relu",
        "block.add_2",
        "flatten",
        "mul",
    ]
    assert [row.module for row in found.rows] == ["block.conv", "block", "block", "block", "", ""]


@pytest.mark.parametrize("name", ["googlenet", "resnet50", "lenet5"])
def test_totals_are_the_sums_of_the_rows_at_every_depth(name: str) -> None:
    whole = archcalc.analyze(name)
    for depth in (1, 2, 3, 4):
        folded = fold(whole, depth)
        for key in ("params", "macs", "activations"):
            assert sum(getattr(row, key) for row in folded.rows) == whole.total(key) == folded.total(key)
        assert sum(row.calls for row in folded.rows) == len(whole.rows)
        assert all(row.path.count(".") < depth for row in folded.rows)


def test_a_folded_module_shows_its_own_input_and_output() -> None:
    rows = {row.path: row for row in fold(archcalc.analyze("googlenet"), 1).rows}
    module = rows["inception_3a"]
    assert (module.kind, module.input_shape, module.output_shape) == ("Branches", (1, 192, 28, 28), (1, 256, 28, 28))


def test_folding_stops_as_soon_as_the_table_is_short_enough() -> None:
    whole = archcalc.analyze("resnet152")
    assert len(whole.rows) > 500
    assert fold_to(whole, 60).folded == 2
    assert 50 < len(fold_to(whole, 60).rows) <= 60
    assert fold_to(archcalc.analyze("alexnet"), 60).folded is None


@pytest.mark.parametrize(
    ("name", "depth"),
    [
        *[("googlenet", 22), ("resnet152", 152), ("resnet18", 18), ("plain34", 34), ("vgg16", 16), ("vgg19", 19)],
        *[("alexnet", 8), ("resnet50-v1.5", 50), ("inception-bottleneck", 2), ("residual-projection", 2)],
    ],
)
def test_depth_is_weight_layers_on_the_longest_path(name: str, depth: int) -> None:
    assert archcalc.analyze(name).depth == depth


def test_attention_scores_are_no_weight_layer() -> None:
    found = report(lambda self, x: (self.q(x) @ x.mT) @ x, 2, T, D, q=nn.Linear(D, D))
    assert [row.depth for row in found.rows] == [1, 0, 1, 1]


def test_activations_are_the_neurons_of_the_paper() -> None:
    # Krizhevsky 2012 prints "650,000 neurons": the outputs of the eight weight layers
    neurons = 96 * 55 * 55 + 256 * 27 * 27 + 2 * (384 * 13 * 13) + 256 * 13 * 13 + 4096 + 4096 + 1000
    assert neurons == 659272
    assert archcalc.analyze("alexnet").total("activations") == neurons


# ---- the report as a value


def test_batch_multiplies_macs_and_not_params() -> None:
    one, eight = archcalc.analyze("alexnet"), archcalc.analyze("alexnet", batch_size=8)
    assert eight.total("macs") == 8 * one.total("macs")
    assert eight.total("params") == one.total("params")
    assert eight.batch_size == 8


def test_the_batch_is_only_left_out_where_every_shape_begins_with_it() -> None:
    assert report(lambda self, x: x.flatten(0, 1), 2, 3, 4).batch_size is None
    assert report(lambda self, x: x + 1, 2, 3, 4, 4).batch_size == 2
    assert report(lambda self, x: x + 1, 2, 3, 4).batch_size is None  # an image alone, or a batch of sequences


def test_dict_and_pandas_hold_the_rows() -> None:
    found = archcalc.analyze("alexnet")
    written = found.to_dict()
    assert written["schema"] == "archcalc.report/1"
    assert written["totals"] == {key: found.total(key) for key in ("params", "macs", "flops", "activations")}
    assert written["rows"][0]["output_shapes"] == [[1, 96, 55, 55]]
    frame = found.to_pandas()
    assert frame["params"].sum() == 60965224
    assert frame.set_index("path").loc["conv2", "macs"] == 27 * 27 * 256 * (5 * 5 * 48)


def test_a_total_that_does_not_exist_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="no total of 'kernel'"):
        archcalc.analyze("head-gap").total("kernel")


def test_comparison_has_ratios_to_the_first() -> None:
    found = archcalc.compare("inception-naive", "inception-bottleneck")
    metrics = {metric.key: metric for metric in found.metrics}
    assert metrics["macs"].values == (120422400, 12443648)
    assert metrics["macs"].ratios == (1.0, 12443648 / 120422400)
    assert metrics["output_shape"].ratios == (None, None)
    assert metrics["depth"].values == (1, 2)
    assert found.to_dict()["schema"] == "archcalc.compare/1"
    with pytest.raises(archcalc.UsageError, match="at least one"):
        archcalc.compare()


def test_a_comparison_takes_modules_and_reports() -> None:
    small = archcalc.analyze(nn.Linear(D, D), (1, D))
    found = archcalc.compare(small, nn.Linear(D, 2 * D), inputs=(1, D))
    assert found.metrics[2].values == (1, 1)
    assert {metric.key: metric.ratios[1] for metric in found.metrics}["macs"] == 2


def test_a_second_formula_for_a_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="a definition of linear already"):
        define("linear")(Definition)
