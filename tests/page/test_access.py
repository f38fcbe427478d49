"""What axe-core finds wrong with the page for people who do not see it as others do: nothing, light or dark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from torch import nn

import archcalc


def _net(units: int) -> nn.Module:
    block = nn.Sequential(nn.Conv2d(3, units, 3), nn.ReLU(), nn.Conv2d(units, units, 3), nn.BatchNorm2d(units))
    return nn.Sequential(block, nn.Sequential(nn.Conv2d(units, 4, 1), nn.Conv2d(4, 4, 1)), nn.MaxPool2d(2))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page of two networks of one name with little in it: axe looks at every element."""
    pytest.importorskip("vl_convert", reason="charts need it: pip install 'archcalc[pictures]'")
    file: Path = tmp_path_factory.mktemp("small") / "report.html"
    file.write_text(archcalc.report_page(_net(8), _net(16), inputs=(1, 3, 16, 16)), encoding="utf-8")
    return file.as_uri()


@pytest.mark.parametrize(("scheme", "rules"), [("light", {}), ("dark", {"runOnly": ["color-contrast"]})])
def test_axe_finds_no_violation(context: Any, small: str, scheme: str, rules: dict[str, Any]) -> None:
    reason = "brings axe-core: pip install axe-playwright-python"
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason=reason).Axe()
    page = context.new_page()
    page.emulate_media(color_scheme=scheme)
    page.goto(small)
    drawing = page.locator(".drawing").first
    drawing.locator(".picture [data-rows]").first.click()
    drawing.locator("select").select_option("macs")
    violations = axe.run(page, options={"resultTypes": ["violations"], **rules}).response["violations"]
    page.close()
    assert [(one["id"], [node["html"] for node in one["nodes"][:3]]) for one in violations] == []
