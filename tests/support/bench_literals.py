"""Benchmarks written out by hand, so that statistics and rendering are tested without a clock."""

from dataclasses import replace

from archcalc.values.benchmark import Benchmark, Bound, Failure, Layers, LayerTiming, Machine, Peak, Setting, Timing
from archcalc.values.samples import Samples

MACHINE = Machine(
    device="An “ideal” CPU",
    processor="An “ideal” CPU",
    cores=4,
    threads=2,
    load=0.1,
    system="Linux 6",
    python="3.11.0",
    torch="2.13.0",
    archcalc="0.1.0",
    commit="c0ffee",
    flags={"cudnn_benchmark": False},
)
SETTING = Setting("train", "cpu", "fp32", False, False, 1.0, 0)
PEAK = Peak(flops_per_second=100e9, bytes_per_second=10e9, work="2048x2048 matrix product", copied_bytes=1 << 27)

STEADY = Samples(((0.010, 0.010, 0.011), (0.010, 0.009)))
SHAKY = Samples(((0.010, 0.020), (0.030, 0.040)))


def timing(
    network: str,
    phase: str,
    samples: Samples,
    macs: int | None = 50_000_000,
    batch: int = 1,
    memory: int | None = None,
) -> Timing:
    return Timing(network, phase, ((batch, 3, 8, 8),), batch, samples, macs, Bound(0.004, 0.001), memory)


def layer(
    path: str,
    forward: tuple[float, ...] | None,
    backward: tuple[float, ...] | None,
    macs: int | None = 25_000_000,
    note: str = "",
    calls: int = 1,
) -> LayerTiming:
    ran, trained = (None if seconds is None else Samples((seconds,)) for seconds in (forward, backward))
    return LayerTiming(
        path,
        "conv2d",
        path,
        0,
        (1, 8, 4, 4),
        216,
        macs,
        macs and 2 * macs,
        Bound(0.002, 0.0),
        ran,
        trained,
        note,
        calls,
    )


SMALL = Benchmark(
    MACHINE,
    SETTING,
    PEAK,
    {"a": "Nobody 2012", "b": ""},
    (
        timing("a", "forward", STEADY),
        timing("a", "step", STEADY),
        timing("b", "forward", SHAKY),
        timing("b", "step", Samples(((0.020, 0.020, 0.022), (0.020, 0.018)))),
    ),
)

LAYERED = replace(
    SMALL,
    layers=(
        Layers(
            "a",
            1,
            (
                layer("block.conv", (0.003, 0.003, 0.003), (0.006, 0.006, 0.006)),
                layer("block.relu", (0.001, 0.002, 0.003), (0.002, 0.004, 0.006), macs=0),
                layer("fc", (0.004, 0.004, 0.004), None, note="2 rows that cannot be told apart: fc, fc_2", calls=2),
                layer("odd", None, None, macs=None, note="not seen as a call, so not timed"),
            ),
            Samples(((0.0105, 0.0105, 0.0105),)),
            Samples(((0.012, 0.012, 0.012),)),
        ),
    ),
)

FAILED = replace(
    SMALL,
    machine=replace(MACHINE, load=3.5),
    timings=(
        timing("a", "inference", STEADY, batch=8, memory=123_456_789),
        timing("a", "inference", STEADY, macs=None, batch=32),
    ),
    failures=(Failure("b", 64, "out of memory at a batch of 64: 2.00 GiB more were wanted"),),
)
