"""The report in a real browser: what its script adds, and what is there without it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import archcalc


def _zoo(page: Any) -> list[str]:
    names: list[str] = page.locator("#zoo tbody tr:not([hidden]) th").all_text_contents()
    return names


def test_the_zoo_is_sorted_and_filtered(page: Any) -> None:
    errors = "#zoo tbody tr td:nth-child(4)"
    page.get_by_role("button", name="top-5 error").click()
    cells = page.locator(errors).all_text_contents()
    numbers = [float(cell) for cell in cells if cell]
    assert numbers == sorted(numbers)
    assert cells[: len(numbers)] == [cell for cell in cells if cell]  # the unknown stand last
    page.get_by_role("button", name="top-5 error").click()
    cells = page.locator(errors).all_text_contents()
    assert [float(cell) for cell in cells if cell] == numbers[::-1]
    page.fill("#filter", "VGG16")
    assert "vgg16" in _zoo(page)
    assert "alexnet" not in _zoo(page)
    page.fill("#filter", "")
    assert sorted(_zoo(page)) == sorted(archcalc.names())


def test_a_module_opens_and_the_path_leads_back(page: Any) -> None:
    drawing = page.locator('.drawing[data-network="googlenet"]')
    drawing.locator('.picture [data-path="inception_3a"]').click()
    assert drawing.locator(".path button").all_text_contents() == ["googlenet", "inception_3a"]
    assert drawing.locator('.picture [data-path="inception_3a.5x5"]').count() == 1
    drawing.locator(".path button").first.click()
    assert drawing.locator('.picture [data-path="inception_3a"]').count() == 1


def test_the_keyboard_opens_a_module_and_comes_back_to_it(page: Any) -> None:
    drawing = page.locator('.drawing[data-network="googlenet"]')
    drawing.locator('.picture [data-path="inception_3b"]').focus()
    page.keyboard.press("Enter")
    assert drawing.locator(".path button").count() == 2
    page.keyboard.press("Escape")
    assert drawing.locator(".path button").count() == 1
    assert page.evaluate("document.activeElement.dataset.path") == "inception_3b"


def test_boxes_take_the_colours_of_a_measure(page: Any) -> None:
    drawing = page.locator('.drawing[data-network="lenet5"]')
    assert drawing.locator(".picture .m5").count() == 0
    drawing.locator("select").select_option("params")
    assert drawing.locator(".picture .m5").count() == 1
    drawing.locator("select").select_option("kind")
    assert drawing.locator(".picture .m5").count() == 0


def test_layers_are_folded_and_unfold(page: Any) -> None:
    button = page.locator(".module button", has_text="inception_3a")
    rows = page.locator("#network-1 tbody", has=button).locator("tr:not(.module)")
    assert not rows.first.is_visible()
    button.click()
    assert rows.first.is_visible()
    assert button.get_attribute("aria-expanded") == "true"


def test_the_button_changes_the_colours(page: Any) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(colour)
    page.click("#theme")
    assert page.evaluate(colour) != light
    page.emulate_media(color_scheme="dark")
    page.click("#theme")
    assert page.evaluate(colour) == light


def test_a_dark_system_gets_dark_colours(page: Any) -> None:
    elements = "[document.body, document.querySelector('.archcalc .k-conv rect')]"
    colours = f"{elements}.map(each => getComputedStyle(each).fill + getComputedStyle(each).backgroundColor)"
    light = page.evaluate(colours)
    page.emulate_media(color_scheme="dark")
    assert all(one != other for one, other in zip(light, page.evaluate(colours), strict=True))


def test_a_telephone_does_not_scroll_sideways(page: Any) -> None:
    page.set_viewport_size({"width": 360, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_the_zoo_is_sorted_by_what_networks_cost(page: Any) -> None:
    page.locator("#zoo").get_by_role("button", name="mult-adds").click()
    costs = [int(cell.replace(",", "")) for cell in page.locator("#zoo tbody td:nth-child(6)").all_text_contents()]
    assert len(costs) == len(archcalc.names())
    assert all(one <= other for one, other in pairwise(costs))


def test_what_is_folded_is_printed(page: Any) -> None:
    assert not page.locator("#network-1 .claims").is_visible()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator("#network-1 .claims").is_visible()
    assert page.locator("#network-1 .layers tr", has_text="inception_3a").last.is_visible()
    assert page.locator("#network-1 .module button", has_text="inception_3a").is_visible()  # its name
    assert not page.locator("#theme").is_visible()


def test_without_javascript_tables_and_drawing_are_there(browser: Any, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(5000)
    page = context.new_page()
    page.goto(address)
    assert page.locator("#network-1 .layers tr", has_text="inception_3a").last.is_visible()
    assert page.locator('#network-1 .picture [data-path="inception_3a"]').is_visible()
    assert not page.locator("#theme").is_visible()
    context.close()
