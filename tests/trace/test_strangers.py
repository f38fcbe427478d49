"""What the models of strangers did: work that was not seen, modules that were harmed, gradients that nobody needs."""

from __future__ import annotations

import contextlib
import gc
import random
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import archcalc
from archcalc import ModelError
from archcalc.formats import render
from archcalc.render.table import layers
from tests.trace.test_trace import Of


def fc(inputs: int = 4, outputs: int = 4) -> nn.Linear:
    return nn.Linear(inputs, outputs)


@pytest.fixture(scope="module")
def ops() -> Iterator[Any]:
    """Ops that write to what they are given, as fused kernels do."""
    library = torch.library.Library("strangers", "DEF")
    library.define("product(Tensor a, Tensor b, Tensor(a!) out) -> ()")
    library.impl("product", lambda a, b, out: out.copy_(a @ b) and None, "CPU")
    library.impl("product", lambda a, b, out: None, "Meta")
    library.define("count_(Tensor(a!) n) -> ()")
    library.impl("count_", lambda n: n.add_(1) and None, "CPU")
    yield torch.ops.strangers
    library._destroy()


# ---- work that shows in no result


def test_an_op_that_only_writes_is_named_and_the_totals_are_a_bound(ops: Any) -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        out = torch.empty_like(x)
        ops.product(x, self.a.weight, out)
        return self.b(out)

    found = archcalc.analyze(Of(forward, a=fc(), b=fc()), (2, 4))
    assert not found.complete
    assert [row.unknown for row in found.rows if row.unknown] == [("strangers.product",)]
    assert found.uncalled == {"a.bias": 4}


def test_a_forward_that_runs_modules_in_threads_is_refused() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        with ThreadPoolExecutor(2) as pool:
            return sum(pool.map(lambda part: part(x), [self.a, self.b]))

    with pytest.raises(ModelError, match="in a thread of its own"):
        archcalc.analyze(Of(forward, a=fc(), b=fc()), (2, 4))


def test_weights_that_are_made_and_never_used_are_not_counted() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        nn.LayerNorm(4)
        made = fc()
        made.weight, made.bias = self.a.weight, self.a.bias
        return made(x)

    found = archcalc.analyze(Of(forward, a=fc()), (2, 4))
    assert (found.total("params"), found.notes, len(found.rows)) == (4 * 4 + 4, (), 1)


def test_a_parameter_that_no_module_holds_is_not_written_to() -> None:
    weights = [nn.Parameter(torch.ones(4))]

    def forward(self: Any, x: Tensor) -> Tensor:
        with torch.no_grad():
            weights[0].mul_(0.5)
        return self.a(x) * weights[0]

    archcalc.analyze(Of(forward, a=fc()), (2, 4))
    assert weights[0].tolist() == [1, 1, 1, 1]


def test_in_place_products_count() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        return x.clone().addmm_(x, self.a.weight)

    assert archcalc.analyze(Of(forward, a=fc()), (2, 4)).total("macs") == 2 * 4 * 4


def test_experts_that_share_one_product() -> None:
    # 32 rows of 16, each through the 16×32 matrix of its expert
    def forward(self: Any, x: Tensor) -> Tensor:
        return torch._grouped_mm(x, self.experts, offs=torch.tensor([16, 32], dtype=torch.int32))

    net = Of(forward)
    net.experts = nn.Parameter(torch.rand(2, 16, 32, dtype=torch.bfloat16))
    assert archcalc.analyze(net, torch.rand(32, 16, dtype=torch.bfloat16)).total("macs") == 32 * 16 * 32


# ---- devices


def on_its_device(self: Any, x: Tensor) -> Tensor:
    places = torch.arange(3, device=x.device)
    if not (places.diff() == 1).all():  # reads values of its own making, as position ids are read
        raise ValueError
    return self.a.to(x.device)(x) + torch.ones(4).to(x.device) + torch.zeros(4, device=self.a.weight.device)


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_what_is_made_on_the_devices_of_tensors(device: str) -> None:
    with torch.device(device):
        net = Of(on_its_device, a=fc())
    found = archcalc.analyze(net, (2, 4))
    assert (found.total("macs"), found.notes) == (2 * 4 * 4, ())


