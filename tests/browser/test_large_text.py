"""Large text for the back row: everything larger, and everything still where the pointer is."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from explore_page import no_overflow, pair, visit
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.model]


def enlarge(page: Page):
    page.get_by_role("button", name="Large text, for the back row").click()
    expect(page.locator("html")).to_have_attribute("data-letters", "large")


def middle(page: Page, row: int, column: int):
    """Where a cell of 12 by 12 is on the screen: between the ticks that Plotly draws at the middle of its cells."""
    label = page.locator("#panel-heatmap .yaxislayer-above text").nth(row).bounding_box()
    plot = page.locator("#panel-heatmap .heatmaplayer image").bounding_box()
    return plot["x"] + plot["width"] * (column + 0.5) / 12, label["y"] + label["height"] / 2


@pytest.mark.parametrize(("width", "zoom"), [(1920, 1.4), (1280, 1.2)])
def test_a_click_finds_its_cell_and_nothing_overflows(page, server, width, zoom):
    page.set_viewport_size({"width": width, "height": 1080})
    visit(page, server)
    before = page.locator("#focus h2").bounding_box()["height"]
    enlarge(page)
    assert page.locator("#focus h2").bounding_box()["height"] == pytest.approx(zoom * before, rel=0.02)
    assert no_overflow(page)
    page.locator("#panel-heatmap [data-stage]").scroll_into_view_if_needed()
    for row, column, names in ((7, 3, ["because", "sat"]), (10, 10, ["tired", "tired"])):
        page.mouse.click(*middle(page, row, column))
        expect(page.locator("#focus [data-read] bdi").nth(0)).to_have_text(names[0])
        assert pair(page) == names
    found = Axe().run(page).response["violations"]
    assert [(fault["id"], [node["target"] for node in fault["nodes"]]) for fault in found] == []


def test_it_is_remembered_on_every_page_and_left_again(page, server):
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.goto(f"{server.url}/lessons")
    enlarge(page)
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-letters", "large")
    page.goto(f"{server.url}/lesson")
    expect(page.get_by_role("button", name="Large text, for the back row")).to_have_attribute("aria-pressed", "true")
    assert no_overflow(page)
    page.get_by_role("button", name="Large text, for the back row").click()
    expect(page.locator("html")).to_have_attribute("data-letters", "usual")
    page.set_viewport_size({"width": 1024, "height": 768})  # too narrow for it: a reader's own text size does that
    expect(page.get_by_role("button", name="Large text, for the back row")).to_be_hidden()
