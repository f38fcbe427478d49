"""What rendering promises in every format: sums that hold, unknown that is never zero, widths that are kept."""

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pandas
import pytest

from archcalc.count.compare import compare
from archcalc.formats import FORMATS, render, units
from archcalc.formats.layout import folded, width_of
from archcalc.render.compare import comparison, sentences
from archcalc.render.list import catalogue
from archcalc.render.table import layers, layers_of
from archcalc.values.columns import COLUMNS, DEFAULT, selection
from archcalc.values.document import UNKNOWN, Document
from archcalc.values.errors import UsageError
from archcalc.values.report import Report, Row
from tests.support.render_literals import (
    COMPARISON,
    COSTED,
    EMPTY,
    FAILED,
    HUGE,
    INCOMPLETE,
    LISTINGS,
    LONG,
    NASTY,
    REPORTS,
    SMALL,
)

DOCUMENTS = {report.subject: layers(report) for report in REPORTS} | {
    "all": layers(INCOMPLETE, tuple(COLUMNS)),
    "several": layers_of(REPORTS),
    "comparison": comparison(COMPARISON),
    "comparison-layers": comparison(COMPARISON, with_layers=True),
    "catalogue": catalogue(LISTINGS),
    "catalogue-cost": catalogue(COSTED),
}
WIDTHS = (40, 60, 80, 120, 200)


def records(document: Document) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render(document, "csv"))))


def body(text: str) -> tuple[list[list[str]], list[str]]:
    """The lines of a table between its first rule and its last, cells apart."""
    lines = text.split("\n")
    rules = [at for at, line in enumerate(lines) if line.startswith("─")]
    return [re.split(r"  +", line.strip()) for line in lines[rules[0] + 1 : rules[-1]]], lines[rules[-1] + 1].split()


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_of_a_table_is_wider_than_the_terminal(name: str, width: int) -> None:
    for ascii_only in (False, True):
        for line in render(DOCUMENTS[name], "table", width=width, ascii_only=ascii_only).split("\n"):
            assert width_of(line) <= width, line
            assert line == line.rstrip()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_colour_is_all_that_colour_changes(name: str) -> None:
    coloured = render(DOCUMENTS[name], "table", colour=True)
    assert "\x1b[1m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render(DOCUMENTS[name], "table")


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("form", FORMATS)
def test_ascii_only_is_ascii(name: str, form: str) -> None:
    assert render(DOCUMENTS[name], form, width=200, ascii_only=True).isascii()


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_text_ends_with_one_line_end(name: str, form: str) -> None:
    text = render(DOCUMENTS[name], form)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert "\r" not in text


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("report", [SMALL, INCOMPLETE, FAILED], ids=lambda report: report.subject)
def test_printed_cells_add_up_to_the_printed_total(report: Report, width: int) -> None:
    rows, total = body(render(layers(report, ("path", "params", "macs")), "table", width=width))
    printed = {"params": 0, "macs": 0}
    for row in rows:
        figures = [cell.replace("≥ ", "").replace(",", "") for cell in row[1:] if re.fullmatch(r"(≥ )?[\d,]+|\?", cell)]
        for key, figure in zip(printed, figures, strict=True):
            printed[key] += 0 if figure == "?" else int(figure)
    assert [int(cell.replace(",", "")) for cell in total if cell[0].isdigit()] == list(printed.values())
    assert list(printed.values()) == [report.total("params"), report.total("macs")]


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.subject)
def test_csv_parses_back_to_the_report(report: Report) -> None:
    found = records(layers(report))
    assert [record["path"] for record in found] == [row.path for row in report.rows]
    for record, row in zip(found, report.rows, strict=True):
        assert list(record) == ["network", *DEFAULT, "schema"]
        assert (record["network"], record["schema"]) == (report.subject, "archcalc.table/1")
        assert record["macs"] == ("" if row.macs is None else str(row.macs))
        assert record["params"] == str(row.params)


