"""Write the README's pictures into static/: pytest tests/browser/take_screenshot.py"""

from pathlib import Path

import pytest
from explore_page import visit
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.model]
STATIC = Path(__file__).parents[2] / "static"


def test_take_the_screenshot(page: Page, server) -> None:
    visit(page, server)
    page.locator("#panel-heatmap .nsewdrag").first.wait_for()
    page.wait_for_timeout(500)
    target = STATIC / "screenshot.png"
    page.screenshot(path=target, clip={"x": 0, "y": 0, "width": 1440, "height": 1190}, full_page=True)
    assert target.stat().st_size > 50_000


@pytest.mark.parametrize(
    ("name", "query"),
    [("cross", "?model=ko-en"), ("masked", "?model=induction"), ("picture", "?model=shapes&layer=0&head=0")],
)
def test_take_a_picture_of_each_kind(page: Page, server, name: str, query: str) -> None:
    page.set_viewport_size({"width": 1100, "height": 900})
    page.goto(f"{server.url}/{query}")
    expect(page.locator("#said")).to_be_visible()
    page.wait_for_timeout(800)
    target = STATIC / f"{name}.png"
    focus = page.locator("#focus").bounding_box()
    assert focus is not None
    height = focus["y"] + focus["height"] + 16
    page.screenshot(path=target, clip={"x": 0, "y": 0, "width": 1100, "height": height}, full_page=True)
    assert target.stat().st_size > 30_000
