"""A lock is equal for equal architectures, and names the first layer that is another."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import archcalc
from archcalc.values.errors import UsageError
from archcalc.values.lock import Lock
from tests.cli.test_cli import run


class Net(nn.Module):
    """Two convolutions with a skip, a pool, a classifier; each argument alters one thing of it."""

    def __init__(self, stride: int = 1, kernel: int = 3, bias: bool = True, eps: float = 1e-5, skip: str = "a") -> None:
        super().__init__()
        self.a = nn.Conv2d(4, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4, eps)
        self.b = nn.Conv2d(4, 4, kernel, stride, padding=kernel // 2, bias=bias)
        self.fc = nn.Linear(4, 2)
        self.spare = nn.Linear(2, 2)
        self.skip = skip

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.a(x))
        z = self.activation(self.b(y))
        z = z + {"a": y, "x": x}[self.skip][..., : z.shape[2], : z.shape[3]]
        return self.fc(z.mean((2, 3)))

    def activation(self, x: Tensor) -> Tensor:
        return F.relu(x)


class InPlace(Net):
    def activation(self, x: Tensor) -> Tensor:
        return F.relu(x, inplace=True)


class Gelu(Net):
    def activation(self, x: Tensor) -> Tensor:
        return F.gelu(x)


class Longer(Net):
    def activation(self, x: Tensor) -> Tensor:
        return F.relu(x).abs()


class Wider(Net):
    def __init__(self) -> None:
        super().__init__()
        self.spare = nn.Linear(2, 3)


def lock(module: nn.Module, size: int = 8) -> Lock:
    return archcalc.lock(module, (1, 4, size, size))


@pytest.mark.parametrize("name", ["lenet5", "resnet18", "googlenet"])
def test_a_lock_is_read_back_equal_and_another_build_has_the_same_hash(name: str, tmp_path: Path) -> None:
    before = archcalc.lock(name)
    before.save(tmp_path / "arch.lock")
    assert Lock.load(tmp_path / "arch.lock") == before == archcalc.lock(name)
    assert before.difference(archcalc.lock(name)) == ""
    assert len({layer.hash for layer in before.layers}) > len(before.layers) / 2


def test_weights_and_in_place_do_not_matter() -> None:
    torch.manual_seed(0)
    first, second = Net(), Net()
    assert not torch.equal(first.fc.weight, second.fc.weight)
    assert lock(first).hash == lock(second).hash == lock(InPlace()).hash


CHANGES: dict[str, Callable[[], nn.Module]] = {
    "layer 3: b (conv2d): outputs 1x4x8x8 float32 -> 1x4x4x4 float32; stride (1, 1) -> (2, 2)": lambda: Net(stride=2),
    "layer 3: b (conv2d): reads norm, b.weight 4x4x3x3, b.bias 4 -> norm, b.weight 4x4x5x5,": lambda: Net(kernel=5),
    "layer 3: b (conv2d): reads norm, b.weight 4x4x3x3, b.bias 4 -> norm, b.weight 4x4x3x3": lambda: Net(bias=False),
    "layer 2: norm (batch_norm): eps 1e-05 -> 0.001": lambda: Net(eps=1e-3),
    "layer 5: getitem (getitem): reads norm -> input 0": lambda: Net(skip="x"),
    "layer 4: gelu (gelu) stands where relu (relu) was locked": Gelu,
    "layer 5: abs (abs) stands where getitem (getitem) was locked": Longer,
    "a parameter was spare.weight 2x2 float32, and is spare.weight 3x2 float32": Wider,
}


@pytest.mark.parametrize("message", CHANGES)
def test_the_first_layer_that_is_another_is_named(message: str) -> None:
    now = lock(CHANGES[message]())
    assert lock(Net()).difference(now).startswith(message)
    assert now.hash != lock(Net()).hash


def test_input_mode_and_the_end_are_compared() -> None:
    before = lock(Net())
    assert before.difference(lock(Net(), 9)) == "the inputs were x 1x4x8x8 float32, and are x 1x4x9x9 float32"
    assert "eval, and is in training mode" in before.difference(archcalc.lock(Net(), (1, 4, 8, 8), training=True))
    layers = [nn.Linear(2, 2), nn.ReLU()]
    one, two = (archcalc.lock(nn.Sequential(*layers[:n]), (1, 2)) for n in (1, 2))
    assert one.difference(two) == "layer 2: 1 (relu) is new"
    assert two.difference(one) == "layer 2: 1 (relu) is gone"


class Call(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def test_a_constant_has_no_number_that_others_would_shift() -> None:
    one, two = torch.ones(8), torch.ones(8)
    assert [layer.reads for layer in lock(Call(lambda x: (x + one) * two)).layers] == [
        *(("input 0", "constant"), ("add", "constant"))
    ]


def test_an_argument_by_position_or_by_name_is_one() -> None:
    calls = (lambda x: F.max_pool2d(x, 2, 1), lambda x: F.max_pool2d(stride=1, kernel_size=2, input=x))
    assert len({lock(Call(call)).hash for call in calls}) == 1
    assert lock(Call(calls[0])).hash != lock(Call(lambda x: F.max_pool2d(x, 2, 1, 1))).hash
    by_position = (
        lambda x: torch.flatten(x, 1),
        lambda x: torch.flatten(x, 2),
    )  # a kind whose arguments we do not name
    assert len({lock(Call(call)).hash for call in by_position}) == 2


# ---- the commands


NET = """
from torch import nn
def net(width=4, classes=2): return nn.Sequential(nn.Linear(3, width), nn.ReLU(), nn.Linear(width, classes))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "net.py").write_text(NET)
    monkeypatch.chdir(tmp_path)
    assert run("lock", "net.py:net", "-i", "3", "-b", "2", "--set", "width=5", "-o", "arch.lock").exit_code == 0
    return tmp_path


