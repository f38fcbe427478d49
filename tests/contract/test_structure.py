"""The shape of the package: data flows one way, and importing is light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import archcalc

ROOT = Path(archcalc.__file__).parent
STAGES = [
    "values",
    "ops",
    "zoo",
    "sources",
    "trace",
    "count",
    "analysis",
    "peers",
    "claims",
    "bench",
    "formats",
    "render",
]
STAGES += ["export", "pytest_plugin", "cli"]
"""Each stage may import what stands before it."""

EXCEPTIONS = {
    ("values", "render"),  # print(report) shows the table: imported when it is called
    ("values", "formats"),
    ("cli", "cli"),
}


def stage(name: str) -> str:
    rest = name.removeprefix("archcalc").lstrip(".")
    return max((each for each in STAGES if rest == each or rest.startswith(f"{each}.")), key=len, default="")


def imports(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("archcalc"):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in map(stage, found) if name}


FILES = [file for file in sorted(ROOT.rglob("*.py")) if file.parent != ROOT or file.stem in STAGES]


@pytest.mark.parametrize("file", FILES, ids=[str(file.relative_to(ROOT)) for file in FILES])
def test_imports_point_backwards_only(file: Path) -> None:
    own = stage("archcalc." + ".".join(file.relative_to(ROOT).with_suffix("").parts))
    for other in imports(file):
        assert STAGES.index(other) <= STAGES.index(own) or (own, other) in EXCEPTIONS, f"{own} imports {other}"


def test_files_are_small() -> None:
    lines = {str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for file in ROOT.rglob("*.py")}
    assert {name: count for name, count in lines.items() if count > 400} == {}


def loaded(statement: str) -> set[str]:
    script = f"import sys\n{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


def test_importing_archcalc_is_light() -> None:
    assert not loaded("import archcalc; archcalc.names()") & {"torch", "numpy", "pandas", "rich", "typer"}
    assert "torch" in loaded("import archcalc; archcalc.build('head-gap')")  # or the test above would prove nothing
