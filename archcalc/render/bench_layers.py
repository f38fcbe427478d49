"""Timed layers as tables: where the time goes, beside where the multiply-adds and the parameters are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archcalc.formats.units import milliseconds, percent
from archcalc.render.bench import facts, timings
from archcalc.render.table import NETWORK
from archcalc.values.columns import COLUMNS, add
from archcalc.values.document import UNKNOWN, Document, Heading, Quantity, Remark, Table
from archcalc.values.samples import NOISY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from archcalc.bench.against import Change
    from archcalc.values.benchmark import Benchmark, Layers, LayerTiming
    from archcalc.values.samples import Samples

SCHEMA = "archcalc.layer-timings/1"


def _median(samples: Samples | None) -> float | None:
    return None if samples is None else samples.median_seconds


def _rate(macs: int | None, samples: Samples | None) -> float | None:
    """FLOP/s, none where there is nothing to count or no time to count it by."""
    return 2 * macs / samples.median_seconds if macs and samples and samples.median_seconds else None


FOR_PEOPLE: tuple[tuple[Heading, Callable[[LayerTiming], Any]], ...] = (
    (COLUMNS["path"].heading(), lambda row: row.path),
    (COLUMNS["kind"].heading(rank=7), lambda row: row.kind),
    (COLUMNS["output_shape"].heading(rank=9), lambda row: row.output_shape),
    (COLUMNS["params"].heading(rank=8, share=None), lambda row: row.params),
    (Heading("params_share", "of params", "share", rank=5), lambda row: row.params or None),
    (COLUMNS["macs"].heading(rank=6, share=None), lambda row: row.macs),
    (Heading("macs_share", f"of {COLUMNS['macs'].title}", "share", rank=4), lambda row: row.macs or None),
    (Heading("forward_ms", "fwd ms", "milliseconds", share=1), lambda row: _median(row.forward)),
    (Heading("backward_ms", "bwd ms", "milliseconds", share=3), lambda row: _median(row.backward)),
    (
        Heading("gflops_per_second", "fwd GFLOP/s", "gflops_per_second", rank=7),
        lambda row: _rate(row.macs, row.forward),
    ),
    (Heading("roofline_ms", "roofline ms", "milliseconds", rank=8), lambda row: row.bound.seconds),
    (Heading("note", "note", "prose", rank=10), lambda row: row.note),
)
RECORDED: tuple[tuple[Heading, Callable[[LayerTiming], Any]], ...] = (
    (COLUMNS["path"].heading(), lambda row: row.path),
    (COLUMNS["kind"].heading(), lambda row: row.kind),
    (COLUMNS["module"].heading(), lambda row: row.module),
    (COLUMNS["call"].heading(), lambda row: row.call),
    (COLUMNS["output_shape"].heading(), lambda row: row.output_shape),
    (COLUMNS["params"].heading(), lambda row: row.params),
    (COLUMNS["macs"].heading(), lambda row: row.macs),
    (COLUMNS["backward_macs"].heading(), lambda row: row.backward_macs),
    (Heading("forward_ms", "forward ms", "milliseconds"), lambda row: _median(row.forward)),
    (
        Heading("forward_iqr_ms", "forward IQR", "milliseconds"),
        lambda row: None if row.forward is None else row.forward.iqr_seconds,
    ),
    (Heading("backward_ms", "backward ms", "milliseconds"), lambda row: _median(row.backward)),
    (
        Heading("backward_iqr_ms", "backward IQR", "milliseconds"),
        lambda row: None if row.backward is None else row.backward.iqr_seconds,
    ),
    (
        Heading("forward_gflops_per_second", "forward GFLOP/s", "gflops_per_second"),
        lambda row: _rate(row.macs, row.forward),
    ),
    (
        Heading("backward_gflops_per_second", "backward GFLOP/s", "gflops_per_second"),
        lambda row: _rate(row.backward_macs, row.backward),
    ),
    (Heading("roofline_ms", "roofline ms", "milliseconds"), lambda row: row.bound.seconds),
    (Heading("samples", "samples", "count"), lambda row: 0 if row.forward is None else row.forward.count),
    (COLUMNS["note"].heading(), lambda row: row.note),
)


def layer_timings(
    benchmark: Benchmark,
    shown: Sequence[Layers] | None = None,
    changes: Sequence[Change | None] = (),
    others: Sequence[str] = (),
) -> Document:
    """The timings and below them the layers of each network; the records of the csv are the layers.

    `shown` are the layers as the tables shall fold them, those of the benchmark where it is None.
    """
    whole = timings(benchmark, changes, others)
    shown = benchmark.layers if shown is None else shown
    headings = (NETWORK, Heading("batch_size", "batch", "count"))
    records = [
        (layers.network, layers.batch_size, *(_single(layers, value(row)) for _, value in RECORDED))
        for layers in shown
        for row in layers.rows
    ]
    return Document(
        SCHEMA,
        (*headings, *(heading for heading, _ in RECORDED)),
        tuple(records),
        (*whole.tables, *(_table(benchmark, layers) for layers in shown)),
        whole.content,
    )


def _table(benchmark: Benchmark, layers: Layers) -> Table:
    return Table(
        title=f"{layers.network}, layer by layer",
        source=benchmark.networks.get(layers.network, ""),
        facts=(*(() if layers.batch_size is None else (f"batch {layers.batch_size}",)), *facts(benchmark)[:3]),
        headings=tuple(heading for heading, _ in FOR_PEOPLE),
        rows=tuple(tuple(_cell(layers, value(row), heading) for heading, value in FOR_PEOPLE) for row in layers.rows),
        total=_total(layers),
        remarks=_remarks(benchmark, layers),
    )


def _cell(layers: Layers, value: Any, heading: Heading) -> Any:
    if heading.key == "macs" and value is None:
        return UNKNOWN
    if heading.unit == "share" and value is not None:
        whole = sum(getattr(row, heading.key.removesuffix("_share")) or 0 for row in layers.rows)
        return value / whole
    return _single(layers, value)


def _single(layers: Layers, value: Any) -> Any:
    """A shape without the batch; any other value as it is."""
    return value[1:] if isinstance(value, tuple) and layers.batch_size is not None else value


def _sum_of_timed(values: list[float | None]) -> float | None:
    """The sum over the rows that could be timed; None where none could."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _total(layers: Layers) -> tuple[Any, ...]:
    macs = add(row.macs for row in layers.rows)
    sums: dict[str, Any] = {
        "path": Quantity("sum of rows", "text"),
        "params": sum(row.params for row in layers.rows),
        "macs": UNKNOWN if macs is None else macs,
        "forward_ms": _sum_of_timed([_median(row.forward) for row in layers.rows]),
        "backward_ms": _sum_of_timed([_median(row.backward) for row in layers.rows]),
        "roofline_ms": sum(row.bound.seconds for row in layers.rows),
    }
    return tuple(sums.get(heading.key) for heading, _ in FOR_PEOPLE)


