"""compare: several networks by parameters, multiply-adds and activations."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.charts.spec import Spec, tooltip, unique, values, whole
from archcalc.charts.theme import Theme
from archcalc.formats.units import compact, listed
from archcalc.values.columns import COLUMNS
from archcalc.values.report import Report

MEASURES = ("params", "macs", "activations")
WIDTH = 210
STEP = 28


def compare(reports: Sequence[Report], theme: Theme) -> Spec:
    """A panel a measure, and in it a bar a network, all beginning at zero."""
    names = listed([report.subject for report in reports])
    batches = {report.batch_size for report in reports}
    batch = f"batch {batches.pop()}" if len(batches) == 1 and None not in batches else ""
    bounds = any(COLUMNS[key].is_lower_bound(report) for report in reports for key in MEASURES)
    lower = "≥: a lower bound, since some ops could not be counted" if bounds else ""
    data = records(reports)
    panels = [_panel(key, data, theme, first=number == 0) for number, key in enumerate(MEASURES)]
    body = {"data": values(data), "hconcat": panels, "spacing": 24}
    description = f"Bars: parameters, mult-adds and activations of {names}."
    return whole(theme, "Networks side by side", (batch, lower), description, body)


def records(reports: Sequence[Report]) -> list[Spec]:
    """A record a bar: a network's total, or what is known of it, marked in the label."""
    names = unique(report.subject for report in reports)
    return [
        {
            "network": name,
            "measure": key,
            "title": COLUMNS[key].title,
            "value": report.total(key),
            "label": ("≥ " if COLUMNS[key].is_lower_bound(report) else "") + compact(report.total(key)),
        }
        for name, report in zip(names, reports, strict=True)
        for key in MEASURES
    ]


def _panel(key: str, data: Sequence[Spec], theme: Theme, *, first: bool) -> Spec:
    end = 1.3 * max(record["value"] for record in data if record["measure"] == key)
    axis = {"grid": False} if first else None
    return {
        "title": {"text": COLUMNS[key].title, "fontSize": 12, "fontWeight": "normal", "offset": 4},
        "transform": [{"filter": {"field": "measure", "equal": key}}],
        "width": WIDTH,
        "height": {"step": STEP},
        "encoding": {
            "y": {"field": "network", "type": "nominal", "sort": None, "title": None, "axis": axis},
            "x": {"field": "value", "type": "quantitative", "axis": None, "scale": {"domain": [0, end or 1]}},
        },
        "layer": [
            {
                "mark": {
                    "type": "bar",
                    "cornerRadiusEnd": 2,
                    "color": theme.colour({"params": 1, "macs": 0}.get(key, 3)),
                },
                "encoding": {"tooltip": tooltip("network", "title", "value")},
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 5},
                "encoding": {"text": {"field": "label"}},
            },
        ],
    }
