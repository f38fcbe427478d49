"""Receptive fields derived by hand, calls that a position can be followed through, and those that it cannot."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import archcalc
from archcalc.ops.axis import through_transposed_window, through_window, union, upsampled
from archcalc.values.axis_field import AxisField
from archcalc.values.report import Row
from tests.support.random_nets import Call


def rows(net: nn.Module | str, *shape: int) -> dict[str, Row]:
    return {row.path: row for row in archcalc.analyze(net, shape or None).rows}


def last(function: Callable[..., Any], *modules: nn.Module, shape: tuple[int, ...] = (1, 4, 20, 22)) -> Row:
    """The last call of a network that is this function."""
    return archcalc.analyze(Call(function, *modules), shape).rows[-1]


def in_a_row(*windows: tuple[int, int]) -> int:
    """The size for kernels and strides in a row: each adds (kernel - 1) steps of what one step is by then."""
    size = jump = 1
    for kernel, stride in windows:
        size += (kernel - 1) * jump
        jump *= stride
    return size


def vgg(*convs: int) -> int:
    return in_a_row(*[window for count in convs for window in [(3, 1)] * count + [(2, 2)]])


def bottlenecks(*stages: int) -> int:
    """He 2015, Table 1: 7x7/2, pool 3x3/2, and in each block a 3x3 behind the 1x1 that takes the stage's stride."""
    windows = [(7, 2), (3, 2)]
    for number, blocks in enumerate(stages):
        windows += [(1, 1 if number == 0 else 2), (3, 1)] + [(3, 1)] * (blocks - 1)
    return in_a_row(*windows)


BY_HAND = {
    ("vgg16", "pool5"): (212, vgg(2, 2, 3, 3, 3), 32),
    ("vgg11", "pool5"): (150, vgg(1, 1, 2, 2, 2), 32),
    ("vgg19", "pool5"): (268, vgg(2, 2, 4, 4, 4), 32),
    # 11x11/4, 3x3/2, 5x5, 3x3/2, three 3x3, 3x3/2
    ("alexnet", "pool5"): (195, in_a_row((11, 4), (3, 2), (5, 1), (3, 2), (3, 1), (3, 1), (3, 1), (3, 2)), 32),
    ("resnet50", "conv5_x.conv5_3.relu"): (483, bottlenecks(3, 4, 6, 3), 32),
    # the longest way: the stem; three modules with 5x5; Figure 10 with two 3x3; four of 1x7, 7x1, 1x7, 7x1, of which
    # two are long along each axis; 1x7, 7x1, 3x3/2; two modules with a 3x3 and a 1x3
    ("inception-v3", "Mixed_7c.cat"): (
        1311,
        in_a_row(
            *[(3, 2), (3, 1), (3, 1), (3, 2), (3, 1), (3, 2)],
            *[(5, 1)] * 3,
            *[(3, 1), (3, 2)],
            *[(7, 1)] * 8,
            *[(7, 1), (3, 2)],
            *[(3, 1)] * 4,
        ),
        32,
    ),
    ("conv3x3-twice", "conv2"): (5, in_a_row((3, 1), (3, 1)), 1),
    ("conv3x3-thrice", "conv3"): (7, in_a_row((3, 1), (3, 1), (3, 1)), 1),
}


@pytest.mark.parametrize(("place", "expected"), BY_HAND.items(), ids=[" ".join(place) for place in BY_HAND])
def test_the_fields_of_known_networks(place: tuple[str, str], expected: tuple[int, int, int]) -> None:
    published, derived, jump = expected
    row = rows(place[0])[place[1]]
    assert row.receptive_field == (published, published) == (derived, derived)
    assert row.jump == (jump, jump)


def test_split_kernels_see_what_the_whole_kernel_sees() -> None:
    split, whole = rows("conv1x7-7x1"), rows("conv7x7")
    assert (split["conv1"].receptive_field, split["conv1"].rf_offset) == ((1, 7), (0, -3))
    assert split["conv2"].receptive_field == whole["conv1"].receptive_field == (7, 7)
    assert split["conv2"].rf_offset == whole["conv1"].rf_offset == (-3, -3)


