"""The trace: what is recorded, and that nothing else is touched."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import archcalc
from archcalc.sources.meta import weights_on_meta
from archcalc.trace.run import trace
from archcalc.values.trace import Trace
from archcalc.zoo.registry import architecture


class Of(nn.Module):
    """A module whose forward is a function of itself and the input."""

    def __init__(self, forward: Callable[..., Any], **children: nn.Module) -> None:
        super().__init__()
        self.function = forward
        for name, child in children.items():
            self.add_module(name, child)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(self, *args, **kwargs)


def traced(forward: Callable[..., Any], *shape: int, **children: nn.Module) -> Trace:
    return trace(Of(forward, **children), (torch.empty(shape),))


def kinds(found: Trace) -> list[str]:
    return [op.kind for op in found.ops]


def test_functional_calls_and_operators_are_rows_in_forward_order() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        y = F.relu(self.conv(x)) + x
        return torch.cat([y, 1 - x, x @ x], dim=1)[:, 0]

    found = traced(forward, 1, 3, 8, 8, conv=nn.Conv2d(3, 3, 3, padding=1))
    assert kinds(found) == ["conv2d", "relu", "add", "sub", "matmul", "cat", "getitem"]
    assert [op.path for op in found.ops] == ["conv", "", "", "", "", "", ""]
    assert found.outputs[0].shape == (1, 8, 8)


def test_edges_lead_to_the_call_that_made_a_tensor_also_through_in_place_calls() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        y = x * 2
        F.relu(y, inplace=True)
        y += x
        y[:, 0] = x[:, 1]
        return y.exp()

    found = traced(forward, 2, 3)
    assert kinds(found) == ["mul", "relu", "add", "getitem", "setitem", "exp"]
    producers = [[spec.producer for spec in op.inputs] for op in found.ops]
    assert producers == [[None], [0], [1, None], [None], [2, 3], [4]]


def test_queries_are_no_rows_and_shapes_can_be_used() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        assert x.dim() == 4
        assert len(x) == b == x.size(0)
        return x.reshape(b, c * h * w) if x.is_floating_point() and x.numel() else x

    assert kinds(traced(forward, 2, 3, 4, 5)) == ["reshape"]


def test_a_module_that_runs_twice_counts_its_runs() -> None:
    found = traced(lambda self, x: self.act(self.act(x)), 2, 3, act=nn.ReLU())
    assert [(op.path, op.call) for op in found.ops] == [("act", 0), ("act", 1)]


def test_what_does_not_depend_on_the_input_is_computed_for_real() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        grid = torch.arange(6).view(2, 3)
        assert int(grid.sum()) == 15  # a value is read while tracing
        return x + grid.float() * self.scale

    net = Of(forward)
    net.register_buffer("scale", torch.tensor(2.0))
    found = trace(net, (torch.empty(2, 3),))
    assert kinds(found) == ["add"]  # the grid costs no multiply-add and depends on nothing: no row
    assert found.failure is None


def test_a_call_with_the_same_shapes_but_another_kind_of_number_is_another_call() -> None:
    def forward(self: Any, x: Tensor) -> tuple[Tensor, Tensor]:
        whole = x.long()
        return whole * 1, whole * 1.0

    found = traced(forward, 2, 3)
    assert [spec.dtype for spec in found.outputs] == ["int64", "float32"]


def test_view_in_place_and_strided_results_are_remembered_right() -> None:
    def forward(self: Any, x: Tensor) -> tuple[Tensor, Tensor]:
        a, b = x.transpose(1, 2), x.transpose(1, 2)
        assert not b.is_contiguous()
        return a.contiguous().view(-1), b.contiguous().view(-1)

    assert [spec.shape for spec in traced(forward, 2, 3, 4).outputs] == [(24,), (24,)]


def test_several_outputs_of_one_call_and_a_repeat_of_it() -> None:
    def forward(self: Any, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        first, second = x.chunk(2, dim=1)
        third, fourth = x.chunk(2, dim=1)
        values, indices = first.max(dim=1)
        more = second.max(dim=1)
        return third + fourth, values + more.values, indices

    found = traced(forward, 2, 4)
    assert [spec.shape for spec in found.outputs] == [(2, 2), (2,), (2,)]
    assert found.outputs[2].dtype == "int64"


def test_scripted_code_shows_as_the_torch_ops_that_run() -> None:
    scripted = torch.jit.script(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())).to("meta")
    found = traced(lambda self, x: self.net(x).relu(), 1, 3, 8, 8, net=scripted)
    assert kinds(found)[0] == "aten.convolution"
    report_macs = sum(op.flops or 0 for call in found.ops for op in call.aten) // 2
    assert report_macs == 6 * 6 * 4 * (3 * 3 * 3)


def test_vmap_is_counted_for_the_whole_batch() -> None:
    found = traced(lambda self, x: torch.vmap(lambda row: row @ row.T)(x), 5, 3, 4)
    assert sum(op.flops or 0 for call in found.ops for op in call.aten) // 2 == 5 * 3 * 3 * 4


# ---- failures


def test_a_failing_layer_ends_the_trace_with_its_path_and_what_it_got() -> None:
    net = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Sequential(nn.Linear(6, 7)))
    found = trace(net, (torch.empty(2, 4),))
    assert kinds(found) == ["linear", "relu"]
    assert found.failure is not None
    assert found.failure.startswith("2.0: linear got 2x5, 7x6, 7: ")


def test_an_error_of_the_models_own_says_where_it_came_from() -> None:
    def refuse(self: Any, x: Tensor) -> Tensor:
        raise LookupError("no such\nthing")

    found = traced(lambda self, x: self.inner(x + 1), 2, inner=Of(refuse))
    assert kinds(found) == ["add"]
    assert found.failure == "inner: LookupError: no such thing"


def test_an_error_that_the_model_handles_is_none() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        try:
            return self.layer(x)
        except RuntimeError:
            return x * 2

    found = traced(forward, 2, 3, layer=nn.Linear(4, 5))
    assert found.failure is None
    assert kinds(found) == ["mul"]


# ---- do no harm


def test_the_module_comes_back_as_it_was() -> None:
    norm = nn.BatchNorm2d(3)
    net = nn.Sequential(nn.Conv2d(3, 3, 3), norm, nn.Dropout(), nn.ReLU(inplace=True)).train()
    norm.eval()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    image = torch.rand(2, 3, 8, 8)
    random_state = torch.get_rng_state()
    copy = image.clone()
    for training in (True, False):
        trace(net, (image,), training=training)
    assert [child.training for child in net] == [True, False, True, True]
    assert torch.equal(random_state, torch.get_rng_state())
    assert torch.equal(image, copy)
    for key, value in net.state_dict().items():
        assert torch.equal(value, before[key]), key
    assert all(p.grad is None and not p.is_meta for p in net.parameters())
    assert not nn.modules.module._global_forward_hooks
    assert not nn.modules.module._global_forward_pre_hooks
    assert torch.backends.mha.get_fastpath_enabled()


def test_random_numbers_drawn_while_tracing_do_not_move_the_generator() -> None:
    state = torch.get_rng_state()
    traced(lambda self, x: x + torch.rand(3), 2, 3)
    assert torch.equal(state, torch.get_rng_state())


def test_a_tensor_that_the_module_keeps_is_not_written_to() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        self.cache[:1] = x
        self.seen.add_(1)
        return self.cache * float(self.seen)

    net = Of(forward)
    net.cache, net.seen = torch.zeros(2, 3), torch.tensor(1)
    found = trace(net, (torch.empty(1, 3),))
    assert found.failure is None
    assert kinds(found) == ["setitem", "mul"]
    assert torch.equal(net.cache, torch.zeros(2, 3))
    assert net.seen == 1


def test_another_thread_that_runs_the_same_module_is_not_recorded() -> None:
    net = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
    go, done = threading.Event(), threading.Event()

    def elsewhere() -> None:
        go.wait(10)
        net(torch.rand(1, 4))
        done.set()

    thread = threading.Thread(target=elsewhere)
    thread.start()

    def forward(self: Any, x: Tensor) -> Tensor:
        go.set()
        assert done.wait(10)
        return self.net(x)

    found = traced(forward, 2, 4, net=net)
    thread.join()
    assert [(op.path, op.call) for op in found.ops] == [("net.0", 0), ("net.1", 0)]


# ---- what is not run gives what running gives


SMALL = ["lenet5", "lenet5-modern", "alexnet", "googlenet", "resnet18", "resnet50-v1.5", "inception-module", "nin"]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", SMALL)
def test_rules_and_memory_change_nothing(name: str, training: bool) -> None:
    def run(skip: bool) -> list[Any]:
        with weights_on_meta():
            net = archcalc.build(name)
        found = trace(net, (torch.empty(2, *architecture(name).input_shape),), training=training, skip=skip)
        return [(op.kind, op.path, op.inputs, op.outputs) for op in found.ops]

    assert run(skip=True) == run(skip=False)
