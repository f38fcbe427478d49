"""docs/llms.txt is what the help, the docstrings and the schemas say today."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest
import typer.core
import typer.main

import archcalc
from archcalc.cli import app
from archcalc.values.errors import ArchcalcError, ModelError, UsageError
from tests.cli.test_cli import run

sys.path.insert(0, str(Path(__file__).parents[2] / "reports"))
import llms

TEXT = llms.FILE.read_text(encoding="utf-8") if llms.FILE.exists() else ""


def test_it_is_that_of_today(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--golden-update"):
        llms.FILE.write_text(llms.text(), encoding="utf-8", newline="\n")
    assert llms.FILE.read_text(encoding="utf-8") == llms.text()


def test_it_has_every_command_option_and_public_name() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    commands = {command.split()[0] for command in re.findall(r"^### archcalc (.*)$", TEXT, re.M)}
    assert commands == set(group.commands)
    options = {option for command in group.commands.values() for param in command.params for option in param.opts}
    assert {option for option in options if option.startswith("-") and f"{option}" not in TEXT} == set()
    assert re.findall(r"^- `(\w+)[(`]", TEXT, re.M) == archcalc.__all__


def test_the_help_of_a_command_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = " ".join(run("memory", "-h", COLUMNS="400").stdout.split())
    section = TEXT.partition("### archcalc memory")[2].partition("\n### ")[0]
    for line in re.findall(r"^- (--\S+) .*?: (.*)$", section, re.M):
        assert all(part in shown for part in line)


def test_the_examples_have_options_that_there_are() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    examples = re.findall(r"^    archcalc (.*)$", TEXT, re.M)
    assert len(examples) > 40
    for example in examples:
        name, *words = shlex.split(example)
        options = {option for param in group.commands[name].params for option in param.opts}
        assert {word for word in words if re.match(r"-{1,2}[a-z]", word)} <= options, example


def test_the_exit_codes_are_those_of_the_errors() -> None:
    codes = set(map(int, re.findall(r"^- (\d+): ", TEXT.partition("## Exit codes")[2].partition("\n## ")[0], re.M)))
    assert codes == {0, ArchcalcError.exit_code, UsageError.exit_code, ModelError.exit_code, 130}