def test_weights_that_no_memory_holds() -> None:
    # 5,000,000 classes from 4096 units
    found = archcalc.analyze("alexnet", num_classes=5_000_000)
    assert found.total("params") == 60_965_224 + (5_000_000 - 1000) * (4096 + 1)


# ---- no harm


def test_containers_and_hooks_are_left_as_they_were() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        self.cache.append(x)
        self.state["of"]["keys"].add(1)
        if not hasattr(self, "installed"):
            self.a.register_forward_hook(lambda module, given, got: torch.cat([got, got]))
            self.installed = True
        return self.a(x)

    net: Any = Of(forward, a=fc())
    net.cache, net.state = ["old"], {"of": {"keys": {0}}}
    shapes = [archcalc.analyze(net, (2, 4)).output_shapes for _ in range(2)]
    assert shapes == [((4, 4),)] * 2
    assert (net.cache, net.state) == (["old"], {"of": {"keys": {0}}})
    assert net(torch.rand(2, 4)).shape == (4, 4)


@pytest.mark.parametrize("change", ["registered", "aten"])
def test_ops_that_write_to_a_buffer_write_to_a_copy(ops: Any, change: str) -> None:
    write = ops.count_ if change == "registered" else lambda n: torch.ops.aten.add_.Tensor(n, torch.ones(1))
    net: Any = Of(lambda self, x: (write(self.n), self.a(x))[1], a=fc())
    net.register_buffer("n", torch.zeros(1))
    archcalc.analyze(net, (2, 4))
    assert net.n.item() == 0


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_scripted_modules_run_once_in_the_mode_asked_for_and_stay_in_theirs() -> None:
    scripted = torch.jit.script(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout())).train()
    found = archcalc.analyze(scripted, (2, 3, 8, 8))
    assert [row.macs for row in found.rows] == [2 * 4 * 6 * 6 * 3 * 3 * 3, 0]  # no dropout outside training
    assert (scripted[1].num_batches_tracked.item(), scripted.training) == (0, True)
    both = nn.Sequential(fc(), torch.jit.script(fc())).train()
    archcalc.analyze(both, (2, 4))
    assert both[1].training


def test_random_generators_go_on_where_they_were() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        random.random(), np.random.rand(), torch.rand(1)
        return self.a(x)

    def draw() -> list[float]:
        return [random.random(), float(np.random.rand()), torch.rand(1).item()]

    def seed() -> None:
        random.seed(3), np.random.seed(3), torch.manual_seed(3)

    net = Of(forward, a=fc())
    seed()
    expected = draw()
    seed()
    archcalc.analyze(net, (2, 4))
    assert draw() == expected


def fails_late(self: Any, x: Tensor) -> Tensor:
    self.b(self.a(x))
    raise RuntimeError("no")


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("forward", [lambda self, x: self.b(self.a(x)), fails_late])
def test_nothing_holds_on_to_a_model(forward: Callable[..., Tensor], backward: bool) -> None:
    net = Of(forward, a=fc(), b=fc())
    weights = [weakref.ref(parameter) for parameter in net.parameters()]
    with contextlib.suppress(ModelError):
        archcalc.analyze(net, (2, 4), training=backward, backward=backward)
    del net
    gc.collect()
    assert [weight() for weight in weights] == [None] * 4


# ---- errors


class UnspeakableError(Exception):
    def __str__(self) -> str:
        raise ValueError


def fails(self: Any, x: Tensor) -> Tensor:
    raise UnspeakableError


def test_an_error_that_cannot_be_written_and_a_tensor_without_a_shape() -> None:
    with pytest.raises(ModelError, match="UnspeakableError"):
        archcalc.analyze(Of(fails), (2, 4))
    with pytest.warns(UserWarning, match="nested"):
        ragged = torch.nested.nested_tensor([torch.rand(2, 4), torch.rand(3, 4)])
    with pytest.raises(ModelError, match="pad it"):
        archcalc.analyze(fc(), ragged)
    net: Any = Of(lambda self, x: self.a(self.ragged).sum() + x, a=fc())
    net.register_buffer("ragged", ragged)
    with pytest.raises(ModelError, match="uses a nested tensor, which has no one shape: pad it"):
        archcalc.analyze(net, (2, 4))


