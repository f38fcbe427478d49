"""Random arguments at every command: never a traceback, always a documented exit code."""

from __future__ import annotations

import os
import random
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from archcalc.cli import app
from archcalc.formats import FORMATS
from archcalc.values.columns import COLUMNS
from tests.cli.test_cli import NET
from tests.support.training_literals import DEGRADED

CASES = pytest.mark.parametrize("cases", [5, pytest.param(80, marks=pytest.mark.oracle)])
"""Command lines a command: with `make oracle` they are a thousand."""

COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]

FILES = {
    "net.py": NET,
    "words.py": "from torch import nn\nclass Net(nn.Embedding):\n    def __init__(s): super().__init__(9, 2)\n",
    "raises.py": "raise RuntimeError('no luck')\n",
    "exits.py": "import sys\nsys.exit(5)\n",
    "syntax.py": "def net(:\n",
    "imports.py": "import not_installed_anywhere\n",
    "odd.py": (
        "import torch\nfrom torch import nn\nclass Raises(nn.Module):\n"
        "    def forward(self, x): raise ValueError('odd\\x1b[2J \\u2028 text')\n"
        "class Exits(nn.Module):\n    def forward(self, x): raise SystemExit(7)\n"
        "class Nothing(nn.Module):\n    def forward(self, x): pass\n"
        "class Empty(nn.Module):\n    def forward(self, x): return x[:0] @ x.T\n"
        "class Scalar(nn.Module):\n    def forward(self, x): return x.sum()\n"
        "class Deep(nn.Module):\n    def forward(self, x): return self(x)\n"
        "class Odd(nn.Module):\n    def __getattr__(self, name): raise KeyError(name)\n"
        "def builds_itself(): return builds_itself()\n"
        "def asserts(): assert False\n"
        "text = 'a string'\n"
    ),
    "claims.toml": 'subject = "lenet5"\nclaim = [{ metric = "params", printed = "60k" }]\n',
    "wrong.toml": "subject = 3\nclaim = [{ metric = [], printed = {} }]\n",
    "broken.toml": "subject = \n",
    "scores.csv": "a,b,c\n1,2,nan\n3,3,0\n",
    "labels.csv": "a\n2\n",
    "run.json": DEGRADED.to_json(),
}
BYTES = {"binary.py": b"\x00\xff\xfe\x80 PNG", "latin.py": "é = 1\n".encode("latin-1"), "binary.toml": b"\x00\xff\xfe"}

