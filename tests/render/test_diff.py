"""How a difference is printed: every format, bounds marked, equal layers folded, and records that add up."""

from __future__ import annotations

import csv
import io
import json

import pytest

import archcalc
from archcalc.count.diff import difference, fold_difference
from archcalc.formats import FORMATS, render
from archcalc.formats.layout import width_of
from archcalc.render import diff as rendered
from tests.cli.test_cli import run
from tests.support.render_literals import INCOMPLETE, NASTY, SMALL

WIDER = archcalc.analyze("vgg11"), archcalc.analyze("vgg13")


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("pair", [WIDER, (SMALL, INCOMPLETE), (INCOMPLETE, SMALL), (SMALL, NASTY), (SMALL, SMALL)])
def test_every_format_shows_it(pair: tuple[archcalc.Report, archcalc.Report], form: str) -> None:
    document = rendered.difference(difference(*pair))
    text = render(document, form, width=60)
    assert text.endswith("\n")
    assert render(document, form, ascii_only=True).isascii()
    if form == "table":
        assert max(map(width_of, text.splitlines())) <= 60


def test_two_equal_networks_are_said_not_to_differ() -> None:
    result = run("diff", "lenet5", "LeNet5", "--fail-over", "params=0")
    assert result.exit_code == 0
    assert "Nothing differs: all 37 layers the same." in result.stdout
    assert "layers\n" not in result.stdout
    assert str(archcalc.diff("lenet5", "lenet5")).splitlines()[0] == "lenet5 -> lenet5"


def test_a_change_of_what_is_a_lower_bound_is_a_bound() -> None:
    def macs(*pair: archcalc.Report) -> str:
        text = render(rendered.difference(difference(*pair)), "table", width=120)
        return " ".join(next(line for line in text.splitlines() if line.startswith("mult-adds")).split())

    known = SMALL.total("macs")
    assert macs(SMALL, INCOMPLETE) == f"mult-adds {known:,} ≥ {known + 1234:,} ≥ +1,234"
    assert macs(INCOMPLETE, SMALL) == f"mult-adds ≥ {known + 1234:,} {known:,} ≤ -1,234"
    assert macs(INCOMPLETE, INCOMPLETE).endswith(" ?")


def test_layers_that_are_the_same_are_one_line_or_with_all_a_line_each() -> None:
    lines = run("diff", "vgg11", "vgg13").stdout.splitlines()
    assert [line.split()[:2] for line in lines if line.startswith("added")] == [
        *(["added", "conv1_2"], ["added", "relu1_2"], ["added", "conv2_2"], ["added", "relu2_2"])
    ]
    assert any("(2 layers the same)" in line for line in lines)
    whole = run("diff", "vgg11", "vgg13", "--all").stdout
    assert whole.count("\nsame ") == len(WIDER[0].rows)
    assert "layers the same)" not in whole


def test_the_records_add_up_to_the_totals() -> None:
    (before, after), document = WIDER, json.loads(run("diff", "vgg11", "vgg13", "-f", "json").stdout)
    rows = list(csv.DictReader(io.StringIO(run("diff", "vgg11", "vgg13", "-f", "csv").stdout)))
    for key in ("params", "macs", "activations"):
        change = after.total(key) - before.total(key)
        assert sum(int(row[f"{key}_change"]) for row in rows) == change
        assert sum(layer[f"{key}_change"] for layer in document["layers"]) == change
        assert document["totals"][key]["change"] == change
    assert document["summary"] in " ".join(run("diff", "vgg11", "vgg13").stdout.split())


def test_a_long_difference_is_folded_by_module_in_a_terminal() -> None:
    text = run("diff", "resnet50", "resnet152").stdout
    assert len(text.splitlines()) < 100
    assert "folded  to depth" in text
    deep = fold_difference(archcalc.diff("resnet50", "resnet152"), 1)
    assert [line.path for line in deep.differing] == ["conv3_x", "conv4_x"]


def test_a_saved_report_stands_for_a_network(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(str(tmp_path))
    run("table", "vgg11", "-f", "json", "-o", "before.json")
    assert run("diff", "before.json", "vgg13").stdout == run("diff", "vgg11", "vgg13").stdout
    assert archcalc.diff("before.json", WIDER[0]).equal
    assert run("diff", "before.json", "vgg13", "--backward").exit_code == 2
    assert run("diff", "before.json", "before.json", "-b", "2").exit_code == 2


def test_the_backward_pass_is_compared_where_it_was_followed() -> None:
    whole = archcalc.diff("lenet5-modern", "lenet5-modern", backward=True)
    assert [delta.key for delta in whole.totals][3:] == ["backward_macs", "saved_bytes"]
    result = run("diff", "conv5x5", "conv3x3-twice", "--fail-over", "saved_bytes=0")
    assert result.exit_code == 1
    assert "saved_bytes=0: saved bytes " in result.stderr
