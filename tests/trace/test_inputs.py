"""What a model may be given: shapes, dtypes, tensors, keywords, plain values, a callable that makes them."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

import archcalc
from archcalc.values.input_size import Typed, of_another_batch, parse_input, with_batch
from tests.cli.test_cli import rows, run
from tests.trace.test_trace import Of

MODELS = """
import torch
from torch import nn
class Words(nn.Module):
    def __init__(self, words=100):
        super().__init__()
        self.table = nn.Embedding(words, 8)
        self.fc = nn.Linear(8, 3)
    def forward(self, ids, scale=None):
        x = self.fc(self.table(ids))
        return x if scale is None else x * scale
"""


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("models.py").write_text(MODELS)
    return "models.py:Words"


@pytest.mark.parametrize("dtype", ["int64", "int32"])
def test_a_dtype_on_the_command_line(words: str, dtype: str) -> None:
    table, fc = rows(run("table", words, "-i", f"128:{dtype}", "-f", "csv"))
    assert (table["params"], table["output_shape"]) == ("800", "128x8")
    assert fc["macs"] == str(128 * 8 * 3)
    two = rows(
        run(
            "table",
            words,
            "-i",
            f"16:{dtype}",
            "-i",
            "1x1:bfloat16",
            "-b",
            "4",
            "--columns",
            "path,macs,dtype",
            "-f",
            "csv",
        )
    )
    assert [row["macs"] for row in two] == ["0", str(4 * 16 * 8 * 3), "0"]


@pytest.mark.parametrize("command", ["memory", "compare", "explain", "bench"])
def test_every_command_takes_it(words: str, command: str) -> None:
    extra = ("--seconds", "0.01", "--threads", "1") if command == "bench" else ()
    result = run(command, words, "-i", "16:int64", *extra)
    assert result.exit_code == 0, result.output


def test_the_largest_batch_of_whole_numbers(words: str) -> None:
    assert "inference fits 1MiB up to a batch of" in run("memory", words, "-i", "16:int64", "--fits", "1MiB").stdout


def test_ids_are_valid_where_the_model_reads_values() -> None:
    def forward(self: Any, ids: Tensor) -> Tensor:
        return self.table(ids) * float(self.table(ids).sum() + 1)

    found = archcalc.analyze(Of(forward, table=nn.Embedding(10, 8)), Typed((2, 5), "int64"))
    assert "real tensors" in found.notes[0]


@pytest.mark.parametrize("size", ["3x8:int65", "3x8:", "3x8:int64:int64", ":int64", "x:int64", "128 int64"])
def test_a_wrong_dtype_or_size_is_said(words: str, size: str) -> None:
    result = run("table", words, "-i", size)
    assert (result.exit_code, result.stdout) == (2, "")
    if size == "3x8:int65":
        assert "unknown dtype 'int65': did you mean int64" in result.stderr


def test_sizes() -> None:
    assert parse_input("128:int64") == Typed((128,), "int64")
    assert parse_input(" 3x8 : bool ") == Typed((3, 8), "bool")
    assert parse_input("3x8") == (3, 8)
    assert with_batch(Typed((128,), "int64"), 4) == Typed((4, 128), "int64")
    assert of_another_batch(Typed((4, 128), "int64"), 2) == Typed((2, 128), "int64")
    assert of_another_batch((4, 128), 2) == (2, 128)


# ---- in Python


def net() -> nn.Module:
    def forward(
        self: Any, x: Tensor, *, scale: Any = 1, name: str = "", mask: Tensor | None = None, size: Any = ()
    ) -> Tensor:
        assert (scale, name, mask, size) in ((2.5, "a", None, ()), (1, "", None, ()), (True, "", None, (3, 4)))
        return self.fc(x) * scale

    return Of(forward, fc=nn.Linear(4, 3))


GIVEN: dict[str, Any] = {
    "a callable for a tensor": lambda: torch.rand(2, 4),
    "for a tuple": lambda: (torch.rand(2, 4),),
    "for keywords, as they are": lambda: {"x": torch.rand(2, 4), "scale": True, "size": (3, 4)},
    "keywords beside a shape": {"x": (2, 4), "scale": 2.5, "name": "a", "mask": None},
    "a list": [(2, 4)],
    "a tensor of the meta device": torch.empty(2, 4, device="meta"),
}


@pytest.mark.parametrize("case", GIVEN)
def test_inputs_of_every_kind(case: str) -> None:
    found = archcalc.analyze(net(), GIVEN[case])
    assert (found.total("macs"), found.input_shapes, found.notes) == (2 * 4 * 3, ((2, 4),), ())


def test_plain_values_in_a_list_of_inputs() -> None:
    found = archcalc.analyze(Of(lambda s, x, y, flag, n: (x + y) * n if flag else x), [(2, 4), (1, 4), True, 3])
    assert [row.kind for row in found.rows] == ["add", "mul"]


def test_a_callable_is_called_once_and_its_tensors_are_left_alone() -> None:
    made: list[Tensor] = []

    def inputs() -> Tensor:
        made.append(torch.ones(2, 4))
        return made[0]

    archcalc.analyze(Of(lambda s, x: x.add_(1) * float(x.sum())), inputs)
    assert len(made) == 1
    assert torch.equal(made[0], torch.ones(2, 4))


def raising() -> Any:
    raise LookupError("no data set here")


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (raising, "the callable for the inputs failed: LookupError: no data set here"),
        (lambda: None, "gives no tensor, but None"),
        (lambda: (1, 3, 8, 8), r"gives no tensor, but \(1, 3, 8, 8\)"),
        (lambda x: x, "the callable for the inputs failed: TypeError"),
        (5, "an input is a shape"),
        ("3x8x8", "an input is a shape"),
        (True, "an input is a shape"),
        (object(), "an input is a shape"),
        ([(2, 4), object()], "an input is a shape"),
        ((2, 0), "a size below 1"),
    ],
)
def test_what_is_no_input_is_said(inputs: Any, message: str) -> None:
    with pytest.raises(archcalc.UsageError, match=message):
        archcalc.analyze(nn.Linear(4, 3), inputs)


class Pair(NamedTuple):
    left: Any
    right: Any


@dataclass(frozen=True)
class Held:
    pair: Any
    scale: float = 2.0


def test_named_tuples_and_dataclasses_are_handed_on_with_stand_ins() -> None:
    def forward(self: Any, held: Held) -> Tensor:
        return held.pair.left @ held.pair.right * held.scale

    report = archcalc.analyze(Of(forward), [Held(Pair((2, 3), torch.rand(3, 4)))])
    assert (report.macs, report.rows[0].kind) == (2 * 3 * 4, "matmul")
    assert [source.name for source in report.rows[0].inputs_from] == ["args[0][pair][0]", "args[0][pair][1]"]


def test_an_ordered_dict_stays_one() -> None:
    def forward(self: Any, held: OrderedDict[str, Tensor]) -> Tensor:
        held.move_to_end("x")
        return held["x"] @ held["x"].mT

    given = [OrderedDict(x=torch.rand(2, 3), y=torch.rand(1))]
    report = archcalc.analyze(Of(forward), lambda: given)
    assert (report.macs, report.rows[0].inputs_from[0].origin) == (2 * 2 * 3, "input")
    assert list(given[0]) == ["x", "y"]