def test_csv_writes_shapes_without_batch_and_windows_by_axis() -> None:
    record = records(layers(SMALL))[0]
    assert (record["input_shape"], record["output_shape"]) == ("3x227x227", "96x55x55")
    assert (record["kernel"], record["stride"], record["padding"]) == ("11x11", "4x4", "0x0")
    record = records(layers(replace(SMALL, batch_size=None)))[0]
    assert record["input_shape"] == "1x3x227x227"


def test_pandas_sums_the_csv_to_the_totals() -> None:
    frame = pandas.read_csv(io.StringIO(render(layers(SMALL), "csv")))
    for key in ("params", "macs", "flops"):
        assert frame[key].sum() == SMALL.total(key)
    frame = pandas.read_csv(io.StringIO(render(layers(INCOMPLETE), "csv")))
    assert frame["macs"].isna().sum() == 2


def test_several_networks_are_one_csv() -> None:
    found = records(layers_of((SMALL, FAILED)))
    assert [record["network"] for record in found] == ["small"] * 5 + ["failed"] * 2


def test_json_is_the_whole_report_or_the_columns_asked_for() -> None:
    assert json.loads(render(layers(SMALL), "json")) == json.loads(json.dumps(SMALL.to_dict()))
    chosen = json.loads(render(layers(INCOMPLETE, ("path", "macs", "note")), "json"))
    assert chosen["rows"][-1] == {"path": "block", "macs": None, "note": "unknown: erfinv"}
    assert chosen["schema"] == "archcalc.report/1"
    several = json.loads(render(layers_of((SMALL, FAILED)), "json"))
    assert several["schema"] == "archcalc.reports/1"
    assert [report["subject"] for report in several["reports"]] == ["small", "failed"]


@pytest.mark.parametrize("form", ["table", "markdown", "latex", "html"])
def test_what_is_unknown_is_never_printed_as_zero(form: str) -> None:
    text = render(layers(INCOMPLETE, ("path", "macs", "activations")), form)
    (line,) = (line for line in text.split("\n") if "odd" in line and "has" not in line and "have" not in line)
    assert re.findall(r"[\d?]+", line) == ["?", "?"]
    assert "LOWER BOUND" in text
    assert "2 calls have no formula: erfinv in odd, block" in " ".join(text.split())
    assert ("≥" in text) or (r"$\geq$" in text)


def test_remarks_tell_what_a_reader_must_know() -> None:
    text = " ".join(render(layers(INCOMPLETE), "table", width=200).split())
    assert "aux1 1,010, aux2 5: 1,015 params registered but not run" in text
    assert "to depth 2: 7 rows stand for 7 calls; --depth and --all show more" in text
    assert "traced on the CPU" in text
    complete = " ".join(render(layers(SMALL), "table").split())
    assert "all 5 calls counted" in complete
    assert f"params {SMALL.total('params'):,} (38.1M)" in complete


def test_a_failure_ends_every_table_for_people() -> None:
    for form in ("table", "markdown", "latex", "html"):
        text = " ".join(re.sub("<[^<>]*>", "", render(layers(FAILED), form, width=200)).split())
        assert "the table ends where the model failed: pool1: kernel 3x3 is larger than its input 1x1" in text
        assert "calls counted" not in text


def test_long_names_fold_and_lose_nothing() -> None:
    for width in WIDTHS:
        lines = render(layers(LONG, ("path", "params", "macs")), "table", width=width).split("\n")
        start = next(at for at, line in enumerate(lines) if line.startswith("─"))
        path = "".join(
            line.split("  ")[0].strip() for line in lines[start + 1 :] if "─" not in line and "total" not in line
        )
        assert path.startswith(LONG.rows[0].path)


def test_narrow_tables_drop_columns_by_rank_and_say_so() -> None:
    for width in WIDTHS:
        text = render(layers(SMALL), "table", width=width)
        head = next(line for line in text.split("\n") if line.startswith("layer")).split()
        assert {"layer", "params", "mult-adds"} <= set(head)
        assert ("hidden" in text) == (not {"kind", "window", "pad", "groups", "input", "FLOPs", "note"} <= set(head))
    assert "share" in render(layers(SMALL), "table", width=200)
    assert "share" not in render(layers(SMALL), "table", width=80)