@pytest.mark.parametrize(("kernel", "dilation", "size"), [(3, 1, 3), (3, 2, 5), (3, 4, 9), (2, 3, 4)])
def test_a_dilated_kernel_spans_its_gaps(kernel: int, dilation: int, size: int) -> None:
    row = last(lambda x, conv: conv(x), nn.Conv2d(4, 4, kernel, dilation=dilation))
    assert row.receptive_field == (size, size) == (dilation * (kernel - 1) + 1,) * 2


def test_the_offset_is_the_padding_in_input_pixels() -> None:
    row = last(lambda x, a, b: b(a(x)), nn.Conv2d(4, 4, 4, 2, padding=1), nn.Conv2d(4, 4, 3, 1, padding=2))
    assert row.rf_offset == (-1 - 2 * 2,) * 2


def test_a_transposed_convolution_halves_the_jump() -> None:
    row = last(lambda x, up: up(x), nn.ConvTranspose2d(4, 4, 4, 2, padding=1))
    assert (row.receptive_field, row.jump) == ((2, 2), (Fraction(1, 2),) * 2)
    # unit 0 reads inputs i with 0 = 2i - 1 + k for k < 4, that is -1 (k = 3) and 0 (k = 1)
    axis = through_transposed_window(AxisField(length=9), 4, 2, 1, 1)
    assert [axis.ends(j) for j in range(4)] == [(-1, 0), (0, 1), (0, 1), (1, 2)]


def test_bilinear_upsampling_reads_the_neighbour_on_its_side() -> None:
    # pixel j of a doubled image lies at j/2 - 1/4: 0 between -1 and 0, 1 between 0 and 1
    assert [upsampled(AxisField(length=9), 2, True).ends(j) for j in range(3)] == [(-1, 0), (0, 1), (0, 1)]
    # three times as large, the middle one of each three lies on a pixel
    assert [upsampled(AxisField(length=9), 3, True).ends(j) for j in range(3)] == [(-1, 0), (0, 0), (0, 1)]
    assert through_window(upsampled(AxisField(length=9), 2, False), 2, 2, 0, 1) == AxisField(length=9)  # and back again


# ---- what is said where paths do not align, or all is seen, or nothing is known


def test_paths_of_different_jumps_are_said_to_be_misaligned() -> None:
    down, keep = nn.Conv2d(4, 4, 3, stride=2), nn.Conv2d(4, 4, 5)
    row = last(lambda x, a, b: a(x)[:, :, :8, :8] + b(x)[:, :, :8, :8], down, keep)
    assert row.misaligned
    assert row.receptive_field == (5, 5)  # of the path that sees most


def test_shifted_paths_of_one_jump_are_united() -> None:
    row = last(lambda x: x[:, :, 3:, :] + x[:, :, :-3, :])
    assert (row.receptive_field, row.rf_offset, row.misaligned) == ((4, 1), (0, 0), False)
    assert union(AxisField(lo=(-2,), hi=(1,)), AxisField(lo=(0,), hi=(5,))) == AxisField(lo=(-2,), hi=(5,))


def self_attention(x: Tensor, attention: nn.Module) -> Tensor:
    tokens = x.flatten(2).transpose(1, 2)
    return attention(tokens, tokens, tokens)[0]


def by_hand(x: Tensor) -> Tensor:
    tokens = x.flatten(2).transpose(1, 2)
    return (tokens @ tokens.transpose(1, 2)).softmax(-1) @ tokens


def with_class_token(x: Tensor, attention: nn.Module) -> Tensor:
    tokens = torch.cat((torch.zeros(1, 1, 4), x.flatten(2).transpose(1, 2)), 1)
    return attention(tokens, tokens, tokens)[0][:, 0]


