"""The totals that the package brings of its networks: those of the committed reports, and those derived by hand."""

from __future__ import annotations

from csv import DictReader
from pathlib import Path

import pytest

import archcalc
from archcalc.zoo import totals
from tests.support.facts import MACS, PARAMS

WITH_HEADS = ("googlenet", "inception-v3")
"""What is derived of these are the params with the heads that run in training only."""

ROOT = Path(__file__).parents[2]


def test_recorded_totals_are_those_of_the_reports(request: pytest.FixtureRequest) -> None:
    with (ROOT / "reports/zoo.csv").open(encoding="utf-8", newline="") as file:
        lines = [",".join(line[key] for key in ("network", "depth", "params", "macs")) for line in DictReader(file)]
    text = "\n".join(["name,depth,params,macs", *lines, ""])
    file_of_package = ROOT / "archcalc/zoo" / totals.FILE
    if request.config.getoption("--golden-update"):
        file_of_package.write_text(text, encoding="utf-8", newline="\n")
    assert file_of_package.read_text(encoding="utf-8") == text


def test_recorded_totals_are_what_is_derived() -> None:
    recorded = totals.recorded()
    assert list(recorded) == archcalc.names()
    params = {name: count for name, count in PARAMS.items() if name not in WITH_HEADS}
    assert {name: recorded[name].params for name in params} == params
    assert {name: recorded[name].macs for name in MACS} == MACS