def test_columns_that_say_nothing_are_left_out_unless_asked_for() -> None:
    dense = replace(SMALL, rows=(SMALL.rows[1], SMALL.rows[4]))
    assert "kernel" not in render(layers(dense), "table", width=200)
    assert "kernel" in render(layers(dense, ("path", "kernel")), "table", width=200)


def test_markup_in_names_is_escaped() -> None:
    markdown = render(layers(NASTY), "markdown")
    assert r"| a_b\|c&d%\_ |" in markdown
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in markdown.split("\n") if line.startswith("|")} == {7}
    latex = render(layers(NASTY), "latex")
    assert r"a\_b\textbar{}c\&d\%\_ & \{x\}\textbackslash{}y &" in latex
    assert "\n{}[0] & {}* &" in latex  # \\ takes [ and * as its own otherwise
    assert latex.count("{") - latex.count(r"\{") == latex.count("}") - latex.count(r"\}")


def test_comparison_for_people() -> None:
    text = render(comparison(COMPARISON), "table", width=80)
    assert "0.103x" in text
    assert "?" in text
    assert text.count("inception-naive ") >= 1
    narrow = render(comparison(COMPARISON), "table", width=50)
    assert narrow.count("120,422,400") == 2  # each block repeats the first network
    flat = " ".join(text.split())
    said = "inception-bottleneck needs 12.4M multiply-adds, 9.68 times fewer than inception-naive's 120.4M"
    assert said in flat
    assert "LOWER BOUND a-third-network-with-quite-a-name: 2 calls" in flat


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (1000, 1500, "b needs 1.50k multiply-adds, 1.50 times as many as a's 1.00k"),
        (4_089_184_256, 3_857_973_248, "b needs 3.86G multiply-adds, 5.7% fewer than a's 4.09G"),
        (3_857_973_248, 4_089_184_256, "b needs 4.09G multiply-adds, 6.0% more than a's 3.86G"),
        (7, 7, "b needs 7 multiply-adds, as many as a"),
        (51_380_224, 0, "b needs no multiply-adds, a 51.4M"),
        (0, 7, "b needs 7 multiply-adds, a none"),
    ],
)
def test_the_saving_in_one_line(before: int, after: int, said: str) -> None:
    first, second = (
        Report(name, (Row("fc", "linear", macs=macs, least_macs=macs),), ((1, 3),))
        for name, macs in (("a", before), ("b", after))
    )
    assert sentences(compare(first, second)) == [said]


def test_lower_bounds_are_not_compared_in_words() -> None:
    assert sentences(compare(SMALL, INCOMPLETE)) == []
    assert sentences(compare(FAILED, SMALL)) == []


def test_comparison_as_csv() -> None:
    first, second, third = records(comparison(COMPARISON))
    assert list(first) == (
        "network input_shape depth depth_ratio params params_ratio macs macs_ratio complete schema".split()
    )
    assert first["input_shape"] == "192x28x28"
    assert (first["params"], first["params_ratio"]) == ("0", "")
    assert float(second["macs_ratio"]) == 12443648 / 120422400
    assert third["macs_ratio"] == ""  # nothing can be said of a lower bound
    assert (third["params"], third["complete"], third["schema"]) == ("", "false", "archcalc.compare/1")


def test_comparison_with_layers() -> None:
    document = comparison(COMPARISON, with_layers=True, keys=("path", "macs"))
    assert len(document.tables) == 4
    assert list(records(document)[0]) == ["network", "path", "macs", "schema"]
    assert len(json.loads(render(document, "json"))["reports"]) == 3


def test_catalogue() -> None:
    text = render(catalogue(LISTINGS), "table")
    assert "40.7/18.2 ImageNet val, 10 crops" in text
    assert "-/15.3 test" in text
    first, second, third = records(catalogue(COSTED))
    assert first["macs"] == str(SMALL.total("macs"))
    assert second["variant_of"] == "alexnet"
    assert (third["macs"], third["error"]) == ("", "it broke")
    assert "it broke" in render(catalogue(COSTED), "table")
    networks = json.loads(render(catalogue(COSTED), "json"))["networks"]
    assert networks[0]["errors"][1] == {"protocol": "test", "top1_percent": None, "top5_percent": 15.3}
    assert (networks[1]["complete"], "macs" in networks[2]) == (False, False)


