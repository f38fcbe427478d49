"""memory: what is alive in memory in the course of a training step, and where the most is."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.charts.labels import text_width
from archcalc.charts.spec import Spec, heading, side_by_side, tooltip, values, whole
from archcalc.charts.theme import Theme
from archcalc.formats.safe import one_line
from archcalc.formats.units import listed, size_in_bytes
from archcalc.values.budget import Budget, Timeline

WIDTH, HEIGHT = 560, 240

PARTS = {
    "saved": "saved for backward",
    "activations": "other activations, or their gradients",
    "weight_gradients": "gradients of weights",
}
"""The parts of a step by the name of its field, as the legend calls them."""

UNITS = (("B", 1), ("KiB", 2**10), ("MiB", 2**20), ("GiB", 2**30), ("TiB", 2**40))


def memory(steps: Sequence[tuple[Budget, Timeline]], theme: Theme) -> Spec:
    """Bytes alive at each call forward and then backward, by part, the peak marked; a panel a network."""
    names = listed([budget.subject for budget, _ in steps])
    panels = [_panel(budget, timeline, theme, alone=len(steps) == 1) for budget, timeline in steps]
    description = f"Areas: bytes alive during a training step of {names}, by part; " + "; ".join(
        f"the peak of {budget.subject} is {size_in_bytes(budget.training.nbytes)} at {budget.training.path}"
        for budget, _ in steps
    )
    if len(steps) == 1:
        return whole(theme, _title(steps[0][0]), _facts(*steps[0]), description, panels[0])
    return whole(theme, "Memory of a training step", (), description, side_by_side(panels))


def records(timeline: Timeline) -> list[Spec]:
    """A record for each step and part; `step` counts from 0, and the last is there twice, to end its area."""
    steps = list(enumerate(timeline.steps))
    if steps:
        steps.append((len(steps), steps[-1][1]))
    return [
        {
            "step": number,
            "path": one_line(step.path),
            "pass": step.direction,
            "part": title,
            "rank": rank,
            "bytes": getattr(step, part),
        }
        for number, step in steps
        for rank, (part, title) in enumerate(PARTS.items())
    ]


def _title(budget: Budget) -> str:
    batch = "" if budget.batch_size is None else f", batch {budget.batch_size}"
    return f"Memory of a training step: {budget.subject}{batch}"


def _facts(budget: Budget, timeline: Timeline) -> list[str]:
    direction = max(timeline.steps, key=lambda step: step.nbytes).direction if timeline.steps else ""
    always = budget.weights + budget.buffers + budget.optimizer_state
    return [
        f"peak {size_in_bytes(budget.training.nbytes)} at {budget.training.path}, {direction}",
        f"weights, buffers and optimizer state come on top: {size_in_bytes(always)} ({budget.optimizer})",
    ]


def _panel(budget: Budget, timeline: Timeline, theme: Theme, *, alone: bool) -> Spec:
    peak = max((step.nbytes for step in timeline.steps), default=0)
    unit, scale, ticks = _axis(peak)
    end = max(len(timeline.steps), 1)
    top = 1.12 * peak or 1
    x: Spec = {
        "field": "step",
        "type": "quantitative",
        "title": None,
        "scale": {"domain": [0, end], "nice": False},
        "axis": {"labels": False, "grid": False},
    }
    y: Spec = {
        "field": "bytes",
        "type": "quantitative",
        "stack": "zero",
        "title": f"bytes alive, {unit}",
        "scale": {"domain": [0, top], "nice": False},
        "axis": {"values": ticks, "labelExpr": f"format(datum.value / {scale}, '~r')"},
    }
    colour: Spec = {
        "field": "part",
        "type": "nominal",
        "title": None,
        "scale": {"domain": [*PARTS.values()], "range": [theme.colour(number) for number in range(len(PARTS))]},
        "legend": {
            "orient": "top" if alone else "bottom",
            "symbolType": "square",
            "symbolStrokeWidth": 0,
            "offset": 4,
            "labelLimit": 300,
        },
    }
    areas: Spec = {
        "data": values(records(timeline)),
        "mark": {"type": "area", "interpolate": "step-after", "line": False, "opacity": 0.9},
        "encoding": {
            "x": x,
            "y": y,
            "color": colour,
            "order": {"field": "rank"},
            "tooltip": tooltip("path", "pass", "part", "bytes"),
        },
    }
    return {
        **({} if alone else {"title": heading(_title(budget), _facts(budget, timeline))}),
        "width": WIDTH,
        "height": HEIGHT,
        "layer": [areas, *_turn(timeline, x, theme), *_peak(budget, timeline, x, y, theme)],
    }


def _axis(peak: int) -> tuple[str, int, list[int]]:
    """The unit that a person would take, its bytes, and where the axis has its ticks, four to seven of them."""
    unit, scale = next(((unit, scale) for unit, scale in reversed(UNITS) if peak >= scale), UNITS[0])
    step = 1.0
    for step in (factor * 10**power for power in range(-3, 4) for factor in (1, 2, 5)):
        if peak / scale / step <= 6:
            break
    return unit, scale, [round(number * step * scale) for number in range(int(1.12 * peak / scale / step) + 1)]


def _turn(timeline: Timeline, x: Spec, theme: Theme) -> list[Spec]:
    """The line between the forward and the backward pass, and their names beside it."""
    turn = sum(step.direction == "forward" for step in timeline.steps)
    sides = [("forward", "right", -6), ("backward", "left", 6)]
    return [
        {
            "data": values([{"step": turn}]),
            "mark": {"type": "rule", "strokeDash": [4, 4], "color": theme.muted},
            "encoding": {"x": x},
        },
        *(
            {
                "data": values([{"step": turn, "pass": name}]),
                "mark": {
                    "type": "text",
                    "y": HEIGHT + 12,
                    "align": align,
                    "dx": dx,
                    "fontStyle": "italic",
                    "color": theme.muted,
                },
                "encoding": {"x": x, "text": {"field": "pass"}},
            }
            for name, align, dx in sides
        ),
    ]


def _peak(budget: Budget, timeline: Timeline, x: Spec, y: Spec, theme: Theme) -> list[Spec]:
    """The step at which the most is alive, with its bytes, on whichever side there is room."""
    if not timeline.steps:
        return []
    at = max(range(len(timeline.steps)), key=lambda number: timeline.steps[number].nbytes)
    text = f"peak {size_in_bytes(budget.training.nbytes)}"
    right = (at + 0.5) / len(timeline.steps) * WIDTH + text_width(text) < WIDTH
    record = {"step": at + 0.5, "bytes": timeline.steps[at].nbytes, "label": text}
    encoding = {"x": x, "y": {**y, "stack": None}}
    return [
        {
            "data": values([record]),
            "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1, "color": theme.text},
            "encoding": encoding,
        },
        {
            "data": values([record]),
            "mark": {
                "type": "text",
                "fontWeight": "bold",
                "align": "left" if right else "right",
                "dx": 8 if right else -8,
                "dy": -10,
            },
            "encoding": {**encoding, "text": {"field": "label"}},
        },
    ]
