"""The text that names a model: label, target, settings, and what is said where it leads nowhere."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

import archcalc
from archcalc.sources.named import Named, named
from archcalc.values.errors import UsageError
from archcalc.values.input_size import CallInputs, Typed, joined, parse_inputs
from tests.cli.test_cli import run

NET = """
from torch import nn
class Net(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3)
    def forward(self, x, keep=None):
        return self.conv(x)[:, :keep]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "net.py").write_text(NET)
    (tmp_path / "two.py").write_text(f"{NET}\nclass Other(Net): pass\n")
    (tmp_path / "functions.py").write_text("from torch import nn\ndef build(): return nn.Linear(2, 2)\n")
    (tmp_path / "weights.pth").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "parts", "kind"),
    [
        ("resnet50", ("resnet50", "resnet50", {}), "zoo"),
        ("resnet50?num_classes=10", ("resnet50?num_classes=10", "resnet50", {"num_classes": 10}), "zoo"),
        ("Ours=net.py:Net", ("Ours", "net.py:Net", {}), "attribute"),
        ("Ours=net.py?a=1&b=x", ("Ours", "net.py", {"a": 1, "b": "x"}), "file"),
        ("timm/vit?img_size=384", ("timm/vit?img_size=384", "timm/vit", {"img_size": 384}), "timm"),
        ("timm/net.py:Net", ("timm/net.py:Net", "timm/net.py:Net", {}), "attribute"),
        ("hf/a/config.json", ("hf/a/config.json", "hf/a/config.json", {}), "hf"),
        ("a/b.pt2", ("a/b.pt2", "a/b.pt2", {}), "exported"),
        ("package.module:factory", ("package.module:factory", "package.module:factory", {}), "attribute"),
    ],
)
def test_a_text_is_taken_apart(text: str, parts: tuple[str, str, dict[str, Any]], kind: str) -> None:
    model = named(text)
    assert model == Named(*parts, has_label=text.startswith("Ours="))
    assert model.kind == kind


def test_a_path_with_the_sign_of_a_label(folder: Path) -> None:
    (folder / "lr=1").mkdir()
    (folder / "lr=1" / "net.py").write_text(NET)
    assert named("lr=1/net.py:Net").target == "lr=1/net.py:Net"
    assert archcalc.analyze("lr=1/net.py?width=2", (1, 3, 8, 8)).params == 2 * (3 * 3 * 3) + 2


@pytest.mark.parametrize("text", ["", "=net.py", "Ours=", "?width=2", "Ours=?width=2", "net.py?width", "net.py?1=2"])
def test_a_text_without_a_model_or_with_half_a_setting(text: str) -> None:
    with pytest.raises(UsageError, match=r"names no model; write|is no setting; write"):
        named(text)


def test_a_label_may_not_pass_a_model_off_as_a_network_of_the_zoo() -> None:
    with pytest.raises(UsageError, match="label alexnet is the name of a network"):
        named("alexnet=net.py:Net")


@pytest.mark.usefixtures("folder")
def test_settings_and_labels_of_one_among_several() -> None:
    done = run(*"compare Ours=net.py?width=4 net.py:Net --set width=8 -i 3x8x8 -f csv".split())
    params = {row["network"]: int(row["params"]) for row in csv.DictReader(done.stdout.splitlines())}
    assert params == {"Ours": 4 * 27 + 4, "net.py:Net": 8 * 27 + 8}


@pytest.mark.usefixtures("folder")
def test_inputs_by_name() -> None:
    for inputs in (["-i", "x=2x3x8x8"], ["-i", "3x8x8", "-b", "2"]):
        done = run("table", "net.py", *inputs, "-i", "keep=4", "-f", "csv", "--columns", "output_shape,macs")
        kept = list(csv.DictReader(done.stdout.splitlines()))
        assert [row["output_shape"] for row in kept] == ["16x6x6", "4x6x6"]
        assert int(kept[0]["macs"]) == 2 * 16 * 6 * 6 * (3 * 3 * 3)


def test_numbers_and_words_among_the_inputs_stay_what_they_are() -> None:
    sizes, words = parse_inputs(["3x8x8", "a=1x2:int64", "b=-3", "c=0.5", "d=none", "e=True", "f=7:int64"])
    assert sizes == [(3, 8, 8)]
    assert words == {"a": Typed((1, 2), "int64"), "b": -3, "c": 0.5, "d": None, "e": True, "f": Typed((7,), "int64")}
    assert joined(sizes, words) == CallInputs(((3, 8, 8),), words)
    assert joined([], {}) is None


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("table two.py -i 3x8x8", "holds more than one module class, Net, Other; name the one to build: two.py:Other"),
        ("table functions.py", "name the function that builds one: functions.py:build"),
        ("table nets/net.py -i 3", "there is no file nets/net.py"),
        ("table weights.pth", "weights.pth is no model; a model is path/to/net.py:Net or a file that torch.export"),
        ("table weights.onnx", "there is no file weights.onnx"),
        ("table model.pt2", "there is no file model.pt2"),
        ("table torchvision.models.resnet50", "write torchvision/resnet50"),
        ("table timm.models.vit.vit_tiny", "write timm/vit_tiny"),
        ("table nn.Linear", "a name in a package is written nn:Linear"),
        ("table keras/resnet50", "unknown source 'keras/': there are timm/, torchvision/, hf/ and diffusers/"),
        ("table resnet50?num_clases=2", "did you mean num_classes"),
        ("table net.py -i 8x8x3", "the input is 8x8x3; channels first? write -i 3x8x8"),
        ("table net.py -i x=1x3x8x8 -i x=2", "the input x is given twice"),
        ("table net.py -i x=1x3x8x8 -b 2", "these inputs have their batch already"),
        ("table net.py -i 1x=3", "is no input; write a size"),
        ("memory net.py -i x=1x3x8x8 --fits 1GB", "--fits varies the batch of a single input"),
        ("bench net.py -i 3x8x8 -i keep=1 -b 1,2", "several inputs are timed at one batch size"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_wrong_guess_is_told_what_to_write(command: str, reason: str) -> None:
    done = run(*command.split())
    assert done.exit_code == 2, done.output
    assert reason in done.stderr
    assert done.stdout == ""