JUNK = [
    "",
    " ",
    "-",
    "--",
    "-1",
    "0",
    "1e999",
    "nan",
    "3x",
    "ü☃",
    "a" * 300,
    "../..",
    "[red]x[/]",
    "%s",
    "{}",
    "\x1b[2J",
    "x\n y",
]
MODELS = [
    *["lenet5", "lenet5-modern", "head-gap", "LeNet5_Modern", "resnet_50", "inception-naive", "conv3x3-twice"],
    *["net.py:Net", "net.py:ready", "net.py:reads_weights", "net.py:fails", "net.py:gives_a_list", "net.py:Spectrum"],
    *[
        "net.py:number",
        "net.py:",
        "net.py:Net.forward",
        "net.py:nn.Linear",
        "net.py:nope",
        "net.py",
        "gone.py:Net",
        ":Net",
        ":",
    ],
    *[
        "A=net.py:Net?width=2",
        "net.py:Net?width=x&y",
        "=net.py",
        "?",
        "A=",
        "lenet5=net.py",
        "lenet5?a",
        "a/b",
        "a.b.c",
    ],
    *[
        "timm/",
        "timm/x",
        "torchvision/../x",
        "hf/",
        "hf/.",
        "hf/net.py",
        "hf/gone.json",
        "diffusers/folder",
        "binary.pt2",
    ],
    *[
        "words.py:Net",
        "raises.py:Net",
        "exits.py:Net",
        "syntax.py:Net",
        "imports.py:Net",
        "binary.py:Net",
        "latin.py:Net",
    ],
    *[
        f"odd.py:{name}"
        for name in ("Raises", "Exits", "Nothing", "Empty", "Scalar", "Deep", "Odd", "builds_itself", "asserts", "text")
    ],
    *[
        "folder:Net",
        "folder.py:Net",
        "torch.nn:ReLU",
        "torch.nn:Linear",
        "torch:rand",
        "math:pi",
        "no.such.module:f",
        "..:f",
        "net:Net",
    ],
]
SIZES = [
    "3x8x8",
    "3,8,8",
    "1x3x8x8",
    "3x32x32",
    "1x32x32",
    "4",
    "8:int64",
    "3x8x8:float16",
    "3x8x8:complex64",
    "3x8x8:text",
]
SIZES += [
    *["x=1x3x8x8", "x=", "=3", "x=none", "keep=4", "1=2", "x=1x3x8x8:text", "8x8x3"],
    "0x3",
    "1",
    "3x8x8x8x8x8",
    "99999999999x9999999999",
    "999999999999999999",
    "3x1x1",
    "x",
    "3x-8",
    "３x８",
    "3x8x8:",
]
NUMBERS = [
    "1",
    "2",
    "3",
    "0",
    "-1",
    "17",
    "1000000000000",
    "99999999999999999999",
    "1.5",
    "two",
    "1,2",
    "1,8,0",
    "1,,2",
]
VALUES: dict[str, list[str]] = {
    "model": MODELS,
    "models": MODELS,
    "input_size": SIZES,
    "batch_size": NUMBERS,
    "tokens": ["8", "0", "x"],
    "set_": [
        "width=4",
        "kernel=9",
        "width=0",
        "width=-1",
        "width=x",
        "width=[1,2]",
        "=",
        "a",
        "num_classes=3",
        "in_channels=1",
        "width=" + "(" * 99,
    ],
    "columns": ["all", "path,macs", *COLUMNS, "path,,macs", "path,path", "mac", ",", "params,memory,top1", "latency"],
    "sort": ["macs", "params:asc", "network", "depth:desc", "year", "note", "nonsense", "macs:up", ":", ""],
    "top": ["1", "3", "0", "x"],
    "units": ["M", "raw", "params=M,macs=G", "=", "M,", "x"],
    "baseline": ["lenet5", "nobody", ""],
    "form": [*FORMATS, "xml"],
    "kind": [
        "layers",
        "compare",
        "receptive-field",
        "memory",
        "roofline",
        "latency",
        "zoo",
        "gradients",
        "effective-field",
        "training",
        "pie",
    ],
    "picture": ["json", "svg", "html", "mermaid", "dot", "model-explorer", "gif"],
    "theme": ["light", "dark", "auto", "pink"],
    "module": ["inception_3a", "conv1", "C3", "", "nowhere", "conv", "\x1b"],
    "open_": ["inception_3a", "conv", "C3", "nowhere"],
    "colour": ["kind", "params", "macs", "receptive_field", "saved_bytes", "time", "smell"],
    "direction": ["down", "right", "up"],
    "protocol": ["MNIST", "lenet", "nobody"],
    "bench": ["saved.json", "gone.json", "binary.py", "folder", "net.py"],
    "output": ["out.txt", "folder", "folder/gone/out.txt", "-", "/dev/null", "read-only/out", "loop"],
    "folder": ["net.py", "net.py/inside", "/dev/null/x", "loop"],
    "files": ["claims.toml", "wrong.toml", "broken.toml", "binary.toml", "folder", "gone.toml", "net.py"],
    "subject": ["lenet5", "lenet5-modern", "nobody", "LENET5"],
    "source": ["lecun", "nobody"],
    "verdict": ["exact", "differs", "right"],
    "pattern": ["lenet", "RES", "zzz", "."],
    "layer": ["C1", "C3", "conv", "fc", "S2", "nope", ".", "conv.", "F6"],
    "optimizer": ["none", "sgd", "adam", "adm"],
    "fits": ["1MiB", "8GiB", "0", "1.5k", "-3", "99999999999999999999TB", "GiB"],
    "device": ["cpu", "cuda:99", "a100-bf16", "h100", "tpu", "cpu:x"],
    "peak": ["1e12", "0", "-5", "nan", "inf", "x"],
    "bandwidth": ["1e12", "0", "-5", "nan", "inf", "x"],
    "seconds": ["0.001"],
    "threads": ["1"],
    "unit": ["0,0", "3,3", "-1,0", "1", "99999,0", "a,b"],
    "against": ["saved.json", "net.py", "gone.json", "binary.py", "folder"],
    "save": ["saved.json", "folder", "read-only/s.json"],
    "lock": ["claims.toml", "gone.lock", "binary.toml", "folder"],
    "wrap": ["0", "300", "1600", "-1", "x"],
    "fail_over": ["10%", "params=2%,macs=0", "0", "-5%", "x", "nan"],
    "dtype": ["fp32", "bf16", "fp64"],
    "mode": ["train", "inference", "dream"],
    "depth": ["1", "2", "0", "99999999999999999999", "x"],
    "init": ["own", "he", "torch", "gaussian:0.01", "gaussian:0", "hee"],
    "activation": ["tanh", "relu", "selu"],
    "steps": ["1", "2"],
    "rate": ["0.01", "1e30", "0", "nan", "x"],
    "momentum": ["0.5", "0", "1", "nan", "x"],
    "seeds": ["1", "0", "x"],
    "data": ["synthetic", "random", "digits", "folder", "gone"],
    "run": ["run.json", "saved.json", "gone.json", "binary.py", "folder"],
    "resume": ["run.json", "saved.json", "gone.json", "binary.py", "folder"],
    "scores": ["scores.csv", "labels.csv", "net.py", "binary.py", "gone.csv", "folder"],
    "labels": ["labels.csv", "scores.csv", "net.py", "binary.py", "gone.csv", "folder"],
    "k": ["1", "1,5", "0", "1,,2", "x", "99999999999999999999"],
    "seed": ["0", "-1", "99999999999999999999999", "x"],
}
NEVER = {"debug", "help", "compiled", "compile_", "with_cost", "cost"}
"""--debug may show a traceback; compiling and `list --cost` take long."""
ALWAYS = {
    "bench": ["seconds", "threads"],
    "devices": ["seconds"],
    "compare": ["seconds", "threads"],
    "train": ["steps", "threads"],
    "verify": ["subject"],
    "gradients": ["seeds", "batch_size"],
    "rf": ["seeds"],
    "plot": ["seeds"],
    "export": ["folder"],
}
WITHOUT = {"export": {"check"}}  # computes every report


