"""zoo: the published error of the zoo's networks against what they cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from archcalc.charts.labels import Point, Scale, place, radius
from archcalc.charts.spec import Spec, circle, names, tooltip, unique, values, whole
from archcalc.charts.theme import Theme
from archcalc.values.columns import COLUMNS
from archcalc.values.errors import UsageError
from archcalc.values.listing import Architecture, PublishedError
from archcalc.values.report import Report

PROTOCOL = "ImageNet val, 10 crops"
"""The protocol by default: the one that most of the networks were tested by."""

WIDTH, HEIGHT = 620, 380
LARGEST = 2400.0
"""Area of the largest circle, in square pixels."""

METRICS = {"top-1": "top1_percent", "top-5": "top5_percent"}


@dataclass(frozen=True, slots=True)
class Result:
    """What a network was published with: its test protocol, its errors, and the settings that the protocol names."""

    architecture: Architecture
    protocol: str
    top1_percent: float | None
    top5_percent: float | None

    @property
    def settings(self) -> dict[str, Any]:
        """Settings of the builder: a protocol "..., shortcut A" is of a network built with shortcut="A"."""
        words = [part.split() for part in self.protocol.split(", ")]
        return {word[0]: word[1] for word in words if len(word) == 2 and word[0] in self.architecture.settings}


def results(entries: Iterable[Architecture], protocol: str = PROTOCOL) -> list[Result]:
    """The first result of each network whose protocol contains the text, such as "CIFAR-10"; UsageError for none."""
    wanted = protocol.lower()
    chosen = []
    protocols: dict[str, None] = {}
    for entry in entries:
        protocols |= dict.fromkeys(_base(error) for error in entry.errors)
        error = next((error for error in entry.errors if wanted in error[0].lower()), None)
        if error is not None:
            chosen.append(Result(entry, *error))
    if not chosen:
        there = f"; there are: {'; '.join(protocols)}" if protocols else ""
        raise UsageError(f"none of these networks has an error published for '{protocol}'{there}")
    return chosen


def _base(error: PublishedError) -> str:
    """A protocol without the variants of the network that it names."""
    parts = error[0].split(", ")
    return ", ".join(part for part in parts if not part.startswith("shortcut "))


def zoo(points: Sequence[tuple[Result, Report]], theme: Theme) -> Spec:
    """A circle a network: its error against its multiply-adds, its area the parameters."""
    metric = _metric([result for result, _ in points])
    data = [record for record in records(points) if record[METRICS[metric]] is not None and record["macs"]]
    if not data:
        raise UsageError("none of these networks has both a published error and multiply-adds")
    data.sort(key=lambda record: -record["params"])
    key = METRICS[metric]
    protocols = list(dict.fromkeys(record["base"] for record in data))
    x = _log_scale([record["macs"] for record in data])
    y = Scale(0, 1.12 * max(record[key] for record in data) or 1, HEIGHT, 0)
    largest = max(record["params"] for record in data) or 1
    position: Spec = {
        "x": {
            "field": "macs",
            "type": "quantitative",
            "title": f"{COLUMNS['macs'].title} of one image (log)",
            "scale": x.spec,
            "axis": {"format": "~s", "values": _ticks(x)},
        },
        "y": {
            "field": key,
            "type": "quantitative",
            "title": f"published {metric} error, %",
            "scale": y.spec,
            "axis": {"tickCount": 6},
        },
    }
    several = len(protocols) > 1
    colour: Spec = (
        {
            "field": "base",
            "type": "nominal",
            "title": None,
            "scale": {"domain": protocols, "range": [theme.colour(number) for number in range(len(protocols))]},
            "legend": {"orient": "top", "labelLimit": 300, "symbolStrokeWidth": 0, "symbolOpacity": 1, "columns": 3},
        }
        if several
        else {"value": theme.colour(0)}
    )
    circles: Spec = {
        "data": values(data),
        "mark": circle(theme),
        "encoding": {
            **position,
            "color": colour,
            "size": {
                "field": "params",
                "type": "quantitative",
                "title": COLUMNS["params"].title,
                "scale": {"domain": [0, largest], "range": [0, LARGEST]},
                "legend": {
                    "format": "~s",
                    "values": _sizes(largest),
                    "symbolFillColor": "transparent",
                    "symbolStrokeColor": theme.muted,
                    "orient": "right",
                },
            },
            "tooltip": tooltip("network", "params", "macs", "top1_percent", "top5_percent", "protocol", "settings"),
        },
    }
    circled = _circles(data, key, x, y, largest)
    labels = place([point for point, _ in circled], WIDTH, HEIGHT)
    comparable = "the protocols differ, so errors of different colours do not compare" if several else protocols[0]
    text = f"Published {metric} error against computed {COLUMNS['macs'].title}; area: {COLUMNS['params'].title}"
    description = f"Scatter of {len(data)} networks: published {metric} error in percent against mult-adds."
    texts = names(circled, labels, position, (x, y), theme)
    body = {"width": WIDTH, "height": HEIGHT, "layer": [circles, *texts]}
    return whole(theme, "What accuracy costs", [text, comparable], description, body)


def records(points: Sequence[tuple[Result, Report]]) -> list[Spec]:
    """A record a network; the costs are those of the network as its protocol's settings build it."""
    shown = unique(result.architecture.name for result, _ in points)
    return [
        {
            "network": name,
            **{key: report.total(key) for key in ("params", "macs")},
            "top1_percent": result.top1_percent,
            "top5_percent": result.top5_percent,
            "protocol": result.protocol,
            "base": _base((result.protocol, None, None)),
            "settings": ", ".join(f"{key}={value}" for key, value in result.settings.items()),
        }
        for name, (result, report) in zip(shown, points, strict=True)
    ]


def _metric(results: Sequence[Result]) -> str:
    """The error that most of them have; top-1 of two that as many have."""
    return max(METRICS, key=lambda metric: sum(getattr(result, METRICS[metric]) is not None for result in results))


def _log_scale(macs: Sequence[int]) -> Scale:
    """A scale with room for the circles, and their names, at both ends."""
    return Scale(min(macs) / 1.7, max(macs) * 1.7, 0, WIDTH, log=True)


def _ticks(x: Scale) -> list[float]:
    """1, 2 and 5 of each power of ten within the scale."""
    return [step * 10**power for power in range(19) for step in (1, 2, 5) if x.low <= step * 10**power <= x.high]


def _sizes(largest: int) -> list[int]:
    """Round numbers of parameters for the legend: about all, two fifths and a tenth of the largest."""
    rounds = [step * 10**power for power in range(19) for step in (1, 2, 5)]
    below = [number for number in rounds if number <= largest]
    return sorted({below[index] for index in (-1, -3, -5) if -index <= len(below)})


def _circles(data: Sequence[Spec], key: str, x: Scale, y: Scale, largest: int) -> list[tuple[Point, Spec]]:
    """Each network's circle with its record; small ones come first, and so are the first to be named."""
    order = sorted(data, key=lambda record: (record["params"], record["network"]))
    return [
        (
            Point(x(record["macs"]), y(record[key]), radius(LARGEST * record["params"] / largest), record["network"]),
            record,
        )
        for record in order
    ]
