"""One list of columns: tables, totals, folding, comparisons and claims all read it."""

from __future__ import annotations

import csv
import io
from dataclasses import fields, replace

import pytest

from archcalc.claims.metrics import metric_names, metric_of
from archcalc.count.compare import compare
from archcalc.count.fold import fold, folded_row
from archcalc.count.places import row_at
from archcalc.formats import render
from archcalc.render.table import layers
from archcalc.values.columns import COLUMNS, COMPARED, DEFAULT, FOR_PEOPLE, Column, add, selection
from archcalc.values.errors import UsageError
from archcalc.values.report import Report, Row
from tests.support.render_literals import COMPARISON, EMPTY, FAILED, INCOMPLETE, SMALL


def rows(*values: int | None) -> list[Row]:
    return [
        Row(f"block.conv{at}", "conv2d", macs=value, least_macs=value or 5, saved_bytes=value)
        for at, value in enumerate(values)
    ]


# ---- one entry is a whole column


def test_a_new_column_is_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    column = Column(
        "biases", "bias elements", "count", lambda row: row.params - row.weights, 1, "params that are no weights"
    )
    monkeypatch.setitem(COLUMNS, "biases", replace(column, total=True))
    monkeypatch.setattr("archcalc.count.compare.COMPARED", (*COMPARED, "biases"))
    assert selection("layer,Bias Elements") == ("path", "biases")
    total = SMALL.total("params")  # these rows say nothing of their parameters: all are taken for biases
    assert SMALL.total("biases") == total
    text = render(layers(SMALL, ("path", "biases")), "table")
    assert "bias elements" in text
    assert f"total  {total:,}" in text.replace("    ", "  ").replace("   ", "  ")
    metric = metric_of("biases")
    assert metric is not None
    assert metric(SMALL, row_at(SMALL, ""), "") == total
    found = compare(SMALL, SMALL).metrics[-1]
    assert (found.key, found.title, found.values) == ("biases", "bias elements", (total, total))
    records = csv.DictReader(io.StringIO(render(layers(SMALL, ("biases",)), "csv")))
    assert [record["biases"] for record in records] == [str(row.params) for row in SMALL.rows]


def test_what_folds_is_a_field_of_a_row() -> None:
    """Or a folded row could not be made of it: what follows from other fields folds by itself."""
    folding = {key for key, column in COLUMNS.items() if column.fold}
    assert folding - {"least_ms"} <= {field.name for field in fields(Row)}  # least_ms is least_seconds, which folds


def test_the_usual_columns_exist() -> None:
    assert {*DEFAULT, *FOR_PEOPLE, *COMPARED} <= COLUMNS.keys()


def test_titles_and_keys_name_one_column_each() -> None:
    for column in COLUMNS.values():
        assert selection(column.key) == selection(column.title) == selection(column.title.upper()) == (column.key,)


# ---- unknown is never zero


def test_a_sum_of_unknowns_is_unknown() -> None:
    assert (add([1, 2]), add([1, None]), add([])) == (3, None, 0)


@pytest.mark.parametrize("key", ["macs", "flops", "saved_bytes", "backward_macs"])
def test_folding_an_unknown_with_numbers_gives_an_unknown(key: str) -> None:
    report = Report("net", tuple(rows(3, None, 4)), ((1, 3),))
    folded = fold(report, 1).rows[0]
    assert folded.path == "block"
    assert COLUMNS[key].value(folded) is None
    assert folded.least_macs == 3 + 5 + 4
    assert COLUMNS["flops"].least(folded) == 2 * (3 + 5 + 4)


def test_a_total_is_a_lower_bound_where_a_row_is_unknown_or_the_run_stopped() -> None:
    marked = {key for key, column in COLUMNS.items() if column.total and column.is_lower_bound(INCOMPLETE)}
    assert {"macs", "flops", "activations", "backward_macs", "saved_bytes"} <= marked
    assert not {"params", "weights", "read_bytes"} & marked
    assert all(column.is_lower_bound(FAILED) for column in COLUMNS.values())
    assert not COLUMNS["macs"].is_lower_bound(SMALL)


def test_what_was_not_followed_is_a_lower_bound_and_not_nothing() -> None:
    text = render(layers(SMALL, ("path", "saved_bytes")), "table")
    assert "≥ 0" in text
    assert text.count("?") == len(SMALL.rows)


def test_the_least_time_of_a_module_is_the_sum_of_its_calls() -> None:
    timed = [
        replace(row, least_seconds=seconds, bound=bound)
        for row, seconds, bound in zip(
            rows(1, 2, 3), (0.5, 0.25, 0.5), ("memory", "arithmetic", "arithmetic"), strict=True
        )
    ]
    folded = folded_row(Report("net", tuple(timed), ()), "block", timed)
    assert (folded.least_ms, folded.bound) == (1000 * (0.5 + 0.25 + 0.5), "arithmetic")  # 0.75 s of it
    assert folded_row(EMPTY, "block", rows(1, 2)).least_ms is None


def test_a_module_is_misaligned_where_its_last_call_is() -> None:
    last = replace(rows(2)[0], receptive_field=(3, 3), misaligned=True)
    folded = folded_row(EMPTY, "block", [rows(1)[0], last])
    assert (folded.receptive_field, folded.misaligned) == ((3, 3), True)


# ---- names that a person writes


@pytest.mark.parametrize(
    ("wish", "keys"),
    [
        ("mult-adds", ("macs",)),
        ("MACs,Mult-Adds", ("macs",)),
        ("layer, input ,FLOPs", ("path", "input_shape", "flops")),
        ("receptive field", ("receptive_field",)),
        ("receptive-field,backward_mult_adds", ("receptive_field", "backward_macs")),
        ("flops/byte", ("intensity",)),
    ],
)
def test_columns_are_named_by_key_or_title_in_any_case(wish: str, keys: tuple[str, ...]) -> None:
    assert selection(wish) == keys


def test_a_column_that_does_not_exist_offers_the_closest_and_lists_the_keys() -> None:
    with pytest.raises(UsageError, match=r"unknown column 'multadds': did you mean mult-adds") as error:
        selection("path,multadds")
    assert str(error.value).endswith(f"there are: {', '.join(COLUMNS)}")


# ---- a claim about a column


def test_columns_that_a_document_can_print_are_metrics() -> None:
    assert {"params", "weights", "flops", "jump", "dilation", "bytes_moved"} <= set(metric_names())
    assert metric_of("least_ms") is None  # no print speaks of a time in fractions of a millisecond
    assert len(metric_names()) == len(set(metric_names()))


def test_a_metric_of_the_whole_network_is_its_own_and_not_a_sum() -> None:
    report = COMPARISON.reports[1]
    whole = row_at(report, "")
    values = {key: metric(report, whole, "") for key in ("depth", "input_shape", "macs") if (metric := metric_of(key))}
    assert values == {"depth": 3, "input_shape": (3, 227, 227), "macs": report.total("macs")}
