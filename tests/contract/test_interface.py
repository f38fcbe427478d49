"""What others build upon: JSON keys, CSV headers, commands and their options, public names, exit codes.

The first four are frozen in tests/golden/interface/, a name a line. A change on purpose is recorded by `make golden`;
commit the difference together with the code, and say in CHANGELOG.md what it means to those who read the output. A
document whose keys go or change their meaning gets a new schema version; a key that is added does not.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import archcalc
from archcalc.cli import app
from archcalc.formats import render
from archcalc.values.document import Document
from tests.cli.test_cli import run
from tests.support.schemas import problems

BENCH = "--seconds 0.01 --threads 1"
DOCUMENTS = {
    "table": "table net.py:Net -i 3x8x8",
    "table --columns": "table googlenet --backward --device a100-bf16 --columns all",
    "compare": "compare conv5x5 conv3x3-twice",
    "compare --layers": "compare conv5x5 conv3x3-twice --layers",
    "compare --bench": f"compare conv5x5 conv3x3-twice --bench {BENCH}",
    "diff": "diff conv5x5 conv3x3-twice",
    "list": "list",
    "list --cost": "list lenet --cost",
    "rf": "rf lenet5",
    "rf --unit": "rf lenet5 --layer S2 --unit 1,1",
    "rf --effective": "rf lenet5-modern --layer S2 --effective --seeds 1",
    "gradients": "gradients lenet5-modern --seeds 1 -b 2 --steps 1",
    "memory": "memory lenet5 --optimizer adam --fits 8GiB",
    "explain": "explain lenet5 C3",
    "verify": "verify --subject lenet5",
    "verify --lock": "verify --lock arch.lock",
    "conventions": "conventions lenet5",
    "devices": "devices a100",
    "bench": f"bench conv3x3 --layers {BENCH} --save saved.json",
    "bench --against": f"bench conv3x3 {BENCH} --against saved.json",
    "train": "train lenet5-modern --data synthetic --steps 1 --threads 1",
    "top-k": "top-k scores.csv labels.csv",
}
"""Commands that together show every kind of document; each runs in a folder with net.py, the one after the other."""

NET = """
import torch
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.unused = nn.Linear(2, 2)
    def forward(self, x):
        return torch.fft.fft(self.conv(x)).abs()
def fails(): raise RuntimeError("no luck")
def interrupted(): raise KeyboardInterrupt
"""

BY_NAME = {"uncalled", "networks", "flags", "modules", "parameters"}
"""Objects whose keys are names, of networks, modules, parameters and settings of torch, and no part of the schema."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "net.py").write_text(NET)
    (tmp_path / "scores.csv").write_text("0.1,0.6,0.3\n")
    (tmp_path / "labels.csv").write_text("1\n")
    archcalc.lock("lenet5").save(tmp_path / "arch.lock")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def printed(command: str) -> str:
    result = run(*command.split(), "-f", "json")
    assert result.exit_code == 0, result.stderr
    return result.stdout


def keys(value: Any, path: str = "") -> Iterator[str]:
    """The paths of what is no object, as in `rows[].window.kernel`; a document within a document is its schema."""
    if isinstance(value, dict) and path and "schema" in value:
        yield f"{path}: {value['schema']}"
    elif isinstance(value, dict) and value:
        for key, inner in value.items():
            name = "<name>" if path.rpartition(".")[2] in BY_NAME else key
            yield from keys(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value:
        for inner in value:
            yield from keys(inner, f"{path}[]")
    else:
        yield path.rstrip("[]")


def inner_documents(value: Any) -> Iterator[dict[str, Any]]:
    """The documents within a document, at any depth."""
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if isinstance(inner, dict) and "schema" in inner:
            yield inner
        yield from inner_documents(inner)


def outline(documents: list[dict[str, Any]]) -> list[str]:
    """Every key once; what is null or empty in one place and an object in another is the object's keys."""
    paths = {path for document in documents for path in keys(document)}
    return sorted(
        path for path in paths if not any(other.startswith(tuple(path + c for c in ".[:")) for other in paths)
    )


def test_an_outline_has_every_key_once() -> None:
    rows = [{"window": None, "kind": "relu"}, {"window": {"kernel": [3, 3]}, "shape": [[1, 3]]}]
    nested = {"reports": [{"schema": "b/2", "rows": []}], "uncalled": {"fc.weight": 6}, "notes": []}
    whole = {"schema": "a/1", "rows": rows, **nested}
    assert list(inner_documents([whole])) == [whole, *nested["reports"]]
    assert outline([whole]) == [
        "notes",
        "reports[]: b/2",
        "rows[].kind",
        "rows[].shape",
        "rows[].window.kernel",
        "schema",
        "uncalled.<name>",
    ]


@pytest.mark.usefixtures("folder")
def test_the_keys_of_json_documents_and_the_headers_of_csv(
    golden: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[Document] = []  # by the commands, to be written in both formats after one run

    def render_and_keep(document: Document, form: str, **how: Any) -> str:
        shown.append(document)
        return render(document, form, **how)

    monkeypatch.setattr("archcalc.formats.render", render_and_keep)
    documents = {name: json.loads(printed(command)) for name, command in DOCUMENTS.items()}
    sections = {f"{name}: {document['schema']}": [document] for name, document in documents.items()}
    alone = {document["schema"] for document in documents.values()}
    for name, document in documents.items():
        assert problems(document) == [], name
    for document in inner_documents(documents):
        if document["schema"] not in alone:
            sections.setdefault(f"within these: {document['schema']}", []).append(document)
    lines = [line for name, found in sections.items() for line in (name, *(f"  {path}" for path in outline(found)))]
    golden("interface/json.txt", "\n".join(lines) + "\n")

    lines = []
    for name, kept in zip(DOCUMENTS, shown, strict=True):
        header = next(csv.reader(io.StringIO(render(kept, "csv"))))
        lines += [name, *(f"  {column}" for column in header)]
    golden("interface/csv.txt", "\n".join(lines) + "\n")


def test_the_commands_and_their_options(golden: Callable[[str, str], None]) -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    lines = []
    for name, command in group.commands.items():
        lines += [name, *(f"  {' '.join([*param.opts, *param.secondary_opts])}" for param in command.params)]
    golden("interface/commands.txt", "\n".join(lines) + "\n")


def test_the_public_names(golden: Callable[[str, str], None]) -> None:
    assert all(hasattr(archcalc, name) for name in archcalc.__all__)
    assert archcalc.__all__ == sorted(archcalc.__all__)
    golden("interface/public.txt", "\n".join(archcalc.__all__) + "\n")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("list", 0),
        ("table net.py:Net -i 3x8x8", 0),
        ("table net.py:Net -i 3x8x8 --strict", 1),  # no formula for fft
        ("table resnet51", 2),
        ("table alexnet --frobnicate", 2),
        ("table alexnet --columns nonsense", 2),
        ("frobnicate", 2),
        ("table net.py:fails -i 3x8x8", 3),
        ("table alexnet -i 3x2x2", 3),
        ("table net.py:interrupted -i 3x8x8", 130),
    ],
)
def test_exit_codes(command: str, code: int) -> None:
    assert run(*command.split()).exit_code == code
