"""receptive-field: how far a unit sees, by depth, against the size of the input."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, floor, log2
from typing import Any

from archcalc.charts.labels import GAP, SIZE, Box, Point, Scale, place, text_width
from archcalc.charts.spec import Spec, of_row, tooltip, unique, values, whole
from archcalc.charts.theme import Theme
from archcalc.count.rf_growth import growth
from archcalc.formats.units import listed
from archcalc.values.columns import COLUMNS
from archcalc.values.errors import UsageError
from archcalc.values.report import Report

WIDTH, HEIGHT = 560, 340
LINE = 18
"""Pixels that the label of a size of input needs above its line."""

KEYS = ("path", "kind", "depth", "receptive_field", "jump")


def receptive_field(reports: Sequence[Report], theme: Theme) -> Spec:
    """A line a network, over the weight layers on the longest path; pixels on a logarithmic scale."""
    names = unique(report.subject for report in reports)
    lines = [records(report, name) for report, name in zip(reports, names, strict=True)]
    points = [record for line in lines for record in line]
    if not points:
        raise UsageError(f"nothing is known of the receptive field of {listed(names)}; `archcalc rf` says why")
    inputs = dict.fromkeys(pixels for report in reports if (pixels := _input(report)))
    sizes = [record["pixels"] for record in points] + list(inputs)
    y = Scale(2 ** floor(log2(min(sizes))), 2 ** ceil(log2(max(sizes) * 1.05)), HEIGHT, 0, log=True)
    x = Scale(0, max(1, *(record["depth"] for record in points)), 0, WIDTH)
    rules = _inputs(list(inputs), lines, x, y)
    labels = _labels([line for line in lines if line], rules, x, y)
    hidden = [name for name, line in zip(names, lines, strict=True) if line and name not in labels]
    colour: Spec = {
        "field": "network",
        "type": "nominal",
        "legend": {"orient": "top", "title": None, "symbolType": "circle", "columns": 4} if hidden else None,
        "scale": {"domain": names, "range": [theme.colour(number) for number in range(len(names))]},
    }
    position = {"x": _x(x), "y": _y(y)}
    lost = any(row.receptive_field is None for report in reports for row in report.rows)
    body = {
        "width": WIDTH,
        "height": HEIGHT,
        "layer": [
            *_rules(rules, y, theme),
            {
                "data": values(points),
                "mark": {"type": "line", "strokeWidth": 2},
                "encoding": {**position, "color": colour, "order": {"field": "order"}},
            },
            {
                "data": values(points),
                "mark": {"type": "point", "size": 36, "strokeWidth": 1.5, "opacity": 1},
                "encoding": {
                    **position,
                    "stroke": {**colour, "legend": None},
                    "fill": {
                        "condition": {
                            "test": "datum.receptive_field === 'all'",
                            "value": theme.background,
                        },
                        **colour,
                        "legend": None,
                    },
                    "tooltip": tooltip("network", *KEYS),
                },
            },
            {
                "data": values(labels.values()),
                "mark": {
                    "type": "text",
                    "fontWeight": "bold",
                    "baseline": "middle",
                    "dx": {"expr": "datum.dx"},
                    "dy": {"expr": "datum.dy"},
                    "align": {"expr": "datum.align"},
                },
                "encoding": {**position, "text": {"field": "network"}, "color": {**colour, "legend": None}},
            },
        ],
    }
    subtitle = [
        "Receptive field by depth; above the dashed line it is wider than the input",
        "○ sees the whole input" if any(record["receptive_field"] == "all" for record in points) else "",
        "where positions cannot be followed, a line ends" if lost else "",
    ]
    description = f"Lines: receptive field in pixels of {listed(names)} against the number of weight layers."
    return whole(theme, "How far a unit sees", [subtitle[0], "; ".join(filter(None, subtitle[1:]))], description, body)


def records(report: Report, name: str) -> list[Spec]:
    """A record for each row at which the field grows; `pixels` is its size along the axis of which it sees most.

    A row that sees all of the input stands at the input's size, or where the line has got to already.
    """
    result: list[Spec] = []
    largest = 0
    for row in growth(report.rows):
        size: Any = row.receptive_field
        if size is None:
            continue
        pixels = max(largest, _input(report)) if isinstance(size, str) else max(size, default=0)
        if pixels < 1:
            continue
        largest = max(largest, pixels)
        result.append({**of_row(report, row, KEYS), "network": name, "pixels": pixels, "order": len(result)})
    return result


def _input(report: Report) -> int:
    """Pixels of the input's longest side; 0 where it has no sides."""
    return max(report.input_shapes[0][2:], default=0) if report.input_shapes else 0


