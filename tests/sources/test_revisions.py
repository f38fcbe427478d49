"""A file at a revision of its git repository: imported from a copy, with its siblings, and nothing left behind."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import archcalc
from archcalc.values.difference import Difference
from archcalc.values.errors import ModelError, UsageError
from tests.cli.test_cli import run

NET = """
from pathlib import Path
from torch import nn
from blocks import block
class Net(nn.Sequential):
    def __init__(self, width=WIDTH):
        super().__init__(nn.Linear(4, width), *block(width))
        assert Path(__file__).with_name("sizes.txt").read_text()
"""
BLOCKS = "from torch import nn\ndef block(width): return [nn.Linear(width, OUTPUTS)]\n"

Commit = Callable[[int, int], None]


@pytest.fixture
def commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commit:
    """A function that commits a net of that width and outputs, in a repository that is the working directory."""
    monkeypatch.chdir(tmp_path)
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)

    def git(*words: str) -> None:
        identity = ("-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *identity, *words], cwd=tmp_path, check=True, capture_output=True)

    def commit(width: int, outputs: int) -> None:
        folder = tmp_path / "my nets"
        folder.mkdir(exist_ok=True)
        (folder / "net.py").write_text(NET.replace("WIDTH", str(width)))
        (folder / "blocks.py").write_text(BLOCKS.replace("OUTPUTS", str(outputs)))
        (folder / "sizes.txt").write_text("1")
        git("add", ".")
        git("commit", "-qm", "net")
        git("tag", f"w{width}")

    git("init", "-q")
    return commit


TARGET = "my nets/net.py:Net"


def params(difference: Difference) -> list[int | None]:
    return [line.deltas[0].change for line in difference.layers]


def test_a_revision_stands_against_the_working_tree_and_another_one(commit: Commit) -> None:
    commit(3, 2)
    commit(5, 2)
    Path("my nets/blocks.py").write_text(BLOCKS.replace("OUTPUTS", "7"))
    modules = set(sys.modules)
    difference = archcalc.diff("HEAD~1", TARGET, inputs=(1, 4))
    assert difference.before.subject == f"{TARGET} at HEAD~1"
    assert difference.after.subject == TARGET
    # 4 inputs to 3 and then to 5 outputs; those to 2 and then to 7
    assert params(difference) == [5 * 5 - 5 * 3, 6 * 7 - 4 * 2]
    assert params(archcalc.diff("w3", "w5", TARGET, inputs=(1, 4))) == [5 * 5 - 5 * 3, 6 * 2 - 4 * 2]
    assert params(archcalc.diff("HEAD", TARGET, inputs=(1, 4))) == [0, 6 * 7 - 6 * 2]
    assert archcalc.diff("HEAD", "w5", TARGET, inputs=(1, 4)).equal
    assert not {name for name in set(sys.modules) - modules if name in ("blocks", "net")}
    assert not [place for place in sys.path if "archcalc-" in place]


def test_what_was_imported_from_the_repository_is_imported_anew(
    commit: Commit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package at the root of the repository, which an editable installation has on the path."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "shared_widths.py").write_text("WIDTH = 3\n")
    commit(3, 2)
    (tmp_path / "my nets" / "net.py").write_text(
        "from torch import nn\nfrom shared_widths import WIDTH\ndef net(): return nn.Linear(4, WIDTH)\n"
    )
    subprocess.run(
        ["git", "-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "-aqm", "x"], check=True, capture_output=True
    )
    (tmp_path / "shared_widths.py").write_text("WIDTH = 60\n")
    shared = importlib.import_module("shared_widths")
    try:
        assert params(archcalc.diff("HEAD", "my nets/net.py:net", inputs=(1, 4))) == [5 * 60 - 5 * 3]
        assert sys.modules["shared_widths"] is shared
    finally:
        sys.modules.pop("shared_widths", None)


def test_the_command_does_it_too_and_leaves_the_repository_alone(commit: Commit) -> None:
    commit(3, 2)
    commit(5, 2)
    before = subprocess.run(["git", "status", "--porcelain"], capture_output=True, check=True).stdout
    result = run("diff", "HEAD~1", TARGET, "-i", "4", "--fail-over", "params=100%", "-f", "csv")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[1].startswith("changed,0,0,linear,linear,,,4,4,3,5,")
    assert subprocess.run(["git", "status", "--porcelain"], capture_output=True, check=True).stdout == before
    assert run("diff", "HEAD~1", TARGET, "-i", "4", "--fail-over", "params=50%").exit_code == 1  # 23 to 37


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (("nonsense", TARGET), "unknown network 'nonsense'.*; nor is it a revision: 'nonsense' is no revision of"),
        (("--output=x", TARGET), "'--output=x' is no revision of the repository that my nets/net.py lies in"),
        (("nonsense", "HEAD", TARGET), "^'nonsense' is no revision of the repository"),
        (("HEAD", "my nets/other.py:Net"), "there is no file my nets/other.py at HEAD"),
        (("HEAD", "HEAD", "alexnet"), "revisions are of a Python file"),
        (("HEAD",), "name two networks"),
        (("HEAD", "HEAD", "HEAD", TARGET), "name two networks"),
    ],
)
def test_what_is_no_revision_is_a_clear_error(commit: Commit, models: tuple[str, ...], message: str) -> None:
    commit(3, 2)
    with pytest.raises(UsageError, match=message):
        archcalc.diff(*models, inputs=(1, 4))
    assert run("diff", "-i", "4", "--", *models).exit_code == 2


def test_an_error_names_the_revision_and_not_the_copy(commit: Commit) -> None:
    commit(3, 2)
    Path("my nets/net.py").write_text("raise RuntimeError('no luck')")
    subprocess.run(
        ["git", "-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "-aqm", "x"], check=True, capture_output=True
    )
    with pytest.raises(ModelError, match=f"^at HEAD: {TARGET} cannot be imported: RuntimeError: no luck$"):
        archcalc.diff("HEAD", TARGET, inputs=(1, 4))


def test_outside_a_repository_and_without_git_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(UsageError, match=r"net.py lies in no git repository, so HEAD cannot be a revision of it"):
        archcalc.diff("HEAD", "net.py:Net")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="git is needed"):
        archcalc.diff("HEAD", "net.py:Net")
