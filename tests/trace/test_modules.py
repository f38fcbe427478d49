"""Every kind of module that torch has, against multiply-adds derived by hand or counted one by one."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.checkpoint import checkpoint

import archcalc
from archcalc import Report
from archcalc.trace.run import trace
from tests.trace.test_trace import Of

B, T, S, D, H = 2, 5, 7, 8, 2  # batch, two lengths of sequences, their width, heads
Case = tuple[Callable[[], Report], int]


def of(forward: Callable[..., Any], inputs: Any, training: bool = False, **children: nn.Module) -> Report:
    return archcalc.analyze(Of(forward, **children), inputs, training=training)


def layer(module: nn.Module, *shapes: tuple[int, ...], training: bool = False) -> Report:
    return of(lambda self, *args: self.layer(*args), list(shapes), training, layer=module)


def check(case: Case) -> Report:
    analyzed, macs = case
    report = analyzed()
    assert report.complete, report.unknown
    assert report.total("macs") == macs
    return report


# ---- attention: q, k, v and the output are projections, then T·S scores a head and their product with the values

SELF = B * (4 * T * D * D + 2 * T * T * D)
CROSS = B * (2 * T * D * D + 2 * S * D * D + 2 * T * S * D)  # keys and values from the other sequence
ENCODER = SELF + B * (2 * T * D * 16)  # and a perceptron with 16 units between
DECODER = SELF + CROSS + B * (2 * T * D * 16)


def mha(**settings: Any) -> nn.MultiheadAttention:
    return nn.MultiheadAttention(D, H, batch_first=True, **settings)


def causal() -> Tensor:
    return nn.Transformer.generate_square_subsequent_mask(T)


ATTENTION: dict[str, Case] = {
    **{
        f"self, training {training}, weights {weights}": (
            lambda training=training, weights=weights: of(  # type: ignore[misc]
                lambda s, x: s.a(x, x, x, need_weights=weights), (B, T, D), training, a=mha()
            ),
            SELF,
        )
        for training in (False, True)
        for weights in (False, True)
    },
    "the sequence first": (
        lambda: of(lambda s, x: s.a(x, x, x), (T, B, D), a=nn.MultiheadAttention(D, H)),
        SELF,
    ),
    "no batch": (lambda: of(lambda s, x: s.a(x, x, x), (T, D), a=mha()), SELF // B),
    "of another sequence": (lambda: of(lambda s, x, y: s.a(x, y, y), [(B, T, D), (B, S, D)], a=mha()), CROSS),
    "keys and values of other widths": (
        lambda: of(lambda s, q, k, v: s.a(q, k, v), [(B, T, D), (B, S, 3), (B, S, 4)], a=mha(kdim=3, vdim=4)),
        B * (2 * T * D * D + S * 3 * D + S * 4 * D + 2 * T * S * D),
    ),
    "masks": (
        lambda: of(
            lambda s, x: s.a(x, x, x, attn_mask=causal() < 0, key_padding_mask=torch.zeros(B, T, dtype=torch.bool)),
            (B, T, D),
            a=mha(),
        ),
        SELF,
    ),
    "causal": (
        lambda: of(
            lambda s, x: s.a(x, x, x, attn_mask=causal(), is_causal=True, need_weights=False), (B, T, D), a=mha()
        ),
        SELF,
    ),
    "two more keys, one of them learned": (
        lambda: of(lambda s, x: s.a(x, x, x), (B, T, D), a=mha(add_bias_kv=True, add_zero_attn=True)),
        B * (4 * T * D * D + 2 * T * (T + 2) * D),
    ),
    "quantizable": (
        lambda: of(
            lambda s, x: s.a(x, x, x), (B, T, D), a=torch.ao.nn.quantizable.MultiheadAttention(D, H, batch_first=True)
        ),
        SELF,
    ),
    **{
        f"nn.Transformer, training {training}": (
            lambda training=training: layer(  # type: ignore[misc]
                nn.Transformer(D, H, 2, 3, 16, batch_first=True), (B, S, D), (B, T, D), training=training
            ),
            2 * B * (4 * S * D * D + 2 * S * S * D + 2 * S * D * 16) + 3 * DECODER,
        )
        for training in (False, True)
    },
    "an encoder with padding": (
        lambda: of(
            lambda s, x: s.e(x, src_key_padding_mask=torch.zeros(B, T, dtype=torch.bool)),
            (B, T, D),
            e=nn.TransformerEncoder(nn.TransformerEncoderLayer(D, H, 16, batch_first=True), 2),
        ),
        2 * ENCODER,
    ),
    "by hand": (
        lambda: of(
            lambda s, x: (s.q(x) @ s.k(x).mT / D**0.5).softmax(-1) @ x, (B, T, D), q=nn.Linear(D, D), k=nn.Linear(D, D)
        ),
        B * (2 * T * D * D + 2 * T * T * D),
    ),
    "by hand with einsum": (
        lambda: of(
            lambda s, q, k: torch.einsum("bhij,bhjd->bhid", torch.einsum("bhid,bhjd->bhij", q, k).softmax(-1), k),
            [(B, H, T, D), (B, H, S, D)],
        ),
        B * H * 2 * T * S * D,
    ),
}


@pytest.mark.parametrize("case", ATTENTION)
@pytest.mark.filterwarnings("ignore:.*torch.ao.quantization is deprecated:DeprecationWarning")
def test_attention(case: str) -> None:
    check(ATTENTION[case])


QKV: list[tuple[int, ...]] = [(B, 4, T, D), (B, 4, S, D), (B, 4, S, D)]
DOT_PRODUCT: dict[str, tuple[list[tuple[int, ...]], dict[str, Any], int]] = {
    "plain": (QKV, {}, B * 4 * 2 * T * S * D),
    "causal": ([QKV[0]] * 3, {"is_causal": True}, B * 4 * 2 * T * T * D),
    "mask": (QKV, {"attn_mask": torch.ones(T, S, dtype=torch.bool)}, B * 4 * 2 * T * S * D),
    "mask of numbers": (QKV, {"attn_mask": torch.zeros(B, 1, T, S)}, B * 4 * 2 * T * S * D),
    "dropout": (QKV, {"dropout_p": 0.1, "scale": 2.0}, B * 4 * 2 * T * S * D),
    "shared heads": ([QKV[0], (B, 2, S, D), (B, 2, S, D)], {"enable_gqa": True}, B * 4 * 2 * T * S * D),
    "one batch of keys": ([QKV[0], (1, 4, S, D), (1, 4, S, D)], {}, B * 4 * 2 * T * S * D),
    "narrow values": ([*QKV[:2], (B, 4, S, 3)], {}, B * 4 * T * S * (D + 3)),
    "no heads": ([(B, T, D), (B, S, D), (B, S, D)], {}, B * 2 * T * S * D),
    "more axes": ([(B, 3, 4, T, D)] * 3, {}, B * 3 * 4 * 2 * T * T * D),
}


@pytest.mark.parametrize("case", DOT_PRODUCT)
def test_scaled_dot_product_attention(case: str) -> None:
    shapes, settings, macs = DOT_PRODUCT[case]
    found = check((lambda: of(lambda s, *x: F.scaled_dot_product_attention(*x, **settings), shapes), macs))
    assert found.output_shapes[0] == F.scaled_dot_product_attention(*map(torch.rand, shapes), **settings).shape  # type: ignore[arg-type]
    assert found.notes == ()


@pytest.mark.parametrize("grouped", [False, True])
def test_attention_lies_in_memory_as_the_real_kernel_leaves_it(grouped: bool) -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        q = x.view(B, T, 4, D // 4).transpose(1, 2)
        k = q[:, :2] if grouped else q
        y = F.scaled_dot_product_attention(q, k, k, is_causal=not grouped, enable_gqa=grouped)
        return y.transpose(1, 2).view(B, T, D)  # fits no other layout

    assert check((lambda: of(forward, (B, T, D)), B * 2 * T * T * D)).notes == ()
    assert Of(forward)(torch.rand(B, T, D)).shape == (B, T, D)


def test_what_attention_saves_is_what_the_real_kernel_saves() -> None:
    found = archcalc.memory(
        Of(lambda s, x: F.scaled_dot_product_attention(*s.p(x).chunk(3, -1)), p=nn.Linear(D, 3 * D)), (B, 4, T, D)
    )
    x, projected, out, normalizers = (4 * B * 4 * T * width for width in (D, 3 * D, D, 1))
    assert found.saved == x + projected + out + normalizers  # and no scores


# ---- recurrent: gates from the input and from the state, at every step

RECURRENT: list[tuple[Callable[..., nn.RNNBase], int]] = [(nn.RNN, 1), (nn.GRU, 3), (nn.LSTM, 4)]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("kind", "gates"), RECURRENT)
def test_recurrent_layers(kind: Callable[..., nn.RNNBase], gates: int, training: bool) -> None:
    def steps(inputs: int) -> int:
        return gates * (inputs * 3 + 3 * 3)

    def run(shape: tuple[int, ...], **settings: Any) -> Callable[[], Report]:
        return lambda: layer(kind(D, 3, **settings), shape, training=training)

    check((run((T, B, D)), B * T * steps(D)))
    check((run((T, D), bias=False), T * steps(D)))
    # both directions of the first layer read the input, those of the second both results
    both = B * T * 2 * (steps(D) + steps(6))
    check((run((B, T, D), num_layers=2, bidirectional=True, batch_first=True, dropout=0.1), both))


@pytest.mark.parametrize(("kind", "gates"), RECURRENT)
def test_packed_sequences_count_the_steps_that_are_there(kind: Callable[..., nn.RNNBase], gates: int) -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        packed = nn.utils.rnn.pack_padded_sequence(x, torch.tensor([5, 3]), batch_first=True)
        return nn.utils.rnn.pad_packed_sequence(self.r(packed)[0], batch_first=True)[0]

    found = check((lambda: of(forward, (2, 5, D), r=kind(D, 3, batch_first=True)), (5 + 3) * gates * (D * 3 + 3 * 3)))
    assert found.output_shapes == ((2, 5, 3),)


def unrolled(self: Any, x: Tensor) -> Tensor:
    state: Any = None
    for step in x:
        state = self.cell(step, state)
    return state[0]


RECURRENT_CASES: dict[str, Case] = {
    # the gates see a state of 3 projected from 6 units
    "projected": (lambda: layer(nn.LSTM(D, 6, proj_size=3), (T, B, D)), B * T * (4 * (D * 6 + 3 * 6) + 6 * 3)),
    "projected, both ways": (
        lambda: layer(nn.LSTM(D, 6, proj_size=3, bidirectional=True), (T, B, D)),
        2 * B * T * (4 * (D * 6 + 3 * 6) + 6 * 3),
    ),
    "a cell in a loop": (lambda: of(unrolled, (T, B, D), cell=nn.LSTMCell(D, 3)), B * T * 4 * (D * 3 + 3 * 3)),
    "cells": (
        lambda: of(lambda s, x: s.a(x) + s.b(x), (B, D), a=nn.GRUCell(D, 3), b=nn.RNNCell(D, 3)),
        B * (3 + 1) * (D * 3 + 3 * 3),
    ),
    "quantizable": (
        lambda: layer(torch.ao.nn.quantizable.LSTM(D, 3), (T, B, D)),
        B * T * 4 * (D * 3 + 3 * 3),
    ),
}


@pytest.mark.parametrize("case", RECURRENT_CASES)
@pytest.mark.filterwarnings("ignore:.*torch.ao.quantization is deprecated:DeprecationWarning")
def test_other_recurrent_modules(case: str) -> None:
    check(RECURRENT_CASES[case])


# ---- convolutions and products

PRODUCTS: dict[str, Case] = {
    "transposed conv, grouped, of one dimension": (
        lambda: layer(nn.ConvTranspose1d(4, 6, 3, groups=2, stride=2, output_padding=1), (1, 4, 9)),
        9 * 4 * (3 * 3),
    ),
    "transposed conv of three dimensions": (
        lambda: layer(nn.ConvTranspose3d(4, 6, 3, dilation=2, padding=1), (1, 4, 3, 3, 3)),
        27 * 4 * (27 * 6),
    ),
    "transposed conv of a given size": (
        lambda: of(lambda s, x: s.c(x, output_size=(20, 20)), (1, 4, 9, 9), c=nn.ConvTranspose2d(4, 6, 3, stride=2)),
        9 * 9 * 4 * (9 * 6),
    ),
    "depthwise conv with a multiplier": (lambda: layer(nn.Conv2d(4, 8, 3, groups=4), (1, 4, 8, 8)), 6 * 6 * 8 * 9),
    "conv that is padded by reflection": (
        lambda: layer(nn.Conv2d(4, 8, 3, padding=1, padding_mode="reflect"), (1, 4, 8, 8)),
        8 * 8 * 8 * (9 * 4),
    ),
    "conv_tbc": (
        lambda: of(lambda s, x: torch.conv_tbc(x, torch.rand(3, 4, 5), torch.zeros(5), 1), (9, 2, 4)),
        9 * 2 * 5 * (3 * 4),
    ),
    "linear on five dimensions": (lambda: layer(nn.Linear(4, 3), (2, 3, 4, 5, 4)), 2 * 3 * 4 * 5 * 3 * 4),
    "linear on one": (lambda: layer(nn.Linear(4, 3), (4,)), 3 * 4),
    # x W first, then the result with y
    "bilinear": (lambda: layer(nn.Bilinear(3, 4, 5), (B, 3), (B, 4)), B * (5 * 4 * 3 + 5 * 4)),
    "einsum of three": (
        lambda: of(lambda s, *x: torch.einsum("ij,jk,kl->il", *x), [(2, 3), (3, 4), (4, 5)]),
        2 * 4 * 3 + 2 * 5 * 4,
    ),
    "einsum with dots": (
        lambda: of(lambda s, *x: torch.einsum("...ij,jk->...ik", *x), [(2, 3, 4, 5), (5, 6)]),
        2 * 3 * 4 * 6 * 5,
    ),
    "tensordot": (lambda: of(lambda s, a, b: torch.tensordot(a, b, ([1], [0])), [(2, 3, 4), (3, 5)]), 2 * 4 * 5 * 3),
    "matmul that broadcasts both": (
        lambda: of(lambda s, a, b: a @ b, [(5, 1, 3, 4), (2, 4, 6)]),
        5 * 2 * 3 * 6 * 4,
    ),
    "vector times matrix": (lambda: of(lambda s, a, b: a @ b, [(3,), (2, 3, 4)]), 2 * 4 * 3),
    "multi_dot": (lambda: of(lambda s, *x: torch.linalg.multi_dot(x), [(2, 3), (3, 4), (4, 5)]), 2 * 4 * 3 + 2 * 5 * 4),
    "inner": (lambda: of(torch_call(torch.inner), [(2, 3), (4, 3)]), 2 * 4 * 3),
    "inner of vectors": (lambda: of(torch_call(torch.inner), [(3,), (3,)]), 3),
    "vdot": (lambda: of(torch_call(torch.vdot), [(3,), (3,)]), 3),
    "vecdot": (lambda: of(torch_call(torch.linalg.vecdot), [(2, 3), (2, 3)]), 2 * 3),
    "addmv": (lambda: of(torch_call(torch.addmv), [(3,), (3, 4), (4,)]), 3 * 4),
    "baddbmm": (lambda: of(torch_call(torch.baddbmm), [(2, 3, 5), (2, 3, 4), (2, 4, 5)]), 2 * 3 * 5 * 4),
    "addbmm": (lambda: of(torch_call(torch.addbmm), [(3, 5), (2, 3, 4), (2, 4, 5)]), 2 * 3 * 5 * 4),
    "outer products sum nothing up": (
        lambda: of(lambda s, a, b: torch.outer(a, b) + torch.kron(a, b).sum(), [(3,), (4,)]),
        0,
    ),
    "matrix power": (lambda: of(lambda s, x: torch.matrix_power(x, 3), (4, 4)), 2 * 4**3),
    # each of the 4 elements that are there meets a row of 3
    "sparse matrix": (lambda: of(lambda s, x: torch.sparse.mm(torch.eye(4).to_sparse(), x), (4, 3)), 4 * 3),
    "dense by sparse": (lambda: of(lambda s, x: x @ torch.eye(4).to_sparse(), (3, 4)), 3 * 4),
    "a normalised weight": (
        lambda: layer(nn.utils.parametrizations.weight_norm(nn.Linear(4, 3)), (2, 4)),
        2 * 3 * 4,
    ),
    # the weight's largest singular value is u·(W v): one product and a dot outside training
    "spectral norm": (
        lambda: layer(nn.utils.parametrizations.spectral_norm(nn.Linear(4, 3)), (2, 4)),
        2 * 3 * 4 + 3 * 4 + 3,
    ),
    # 7 outputs at once, and 5 more through 8/4 units; the last 10 are reached by 8 // 16 = 0 units
    "adaptive softmax": (
        lambda: of(lambda s, x: s.a.log_prob(x), (2, 8), a=adaptive_softmax()),
        2 * (8 * 7 + 8 * 2 + 2 * 5),
    ),
}


def torch_call(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda self, *args: function(*args)


def adaptive_softmax() -> nn.Module:
    with pytest.warns(UserWarning, match="zero-element"):
        return nn.AdaptiveLogSoftmaxWithLoss(8, 20, [5, 10])


@pytest.mark.parametrize("case", PRODUCTS)
def test_products(case: str) -> None:
    check(PRODUCTS[case])


# ---- what multiplies no matrices

IDS = torch.zeros(B, T, dtype=torch.long)
FREE: dict[str, tuple[Callable[..., Any], Any]] = {
    "embedding": (lambda s, i: nn.Embedding(10, D, padding_idx=0, max_norm=1.0)(i), [IDS]),
    "embedding bag": (lambda s, i: nn.EmbeddingBag(10, D, mode="max")(i), [IDS]),
    "embedding bag by offsets": (lambda s, i: nn.EmbeddingBag(10, D)(i.flatten(), torch.tensor([0, 4])), [IDS]),
    "weighted bag": (lambda s, i: nn.EmbeddingBag(10, D, mode="sum")(i, per_sample_weights=torch.ones(B, T)), [IDS]),
    "norms": (
        lambda s, x: nn.GroupNorm(2, 4)(nn.BatchNorm2d(4)(nn.InstanceNorm2d(4, affine=True)(x))) + nn.RMSNorm(6)(x),
        (2, 4, 6, 6),
    ),
    "norms of other ranks": (
        lambda s, x: nn.BatchNorm1d(4)(nn.LayerNorm([4, 6])(x)) + nn.LocalResponseNorm(3)(x),
        (2, 4, 6),
    ),
    "pooling": (
        lambda s, x: [
            nn.AdaptiveMaxPool2d(2)(x),
            nn.LPPool2d(2, 2)(x),
            nn.FractionalMaxPool2d(2, output_size=3)(x),
            F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2),  # type: ignore[arg-type]
            nn.AvgPool3d(2)(x),
        ],
        (2, 4, 6, 6),
    ),
    "padding": (
        lambda s, x: [F.pad(x, (1, 1, 2, 2), mode=mode) for mode in ("constant", "reflect", "replicate", "circular")],
        (2, 4, 6, 6),
    ),
    "interpolation": (
        lambda s, x: (
            [
                F.interpolate(x, scale_factor=2, mode=mode)
                for mode in ("nearest", "nearest-exact", "bilinear", "bicubic", "area")
            ]
            + [F.interpolate(x, size=(3, 3), mode="bilinear", antialias=True)]
        ),
        (2, 4, 6, 6),
    ),
    "grids": (
        lambda s, x: F.grid_sample(x, F.affine_grid(x[:, 0, :2, :3], (2, 4, 5, 5), False), align_corners=False),  # type: ignore[arg-type]
        (2, 4, 6, 6),
    ),
    "folds and shuffles": (
        lambda s, x: F.fold(F.unfold(x, 3), (6, 6), 3) + F.pixel_unshuffle(F.pixel_shuffle(x, 2), 2).roll(1).flip(0),
        (2, 4, 6, 6),
    ),
    "dropouts": (
        lambda s, x: F.dropout2d(F.alpha_dropout(F.feature_alpha_dropout(x, training=True), training=True)),
        (2, 4, 6, 6),
    ),
    "activations": (
        lambda s, x: F.glu(F.prelu(F.rrelu(F.softplus(F.softshrink(x))), torch.ones(1))).logsumexp(1),
        (2, 4),
    ),
    "losses": (
        lambda s, x: (
            F.cross_entropy(x, torch.zeros(2, dtype=torch.long))
            + F.binary_cross_entropy_with_logits(x, torch.zeros(2, 4))
            + F.smooth_l1_loss(x, -x)
            + F.ctc_loss(x[:, None].log_softmax(-1), torch.ones(1, 1, dtype=torch.long), (2,), (1,))  # type: ignore[arg-type]
        ),
        (2, 4),
    ),
    "sorting and indexing": (
        lambda s, x: [
            x.sort(),
            x.topk(2),
            x.kthvalue(2),
            x.cummax(1),
            x.gather(1, x.argsort()),
            x.masked_fill(x > 0, 1),
        ],
        (2, 4),
    ),
    "complex numbers": (lambda s, x: torch.complex(x, x).abs() + torch.polar(x, x).angle(), (2, 4)),
}


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("case", FREE)
def test_what_has_no_multiply_adds(case: str, training: bool) -> None:
    forward, inputs = FREE[case]
    found = check((lambda: of(forward, inputs, training), 0))
    assert all(row.free for row in found.rows)


UNKNOWN: dict[str, tuple[Callable[..., Any], tuple[int, ...], str]] = {
    "fft": (lambda s, x: torch.fft.rfft2(x).abs(), (8, 8), "fft_rfft2: aten._fft_r2c"),
    "short-time": (
        lambda s, x: torch.stft(x, 8, window=torch.hann_window(8), return_complex=True).abs(),
        (2, 64),
        "stft: aten._fft_r2c",
    ),
    "inverse": (lambda s, x: torch.linalg.inv(x), (4, 4), "linalg_inv: aten.linalg_inv_ex"),
    "singular values": (lambda s, x: torch.linalg.svd(x)[0], (4, 4), "linalg_svd: aten._linalg_svd"),
    "two sparse matrices": (
        lambda s, x: torch.sparse.mm(x.to_sparse(), torch.eye(4).to_sparse()).to_dense(),
        (4, 4),
        "sparse::_sparse_mm: aten._sparse_sparse_matmul",
    ),
}


@pytest.mark.parametrize("case", UNKNOWN)
@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta state")
def test_what_nobody_counts_is_named(case: str) -> None:
    forward, shape, name = UNKNOWN[case]
    found = of(forward, shape)
    assert found.unknown == (name,)
    assert not found.complete


# ---- ways to run


class Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return x @ weight.t()


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.mark_dirty(x)
        return x.mul_(2)


@torch.jit.script
def scripted(x: Tensor, weight: Tensor) -> Tensor:
    return torch.relu(x @ weight.t())


def fc() -> nn.Module:
    return nn.Linear(4, 3)


@dataclass(slots=True)
class Output:
    last: Tensor
    more: Any = None


Pair = namedtuple("Pair", "last more")

WAYS: dict[str, Callable[[Any, Tensor], Any]] = {
    "autograd function": lambda s, x: Product.apply(x, s.fc.weight),
    "autograd function in place": lambda s, x: s.fc(Doubled.apply(x + 1)),
    "scripted function": lambda s, x: scripted(x, s.fc.weight),
    "scripted module": lambda s, x: torch.jit.script(s.fc)(x),
    "compiled module": lambda s, x: torch.compile(s.fc)(x),
    "compiled function": lambda s, x: torch.compile(lambda y: s.fc(y).relu())(x),
    "checkpoint": lambda s, x: checkpoint(s.fc, x, use_reentrant=False),
    "reentrant checkpoint": lambda s, x: checkpoint(s.fc, x, use_reentrant=True),
    "vmap": lambda s, x: torch.vmap(s.fc)(x),
    "functional_call": lambda s, x: torch.func.functional_call(s.fc, {"weight": s.fc.weight * 2}, (x,)),
    "autocast": lambda s, x: autocast(s.fc, x),
    "row by row": lambda s, x: [s.fc(row) for row in x],
    "dataclass": lambda s, x: Output(s.fc(x), {"x": x}),
    "named tuple": lambda s, x: Pair(s.fc(x), [x]),
    "dict": lambda s, x: OrderedDict(a=s.fc(x), b=None),
    "tuple with other things": lambda s, x: (s.fc(x), None, 3),
}


def autocast(module: nn.Module, x: Tensor) -> Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return module(x)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")
def test_ways_to_run_a_layer(way: str, training: bool) -> None:
    found = check((lambda: of(WAYS[way], (2, 4), training, fc=fc()), 2 * 3 * 4))
    assert found.notes == ()
    assert found.total("params") >= 3 * 4
    assert found.output_shapes[0][-1] == 3


@pytest.mark.parametrize("dtype", [torch.complex64, torch.half, torch.bfloat16, torch.float64])
def test_dtypes(dtype: torch.dtype) -> None:
    x = torch.zeros(B, T, D, dtype=dtype)
    found = check(
        (lambda: of(lambda s, x: s.fc(x) @ x.mT, x, fc=nn.Linear(D, D, dtype=dtype)), B * (T * D * D + T * T * D))
    )
    assert {row.dtype for row in found.rows} == {str(dtype).removeprefix("torch.")}
    conv = nn.Conv2d(3, 4, 3, dtype=dtype)
    check((lambda: archcalc.analyze(conv, torch.zeros(1, 3, 8, 8, dtype=dtype)), 6 * 6 * 4 * (9 * 3)))
    if not dtype.is_complex:
        check((lambda: of(lambda s, x: s.a(x, x, x), x, a=mha(dtype=dtype)), SELF))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_autocast_gives_the_dtypes_that_it_gives_on_the_cpu(dtype: torch.dtype) -> None:
    def forward(self: Any, x: Tensor) -> list[Tensor]:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            y = self.fc(x)
            scores = (y @ y.mT).softmax(-1)
            with torch.autocast("cpu", enabled=False):
                plain = y.float() @ self.fc.weight.float()
            made = F.scaled_dot_product_attention(y, y.float(), y, attn_mask=torch.ones(T, T, dtype=torch.bool))
            return [
                y,
                scores,
                plain,
                made,
                self.norm(y),
                torch.einsum("btd,bsd->bts", y, x),
                y + plain,
                self.fc(y.float()),
            ]

    net = Of(forward, fc=nn.Linear(D, D), norm=nn.LayerNorm(D)).eval()
    x = torch.rand(B, T, D, dtype=dtype)
    found = trace(net, (x,))
    assert (found.failure, found.notes) == (None, ())
    with torch.no_grad():
        real = [str(tensor.dtype).removeprefix("torch.") for tensor in net(x)]
    assert [spec.dtype for spec in found.outputs] == real


def test_shared_tied_looped_and_uncalled() -> None:
    def forward(self: Any, ids: Tensor) -> Tensor:
        x = self.table(ids)
        for _ in range(3):
            x = self.block(x)
        return F.linear(x, self.table.weight)

    found = of(
        forward, [IDS], table=nn.Embedding(10, D), block=nn.Linear(D, D, bias=False), head=nn.Linear(D, 7), twin=fc()
    )
    assert found.total("macs") == B * T * (3 * D * D + D * 10)
    assert found.total("params") == 10 * D + D * D
    assert [row.call for row in found.rows if row.module == "block"] == [0, 1, 2]
    assert found.uncalled == {"head.weight": 7 * D, "head.bias": 7, "twin.weight": 12, "twin.bias": 3}


# ---- counted one by one


class Multiplications(TorchDispatchMode):
    """Counts the multiply-adds that really happen: a sum of n products of ones is n."""

    total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func._overloadpacket.__name__
        if name in ("mm", "bmm", "mv", "dot", "vdot", "convolution", "addmm", "baddbmm", "addmv"):
            factors = [torch.ones_like(arg) if isinstance(arg, Tensor) else arg for arg in args]
            if "add" in name:
                factors[0] = torch.zeros_like(factors[0])
            if name == "convolution":
                factors[2] = None
            self.total += int(func(*factors).sum())
        return func(*args, **(kwargs or {}))


MODELS: dict[str, tuple[Callable[[], nn.Module], list[tuple[int, ...]]]] = {
    "nn.Transformer": (lambda: nn.Transformer(D, H, 1, 2, 16, batch_first=True), [(B, S, D), (B, T, D)]),
    "nn.LSTM": (lambda: nn.LSTM(D, 6, 2, proj_size=3, bidirectional=True), [(T, B, D)]),
    "nn.GRU": (lambda: nn.GRU(D, 3, 2, batch_first=True), [(B, T, D)]),
    "nn.MultiheadAttention": (lambda: mha(kdim=D, vdim=4, add_bias_kv=True), [(B, T, D), (B, S, D), (B, S, 4)]),
    "convolutions": (
        lambda: nn.Sequential(nn.Conv2d(4, 6, 3, groups=2, stride=2), nn.ReLU(), nn.ConvTranspose2d(6, 4, 3, groups=2)),
        [(2, 4, 9, 9)],
    ),
    "spectral norm": (lambda: nn.utils.parametrizations.spectral_norm(nn.Conv1d(4, 3, 2)), [(2, 4, 9)]),
    "weight norm": (lambda: nn.utils.parametrizations.weight_norm(nn.Linear(4, 3)), [(2, 4)]),
}


@pytest.mark.parametrize("model", MODELS)
def test_multiply_adds_are_those_that_really_happen(model: str) -> None:
    make, shapes = MODELS[model]
    net = make().double().eval()
    with sdpa_kernel(SDPBackend.MATH), Multiplications() as counted:
        net(*[torch.rand(shape, dtype=torch.double, requires_grad=True) for shape in shapes])
    check((lambda: archcalc.analyze(net, shapes), counted.total))
    assert counted.total > 0
