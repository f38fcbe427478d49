"""Which renderer shows which type of value: what `str(value)` and a notebook print."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from archcalc.formats import render

RENDERERS = {
    "Benchmark": "bench.timings",
    "Budget": "memory.memory",
    "Comparison": "compare.comparison",
    "Conventions": "conventions.conventions",
    "Difference": "diff.difference",
    "EffectiveField": "rf_effective.effective_field",
    "Explanation": "explain.explanation",
    "Gradients": "gradients.gradients",
    "LayerField": "rf_unit.layer_field",
    "Report": "table.layers",
    "TopKErrors": "top_k.top_k_errors",
    "Training": "training.training",
    "Verdict": "verify.verification_of_one",
    "Verdicts": "verify.verification",
}
"""By the name of a type: the file of this folder and the function in it, imported when it is wanted."""

WIDTH = 100
"""Columns of `str(value)`."""


def text(value: object, form: str, **options: Any) -> str:
    """What the value's command prints in that format; options are those of its renderer."""
    name = next(RENDERERS[kind.__name__] for kind in type(value).__mro__ if kind.__name__ in RENDERERS)
    file, _, function = name.partition(".")
    renderer = getattr(import_module(f"archcalc.render.{file}"), function)
    return render(renderer(value, **options), form, width=WIDTH).rstrip("\n")
