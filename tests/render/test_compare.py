"""A comparison as a paper's table: rows and columns, units, lower bounds, and LaTeX that compiles."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace

import pytest

import archcalc
from archcalc import UsageError
from archcalc.count.compare import Network as Compared
from archcalc.count.compare import compare, compare_by, with_baseline
from archcalc.formats import render
from archcalc.render.compare import comparison, in_order_of
from archcalc.render.order import Order
from archcalc.render.table import layers
from archcalc.values.report import Report, Row
from tests.cli.test_cli import run
from tests.support.render_literals import COMPARISON, INCOMPLETE, NASTY, SMALL


def network(name: str, macs: int, params: int = 7) -> Report:
    return Report(name, (Row("fc", "linear", params=params, macs=macs, least_macs=macs),), ((1, 3),))


A, B = network("a", 25_557_032_000), network("b", 51_114_064_000)
CHOSEN = compare_by([Compared(A), Compared(B)], ["macs", "params"])


def lines(text: str) -> list[list[str]]:
    """The cells of a Markdown table's rows."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]


def test_chosen_columns_make_a_row_a_network_and_transposing_exchanges_them() -> None:
    assert lines(CHOSEN.to_markdown())[0] == ["network", "mult-adds", "params"]
    assert [row[0] for row in lines(CHOSEN.to_markdown())[2:]] == ["a", "b"]
    assert lines(CHOSEN.to_markdown(transpose=True))[0] == ["", "a", "b", "ratio"]
    assert lines(compare(A, B).to_markdown())[0] == ["", "a", "b", "ratio"]
    assert lines(compare(A, B).to_markdown(transpose=True))[2][0] == "a"


def test_ratios_are_to_the_baseline_that_was_asked_for() -> None:
    rows = lines(with_baseline(CHOSEN, "b").to_markdown())
    assert rows[0] == ["network", "mult-adds", "ratio", "params", "ratio"]
    assert [row[2] for row in rows[2:]] == ["0.500x", "1.00x"]
    columns = lines(with_baseline(compare(A, B), "b").to_markdown())
    assert columns[0] == ["", "a", "ratio", "b"]


def test_units_are_for_all_that_adds_up_or_for_each_column() -> None:
    rows = lines(CHOSEN.to_markdown(units="G"))
    assert rows[0] == ["network", "mult-adds (G)", "params (G)"]
    assert rows[2][1] == "25.6"
    assert lines(CHOSEN.to_markdown(units="macs=M,params=raw"))[2] == ["a", "25,557", "7"]
    assert "depth (M)" not in compare(A, B).to_markdown(units="M")
    for wrong in ("X", "macs=", "=M", "nonsense=M"):
        with pytest.raises(UsageError):
            CHOSEN.to_markdown(units=wrong)
    records = list(csv.DictReader(io.StringIO(render(comparison(CHOSEN, units="G"), "csv"))))
    assert records[0]["macs"] == str(A.macs)  # raw for programs


def test_memory_and_latency_have_their_units() -> None:
    compared = archcalc.compare("lenet5", columns="memory")
    assert "KiB" in str(compared)
    assert lines(compared.to_markdown(units="K"))[0][1] == "memory (KB)"


def test_lower_bounds_stay_marked_in_any_unit_and_have_no_ratio() -> None:
    compared = with_baseline(compare_by([Compared(A), Compared(INCOMPLETE)], ["macs"]), "a")
    known = INCOMPLETE.total("macs")
    assert known > 0
    assert lines(compared.to_markdown())[3][1:] == [f"≥ {known:,}", ""]
    assert lines(compared.to_markdown(units="K"))[3][1].startswith("≥ ")


def test_what_is_unknown_is_a_question_mark_and_what_was_not_published_is_empty() -> None:
    compared = compare_by([Compared(A)], ["memory_bytes", "latency_seconds", "top1_percent"])
    assert lines(compared.to_markdown())[2] == ["a", "?", "?", ""]


def test_networks_are_sorted_with_their_ratios() -> None:
    largest = in_order_of(compare(A, B), Order("macs", top=1))
    assert [report.subject for report in largest.reports] == ["b"]
    by_a = in_order_of(with_baseline(CHOSEN, "a"), Order("mult-adds", top=1))
    assert by_a.metrics[0].ratios == (2.0,)
    assert "ratios to a" not in by_a.to_markdown()  # one network alone shows none beside it
    assert [report.subject for report in in_order_of(compare(B, A), Order("network")).reports] == ["a", "b"]
    with pytest.raises(UsageError, match="has to be one that is shown"):
        in_order_of(CHOSEN, Order("depth"))


