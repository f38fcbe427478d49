"""Real runs of benchmarks: every row timed, torch left as it was, failures told; on a GPU where there is one."""

from __future__ import annotations

import subprocess
import sys
from itertools import count
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archcalc
from archcalc.bench.clock import Marks
from archcalc.bench.layer_passes import LayerPasses
from archcalc.bench.measure import ENOUGH
from archcalc.bench.network import Network, Workload
from archcalc.values.errors import ModelError, UsageError

QUICK: dict[str, Any] = {"seconds": 0.01, "threads": 1}


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
    rows = [passes.samples_of(group) for group in range(len(passes.groups))]
    # each mark is one tick: a call lasts one, a node of the graph too, and the whole lasts as long as its marks
    assert [each.seconds for each, _ in rows if each] == [(1.0,)] * len(rows)
    assert forward.seconds == (2 * len(rows) + 1,)
    assert sum(each.seconds[0] for _, each in rows if each) == backward.seconds[0] - 1


def test_inference_has_no_backward_and_ten_times_the_work_is_slower() -> None:
    found = archcalc.benchmark(
        "head-gap", "conv5x5", mode="inference", batch_size=[1, 10], layers=True, seconds=0.02, threads=1
    )
    assert [(each.network, each.batch_size, each.phase) for each in found.timings] == [
        ("head-gap", 1, "inference"),
        ("head-gap", 10, "inference"),
        ("conv5x5", 1, "inference"),
        ("conv5x5", 10, "inference"),
    ]
    assert found.timings[3].samples.min_seconds > found.timings[2].samples.min_seconds
    assert all(row.backward is None for layers in found.layers for row in layers.rows)


@pytest.mark.parametrize("options", [{"dtype": "bf16"}, {"channels_last": True}], ids=str)
def test_other_dtypes_and_layouts_run(options: dict[str, Any]) -> None:
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
def test_a_wrong_request_is_a_usage_error(options: dict[str, Any], said: str) -> None:
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
    monkeypatch.setattr(torch, "compile", lambda module: compiled.append(module) or module)  # type: ignore[func-returns-value]
    archcalc.benchmark("head-gap", compiled=True, mode="inference", **QUICK)
    assert len(compiled) == 1


def test_values_and_rendering_need_no_torch() -> None:
    code = (
        "import sys; sys.path.insert(0, '.'); from tests.support.bench_literals import LAYERED\n"
        "from archcalc.bench import against, fold, roofline, rows\n"
        "from archcalc.formats import FORMATS, render\n"
        "from archcalc.render.bench_layers import layer_timings\n"
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
            assert each.forward.median_seconds >= 0  # a view runs nothing


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
    archcalc.benchmark("lenet5-modern", device="cuda", seconds=0.02)
    assert torch.equal(torch.rand(3, device="cuda"), expected)
    assert torch.backends.cuda.matmul.allow_tf32 is before
