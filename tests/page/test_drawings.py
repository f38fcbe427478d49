"""Drawings in a real browser: the arithmetic of a box, the colours and their legend, and the keyboard."""

from __future__ import annotations

from typing import Any


def _about(drawing: Any) -> str:
    text: str = drawing.locator(".about").inner_text()
    return text


def test_a_box_shows_its_arithmetic_and_escape_that_of_the_network(page: Any, drawing: Any) -> None:
    whole = _about(drawing)
    drawing.locator('.picture [data-path="inception_3a"]').click()
    assert "googlenet" not in _about(drawing)
    drawing.locator('.picture [data-path="inception_3a.3x3"]').click()
    text = _about(drawing)
    assert f"28×28×128 outputs × 3×3×96 = {28 * 28 * 128 * 3 * 3 * 96:,}" in text
    assert f"128 filters × (3×3×96 weights + 1 bias) = {128 * (3 * 3 * 96 + 1):,}" in text
    assert "inception_3a.relu_3x3" in text  # it is drawn in the same box
    page.keyboard.press("Escape")
    macs = 28 * 28 * (192 * 64 + 192 * 96 + 96 * 9 * 128 + 192 * 16 + 16 * 25 * 32 + 192 * 32)
    assert f"mult-adds: {macs:,}" in _about(drawing)  # of the module, which has the focus again
    page.keyboard.press("Escape")
    assert _about(drawing) == whole


def test_the_legend_follows_the_measure_and_the_picture(drawing: Any) -> None:
    legend = drawing.locator(".legend")
    assert "fc" not in legend.inner_text()
    assert "linear, matmul" in legend.inner_text()
    drawing.locator('.picture [data-path="inception_3a"]').click()
    assert "linear, matmul" not in legend.inner_text()  # a module without one
    drawing.locator("select").select_option("macs")
    assert legend.inner_text().split() == ["mult-adds:", "0", f"{28 * 28 * 128 * 3 * 3 * 96 / 1e6:.1f}M"]
    drawing.locator("select").select_option("params")
    assert legend.inner_text().split() == ["params:", "0", f"{128 * (3 * 3 * 96 + 1) / 1e3:.1f}k"]
    assert drawing.locator('.picture [data-path="inception_3a.pool"]').get_attribute("class") == "k-pool plain"


def test_every_measure_has_boxes_that_it_shades(drawing: Any) -> None:
    keys = [option.get_attribute("value") for option in drawing.locator("option").all()]
    assert keys == ["kind", "params", "macs", "saved-bytes", "receptive-field"]
    for key in keys[1:]:
        drawing.locator("select").select_option(key)
        assert drawing.locator(".picture .m5").count() >= 1


def test_arrow_keys_lead_from_box_to_box(page: Any, drawing: Any) -> None:
    assert drawing.locator('.picture [role=button][tabindex="0"]').count() == 1  # one stop on the way of the tab key
    drawing.locator(".picture").focus()
    page.keyboard.press("Tab")
    first = page.evaluate("document.activeElement.dataset.path")
    page.keyboard.press("ArrowDown")
    second = page.evaluate("document.activeElement.dataset.path")
    assert (first, second) == ("conv1", "pool1")
    assert "pool1" in _about(drawing)
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.path") == second
