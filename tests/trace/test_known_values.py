"""Values that depend on no weight: read on the quick path, and never stale."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archcalc
from archcalc.trace import known_values
from archcalc.trace.run import trace
from archcalc.values.trace import Trace
from tests.trace.test_trace import Of

IDS = torch.arange(8).reshape(2, 4)


def quick(forward: Callable[..., Any], *args: Any, **children: nn.Module) -> Trace:
    """The trace of a run without data, which must not need another."""
    recorded = trace(Of(forward, **children), args)
    assert recorded.failure is None
    return recorded


def read(forward: Callable[..., Any], *args: Any, **children: nn.Module) -> list[Any]:
    """What a forward reads of its arguments on the quick path: what it appends to `read`."""
    values: list[Any] = []
    quick(lambda self, *inputs: forward(values, *inputs), *args, **children)
    return values


def masked_languages(layers: int, width: int) -> nn.Module:
    """A language model's way with its mask: it leaves attention's out where there is no padding."""

    def forward(self: Any, ids: Tensor, mask: Tensor) -> Tensor:
        x = self.words(ids)
        length = int(mask.sum(1).max())
        for layer in self.layers:
            x = layer(x) if torch.all(mask == 1) else self.padded(layer(x)[mask.bool()]).sum(0, keepdim=True) + x
        y: Tensor = x[:, :length]
        return y

    blocks = nn.ModuleList(nn.Linear(width, width) for _ in range(layers))
    return Of(forward, words=nn.Embedding(100, width), layers=blocks, padded=nn.Linear(width, width))


def test_a_mask_of_ones_is_read_without_a_real_run() -> None:
    report = archcalc.analyze(masked_languages(3, 8), [IDS, torch.ones_like(IDS)])
    assert report.total("macs") == 3 * 8 * 8 * 8
    assert report.notes == ()


def test_padding_is_read_without_a_real_run() -> None:
    mask = torch.tensor([[1, 1, 1, 0], [1, 1, 0, 0]])
    report = archcalc.analyze(masked_languages(2, 8), [IDS, mask])
    assert report.total("macs") == 2 * (8 + 5) * 8 * 8  # all eight places, then the five that are no padding
    assert report.notes == ()
    assert [spec.shape for spec in trace(masked_languages(2, 8), (IDS, mask)).outputs] == [(2, 3, 8)]


def test_a_model_without_room_for_its_weights_reads_its_mask() -> None:
    with torch.device("meta"):
        net = masked_languages(64, 2**16)  # 64 times 17 GB
    report = archcalc.analyze(net, [IDS, torch.ones_like(IDS)])
    assert report.total("macs") == 64 * 8 * 2**32


def test_numbers_that_were_drawn_and_read_are_noted() -> None:
    def forward(self: Any, ids: Tensor, mask: Tensor) -> Any:
        return self.words(ids) * (2 if ids.max().item() > 3 else 1)

    net = Of(forward, words=nn.Embedding(7, 4))
    drawn = archcalc.analyze(net, lambda: [torch.empty(2, 50, dtype=torch.int64, device="meta")] * 2)
    assert drawn.notes == (
        "the model reads values of its inputs: whole numbers among them were drawn below 7 (seed 0)",
    )
    assert archcalc.analyze(net, [IDS % 7, IDS]).notes == ()


def test_nothing_is_drawn_or_run_for_a_model_that_reads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_values.KnownValues, "_run", lambda self, step: pytest.fail("a step was run"))
    quick(lambda self, ids: self.words((ids + 1) * (ids > 2)), IDS, words=nn.Embedding(70, 4))


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda ids: ids.max().item() + 1, 8),
        (lambda ids: ids.tolist(), [[0, 1, 2, 3], [4, 5, 6, 7]]),
        (lambda ids: bool((ids >= 0).all()), True),
        (lambda ids: int(ids[1, 2]), 6),
        (lambda ids: ids.sum().numpy().tolist(), 28),
        (lambda ids: 5 in ids, True),
        (lambda ids: torch.equal(ids, ids + 0), True),
        (lambda ids: [3] * ids[0, 2], [3, 3]),
        (lambda ids: (ids > 4).nonzero().tolist(), [[1, 1], [1, 2], [1, 3]]),
        (lambda ids: ids[ids > 5].tolist(), [6, 7]),
        (lambda ids: torch.masked_select(ids, ids > 5).tolist(), [6, 7]),
        (lambda ids: torch.unique(ids // 3).tolist(), [0, 1, 2]),
        (lambda ids: tuple(torch.zeros(9, 2)[: ids[0, 3]].shape), (3, 2)),
        (lambda ids: tuple(torch.arange(ids.max()).shape), (7,)),
        (lambda ids: ids.view(-1, ids[0, 2]).tolist(), [[0, 1], [2, 3], [4, 5], [6, 7]]),
        (lambda ids: ids.repeat_interleave(ids[0, :2], 0).tolist(), [[4, 5, 6, 7]]),
        (lambda ids: ids.new_ones(3).tolist(), [1, 1, 1]),
    ],
)
def test_what_the_model_reads_is_what_a_real_run_reads(function: Callable[[Tensor], Any], expected: Any) -> None:
    assert function(IDS) == expected
    assert read(lambda values, ids: values.append(function(ids)), IDS) == [expected]


def test_a_size_is_no_memory_of_an_equal_call_with_another() -> None:
    def forward(self: Any, x: Tensor, lengths: Tensor) -> Any:
        return [self.fc(x[: lengths[at]]) for at in range(3)]

    recorded = quick(forward, torch.empty(9, 4), torch.tensor([2, 5, 8]), fc=nn.Linear(4, 3))
    assert [spec.shape for spec in recorded.outputs] == [(2, 3), (5, 3), (8, 3)]


def test_writes_and_views_of_what_is_known() -> None:
    def forward(values: list[Any], ids: Tensor) -> None:
        copy = ids.clone()
        row = copy[1]
        before = copy + 0
        row += 100
        copy[0, 0] = 7
        values.append((copy.tolist(), row.tolist(), before.tolist()))
        row.zero_()
        values.append(copy.sum().item())

    assert read(forward, IDS) == [
        ([[7, 1, 2, 3], [104, 105, 106, 107]], [104, 105, 106, 107], [[0, 1, 2, 3], [4, 5, 6, 7]]),
        7 + 1 + 2 + 3,
    ]
    assert IDS.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_what_the_model_writes_to_its_input_is_read_back_and_the_input_stays() -> None:
    def forward(values: list[Any], ids: Tensor) -> None:
        ids[:, 0] = 9
        ids.mul_(2)
        values.append(ids.tolist())

    given = IDS.clone()
    assert read(forward, given) == [[[18, 2, 4, 6], [18, 10, 12, 14]]]
    assert given.equal(IDS)


def test_a_constant_that_known_values_are_written_to() -> None:
    def forward(values: list[Any], ids: Tensor) -> None:
        table = torch.zeros(3, 4, dtype=torch.int64)
        table[1:] = ids
        table[0] += table[2]
        values.append(table.tolist())

    assert read(forward, IDS) == [[[4, 5, 6, 7], [0, 1, 2, 3], [4, 5, 6, 7]]]


def test_a_buffer_of_the_model_is_not_written_to() -> None:
    def forward(self: Any, ids: Tensor) -> Any:
        self.seen[:2] = ids.sum(1)
        return self.seen * self.seen.sum().item()

    net = Of(forward)
    net.register_buffer("seen", torch.zeros(3, dtype=torch.int64))
    assert trace(net, (IDS,)).failure is None
    assert net.seen.tolist() == [0, 0, 0]  # type: ignore[operator]  # torch types buffers as modules


READS_WHAT_IS_LOST: dict[str, Callable[..., Any]] = {
    "a float input": lambda self, ids, x: bool((x > 0).all()),
    "a weight": lambda self, ids, x: self.words(ids).sum().item(),
    "written to": lambda self, ids, x: ids.clone().copy_(x[0, 0]).max().item(),
    "written to through a view": lambda self, ids, x: _through_a_view(ids.clone(), x),
    "a constant with a view": lambda self, ids, x: _through_a_view(torch.zeros(2, 4), x + ids),
    "data of its own": lambda self, ids, x: _with_other_data(ids.clone(), x.long()),
}


def _through_a_view(table: Tensor, x: Tensor) -> Any:
    view = table[0]
    view.copy_(x[0])
    return table.sum().item()


def _with_other_data(ids: Tensor, x: Tensor) -> Any:
    ids.data = x
    return ids.sum().item()


@pytest.mark.parametrize("name", READS_WHAT_IS_LOST)
def test_what_depends_on_a_float_is_not_known(name: str) -> None:
    net = Of(READS_WHAT_IS_LOST[name], words=nn.Embedding(9, 4))
    failure = trace(net, (IDS, torch.ones(2, 4))).failure
    assert failure is not None
    assert "meta" in failure


def test_a_constant_that_changes_after_it_was_used_is_not_read_late() -> None:
    def forward(self: Any, ids: Tensor) -> Any:
        offset = torch.zeros(4, dtype=torch.int64)
        moved = ids + offset
        offset += 50
        return self.words(ids)[: int(moved.max()) - 6]

    report = archcalc.analyze(Of(forward, words=nn.Embedding(9, 4)), IDS)
    assert report.rows[-1].output_shape == (1, 4, 4)


def test_a_list_that_changes_after_it_was_used_is_not_read_late() -> None:
    def forward(values: list[Any], ids: Tensor) -> None:
        sizes = [4, 2]
        y = ids.reshape(sizes)
        sizes[:] = [8, 1]
        values.append(y.tolist())

    assert read(forward, IDS) == [[[0, 1], [2, 3], [4, 5], [6, 7]]]


def test_large_inputs_are_not_kept() -> None:
    large = torch.ones(2**20 + 1, dtype=torch.bool)
    assert read(lambda values, mask: values.append(bool(mask.all())), large[:-1]) == [True]
    failure = trace(Of(lambda self, mask: bool(mask.all())), (large,)).failure
    assert failure is not None


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize("width", [12, 13])
def test_mixtures_of_experts_count_in_any_precision(dtype: torch.dtype, width: int) -> None:
    def forward(self: Any, x: Tensor, ends: Tensor) -> Any:
        return torch._grouped_mm(x, self.experts.transpose(1, 2), offs=ends)

    net = Of(forward)
    net.register_parameter("experts", nn.Parameter(torch.rand(4, width, 16, dtype=dtype)))
    x, ends = torch.rand(10, 16, dtype=dtype), torch.tensor([2, 5, 8, 10], dtype=torch.int32)
    report = archcalc.analyze(net, [x, ends])
    assert report.total("macs") == 10 * 16 * width
    assert report.complete
    with torch.no_grad():
        real = net(x, ends)
    recorded = trace(Of(lambda self, x, ends: self.inner(x, ends).view(-1), inner=net), (x, ends))
    assert (recorded.failure is None) is (real.stride() == (width, 1))  # rows begin at multiples of 16 bytes


_READ: list[list[Any]] = []
"""What each run of a program reads; no attribute of it, because a twin has attributes of its own."""


class Program(nn.Module):
    """Random calls on whole numbers, with writes through views, that read values now and then."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.seed = seed

    def forward(self, ids: Tensor, x: Tensor) -> Tensor:
        choose = random.Random(self.seed)
        held = [ids, torch.arange(8).reshape(2, 4), ids * 2]
        for _ in range(30):
            a, b = choose.choice(held), choose.choice(held)
            kind = choose.randrange(11)
            if kind == 0:
                held.append(a[choose.randrange(2)].expand(2, 4).clone())
            elif kind == 1:
                held.append(a.flip(choose.randrange(2)))
            elif kind == 2:
                held.append(a.view(4, 2).view(2, 4) if a.is_contiguous() else a.reshape(2, 4))
            elif kind == 3:
                held.append(a + b)
            elif kind == 4:
                a[choose.randrange(2)] = choose.randrange(9)
            elif kind == 5:
                a[:, choose.randrange(4)] += 3
            elif kind == 6:
                a.copy_(b + 1)
            elif kind == 7:
                held.append(torch.where(a > b, a, 0))
            elif kind == 8:
                held.append(torch.full((2, 4), choose.randrange(5)))
            elif kind == 9:
                held.append(a.t().contiguous().t())
            else:
                _READ[-1].append(a.tolist())
        _READ[-1].append([one.tolist() for one in held])
        return x


@pytest.mark.parametrize("seed", [*range(60), 1126])
def test_random_programs_read_what_a_real_run_reads(seed: int) -> None:
    _READ[:] = [[]]
    Program(seed)(IDS.clone(), torch.ones(1))
    _READ.append([])
    failure = trace(Program(seed), (IDS.clone(), torch.ones(1))).failure
    real, seen = _READ
    assert seen == real[: len(seen)]
    assert failure is not None or len(seen) == len(real)
