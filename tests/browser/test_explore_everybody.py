"""The Explore page for everybody and on bad days: assistive technology, phones, long texts, lost servers."""

import json
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from explore_page import (
    KOREAN,
    LONG,
    TOO_LONG,
    ask,
    heatmap_box,
    no_overflow,
    number,
    parameters,
    visit,
)
from playwright.sync_api import Page, Route, expect

pytestmark = [pytest.mark.browser, pytest.mark.model]

# ---- everybody


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "query",
    [
        *("", "?view=lines", "?view=table&lang=ko", f"?text={quote(KOREAN)}", "?words=1&special=renormalise"),
        *("?model=ko-en&view=table", "?model=induction&view=lines&off=decoder-self.0.3", "?model=shapes&view=picture"),
    ],
)
def test_axe_finds_nothing(page, server, theme, query):
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    visit(page, server, query)
    if "view" not in query:
        heatmap_box(page)
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    expect(page.locator("html")).to_have_attribute("data-theme", theme)
    found = Axe().run(page).response["violations"]
    assert [(fault["id"], [node["target"] for node in fault["nodes"]]) for fault in found] == []


def test_the_theme_is_remembered(page, server):
    page.emulate_media(color_scheme="light")
    visit(page, server)
    for _ in range(2):
        page.get_by_role("button", name="Theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize(
    "query",
    ["", "?view=lines", "?view=table&lang=ko", f"?text={quote(LONG)}", f"?text={'x' * 90}%20{quote(KOREAN)}"],
)
def test_nothing_overflows_on_a_phone(page, server, query):
    page.set_viewport_size({"width": 390, "height": 844})
    visit(page, server, query)
    if "view" not in query:
        heatmap_box(page)
    assert no_overflow(page)


# ---- when something is not as it should be


@pytest.mark.refused
def test_a_text_that_is_too_long_offers_its_beginning(page: Page, server):
    page.goto(f"{server.url}/?text={quote(TOO_LONG)}")
    expect(page.locator("#notices")).to_contain_text("the model reads at most 512")
    page.get_by_role("button", name="Show its first 512 tokens").click()
    expect(page.locator("#strip .tok")).to_have_count(512)
    expect(page.locator("#notices")).to_contain_text("Left out, from here on")
    assert parameters(page)["truncate"] == "1"


@pytest.mark.refused
def test_a_trace_the_server_let_go_is_asked_for_again(page: Page, server):
    lost = {"type": "/problems/trace-not-held", "title": "Gone", "status": 404, "detail": "Gone."}
    posts = []
    page.on("request", lambda request: request.url.endswith("/traces") and posts.append(request))

    def gone(route: Route):
        route.fulfill(status=404, content_type="application/problem+json", body=json.dumps(lost))

    page.route("**/weights?*", gone, times=1)
    page.goto(server.url)
    expect(number(page)).to_have_text("0.487")
    assert len(posts) == 2


@pytest.mark.refused
def test_an_unreachable_server_is_a_sentence_with_a_way_out(page: Page, server):
    page.goto(server.url)
    expect(number(page)).to_be_visible()
    page.route("**/api/v1/traces", lambda route: route.abort(), times=1)
    ask(page, "A dog barked")
    expect(page.get_by_role("alert")).to_contain_text("The server does not answer")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#strip .tok")).to_have_count(5)


def test_the_first_start_shows_progress_and_goes_on_by_itself(page, server):
    state = {"now": "absent"}

    def models(route: Route):
        response = route.fetch()
        body = response.json()
        if state["now"] != "ready":
            body["models"][0] |= {"state": state["now"], "ready": False, "job": None}
        route.fulfill(response=response, body=json.dumps(body))

    def events(route: Route):
        state["now"] = "ready"
        step = {
            "id": "j",
            "do": "fetch",
            "model": "minilm",
            "state": "running",
            "step": "download",
            "done": 42_000_000,
            "total": 84_000_000,
        }
        end = step | {"state": "done", "problem": None}
        body = f"event: progress\ndata: {json.dumps(step)}\n\nevent: end\ndata: {json.dumps(end)}\n\n"
        route.fulfill(content_type="text/event-stream", body=body)

    page.route("**/api/v1/models", models)
    page.route(
        "**/api/v1/jobs",
        lambda route: route.fulfill(
            status=202, json={"id": "j", "do": "fetch", "model": "minilm", "state": "queued"}
        ),
    )
    page.route("**/api/v1/jobs/j/events", events)
    page.goto(server.url)
    expect(page.locator("#progress")).to_contain_text("MiniLM is not on this computer yet")
    page.get_by_role("button", name="Download MiniLM").click()
    expect(number(page)).to_have_text("0.487")
    expect(page.locator("#progress")).to_be_hidden()


def test_what_is_typed_is_taken_along_into_the_other_language(page: Page, server):
    visit(page, server)
    box = page.locator("[data-text]")
    box.fill("Not sent yet")
    page.locator("[data-add]").click()
    page.locator("[data-pair]").fill("Nor this")
    page.get_by_role("link", name="한국어").click()
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    expect(number(page)).to_have_text("0.487")
    expect(box).to_have_value("Not sent yet")
    expect(page.locator("[data-pair]")).to_have_value("Nor this")
    page.reload()
    expect(number(page)).to_have_text("0.487")
    expect(box).not_to_have_value("Not sent yet")


def test_a_text_from_right_to_left_is_laid_out_that_way(page: Page, server):
    visit(page, server, f"?words=1&text={quote('القط جلس على السجادة')}")
    boxes = [page.locator(f'#strip [data-token="{at}"]').bounding_box() for at in range(6)]
    assert [box["x"] for box in boxes] == sorted((box["x"] for box in boxes), reverse=True)
    page.locator('#strip [data-token="1"]').focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator('#strip [data-token="2"]')).to_be_focused()