@pytest.fixture(scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("fuzz")
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    for name, content in BYTES.items():
        (folder / name).write_bytes(content)
    (folder / "folder").mkdir()
    (folder / "folder.py").mkdir()
    (folder / "read-only").mkdir(mode=0o500)
    (folder / "loop").symlink_to("loop")
    before = Path.cwd()
    os.chdir(folder)
    yield
    os.chdir(before)


def command_line(command: str, chance: random.Random) -> list[str]:
    """A random one: each option now and then; half of the lines have only values that mean something."""
    words, wild = [command], chance.random() < 0.5
    for parameter in COMMANDS[command].params:
        name = parameter.name
        if name in NEVER | WITHOUT.get(command, set()):
            continue
        always = name in ALWAYS.get(command, ())
        if parameter.param_type_name == "argument":
            many = chance.choice((1, 1, 2, 3)) if parameter.nargs != 1 else chance.random() < 0.9
            words += [value(name, chance, wild and not always) for _ in range(max(many, always))]
        elif always or chance.random() < 0.2:
            words.append(chance.choice(parameter.opts))
            if not parameter.is_flag:
                words.append(value(name, chance, wild and not always))
    return words


def value(name: str, chance: random.Random, wild: bool) -> str:
    """One of a parameter's values, of which those that are right stand first, or, in wild lines, anything."""
    values = VALUES.get(name, JUNK)
    if wild:
        return chance.choice(values if chance.random() < 0.9 else JUNK)
    return values[int(len(values) * chance.random() ** 2)]


def check(words: list[str]) -> None:
    result = CliRunner().invoke(app, words, env={"COLUMNS": "80"})
    error = result.exception
    assert error is None or isinstance(error, SystemExit), f"{words} raised {error!r}"
    assert result.exit_code in (0, 1, 2, 3), words
    assert "Traceback" not in result.output, words
    assert "please report it" not in result.stderr, f"{words}: {result.stderr}"
    assert result.exit_code != 2 or not result.stdout, words
    assert result.exit_code == 0 or result.stderr, words


@pytest.mark.usefixtures("_folder")
@pytest.mark.filterwarnings("ignore")
@CASES
@pytest.mark.parametrize("command", COMMANDS)
def test_no_arguments_whatever_bring_a_traceback(command: str, cases: int) -> None:
    chance = random.Random(f"archcalc {command}")
    for _ in range(cases):
        check(command_line(command, chance))


@pytest.mark.usefixtures("_folder")
@pytest.mark.parametrize("model", MODELS)
def test_every_model_that_is_none(model: str) -> None:
    check(["table", model, "-i", "3x8x8", "-f", "csv"])


def test_every_option_has_values_to_be_drawn_from() -> None:
    parameters = [parameter for command in COMMANDS.values() for parameter in command.params]
    assert {each.name for each in parameters if not getattr(each, "is_flag", False)} <= {*VALUES, *NEVER}


@pytest.mark.skipif(sys.platform == "win32", reason="a shell's redirections")
@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("--help | true", 0, ""),
        ("table alexnet | true", 0, ""),
        ("--help > /dev/full", 2, "cannot write the output: No space left on device"),
        ("--version > /dev/full", 2, "cannot write the output: No space left on device"),
        ("list > /dev/full", 2, "cannot write the output: No space left on device"),
        ("table nosuch 2> /dev/full", 2, ""),
        ("list >&-", 2, "no standard output"),
        ("list >&- 2>&-", 2, ""),
    ],
)
def test_streams_that_are_closed_or_full(line: str, code: int, said: str) -> None:
    command = f"{shlex.quote(sys.executable)} -m archcalc {line}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == bool(said)
