"""Control flow that torch has as operators: what runs is recorded as if Python had run it, weights included."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._higher_order_ops.cond import cond_op

import archcalc
from tests.trace.test_trace import Of, traced

FC = 2 * 4 * 4  # two rows of 4 through a 4×4 matrix


def fc() -> nn.Linear:
    return nn.Linear(4, 4)


def either(self: Any, condition: Any, x: Tensor) -> Tensor:
    # what torch.cond calls, which imports torch's compiler first
    result: Tensor = cond_op(condition, lambda x: self.a(x), lambda x: self.b(self.b(x)), (x,))
    return result


@pytest.mark.parametrize(
    ("condition", "macs"),
    [
        (lambda x: torch.tensor(True), FC),
        (lambda x: torch.tensor(False), 2 * FC),
        (lambda x: x.sum() > -1, FC),  # a value of the input: the model is run on real tensors
    ],
)
def test_the_branch_that_is_taken_is_counted(condition: Any, macs: int) -> None:
    report = archcalc.analyze(
        Of(lambda self, x: either(self, condition(x), x), a=fc(), b=fc()), (2, 4), training=True, backward=True
    )
    taken, other = ("a", "b") if macs == FC else ("b", "a")
    assert (report.macs, report.complete, report.params) == (macs, True, 4 * 4 + 4)
    assert report.uncalled == {f"{other}.weight": 16, f"{other}.bias": 4}
    assert {row.module for row in report.rows if row.macs} == {taken}
    # the weight's gradient of each run, and the input's of the second
    assert report.total("backward_macs") == (FC if taken == "a" else 3 * FC)


def test_every_step_of_a_loop_is_counted() -> None:
    from torch._higher_order_ops.while_loop import while_loop

    def forward(self: Any, x: Tensor) -> Tensor:
        state = {"step": torch.tensor(0), "x": x}
        more = while_loop(lambda s: s["step"] < 3, lambda s: ({"step": s["step"] + 1, "x": self.a(s["x"])},), (state,))
        result: Tensor = more[0]["x"]
        return result

    report = archcalc.analyze(Of(forward, a=fc()), (2, 4), training=True, backward=True)
    # three products, their weights' gradients, and two inputs'
    assert (report.macs, report.total("backward_macs"), report.params) == (3 * FC, 5 * FC, 20)


def test_scan_and_map_give_what_they_give() -> None:
    from torch._higher_order_ops.map import map as torch_map
    from torch._higher_order_ops.scan import scan

    def forward(self: Any, x: Tensor) -> Any:
        def step(carried: Tensor, x: Tensor) -> Any:
            return self.a(carried + x), {"y": x[:, :2] + 1}

        def applied(x: Tensor, *rest: Any) -> Any:
            return self.a(x)

        return *scan(step, torch.zeros(2, 4), x, dim=0), torch_map(applied, x)

    found = traced(forward, 3, 2, 4, a=fc())
    assert [spec.shape for spec in found.outputs] == [(2, 4), (3, 2, 2), (3, 2, 4)]
    assert [op.kind for op in found.ops].count("linear") == 3 + 3


@pytest.mark.filterwarnings("ignore:flex_attention called without")
def test_a_weight_that_a_score_mod_reads_is_used() -> None:
    from torch.nn.attention.flex_attention import flex_attention

    def forward(self: Any, x: Tensor) -> Any:
        def biased(score: Tensor, batch: Tensor, head: Tensor, at: Tensor, key: Tensor) -> Tensor:
            return score + self.bias[head]

        return flex_attention(x, x, x, score_mod=biased)

    net = Of(forward)
    net.bias = nn.Parameter(torch.zeros(2))
    report = archcalc.analyze(net, (1, 2, 32, 8))
    # two heads, 32 queries with 32 keys, once for the scores and once for the values
    assert (report.macs, report.params, report.uncalled) == (2 * 2 * 32 * 32 * 8, 2, {})
