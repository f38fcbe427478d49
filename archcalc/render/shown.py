"""Which renderer shows which type of value: what `str(value)` prints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archcalc.formats import render
from archcalc.render.bench import timings
from archcalc.render.compare import comparison
from archcalc.render.conventions import conventions
from archcalc.render.explain import explanation
from archcalc.render.memory import memory
from archcalc.render.rf_unit import layer_field
from archcalc.render.table import layers
from archcalc.render.verify import verification
from archcalc.values.benchmark import Benchmark
from archcalc.values.budget import Budget
from archcalc.values.claim import Verdict, Verdicts
from archcalc.values.comparison import Comparison
from archcalc.values.conventions import Conventions
from archcalc.values.document import Document
from archcalc.values.explanation import Explanation
from archcalc.values.layer_field import LayerField
from archcalc.values.report import Report

RENDERERS: dict[type, Callable[[Any], Document]] = {
    Benchmark: timings,
    Budget: memory,
    Comparison: comparison,
    Conventions: conventions,
    Explanation: explanation,
    LayerField: layer_field,
    Report: layers,
    Verdict: lambda verdict: verification([verdict]),
    Verdicts: verification,
}

WIDTH = 100
"""The columns of a terminal that nobody asks about."""


def text(value: object) -> str:
    """The table that the value's command prints."""
    renderer = next(RENDERERS[kind] for kind in type(value).__mro__ if kind in RENDERERS)
    return render(renderer(value), "table", width=WIDTH).rstrip("\n")
