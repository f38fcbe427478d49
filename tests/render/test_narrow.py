"""Narrow terminals: no figure is broken, and a table that finds no room is written as a record a row."""

from __future__ import annotations

import re

import pytest

from archcalc.formats import render
from archcalc.formats.layout import width_of
from archcalc.formats.units import ascii_only
from archcalc.render.bench import timings
from archcalc.render.bench_layers import layer_timings
from archcalc.render.compare import comparison
from archcalc.render.conventions import conventions
from archcalc.render.explain import explanation
from archcalc.render.list import catalogue
from archcalc.render.memory import memory
from archcalc.render.rf import receptive_fields
from archcalc.render.rf_unit import layer_field
from archcalc.render.table import layers
from archcalc.render.verify import verification
from archcalc.values.document import Document, Heading, Table
from archcalc.values.listing import Listing, Totals
from archcalc.zoo import registry
from tests.support.bench_literals import LAYERED, SMALL

NUMERAL = re.compile(r"\d[\d,]*(?:\.\d+)?")


def documents() -> dict[str, Document]:
    import archcalc

    report = archcalc.analyze("lenet5")
    entries = [registry.catalogue()[name] for name in ("lenet5", "inception-v3", "resnet1202")]
    return {
        "table": layers(report),
        "compare": comparison(archcalc.compare(report, archcalc.analyze("alexnet"))),
        "memory": memory(archcalc.memory("lenet5")),
        "explain": explanation(archcalc.explain("lenet5", "C1")),
        "rf": layer_field(archcalc.receptive_field("lenet5", "C1", unit=(3, 3))),
        "rf, bare": receptive_fields(report, report.rows, 40),
        "list": catalogue([Listing(entry) for entry in entries]),
        "list --cost": catalogue([Listing(entry, Totals.of(report)) for entry in entries]),
        "verify": verification(archcalc.verify(subject="lenet5")),
        "conventions": conventions(archcalc.conventions("lenet5")),
        "bench": timings(SMALL),
        "bench --layers": layer_timings(LAYERED, LAYERED.layers),
    }


@pytest.mark.sweep
def test_no_figure_is_broken_at_any_width() -> None:
    for name, document in documents().items():
        whole = set(NUMERAL.findall(render(document, "table", width=1000)))
        for width in range(40, 81):
            text = render(document, "table", width=width)
            assert max(map(width_of, text.splitlines())) <= width, name
            broken = set(NUMERAL.findall(text)) - whole
            assert not broken, f"{name} at {width} columns: {broken}"


@pytest.mark.parametrize("width", [40, 59])
def test_a_table_without_room_is_a_record_a_row(width: int) -> None:
    names = ("network", "parameters", "multiplications", "activations", "memory")
    headings = (Heading("a", "layer", "text"), *(Heading(name, name, "count") for name in names[1:]))
    rows = tuple((row, *(10**12 + at for at in range(4))) for row in ("one", "two"))
    table = Table("net", headings, rows, total=("total", *[2 * 10**12] * 4))
    text = render(Document("s", headings, rows, (table,), dict), "table", width=width)
    lines = text.splitlines()
    at = lines.index("one")
    assert [line.split() for line in lines[at + 1 : at + 3]] == [
        ["parameters", "1,000,000,000,000"],
        ["multiplications", "1,000,000,000,001"],
    ]
    assert lines.count("  multiplications  2,000,000,000,000") == 1
    assert "─" in render(Document("s", headings, rows, (table,), dict), "table", width=100)


def test_formulas_in_ascii() -> None:
    assert ascii_only("⌊(227 − 2·11)/4⌋ × 2 ≥ 1 · eval") == "floor((227 - 2*11)/4) x 2 >= 1 | eval"
