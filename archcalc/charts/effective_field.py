"""effective-field: the squared gradient of a unit over the input, and the pixels that the unit can see."""

from __future__ import annotations

from math import sqrt

from archcalc.charts.spec import Spec, values, whole
from archcalc.charts.theme import Theme
from archcalc.formats.units import plural, power
from archcalc.values.effective_field import EffectiveAxis, EffectiveField

SIDE = 360
"""Points of the longer side of the picture."""


def effective_field(field: EffectiveField, theme: Theme) -> Spec:
    """A square a cell of the input, dashed the field in theory, solid the effective one."""
    across, down = field.axes[-1], field.axes[-2] if len(field.axes) > 1 else None
    height = 1 if down is None else down.length
    scale = SIDE / max(across.length, height)
    x = _scale("x", across.length, "column" if down else across.name)
    y = _scale("y", height, "row" if down else None)
    most = max(max(line) for line in field.energy)
    cells = [
        {
            "x": column * across.length / len(line),
            "x2": (column + 1) * across.length / len(line),
            "y": row * height / len(field.energy),
            "y2": (row + 1) * height / len(field.energy),
            "share": share,
            "shade": sqrt(share / most),
        }
        for row, line in enumerate(field.energy)
        for column, share in enumerate(line)
    ]
    colour: Spec = {
        "field": "shade",
        "type": "quantitative",
        "legend": None,
        "scale": {"domain": [0, 1], "range": [theme.background, theme.colour(0)], "interpolate": "rgb"},
    }
    ends: Spec = {"x": x, "x2": {"field": "x2"}, "y": y, "y2": {"field": "y2"}}
    widths = ", ".join(f"{axis.name} {power(axis.width.median)} of {axis.size}" for axis in field.axes)
    setting = field.setting
    facts = [
        f"unit {','.join(str(axis.position) for axis in field.axes)}: {widths} pixels",
        "shade: root of the share of the squared gradient; solid: four standard deviations; dashed: in theory",
        f"{setting.init} weights, {plural(setting.seeds, 'seed')}",
    ]
    title = f"Effective receptive field: {field.subject} {field.path}"
    description = (
        f"A map of the input: the squared gradient of a unit of {field.subject} {field.path}; {widths} pixels."
    )
    body: Spec = {
        "width": round(scale * across.length),
        "height": max(20, round(scale * height)),
        "layer": [
            {
                "data": values(cells),
                "mark": {"type": "rect", "stroke": None},
                "encoding": {
                    **ends,
                    "color": colour,
                    "tooltip": [{"field": "share", "title": "share", "type": "quantitative", "format": ".3~g"}],
                },
            },
            _box(_theory(across), (0, 1) if down is None else _theory(down), ends, [6, 4], theme),
            _box(_effective(across), (0, 1) if down is None else _effective(down), ends, [], theme),
        ],
    }
    return whole(theme, title, facts, description, body)


def _scale(field: str, length: int, title: str | None) -> Spec:
    return {
        "field": field,
        "type": "quantitative",
        "title": title and f"{title} of the input",
        "scale": {"domain": [0, length] if field == "x" else [length, 0], "nice": False, "clamp": True},
        "axis": {"grid": False, "tickCount": 5} if title else None,
    }


def _theory(axis: EffectiveAxis) -> tuple[float, float]:
    return max(0, axis.first), min(axis.length, axis.last + 1)


def _effective(axis: EffectiveAxis) -> tuple[float, float]:
    """Two standard deviations to either side of the middle of the pixel in the centre."""
    middle, half = axis.centre.median + 0.5, axis.width.median / 2
    return max(0, middle - half), min(axis.length, middle + half)


def _box(across: tuple[float, float], down: tuple[float, float], ends: Spec, dash: list[int], theme: Theme) -> Spec:
    record = {"x": across[0], "x2": across[1], "y": down[0], "y2": down[1]}
    mark = {"type": "rect", "filled": False, "stroke": theme.text, "strokeWidth": 1.5, "strokeDash": dash}
    return {"data": values([record]), "mark": mark, "encoding": ends}
