"""The parts that every specification is made of: its head, its axes, its records, its tooltips."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from archcalc.charts.labels import Label, Point, Scale, leader
from archcalc.charts.theme import Theme, config
from archcalc.formats.safe import one_line
from archcalc.values.columns import COLUMNS
from archcalc.values.report import Report, Row

Spec = dict[str, Any]

SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"

TITLES = {
    "network": "network",
    "name": "layer",
    "label": "value",
    "protocol": "protocol",
    "settings": "settings",
    "top1_percent": "top-1 error %",
    "top5_percent": "top-5 error %",
    "phase": "phase",
    "step": "step",
    "error_percent": "error %",
    "batch_size": "batch",
    "pass": "pass",
    "part": "part",
    "bytes": "bytes",
    "title": "measure",
    "value": "value",
    "gflops_per_second": "GFLOP/s",
    "gradient": "gradient",
    "median_ms": "median ms",
    "roofline_ms": "roofline ms",
}
"""Titles of what charts show and no column of the table holds."""


def whole(theme: Theme, title: str, subtitle: Sequence[str], description: str, body: Spec) -> Spec:
    """A complete specification; the description is what a screen reader reads out."""
    return {
        "$schema": SCHEMA,
        "description": one_line(description),
        "title": heading(title, subtitle),
        "background": theme.background,
        "padding": 16,
        **body,
        "config": config(theme),
    }


def heading(title: str, subtitle: Sequence[str] = (), **more: Any) -> Spec:
    """A title with the lines below it."""
    return {"text": one_line(title), "subtitle": [one_line(line) for line in subtitle if line], **more}


def circle(theme: Theme) -> Spec:
    """The mark of a point whose area says something: others show through where they overlap."""
    return {"type": "circle", "opacity": 0.75, "stroke": theme.background, "strokeWidth": 1}


def names(
    points: Sequence[tuple[Point, Spec]],
    placed: Mapping[int, Label],
    position: Spec,
    scales: tuple[Scale, Scale],
    theme: Theme,
) -> list[Spec]:
    """The layers that name points: each text, from the record beside its point, and a line to those that stand off.

    `position` encodes x and y, whose `scales` the points' pixels come from; `placed` has the label of a point by its
    number.
    """
    x, y = scales
    texts, lines = [], []
    for number, label in placed.items():
        point, record = points[number]
        texts.append({**record, "text": point.text, **label._asdict()})
        end = leader(point, label)
        if end is not None:
            lines.append({**record, "label_x": x.value(end[0]), "label_y": y.value(end[1])})
    line_ends = {"x2": {"field": "label_x"}, "y2": {"field": "label_y"}}
    return [
        {
            "data": values(lines),
            "mark": {"type": "rule", "color": theme.text, "strokeWidth": 1, "opacity": 0.7},
            "encoding": {**position, **line_ends},
        },
        {
            "data": values(texts),
            "mark": {
                "type": "text",
                "baseline": "middle",
                "fontSize": 12,
                "dx": {"expr": "datum.dx"},
                "dy": {"expr": "datum.dy"},
                "align": {"expr": "datum.align"},
            },
            "encoding": {**position, "text": {"field": "text"}},
        },
    ]


def values(records: Iterable[Spec]) -> Spec:
    """Records as the data of a chart."""
    return {"values": list(records)}


def of_row(report: Report, row: Row, keys: Iterable[str]) -> Spec:
    """A row's values in those columns, as the table has them, under their keys."""
    return {"network": one_line(report.subject), **{key: _plain(COLUMNS[key].value(row)) for key in keys}}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [number if isinstance(number, int) else float(number) for number in value]
    return one_line(value) if isinstance(value, str) else value


def tooltip(*keys: str) -> list[Spec]:
    """What is shown under the pointer: whole numbers with all their digits."""
    return [_shown(key) for key in keys]


def _shown(key: str) -> Spec:
    title = COLUMNS[key].title if key in COLUMNS else TITLES[key]
    unit = COLUMNS[key].unit if key in COLUMNS else ""
    counted = unit == "count" or key in ("bytes", "value")
    measured = unit == "number" or key in ("gradient", "error_percent") or key.endswith(("_ms", "_per_second"))
    number = {"type": "quantitative", "format": "," if counted else ",.3~r"}
    return {"field": key, "title": title, **(number if counted or measured else {"type": "nominal"})}


def axis(field: str, title: str | None, scale: Spec | None = None, **more: Any) -> Spec:
    """A quantitative encoding by position: the field, its title with the unit, its scale, and the look of its axis."""
    encoding: Spec = {"field": field, "type": "quantitative", "title": title}
    return {**encoding, **({"scale": scale} if scale else {}), **({"axis": more} if more else {})}


def unique(names: Iterable[str]) -> list[str]:
    """The names on one line each, with a number behind those that stood there before: a row of its own for each."""
    taken: set[str] = set()
    result = []
    for given in names:
        base = name = one_line(given) or "(root)"
        number = 1
        while name in taken:
            number += 1
            name = f"{base} ({number})"
        taken.add(name)
        result.append(name)
    return result


def side_by_side(panels: Sequence[Spec], columns: int = 2) -> Spec:
    """Several panels, each with axes of its own; a single one alone."""
    if len(panels) == 1:
        return panels[0]
    return {"concat": list(panels), "columns": columns, "resolve": {"scale": {"color": "shared"}}}
