"""gradients: what reaches each weight layer as a table with a chart on a logarithmic axis, and what that says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, floor, inf, log10
from typing import Any

from archcalc.formats.units import listed, plural, power, size
from archcalc.render.table import NETWORK
from archcalc.values.columns import COLUMNS
from archcalc.values.document import UNKNOWN, Document, Heading, Remark, Table
from archcalc.values.gradients import Gradients, LayerGradient, Range

SCHEMA = "archcalc.gradients-list/1"

VANISHED, EXPLODED = 0.01, 100
"""The first layer's gradient over the last one's at which it is said to have vanished, or exploded."""

CHART = 24
"""Characters of the chart."""

START = (
    "this is how the network starts; it does not say how it trains, as a few steps change it much: --steps 5 shows that"
)
MISLEADING = "alone they mislead: what a layer is given enters them, and may make up for a gradient that vanished"


PATH, CALL, KIND, DEPTH = (COLUMNS[key].heading(rank=0) for key in ("path", "call", "kind", "depth"))
PARTS = {
    "gradient": "gradient",
    "gradient_after": "after",
    "mean": "mean",
    "spread": "spread",
    "zeros": "zeros",
    "weight_gradient": "of weights",
}
"""The measured values of a layer by field, as the table calls them."""
_RECORDS = (
    *(NETWORK, PATH, CALL, KIND, DEPTH),
    *(
        Heading(f"{part}{suffix}", f"{title}{suffix}", "power")
        for part, title in PARTS.items()
        for suffix in ("", "_low", "_high")
    ),
    Heading("note", "note", "text"),
)


def gradients(networks: Gradients | Sequence[Gradients], rows: int | None = None, *, chart: bool = True) -> Document:
    """A table a network with at most so many of its layers, the first and the last among them; all of them for None.

    csv and json have every layer.
    """
    listed = [networks] if isinstance(networks, Gradients) else list(networks)
    records = tuple(_record(network, layer) for network in listed for layer in network.layers)
    tables = tuple(_table(network, rows, chart) for network in listed)
    content = {"schema": SCHEMA, "networks": [network.to_dict() for network in listed]}
    return Document(SCHEMA, _RECORDS, records, tables, lambda: content)


def _record(network: Gradients, layer: LayerGradient) -> tuple[Any, ...]:
    parts = [getattr(layer, part) for part in PARTS]
    values = [value for part in parts for value in ((part.median, part.low, part.high) if part else (None,) * 3)]
    return (network.subject, layer.path, layer.call, layer.kind, layer.depth, *values, layer.note)


def _table(network: Gradients, rows: int | None, chart: bool) -> Table:
    shown = _chosen(network.layers, rows)
    headings = [
        PATH,
        Heading("gradient", PARTS["gradient"], "power"),
        Heading("range", "range", "text", 2),
        Heading("gradient_after", PARTS["gradient_after"], "power", 1),
        Heading("mean", PARTS["mean"], "power", 5),
        Heading("spread", PARTS["spread"], "power", 4),
        Heading("zeros", PARTS["zeros"], "share", 3),
        Heading("weight_gradient", PARTS["weight_gradient"], "power", 6),
    ]
    lines: list[tuple[Any, ...]] = [
        (
            layer.path,
            UNKNOWN if layer.gradient is None else layer.gradient.median,
            "" if layer.gradient is None or network.setting.seeds == 1 else between(layer.gradient),
            None if layer.gradient_after is None else layer.gradient_after.median,
            *_moments(layer),
            layer.zeros.median if layer.zeros and layer.zeros.median else None,
            None if layer.weight_gradient is None else layer.weight_gradient.median,
        )
        for layer in shown
    ]
    if chart:
        low, high = decades(network)
        headings.insert(1, Heading("chart", f"1e{low} to 1e{high}, | is 1", "window", 1))
        lines = [(line[0], _bar(layer, low, high), *line[1:]) for line, layer in zip(lines, shown, strict=True)]
    return Table(
        title=f"gradients of {network.subject}",
        source=network.source,
        facts=tuple(_facts(network)),
        headings=tuple(headings),
        rows=tuple(lines),
        remarks=tuple(_remarks(network, len(network.layers) - len(shown))),
    )


def _moments(layer: LayerGradient) -> tuple[float | None, float | None]:
    """The mean, with no more digits than count beside the spread, and the spread."""
    if layer.mean is None or layer.spread is None:
        return None, None
    mean, spread = layer.mean.median, layer.spread.median
    return round(mean, 2 - floor(log10(spread))) + 0.0 if spread else mean, spread  # no negative zero


def _chosen(layers: Sequence[LayerGradient], rows: int | None) -> Sequence[LayerGradient]:
    if rows is None or len(layers) <= rows:
        return layers
    step = (len(layers) - 1) / (rows - 1)
    return [layers[round(number * step)] for number in range(rows)]


def _facts(network: Gradients) -> Iterator[str]:
    setting = network.setting
    yield f"input {', '.join(map(size, network.input_shapes))}"
    yield {"own": "weights as built", "torch": "torch's default weights"}.get(setting.init, f"{setting.init} weights")
    if setting.activation:
        yield f"{setting.activation} for every activation"
    if setting.without_norm:
        yield "without normalisation"
    yield f"{plural(setting.seeds, 'seed')}"
    if setting.data != "random":
        yield f"images of {setting.data}"


def between(values: Range) -> str:
    """The ends of a range: 0.72 to 0.79."""
    return f"{power(values.low)} to {power(values.high)}"


def decades(network: Gradients) -> tuple[int, int]:
    """The powers of ten between which all gradients lie, 1 between them."""
    values = [layer.gradient.median for layer in network.layers if layer.gradient and layer.gradient.median]
    return min(-1, floor(log10(min(values)))), max(1, ceil(log10(max(values))))


def _bar(layer: LayerGradient, low: int, high: int) -> str:
    """The way from 1, the last layer's, to the layer's gradient, on a logarithmic axis."""
    if layer.gradient is None:
        return "?"
    if not layer.gradient.median:
        return "none"
    mark = min(CHART - 1, max(1, round(CHART * -low / (high - low))))
    exponent = log10(layer.gradient.median)
    if exponent < 0:
        return ("█" * round(mark * exponent / low)).rjust(mark) + "|"
    return " " * mark + "|" + "█" * round((CHART - mark) * exponent / high)


def verdict(network: Gradients) -> str:
    """What becomes of the gradient from the last layer to the first, in words."""
    first = network.first
    if first.gradient is None or not first.gradient.median:
        return f"{first.path} gets none" if first.gradient else f"what {first.path} gets is not known"
    value = first.gradient.median
    seeds = f" ({between(first.gradient)})" if network.setting.seeds > 1 else ""
    word = "it vanishes" if value <= VANISHED else "it explodes" if value >= EXPLODED else ""
    word = word or "it neither vanishes nor explodes"
    return f"{first.path} gets {power(value)} times{seeds} what {network.last} gets: {word}"


def _remarks(network: Gradients, hidden: int) -> Iterator[Remark]:
    yield Remark("first layer", verdict(network))
    if network.growth is not None:
        seeds = f", {between(network.growth)} over the seeds" if network.setting.seeds > 1 else ""
        yield Remark("growth", f"x{power(network.growth.median)} a layer towards the input, fitted{seeds}")
    start = _start(network)
    if start:
        yield Remark("starts", start)
    without = [layer for layer in network.layers if layer.note]
    for note in dict.fromkeys(layer.note for layer in without):
        paths = [layer.path for layer in without if layer.note == note]
        names = listed(paths if len(paths) <= 4 else [*paths[:3], f"{len(paths) - 3} more"])
        what, _, reason = note.partition(": ")
        yield Remark(
            "no gradient" if what == "none" else "NOT KNOWN", f"{names}: {reason}", "" if what == "none" else "warning"
        )
    steps = network.setting.steps
    if steps and network.first.gradient_after is not None:
        after, growth = network.first.gradient_after, network.growth_after
        a_layer = "" if growth is None else f", x{power(growth.median)} a layer"
        yield Remark(
            "after", f"{plural(steps, 'step')} of SGD {network.first.path} gets {power(after.median)} times{a_layer}"
        )
    if hidden:
        yield Remark("left out", f"{plural(hidden, 'layer')} between these; --all shows every one")
    yield Remark("gradient", f"norm at the layer's output over that at {network.last}; loss: {network.loss}", "quiet")
    yield Remark("mean, spread, zeros", "of the activation, behind its normalisation and activation function", "quiet")
    yield Remark("of weights", MISLEADING, "quiet")
    if not steps:
        yield Remark("holds", START, "quiet")


def _start(network: Gradients) -> str:
    """From which layer on, going towards the input, the gradient stays a tenth or ten times of the last layer's."""
    last = network.last
    for text, low, high in ((f"below a tenth of what {last} gets", 0.0, 0.1), (f"above ten times {last}", 10.0, inf)):
        begun = None
        for layer in reversed(network.layers):
            value = layer.gradient.median if layer.gradient else 0.0
            if value:
                begun = (begun or layer) if low < value < high else None
        if begun is not None:
            return f"{text} from {begun.path} on to the input"
    return ""