EVERYTHING: dict[str, tuple[Callable[..., Any], tuple[nn.Module, ...]]] = {
    "attention": (self_attention, (nn.MultiheadAttention(4, 2, batch_first=True),)),
    "attention and class token": (with_class_token, (nn.MultiheadAttention(4, 2, batch_first=True),)),
    "attention of its own": (by_hand, ()),
    "scaled dot product": (lambda x: F.scaled_dot_product_attention(*[x.flatten(2).transpose(1, 2)] * 3), ()),
    "two-way recurrence": (
        lambda x, lstm: lstm(x.flatten(2).permute(2, 0, 1))[0],
        (nn.LSTM(4, 3, bidirectional=True),),
    ),
    "mean": (lambda x: x.mean((2, 3)), ()),
    "mean by its other name": (lambda x: x.mean(axis=(2, 3)), ()),
    "largest": (lambda x: x.amax((-1, -2), keepdim=True), ()),
    "all of it": (lambda x: x.sum(), ()),
    "pool": (lambda x: F.adaptive_max_pool2d(x, 1), ()),
    "flatten": (lambda x, fc: fc(x.flatten(1)), (nn.Linear(1760, 3),)),
    "both axes one by one": (lambda x: x.mean(2).mean(2), ()),
}


@pytest.mark.parametrize("kind", EVERYTHING)
def test_what_reads_every_position_sees_all(kind: str) -> None:
    function, modules = EVERYTHING[kind]
    row = last(function, *modules)
    assert (row.receptive_field, row.jump, row.rf_offset) == ("all", None, None)


def test_one_axis_seen_whole_has_the_inputs_size_and_does_not_move() -> None:
    row = last(lambda x, conv: conv(x).mean(3), nn.Conv2d(4, 4, 3, 2, 1))
    assert (row.receptive_field, row.jump, row.rf_offset) == ((3, 22), (2, 0), (-1, 0))


def put_into_channels(x: Tensor) -> Tensor:
    y = torch.zeros(1, 6, 10, 11)
    y[:, 1:5] = x
    return y


FOLLOWED: dict[str, tuple[Callable[..., Any], tuple[int, int], tuple[int, int]]] = {
    # what is done to what a 3x3 with stride 2 and padding 1 gives: size and offset
    "channels of x": (lambda x: x[:, 1:3], (3, 3), (-1, -1)),
    "one channel": (lambda x: x[:, 1], (3, 3), (-1, -1)),
    "a slice": (lambda x: x[..., 1:, 2:], (3, 3), (1, 3)),
    "every other": (lambda x: x[:, :, 1::2, ::2], (3, 3), (1, -1)),
    "new axis": (lambda x: x[:, None, ..., None], (3, 3), (-1, -1)),
    "transposed": (lambda x: x.transpose(1, 3), (3, 3), (-1, -1)),
    "moved": (lambda x: x.movedim(1, -1), (3, 3), (-1, -1)),
    "batch and channels in one": (lambda x: x.flatten(0, 1), (3, 3), (-1, -1)),
    "larger of two": (lambda x: torch.max(x, -x), (3, 3), (-1, -1)),
    "largest channel": (lambda x: x.max(1)[0], (3, 3), (-1, -1)),
    "beside a constant": (lambda x: torch.cat((x, torch.zeros_like(x)), 1), (3, 3), (-1, -1)),
    "behind a constant": (lambda x: torch.cat((torch.zeros(1, 4, 2, 11), x), 2), (3, 3), (-5, -1)),
    "cat by its other name": (lambda x: torch.cat((x, x), axis=1), (3, 3), (-1, -1)),  # type: ignore[call-arg]
    "put into some channels": (put_into_channels, (3, 3), (-1, -1)),
    "shaped like another": (lambda x: x * torch.ones(1, 4, 1, 1).expand_as(x), (3, 3), (-1, -1)),
    "per position with the batch": (lambda x: x.reshape(4, 10, 11).sum(0), (3, 3), (-1, -1)),
    "gated": (lambda x: F.glu(x, 1), (3, 3), (-1, -1)),
    "linear on the channels": (lambda x: x.movedim(1, -1) @ torch.ones(4, 5), (3, 3), (-1, -1)),
    "cut off": (lambda x: F.pad(x, (0, 0, -2, 1)), (3, 3), (3, -1)),
}


@pytest.mark.parametrize("kind", FOLLOWED)
def test_positions_are_followed_through(kind: str) -> None:
    function, size, offset = FOLLOWED[kind]
    row = last(lambda x, conv: function(conv(x)), nn.Conv2d(4, 4, 3, 2, 1))
    assert (row.receptive_field, row.rf_offset) == (size, offset)
    assert row.jump == ((2, 2) if kind != "every other" else (4, 4))
    assert not row.misaligned