def _x(x: Scale) -> Spec:
    title = f"{COLUMNS['depth'].title}: weight layers from the input"
    return {
        "field": "depth",
        "type": "quantitative",
        "title": title,
        "scale": x.spec,
        "axis": {"values": [*range(0, int(x.high) + 1, max(1, round(x.high / 10)))], "grid": False},
    }


def _y(y: Scale) -> Spec:
    powers = [2**power for power in range(round(log2(y.low)), round(log2(y.high)) + 1)]
    return {
        "field": "pixels",
        "type": "quantitative",
        "title": f"{COLUMNS['receptive_field'].title}, pixels (log)",
        "scale": {"type": "log", "base": 2, "domain": [y.low, y.high], "nice": False},
        "axis": {"values": powers, "format": ",d"},
    }


def _rules(rules: list[Spec], y: Scale, theme: Theme) -> list[Spec]:
    encoding = {"y": _y(y)}
    return [
        {
            "data": values(rules),
            "mark": {"type": "rule", "strokeDash": [5, 4], "color": theme.muted},
            "encoding": encoding,
        },
        {
            "data": values(rules),
            "mark": {
                "type": "text",
                "x": {"expr": "datum.x"},
                "align": {"expr": "datum.align"},
                "dy": {"expr": "datum.dy"},
                "fontStyle": "italic",
                "color": theme.muted,
            },
            "encoding": {**encoding, "text": {"field": "label"}},
        },
    ]


def _inputs(inputs: list[int], lines: list[list[Spec]], x: Scale, y: Scale) -> list[Spec]:
    """A record for each size of input; those whose labels would meet share the label of the largest."""
    drawn = [box for line in lines for box in _along(line, x, y)]
    groups: list[list[int]] = []
    for pixels in sorted(inputs, reverse=True):
        if groups and y(pixels) - y(groups[-1][0]) < LINE:
            groups[-1].append(pixels)
        else:
            groups.append([pixels])
    return [
        _input_label(
            pixels, f"input {listed([str(size) for size in reversed(group)])}" if number == 0 else "", drawn, y
        )
        for group in groups
        for number, pixels in enumerate(group)
    ]


def _input_label(pixels: int, label: str, drawn: list[Box], y: Scale) -> Spec:
    """A label at an end of its line, above or below, where it lies on no network's line if there is such a place."""
    places: list[Spec] = [
        {"pixels": pixels, "label": label, "x": at, "align": align, "dy": dy}
        for at, align in ((WIDTH - 4, "right"), (4, "left"))
        for dy in (-8, 10)
    ]
    free = (place for place in places if not any(_box(place, y).overlaps(box) for box in drawn))
    return next(free, places[0])


def _box(rule: Spec, y: Scale) -> Box:
    """The rectangle that the label of an input's size takes."""
    wide = text_width(rule["label"])
    left = rule["x"] - wide if rule["align"] == "right" else rule["x"]
    middle = y(rule["pixels"]) + rule["dy"]
    return Box(left - 4, middle - 8, left + wide + 4, middle + 8)


def _labels(lines: list[list[Spec]], rules: list[Spec], x: Scale, y: Scale) -> dict[str, Spec]:
    """The name of each network at the end of its line, or where there is room along it, by network."""
    taken = [_box(rule, y) for rule in rules]
    taken += [Box(0, y(rule["pixels"]) - 1, WIDTH, y(rule["pixels"]) + 1) for rule in rules]
    taken += [
        Box(x(record["depth"]) - 3, y(record["pixels"]) - 3, x(record["depth"]) + 3, y(record["pixels"]) + 3)
        for line in lines
        for record in line[:-1]
    ]
    taken += [box for line in lines for box in _along(line, x, y)]
    ends = [line[-1] for line in lines]
    points = [Point(x(end["depth"]), y(end["pixels"]), 4, end["network"]) for end in ends]
    margin = max(text_width(point.text) for point in points) + GAP + SIZE
    placed = place(points, WIDTH, HEIGHT, taken=taken, margin=margin)
    return {ends[number]["network"]: {**ends[number], **label._asdict()} for number, label in placed.items()}


def _along(line: list[Spec], x: Scale, y: Scale) -> list[Box]:
    """Small boxes along a line, short of its end, that labels keep clear of."""
    boxes = []
    for start, end in pairwise(line):
        x0, y0, x1, y1 = x(start["depth"]), y(start["pixels"]), x(end["depth"]), y(end["pixels"])
        for part in range(8):
            at_x, at_y = x0 + (x1 - x0) * part / 8, y0 + (y1 - y0) * part / 8
            boxes.append(Box(at_x - 1, at_y - 1, at_x + 1, at_y + 1))
    return boxes
