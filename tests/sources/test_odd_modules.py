"""Modules and files that break on purpose: one clear error and its exit code, and what they change is put back."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner

import archcalc
from archcalc import ModelError
from archcalc.claims import read
from archcalc.cli import app


class SilentError(Exception):
    """An error whose message cannot be made."""

    def __str__(self) -> str:
        raise RuntimeError


class Layer(nn.Linear):
    """A fully connected layer that does something else first."""

    def __init__(self, first: Callable[[], Any] = lambda: None) -> None:
        super().__init__(4, 4)
        self.first = first

    def forward(self, input: Tensor) -> Tensor:
        """N×4 to N×4."""
        self.first()
        return super().forward(input)


def raising(error: BaseException) -> Layer:
    def first() -> None:
        raise error

    return Layer(first)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (BaseException("odd"), "BaseException: odd"),
        (GeneratorExit(), "GeneratorExit"),
        (asyncio.CancelledError("late"), "CancelledError: late"),
        (BaseExceptionGroup("two", [KeyboardInterrupt()]), "BaseExceptionGroup: two"),
        (SystemExit(7), "it exits with 7"),
        (SilentError(), "SilentError"),
    ],
)
def test_whatever_a_forward_raises_is_a_model_error(error: BaseException, reason: str) -> None:
    with pytest.raises(ModelError, match=f"the model's own forward: .*{reason}"):
        archcalc.analyze(raising(error), (1, 4))


def test_a_forward_that_ends_the_process_is_a_model_error_but_not_where_a_child_does() -> None:
    def in_a_child() -> None:
        if not (child := os.fork()):
            os._exit(5)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 5

    exit_at_once = os._exit
    with pytest.raises(ModelError, match="the model's own forward: it exits with 0"):
        archcalc.analyze(Layer(lambda: os._exit(0)), (1, 4))
    assert archcalc.analyze(Layer(in_a_child), (1, 4)).macs == 4 * 4
    assert os._exit is exit_at_once


@pytest.mark.parametrize("place", ["import", "build"])
def test_a_file_that_ends_the_process_is_one_too(place: str, tmp_path: Path) -> None:
    body = {"import": "os._exit(0)\ndef net(): pass\n", "build": "def net():\n    os._exit(0)\n"}[place]
    (tmp_path / "leaves.py").write_text(f"import os\n{body}")
    with pytest.raises(ModelError, match="SystemExit: 0"):
        archcalc.analyze(f"{tmp_path}/leaves.py:net", (1, 4))


def test_an_interrupt_is_no_error_of_the_model() -> None:
    with pytest.raises(KeyboardInterrupt):
        archcalc.analyze(raising(KeyboardInterrupt()), (1, 4))


def test_a_forward_that_gives_code_instead_of_values() -> None:
    class Yields(Layer):
        def forward(self, input: Tensor) -> Iterator[Tensor]:  # type: ignore[override]
            yield super().forward(input)

    class Awaits(Layer):
        async def forward(self, input: Tensor) -> Tensor:  # type: ignore[override]
            return super().forward(input)

    for module in (Yields(), Awaits()):
        with pytest.raises(ModelError, match="whose code never ran"):
            archcalc.analyze(module, (1, 4))


class Unlisted(Layer):
    def parameters(self, recurse: bool = True) -> Iterator[nn.Parameter]:
        raise RuntimeError("no parameters")


class Modeless(Layer):
    def train(self, mode: bool = True) -> Modeless:
        raise RuntimeError("no modes")


class Unready(nn.Module):
    def __init__(self) -> None:
        pass


@pytest.mark.parametrize("kind", [Unlisted, Modeless, Unready])
def test_a_module_whose_own_code_fails_before_its_forward(kind: type[nn.Module]) -> None:
    with pytest.raises(ModelError, match=r"fails before its forward: RuntimeError: no |super\(\).__init__"):
        archcalc.analyze(kind(), (1, 4))


def test_an_error_of_archcalcs_own_is_not_the_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archcalc.analysis.build_report", int)  # int(trace, source) fails within archcalc
    with pytest.raises(TypeError):
        archcalc.analyze(Layer(), (1, 4))


def test_a_module_that_contains_itself() -> None:
    module = nn.Sequential(Layer())
    module[0].add_module("parent", module)
    assert archcalc.analyze(module, (1, 4)).total("macs") == 4 * 4


def test_a_recursion_without_end_warns_of_nothing() -> None:
    class Endless(nn.Module):
        def forward(self, x: Tensor) -> Any:
            return self(x)

    with pytest.raises(ModelError, match="RecursionError"):
        archcalc.analyze(Endless(), (1, 4))


def test_a_class_without_a_module() -> None:
    kind = type("Homeless", (Layer,), {"__module__": None})
    assert archcalc.analyze(kind(), (1, 4)).total("macs") == 4 * 4


def test_what_a_forward_changes_of_the_process_is_put_back(tmp_path: Path) -> None:
    def surroundings() -> tuple[Any, ...]:
        defaults = torch.get_default_dtype(), torch.get_default_device(), torch.get_num_threads()
        return Path.cwd(), sys.path[:], sys.stdout, sys.stderr, sys.getrecursionlimit(), *defaults

    def change() -> None:
        os.chdir(tmp_path)
        sys.path.clear()
        sys.stdout = sys.stderr = None
        sys.setrecursionlimit(sys.getrecursionlimit() + 9)
        torch.set_default_dtype(torch.float64)
        torch.set_default_device("meta")
        torch.set_num_threads(torch.get_num_threads() + 1)

    before = surroundings()
    assert archcalc.analyze(Layer(change), (1, 4)).total("macs") == 4 * 4
    assert surroundings() == before


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("raise BaseException('b')", "cannot be imported: BaseException: b"),
        ("class E(Exception):\n    def __str__(self): raise ValueError\nraise E", "cannot be imported: E"),
        ("def __getattr__(name): raise RuntimeError(name)", "RuntimeError: Net"),
        ("def __dir__(): raise RuntimeError('dir')", "RuntimeError: dir"),
        ("def Net(): raise GeneratorExit", "cannot be built: GeneratorExit"),
    ],
)
def test_a_file_that_breaks(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "net.py"
    file.write_text(text)
    result = CliRunner().invoke(app, ["table", f"{file}:Net", "-i", "4"])
    assert (result.exit_code, result.stdout) == (3, "")
    assert reason in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_the_documented_claims_are_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    claims = read.documented()
    monkeypatch.setattr(read, "parse", None)
    assert read.documented() == claims
    assert read.documented() is not claims  # the list is the caller's
