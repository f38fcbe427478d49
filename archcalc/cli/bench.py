"""bench: how long networks take, on this machine."""

from __future__ import annotations

import json
import re
import sys
from contextlib import redirect_stdout
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archcalc.cli.folding import ROWS_IN_A_TERMINAL, ordered_by
from archcalc.cli.options import (
    All,
    As,
    Debug,
    Depth,
    Device,
    Format,
    Inputs,
    Models,
    Output,
    Seconds,
    Settings,
    Sort,
    Threads,
    Tokens,
    Top,
)
from archcalc.cli.request import settings_of
from archcalc.cli.streams import clear_errors, say, status, write, write_file
from archcalc.formats import RAW
from archcalc.values.errors import ModelError, UsageError

if TYPE_CHECKING:
    from archcalc.bench.against import Change
    from archcalc.values.benchmark import Benchmark, Layers
    from archcalc.values.document import Document

Mode = StrEnum("Mode", ["train", "inference"])
Dtype = StrEnum("Dtype", ["fp32", "bf16", "fp16"])

Batches = Annotated[
    str | None, typer.Option("-b", "--batch-size", metavar="N,N,...", help="Images in a batch, one or several sizes.")
]


def bench(
    models: Models,
    input_size: Inputs = None,
    batch_size: Batches = None,
    set_: Settings = None,
    tokens: Tokens = None,
    device: Device = "cpu",
    dtype: Annotated[Dtype, typer.Option("--dtype", help="What weights and images are held in.")] = Dtype.fp32,
    mode: Annotated[
        Mode, typer.Option("--mode", help="forward, backward and step; or a forward pass without gradients.")
    ] = Mode.train,
    with_layers: Annotated[bool, typer.Option("--layers", help="Time every layer as well, where it stands.")] = False,
    depth: Depth = None,
    all_: All = False,
    seconds: Seconds = 1.0,
    threads: Threads = None,
    channels_last: Annotated[bool, typer.Option("--channels-last", help="Lay images out as BxHxWxC.")] = False,
    compiled: Annotated[bool, typer.Option("--compile", help="Time what torch.compile makes of it.")] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**63 - 1, help="Of weights and images.")] = 0,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="FILE", help="Keep the raw samples, as JSON, for --against.")
    ] = None,
    against: Annotated[
        Path | None, typer.Option("--against", metavar="FILE", help="Hold the timings against a saved benchmark.")
    ] = None,
    fail_over: Annotated[
        str | None, typer.Option("--fail-over", metavar="10%", help="Exit 1 if any is slower by more than that.")
    ] = None,
    sort: Sort = None,
    top: Top = None,
    form: As = Format.table,
    output: Output = None,
    debug: Debug = False,
) -> None:
    """How long networks take: forward, backward, a training step; several are measured in turns.

    \b
    archcalc bench alexnet
    archcalc bench vgg16 resnet50 --layers
    archcalc bench resnet50 -b 1,8,32 -d cuda --dtype bf16 --channels-last
    archcalc bench resnet50 --save before.json
    archcalc bench resnet50 --against before.json --fail-over 10%
    """  # noqa: D301  \b keeps the lines of the example apart
    with clear_errors(debug):
        order = ordered_by(sort, top, form)
        from archcalc.values.benchmark import Setting, load

        inputs, batches = sizes_of(input_size, _batches(batch_size))
        settings = _settings(models, set_, tokens)
        limit = None if fail_over is None else _limit(fail_over)
        if limit is not None and against is None:
            raise UsageError("--fail-over needs a benchmark to be slower than: add --against FILE")
        if (depth is not None or all_) and not with_layers:
            raise UsageError("--depth and --all are about layers: add --layers")
        for file in (output, save):
            if file is not None and not file.absolute().parent.is_dir():  # known now, and not after all the measuring
                raise UsageError(f"cannot write {file}: there is no folder {file.parent}")
        before = None if against is None else load(against)

        from archcalc.bench.run import benchmark

        with status() as tell, redirect_stdout(sys.stderr):  # what a model prints is not the data
            benchmarked = benchmark(
                models,
                inputs,
                Setting(mode, device, dtype, channels_last, compiled, seconds, seed),
                batch_sizes=batches,
                threads=threads,
                layers=with_layers,
                settings=settings,
                tell=tell,
            )
        if save is not None:
            write_file(save, json.dumps(benchmarked.to_dict()) + "\n")

        from archcalc.bench.against import changes, differences
        from archcalc.render.bench import timings
        from archcalc.render.bench_layers import layer_timings

        since = () if before is None else changes(benchmarked, before)
        others = [] if before is None else differences(benchmarked, before)
        document: Document
        if with_layers:
            shown = tuple(_folded(layers, depth, all_ or top is not None, form) for layers in benchmarked.layers)
            document = layer_timings(benchmarked, shown, since, others)
        else:
            document = timings(benchmarked, since, others)
        write(document, form, output, order)
        slower = [] if limit is None else [_change(change) for change in since if change and _is_over(change, limit)]
        if slower:
            say(f"slower than {against} by more than {fail_over}: {', '.join(slower)}")
        check_failures(benchmarked)
        if slower:
            raise typer.Exit(1)


