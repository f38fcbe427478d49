"""Charts of the report: SVG in the page itself, whose colours the page's style sheet turns dark."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import chain

from markupsafe import Markup, escape

from archcalc.charts.chart import Chart
from archcalc.charts.latency import latency
from archcalc.charts.layers import layers
from archcalc.charts.memory import WIDTH, memory
from archcalc.charts.receptive_field import receptive_field
from archcalc.charts.theme import THEMES
from archcalc.count.memory import budget, timeline
from archcalc.values.benchmark import Benchmark
from archcalc.values.budget import Step, Timeline
from archcalc.values.errors import UsageError
from archcalc.values.report import Report
from archcalc.values.trace import Trace

LIGHT, DARK = THEMES["light"], THEMES["dark"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart, and in a sentence what it shows."""

    svg: Markup
    caption: str


def layer_chart(report: Report, prefix: str) -> Figure:
    """Params against multiply-adds of each layer."""
    return _figure(Chart("layers", layers([report], LIGHT)), prefix)


def field_chart(reports: list[Report], prefix: str) -> Figure | None:
    """How far a unit sees, by depth; None where nothing is known of it."""
    try:
        return _figure(Chart("receptive-field", receptive_field(reports, LIGHT)), prefix)
    except UsageError:  # it was never asked for: the page goes without
        return None


def memory_chart(trace: Trace, prefix: str) -> Figure:
    """The memory of a training step; the trace must have followed autograd."""
    return _figure(Chart("memory", memory([(budget(trace), thinned(timeline(trace), WIDTH))], LIGHT)), prefix)


def thinned(whole: Timeline, most: int) -> Timeline:
    """The timeline with about `most` steps, the pixels of a chart: each holds the most among its neighbours."""
    each = -(-len(whole.steps) // most) or 1
    steps: list[Step] = []
    for direction in ("forward", "backward"):
        half = [step for step in whole.steps if step.direction == direction]
        parts = (half[start : start + each] for start in range(0, len(half), each))
        steps += [max(part, key=lambda step: step.nbytes) for part in parts]
    return replace(whole, steps=tuple(steps))


def latency_chart(benchmark: Benchmark, prefix: str) -> Figure:
    """What was measured."""
    return _figure(Chart("latency", latency(benchmark, (), LIGHT)), prefix)


def dark_rules() -> list[str]:
    """Rules of a style sheet that give a chart, which is drawn in light colours, the dark ones."""
    pairs = chain(
        [(LIGHT.background, DARK.background), (LIGHT.text, DARK.text), (LIGHT.muted, DARK.muted)],
        [(LIGHT.grid, DARK.grid)],
        zip(LIGHT.palette, DARK.palette, strict=True),
    )
    return [
        f'.chart [{attribute}="{light}"]{{{attribute}:{dark}}}'
        for light, dark in pairs
        for attribute in ("fill", "stroke")
    ]


def _figure(chart: Chart, prefix: str) -> Figure:
    text = re.sub(r"\d+\.\d{3,}", lambda match: f"{float(match[0]):.2f}".rstrip("0").rstrip("."), chart.svg())
    text = re.sub(r' style="italic"', ' font-style="italic"', text)  # not CSS: browsers refuse it
    text = re.sub(r'\b(id="|url\(#|href="#)', rf"\g<1>{prefix}-", text)
    text = re.sub(r' aria-\w+="[^"]*"| role="[^"]*"', "", text)  # the whole of it is one image, with one description
    text = text.replace("<svg ", f'<svg role="img" aria-label="{escape(str(chart))}" ', 1)
    return Figure(Markup(text), str(chart))
