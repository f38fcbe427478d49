"""What every test may use: golden files, rewritten by `--golden-update`; and the option `--require-peers`."""

import sys
from collections.abc import Callable, Generator
from functools import cache
from pathlib import Path

import pytest
import typer.main
import typer.testing

GOLDEN = Path(__file__).parent / "golden"

typer.testing._get_command = cache(typer.main.get_command)  # type: ignore[attr-defined]
"""A runner builds the whole command line at each call, which takes longer than most commands: here it does it once."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden-update", action="store_true", help="write what the tests print to tests/golden")
    parser.addoption("--require-peers", action="store_true", help="a tool that is not installed is a failure, no skip")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if item.config.getoption("--require-peers") and report.skipped and "is not installed" in str(report.longrepr):
        report.outcome = "failed"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """A sweep runs without coverage's tracer, and so do the processes that it forks.

    `no_cover`, pytest-cov's own marker, does not do it: each worker of xdist has two measurements, and it stops one.
    """
    tracer = sys.gettrace()
    if item.get_closest_marker("sweep"):
        sys.settrace(None)
    try:
        yield
    finally:
        sys.settrace(tracer)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """A function that compares a text with the golden file of that name, or writes it there."""

    def same(name: str, text: str) -> None:
        file = GOLDEN / name
        if request.config.getoption("--golden-update"):
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
        assert text == file.read_text(encoding="utf-8")

    return same