def test_a_lock_holds_until_the_file_changes(folder: Path) -> None:
    assert run("verify", "--lock", "arch.lock").exit_code == 0
    (folder / "net.py").write_text(NET.replace("nn.ReLU()", "nn.Tanh()"))
    result = run("verify", "--lock", "arch.lock", "-f", "json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["locks"][0]["problem"] == "layer 2: 1 (tanh) stands where 1 (relu) was locked"
    assert result.stderr == "archcalc: arch.lock: layer 2: 1 (tanh) stands where 1 (relu) was locked\n"


def test_a_layer_is_a_line_of_the_file(folder: Path) -> None:
    lines = (folder / "arch.lock").read_text().splitlines()
    assert sum('"kind"' in line for line in lines) == 3
    assert [line for line in lines if '"settings"' in line] == ['  "settings": {"width": 5}']
    assert '"shape": [2, 3]' in next(line for line in lines if '"x"' in line or '"input"' in line)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "os:system"}, "--trust allows any"),
        ({"model": ""}, "compare it in Python"),
        ({"model": "nonsense"}, "arch.lock: unknown network 'nonsense'"),
        ({"layers": 3}, "arch.lock is not whole: layers: should be"),
        ({"inputs": [{"name": "x", "shape": [-1], "dtype": "float32"}]}, "arch.lock is not whole: inputs.0.shape.0"),
        ({"inputs": [{"name": "x", "shape": [2, 3], "dtype": "float33"}]}, "unknown dtype 'float33'"),
        ({"schema": "archcalc.report/1"}, "holds archcalc.report/1, not archcalc.lock/1"),
    ],
)
def test_a_damaged_or_hostile_lock_is_one_clear_line(folder: Path, change: dict[str, object], message: str) -> None:
    document = json.loads((folder / "arch.lock").read_text())
    (folder / "arch.lock").write_text(json.dumps(document | change))
    result = run("verify", "--lock", "arch.lock")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert message in result.stderr


def test_a_module_has_no_name_to_be_built_from_again(folder: Path) -> None:
    lock(Net()).save(folder / "arch.lock")
    assert "was locked from a module" in run("verify", "--lock", "arch.lock").stderr
    assert run("verify", "claims.toml", "--lock", "arch.lock").exit_code == 2
    with pytest.raises(UsageError, match="cannot read nowhere"):
        Lock.load("nowhere")
