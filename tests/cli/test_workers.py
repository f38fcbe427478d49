"""Work in several processes: order, errors, what dies, and the same without processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
import warnings
from functools import partial
from pathlib import Path

import pytest

from archcalc.claims.read import documented
from archcalc.cli import streams, workers
from archcalc.cli.workers import in_processes
from archcalc.values.errors import ArchcalcError, ModelError, UsageError
from archcalc.zoo import registry
from tests.cli.test_cli import rows, run

NAMES = {name: name for name in "abcdef"}


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_cores", lambda: 2)


def place(name: str) -> tuple[str, int]:
    return name, os.getpid()


def note(file: Path, name: str) -> None:
    with file.open("a") as there:
        there.write(f"{name}\n")
    time.sleep(0.02)


def fail(name: str) -> str:
    if name in "ce":
        raise UsageError(f"no luck with {name}")
    return name


def die(name: str) -> str:
    if name == "c":
        os.kill(os.getpid(), signal.SIGKILL)
    return name


def sleep(name: str) -> None:
    time.sleep(0 if name == "a" else 60)


def no_model(name: str) -> None:
    raise ModelError("no luck", lambda: "no report, and nothing that could be sent to another process")  # type: ignore[arg-type]


def test_results_are_in_order_and_come_from_other_processes() -> None:
    finished: list[str] = []
    found = in_processes(place, NAMES, finished.append)
    assert [name for name, _ in found] == list(NAMES)
    assert os.getpid() not in {process for _, process in found}
    assert sorted(finished) == list(NAMES)
    assert not multiprocessing.active_children()


def test_the_slowest_start_first(tmp_path: Path) -> None:
    in_processes(partial(note, tmp_path / "order"), {**NAMES, "resnet1202": "resnet1202"})
    assert "resnet1202" in (tmp_path / "order").read_text().split()[:3]


def test_the_first_items_error_is_raised_and_the_others_are_done() -> None:
    finished: list[str] = []
    with pytest.raises(UsageError, match="no luck with c"):
        in_processes(fail, NAMES, finished.append)
    assert sorted(finished) == list(NAMES)


def test_a_models_error_comes_without_its_rows() -> None:
    with pytest.raises(ModelError, match="no luck") as caught:
        in_processes(no_model, NAMES)
    assert caught.value.report is None


def test_on_one_core_or_for_one_item_there_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    assert in_processes(place, {"a": "a"}) == [("a", os.getpid())]
    assert in_processes(place, {}) == []
    monkeypatch.setattr(workers, "_cores", lambda: 1)
    finished: list[str] = []
    assert in_processes(place, NAMES, finished.append) == [(name, os.getpid()) for name in NAMES]
    assert finished == list(NAMES)


@pytest.mark.parametrize("possible", [0, 1])
def test_where_no_process_can_be_had_this_one_does_it(possible: int, monkeypatch: pytest.MonkeyPatch) -> None:
    fork, forks = os.fork, []

    def fork_rarely() -> int:
        forks.append(1)
        if len(forks) > possible:
            raise BlockingIOError("Resource temporarily unavailable")
        return fork()

    monkeypatch.setattr(os, "fork", fork_rarely)
    assert in_processes(place, NAMES) == [(name, os.getpid()) for name in NAMES]
    assert len(forks) == possible + 1
    wait_for_the_end_of_all_workers()


def test_where_there_are_no_semaphores_this_one_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def unable(*_: object, **__: object) -> None:
        raise NotImplementedError("system provides too few semaphores")

    monkeypatch.setattr(workers, "ProcessPoolExecutor", unable)
    assert in_processes(place, NAMES) == [(name, os.getpid()) for name in NAMES]


def test_a_killed_worker_is_a_clear_error() -> None:
    with pytest.raises(ArchcalcError, match="was killed, for want of memory perhaps"):
        in_processes(die, NAMES)
    wait_for_the_end_of_all_workers()


def test_an_interrupt_ends_the_workers_at_once() -> None:
    def interrupt(name: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_processes(sleep, NAMES, interrupt)
    wait_for_the_end_of_all_workers()


def test_what_python_says_of_forks_and_threads_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    fork = os.fork

    def warn() -> int:  # as Python does from 3.12 on
        said = "This process (pid=7) is multi-threaded, use of fork() may lead to deadlocks in the child."
        warnings.warn(said, DeprecationWarning, stacklevel=1)
        return fork()

    monkeypatch.setattr(os, "fork", warn)
    assert os.getpid() not in {process for _, process in in_processes(place, NAMES)}


def test_processes_that_are_not_forked_do_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_method", lambda: "spawn")
    assert in_processes(str.upper, {"a": "a", "b": "b"}) == ["A", "B"]


SLEEPERS = """
import os, sys, time
from archcalc.cli import main, workers
from archcalc.cli import list as networks
def sleep(entry):
    os.write(1, b"asleep\\n")  # in one piece: print writes the end of the line apart
    time.sleep(60)
