"""Timings as tables: one row a network, batch and phase, with what they were taken on around them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from archcalc.formats.units import compact, gigas, listed, milliseconds, percent, significant
from archcalc.render.table import NETWORK
from archcalc.values.columns import COLUMNS
from archcalc.values.document import Document, Heading, Quantity, Remark, Table
from archcalc.values.samples import NOISY, RULE, ratio

if TYPE_CHECKING:
    from archcalc.bench.against import Change
    from archcalc.values.benchmark import Benchmark, Timing

SCHEMA = "archcalc.timings/1"

PHASES = {
    "inference": "inference: a forward pass without gradients",
    "forward": "forward: a pass that keeps what backward needs",
    "backward": "backward: from given gradients of the outputs, no loss",
    "step": "step: zeroing gradients, forward, backward, SGD with momentum",
}

BUSY = 0.5
"""A load that exceeds the cores left to other programs by more than this is worth a warning."""

ROOFLINE = (
    "the least time at that peak if every call computes its multiply-adds and moves inputs, weights and outputs once; "
    "caches, fused calls and quicker algorithms (Winograd) may beat it"
)

HEADINGS = (
    NETWORK,
    Heading("batch_size", "batch", "count"),
    Heading("phase", "phase", "text"),
    Heading("median_ms", "median ms", "milliseconds"),
    Heading("iqr_ms", "IQR", "milliseconds", rank=1),
    Heading("min_ms", "min", "milliseconds", rank=6),
    Heading("samples", "samples", "count", rank=7),
    Heading("images_per_second", "images/s", "rate", rank=3),
    Heading("gflops_per_second", "GFLOP/s", "gflops_per_second", rank=2),
    Heading("peak_share", "of peak", "share", rank=4),
    Heading("roofline_ms", "roofline ms", "milliseconds", rank=5),
    Heading("memory_peak_bytes", "memory", "bytes", rank=1),
)
RECORDED = (
    *HEADINGS,
    COLUMNS["macs"].heading(),
    Heading("roofline_by", "bound by", "text"),
    Heading("noisy", "noisy", "text"),
    COLUMNS["input_shape"].heading(),
    Heading("device", "device", "text"),
    Heading("dtype", "dtype", "text"),
    Heading("threads", "threads", "count"),
    Heading("torch", "torch", "text"),
)
AGAINST = (
    Heading("before_ms", "before", "milliseconds"),
    Heading("ratio", "ratio", "ratio"),
    Heading("ratio_low", "from", "ratio", rank=7),
    Heading("ratio_high", "to", "ratio", rank=7),
    Heading("verdict", "verdict", "text"),
)


def timings(benchmark: Benchmark, changes: Sequence[Change | None] = (), others: Sequence[str] = ()) -> Document:
    """One row a timing; `changes` are those since an earlier benchmark, `others` what else differs from it."""
    peak_rate = benchmark.peak.flops_per_second
    rows = [_row(timing, peak_rate) for timing in benchmark.timings]
    machine = benchmark.machine
    records = [
        (
            *row,
            timing.macs,
            timing.bound.by,
            timing.samples.noisy,
            _image(timing),
            machine.device,
            benchmark.setting.dtype,
            machine.threads,
            machine.torch,
        )
        for row, timing in zip(rows, benchmark.timings, strict=True)
    ]
    for_people = [_for_people(row, timing) for row, timing in zip(rows, benchmark.timings, strict=True)]
    extra = AGAINST if changes else ()
    since = [_change(change) for change in changes] if changes else [()] * len(rows)
    batches = {timing.batch_size for timing in benchmark.timings}
    table = Table(
        title=listed(list(dict.fromkeys(timing.network for timing in benchmark.timings))),
        facts=facts(benchmark),
        headings=(*HEADINGS, *extra),
        rows=tuple((*row, *more) for row, more in zip(for_people, since, strict=True)),
        remarks=(*remarks(benchmark), *_against_remarks(changes, others)),
    )
    if len(batches) == 1:
        table = table.only(index for index, heading in enumerate(table.headings) if heading.key != "batch_size")
    return Document(
        SCHEMA,
        (*RECORDED, *extra),
        tuple((*record, *more) for record, more in zip(records, since, strict=True)),
        (table,),
        lambda: _content(benchmark, changes, others),
    )


def facts(benchmark: Benchmark) -> tuple[str, ...]:
    """What the networks ran on and how."""
    machine, setting = benchmark.machine, benchmark.setting
    on_cpu = setting.device == "cpu"
    cores = f"{machine.threads} thread{'s' * (machine.threads > 1)}" if on_cpu else setting.device
    batches = {timing.batch_size for timing in benchmark.timings}
    batch = tuple(f"batch {size}" for size in batches if size is not None and len(batches) == 1)
    ways = (("channels last", setting.channels_last), ("compiled", setting.compiled))
    return machine.device, cores, setting.dtype, *batch, setting.mode, *(name for name, on in ways if on)


def remarks(benchmark: Benchmark) -> tuple[Remark, ...]:
    """How networks relate, what failed or is noisy, and what they were taken on."""
    lines = [Remark("", sentence) for sentence in sentences(benchmark.timings)]
    lines += conditions(benchmark)
    lines.append(Remark("roofline", ROOFLINE, "quiet"))
    phases = dict.fromkeys(timing.phase for timing in benchmark.timings)
    lines.append(Remark("phases", "; ".join(PHASES[phase] for phase in phases), "quiet"))
    return tuple(lines)


def conditions(benchmark: Benchmark) -> list[Remark]:
    """What failed, what is not to be relied on, and what the timings were taken on."""
    lines = [Remark("FAILED", f"{failure.network}: {failure.problem}", "failure") for failure in benchmark.failures]
    noisy = [timing for timing in benchmark.timings if timing.samples.noisy]
    if noisy:
        which = ", ".join(f"{_name(timing, benchmark)} {_spread(timing)}" for timing in noisy)
        text = f"! marks a spread (IQR) over {NOISY:.0%} of the median: {which}; a larger --seconds may help"
        lines.append(Remark("NOISY", text, "warning"))
    machine, peak = benchmark.machine, benchmark.peak
    if machine.load is not None and machine.load > machine.cores - machine.threads + BUSY:
        text = f"a load of {machine.load} on {machine.cores} cores when it began: other programs slowed these timings"
        lines.append(Remark("BUSY", text, "warning"))
    load = "" if machine.load is None else f", load {machine.load}"
    versions = f"torch {machine.torch}, archcalc {machine.archcalc}"
    lines.append(Remark("machine", f"{machine.processor}, {machine.cores} cores{load}; {versions}"))
    quick = (
        benchmark.setting.device != "cpu"
        and benchmark.setting.dtype == "fp32"
        and machine.flags.get("cudnn_allow_tf32")
    )
    how = " in TF32, as torch's convolutions" if quick else ""
    computed = f"{gigas(peak.flops_per_second)} GFLOP/s ({peak.work}{how})"
    copied = f"{gigas(peak.bytes_per_second)} GB/s (copy of {compact(peak.copied_bytes)} bytes)"
    lines.append(Remark("peak", f"{computed}, {copied}"))
    return lines


def sentences(timings: Sequence[Timing]) -> list[str]:
    """How long each network takes against the first of the same batch, for the phase that holds all others."""
    lines = []
    heads: dict[int | None, Timing] = {}
    for timing in timings:
        if timing.phase not in ("inference", "step"):
            continue
        head = heads.setdefault(timing.batch_size, timing)
        if head is not timing:
            lines.append(_sentence(head, timing))
    return lines


def speed(head: Timing, timing: Timing) -> str:
    """How many times faster or slower than another measured in turns with it, by the rule for noise."""
    change = ratio(timing.samples, head.samples, interleaved=True)
    times = f"{milliseconds(timing.samples.median_seconds)} ms against {milliseconds(head.samples.median_seconds)} ms"
    if change.verdict == "within the noise":
        return f"{timing.network} is as fast as {head.network} within the noise: {times}"
    factor, low, high = change.value, change.low, change.high
    if change.verdict == "faster":
        factor, low, high = 1 / factor, 1 / high, 1 / low
    text = f"{timing.network} is {significant(factor)} times {change.verdict} than {head.network}: {times}"
    return f"{text} (95% interval {significant(low)} to {significant(high)})"


def _sentence(head: Timing, timing: Timing) -> str:
    batch = "" if timing.batch_size in (None, 1) else f" of {timing.batch_size} images"
    return f"{timing.phase}{batch}: {speed(head, timing)}"


def _row(timing: Timing, peak_rate: float) -> tuple[Any, ...]:
    rate = timing.flops_per_second
    return (
        timing.network,
        timing.batch_size,
        timing.phase,
        timing.samples.median_seconds,
        timing.samples.iqr_seconds,
        timing.samples.min_seconds,
        timing.samples.count,
        timing.images_per_second,
        rate,
        None if rate is None else rate / peak_rate,
        timing.bound.seconds,
        timing.memory_bytes,
    )


def _for_people(row: tuple[Any, ...], timing: Timing) -> tuple[Any, ...]:
    """A row with a mark at a spread that is too wide."""
    if not timing.samples.noisy:
        return row
    index = next(index for index, heading in enumerate(HEADINGS) if heading.key == "iqr_ms")
    return (*row[:index], Quantity(row[index], "noisy_milliseconds"), *row[index + 1 :])


def _change(change: Change | None) -> tuple[Any, ...]:
    if change is None:
        return (None, None, None, None, "new")
    ratio = change.ratio
    return change.before.samples.median_seconds, ratio.value, ratio.low, ratio.high, ratio.verdict


def _against_remarks(changes: Sequence[Change | None], others: Sequence[str]) -> list[Remark]:
    lines = [Remark("NOT ALIKE", "; ".join(others), "warning")] if others else []
    return [*lines, Remark("rule", RULE, "quiet")] if changes else lines


def _image(timing: Timing) -> tuple[int, ...] | None:
    """The first input's shape, without the batch where it has one."""
    first = next(iter(timing.input_shapes), None)
    return first if first is None or timing.batch_size is None else first[1:]


def _name(timing: Timing, benchmark: Benchmark) -> str:
    several = len({other.batch_size for other in benchmark.timings}) > 1
    return f"{timing.network} {timing.phase}" + (f" at batch {timing.batch_size}" if several else "")


def _spread(timing: Timing) -> str:
    return percent(timing.samples.iqr_seconds, timing.samples.median_seconds)


def _content(benchmark: Benchmark, changes: Sequence[Change | None], others: Sequence[str]) -> dict[str, Any]:
    content = benchmark.to_dict()
    if changes:
        content["against"] = {
            "rule": RULE,
            "differences": list(others),
            "changes": [
                dict(zip((heading.key for heading in AGAINST), _change(change), strict=True)) for change in changes
            ],
        }
    return content
