"""A saved report stands wherever a model does, and says so where the network itself is needed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import archcalc
from archcalc.values.errors import UsageError
from tests.cli.test_cli import run


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    assert run("table", "lenet5", "-f", "json", "-o", "before.json").exit_code == 0
    return "before.json"


def test_a_report_is_loaded_as_it_was(saved: str) -> None:
    report = archcalc.analyze("lenet5")
    assert archcalc.load(saved) == archcalc.load(Path(saved)) == archcalc.analyze(saved) == report
    assert archcalc.compare(saved, "lenet5") == archcalc.compare(report, report)
    assert archcalc.plot("layers", saved).spec == archcalc.plot("layers", report).spec
    assert archcalc.draw(saved).svg() == archcalc.draw(report).svg()
    assert archcalc.explain(saved, "C3").steps == archcalc.explain("lenet5", "C3").steps


@pytest.mark.parametrize("command", ["table", "table -f json", "compare", "explain", "rf", "plot compare -f json"])
def test_a_command_prints_what_it_prints_of_the_network(saved: str, command: str) -> None:
    words = command.split()
    name, kind = words[0], words[1:2] if words[0] == "plot" else []
    options = words[1 + len(kind) :]
    results = [run(name, *kind, model, *options) for model in (saved, "lenet5")]
    assert results[0].exit_code == 0, results[0].stderr
    assert results[0].stdout.splitlines()[-20:] == results[1].stdout.splitlines()[-20:]


@pytest.mark.parametrize(
    "command",
    [
        "memory before.json",
        "rf before.json --layer C3 --unit 1,1",
        "conventions before.json",
        "bench before.json",
        "plot memory before.json -f json",
        "plot latency before.json -f json",
        "verify claims.toml",
    ],
)
def test_what_needs_the_network_says_so(saved: str, command: str) -> None:
    Path("claims.toml").write_text('subject = "before.json"\nclaim = [{ metric = "params", printed = "1" }]\n')
    result = run(*command.split())
    assert result.exit_code == 2
    assert "saved report, which holds no network" in result.stderr or "needs the network itself" in result.stderr


@pytest.mark.parametrize(
    ("command", "hint"),
    [
        ("table before.json -i 1x32x32", "leave out -i, -b and --set"),
        ("table before.json --set classes=3", "leave out -i, -b and --set"),
        ("compare before.json before.json -b 2", "leave out -i, -b and --set"),
        ("plot layers before.json -b 2 -f json", "leave out -i, -b and --set"),
        ("table before.json --backward", "saved without the backward pass"),
        ("table before.json --training", "saved without --training"),
        ("table after.json", "cannot read after.json: No such file"),
        ("table chosen.json", "without --columns"),
        ("table list.json", "holds no report"),
    ],
)
def test_what_does_not_fit_a_saved_report_is_a_clear_error(saved: str, command: str, hint: str) -> None:
    run("table", "lenet5", "--columns", "path,macs", "-f", "json", "-o", "chosen.json")
    Path("list.json").write_text("[]")
    result = run(*command.split())
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert hint in result.stderr


def test_a_report_with_the_backward_pass_is_saved_whole(saved: str) -> None:
    run("table", "lenet5", "--backward", "--device", "a100-fp32", "-f", "json", "-o", saved)
    report = archcalc.analyze(saved, backward=True)
    assert report.rows[0].backward_macs is not None
    assert report.rows[0].least_seconds is not None
    assert run("table", saved, "--device", "a100-bf16").exit_code == 2  # its bytes are those of the device
    assert "backward mult-adds" in run("table", saved, "--backward", COLUMNS="200").stdout


def test_size_and_batch_are_for_the_other_networks(saved: str) -> None:
    compared = json.loads(run("compare", saved, "lenet5", "-b", "3", "-f", "json").stdout)
    assert [report["batch_size"] for report in compared["reports"]] == [1, 3]
    assert [report.batch_size for report in archcalc.compare(saved, "lenet5", batch_size=3).reports] == [1, 3]


def test_python_refuses_an_input_for_a_saved_report(saved: str) -> None:
    with pytest.raises(UsageError, match="with its own input"):
        archcalc.analyze(saved, (1, 1, 32, 32))