def test_a_wide_table_is_set_as_several() -> None:
    keys = ["macs", "params", "flops", "weights", "activations", "read_bytes", "written_bytes"]
    text = render(comparison(compare_by([Compared(A), Compared(B)], keys)), "table", width=60)
    assert text.count("network  ") > 1
    assert all(title in text for title in ("mult-adds", "activations", f"{A.macs:,}"))


def test_the_papers_network_beside_its_later_form_says_so() -> None:
    """Of ResNets alone, whose later form has as many parameters and more multiply-adds."""
    text = run("compare", "ResNet=resnet50", "resnet50-v1.5", COLUMNS="300").stdout
    assert "ResNet is the paper's, with stride 2 in the first 1x1 of a stage; the v1.5" in text
    assert "is the paper's" not in run("compare", "resnet50", "vgg16").stdout


def test_the_command_writes_the_paper_s_table() -> None:
    command = "compare Ours=lenet5 lenet5-modern --columns params,macs,depth --units K --baseline Ours --sort macs"
    rows = lines(run(*command.split(), "-f", "markdown").stdout)
    assert rows[0] == ["network", "params (K)", "ratio", "mult-adds (K)", "ratio", "depth", "ratio"]
    assert [row[0] for row in rows[2:]] == ["lenet5-modern", "Ours"]
    assert rows[3][1:] == ["60.0", "1.00x", "326", "1.00x", "4", "1.00x"]
    for wrong in ("--units X", "--baseline nobody", "--columns path", "--sort jump"):
        assert run("compare", "lenet5", *wrong.split()).exit_code == 2


# ---- LaTeX that compiles

COMMANDS = frozenset(
    r"""begin end centering caption toprule midrule bottomrule par medskip footnotesize raggedright textbf
    textbackslash textasciitilde textasciicircum textasciigrave textless textgreater textbar textperiodcentered
    dots geq leq times to surd lfloor rfloor lceil rceil Sigma""".split()
)
"""Of the kernel and of booktabs."""


def check_latex(text: str) -> None:
    """What a LaTeX run would stop at: unknown commands, unbalanced groups, stray signs, rows of too many cells."""
    text = re.sub(r"^%.*\n", "", text)
    assert set(re.findall(r"\\([A-Za-z]+)", text)) <= COMMANDS
    assert all(char.isascii() or "À" <= char <= "ž" or char in "“”‘’" for char in text)
    plain = re.sub(r"\\[\\_&%#${}]", " ", re.sub(r"\$[^$]*\$", "m", re.sub(r"\\\$", " ", text)))
    assert not set(plain) & set('$#%~^_|<>"`')
    depth = 0
    for char in plain:
        depth += {"{": 1, "}": -1}.get(char, 0)
        assert depth >= 0
    assert depth == 0
    assert re.findall(r"\\begin{(\w+)}", text) == re.findall(r"\\end{(\w+)}", text)[::-1] or text.count("tabular") > 2
    for columns, body in re.findall(r"\\begin{tabular}{([lr]+)}(.*?)\\end{tabular}", text, re.S):
        rows = [row for row in re.split(r"\\\\(?=\n)", body) if "&" in row]
        assert rows
        for row in rows:
            assert len(re.findall(r"(?<!\\)&", row)) == len(columns) - 1


@pytest.mark.parametrize("name", ["a_b & {c} $5 #1 100% ~^\\", "層-網路", "naïve Łódź ⌊x⌋ → ½ ``q''", "--option"])
def test_latex_compiles_as_it_stands(name: str) -> None:
    named = replace(B, subject=name)
    for compared in (compare(A, named), compare_by([Compared(A), Compared(named)], ["macs", "receptive_field"])):
        check_latex(compared.to_latex(units="M"))
    check_latex(COMPARISON.to_latex())
    for report in (SMALL, INCOMPLETE, NASTY):
        check_latex(report.to_latex())
        assert report.to_latex() == render(layers(report), "latex", width=100).rstrip("\n")


def test_the_check_of_latex_sees_what_would_not_compile() -> None:
    good = CHOSEN.to_latex()
    for sound, broken in (
        ("a &", "a"),
        ("mult-adds", "mult_adds"),
        (r"\toprule", r"\hhline"),
        ("{tabular}", "{tabular"),
    ):
        with pytest.raises(AssertionError):
            check_latex(good.replace(sound, broken, 1))
