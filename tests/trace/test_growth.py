"""The work of an analysis grows in a line with the network: counted in calls, so that a slow machine fails nothing."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from torch import Tensor, nn

from archcalc.count.memory import budget
from archcalc.ops.axis import through_transposed_window, through_window, upsampled
from archcalc.trace.run import trace
from archcalc.values.axis_field import AxisField
from tests.support.calls import calls_of


class Views(nn.Module):
    """Writes its input into one column of a tensor after another, each through a view."""

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.columns = columns

    def forward(self, x: Tensor) -> Tensor:
        """N to N×columns."""
        out = x.new_zeros(len(x), self.columns)
        for column in range(self.columns):
            out[:, column].copy_(x)
        return out


class Steps(nn.Module):
    """An LSTM cell, step by step."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.cell, self.steps = nn.LSTMCell(3, 3), steps

    def forward(self, x: Tensor) -> Tensor:
        """N×3 to N×3."""
        state = self.cell(x)
        for _ in range(self.steps - 1):
            state = self.cell(x, state)
        hidden: Tensor = state[0]
        return hidden


@pytest.mark.parametrize("autograd", [False, True])
def test_writing_through_views_grows_in_a_line(autograd: bool) -> None:
    work = [calls_of(trace, Views(size), (torch.zeros(2),), autograd=autograd) for size in (20, 120, 220)]
    assert work[2] - work[1] < 1.1 * (work[1] - work[0])


class FanOut(nn.Module):
    """Many calls read one tensor, and the last one reads all of theirs: everything is alive at once."""

    def __init__(self, calls: int) -> None:
        super().__init__()
        self.calls, self.weight = calls, nn.Parameter(torch.ones(3))

    def forward(self, x: Tensor) -> Tensor:
        """N×3 to (N·calls)×3."""
        return torch.cat([x * self.weight for _ in range(self.calls)])


def test_the_memory_of_many_live_tensors_grows_in_a_line() -> None:
    traces = [trace(FanOut(size), (torch.zeros(2, 3),), autograd=True) for size in (20, 120, 220)]
    work = [calls_of(budget, recorded) for recorded in traces]
    assert work[2] - work[1] < 1.1 * (work[1] - work[0])


def test_a_write_reaches_every_view_that_is_used_later() -> None:
    class Overlapping(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            out = torch.zeros(2, 3)
            first, second = out[0], out[1]
            first.copy_(x)
            second.add_(x)
            return first, out

    ops = trace(Overlapping(), (torch.zeros(3),)).ops
    assert [op.kind for op in ops] == ["copy", "add"]
    assert ops[1].inputs[0].producer == 0  # the memory as a whole was last written to by the copy


def test_a_step_of_a_loop_runs_no_kernel_that_ran_before() -> None:
    """Each of the kernels for the meta device takes a hundred calls of Python; a step has about twenty of them."""
    work = [calls_of(trace, Steps(size), (torch.zeros(2, 3),), autograd=True) for size in (3, 13, 23)]
    ops_a_step = 15  # two products with their transposed weights, two sums, a split, four activations, the state's four
    assert work[2] - work[1] < 1.1 * (work[1] - work[0])
    assert (work[2] - work[1]) / 10 < 150 * ops_a_step


def test_what_is_recalled_is_what_running_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    module = nn.Sequential(
        Steps(3), nn.Linear(3, 3), nn.GELU(), nn.Linear(3, 3), nn.GELU(), nn.Linear(3, 3), nn.Softmax(1)
    )
    recalled = trace(module, (torch.zeros(2, 3),), autograd=True)
    monkeypatch.setattr("archcalc.trace.dispatch.memo_key", lambda func, args, kwargs: None)
    assert trace(module, (torch.zeros(2, 3),), autograd=True) == recalled


def field_behind(factor: int) -> AxisField:
    """An axis enlarged by a factor, through three windows, a transposed one and a stride."""
    for step in (upsampled, through_window, through_transposed_window):
        step.cache_clear()
    axis = upsampled(AxisField(length=9), factor, True)
    for _ in range(3):
        axis = through_window(axis, 3, 1, 1, 1)
    return through_window(through_transposed_window(axis, 2, 2, 0, 1), 5, 3, 2, 1)


def test_the_factor_of_an_upsampling_costs_no_work() -> None:
    small, large = (calls_of(field_behind, factor) for factor in (101, 1_000_003))
    assert large < 2 * small  # bisecting a million positions takes 20 steps, and a hundred takes 7


def test_units_behind_a_large_upsampling_see_what_its_definition_says() -> None:
    """Nearest by 997: unit j reads pixel j // 997; a window of 3 reads its neighbours too."""
    axis = through_window(upsampled(AxisField(length=9), 997, False), 3, 1, 1, 1)
    assert [axis.ends(j) for j in (0, 1, 995, 996, 997, 998)] == [(-1, 0), (0, 0), (0, 0), (0, 1), (0, 1), (1, 1)]
    assert axis.size == 2
    assert axis.jump == Fraction(1, 997)


def test_a_transposed_window_with_gaps_costs_no_more_than_what_it_reads() -> None:
    """With as many taps as its stride, 2 positions apart, a unit is reached by one tap or two: linear in the stride."""
    work = []
    for stride in (101, 201, 301):
        work.append(calls_of(through_transposed_window.__wrapped__, AxisField(length=9), stride, stride, 0, 2))
    assert work[2] - work[1] < 1.1 * (work[1] - work[0])
