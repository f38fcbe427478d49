"""Timings as tables: one row a network, batch and phase, with what they were taken on around them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from archcalc.formats.units import compact, gigas, milliseconds, percent, significant
from archcalc.values.document import Grid, Heading, Quantity, Remark, Table
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
"""Load beyond the cores that torch leaves alone; more of it than this is said."""

ROOFLINE = (
    "the least time at that peak if every call computes its multiply-adds and moves inputs, weights and outputs once; "
    "caches, fused calls and quicker algorithms (Winograd) may beat it"
)

HEADINGS = (
    Heading("network", "network", "text"),
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
    Heading("macs", "mult-adds", "count"),
    Heading("roofline_by", "bound by", "text"),
    Heading("noisy", "noisy", "text"),
    Heading("input_shape", "input", "shape"),
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


def timings(found: Benchmark, changes: Sequence[Change | None] = (), others: Sequence[str] = ()) -> Grid:
    """One row a timing; `changes` are those since an earlier benchmark, `others` what else differs from it."""
    most = found.peak.flops_per_second
    rows = [_row(timing, most) for timing in found.timings]
    machine = found.machine
    records = [
        (
            *row,
            timing.macs,
            timing.bound.by,
            timing.samples.noisy,
            _image(timing),
            machine.device,
            found.setting.dtype,
            machine.threads,
            machine.torch,
        )
        for row, timing in zip(rows, found.timings, strict=True)
    ]
    seen = [_for_people(row, timing) for row, timing in zip(rows, found.timings, strict=True)]
    extra = AGAINST if changes else ()
    told = [_change(each) for each in changes] if changes else [()] * len(rows)
    batches = {timing.batch_size for timing in found.timings}
    table = Table(
        title=_listed(list(dict.fromkeys(timing.network for timing in found.timings))),
        facts=facts(found),
        headings=(*HEADINGS, *extra),
        rows=tuple((*row, *more) for row, more in zip(seen, told, strict=True)),
        remarks=(*remarks(found), *_against_remarks(changes, others)),
    )
    if len(batches) == 1:
        table = table.only(at for at, heading in enumerate(table.headings) if heading.key != "batch_size")
    return Grid(
        SCHEMA,
        (*RECORDED, *extra),
        tuple((*record, *more) for record, more in zip(records, told, strict=True)),
        (table,),
        lambda: _document(found, changes, others),
    )


def facts(found: Benchmark) -> tuple[str, ...]:
    """What the networks ran on and how."""
    machine, setting = found.machine, found.setting
    on_cpu = setting.device == "cpu"
    cores = f"{machine.threads} thread{'s' * (machine.threads > 1)}" if on_cpu else setting.device
    batches = {timing.batch_size for timing in found.timings}
    batch = tuple(f"batch {size}" for size in batches if size is not None and len(batches) == 1)
    ways = (("channels last", setting.channels_last), ("compiled", setting.compiled))
    return machine.device, cores, setting.dtype, *batch, setting.mode, *(name for name, on in ways if on)


def remarks(found: Benchmark) -> tuple[Remark, ...]:
    """What must be said of timings: how networks relate, what failed or is noisy, and what they were taken on."""
    told = [Remark("", sentence) for sentence in sentences(found.timings)]
    told += conditions(found)
    told.append(Remark("roofline", ROOFLINE, "quiet"))
    phases = dict.fromkeys(timing.phase for timing in found.timings)
    told.append(Remark("phases", "; ".join(PHASES[phase] for phase in phases), "quiet"))
    return tuple(told)


def conditions(found: Benchmark) -> list[Remark]:
    """What failed, what is not to be relied on, and what the timings were taken on."""
    told = [Remark("FAILED", f"{each.network}: {each.problem}", "failure") for each in found.failures]
    noisy = [each for each in found.timings if each.samples.noisy]
    if noisy:
        which = ", ".join(f"{_name(each, found)} {_spread(each)}" for each in noisy)
        said = f"! marks a spread (IQR) over {NOISY:.0%} of the median: {which}; a larger --seconds may help"
        told.append(Remark("NOISY", said, "warning"))
    machine, most = found.machine, found.peak
    if machine.load is not None and machine.load > machine.cores - machine.threads + BUSY:
        said = f"a load of {machine.load} on {machine.cores} cores when it began: other programs slowed these timings"
        told.append(Remark("BUSY", said, "warning"))
    load = "" if machine.load is None else f", load {machine.load}"
    versions = f"torch {machine.torch}, archcalc {machine.archcalc}"
    told.append(Remark("machine", f"{machine.processor}, {machine.cores} cores{load}; {versions}"))
    quick = found.setting.device != "cpu" and found.setting.dtype == "fp32" and machine.flags.get("cudnn_allow_tf32")
    how = " in TF32, as torch's convolutions" if quick else ""
    computed = f"{gigas(most.flops_per_second)} GFLOP/s ({most.work}{how})"
    copied = f"{gigas(most.bytes_per_second)} GB/s (copy of {compact(most.copied_bytes)} bytes)"
    told.append(Remark("peak", f"{computed}, {copied}"))
    return told


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
    found = ratio(timing.samples, head.samples, interleaved=True)
    times = f"{milliseconds(timing.samples.median_seconds)} ms against {milliseconds(head.samples.median_seconds)} ms"
    if found.verdict == "within the noise":
        return f"{timing.network} is as fast as {head.network} within the noise: {times}"
    factor, low, high = found.value, found.low, found.high
    if found.verdict == "faster":
        factor, low, high = 1 / factor, 1 / high, 1 / low
    said = f"{timing.network} is {significant(factor)} times {found.verdict} than {head.network}: {times}"
    return f"{said} (95% interval {significant(low)} to {significant(high)})"


def _sentence(head: Timing, timing: Timing) -> str:
    batch = "" if timing.batch_size in (None, 1) else f" of {timing.batch_size} images"
    return f"{timing.phase}{batch}: {speed(head, timing)}"


def _row(timing: Timing, most: float) -> tuple[Any, ...]:
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
        None if rate is None else rate / most,
        timing.bound.seconds,
        timing.memory_bytes,
    )


def _for_people(row: tuple[Any, ...], timing: Timing) -> tuple[Any, ...]:
    """A row with a mark at a spread that is too wide."""
    if not timing.samples.noisy:
        return row
    at = next(at for at, heading in enumerate(HEADINGS) if heading.key == "iqr_ms")
    return (*row[:at], Quantity(row[at], "noisy_milliseconds"), *row[at + 1 :])


def _change(change: Change | None) -> tuple[Any, ...]:
    if change is None:
        return (None, None, None, None, "new")
    found = change.ratio
    return change.before.samples.median_seconds, found.value, found.low, found.high, found.verdict


def _against_remarks(changes: Sequence[Change | None], others: Sequence[str]) -> list[Remark]:
    told = [Remark("NOT ALIKE", "; ".join(others), "warning")] if others else []
    return [*told, Remark("rule", RULE, "quiet")] if changes else told


def _image(timing: Timing) -> tuple[int, ...] | None:
    """The first input's shape, without the batch where it has one."""
    first = next(iter(timing.input_shapes), None)
    return first if first is None or timing.batch_size is None else first[1:]


def _name(timing: Timing, found: Benchmark) -> str:
    several = len({each.batch_size for each in found.timings}) > 1
    return f"{timing.network} {timing.phase}" + (f" at batch {timing.batch_size}" if several else "")


def _spread(timing: Timing) -> str:
    return percent(timing.samples.iqr_seconds, timing.samples.median_seconds)


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def _document(found: Benchmark, changes: Sequence[Change | None], others: Sequence[str]) -> dict[str, Any]:
    document = found.to_dict()
    if changes:
        document["against"] = {
            "rule": RULE,
            "differences": list(others),
            "changes": [dict(zip((h.key for h in AGAINST), _change(each), strict=True)) for each in changes],
        }
    return document
