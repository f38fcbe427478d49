"""gradients: what reaches each weight layer of networks as they start, by depth, on a logarithmic axis."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10

from archcalc.charts.spec import Spec, tooltip, unique, values, whole
from archcalc.charts.theme import Theme
from archcalc.formats.safe import one_line
from archcalc.formats.units import listed, plural
from archcalc.values.gradients import Gradients

WIDTH, HEIGHT = 560, 320

SUBTITLE = "norm of the gradient at each layer's output, relative to the last layer's; band: the range over the seeds"

LEGEND = {"orient": "top", "symbolType": "stroke", "symbolOpacity": 1, "labelLimit": 300}


def gradients(networks: Sequence[Gradients], theme: Theme) -> Spec:
    """A line a network from the input to the last layer, with a band from the least to the most of the seeds."""
    names = unique(network.subject for network in networks)
    records = [record for name, network in zip(names, networks, strict=True) for record in layers(name, network)]
    low, high = _decades(records)
    x: Spec = {
        "field": "depth",
        "type": "quantitative",
        "title": "depth: weight layers from the input",
        "axis": {"grid": False},
    }
    y: Spec = {
        "field": "gradient",
        "type": "quantitative",
        "title": "gradient, times the last layer's (log)",
        "scale": {"type": "log", "domain": [10.0**low, 10.0**high], "nice": False},
        "axis": {"values": [10.0**power for power in _ticks(low, high)], "format": "~e"},
    }
    colour: Spec = {
        "field": "network",
        "type": "nominal",
        "title": None,
        "scale": {"domain": names, "range": [theme.colour(number) for number in range(len(names))]},
        "legend": LEGEND if len(names) > 1 else None,
    }
    setting = networks[0].setting
    weights = "weights as built" if setting.init == "own" else f"{setting.init} weights"
    seeds = plural(setting.seeds, "seed")
    facts = [SUBTITLE, f"{weights}, {seeds}, batch {setting.batch_size}; this is the start, not how it trains"]
    ends = "; ".join(_end(name, network) for name, network in zip(names, networks, strict=True))
    description = f"Lines: the gradient that reaches each layer of {listed(names)} at the start, by depth; {ends}"
    body: Spec = {
        "width": WIDTH,
        "height": HEIGHT,
        "layer": [
            {
                "data": values([{"gradient": 1.0}]),
                "mark": {"type": "rule", "strokeDash": [5, 4], "color": theme.muted},
                "encoding": {"y": y},
            },
            {
                "data": values(records),
                "mark": {"type": "area", "opacity": 0.25, "line": False},
                "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": colour},
            },
            {
                "data": values(records),
                "mark": {"type": "line", "point": {"size": 24}, "strokeWidth": 2},
                "encoding": {
                    "x": x,
                    "y": y,
                    "color": colour,
                    "tooltip": tooltip("network", "path", "depth", "gradient"),
                },
            },
        ],
    }
    return whole(theme, f"Gradients at the start: {listed(names)}", facts, description, body)


def layers(name: str, network: Gradients) -> list[Spec]:
    """A record for each depth: the layer there that gets the most, if it gets a gradient at all."""
    deepest: dict[int, Spec] = {}
    for layer in network.layers:
        part = layer.gradient
        if part is None or not part.low:  # a logarithmic axis has no zero
            continue
        if layer.depth not in deepest or part.median > deepest[layer.depth]["gradient"]:
            deepest[layer.depth] = {
                "network": name,
                "path": one_line(layer.path),
                "depth": layer.depth,
                "gradient": part.median,
                "low": part.low,
                "high": part.high,
            }
    return [deepest[depth] for depth in sorted(deepest)]


def _end(name: str, network: Gradients) -> str:
    gradient = network.first.gradient
    if gradient is None or not gradient.median:
        return f"{one_line(network.first.path)} of {name} gets none that is known"
    return f"{one_line(network.first.path)} of {name} gets {gradient.median:.3g} times the last layer's"


def _decades(records: Sequence[Spec]) -> tuple[int, int]:
    """The powers of ten between which everything lies, 1 between them."""
    low = min([0.1, *(record["low"] for record in records)])
    high = max([10.0, *(record["high"] for record in records)])
    return floor(log10(low)), ceil(log10(high))


def _ticks(low: int, high: int) -> range:
    """At most ten powers of ten, 1 among them."""
    step = ceil((high - low) / 10)
    return range(-(-low // step) * step, high + 1, step)
