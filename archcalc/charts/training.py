"""training: error by step, on the training images and on those held out."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from archcalc.charts.spec import Spec, axis, side_by_side, tooltip, values, whole
from archcalc.charts.theme import Theme
from archcalc.formats.units import listed, plural
from archcalc.values.errors import UsageError
from archcalc.values.training import Training

WIDTH, HEIGHT = 340, 260
PANELS = (("train_error", "training error"), ("test_error", "test error"))


def training(trained: Training, names: Sequence[str], theme: Theme) -> Spec:
    """A line a network through the medians over the seeds, within a band from the least to the greatest.

    `names` are the networks to show, all of them if empty; UsageError for one that was not trained.
    """
    there = [network for network in trained.networks if trained.of(network)]
    missing = [name for name in names if name not in there]
    if missing or not there:
        raise UsageError(f"{listed(missing) or 'nothing'} was trained in this run; it has {listed(there) or 'no run'}")
    shown = [network for network in there if not names or network in names]
    recipe = trained.recipe
    seeds = max(len(trained.of(network)) for network in shown)
    subtitle = [
        f"{recipe.data}, {trained.train_images:,} images to train on, {trained.test_images:,} held out; "
        f"batches of {recipe.batch_size}, learning rate {recipe.learning_rate:g}, momentum {recipe.momentum:g}",
        f"line: median of {plural(seeds, 'seed')}; band: least to greatest" if seeds > 1 else "one seed",
        "few steps on small images: nothing has converged",
    ]
    description = f"Lines: training and test error of {listed(shown)} over {plural(recipe.steps, 'step')}."
    panels = [_panel(trained, shown, key, title, theme) for key, title in PANELS]
    return whole(theme, "Error by step", subtitle, description, side_by_side(panels))


def records(trained: Training, names: Sequence[str], key: str) -> list[Spec]:
    """A record a network and step: the median over the seeds, the least and the greatest error, in percent."""
    result: list[Spec] = []
    for network in names:
        by_step: dict[int, list[float]] = {}
        for run in trained.of(network):
            for point in run.points:
                by_step.setdefault(point.step, []).append(100 * getattr(point, key))
        result += [
            {
                "network": network,
                "step": step,
                "error_percent": median(errors),
                "low_percent": min(errors),
                "high_percent": max(errors),
            }
            for step, errors in sorted(by_step.items())
        ]
    return result


def _panel(trained: Training, names: Sequence[str], key: str, title: str, theme: Theme) -> Spec:
    scale = {"domain": [0, 100], "nice": False}
    x = axis("step", "step", {"domain": [0, trained.recipe.steps], "nice": False}, tickCount=5, tickMinStep=1)
    y = axis("error_percent", "error %", scale, tickCount=5)
    colour = {
        "field": "network",
        "type": "nominal",
        "sort": None,
        "legend": {"orient": "top", "title": None, "columns": 8, "symbolOpacity": 1},
        "scale": {"domain": list(names), "range": [theme.colour(number) for number in range(len(names))]},
    }
    return {
        "title": {"text": title, "fontSize": 13, "offset": 6},
        "data": values(records(trained, names, key)),
        "width": WIDTH,
        "height": HEIGHT,
        "encoding": {"x": x, "color": colour, "tooltip": tooltip("network", "step", "error_percent")},
        "layer": [
            {
                "mark": {"type": "area", "opacity": 0.18},
                "encoding": {"y": {**y, "field": "low_percent"}, "y2": {"field": "high_percent"}},
            },
            {"mark": {"type": "line", "strokeWidth": 2, "point": {"size": 30}}, "encoding": {"y": y}},
        ],
    }