networks._listing, workers._cores, sys.argv = sleep, lambda: 2, ["archcalc", "list", "--cost"]
main()
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_ctrl_c_and_a_killed_parent_leave_no_worker_and_no_traceback(number: signal.Signals, code: int) -> None:
    command = [sys.executable, "-c", SLEEPERS]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as started:
        assert started.stdout is not None
        assert [started.stdout.readline() for _ in range(2)] == ["asleep\n"] * 2
        if number == signal.SIGINT:
            os.killpg(started.pid, number)  # as a terminal does: the workers get it as well
        else:
            started.kill()
        _, said = started.communicate(timeout=30)  # to the end of the pipes, which the workers hold too
    assert started.returncode == code
    assert "Traceback" not in said


def wait_for_the_end_of_all_workers() -> None:
    for worker in multiprocessing.active_children():
        worker.join(10)
    assert not multiprocessing.active_children()


# ---- the bar of progress


def test_a_terminal_sees_a_bar_and_what_was_done_last(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(streams, "_looking", lambda: True)
    with streams.progress(2) as done:
        done("vgg16")
        done("alexnet")
    start, half, end, gone = capsys.readouterr().err.split("\r\x1b[K")[1:]
    assert (start.count("█"), half.count("█"), end.count("█")) == (0, streams.BAR // 2, streams.BAR)
    assert half.endswith(" 1 of 2 vgg16")
    assert end.endswith(" 2 of 2 alexnet")
    assert gone == ""


@pytest.mark.parametrize("command", ["list lenet --cost", "verify --subject lenet5"])
def test_a_pipe_sees_no_bar(command: str) -> None:
    assert run(*command.split()).stderr == ""


# ---- the commands


def broken(**settings: object) -> None:
    raise ValueError("no luck")


def test_a_network_that_fails_is_a_row_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archcalc.zoo.vgg.vgg13", broken)
    found = {row["network"]: row for row in rows(run("list", "vgg", "--cost", "-f", "csv"))}
    assert found["vgg13"]["macs"] == ""
    assert "no luck" in found["vgg13"]["error"]
    assert found["vgg16"]["macs"] == "15470264320"
    assert found["vgg16"]["error"] == ""


def test_an_export_does_without_the_network_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = {name: registry.architecture(name) for name in ("lenet5", "alexnet", "head-fc", "head-gap")}
    monkeypatch.setattr("archcalc.zoo.registry.catalogue", lambda: few)
    monkeypatch.setattr("archcalc.export.PAIRS", (("alexnet", "lenet5"), ("head-fc", "head-gap")))
    claims = [claim for claim in documented() if claim.subject in few and claim.metric == "params"]
    claims = [claim for claim in claims if claim.against in {None, *few}]
    monkeypatch.setattr("archcalc.export.documented", lambda: claims)
    assert run("export", str(tmp_path)).exit_code == 0
    whole = {file.relative_to(tmp_path).as_posix(): file.read_text() for file in tmp_path.rglob("*.csv")}
    assert whole.keys() >= {"tables/lenet5.csv", "compare/alexnet-lenet5.csv", "claims.csv"}

    monkeypatch.setattr("archcalc.zoo.lenet.lenet5", broken)
    (tmp_path / "tables/alexnet.csv").unlink()
    result = run("export", str(tmp_path))
    assert result.exit_code == 3
    for name in ("tables/lenet5.csv", "compare/alexnet-lenet5.csv", "claims.csv"):
        assert f"{name} cannot be made: " in result.stderr
        assert (tmp_path / name).read_text() == whole[name]
    assert (tmp_path / "tables/alexnet.csv").read_text() == whole["tables/alexnet.csv"]
    line = (tmp_path / "zoo.csv").read_text().splitlines()[1]
    assert line.startswith("lenet5,")
    assert "no luck" in line

    checked = run("export", "--check", str(tmp_path))
    assert checked.exit_code == 3
    assert "stale" not in checked.stderr


def test_verdicts_are_in_the_order_of_the_claims(tmp_path: Path) -> None:
    file = tmp_path / "claims.toml"
    claim = '{{ subject = "{}", metric = "{}", max = "1T" }}'
    pairs = [("lenet5", "params"), ("head-fc", "macs"), ("lenet5", "depth"), ("head-fc", "params")]
    file.write_text(f"claim = [{', '.join(claim.format(*pair) for pair in pairs)}]")
    found = rows(run("verify", str(file), "-f", "csv"))
    assert [(row["subject"], row["metric"]) for row in found] == pairs
