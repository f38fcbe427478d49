"""Small nets that other tools count in ways of their own, right or wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def small() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3),  # 8x10x10 of 12x12
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(2),  # 8x5x5
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 4),
    )


class Calls(nn.Module):
    """Modules, and a function that is given them and the inputs."""

    def __init__(self, function: Callable[..., Tensor], *parts: nn.Module) -> None:
        super().__init__()
        self.function = function
        self.parts = nn.ModuleList(parts)

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.function(self.parts, *inputs)


class Shared(nn.Module):
    """One convolution and one ReLU under two parents."""

    def __init__(self) -> None:
        super().__init__()
        conv, relu = nn.Conv2d(4, 4, 3, padding=1), nn.ReLU()
        self.first = nn.Sequential(conv, relu)
        self.second = nn.Sequential(conv, nn.BatchNorm2d(4), relu)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.first(x))


class Derived(nn.Conv2d):
    """Not exactly a class of torch's."""


class DerivedAttention(nn.MultiheadAttention):
    """Not exactly a class of torch's."""


def in_place(parts: Any, x: Tensor) -> Tensor:
    y = parts[0](x)
    y += x
    return y.add_(1).relu() + F.relu(2 * y)


def functional(parts: Any, x: Tensor) -> Tensor:
    conv, linear = parts
    return F.max_pool2d(F.relu(F.conv2d(x, conv.weight, conv.bias)), 2).flatten(1) @ linear.weight.T


def attend(parts: Any, x: Tensor, keys: Tensor | None = None, **settings: Any) -> Tensor:
    keys = x if keys is None else keys
    return F.scaled_dot_product_attention(parts[0](x), keys, keys, **settings)


def attention(heads: int = 4, **settings: Any) -> nn.MultiheadAttention:
    return nn.MultiheadAttention(16, heads, batch_first=True, **settings)


