"""train: files that are saved and resumed, formats, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archcalc.values.training import load
from tests.cli.test_cli import run

NET = """
from torch import nn
class Net(nn.Sequential):
    def __init__(self): super().__init__(nn.Flatten(), nn.Linear(64, 10))
class Fails(Net):
    def forward(self, x):
        print("said by the model")
        if not x.is_meta: raise ValueError("no luck")
        return super().forward(x)
"""
QUICK = ("--data", "synthetic", "--steps", "2", "--threads", "1")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "net.py").write_text(NET)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_is_done_is_kept_when_a_later_network_fails_and_is_resumed(folder: Path) -> None:
    failed = run("train", "net.py:Net", "net.py:Fails", *QUICK, "--save", "run.json")
    assert (failed.exit_code, failed.stdout) == (3, "")
    assert "net.py:Fails cannot be trained: ValueError: no luck" in failed.stderr
    kept = load("run.json")
    assert [run.network for run in kept.runs] == ["net.py:Net"]
    assert [file.name for file in folder.iterdir() if file.suffix != ".py" and file.is_file()] == ["run.json"]

    resumed = run("train", "net.py:Net", *QUICK, "--seeds", "2", "--resume", "run.json", "-f", "json")
    assert resumed.exit_code == 0, resumed.stderr
    again = load("run.json")
    assert json.loads(resumed.stdout) == again.to_dict()
    assert again.runs[0] == kept.runs[0]
    assert [(run.network, run.seed) for run in again.runs] == [("net.py:Net", 0), ("net.py:Net", 1)]
    shown = run("plot", "training", "--run", "run.json", "-f", "json")
    assert json.loads(shown.stdout)["concat"]


@pytest.mark.usefixtures("folder")
def test_what_is_wrong_is_one_line() -> None:
    for words, message in (
        (("net.py:Net", "--data", "nowhere"), "unknown data 'nowhere'"),
        (("net.py:Net", "--rate", "0"), "a learning rate is a number above 0"),
        (("net.py:Net", "--resume", "gone.json"), "cannot read gone.json"),
        (("net.py:Net", "--resume", "net.py"), "is not JSON"),
        (("net.py:Net", "--save", "gone/run.json"), "there is no folder gone"),
        (("net.py:Net", "-i", "8x8"), "channels x height x width"),
        (("lenet5", "--set", "num_classes=3"), "num_classes must be 10"),
        (("resnet51",), "unknown network"),
    ):
        result = run("train", *words)
        assert (result.exit_code, result.stdout) == (2, ""), words
        assert message in result.stderr
        assert len(result.stderr.splitlines()) == 1