# ---- training: only what gradients come through costs anything, and only what really multiplies


def without_gradients(self: Any, x: Tensor) -> Tensor:
    with torch.no_grad():
        y = self.a(x)
    return self.b(y)


def values_alone(self: Any, x: Tensor) -> Tensor:
    return F.scaled_dot_product_attention(x, x, self.a(x))


def keywords(self: Any, x: Tensor) -> Tensor:
    return F.linear(x, bias=self.a.bias.detach(), weight=self.a.weight)


SCORES = 2 * 3 * 5 * 5
BACKWARD: list[tuple[Callable[..., Tensor], int, tuple[int, ...], int]] = [
    (without_gradients, 4, (2, 4), 2 * 4 * 4),  # the weight of b alone
    (lambda self, x: self.b(self.a(x).detach()), 4, (2, 4), 2 * 4 * 4),
    (keywords, 4, (2, 4), 2 * 4 * 4),
    # the weight of a, and the values: the scores with what comes back
    (values_alone, 8, (2, 3, 5, 8), 2 * 3 * 5 * 8 * 8 + SCORES * 8),
]


@pytest.mark.parametrize(("forward", "width", "shape", "macs"), BACKWARD)
def test_backward_follows_the_gradients(
    forward: Callable[..., Tensor], width: int, shape: tuple[int, ...], macs: int
) -> None:
    net = Of(forward, a=fc(width, width), b=fc(width, width))
    assert archcalc.analyze(net, shape, training=True, backward=True).total("backward_macs") == macs


class OwnProduct(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        return x @ weight

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        raise NotImplementedError  # only the forward pass runs here


def test_a_backward_pass_of_the_models_own_is_said_to_be_unknown() -> None:
    def forward(self: Any, x: Tensor) -> Any:
        return OwnProduct.apply(self.a(x), self.b.weight)

    found = archcalc.analyze(Of(forward, a=fc(), b=fc()), (2, 4), training=True, backward=True)
    assert "what OwnProduct costs in the backward pass is not known" in found.notes[0]


def test_a_backward_pass_without_a_count_is_a_bound_and_not_zero() -> None:
    found = archcalc.analyze(nn.Bilinear(4, 4, 5), [(2, 4), (2, 4)], training=True, backward=True)
    assert found.rows[0].backward_macs is None
    assert "what bilinear costs in the backward pass is not known" in found.notes[0]
    assert "≥ 0" in render(layers(found, ["path", "backward_macs"]), "table")


class Scaled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return x * weight

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        raise NotImplementedError


@pytest.mark.parametrize("followed", [False, True])
def test_what_a_function_of_the_models_own_saves(followed: bool) -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        y = Scaled.apply(x, self.weight)
        return self.a(y) if followed else y

    net = Of(forward, a=fc())
    net.weight = nn.Parameter(torch.ones(4))
    saved = archcalc.analyze(net, (2, 4), training=True, backward=True).total("saved_bytes")
    assert saved == 2 * 4 * 4 * (1 + followed)  # its input, and that of the layer behind it; the weight is there anyway


def test_attention_within_a_layer_saves_no_scores() -> None:
    layer = nn.TransformerEncoderLayer(16, 4, 32, dropout=0.0, batch_first=True)
    x = torch.rand(2, 64, 16)
    held: dict[int, int] = {each.untyped_storage().data_ptr(): 0 for each in layer.parameters()}

    def save(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        held.setdefault(storage.data_ptr(), storage.nbytes())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(save, lambda tensor: tensor):
        kept = layer(x)
    assert kept.requires_grad
    assert archcalc.analyze(layer, x, training=True, backward=True).total("saved_bytes") == sum(held.values())
