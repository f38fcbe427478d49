"""The trace holds the whole graph: where each tensor comes from, and which modules were running."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import archcalc
from archcalc.count.memory import budget
from archcalc.count.report import build_report
from archcalc.sources.meta import weights_on_meta
from archcalc.trace.run import trace
from archcalc.values.budget import Budget
from archcalc.values.trace import TensorSpec, Trace
from archcalc.zoo.registry import architecture
from tests.support.random_nets import CHANNELS, network
from tests.trace.test_trace import Of, kinds, traced

Place = tuple[str, int | None, int, str]


def place(spec: TensorSpec) -> Place:
    return spec.origin, spec.producer, spec.output, spec.name


def read_by(found: Trace) -> list[list[Place]]:
    """For each call where the tensors that it reads come from, parameters left out."""
    return [[place(spec) for spec in op.inputs if spec.param is None] for op in found.ops]


def call(producer: int, output: int = 0) -> Place:
    return "call", producer, output, ""


# ---- nothing hangs loose


@pytest.mark.sweep
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", archcalc.names())
def test_every_output_of_every_call_is_read_and_every_input_comes_from_somewhere(name: str, training: bool) -> None:
    with weights_on_meta():
        net = archcalc.build(name)
    found = trace(net, (torch.empty(2, *architecture(name).input_shape),), training=training)
    specs = [spec for op in found.ops for spec in op.inputs]
    read = {(spec.producer, spec.output) for spec in (*specs, *found.outputs)}
    assert [op.kind for op in found.ops for at in range(len(op.outputs)) if (op.index, at) not in read] == []
    assert [spec for spec in specs if (spec.producer is None) is not bool(spec.name)] == []
    assert {spec.producer is None for spec in specs if spec.origin != "call"} == {True}


def chain(x: Tensor, *steps: Callable[[Tensor], Tensor]) -> Tensor:
    for step in steps:
        x = step(x)
    return x


HANDS_BACK: dict[str, Callable[[Tensor], Tensor]] = {
    "dropout": nn.Dropout().eval(),
    "dropout2d": nn.Dropout2d().eval(),
    "contiguous": lambda x: x.contiguous(),
    "float": lambda x: x.float(),
    "positive": lambda x: +x,
    "real": lambda x: x.real,
    "feature_alpha_dropout": nn.FeatureAlphaDropout().eval(),
    "to": lambda x: x.to(torch.float32),
}


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("kind", HANDS_BACK)
def test_a_call_that_hands_back_its_input_stands_in_the_chain(kind: str, skip: bool) -> None:
    net = Of(lambda self, x: chain(x, torch.exp, HANDS_BACK[kind], torch.tanh, HANDS_BACK[kind]))
    found = trace(net, (torch.empty(1, 2, 3, 3),), skip=skip)
    assert kinds(found) == ["exp", kind, "tanh", kind]
    assert read_by(found) == [[("input", None, 0, "args[0]")], [call(0)], [call(1)], [call(2)]]
    assert [place(spec) for spec in found.outputs] == [call(3)]
    assert [op.outputs[0].producer for op in found.ops] == [0, 1, 2, 3]


def test_an_input_that_is_handed_back_comes_from_that_call_and_what_the_model_holds_does_not() -> None:
    net = Of(lambda self, x: F.dropout(x, training=False) + F.dropout(self.weight, training=False))
    with torch.device("meta"):
        net.weight = nn.Parameter(torch.empty(2, 3))
    found = trace(net, (torch.empty(2, 3),))
    assert [place(spec) for spec in found.ops[2].inputs] == [call(0), ("parameter", None, 0, "weight")]
    assert place(found.inputs[0]) == ("input", None, 0, "args[0]")


@pytest.mark.parametrize("kind", HANDS_BACK)
def test_what_is_handed_back_sees_what_it_saw(kind: str) -> None:
    convs = nn.Conv2d(3, 3, 3), nn.Conv2d(3, 3, 3)
    found = archcalc.analyze(Of(lambda self, x: chain(x, convs[0], HANDS_BACK[kind], convs[1])), (1, 3, 9, 9))
    assert [row.receptive_field for row in found.rows] == [(3, 3), (3, 3), (5, 5)]


@pytest.mark.parametrize("step", [lambda x: x.contiguous(), lambda x: x.to(torch.float32)])
def test_what_is_handed_back_needs_no_memory_of_its_own(step: Callable[[Tensor], Tensor]) -> None:
    def of(*steps: Callable[[Tensor], Tensor]) -> Budget:
        # the backward pass is at its peak with the gradient of the layer's output, 512 rows beside 64 of the weight
        net = Of(lambda self, x: chain(self.fc(x), *steps).sum(), fc=nn.Linear(64, 64))
        return budget(trace(net, (torch.empty(512, 64),), training=True, autograd=True))

    assert (of(step).inference, of(step).training) == (of().inference, of().training)


# ---- edges


def test_each_output_of_a_call_has_its_number() -> None:
    def forward(self: Any, x: Tensor) -> tuple[Tensor, ...]:
        a, b, c = x.chunk(3, dim=1)
        d, e, f = x.split([1, 2, 3], dim=1)
        values, places = x.max(dim=1)
        return torch.cat([c, b, a, f, e, d], 1), values + 1, places * 2

    found = traced(forward, 2, 6)
    assert kinds(found) == ["chunk", "split", "max", "cat", "add", "mul"]
    assert read_by(found)[3] == [call(0, 2), call(0, 1), call(0, 0), call(1, 2), call(1, 1), call(1, 0)]
    assert read_by(found)[4:] == [[call(2, 0)], [call(2, 1)]]


def test_what_lies_in_memory_that_a_call_wrote_to_comes_from_that_call() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        y = x * 2
        part = y[:, :2]
        part += self.bias
        return y.exp()

    net = Of(forward)
    net.register_buffer("bias", torch.ones(2))
    found = trace(net, (torch.empty(2, 3),))
    assert kinds(found) == ["mul", "getitem", "add", "exp"]
    assert read_by(found)[2:] == [[call(1), ("buffer", None, 0, "bias")], [call(2)]]


# ---- names


class Named(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner: Any = nn.Module()
        self.inner.register_buffer("scale", torch.ones(3))
        self.inner.grid = torch.ones(3)
        self.inner.same_grid = self.inner.grid

    def forward(
        self: Any, image: Tensor, pair: list[Tensor], *more: Tensor, mask: Tensor, options: dict[str, Tensor]
    ) -> Any:
        steps = torch.arange(3) + 1
        y = image * self.inner.scale * self.inner.grid * steps * torch.full((3,), 2) * steps
        return y * pair[1] * more[0] * mask * options["shift"], torch.zeros(1)


def test_inputs_buffers_and_constants_have_their_names() -> None:
    x = [torch.empty(3) for _ in range(6)]
    found = trace(Named(), (x[0], [x[1], x[2]], x[3]), {"mask": x[4], "options": {"shift": x[5]}})
    names = ["image", "pair[0]", "pair[1]", "more[0]", "mask", "options[shift]"]
    assert [place(spec) for spec in found.inputs] == [("input", None, at, name) for at, name in enumerate(names)]
    read = [spec for places in read_by(found) for spec in places if spec[0] != "call"]
    assert read == [
        ("input", None, 0, "image"),
        ("buffer", None, 0, "inner.scale"),
        ("constant", None, 0, "inner.grid"),
        ("constant", None, 0, "constant_0"),
        ("constant", None, 0, "constant_1"),
        ("constant", None, 0, "constant_0"),
        ("input", None, 2, "pair[1]"),
        ("input", None, 3, "more[0]"),
        ("input", None, 4, "mask"),
        ("input", None, 5, "options[shift]"),
    ]
    assert place(found.outputs[1]) == ("constant", None, 0, "constant_2")


def test_a_tensor_that_is_given_twice_is_one_input() -> None:
    x = torch.empty(2, 3, device="meta")
    found = trace(Of(lambda self, a, b: a + b), (x, x))
    assert read_by(found) == [[("input", None, 0, "args[0]")] * 2]
    assert [spec.output for spec in found.inputs] == [0, 0]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_scripted_code_has_inputs_too() -> None:
    found = trace(torch.jit.script(nn.Linear(3, 4)), (torch.empty(2, 3),))
    assert found.failure is None
    assert found.inputs[0].name


# ---- modules


def running(found: Trace) -> list[str]:
    return [" ".join(f"{path or 'root'}:{run}" for path, run in op.modules) for op in found.ops]


def test_a_block_that_runs_twice_can_be_split_by_the_modules_that_were_running() -> None:
    block = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
    found = traced(lambda self, x: self.block(self.block(x)) + 1, 2, 3, block=block)
    assert running(found) == [
        "root:0 block:0 block.0:0",
        "root:0 block:0 block.1:0",
        "root:0 block:1 block.0:1",
        "root:0 block:1 block.1:1",
        "root:0",
    ]
    assert [(op.path, op.call) for op in found.ops] == [(op.modules[-1]) for op in found.ops]


def test_a_module_that_is_shared_by_two_blocks_runs_within_each_of_them() -> None:
    shared = nn.Linear(3, 3)
    found = traced(lambda self, x: self.b(self.a(x)), 2, 3, a=nn.Sequential(shared), b=nn.Sequential(shared))
    assert running(found) == ["root:0 a:0 a.0:0", "root:0 b:0 a.0:1"]  # under the first of its names


def test_a_module_that_is_made_on_the_way_is_a_run_of_the_one_around_it() -> None:
    found = traced(lambda self, x: self.a(nn.ReLU()(x)) + 1, 2, 3, a=nn.Tanh())
    assert running(found) == ["root:0 root:1", "root:0 a:0", "root:0"]


# ---- values


@pytest.mark.sweep
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("seed", range(12))
def test_two_traces_of_a_network_are_equal_and_give_equal_reports(seed: int, axes: int, training: bool) -> None:
    net = network(seed, axes)
    one, other = (trace(net, (torch.empty(1, CHANNELS, *[24] * axes),), training=training) for _ in range(2))
    assert one.failure is None
    assert one.ops
    assert one is not other
    assert one == other
    assert hash(one) == hash(other)
    reports = build_report(one), build_report(other)
    assert reports[0] == reports[1]
    assert hash(reports[0]) == hash(reports[1])


def test_traces_of_other_edges_differ() -> None:
    # the same calls on the same shapes, but the last one reads another tensor
    def forward(again: bool) -> Callable[..., Tensor]:
        def run(self: Any, x: Tensor) -> Tensor:
            y = x.exp()
            z = y.exp()
            return (y if again else z).exp()

        return run

    one, other = (traced(forward(again), 2, 3) for again in (True, False))
    assert kinds(one) == kinds(other)
    assert one != other
    assert build_report(one) != build_report(other)


def test_all_that_a_trace_is_made_of_can_be_hashed() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        return torch.fft.fft(F.pad(self.fc(x), (1, 1), value=0.5))

    found = traced(forward, 2, 3, fc=nn.Linear(3, 4))
    assert {op.kind for op in {*found.ops}} == {"linear", "pad", "fft_fft"}
    assert len({*found.modules.values(), *found.inputs, *found.params}) == 2 + 1 + 2
    for value in (found, archcalc.analyze("alexnet"), *(aten for op in found.ops for aten in op.aten)):
        assert value in {value}
