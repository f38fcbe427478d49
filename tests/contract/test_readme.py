"""Every command of the README is run, and prints what the README shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from archcalc.cli import app

README = Path(__file__).parents[2] / "README.md"
TEXT = README.read_text(encoding="utf-8")
BLOCKS = [block for language, block in re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.M | re.S) if language == "console"]
COMMANDS = [part for block in BLOCKS for part in re.split(r"^(?=\$ )", block, flags=re.M) if part]
PYTHON = re.findall(r"^```python\n(.*?)^```$", TEXT, re.M | re.S)


def printed(command: str) -> str:
    words = shlex.split(command, comments=True)
    assert words.pop(0) == "archcalc", command
    result = CliRunner().invoke(app, words, env={"COLUMNS": "80"}, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader's own net.py."""
    source = re.search(r"^```python\n# net.py\n(.*?)^```$", TEXT, re.M | re.S)
    assert source is not None
    (tmp_path / "net.py").write_text(source[1])
    claims = re.search(r"^```toml\n# claims.toml\n(.*?)^```$", TEXT, re.M | re.S)
    assert claims is not None
    (tmp_path / "claims.toml").write_text(claims[1])
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("net")
@pytest.mark.parametrize("number", range(len(COMMANDS)), ids=[part.partition("\n")[0][2:] for part in COMMANDS])
def test_a_command_prints_what_the_readme_shows(number: int, request: pytest.FixtureRequest) -> None:
    line, _, shown = COMMANDS[number].partition("\n")
    output = printed(line[2:])
    if not shown.strip():
        return
    if request.config.getoption("--golden-update"):
        README.write_text(
            README.read_text(encoding="utf-8").replace(COMMANDS[number], f"{line}\n{output}"), encoding="utf-8"
        )
    elif "...\n" in shown:  # the README shows the beginning and the end
        beginning, end = shown.split("...\n")
        assert output.startswith(beginning)
        assert output.endswith(end)
    else:
        assert output == shown


@pytest.mark.usefixtures("net")
@pytest.mark.parametrize("block", PYTHON, ids=range(len(PYTHON)))
def test_python_blocks_run(block: str) -> None:
    exec(compile(block, "README.md", "exec"), {"__name__": "readme"})
