"""The shape of the package: data flows one way, and importing is light."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest

import archcalc

ROOT = Path(archcalc.__file__).parent
STAGES = [
    "values",
    "formats",
    "ops",
    "zoo",
    "sources",
    "trace",
    "count",
    "analysis",
    "peers",
    "bench",
    "lessons",
    "claims",
    "charts",
    "pictures",
    "library",
    "render",
    "page",
]
STAGES += ["export", "pytest_plugin", "cli"]
"""Each stage may import what stands before it."""

ALONE = {"values": {"values"}, "formats": {"values", "formats"}}
"""Stages that may import nothing but these, whatever stands before them."""

EXCEPTIONS: set[tuple[str, str]] = set()
"""Imports from a stage to a later one: there are none."""

MODULES = {
    ".".join(("archcalc", *file.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): file
    for file in sorted(ROOT.rglob("*.py"))
}


def stage(name: str) -> str:
    rest = name.removeprefix("archcalc").lstrip(".")
    return max((each for each in STAGES if rest == each or rest.startswith(f"{each}.")), key=len, default="")


def imports(source: str, modules: Collection[str], *, types: bool = True) -> set[str]:
    """The modules of archcalc that a text imports, inside functions as well; with `types` also for annotations only."""
    nodes = list(ast.walk(ast.parse(source)))
    if not types:
        blocks = [node for node in nodes if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
        left_out = {id(inner) for block in blocks for statement in block.body for inner in ast.walk(statement)}
        nodes = [node for node in nodes if id(node) not in left_out]
    names = set()
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            assert not node.level, "imports name the whole path"
            names |= {(node.module or "", f"{node.module}.{alias.name}") for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {(alias.name, alias.name) for alias in node.names}
    return {name if name in modules else module for module, name in names if module.partition(".")[0] == "archcalc"}


def circles(imported: Mapping[str, Collection[str]]) -> set[str]:
    """The modules that import themselves, by way of whatever they import."""
    return {start for start in imported if start in _reached(imported, imported[start])}


def _reached(imported: Mapping[str, Collection[str]], names: Collection[str]) -> set[str]:
    reached: set[str] = set()
    left = list(names)
    while left:
        name = left.pop()
        if name not in reached:
            reached.add(name)
            left += imported.get(name, ())
    return reached


@pytest.mark.parametrize("name", [name for name in MODULES if stage(name)])
def test_imports_point_backwards_only(name: str) -> None:
    own = stage(name)
    others = {stage(other) for other in imports(MODULES[name].read_text(encoding="utf-8"), MODULES)} - {""}
    for other in others:
        assert STAGES.index(other) <= STAGES.index(own) or (own, other) in EXCEPTIONS, f"{own} imports {other}"
    assert others <= ALONE.get(own, others), f"{own} imports {others}"


def test_no_module_imports_itself_by_way_of_others() -> None:
    """`archcalc` itself is left out: it imports what it calls when it is called, and its parts its version."""
    texts = {name: file.read_text(encoding="utf-8") for name, file in MODULES.items() if name != "archcalc"}
    assert circles({name: imports(text, MODULES, types=False) for name, text in texts.items()}) == set()


def test_every_way_to_import_is_seen() -> None:
    modules = ("archcalc.values", "archcalc.values.report", "archcalc.render.table", "archcalc.cli")
    text = (
        "if TYPE_CHECKING:\n    from archcalc import cli\n"
        "def f():\n    import archcalc.render.table\n    from archcalc.values import report\n"
    )
    inside = {"archcalc.render.table", "archcalc.values.report"}
    assert imports(text, modules) == {*inside, "archcalc.cli"}
    assert imports(text, modules, types=False) == inside
    assert circles({"a": ["b"], "b": ["c"], "c": ["b"], "d": ["a"]}) == {"b", "c"}


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
