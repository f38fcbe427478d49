"""`str()` of a value is the table that its command prints."""

from __future__ import annotations

import subprocess
import sys

import pytest

import archcalc
from archcalc.formats import render
from archcalc.render.bench import timings
from archcalc.render.compare import comparison
from archcalc.render.shown import RENDERERS
from archcalc.render.table import layers
from archcalc.values import shown
from archcalc.values.claim import Claim, Verdict, Verdicts
from archcalc.values.shown import Shown
from tests.support import bench_literals
from tests.support.render_literals import COMPARISON, SMALL


def test_every_value_that_can_be_shown_has_a_renderer() -> None:
    assert {kind.__name__ for kind in Shown.__subclasses__()} == {kind.__name__ for kind in RENDERERS}


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


def test_the_renderer_can_be_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown, "_renderers", [lambda value: type(value).__name__])
    assert str(SMALL) == "Report"