def latency(
    models: list[str],
    input_size: list[str] | None,
    batch_size: int | None,
    pairs: list[str] | None,
    tokens: int | None,
    training: bool,
    device: str,
    seconds: float,
    threads: int | None,
) -> Benchmark:
    """The forward passes of networks that stand side by side, measured in turns."""
    inputs, batches = sizes_of(input_size, (batch_size,))
    settings = _settings(models, pairs, tokens)

    from archcalc.bench.run import benchmark
    from archcalc.values.benchmark import Setting

    with status() as tell, redirect_stdout(sys.stderr):
        return benchmark(
            models,
            inputs,
            Setting("train" if training else "inference", device, seconds=seconds),
            batch_sizes=batches,
            threads=threads,
            settings=settings,
            tell=tell,
        )


def check_failures(benchmark: Benchmark) -> None:
    """Raise ModelError where a network could not be measured, once the others have been shown."""
    if benchmark.failures:
        raise ModelError("; ".join(f"{failure.network}: {failure.problem}" for failure in benchmark.failures))


def _batches(text: str | None) -> tuple[int | None, ...]:
    """The sizes in "1,8,32", each once."""
    if text is None:
        return (None,)
    if not re.fullmatch(r"\d+(,\d+)*", text.strip(), flags=re.ASCII):
        raise UsageError(f"'{text}' is no batch size; write one or several, such as 1,8,32")
    sizes = tuple(dict.fromkeys(int(number) for number in text.split(",")))
    if 0 in sizes:
        raise UsageError("a batch has at least one sample, not 0")
    return sizes


def sizes_of(sizes: list[str] | None, batches: tuple[int | None, ...]) -> tuple[Any, tuple[int | None, ...]]:
    """The inputs as `archcalc.analyze` takes them, and the batches that they do not hold yet."""
    from archcalc.values.input_size import joined, parse_inputs, with_batch

    shapes, named = parse_inputs(sizes or ())
    for batch in batches:
        whole = [with_batch(shape, batch) for shape in shapes]
    if not shapes:
        return joined((), named), batches
    if len(batches) == 1:
        return joined(whole, named), (None,)
    if len(shapes) > 1 or named:
        raise UsageError("several inputs are timed at one batch size at a time")
    return shapes[0], batches


def _settings(models: list[str], pairs: list[str] | None, tokens: int | None) -> dict[str, Any]:
    """The settings that all models take."""
    settings = [settings_of(model, pairs, tokens) for model in models]
    return settings[-1]


def _limit(text: str) -> float:
    """The share that "10%" says."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)%", text.strip(), flags=re.ASCII)
    if match is None:
        raise UsageError(f"'{text}' is no limit; write a percentage, such as 10%")
    return float(match[1]) / 100


def _is_over(change: Change, limit: float) -> bool:
    return change.ratio.verdict == "slower" and change.ratio.value > 1 + limit


def _change(change: Change) -> str:
    batch = "" if change.now.batch_size is None else f" at batch {change.now.batch_size}"
    return f"{change.now.network} {change.now.phase}{batch} {change.ratio.value - 1:.0%}"


def _folded(layers: Layers, depth: int | None, everything: bool, form: Format) -> Layers:
    from archcalc.bench.fold import fold, fold_to

    if depth is not None:
        return fold(layers, depth)
    return layers if everything or form in RAW else fold_to(layers, ROWS_IN_A_TERMINAL)
