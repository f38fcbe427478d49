"""Ctrl-C exits with 130 at once wherever it arrives, and leaves no worker and no half of a file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from archcalc.cli.interrupt import interrupt_deferred

COMMAND = """
import os, signal, sys, time
from archcalc.cli import main, workers
from archcalc.cli import list as networks
def interrupt(*_): os.kill(os.getpid(), signal.SIGINT)
def work(entry): time.sleep(60)
networks._listing, workers._cores, sys.argv = work, lambda: 2, ["archcalc", "list", "--cost"]
{}
main()
"""
SWALLOWED = {
    "in a callback after a fork": "os.register_at_fork(after_in_parent=interrupt)",
    "in a callback before a fork": "os.register_at_fork(before=interrupt)",
    "in a finalizer": """
class Leaves:
    def __del__(self): interrupt()
prepare = workers._pool
def pool(workers):
    Leaves()
    return prepare(workers)
workers._pool = pool
""",
    "below a bare except": """
prepare = workers._pool
def pool(workers):
    try: interrupt()
    except: pass
    return prepare(workers)
workers._pool = pool
""",
    "at the exit of the interpreter": """
import atexit
atexit.register(interrupt)
sys.argv = ["archcalc", "list"]
""",
}
STARTED = "from archcalc.cli import main, workers; workers._cores = lambda: 4; print(flush=True);"


def python(script: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", script]
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True)


def said_until_the_end(started: subprocess.Popen[str]) -> str:
    """What a process and its workers say on stderr, to the end of the pipe that they all hold."""
    try:
        return started.communicate(timeout=30)[1]
    except subprocess.TimeoutExpired:
        os.killpg(started.pid, signal.SIGKILL)
        raise


@pytest.mark.parametrize("preparation", SWALLOWED.values(), ids=SWALLOWED)
def test_an_interrupt_that_python_would_swallow_ends_the_command(preparation: str) -> None:
    with python(COMMAND.format(preparation)) as started:
        said = said_until_the_end(started)
    assert (started.returncode, said.strip()) == (130, "Aborted.")


@pytest.mark.parametrize("seconds", [0.5, 1.3, 2.1])
def test_an_interrupt_at_any_moment_ends_the_command(seconds: float) -> None:
    with python(f"import sys; sys.argv = ['archcalc', 'list', '--cost']; {STARTED} main()") as started:
        assert started.stdout is not None
        started.stdout.readline()
        time.sleep(seconds)
        is_running = started.poll() is None
        started.send_signal(signal.SIGINT)  # to that process alone
        begun = time.perf_counter()
        said = said_until_the_end(started)
    if is_running:  # a fast machine may be through by then
        assert started.returncode == 130
        assert time.perf_counter() - begun < 5
        assert "Traceback" not in said


def test_a_file_is_written_whole_before_an_interrupt_takes_effect(tmp_path: Path) -> None:
    script = """
import os, signal, sys
from pathlib import Path
from archcalc.cli import main, streams
written = streams._write_new
def write_new(path, text):
    os.kill(os.getpid(), signal.SIGINT)
    written(path, text)
streams._write_new = write_new
sys.argv = ["archcalc", "list", "-o", "out.txt"]
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr.strip()) == (130, "Aborted.")
    assert [file.name for file in tmp_path.iterdir()] == ["out.txt"]
    assert "alexnet" in (tmp_path / "out.txt").read_text()


def test_a_pipe_that_nobody_reads_can_be_given_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with python(
        f"import sys; sys.argv = ['archcalc', 'list', '-o', {str(tmp_path / 'pipe')!r}]; {STARTED} main()"
    ) as it:
        assert it.stdout is not None
        it.stdout.readline()
        time.sleep(1)
        it.send_signal(signal.SIGINT)
        said_until_the_end(it)
    assert it.returncode == 130


def test_a_deferred_interrupt_comes_afterwards() -> None:
    steps = []

    def interrupted() -> None:
        with interrupt_deferred():
            signal.raise_signal(signal.SIGINT)
            steps.append("within")
        steps.append("after")

    outer = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore the signal
    try:
        with pytest.raises(KeyboardInterrupt):
            interrupted()
        assert steps == ["within"]
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, outer)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="functions are not tried in a process of their own")
@pytest.mark.parametrize("claims", [1, 2], ids=["in the main process", "in a worker"])
def test_an_interrupt_ends_a_function_that_is_tried(claims: int, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    functions = [f"build{number}" for number in range(claims)]
    sleeps = (
        f"    open({str(begun)!r}, 'w').close()\n    try: time.sleep(60)\n    except BaseException: time.sleep(60)\n"
    )
    (tmp_path / "net.py").write_text("import time\n" + "".join(f"def {name}():\n{sleeps}" for name in functions))
    entries = (f'subject = "{tmp_path / "net.py"}:{name}"\nmetric = "params"\nmax = 1\n' for name in functions)
    file = tmp_path / "claims.toml"
    file.write_text("".join(f"[[claim]]\n{entry}" for entry in entries))
    with python(f"import sys; sys.argv = ['archcalc', 'verify', {str(file)!r}]; {STARTED} main()") as started:
        limit = time.perf_counter() + 30
        while not begun.exists() and time.perf_counter() < limit:
            time.sleep(0.05)
        started.send_signal(signal.SIGINT)  # to that process alone
        interrupted = time.perf_counter()
        said = said_until_the_end(started)  # the function's process holds the pipe too
    assert (started.returncode, said.strip()) == (130, "Aborted.")
    assert time.perf_counter() - interrupted < 5
