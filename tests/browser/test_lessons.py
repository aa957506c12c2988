"""Lessons in the browser: live views, the way from them to Explore, the other language, print, and strangers' files."""

import re
import time
from collections.abc import Callable
from io import BytesIO

import pytest
from axe_playwright_python.sync_playwright import Axe
from explore_page import no_overflow, parameters
from hostile_lesson import ATTACK
from playwright.sync_api import Page, expect
from pypdf import PdfReader

pytestmark = [pytest.mark.browser, pytest.mark.model]


def view(page: Page, place: int):
    """What stands in a lesson's view, once it is scrolled to."""
    frame = page.locator("iframe[data-view]").nth(place)
    frame.scroll_into_view_if_needed()
    return frame.content_frame


def until(holds: Callable[[], bool]) -> None:
    """Waits for what a view comes to by and by: it grows with its picture."""
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_lesson_lives_and_leads_on(page, server):
    page.goto(f"{server.url}/lessons")
    page.get_by_role("link", name="Weight is not importance").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Weight is not importance")
    first = view(page, 0)
    expect(first.locator("#focus")).to_contain_text("0.487")
    # A view is as tall as what it shows: nothing of it is cut off, nothing scrolls inside.
    expect(page.locator("iframe").first).not_to_have_css("height", "560px")
    first.locator("footer").scroll_into_view_if_needed()
    whole = "({ scrollTop }) => scrollTop === 0 && innerHeight >= document.body.getBoundingClientRect().height"
    until(lambda: first.locator("html").evaluate(whole))
    # The reader's theme is the view's, also after a change.
    page.locator("[data-theme-button]").click()
    page.locator("[data-theme-button]").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(first.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_role("link", name="한국어").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("가중치는 중요도가 아니에요")
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    page.locator("figure a.open").nth(1).click()
    expect(page.locator("#focus h2")).to_have_text("L5 H11")
    assert parameters(page)["lang"] == "ko"
    page.locator("nav.places").get_by_role("link", name="수업").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("수업")


def test_on_paper_a_view_is_its_picture(page, server):
    page.goto(f"{server.url}/lessons/importance")
    # Fetched while somebody reads, also for views that were never on screen: a browser that prints does not wait.
    for picture in page.locator("img.printed").all():
        expect(picture).not_to_have_js_property("naturalWidth", 0)
    text = "".join(sheet.extract_text() for sheet in PdfReader(BytesIO(page.pdf())).pages)
    assert "query: looks" in text  # the picture's own
    assert "L5 H11: it → cat 0.683" in text
    assert "Open and change it" not in text
    assert "All lessons" not in text


@pytest.mark.refused
@pytest.mark.parametrize("press", ["button", "keys"])
def test_print_waits_for_pictures_that_are_slow(page, server, press):
    waiting = []
    page.route("**/figure.svg?*", lambda route: waiting.append(route))  # a server that has just started
    page.add_init_script("window.print = () => (document.body.dataset.printed = 'yes')")
    page.goto(f"{server.url}/lessons/importance")
    button = page.get_by_role("button", name="Print")
    if press == "button":
        button.click()
    else:
        page.keyboard.press("Control+p")
    expect(button).to_be_disabled()
    expect(page.locator(".about").get_by_role("status")).to_have_text("Preparing…")
    pictures = page.locator("img.printed")
    while len(waiting) < pictures.count():
        page.wait_for_timeout(20)
    expect(page.locator("body")).not_to_have_attribute("data-printed", "yes")
    waiting[0].fulfill(status=503)  # busy: its description stands there
    for one in waiting[1:]:
        one.continue_()
    expect(page.locator("body")).to_have_attribute("data-printed", "yes")
    expect(button).to_be_enabled()
    expect(page.locator(".about").get_by_role("status")).to_be_empty()
    expect(pictures.last).not_to_have_js_property("naturalWidth", 0)


@pytest.mark.parametrize(("theme", "lang"), [("light", "en"), ("dark", "ko")])
def test_axe_finds_nothing_in_lessons_and_a_phone_has_room(page, server, theme, lang):
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    for path in ("/lessons", "/lessons/attention"):
        page.goto(f"{server.url}{path}?lang={lang}")
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 844})
            assert no_overflow(page)
            found = Axe().run(page).response["violations"]
            assert [(fault["id"], [node["target"] for node in fault["nodes"]]) for fault in found] == []
    # On the phone no number and no word of a table is torn apart.
    heights = page.locator(".prose td").evaluate_all("(cells) => cells.map((cell) => cell.offsetHeight)")
    assert len(heights) == 13 * 5
    assert max(heights) < 1.5 * min(heights)


def test_a_strangers_lesson_does_nothing_but_read(page, server):
    page.goto(f"{server.url}/lessons/hostile")
    expect(page.locator("h1")).to_have_text(ATTACK)
    expect(page.locator(".prose").first).to_contain_text("<script>alert(1)</script>")
    expect(page.locator(".prose").nth(1)).to_contain_text("<b>bold</b>")
    expect(page.locator("article a[href^=javascript]")).to_have_count(0)
    expect(page.locator("article img:not(.printed), article script")).to_have_count(0)
    expect(view(page, 0).locator("#strip [data-token]").nth(1)).to_have_text(re.compile("<"))
    page.goto(f"{server.url}/lessons")
    expect(page.locator(".lessons li").last).to_contain_text(ATTACK)
