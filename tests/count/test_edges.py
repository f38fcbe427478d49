"""The edges of a report: every row says where its inputs come from, also when rows are folded into modules."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archcalc
from archcalc.count.fold import fold
from archcalc.values.report import Report, Source
from tests.trace.test_trace import Of


def call(row: int, output: int = 0) -> Source:
    return Source("call", row, output)


X = Source("input", None, 0, "args[0]")


def edges(report: Report) -> dict[str, list[Source]]:
    return {row.path: list(row.inputs_from) for row in report.rows}


def halves(self: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    """Two outputs and a shortcut; `relu` reads the second half alone."""
    y = self.fc(x)
    first, second = y.chunk(2, dim=1)
    return first + self.shift, second.relu() + x[:, :2]


def net() -> nn.Module:
    inner = Of(halves, fc=nn.Linear(4, 4))
    inner.register_buffer("shift", torch.ones(2))

    def forward(self: Any, x: Tensor) -> tuple[Tensor, Tensor]:
        first, second = self.inner(x * 2)
        return second * first - second, first

    return Of(forward, inner=inner)


def test_rows_say_where_each_of_their_inputs_comes_from() -> None:
    report = archcalc.analyze(net(), (1, 4))
    assert edges(report) == {
        "mul": [X],  # 0
        "inner.fc": [call(0)],  # 1
        "inner.chunk": [call(1)],  # 2
        "inner.add": [call(2, 0), Source("buffer", None, 0, "inner.shift")],  # 3
        "inner.relu": [call(2, 1)],  # 4
        "inner.getitem": [call(0)],  # 5
        "inner.add_2": [call(4), call(5)],  # 6
        "mul_2": [call(6), call(3)],  # 7
        "sub": [call(7), call(6)],  # 8
    }
    assert report.outputs_from == (call(8), call(3))
    assert all(len(row.inputs_from) == len(row.input_shapes) for row in report.rows)


def test_a_folded_module_keeps_the_edges_to_what_is_outside_it() -> None:
    folded = fold(archcalc.analyze(net(), (1, 4)), 1)
    assert edges(folded) == {
        "mul": [X],  # 0
        "inner": [call(0), Source("buffer", None, 0, "inner.shift")],  # 1, and once though two of its calls read it
        "mul_2": [call(1, 1), call(1, 0)],  # 2: the sum that was made first is output 0
        "sub": [call(2), call(1, 1)],  # 3
    }
    assert folded.outputs_from == (call(3), call(1, 0))


def test_a_row_that_stays_alone_keeps_the_numbers_of_its_outputs() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        return self.inner(x.chunk(2, dim=1)[1])

    folded = fold(archcalc.analyze(Of(forward, inner=nn.Sequential(nn.Linear(2, 2), nn.ReLU())), (1, 4)), 1)
    assert edges(folded) == {"chunk": [X], "inner": [call(0, 1)]}


def test_a_module_that_runs_twice_is_one_row_without_an_edge_to_itself() -> None:
    block = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
    folded = fold(archcalc.analyze(Of(lambda self, x: self.block(self.block(x) + 1), block=block), (1, 4)), 1)
    # its output of the first run is read by the row below it, which it reads in the second
    assert edges(folded) == {"block": [X, call(1)], "add": [call(0, 0)]}
    assert folded.outputs_from == (call(0, 1),)


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("name", ["googlenet", "resnet18", "lenet5", "alexnet"])
def test_folded_edges_lead_to_rows_and_leave_none_out(name: str, depth: int) -> None:
    whole = archcalc.analyze(name)
    folded = fold(whole, depth)
    sources = [*folded.outputs_from, *(source for row in folded.rows for source in row.inputs_from)]
    read = {(source.row, source.output) for source in sources if source.row is not None}
    assert {row for row, _ in read} == set(range(len(folded.rows)))  # nothing dangles
    assert all(source.row != number for number, row in enumerate(folded.rows) for source in row.inputs_from)
    made = {number: {output for row, output in read if row == number} for number in range(len(folded.rows))}
    for number, row in enumerate(folded.rows):
        if row.calls > 1:
            assert made[number] == set(range(len(made[number])))


def test_json_carries_the_edges() -> None:
    report = archcalc.analyze(net(), (1, 4))
    written = json.loads(json.dumps(report.to_dict()))
    assert written["rows"][0]["inputs_from"] == [{"origin": "input", "row": None, "output": 0, "name": "args[0]"}]
    assert written["outputs_from"] == [
        {"origin": "call", "row": 8, "output": 0, "name": ""},
        {"origin": "call", "row": 3, "output": 0, "name": ""},
    ]
