"""Write static/screenshot.png, the README's picture: pytest tests/browser/take_screenshot.py"""

from pathlib import Path

import pytest
from explore_page import visit
from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.model]


def test_take_the_screenshot(page: Page, server) -> None:
    visit(page, server)
    page.locator("#panel-heatmap .nsewdrag").first.wait_for()
    page.wait_for_timeout(500)
    target = Path(__file__).parents[2] / "static" / "screenshot.png"
    page.screenshot(path=target, clip={"x": 0, "y": 0, "width": 1440, "height": 1190}, full_page=True)
    assert target.stat().st_size > 50_000
