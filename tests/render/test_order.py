"""--sort and --top: the rows of any table in the order of a column, and what is said once for several tables."""

from __future__ import annotations

import csv
import io

import pytest

import archcalc
from archcalc.formats import Format, render
from archcalc.render.order import Order, arranged, in_order
from archcalc.render.table import layers, layers_of
from archcalc.values.document import UNKNOWN, Quantity
from archcalc.values.report import COUNTING_CONVENTION, Window
from tests.cli.test_cli import run


@pytest.mark.parametrize(
    ("values", "order"),
    [
        ([3, None, 10, UNKNOWN, 7], [2, 4, 0, 1, 3]),  # what is unknown is last, not zero
        ([Quantity(3, "least"), 10, 0], [1, 0, 2]),
        (["b", "", "C", "a"], [3, 0, 2, 1]),
        ([(3, 4), (2, 5), "all"], [2, 0, 1]),  # 12, 10, and what sees everything
        ([Window((3, 3), (1, 1), (1, 1), (1, 1)), None, Window((5, 1), (1, 1), (0, 0), (1, 1))], [0, 2, 1]),
        ([5, 5, 6], [2, 0, 1]),  # equal ones in forward order
    ],
)
def test_numbers_begin_with_the_largest_and_texts_with_the_first(values: list[object], order: list[int]) -> None:
    assert in_order(values, Order("any")) == order


def test_ascending_keeps_what_is_unknown_last() -> None:
    assert in_order([3, None, 1], Order("any", ascending=True)) == [2, 0, 1]
    assert in_order(["a", "b"], Order("any", ascending=False)) == [1, 0]


def test_the_rows_of_a_table_and_of_its_csv() -> None:
    report = archcalc.analyze("alexnet")
    largest = sorted(report, key=lambda row: row.params, reverse=True)[:2]
    order = Order("Params", top=2)
    text = render(arranged(layers(report), order, Format.table), "table", width=200)
    rows = [line.split()[0] for line in text.splitlines() if line.startswith("fc")]
    assert rows == [row.path for row in largest]
    assert f"the first 2 of {len(report.rows)} rows by params" in text
    for row in largest:  # a share is still that of the whole network
        assert f"{100 * row.params / report.params:.1f}%" in text
    assert f"{report.params:,}" in text
    records = list(csv.DictReader(io.StringIO(render(arranged(layers(report), order, Format.csv), "csv"))))
    assert [record["path"] for record in records] == [row.path for row in largest]


def test_the_records_of_several_networks_are_sorted_each_for_itself() -> None:
    reports = [archcalc.analyze(name) for name in ("lenet5-modern", "conv3x3")]
    document = arranged(layers_of(reports), Order("macs", top=1), Format.csv)
    assert [(row[0], row[1]) for row in document.rows] == [
        (report.subject, max(report, key=lambda row: row.macs or 0).path) for report in reports
    ]


def test_what_holds_for_all_tables_is_said_below_the_last() -> None:
    reports = [archcalc.analyze(name) for name in ("lenet5", "conv3x3")]
    for form in ("markdown", "html", "latex"):
        text = render(layers_of(reports), form)
        assert text.count(COUNTING_CONVENTION[:20]) == 1
        assert text.rindex(COUNTING_CONVENTION[:20]) > text.rindex("conv3x3")


def test_a_top_of_a_folded_table_has_single_layers() -> None:
    result = run("table", "resnet152", "--sort", "params", "--top", "1")
    assert f"{512 * 512 * 3 * 3:,}" in result.stdout  # a 3×3 convolution of the last stage
    assert "folded" not in result.stdout


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("table lenet5 --sort nonsense", "unknown column to sort by 'nonsense'"),
        ("table lenet5 --top 3", "add --sort"),
        ("table lenet5 --sort macs:up", "write --sort macs:asc"),
        ("table lenet5 --sort macs -f json", "json holds everything"),
        ("list --sort year --top 0", "top"),
    ],
)
def test_what_cannot_be_sorted_is_said(command: str, message: str) -> None:
    result = run(*command.split())
    assert result.exit_code == 2
    assert message in result.stderr


def test_every_command_with_rows_sorts_them() -> None:
    for command in ("conventions lenet5 --sort tool", "rf lenet5 --sort jump", "devices a100 --sort memory"):
        result = run(*command.split(), "--top", "1")
        assert "the first 1 of" in result.stdout, result.stderr


def test_an_explanation_names_its_subject_once() -> None:
    for command, place in (("explain lenet5 C1", "lenet5 C1"), ("explain lenet5", "lenet5:")):
        text = run(*command.split(), COLUMNS="200").stdout
        assert "claim" in text
        assert not any(place in line for line in text.splitlines()[1:])
