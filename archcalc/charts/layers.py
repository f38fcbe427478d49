"""layers: where the parameters of a network are, and where its multiply-adds, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.charts.spec import Spec, heading, of_row, side_by_side, tooltip, unique, values, whole
from archcalc.charts.theme import Theme
from archcalc.count.fold import fold, folded_until
from archcalc.formats.units import compact, listed, percent, plural
from archcalc.values.columns import COLUMNS
from archcalc.values.report import Report, Row

ROWS = 32
"""A network of more layers with weights or multiply-adds is folded by module until it has no more than that."""

FEW, MOST = 10, 60
"""Where that leaves no more than a FEW stages, their blocks are shown, up to this MOST."""

MEASURES = ("params", "macs")
STEP = 30
"""Pixels from one layer to the next."""

WIDTH = 380


def layers(reports: Sequence[Report], theme: Theme) -> Spec:
    """A pair of bars a layer, each the layer's share of the network; a panel a network."""
    panels = [_panel(report, theme, alone=len(reports) == 1) for report in reports]
    names = listed([report.subject for report in reports])
    description = f"Bars: share of each layer of {names} in the parameters and in the mult-adds of the whole network."
    if len(reports) == 1:
        return whole(theme, f"Layers of {names}", _facts(reports[0]), description, panels[0])
    return whole(theme, "Parameters and mult-adds by layer", (), description, side_by_side(panels))


def shown(report: Report) -> list[Row]:
    """The rows that have bars: those with parameters or multiply-adds, unknown ones too, of the report folded."""
    rows = _folded_to(report, ROWS)
    return rows if len(rows) > FEW else _folded_to(report, MOST)


def _folded_to(report: Report, limit: int) -> list[Row]:
    return _costing(folded_until(report, lambda folded: len(_costing(folded)) <= limit, fold))


def _costing(report: Report) -> list[Row]:
    return [row for row in report.rows if row.params or row.macs is None or row.macs]


def records(report: Report) -> list[Spec]:
    """A record a bar: a layer's value, None where unknown, and its share of the whole."""
    rows = shown(report)
    names = unique(row.path for row in rows)
    totals = {key: report.total(key) for key in MEASURES}
    return [
        {
            **of_row(report, row, ("path", "kind", "params", "macs")),
            "name": name,
            "measure": key,
            "title": COLUMNS[key].title,
            "value": value,
            "share": (value or 0) / totals[key] if totals[key] else 0,
            "label": "unknown" if value is None else percent(value, totals[key]),
        }
        for row, name in zip(rows, names, strict=True)
        for key, value in ((key, COLUMNS[key].value(row)) for key in MEASURES)
    ]


def _facts(report: Report) -> list[str]:
    """The totals in one line; those that are lower bounds are marked."""
    amounts = []
    for key in MEASURES:
        column = COLUMNS[key]
        least = "≥ " if column.is_lower_bound(report) else ""
        amounts.append(f"{least}{compact(report.total(key))} {column.title}")
    batch = f"batch {report.batch_size}" if report.batch_size not in (None, 1) else ""
    rows = shown(report)
    folded = f"folded into {plural(len(rows), 'module')}" if any(row.calls > 1 for row in rows) else ""
    return [", ".join(amounts) + "; share of each layer", ", ".join(filter(None, (batch, folded)))]


def _panel(report: Report, theme: Theme, *, alone: bool) -> Spec:
    data = records(report)
    titles = [COLUMNS[key].title for key in MEASURES]
    colour = {
        "field": "title",
        "type": "nominal",
        "title": None,
        "scale": {"domain": titles, "range": [theme.colour(1), theme.colour(0)]},
        "legend": {"orient": "top" if alone else "bottom", "symbolType": "square", "offset": 4},
    }
    position: dict[str, Any] = {
        "y": {"field": "name", "type": "nominal", "sort": None, "title": None, "axis": {"grid": False}},
        "yOffset": {"field": "title", "type": "nominal", "sort": titles},
        "x": {"field": "share", "type": "quantitative", "axis": None, "scale": {"domain": [0, _end(data)]}},
    }
    bars: Spec = {
        "mark": {"type": "bar", "cornerRadiusEnd": 2},
        "encoding": {"color": colour, "tooltip": tooltip("path", "kind", "title", "value", "label")},
    }
    texts: Spec = {
        "mark": {"type": "text", "align": "left", "dx": 4, "fontSize": 10, "color": theme.muted},
        "encoding": {"text": {"field": "label"}},
    }
    return {
        **({} if alone else {"title": heading(report.subject, _facts(report))}),
        "data": values(data),
        "width": WIDTH,
        "height": {"step": STEP, "for": "position"},
        "encoding": position,
        "layer": [bars, texts],
    }


def _end(data: Sequence[Spec]) -> float:
    """Where the axis ends: room for a label behind the longest bar."""
    longest: float = max((record["share"] for record in data), default=0)
    return 1.15 * longest or 1
