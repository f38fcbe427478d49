"""The committed reports are what is computed now."""

from __future__ import annotations

from pathlib import Path

import pytest

from archcalc.export import Part, stale
from tests.cli.test_cli import run

REPORTS = Path(__file__).parents[2] / "reports"


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
