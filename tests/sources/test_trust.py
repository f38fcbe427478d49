"""What a file of claims may name: nothing whose code nobody chose to run."""

from __future__ import annotations

from pathlib import Path

import pytest

from archcalc.sources.trust import vet
from archcalc.values.errors import ModelError, UsageError

NET = """
import os
from os import system
from torch import nn

class Net(nn.Linear):
    def __init__(self, width=2):
        super().__init__(width, width)

class Other:
    def __init__(self): pass

def build(width=2): return Net(width)
def leaves(): os._exit(3)
def aborts(): os.abort()
def raises(): raise ValueError("no luck")
net = Net()
number = 3
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "net.py").write_text(NET)
    (tmp_path / "claims").mkdir()
    return tmp_path


@pytest.mark.parametrize("target", ["alexnet", "net.py:Net", "net.py:build", "net.py:net"])
def test_the_zoo_and_files_below_the_folder_may_be_named(
    target: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    vet(target, {}, [folder])
    vet(target, {"width": 3} if target.endswith("build") else {}, [Path()])


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("os:system", "neither a network of the zoo nor in a Python file below"),
        ("torch.nn:Linear", "neither a network of the zoo"),
        ("net.py:os.system", "a builtin_function_or_method"),
        ("net.py:system", "a builtin_function_or_method"),
        ("net.py:os.makedirs", "brought there from elsewhere"),
        ("net.py:nn.Linear", "brought there from elsewhere"),
        ("net.py:Other", "something else than torch modules"),
        ("net.py:number", "is a int"),
    ],
)
def test_anything_else_needs_trust(target: str, why: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(UsageError, match=why):
        vet(target, {}, [folder])


def test_a_file_outside_the_folders_needs_trust(folder: Path) -> None:
    with pytest.raises(UsageError, match="below the folder of the claims"):
        vet(f"{folder / 'claims' / '..' / 'net.py'}:Net", {}, [folder / "claims"])


@pytest.mark.parametrize(("name", "how"), [("leaves", "exits with 3"), ("aborts", "is ended by signal 6")])
def test_a_function_that_ends_its_process_is_an_error(name: str, how: str, folder: Path) -> None:
    with pytest.raises(ModelError, match=f"net.py:{name} cannot be built: the process {how}"):
        vet(f"{folder / 'net.py'}:{name}", {}, [folder])


def test_a_function_that_raises_is_left_to_whoever_builds_it(folder: Path) -> None:
    vet(f"{folder / 'net.py'}:raises", {}, [folder])
