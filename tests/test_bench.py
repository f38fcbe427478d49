"""Benchmarks: statistics by a fake clock to the last digit, real runs for presence and for torch's state."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from itertools import count
from statistics import median, quantiles

import pytest
import torch
from bench_literals import FAILED, LAYERED, PEAK, SMALL, STEADY, timing
from torch import Tensor, nn

import archcalc
from archcalc.bench.against import changes, differences
from archcalc.bench.clock import Marks, Stopwatch
from archcalc.bench.fold import fold, fold_to
from archcalc.bench.latency import with_latency
from archcalc.bench.layers import LayerPasses
from archcalc.bench.measure import ENOUGH, ROUNDS, Timed, interleaved
from archcalc.bench.network import Network, Workload
from archcalc.bench.roofline import backward_macs, bound, macs_of
from archcalc.bench.rows import Key, matched
from archcalc.bench.samples import Ratio, Samples, quantile, ratio
from archcalc.bench.timing import load
from archcalc.count.report import Row
from archcalc.errors import ModelError, UsageError

QUICK = {"seconds": 0.01, "threads": 1}


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
    assert (together.low, together.high) == (pytest.approx(2.0), pytest.approx(2.0))
    assert apart.high - apart.low > 1


# ---- measuring


def test_a_fake_clock_gives_exact_samples() -> None:
    clock = FakeClock()
    timed = Timed("a", "a", lambda: clock.work(0.25), clock, 1)
    assert interleaved([timed], 4.0, clock) == {}
    assert timed.samples.rounds == ((0.25, 0.25),) * ROUNDS
    assert (timed.samples.median_seconds, timed.samples.iqr_seconds) == (0.25, 0.0)


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
    report = archcalc.analyze("alexnet")
    conv1 = 55 * 55 * 96 * (11 * 11 * 3)
    assert backward_macs(report.rows[0]) == conv1
    assert macs_of(report, "forward") == report.total("macs")
    assert macs_of(report, "backward") == 2 * report.total("macs") - conv1
    assert macs_of(report, "step") == 3 * report.total("macs") - conv1


def test_the_roofline_is_compute_or_memory_whichever_takes_longer() -> None:
    fast = replace(PEAK, flops_per_second=2.0, bytes_per_second=4.0)
    shapes = {"input_shapes": ((1, 4),), "output_shapes": ((1, 4),)}
    heavy = row("fc", "linear", macs=100, params=16, depth=2, **shapes)
    light = row("relu", "relu", macs=0, **shapes)
    assert bound([heavy], "forward", fast, 4).seconds == 100
    assert bound([light], "forward", fast, 4).seconds == 4 * (4 + 4) / 4
    both = bound([heavy, light], "forward", fast, 4)
    assert (both.seconds, both.memory_seconds, both.by) == (108, 8, "compute")
    assert bound([light], "backward", fast, 4).by == "memory"
    assert bound([row("flatten", "flatten", **shapes)], "forward", fast, 4).seconds == 0


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
def test_what_is_saved_is_read_back(benchmark: archcalc.Benchmark, tmp_path) -> None:
    benchmark.save(tmp_path / "run.json")
    assert load(tmp_path / "run.json") == benchmark
    document = json.loads((tmp_path / "run.json").read_text())
    assert document["schema"] == "archcalc.bench/1"
    assert document["timings"][0]["samples"]["rounds"] == [[0.010, 0.010, 0.011], [0.010, 0.009]]


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "is not JSON"), ("[]", "holds no benchmark"), ('{"schema": "archcalc.bench/0"}', "archcalc.bench/0, not")],
)
def test_a_file_that_is_no_benchmark_is_said_to_be_none(text: str, said: str, tmp_path) -> None:
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
    assert (step.ratio.value, step.ratio.verdict) == (pytest.approx(3.0), "slower")
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


# ---- real runs: presence and sanity, never a threshold


class Branched(nn.Module):
    """A call of every sort: functional, in place, on a part, where branches meet, a module twice."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.again = nn.Conv2d(4, 4, 1)
        self.fc = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.conv(x)).relu_()
        y = self.again(self.again(x)) + x
        y = torch.cat([y, x * 2], 1)[:, :4]
        return self.fc(y.mean((2, 3)))


