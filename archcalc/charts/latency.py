"""latency: how long networks took, from a benchmark."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.charts.spec import Spec, side_by_side, tooltip, unique, values, whole
from archcalc.charts.theme import Theme
from archcalc.formats.units import listed, milliseconds, noisy_milliseconds
from archcalc.values.benchmark import Benchmark, Timing
from archcalc.values.errors import UsageError
from archcalc.values.samples import quantile

WIDTH, STEP = 380, 30


def latency(benchmark: Benchmark, names: Sequence[str], theme: Theme) -> Spec:
    """A bar a network and batch to the median, a line over the middle half of the samples; a panel a phase.

    `names` are the networks to show, all of them if empty; UsageError for one that was not measured.
    """
    timings = chosen(benchmark, names)
    phases = list(dict.fromkeys(timing.phase for timing in timings))
    panels = [_panel(phase, [timing for timing in timings if timing.phase == phase], theme) for phase in phases]
    machine, setting = benchmark.machine, benchmark.setting
    threads = f", {machine.threads} thread{'s' * (machine.threads != 1)}" if setting.device == "cpu" else ""
    noisy = any(timing.samples.noisy for timing in timings)
    subtitle = [
        f"{machine.device}{threads}, {setting.dtype}, torch {machine.torch}",
        "bar: median; line: middle half of the samples; tick: least time at the machine's measured peak",
        "! the samples spread by more than a tenth: not to be relied on" if noisy else "",
    ]
    shown = listed(list(dict.fromkeys(timing.network for timing in timings)))
    description = f"Bars: median milliseconds of {listed(phases)} of {shown} on {machine.device}."
    body = side_by_side(panels) if len(panels) > 1 else panels[0]
    return whole(theme, "How long a batch takes", subtitle, description, body)


def chosen(benchmark: Benchmark, names: Sequence[str]) -> list[Timing]:
    """The timings of the networks named, of all if none is; UsageError for one that was not measured."""
    measured = list(dict.fromkeys(timing.network for timing in benchmark.timings))
    missing = [name for name in names if name not in measured]
    if missing:
        raise UsageError(f"{listed(missing)} is not in this benchmark; it has {listed(measured)}")
    return [timing for timing in benchmark.timings if not names or timing.network in names]


def records(timings: Sequence[Timing]) -> list[Spec]:
    """A record a timing, in milliseconds: median, quartiles, and the least time at the machine's peak."""
    several = len({timing.batch_size for timing in timings}) > 1
    names = unique(f"{timing.network}, batch {timing.batch_size}" if several else timing.network for timing in timings)
    return [
        {
            "network": name,
            "batch_size": timing.batch_size,
            "phase": timing.phase,
            "median_ms": 1000 * timing.samples.median_seconds,
            "low_ms": 1000 * quantile(sorted(timing.samples.seconds), 0.25),
            "high_ms": 1000 * quantile(sorted(timing.samples.seconds), 0.75),
            "roofline_ms": 1000 * timing.bound.seconds,
            "label": f"{_text(timing)} ms",
        }
        for name, timing in zip(names, timings, strict=True)
    ]


def _text(timing: Timing) -> str:
    median = timing.samples.median_seconds
    return noisy_milliseconds(median) if timing.samples.noisy else milliseconds(median)


def _panel(phase: str, timings: Sequence[Timing], theme: Theme) -> Spec:
    data = records(timings)
    end = 1.28 * max(record["high_ms"] for record in data)
    scale = {"domain": [0, end], "nice": False}
    x = {
        "field": "median_ms",
        "type": "quantitative",
        "title": "milliseconds",
        "scale": scale,
        "axis": {"tickCount": 5},
    }
    band = {"y": {"bandPosition": 0.5}}
    y = {"field": "network", "type": "nominal", "sort": None, "title": None, "axis": {"grid": False}}
    return {
        "title": {"text": phase, "fontSize": 13, "offset": 6},
        "data": values(data),
        "width": WIDTH,
        "height": {"step": STEP},
        "encoding": {"y": y, "tooltip": tooltip("network", "batch_size", "phase", "median_ms", "roofline_ms")},
        "layer": [
            {
                "mark": {"type": "bar", "cornerRadiusEnd": 2, "color": theme.colour(0), "height": {"band": 0.62}},
                "encoding": {"x": x},
            },
            {
                "mark": {"type": "rule", "strokeWidth": 2, "color": theme.text},
                "encoding": {"x": {**x, "field": "low_ms"}, "x2": {"field": "high_ms"}, "y": {**y, **band["y"]}},
            },
            {
                "mark": {"type": "tick", "thickness": 2, "color": theme.colour(1), "height": {"band": 0.8}},
                "encoding": {"x": {**x, "field": "roofline_ms"}},
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 8},
                "encoding": {"x": {**x, "field": "high_ms"}, "text": {"field": "label"}},
            },
        ],
    }
