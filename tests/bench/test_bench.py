"""Benchmarks without a clock of their own: statistics, turns, rows, rooflines, files, to the last digit."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import count
from pathlib import Path
from statistics import median, quantiles

import pytest
import torch
import torch.nn.functional as F

import archcalc
from archcalc import analyze
from archcalc.bench.against import changes, differences
from archcalc.bench.clock import Stopwatch
from archcalc.bench.fold import fold, fold_to
from archcalc.bench.latency import with_latency
from archcalc.bench.measure import ENOUGH, ROUNDS, Timed, interleaved
from archcalc.bench.peak import peak
from archcalc.bench.roofline import bound, macs_of
from archcalc.bench.rows import Key, matched
from archcalc.values.benchmark import load
from archcalc.values.errors import UsageError
from archcalc.values.report import Row
from archcalc.values.samples import Ratio, Samples, quantile, ratio
from archcalc.values.trace import Parameter
from tests.support.bench_literals import FAILED, LAYERED, PEAK, SMALL, STEADY, timing


class FakeClock:
    """Stands still until somebody works."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def work(self, seconds: float) -> None:
        self.now += seconds


# ---- statistics


def test_statistics_are_those_of_the_standard_library() -> None:
    seconds = (0.013, 0.010, 0.050, 0.011, 0.012, 0.010, 0.019)
    samples = Samples((seconds[:3], seconds[3:]))
    low, _, high = quantiles(seconds, n=4, method="inclusive")
    assert samples.median_seconds == median(seconds)
    assert samples.iqr_seconds == pytest.approx(high - low)
    assert (samples.min_seconds, samples.count) == (0.010, 7)
    assert quantile([1.0, 2.0], 0.75) == 1.75


def test_a_spread_over_a_tenth_of_the_median_is_noisy() -> None:
    assert not Samples(((8.0, 8.0, 8.0, 8.7, 8.7),)).noisy
    assert Samples(((8.0, 8.0, 8.0, 8.9, 8.9),)).noisy


def test_the_rule_for_faster_and_slower() -> None:
    assert Ratio(0.5, 0.4, 0.6).verdict == "faster"
    assert Ratio(2.0, 1.9, 2.1).verdict == "slower"
    assert Ratio(1.5, 0.9, 2.1).verdict == "within the noise"  # the interval holds 1
    assert Ratio(1.01, 1.005, 1.015).verdict == "within the noise"  # closer than two runs of one thing are


def test_the_interval_holds_the_ratio_and_is_the_same_every_time() -> None:
    twice = Samples(tuple(tuple(2 * second for second in each) for each in STEADY.rounds))
    found = ratio(twice, STEADY)
    assert found.value == 2.0
    assert found.low <= 2.0 <= found.high
    assert found.verdict == "slower"
    assert found == ratio(twice, STEADY)
    assert ratio(STEADY, STEADY).verdict == "within the noise"


def test_rounds_that_are_slow_for_both_do_not_widen_the_interval_of_interleaved_runs() -> None:
    drifting = [0.010 * slow for slow in (1, 2, 3, 4, 5, 6, 7, 8)]
    a = Samples(tuple((second, second) for second in drifting))
    b = Samples(tuple((2 * second, 2 * second) for second in drifting))
    together, apart = ratio(b, a, interleaved=True), ratio(b, a)
    assert (together.low, together.high) == pytest.approx((2.0, 2.0))
    assert apart.high - apart.low > 1


# ---- measuring


def test_a_fake_clock_gives_exact_samples() -> None:
    clock = FakeClock()
    timed = Timed("a", "a", lambda: clock.work(0.25), clock, 1)
    assert interleaved([timed], 4.0, clock) == {}
    assert timed.samples.rounds == ((0.25, 0.25),) * ROUNDS
    assert (timed.samples.median_seconds, timed.samples.iqr_seconds) == (0.25, 0.0)