def test_a_benchmark_of_a_module_leaves_it_and_torch_as_they_were() -> None:
    module = Branched().eval()
    weights = {name: value.clone() for name, value in module.state_dict().items()}
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    threads = torch.get_num_threads()
    found = archcalc.benchmark(module, inputs=(2, 3, 8, 8), layers=True, **QUICK)
    assert torch.equal(torch.rand(3), expected)
    assert (torch.get_num_threads(), torch.is_grad_enabled()) == (threads, True)
    assert torch.backends.mha.get_fastpath_enabled()
    assert all(torch.equal(value, weights[name]) for name, value in module.state_dict().items())
    assert not module.training
    assert all(parameter.grad is None for parameter in module.parameters())
    assert not torch.nn.modules.module._global_forward_hooks
    assert [each.phase for each in found.timings] == ["forward", "backward", "step"]
    assert found.machine.threads == 1
    assert found.failures == ()
    for each in found.timings:
        assert each.samples.count >= ENOUGH
        assert each.batch_size == 2
        assert each.images_per_second
        assert each.flops_per_second
        assert each.bound.seconds > 0
        assert each.memory_bytes is None
    assert "Branched" in str(found)


def test_every_row_of_the_table_is_timed_and_joined() -> None:
    found = archcalc.benchmark(Branched(), inputs=(2, 3, 8, 8), layers=True, **QUICK)
    report = archcalc.analyze(Branched(), (2, 3, 8, 8), training=True)
    (layers,) = found.layers
    assert [(row.path, row.module, row.call, row.macs) for row in layers.rows] == [
        (row.path, row.module, row.call, row.macs) for row in report.rows
    ]
    for each in layers.rows:
        assert each.note == ""
        assert each.forward is not None
        assert each.backward is not None
        assert each.forward.count == each.backward.count == layers.forward.count


def test_the_rows_share_the_backward_pass_among_them() -> None:
    clock = count()
    network = Network(
        Branched(), {}, device=torch.device("cpu"), dtype=torch.float32, training=True, channels_last=False
    )
    passes = LayerPasses("a", "a", Workload(network, (2, 3, 8, 8), None), Marks(lambda: float(next(clock))))
    passes.sample(0.0)
    forward, backward = passes.wholes
    assert backward is not None
    rows = [passes.of(at) for at in range(len(passes.groups))]
    # each mark is one tick: a call lasts one, a node of the graph too, and the whole lasts as long as its marks
    assert [each.seconds for each, _ in rows if each] == [(1.0,)] * len(rows)
    assert forward.seconds == (2 * len(rows) + 1,)
    assert sum(each.seconds[0] for _, each in rows if each) == backward.seconds[0] - 1


def test_inference_has_no_backward_and_ten_times_the_work_is_slower() -> None:
    found = archcalc.benchmark(
        "head-gap", "conv5x5", mode="inference", batch_size=[1, 32], layers=True, seconds=0.02, threads=1
    )
    assert [(each.network, each.batch_size, each.phase) for each in found.timings] == [
        ("head-gap", 1, "inference"),
        ("head-gap", 32, "inference"),
        ("conv5x5", 1, "inference"),
        ("conv5x5", 32, "inference"),
    ]
    assert found.timings[3].samples.min_seconds > found.timings[2].samples.min_seconds
    assert all(row.backward is None for layers in found.layers for row in layers.rows)


@pytest.mark.parametrize("options", [{"dtype": "bf16"}, {"channels_last": True}], ids=str)
def test_other_dtypes_and_layouts_run(options: dict[str, object]) -> None:
    found = archcalc.benchmark(Branched(), inputs=(2, 3, 8, 8), **QUICK, **options)
    assert len(found.timings) == 3


def test_a_setting_of_the_builder_is_used() -> None:
    found = archcalc.benchmark("lenet5-modern", num_classes=3, mode="inference", **QUICK)
    assert found.timings[0].macs == archcalc.analyze("lenet5-modern", num_classes=3).total("macs")