def test_selection_of_columns() -> None:
    assert selection("path, macs,path") == ("path", "macs")
    assert selection("all") == tuple(COLUMNS)
    with pytest.raises(UsageError, match=r"unknown column 'mac'. did you mean macs"):
        selection("path,mac")
    with pytest.raises(UsageError, match="column"):
        selection(" , ")


def test_an_unknown_format_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"unknown format 'cvs'. did you mean csv"):
        render(layers(SMALL), "cvs")


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_is_printed_wrong_for_an_empty_report(form: str) -> None:
    text = render(layers(EMPTY), form)
    assert "network" in text if form == "csv" else "empty" in text
    assert len(records(layers(EMPTY))) == 0


def test_huge_numbers_keep_every_digit() -> None:
    text = render(layers(HUGE), "table", width=120)
    assert f"{10**24 + 9216 * 4096:,}" in text
    assert str(10**24) in render(layers(HUGE), "csv")


def test_units() -> None:
    assert units.count(60965224) == "60,965,224"
    numbers = (0, 840, 1516, 9994, 9996, 999_949, 999_951, 12_443_648, 120_422_400, 1_814_073_344)
    wanted = "0 840 1.52k 9.99k 10.0k 999.9k 1.00M 12.4M 120.4M 1.81G"
    assert " ".join(map(units.compact, numbers)) == wanted
    assert [units.ratio(each) for each in (0, 0.10333, 1, 1.5, 9.68, 99.9, 1016.1)] == (
        "0x 0.103x 1.00x 1.50x 9.68x 99.9x 1,016x".split()
    )
    assert [units.percent(part, 1000) for part in (0, 1, 619, 1000)] == ["", "0.1%", "61.9%", "100%"]
    assert units.percent(1, 10**6) == "<0.1%"
    assert [units.step(each) for each in ((4, 4), (2, 1), "same", (3,))] == ["4", "2x1", "same", "3"]
    assert [units.raw(each, "window") for each in ((4, 4), "same", None, UNKNOWN)] == ["4x4", "same", "", ""]
    assert (units.size(()), units.size((0, 3))) == ("scalar", "0x3")


def test_folding_breaks_behind_separators() -> None:
    assert folded("layer4.2.downsample", 10) == ["layer4.2.", "downsample"]
    assert folded("one two three", 8) == ["one two", "three"]
    assert folded("abcdefgh", 3) == ["abc", "def", "gh"]
    assert folded("層層層", 4) == ["層層", "層"]


def test_rendering_needs_neither_torch_nor_pandas_nor_rich() -> None:
    code = (
        "import sys; sys.path.insert(0, '.'); from tests.support.render_literals import REPORTS, COMPARISON, COSTED\n"
        "from archcalc.formats import FORMATS, render\n"
        "from archcalc.render.list import catalogue\n"
        "from archcalc.render.compare import comparison\n"
        "from archcalc.render.table import layers_of\n"
        "documents = [layers_of(REPORTS), comparison(COMPARISON), catalogue(COSTED)]\n"
        "[render(document, form) for document in documents for form in FORMATS]\n"
        "print(sorted({'torch', 'pandas', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("name", "form", "width"),
    [
        ("small", "table", 40),
        ("small", "table", 80),
        ("small", "table", 200),
        ("small", "csv", 80),
        ("small", "markdown", 80),
        ("small", "latex", 80),
        ("small", "html", 80),
        ("incomplete", "table", 80),
        ("incomplete", "csv", 80),
        ("failed", "table", 80),
        ("long", "table", 80),
        ("comparison", "table", 80),
        ("comparison", "markdown", 80),
        ("catalogue", "table", 80),
        ("catalogue-cost", "table", 120),
    ],
)
def test_golden(golden: Callable[[str, str], None], name: str, form: str, width: int) -> None:
    suffix = {"table": "txt", "markdown": "md", "latex": "tex"}.get(form, form)
    golden(f"{name}-{width}.{suffix}", render(DOCUMENTS[name], form, width=width))