@pytest.mark.parametrize(("product", "convolution"), [(1.0, 9.0), (9.0, 1.0)])
def test_the_peak_is_that_of_the_quickest_work(
    product: float, convolution: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    monkeypatch.setattr(torch, "mm", lambda *args, out: clock.work(product * 512**3 / 1e6))
    convolved = 8 * 28 * 28 * 256 * 256 * 9
    monkeypatch.setattr(F, "conv2d", lambda *args, padding: clock.work(convolution * convolved / 1e6))
    monkeypatch.setattr(torch.Tensor, "copy_", lambda *args: clock.work(4.0))
    found = peak(torch.device("cpu"), torch.float32, clock, 1.0)
    assert found.work == ("512x512 matrix product" if product == 1.0 else "3x3 convolution of 8x256x28x28")
    assert found.flops_per_second == pytest.approx(2e6, rel=1e-12)  # two a multiply-add
    assert found.bytes_per_second == 2 * found.copied_bytes / 4.0  # read and written


def test_measurements_take_turns() -> None:
    clock, order = FakeClock(), []

    def job(name: str) -> Timed:
        def work() -> None:
            order.append(name)
            clock.work(1.0)

        return Timed(name, name, work, clock, 1)

    interleaved([job("a"), job("b")], float(ROUNDS), clock)
    turns = "".join(order).replace("aa", "A").replace("bb", "B")  # one run to warm up, one to count
    assert turns == "AB" * ROUNDS


def test_what_takes_long_gets_enough_samples_and_no_more() -> None:
    clock = FakeClock()
    timed = Timed("a", "a", lambda: clock.work(100.0), clock, 1)
    interleaved([timed], 1.0, clock)
    assert timed.count == ENOUGH


def test_a_failure_ends_its_owner_and_nobody_else() -> None:
    clock = FakeClock()
    runs = count()

    def fails() -> None:
        clock.work(1.0)
        if next(runs) > 2:
            raise RuntimeError("no more")

    broken, sibling, fine = (
        Timed(owner, owner, work, clock, 1)
        for owner, work in (("a", fails), ("a", lambda: clock.work(1.0)), ("b", lambda: clock.work(1.0)))
    )
    failed = interleaved([broken, sibling, fine], float(ROUNDS), clock)
    assert list(failed) == ["a"]
    assert fine.count == ROUNDS
    assert sibling.count < ROUNDS


def test_a_stopwatch_runs_only_inside() -> None:
    clock = FakeClock()
    watch = Stopwatch(clock)

    def iteration() -> None:
        clock.work(5.0)
        with watch:
            clock.work(0.5)

    timed = Timed("a", "a", iteration, watch.read, 1)
    timed.sample(1.0)
    assert timed.samples.seconds == (0.5, 0.5)


# ---- rows and rooflines


def row(path: str, kind: str = "add", module: str = "", call: int = 0, **more: object) -> Row:
    return Row(path, kind, module, call, **more)  # type: ignore[arg-type]


def test_calls_are_joined_with_rows_by_module_run_and_kind() -> None:
    rows = [row("conv", "conv2d", "conv"), row("add"), row("add_2"), row("conv", "conv2d", "conv", 1)]
    calls = [
        Key("conv", 0, "conv2d"),
        Key("bn", 0, "add"),  # counts the batches: no row
        Key("", 0, "add"),
        Key("", 0, "add"),
        Key("conv", 1, "conv2d"),
    ]
    groups, positions = matched(rows, calls)
    assert [[each.path for each in group.rows] for group in groups] == [["conv"], ["add"], ["add_2"], ["conv"]]
    assert positions == [0, None, 1, 2, 3]


def test_rows_that_cannot_be_told_apart_are_one_group_and_say_so() -> None:
    groups, positions = matched([row("add"), row("mul", "mul"), row("add_2")], [Key("", 0, "add")] * 3)
    assert [[each.path for each in group.rows] for group in groups] == [["add", "add_2"], ["mul"]]
    assert positions == [0, 0, 0]
    assert groups[0].note == "2 rows that cannot be told apart: add, add_2"
    assert groups[1].note == "not seen as a call, so not timed"


def test_backward_macs_are_twice_the_forward_ones_but_for_the_first_layer() -> None:
    report = analyze("alexnet", training=True, backward=True)
    conv1 = 55 * 55 * 96 * (11 * 11 * 3)
    assert macs_of(report, "forward") == report.total("macs")
    assert macs_of(report, "backward") == 2 * report.total("macs") - conv1
    assert macs_of(report, "step") == 3 * report.total("macs") - conv1
    assert macs_of(analyze("alexnet"), "backward") is None


def test_the_roofline_is_compute_or_memory_whichever_takes_longer() -> None:
    fast = replace(PEAK, flops_per_second=2.0, bytes_per_second=4.0)
    weight = Parameter("weight", (4, 4), "float32", True)
    heavy = row(
        "fc", "linear", macs=100, backward_macs=200, read_bytes=80, written_bytes=16, params=16, parameters=(weight,)
    )
    light = row("relu", "relu", backward_macs=0, read_bytes=16, written_bytes=16)
    assert bound([heavy], "forward", fast).seconds == 2 * 100 / 2
    assert bound([light], "forward", fast).seconds == (16 + 16) / 4
    both = bound([heavy, light], "forward", fast)
    assert (both.seconds, both.memory_seconds, both.by) == (108, 8, "compute")
    assert bound([heavy], "backward", fast).seconds == 2 * 200 / 2
    assert bound([light], "backward", fast).by == "memory"
    assert bound([row("add", read_bytes=32, written_bytes=16, backward_macs=0)], "backward", fast).seconds == 0
    # momentum moves five times the weights' 64 bytes
    assert bound([heavy], "step", fast).seconds == 100 + 200 + 5 * 64 / 4


def test_layers_fold_into_modules_pass_by_pass() -> None:
    folded = fold(LAYERED.layers[0], 1)
    assert [each.path for each in folded.rows] == ["block", "fc", "odd"]
    block = folded.rows[0]
    assert block.forward is not None
    assert block.forward.seconds == pytest.approx((0.004, 0.005, 0.006))
    assert (block.macs, block.calls) == (25_000_000, 2)
    assert fold_to(LAYERED.layers[0], 60) is LAYERED.layers[0]
    assert len(fold_to(LAYERED.layers[0], 3).rows) == 3


# ---- saving and comparing


@pytest.mark.parametrize("benchmark", [SMALL, LAYERED, FAILED], ids=["small", "layered", "failed"])
def test_what_is_saved_is_read_back(benchmark: archcalc.Benchmark, tmp_path: Path) -> None:
    benchmark.save(tmp_path / "run.json")
    assert load(tmp_path / "run.json") == benchmark
    document = json.loads((tmp_path / "run.json").read_text())
    assert document["schema"] == "archcalc.bench/1"
    assert document["timings"][0]["samples"]["rounds"] == [[0.010, 0.010, 0.011], [0.010, 0.009]]


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "is not JSON"), ("[]", "holds no benchmark"), ('{"schema": "archcalc.bench/0"}', "archcalc.bench/0, not")],
)
def test_a_file_that_is_no_benchmark_is_said_to_be_none(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(UsageError, match=said):
        load(tmp_path / "x.json")
    (tmp_path / "x.json").write_text('{"schema": "archcalc.bench/1"}')
    with pytest.raises(UsageError, match="is not whole"):
        load(tmp_path / "x.json")


def test_changes_pair_network_input_and_phase() -> None:
    slow = Samples(tuple(tuple(3 * second for second in each) for each in STEADY.rounds))
    now = replace(SMALL, timings=(timing("a", "step", slow), timing("a", "forward", STEADY), timing("c", "step", slow)))
    step, forward, new = changes(now, SMALL)
    assert step is not None
    assert (step.ratio.value, step.ratio.verdict) == (pytest.approx(3.0), "slower")  # type: ignore[comparison-overlap]
    assert forward is not None
    assert forward.ratio.verdict == "within the noise"
    assert new is None
    with pytest.raises(UsageError, match="nothing to hold these timings against"):
        changes(replace(SMALL, timings=(timing("a", "step", slow, batch=7),)), SMALL)


def test_what_else_differs_is_said() -> None:
    assert differences(SMALL, SMALL) == []
    other = replace(SMALL, machine=replace(SMALL.machine, threads=8, load=9.0))
    assert differences(other, SMALL) == ["threads 8, before 2"]


def test_latency_is_one_more_metric() -> None:
    reports = [replace(archcalc.analyze("head-gap"), subject=name) for name in "abc"]
    found = with_latency(archcalc.compare(*reports), SMALL)
    metric = found.metrics[-1]
    assert (metric.key, metric.unit) == ("latency_seconds", "seconds")
    assert metric.values == (0.010, 0.025, None)
    assert metric.ratios == (1.0, 2.5, None)
