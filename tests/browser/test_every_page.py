"""Every page for everybody: in both themes and languages, narrow, on paper, in colours of the reader's own choice."""

import io
import re
from itertools import cycle, product

import pytest
from every_page import OTHERS, PAGES, faults
from explore_page import no_overflow, visit
from fastapi.routing import APIRoute
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from app.factory import create_app
from app.settings import Settings

pytestmark = [pytest.mark.browser, pytest.mark.model]
LESSONS = ("attention", "who-is-it", "translation", "induction", "importance")  # beside the one of PAGES
# What shows that a page has drawn what it was opened for.
SIGNS = {
    "/": "#panel-heatmap .nsewdrag, #notices .notice",
    "/embed": "#panel-heatmap .nsewdrag",
    "/models/{name}": "main",
    "/lab": "#task input",
}


def open_page(page: Page, url: str, sign: str = "main") -> None:
    page.goto(url)
    expect(page.locator(sign).first).to_be_attached()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)


@pytest.fixture
def still(page: Page) -> Page:
    """A page on which nothing moves, and lessons whose views are empty: /embed is looked at by itself."""
    page.emulate_media(reduced_motion="reduce")
    page.route(re.compile("/embed[?]text=[^&]*&model="), lambda route: route.fulfill(body="", content_type="text/html"))
    return page


def test_no_page_is_forgotten():
    routes = create_app(Settings(fetch_on_start=False)).routes
    paths = {route.path for route in routes if isinstance(route, APIRoute)}
    assert paths == PAGES.keys() | OTHERS


@pytest.mark.refused
@pytest.mark.parametrize("route", PAGES)
def test_axe_finds_nothing(still: Page, server, route):
    for address, lang in product(PAGES[route], ("en", "ko")):
        still.emulate_media(color_scheme="light")
        open_page(still, f"{server.url}{address}{'&' if '?' in address else '?'}lang={lang}", SIGNS.get(route, "main"))
        assert faults(still) == [], (address, lang)
        still.emulate_media(color_scheme="dark")
        expect(still.locator("html")).to_have_attribute("data-theme", "dark")
        assert faults(still, "color-contrast") == [], (address, lang)  # nothing but colours changes with the theme
        still.set_viewport_size({"width": 320, "height": 900})  # 1280 at 400 %
        assert no_overflow(still), (address, lang)
        still.set_viewport_size({"width": 1440, "height": 900})


def test_axe_finds_nothing_in_any_lesson(still: Page, server):
    for name, (lang, theme) in zip(LESSONS, cycle((("ko", "light"), ("en", "dark"))), strict=False):
        still.emulate_media(color_scheme=theme)
        open_page(still, f"{server.url}/lessons/{name}?lang={lang}")
        assert faults(still) == [], name


def test_what_is_chosen_is_seen_in_colours_of_the_readers_choice(page: Page, server):
    page.emulate_media(forced_colors="active")
    visit(page, server, "?tool=link&query=8&key=2")
    expect(page.locator("#link .chip").first).to_be_visible()
    looks = "nodes => new Set(nodes.map(n => getComputedStyle(n)).map(s => s.backgroundColor + s.borderBottom)).size"
    for every in ("#strip .tok", "#focus .tabs button", "#tools .tabs button", ".places a", "#link .chip:not(.swap)"):
        assert page.locator(every).locator("visible=true").evaluate_all(looks) == 2, every
    assert "gradient" in page.locator(".ramp").first.evaluate("ramp => getComputedStyle(ramp).backgroundImage")
    expect(page.locator("body > svg:not([aria-hidden])")).to_have_count(0)  # where Plotly measures letters


def test_an_explanation_stays_under_the_pointer_and_goes_with_escape(page: Page, server):
    page.set_viewport_size({"width": 390, "height": 844})
    visit(page, server, "?model=induction&layer=0&head=0")
    badge, said = page.locator("#roles button").last, page.locator("#roles .role-tip").last
    badge.hover()
    expect(said).to_be_visible()
    assert no_overflow(page)
    said.hover()
    page.keyboard.press("Escape")
    expect(said).to_be_hidden()
    page.locator("#focus h2").hover()
    badge.focus()
    expect(said).to_be_visible()


def test_an_embed_on_paper_is_light_and_has_no_controls(page: Page, server):
    open_page(page, f"{server.url}/embed?show=grid,heatmap&controls=looking,colour&theme=dark", SIGNS["/embed"])
    text = "".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(page.pdf())).pages)
    assert "All heads" in text
    assert "0.487" in text
    assert "Special tokens" not in text
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
