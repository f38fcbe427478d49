"""train: how far each network came, the errors by epoch, and what that shows and does not show."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from archcalc.count.training_summary import at_chance, comparisons, error_range
from archcalc.formats.units import bar, count, listed, plural, share, significant, size
from archcalc.values.document import Document, Heading, Remark, Table
from archcalc.values.training import Point, Training, TrainingRun

HEADINGS = (
    Heading("network", "network", "text"),
    Heading("input_shape", "input", "shape", rank=4),
    Heading("params", "params", "count", rank=3),
    Heading("seeds", "seeds", "count", rank=5),
    Heading("train_error", "training error", "share"),
    Heading("train_range", "range", "text", rank=1),
    Heading("test_error", "test error", "share"),
    Heading("test_range", "range", "text", rank=2),
    Heading("seconds", "seconds", "rate", rank=6),
)
RECORDED = (
    Heading("network", "network", "text"),
    Heading("seed", "seed", "count"),
    Heading("input_shape", "input", "shape"),
    Heading("params", "params", "count"),
    Heading("step", "step", "count"),
    Heading("epoch", "epoch", "count"),
    Heading("loss", "loss", "rate"),
    Heading("train_error", "training error", "share"),
    Heading("test_error", "test error", "share"),
    Heading("seconds", "seconds", "rate"),
)

BAR = 8
"""Characters of a bar for an error of 100%."""

MEASURED = (
    "of all training images and all held-out images, without dropout; the averages of batch normalisation are taken "
    "anew over the training images each time, as after few steps the moving ones lag behind the weights"
)


def training(training: Training) -> Document:
    """A row a network, then the curves; the csv has a record for each network, seed and epoch."""
    networks = [network for network in training.networks if training.of(network)]
    tables = (
        _summary(training, networks),
        _curve(training, networks, "train_error", "training error"),
        _curve(training, networks, "test_error", "test error"),
    )
    records = tuple(_record(run, point) for run in training.runs for point in run.points)
    return Document(training.SCHEMA, RECORDED, records, tables, training.to_dict)


def _record(run: TrainingRun, point: Point) -> tuple[Any, ...]:
    of_run = (run.network, run.seed, run.input_shape, run.params)
    return (*of_run, point.step, point.epoch, point.loss, point.train_error, point.test_error, run.seconds)


def _summary(training: Training, networks: Sequence[str]) -> Table:
    recipe = training.recipe
    rows = []
    for network in networks:
        runs = training.of(network)
        row: list[Any] = [network, runs[0].input_shape, runs[0].params, len(runs)]
        for errors in ([run.last.train_error for run in runs], [run.last.test_error for run in runs]):
            row += [median(errors), error_range(errors) if len(errors) > 1 else None]
        rows.append((*row, median([run.seconds for run in runs])))
    return Table(
        title=f"training on {recipe.data}",
        facts=(
            f"{plural(training.train_images, 'image')} to train on",
            f"{count(training.test_images)} held out",
            f"{training.classes} classes",
            f"{plural(recipe.steps, 'step')} of {recipe.batch_size}",
            f"learning rate {recipe.learning_rate:g}",
            f"momentum {recipe.momentum:g}",
        ),
        headings=HEADINGS,
        rows=tuple(rows),
        remarks=tuple(_remarks(training, networks)),
    )


def _curve(training: Training, networks: Sequence[str], key: str, title: str) -> Table:
    """A line for each epoch, with the median over the seeds and its bar for each network."""
    points = [(run.network, point) for run in training.runs for point in run.points]
    steps = sorted({(point.step, point.epoch) for _, point in points})
    rows = []
    for step, epoch in steps:
        cells = []
        for network in networks:
            errors = [getattr(point, key) for name, point in points if name == network and point.step == step]
            cells.append(f"{share(median(errors)):>6} {bar(median(errors), 1, BAR)}".rstrip() if errors else None)
        rows.append((epoch, step, *cells))
    seeds = max((len(training.of(network)) for network in networks), default=1)
    return Table(
        title=f"{title} by epoch",
        facts=(f"median of {seeds} seeds",) if seeds > 1 else (),
        headings=(
            Heading("epoch", "epoch", "count"),
            Heading("step", "step", "count"),
            *(Heading(network, network, "text", block=number) for number, network in enumerate(networks, start=1)),
        ),
        rows=tuple(rows),
    )


def _remarks(training: Training, networks: Sequence[str]) -> list[Remark]:
    remarks = [Remark("", sentence) for sentence in comparisons(training)]
    left = len(training.networks) * len(training.seeds) - len(training.runs)
    if left > 0:
        remarks.append(Remark("UNFINISHED", f"{plural(left, 'run')} of those asked for did not take place", "warning"))
    for run in training.runs:
        if run.diverged_at is not None:
            text = f"{run.network}, seed {run.seed}: the loss was no finite number at step {run.diverged_at}"
            remarks.append(Remark("DIVERGED", f"{text}, and the run ended; a lower --rate may help", "warning"))
    if guessing := [network for network in networks if at_chance(training, network)]:
        text = f"{listed(guessing)}: no better than guessing on the training images; try another --rate, more --steps"
        remarks.append(Remark("AT CHANCE", text, "warning"))
    remarks.append(Remark("images", _images(training)))
    remarks.append(Remark("errors", MEASURED, "quiet"))
    remarks.append(Remark("not shown", _limits(training), "quiet"))
    versions = f"torch {training.torch}, {plural(training.recipe.threads, 'thread')}"
    remarks.append(
        Remark("repeatable", f"the same seed gives the same figures on this machine with {versions}", "quiet")
    )
    return remarks


def _images(training: Training) -> str:
    own = training.image_shape
    by_size: dict[tuple[int, ...], list[str]] = {}
    for run in training.runs:
        names = by_size.setdefault(run.input_shape, [])
        names += [] if run.network in names else [run.network]
    parts = []
    for shape, names in by_size.items():
        grey = f", the grey channel {shape[0]} times" if own[0] == 1 and shape[0] > 1 else ""
        how = "in their own size" if shape[1:] == own[1:] else f"brought to {size(shape[1:])} by interpolation"
        parts.append(f"{how}{grey} for {listed(names)}")
    return f"{size(own)} each, {'; '.join(parts)}"


def _limits(training: Training) -> str:
    epochs = training.recipe.steps * training.recipe.batch_size / training.train_images
    return (
        f"{plural(training.recipe.steps, 'step')}, {significant(epochs, 2)} times over {count(training.train_images)} "
        "small images: nothing has converged. It says nothing about CIFAR-10 or ImageNet, nor whether residual "
        "networks get better with depth; other rates, sizes and seeds give other errors"
    )