class Heavy(nn.Module):
    """Runs out of memory from a batch of 8 on."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        if len(x) >= 8 and not x.is_meta:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has less.")
        return self.fc(x)


def test_out_of_memory_names_the_batch_and_the_other_runs_still_happen() -> None:
    found = archcalc.benchmark(Heavy(), inputs=(2,), batch_size=[1, 8, 2], **QUICK)
    assert {each.batch_size for each in found.timings} == {1, 2}
    (failure,) = found.failures
    assert failure.problem == "out of memory at a batch of 8: 2.00 GiB more were wanted"
    with pytest.raises(ModelError, match="out of memory at a batch of 8"):
        archcalc.benchmark(Heavy(), inputs=(2,), batch_size=8, **QUICK)


def test_memory_of_the_host_running_out_is_told_too() -> None:
    with pytest.raises(ModelError, match=r"out of memory at a batch of 17179869184: \d+ bytes more were wanted"):
        archcalc.benchmark("head-gap", batch_size=1 << 34, mode="inference", **QUICK)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"device": "cuda:99"}, "there is no device cuda:99; found"),
        ({"device": "tpu"}, "unknown device 'tpu'"),
        ({"dtype": "fp8"}, "unknown dtype 'fp8'"),
        ({"mode": "trian"}, "did you mean train"),
        ({"seconds": 0}, "more than no time"),
        ({"threads": 0}, "at least one thread"),
        ({"layers": True, "compiled": True}, "no layers left"),
    ],
)
def test_a_wrong_request_is_a_usage_error(options: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        archcalc.benchmark("head-gap", **options)


def test_nothing_to_train_and_nothing_to_time() -> None:
    with pytest.raises(ModelError, match="nothing in it can be trained"):
        archcalc.benchmark(nn.ReLU(), inputs=(1, 3), **QUICK)
    with torch.device("meta"):
        hollow = nn.Linear(2, 2)
    with pytest.raises(UsageError, match="weights without data"):
        archcalc.benchmark(hollow, inputs=(1, 2), **QUICK)
    with pytest.raises(UsageError, match="at least one network"):
        archcalc.benchmark()


def test_compiled_networks_are_run(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = []
    monkeypatch.setattr(torch, "compile", lambda module: compiled.append(module) or module)
    archcalc.benchmark("head-gap", compiled=True, mode="inference", **QUICK)
    assert len(compiled) == 1


def test_values_and_rendering_need_no_torch() -> None:
    code = (
        "import sys; sys.path.insert(0, 'tests'); from bench_literals import LAYERED\n"
        "from archcalc.bench import against, fold, latency, roofline, rows, samples, timing\n"
        "from archcalc.render import FORMATS, layer_timings, render\n"
        "[render(layer_timings(LAYERED), form) for form in FORMATS]; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


# ---- on a GPU

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


@needs_cuda
@pytest.mark.parametrize("dtype", ["fp32", "bf16", "fp16"])
def test_cuda_times_all_phases_with_their_memory(dtype: str) -> None:
    found = archcalc.benchmark(
        "resnet18", device="cuda", dtype=dtype, batch_size=[1, 4], channels_last=dtype != "fp32", seconds=0.05
    )
    assert found.machine.device == torch.cuda.get_device_name(0)
    assert len(found.timings) == 6
    weights = 11_689_512 * (4 if dtype == "fp32" else 2)
    for each in found.timings:
        assert each.memory_bytes is not None
        assert each.memory_bytes > weights


@needs_cuda
def test_cuda_times_every_layer() -> None:
    found = archcalc.benchmark(Branched(), "alexnet", inputs=(2, 3, 227, 227), device="cuda", layers=True, seconds=0.05)
    for layers in found.layers:
        for each in layers.rows:
            assert each.forward is not None
            assert each.backward is not None
            assert each.forward.median_seconds > 0


@needs_cuda
def test_cuda_out_of_memory_is_told_and_the_rest_runs() -> None:
    found = archcalc.benchmark("alexnet", device="cuda", batch_size=[1, 10_000_000], mode="inference", seconds=0.05)
    assert [each.batch_size for each in found.timings] == [1]
    assert "out of memory at a batch of 10000000" in found.failures[0].problem


@needs_cuda
def test_cuda_state_is_restored() -> None:
    before = torch.backends.cuda.matmul.allow_tf32
    torch.cuda.manual_seed(5)
    expected = torch.rand(3, device="cuda")
    torch.cuda.manual_seed(5)
    archcalc.benchmark("head-gap", device="cuda", seconds=0.02)
    assert torch.equal(torch.rand(3, device="cuda"), expected)
    assert torch.backends.cuda.matmul.allow_tf32 is before