def _remarks(benchmark: Benchmark, layers: Layers) -> tuple[Remark, ...]:
    lines = []
    wholes = {
        timing.phase: timing.samples.median_seconds
        for timing in benchmark.timings
        if (timing.network, timing.batch_size) == (layers.network, layers.batch_size)
    }
    passes = (
        ("forward", wholes.get("forward", wholes.get("inference")), layers.forward, [r.forward for r in layers.rows]),
        ("backward", wholes.get("backward"), layers.backward, [r.backward for r in layers.rows]),
    )
    for name, whole, marked, samples in passes:
        total = _sum_of_timed([_median(row_samples) for row_samples in samples])
        if total is None or marked is None or whole is None:
            continue
        lines.append(
            Remark(
                name,
                f"the rows' medians add up to {milliseconds(total)} ms, {percent(total, whole)} of the whole pass "
                f"({milliseconds(whole)} ms without marks, {milliseconds(marked.median_seconds)} ms with them)",
            )
        )
    shaky = [(name, marked) for name, _, marked, _ in passes if marked is not None and marked.noisy]
    if shaky:
        spreads = ", ".join(f"{name} {percent(samples.iqr_seconds, samples.median_seconds)}" for name, samples in shaky)
        lines.append(
            Remark("NOISY", f"the passes' spread (IQR) is over {NOISY:.0%} of their median: {spreads}", "warning")
        )
    notes: dict[str, list[str]] = {}
    for row in layers.rows:
        if row.note:
            notes.setdefault(row.note, []).append(row.path)
    lines += [Remark("note", f"{', '.join(paths)}: {note}") for note, paths in notes.items()]
    calls = sum(row.calls for row in layers.rows)
    if calls > len(layers.rows):
        lines.append(Remark("folded", f"{len(layers.rows)} rows stand for {calls} calls; --all shows every call"))
    return tuple(lines)
