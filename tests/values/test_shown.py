"""`str()` of a value is the table that its command prints."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pkgutil import iter_modules

import pytest

import archcalc
from archcalc import values
from archcalc.formats import render
from archcalc.render.bench import timings
from archcalc.render.compare import comparison
from archcalc.render.shown import RENDERERS
from archcalc.render.table import layers
from archcalc.values import later
from archcalc.values.claim import Claim, Verdict, Verdicts
from archcalc.values.shown import Shown
from tests.support import bench_literals
from tests.support.render_literals import COMPARISON, SMALL


def test_every_value_that_can_be_shown_has_a_renderer() -> None:
    for file in iter_modules(values.__path__):
        import_module(f"archcalc.values.{file.name}")
    assert {kind.__name__ for kind in Shown.__subclasses__()} == set(RENDERERS)


def test_a_report_a_comparison_and_a_benchmark_print_their_tables() -> None:
    for value, document in (
        (SMALL, layers(SMALL)),
        (COMPARISON, comparison(COMPARISON)),
        (bench_literals.SMALL, timings(bench_literals.SMALL)),
    ):
        assert str(value) == render(document, "table", width=100).rstrip("\n")


def test_verdicts_print_as_a_table_and_are_a_list() -> None:
    verdict = Verdict(Claim("alexnet", "params", printed="61M", file="mine.toml", number=1), "60965224", "rounds")
    several = Verdicts([verdict, verdict])
    assert several == [verdict, verdict]
    assert str(several).startswith("2 claims\n")
    assert "alexnet params" in str(verdict)


def test_what_was_computed_prints_too() -> None:
    assert str(archcalc.memory("lenet5")).startswith("memory of lenet5")
    assert str(archcalc.conventions("lenet5")).startswith("what other tools print for lenet5")


def test_printing_a_report_needs_no_torch() -> None:
    code = (
        "import sys; sys.path.insert(0, '.'); from tests.support.render_literals import SMALL\n"
        "assert 'archcalc.render' not in sys.modules\n"
        "print(SMALL); sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "mult-adds" in done.stdout


def type_and_format(value: object, form: str) -> str:
    return f"{type(value).__name__} {form}"


def test_the_renderer_can_be_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(later.places, "render", f"{__name__}.type_and_format")
    assert str(SMALL) == "Report table"
    assert SMALL._repr_mimebundle_() == {"text/plain": "Report table", "text/html": "Report html"}


def test_a_notebook_shows_a_table_of_the_same_figures() -> None:
    report = archcalc.analyze("lenet5")
    bundle = report._repr_mimebundle_()
    assert bundle["text/plain"] == str(report)
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", bundle["text/html"])
    assert {f"{row.params:,}" for row in report.rows} <= set(cells)
    assert "<script" not in bundle["text/html"]


def test_a_report_is_asked_for_a_layer_a_module_or_a_total() -> None:
    report = archcalc.analyze("alexnet")
    assert report["conv1"].params == 96 * (3 * 11 * 11 + 1)
    assert report.params == report[""].params == sum(row.params for row in report)
    assert report.macs == report[""].macs
    block = archcalc.analyze("resnet18")["conv2_x.conv2_1"]
    assert block.params == 2 * (64 * 64 * 9 + 2 * 64)  # two convolutions, each with its normalisation
    with pytest.raises(archcalc.UsageError, match=r"did you mean .*conv1"):
        report["conv_1"]


def test_a_report_makes_its_charts() -> None:
    report = archcalc.analyze("lenet5")
    assert report.plot("layers").spec == archcalc.plot("layers", report).spec
