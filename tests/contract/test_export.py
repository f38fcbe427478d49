"""The committed reports are what is computed now."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from archcalc.cli import streams
from archcalc.export import Part, stale
from tests.cli.test_cli import run

REPORTS = Path(__file__).parents[2] / "reports"


@pytest.mark.sweep
def test_the_committed_reports_are_fresh() -> None:
    result = run("export", "--check", str(REPORTS))
    assert result.exit_code == 0, result.stderr


def test_what_is_missing_altered_or_too_much_is_stale(tmp_path: Path) -> None:
    texts = {"zoo.csv": "a\n", "tables/one.csv": "b\n", "tables/two.csv": "c\n"}
    (tmp_path / "tables").mkdir()
    (tmp_path / "zoo.csv").write_text("a\n")
    (tmp_path / "tables/one.csv").write_text("altered\n")
    (tmp_path / "tables/old.csv").write_text("gone from the zoo\n")
    assert stale(tmp_path, Part(texts, failed={})) == ["tables/one.csv", "tables/two.csv", "tables/old.csv"]


def test_an_empty_folder_is_stale_and_a_file_is_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archcalc.export.tasks", dict)
    monkeypatch.setattr("archcalc.export.assembled", lambda parts: Part({"zoo.csv": "a\n"}, failed={}))
    assert run("export", "--check", str(tmp_path)).exit_code == 1
    assert run("export", str(tmp_path / "new" / "reports")).exit_code == 0
    assert (tmp_path / "new/reports/zoo.csv").read_text() == "a\n"
    (tmp_path / "file").write_text("")
    assert run("export", str(tmp_path / "file")).exit_code == 2


OLD = {"zoo.csv": "old zoo\n", "tables/one.csv": "old one\n", "tables/mine.txt": "not ours\n"}
NEW = {"zoo.csv": "new zoo\n", "tables/one.csv": "new one\n", "tables/two.csv": "new two\n", "compare/a-b.csv": "new\n"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of old reports with a file of somebody else's, where `export` would write new ones."""
    monkeypatch.setattr("archcalc.export.tasks", dict)
    monkeypatch.setattr("archcalc.export.assembled", lambda parts: Part(NEW, failed={}))
    (tmp_path / "tables").mkdir()
    for name, text in OLD.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def texts(folder: Path) -> dict[str, str]:
    return {file.relative_to(folder).as_posix(): file.read_text() for file in folder.rglob("*") if file.is_file()}


def test_an_export_replaces_its_own_files_only(folder: Path) -> None:
    assert run("export", str(folder)).exit_code == 0
    assert texts(folder) == OLD | NEW


@pytest.mark.parametrize("room", range(len(NEW)))
def test_a_full_disk_leaves_every_report_as_it_was(room: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = streams._write_new
    written: list[Path] = []

    def write_until_full(path: Path, text: str) -> None:
        if len(written) == room:
            path.write_text(text[:3])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written.append(path)
        write(path, text)

    monkeypatch.setattr(streams, "_write_new", write_until_full)
    result = run("export", str(folder))
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"cannot write {folder / list(NEW)[room]}: No space left on device" in result.stderr
    assert texts(folder) == OLD


def test_reports_that_are_new_are_named_where_another_cannot_be_moved(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def replace_some(draft: Path, target: Path) -> Path:
        if target.name == "two.csv":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return replace(draft, target)

    monkeypatch.setattr(Path, "replace", replace_some)
    result = run("export", str(folder))
    assert result.exit_code == 2
    assert "two.csv: Input/output error; already new: zoo.csv, one.csv" in result.stderr
    assert texts(folder) == OLD | {name: NEW[name] for name in ("zoo.csv", "tables/one.csv")}


@pytest.mark.parametrize("kind", ["folder", "loop", "pipe", "read-only"])
def test_one_report_that_cannot_be_replaced_leaves_the_others_as_they_were(
    kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = folder / "tables/two.csv"
    if kind == "folder":
        place.mkdir()
    elif kind == "loop":
        place.symlink_to(place)
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.write_text("kept")
        monkeypatch.setattr(os, "access", lambda path, mode: path != place)  # root may write everywhere
    before = texts(folder)
    result = run("export", str(folder))
    assert result.exit_code == 2
    assert "two.csv" in result.stderr
    assert texts(folder) == before
