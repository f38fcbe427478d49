"""Every command and Python block of the README and of docs/ is run, and prints what the page shows."""

from __future__ import annotations

import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
import typer.core
import typer.main
from typer.testing import CliRunner

from archcalc.cli import app
from archcalc.values.columns import COLUMNS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}
FILES = dict(
    file
    for text in TEXTS.values()
    for file in re.findall(r"^```\w+\n# (\w+\.(?:py|toml|csv))\n(.*?)^```$", text, re.M | re.S)
)
"""The reader's own files, such as net.py: blocks whose first line is their name."""


class Shown(NamedTuple):
    """A command, or the Python code of a page, and what the page says that it prints; "" where it shows nothing."""

    page: Path
    code: str
    output: str

    @property
    def id(self) -> str:
        return f"{self.page.relative_to(ROOT)}: {self.code}"


def shown_commands(page: Path) -> list[Shown]:
    blocks = re.findall(r"^```console\n(.*?)^```$", TEXTS[page], re.M | re.S)
    parts = [part.partition("\n") for block in blocks for part in re.split(r"^\$ ", block, flags=re.M) if part]
    return [Shown(page, command, output) for command, _, output in parts]


def shown_python(page: Path) -> list[Shown]:
    blocks = re.findall(r"^```python\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?", TEXTS[page], re.M | re.S)
    return [Shown(page, code, output) for code, output in blocks]


def rewrite(shown: Shown, before: str, after: str) -> None:
    """Put what was printed into the page, for --golden-update."""
    text = shown.page.read_text(encoding="utf-8")
    assert before in text, f"{shown.page.name} does not show {before}"
    shown.page.write_text(text.replace(before, after), encoding="utf-8")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the reader's own files, a saved report and the examples, in which the commands are run."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "net", raising=False)  # another test's
    monkeypatch.setenv("COLUMNS", "80")
    for name, command in SAVED.items():
        (tmp_path / name).write_text(printed_once(command), encoding="utf-8")
    return tmp_path


SAVED = {"before.json": "table net.py:Net -i 3x64x64 -f json", "arch.lock": "lock net.py:Net -i 3x64x64"}
"""What the reader has saved of net.py before."""


@cache
def printed_once(command: str) -> str:
    """What a command prints in the folder of the first test that asks for it."""
    return CliRunner().invoke(app, shlex.split(command), catch_exceptions=False).stdout


def run(command: str, capsys: pytest.CaptureFixture[str]) -> tuple[str, int]:
    """What a command prints, on stdout and stderr, and its exit code."""
    program, *words = shlex.split(command, comments=True)
    if program == "archcalc":
        result = CliRunner().invoke(app, words, catch_exceptions=False)
        return result.output, result.exit_code
    if program == "python":
        (file,) = words
        runpy.run_path(file, run_name="__main__")
        return capsys.readouterr().out, 0
    assert program == "pytest", f"no page shows how to run {program}"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", "")))},
    )
    return done.stdout, done.returncode


def without_seconds(output: str) -> str:
    """Pytest says how long it took."""
    return re.sub(r"\b(passed|failed) in \d+\.\d\ds$", r"\1 in 0.00s", output, flags=re.M)


COMMANDS = [shown for page in PAGES for shown in shown_commands(page)]


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("shown", COMMANDS, ids=[shown.id for shown in COMMANDS])
def test_a_command_prints_what_the_page_shows(
    shown: Shown, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    output, exit_code = run(shown.code, capsys)
    stated = re.search(r"# exit code (\d)$", shown.code)
    assert exit_code == (int(stated[1]) if stated else 0), output
    if not shown.output.strip():
        return
    if request.config.getoption("--golden-update"):
        rewrite(shown, f"$ {shown.code}\n{shown.output}", f"$ {shown.code}\n{output}")
    else:
        assert without_seconds(output) == without_seconds(shown.output)


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_the_python_of_a_page_runs_from_top_to_bottom(
    page: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {"__name__": page.stem}
    for shown in shown_python(page):
        exec(compile(shown.code, page.name, "exec"), names)
        output = capsys.readouterr().out
        if not shown.output:
            continue
        if request.config.getoption("--golden-update"):
            block = f"{shown.code}```\n\n```text\n"
            rewrite(shown, f"{block}{shown.output}", f"{block}{output}")
        else:
            assert output == shown.output


INLINE = [
    (page, command)
    for page in [*PAGES, ROOT / "CONTRIBUTING.md"]
    for command in re.findall(
        r"`(archcalc [^`]+)`", re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    )
]


@pytest.mark.parametrize(
    ("page", "command"), INLINE, ids=[f"{page.relative_to(ROOT)}: {command}" for page, command in INLINE]
)
def test_a_command_in_running_text_is_one_that_archcalc_takes(page: Path, command: str) -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    words = shlex.split(command)[1:]
    asked = group if words[0].startswith("-") else group.commands[words[0]]
    options = {option for parameter in asked.params for option in parameter.opts} | {"--help"}
    assert {word for word in words if word.startswith("-")} <= options


def test_the_recorded_timings_have_the_rows_that_the_network_has_today() -> None:
    (recorded,) = re.findall(
        r"^```text\n\$ archcalc bench alexnet (.*?)^```$", TEXTS[ROOT / "docs/bench.md"], re.M | re.S
    )
    timed = re.split(r"^─+\n", recorded, flags=re.M)[1]
    table = CliRunner().invoke(app, ["table", "alexnet", "-f", "csv", "--columns", "path"])
    paths = [line.split(",")[1] for line in table.stdout.splitlines()[1:]]
    assert [line.split()[0] for line in timed.splitlines()] == paths


FORMATS = ROOT / "docs" / "formats.md"
DOCUMENTS = re.findall(r"^\| `archcalc (.*? -f json)` \| (.*?) \| (.*?) \|$", TEXTS[FORMATS], re.M)


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(("command", "schema", "keys"), DOCUMENTS, ids=[command for command, *_ in DOCUMENTS])
def test_the_json_of_a_command_has_the_keys_that_the_page_says(
    command: str, schema: str, keys: str, request: pytest.FixtureRequest
) -> None:
    document = json.loads(CliRunner().invoke(app, shlex.split(command), catch_exceptions=False).stdout)
    is_schema, is_keys = f"`{document.pop('schema')}`", f"`{' '.join(document)}`"
    if request.config.getoption("--golden-update"):
        line = f"| `archcalc {command}` | "
        rewrite(Shown(FORMATS, command, ""), f"{line}{schema} | {keys} |", f"{line}{is_schema} | {is_keys} |")
    else:
        assert (is_schema, is_keys) == (schema, keys)


def test_the_page_on_formats_has_every_column(request: pytest.FixtureRequest) -> None:
    lines = ["| key | heading | meaning |", "| --- | --- | --- |"]
    lines += [f"| `{column.key}` | {column.title} | {column.meaning} |" for column in COLUMNS.values()]
    marks = "<!-- columns -->\n", "<!-- /columns -->\n"
    table = TEXTS[FORMATS].partition(marks[0])[2].partition(marks[1])[0]
    if request.config.getoption("--golden-update"):
        rewrite(Shown(FORMATS, "", ""), f"{marks[0]}{table}", marks[0] + "".join(f"{line}\n" for line in lines))
    else:
        assert table.splitlines() == lines