def shifted_in_part(x: Tensor) -> Tensor:
    """Temporal shift: a part of what one position sees goes to the next."""
    y = torch.zeros_like(x)
    y[:, :, 1:] = x[:, :, :-1]
    return y


class Unknown(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.fft.fft(x).abs()


NOT_KNOWN: dict[str, Callable[..., Any]] = {
    "a call without a rule": Unknown(),
    "rolled": lambda x: x.roll(1, 2),
    "mirrored": lambda x: x.flip(3),
    "rows picked by a list": lambda x: x[:, :, [0, 3, 1]],
    "rows picked by a tensor": lambda x: x.index_select(2, torch.arange(19, -1, -1)),
    "rows split off": lambda x: x.chunk(2, 2)[0],
    "images side by side": lambda x: torch.cat((x, x), 3),
    "windows": lambda x: x.reshape(1, 4, 5, 4, 22),
    "resized by no whole factor": lambda x: F.interpolate(x, scale_factor=1.3),
    "resized by 1.04, which rounds to as many": lambda x: F.interpolate(x, scale_factor=1.04, mode="bilinear"),
    "corners aligned": lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True),
    "cubic": lambda x: F.interpolate(x, scale_factor=2, mode="bicubic"),
    "windows of several sizes": lambda x: F.adaptive_avg_pool2d(x, 3),
    "units that see nothing": lambda x: F.conv_transpose2d(x, torch.ones(4, 4, 1, 1), stride=2),
    "a kernel made of the image": lambda x: F.conv2d(x, x),
    "shifted in part": shifted_in_part,
    "masked attention": lambda x: F.scaled_dot_product_attention(*[x.flatten(2).transpose(1, 2)] * 3, is_causal=True),  # type: ignore[misc]
    "attention within rows": lambda x: F.scaled_dot_product_attention(x, x, x),
    "one row for all": lambda x: x + F.conv2d(x, torch.ones(4, 4, 19, 1), padding=(0, 0))[:, :, :1],
    "rows with columns": lambda x: x[:, :, :20, :20] + x[:, :, :20, :20].transpose(2, 3),
}


@pytest.mark.parametrize("kind", NOT_KNOWN)
def test_what_cannot_be_followed_is_unknown_from_there_on(kind: str) -> None:
    report = archcalc.analyze(Call(lambda x: NOT_KNOWN[kind](x).relu() * 2), (1, 4, 20, 22))
    for row in report.rows[-2:]:
        assert (row.receptive_field, row.jump, row.rf_offset, row.misaligned) == (None, None, None, False)


def test_rows_before_the_unknown_keep_their_fields() -> None:
    report = archcalc.analyze(Call(lambda x, conv: conv(x).roll(1, 2), nn.Conv2d(4, 4, 3)), (1, 4, 20, 22))
    assert [row.receptive_field for row in report.rows] == [(3, 3), None]


def test_an_input_that_is_no_image_has_no_field() -> None:
    assert archcalc.analyze(nn.Linear(8, 3), (2, 8)).rows[0].receptive_field is None
    assert archcalc.analyze(nn.Linear(8, 3), (2, 5, 8)).rows[0].receptive_field is None  # words of eight features
    assert archcalc.analyze(nn.Conv2d(4, 4, 3), (4, 20, 22)).rows[0].receptive_field is None  # without its batch
    assert archcalc.analyze(nn.Conv1d(4, 4, 3), (2, 4, 20)).rows[0].receptive_field == (3,)
    assert archcalc.analyze(nn.Conv3d(4, 4, (1, 3, 5)), (2, 4, 9, 9, 9)).rows[0].receptive_field == (1, 3, 5)


def test_a_constant_of_the_images_shape_is_not_the_image() -> None:
    grid = nn.Buffer(torch.ones(1, 4, 20, 22))

    class Shifted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.grid = grid

        def forward(self, x: Tensor) -> Tensor:
            return F.pad(x[:, :, 5:], (0, 0, 0, 5)) + self.grid

    assert archcalc.analyze(Shifted(), (1, 4, 20, 22)).rows[-1].receptive_field == (1, 1)
