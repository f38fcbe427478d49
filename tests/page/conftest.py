"""One page, and one browser, for all tests of the report; without a browser those that need it skip."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

import archcalc


@pytest.fixture(scope="session")
def two() -> str:
    """The report of two networks."""
    pytest.importorskip("vl_convert", reason="charts need it: pip install 'archcalc[pictures]'")
    return archcalc.report_page("lenet5", "googlenet")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="drives the browser: pip install playwright")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def address(two: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_text(two, encoding="utf-8")
    return file.as_uri()


@pytest.fixture(scope="session")
def context(browser: Any) -> Any:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    context.set_default_timeout(5000)
    return context


@pytest.fixture
def page(context: Any, address: str) -> Iterator[Any]:
    """The page in a window of its own; whatever it prints or asks for is an error."""
    page = context.new_page()
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("request", lambda request: messages.append(request.url) if request.url != address else None)
    page.goto(address)
    yield page
    page.close()
    assert messages == []


@pytest.fixture
def drawing(page: Any) -> Any:
    """GoogLeNet's drawing with what stands around it."""
    return page.locator('.drawing[data-network="googlenet"]')