LINEAR = nn.Linear(16, 16)
NETS: dict[str, tuple[nn.Module, tuple[int, ...]]] = {
    "batch": (small(), (4, 3, 12, 12)),
    "grouped": (nn.Sequential(nn.Conv2d(4, 8, 3, groups=2), nn.Conv2d(8, 8, 3, groups=8, bias=False)), (2, 4, 9, 9)),
    "activations": (
        nn.Sequential(nn.PReLU(), nn.ReLU6(), nn.GELU(), nn.ELU(), nn.LeakyReLU(), nn.SiLU(), nn.Tanh(), nn.Softmax(1)),
        (2, 4, 5),
    ),
    "padding by name": (
        nn.Sequential(nn.Conv2d(3, 8, 3, padding="same"), nn.Conv2d(8, 8, 4, padding="same")),
        (2, 3, 9, 9),
    ),
    "circular": (nn.Conv2d(3, 8, 3, padding=1, padding_mode="circular"), (2, 3, 9, 9)),
    "one axis": (nn.Sequential(nn.Conv1d(3, 8, 3, 2), nn.ConvTranspose1d(8, 4, 3, 2), nn.MaxPool1d(3)), (2, 3, 19)),
    "three axes": (nn.Sequential(nn.Conv3d(3, 4, 3), nn.BatchNorm3d(4), nn.AdaptiveAvgPool3d(2)), (2, 3, 7, 7, 7)),
    "transposed": (
        nn.Sequential(nn.ConvTranspose2d(4, 8, 3, 2), nn.ConvTranspose2d(8, 8, 2, groups=2, bias=False)),
        (2, 4, 6, 6),
    ),
    "linear, three axes": (nn.Sequential(nn.Linear(8, 16), nn.LayerNorm(16), nn.Linear(16, 8, bias=False)), (2, 5, 8)),
    "linear, four axes": (nn.Sequential(nn.Linear(8, 16), nn.LayerNorm((3, 16))), (2, 5, 3, 8)),
    "linear, one axis": (nn.Linear(8, 16), (8,)),
    "linear, transposed": (Calls(lambda parts, x: parts[0](x.mT), nn.Linear(5, 16)), (2, 5, 8)),
    "pooling": (
        nn.Sequential(
            *(nn.MaxPool2d(3, 2), nn.AvgPool2d(2), nn.AvgPool2d((2, 2), 1), nn.MaxPool2d((2, 2), 1)),
            *(nn.AdaptiveAvgPool2d((3, 3)), nn.AdaptiveMaxPool2d((2, 2))),
        ),
        (2, 3, 37, 37),
    ),
    "pooling, indices": (
        Calls(lambda parts, x: parts[1](*parts[0](x)), nn.MaxPool2d(2, return_indices=True), nn.MaxUnpool2d(2)),
        (2, 3, 8, 8),
    ),
    "average pooling": (
        nn.Sequential(
            *(nn.AvgPool2d(3, 2, 1), nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False)),
            *(nn.AvgPool2d((2, 3), padding=(1, 0)), nn.AdaptiveAvgPool2d((3, 2))),
        ),
        (2, 3, 37, 38),
    ),
    "softmax": (nn.Sequential(nn.Softmin(1), nn.LogSoftmax(-1), nn.Softmax2d()), (2, 3, 5, 5)),
    "response norm": (nn.Sequential(nn.LocalResponseNorm(5), nn.LocalResponseNorm(4)), (2, 6, 7, 7)),
    "response norm, one axis": (nn.LocalResponseNorm(5), (2, 6, 7)),
    "norms": (
        nn.Sequential(
            *(nn.GroupNorm(2, 4), nn.InstanceNorm2d(4), nn.InstanceNorm2d(4, affine=True), nn.RMSNorm(6)),
            *(nn.BatchNorm2d(4, affine=False), nn.BatchNorm2d(4, track_running_stats=False)),
            nn.LayerNorm(6, elementwise_affine=False),
        ),
        (2, 4, 6, 6),
    ),
    "upsampling": (
        nn.Sequential(
            *(
                nn.Upsample(scale_factor=2),
                nn.Upsample((9, 9), mode="bilinear"),
                nn.UpsamplingNearest2d(scale_factor=2),
            ),
            *(nn.Upsample(scale_factor=2, mode="bicubic"), nn.Upsample(scale_factor=(1.5, 2.5))),
        ),
        (2, 4, 6, 6),
    ),
    "attention": (Calls(lambda parts, x: parts[0](x, x, x)[0], attention()), (2, 6, 16)),
    "attention, no bias": (Calls(lambda parts, x: parts[0](x, x, x)[0], attention(bias=False)), (1, 6, 16)),
    "attention, fused": (Calls(lambda parts, x: parts[0](x, x, x, need_weights=False)[0], attention()), (2, 6, 16)),
    "attention, derived": (Calls(lambda parts, x: parts[0](x, x, x)[0], DerivedAttention(16, 4)), (6, 2, 16)),
    "attention, masked": (
        Calls(lambda parts, x: parts[0](x, x, x, attn_mask=torch.zeros(6, 6))[0], attention()),
        (2, 6, 16),
    ),
    "attention, other keys": (Calls(lambda parts, x: parts[1](parts[0](x), x, x)[0], LINEAR, attention()), (2, 6, 16)),
    "attention, other widths": (
        Calls(lambda parts, x: parts[0](x, x[..., :8], x[..., :12])[0], attention(kdim=8, vdim=12)),
        (2, 6, 16),
    ),
    "attention, more keys": (
        Calls(lambda parts, x: parts[0](x, x, x)[0], attention(add_bias_kv=True, add_zero_attn=True)),
        (2, 6, 16),
    ),
    "attention, a boolean mask": (
        Calls(lambda parts, x: parts[0](x, x, x, attn_mask=torch.ones(6, 6, dtype=torch.bool))[0], attention()),
        (2, 6, 16),
    ),
    "attention, without batch": (Calls(lambda parts, x: parts[0](x, x, x)[0], attention()), (6, 16)),
    "encoder": (nn.TransformerEncoderLayer(16, 4, 32, batch_first=True), (2, 6, 16)),
    "encoder, frozen": (nn.TransformerEncoderLayer(16, 4, 32).requires_grad_(False), (6, 2, 16)),
    "kernel": (Calls(attend, LINEAR), (2, 4, 6, 16)),
    "kernel, three axes": (
        Calls(lambda parts, x: F.scaled_dot_product_attention(parts[0](x), x, x), LINEAR),
        (2, 6, 16),
    ),
    "kernel, few heads": (
        Calls(
            lambda parts, x: F.scaled_dot_product_attention(parts[0](x), x[:, :2], x[:, :2], enable_gqa=True), LINEAR
        ),
        (2, 4, 6, 16),
    ),
    "operators": (Calls(lambda parts, x: F.softmax(parts[0](x) @ x.mT / 4, -1) @ x, LINEAR), (2, 4, 6, 16)),
    "functions": (
        Calls(lambda parts, x: torch.matmul(torch.matmul(parts[0](x), x.mT).mul(2).softmax(-1), x), LINEAR),
        (2, 4, 6, 16),
    ),
    "bmm": (Calls(lambda parts, x: torch.bmm(parts[0](x), x.mT).bmm(x), LINEAR), (2, 6, 16)),
    "baddbmm": (Calls(lambda parts, x: torch.baddbmm(x, parts[0](x).bmm(x.mT), x), LINEAR), (2, 6, 16)),
    "repeated": (
        Calls(lambda parts, x: torch.matmul(parts[0].weight, x) + parts[0].weight @ x, nn.Linear(6, 4)),
        (3, 6, 8),
    ),
    "vector": (Calls(lambda parts, x: parts[0](x) @ x[0], LINEAR), (6, 16)),
    "einsum": (Calls(lambda parts, x: torch.einsum("bhid,bhjd->bhij", parts[0](x), x), LINEAR), (2, 3, 67, 16)),
    "einsum, a list": (Calls(lambda parts, x: torch.einsum("bi,bj->bij", [parts[0](x), x]), LINEAR), (2, 16)),
    "einsum, an ellipsis": (
        Calls(lambda parts, x: torch.einsum("...ij,...kj->...ik", parts[0](x), x), LINEAR),
        (2, 6, 16),
    ),
    "einsum, elements": (Calls(lambda parts, x: torch.einsum("bij,bij->bij", parts[0](x), x), LINEAR), (2, 6, 16)),
    "einsum, sums first": (Calls(lambda parts, x: torch.einsum("bij,bkl->bik", parts[0](x), x), LINEAR), (2, 6, 16)),
    "arithmetic": (Calls(lambda parts, x: 1 / parts[0](x) + 2**x + x.exp().rsqrt() + x // 2, LINEAR), (2, 6, 16)),
    "reductions": (
        Calls(lambda parts, x: parts[0](x).mean(1) + x.max(1).values + x.std(1) + x.sort(1).values[:, 0], LINEAR),
        (2, 6, 16),
    ),
    "normalized": (Calls(lambda parts, x: F.normalize(parts[0](x), dim=-1) + x.norm(), LINEAR), (2, 6, 16)),
    "computed weight": (
        Calls(lambda parts, x: F.conv2d(x, 2 * parts[0].weight, parts[0].bias), nn.Conv2d(3, 4, 3)),
        (2, 3, 12, 12),
    ),
    "constants": (Calls(lambda parts, x: parts[0](x) + 2 * torch.arange(16), LINEAR), (2, 6, 16)),
    "unused": (Calls(lambda parts, x: (parts[0](x), parts[0](x + 1))[0], LINEAR), (2, 6, 16)),
    "add": (Calls(lambda parts, x: torch.add(parts[0](x), x) + x.mul(2) + x.add(x) * 2, LINEAR), (2, 6, 16)),
    "in place": (Calls(in_place, LINEAR), (2, 6, 16)),
    "functional": (Calls(functional, nn.Conv2d(3, 4, 3), nn.Linear(100, 5)), (2, 3, 12, 12)),
    "lstm": (nn.LSTM(8, 6, num_layers=2, bidirectional=True), (5, 2, 8)),
    "lstm, projected": (nn.LSTM(8, 6, proj_size=3), (5, 2, 8)),
    "lstm, projected layers": (nn.LSTM(8, 6, 2, proj_size=3), (5, 2, 8)),
    "lstm, projected both ways": (nn.LSTM(8, 6, 2, bidirectional=True, proj_size=3), (5, 2, 8)),
    "bilinear": (Calls(lambda parts, x: parts[0](x, x), nn.Bilinear(16, 16, 5)), (2, 6, 16)),
    "gru": (nn.GRU(8, 6, num_layers=2, bidirectional=True), (5, 2, 8)),
    "rnn": (nn.RNN(8, 6, bias=False, batch_first=True), (2, 5, 8)),
    "lstm cell": (nn.LSTMCell(8, 6), (2, 8)),
    "gru cell": (nn.GRUCell(8, 6), (2, 8)),
    "gru cell, without batch": (nn.GRUCell(8, 6), (8,)),
    "shared": (Shared(), (2, 4, 6, 6)),
    "derived": (nn.Sequential(Derived(3, 3, 3)), (2, 3, 9, 9)),
    "weight norm": (nn.Sequential(torch.nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 3))), (2, 3, 9, 9)),
    "without batch": (nn.Sequential(nn.Conv2d(3, 4, 3)), (3, 9, 9)),
}
