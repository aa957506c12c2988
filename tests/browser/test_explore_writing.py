"""A model that continues a text, in the real browser: streaming, stopping, steps, links, and a tab that is closed."""

import json
import re
import time
from pathlib import Path
from urllib.parse import quote
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from axe_playwright_python.sync_playwright import Axe
from explore_page import ask, no_overflow, number, pair, parameters, token, visit
from playwright.sync_api import Page, expect

from attention_core.errors import FetchError
from attention_core.models.catalogue import load_catalogue
from attention_core.models.sources import fetch

pytestmark = [pytest.mark.browser, pytest.mark.model]

TEXT = "lamp goat moon key lamp goat"
STORY = "Once upon a time"  # SmolLM2 tells a long one
INDUCTION = f"?model=induction&layer=1&head=3&tokens=5&text={quote(TEXT)}"


@pytest.fixture(scope="module")
def smollm2(cache: Path, server) -> str:
    """The query of a page with SmolLM2, once it has been fetched and the server has loaded it."""
    try:
        fetch(load_catalogue().entry("smollm2"), cache)
    except FetchError as error:
        pytest.fail(f"smollm2 could not be fetched: {error}", pytrace=False)
    body = json.dumps({"model": "smollm2", "text": STORY}).encode()
    post = Request(f"{server.url}/api/v1/traces", body, {"Content-Type": "application/json"})
    with build_opener(ProxyHandler({})).open(post, timeout=120):
        return f"?model=smollm2&layer=16&tokens=200&text={quote(STORY)}"


def card(page: Page):
    return page.locator("#writing")


def go(page: Page):
    return card(page).locator("[data-go]")


def slider(page: Page):
    return card(page).get_by_role("slider", name="Step")


def finished(page: Page):
    """Waits until the steps of what was written can be used."""
    expect(slider(page)).to_be_enabled(timeout=60_000)


def strip_texts(page: Page, kind=""):
    return page.locator(f"#strip [data-tokens] .tok{kind} bdi").all_inner_texts()


def streamed(page: Page):
    return page.locator("#strip [data-stream] .tok")


def queue(server, model):
    with build_opener(ProxyHandler({})).open(f"{server.url}/metrics", timeout=5) as reply:
        found = re.search(rf'atlas_queue_length{{model="{model}"}} (\d+)', reply.read().decode())
    return int(found[1]) if found else 0


# ---- writing and its steps


def test_the_text_goes_on_and_a_link_brings_it_back(page, server):
    visit(page, server, INDUCTION)
    expect(slider(page)).to_be_hidden()
    go(page).click()
    finished(page)
    expect(page.locator("#strip [data-tokens] .tok")).to_have_count(12)
    assert strip_texts(page) == ["<s>", *TEXT.split(), "moon", "key", "lamp", "goat", "moon"]
    expect(slider(page)).to_have_value("5")
    spoken = re.compile(r"^Step 5 of 5: “moon”, probability (0\.\d\d|[<>] 0\.\d\d)$")
    expect(slider(page)).to_have_attribute("aria-valuetext", spoken)
    assert len(parameters(page)["written"].split(".")) == 5
    shown, link = strip_texts(page), page.url
    page.reload()
    finished(page)
    expect(page.locator("#strip [data-tokens] .tok")).to_have_count(12)
    assert (strip_texts(page), page.url) == (shown, link)
    expect(slider(page)).to_have_value("5")
    page.go_back()
    expect(page.locator("#strip [data-tokens] .tok")).to_have_count(7)
    expect(slider(page)).to_be_hidden()


def test_a_step_puts_the_row_that_wrote_a_token_into_focus(page, server):
    visit(page, server, INDUCTION)
    go(page).click()
    finished(page)
    places = page.evaluate("history.length")
    card(page).get_by_role("button", name="One step back").click()
    slider(page).press("ArrowLeft")
    slider(page).press("ArrowLeft")
    expect(slider(page)).to_have_value("2")
    assert page.evaluate("history.length") == places
    caption = page.locator("#strip [data-caption]")
    expect(caption).to_have_text(
        "How much moon looked at each token in L1 H3 when the model wrote key. Dashed: not written yet at this step."
    )
    # "key" was written by the row of the "moon" before it, which looks at what followed the first "moon".
    expect(page.locator("#focus [data-read] bdi").first).to_have_text("moon")
    assert pair(page) == ["moon", "key"]
    assert float(number(page).inner_text()) > 0.5
    assert strip_texts(page, ".now") == ["key"]
    assert strip_texts(page, ".later") == ["lamp", "goat", "moon"]
    expect(token(page, 7)).to_have_class(re.compile("chosen"))
    expect(page.locator("#said .hint")).to_contain_text("after moon")
    expect(page.locator("#said .bars .actual bdi")).to_have_text("key")
    page.reload()
    expect(slider(page)).to_have_value("2")
    assert strip_texts(page, ".later") == ["lamp", "goat", "moon"]
    # A token that is chosen by hand is a step too, and one of the prompt is none.
    token(page, 9).click()
    expect(slider(page)).to_have_value("4")
    token(page, 1).click()
    expect(slider(page)).to_have_attribute("aria-valuetext", re.compile("5 tokens were written"))
    assert strip_texts(page, ".later") == []


def test_the_steps_play_and_pause(page, server):
    visit(page, server, INDUCTION)
    go(page).click()
    finished(page)
    places = page.evaluate("history.length")
    card(page).get_by_role("button", name="Play the steps").click()
    expect(slider(page)).to_have_value("2", timeout=5000)
    card(page).get_by_role("button", name="Pause").click()
    stands = slider(page).input_value()
    page.wait_for_timeout(1000)
    expect(slider(page)).to_have_value(stands)
    card(page).get_by_role("button", name="Play the steps").click()
    page.keyboard.press("Escape")
    card(page).get_by_role("button", name="Play the steps").click()
    expect(slider(page)).to_have_value("5", timeout=5000)
    expect(card(page).get_by_role("button", name="Play the steps")).to_be_visible()
    assert page.evaluate("history.length") == places


def test_more_again_and_back(page, server):
    visit(page, server, INDUCTION)
    go(page).click()
    finished(page)
    card(page).get_by_role("button", name="Continue further").click()
    expect(slider(page)).to_have_attribute("max", "10")
    finished(page)
    expect(page.locator("#strip [data-tokens] .tok")).to_have_count(17)
    assert strip_texts(page)[-5:] == ["key", "lamp", "goat", "moon", "key"]
    card(page).get_by_role("combobox", name="Next token").select_option("sample")
    card(page).get_by_role("spinbutton", name="Temperature").fill("4")
    card(page).get_by_role("button", name="Write again").click()
    expect(slider(page)).to_have_attribute("max", "5")
    finished(page)
    assert (parameters(page)["seed"], parameters(page)["temperature"]) == ("1", "4")
    card(page).get_by_role("button", name="Remove what was written").click()
    expect(page.locator("#strip [data-tokens] .tok")).to_have_count(7)
    assert "written" not in parameters(page)


def test_what_is_typed_goes_on_without_a_look_first(page, server):
    visit(page, server, INDUCTION)
    page.get_by_role("textbox").fill("bell cake glove bell")
    go(page).click()
    finished(page)
    expect(page.locator("#strip [data-tokens] .tok")).to_have_count(10)
    assert strip_texts(page)[1:6] == ["bell", "cake", "glove", "bell", "cake"]
    assert parameters(page)["text"] == "bell cake glove bell"


def test_another_text_and_another_model_begin_without_it(page, server):
    visit(page, server, INDUCTION)
    go(page).click()
    finished(page)
    ask(page, "moon key moon")
    expect(page.locator("#strip [data-tokens] .tok")).to_have_count(4)
    assert "written" not in parameters(page)
    page.get_by_role("combobox", name="Model").select_option("minilm")
    expect(card(page)).to_be_hidden()


def test_numbers_that_are_out_of_range_start_nothing(page, server):
    asked = []
    page.on("request", lambda request: request.url.endswith("/jobs") and asked.append(request))
    visit(page, server, f"{INDUCTION}&method=sample")
    for name, wrong in (("Tokens", "257"), ("Temperature", "0"), ("Top-k", "0"), ("Seed", "-1")):
        field = card(page).get_by_role("spinbutton", name=name)
        right = field.input_value()
        field.fill(wrong)
        go(page).click()
        expect(field).to_be_focused()
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(card(page).get_by_role("alert")).to_contain_text("please")
        field.fill(right)
        field.press("Tab")
    assert asked == []
    go(page).click()
    finished(page)
    assert len(asked) == 1


def test_a_full_context_is_said_and_another_text_opens_it_again(page, server):
    visit(page, server, f"?model=induction&layer=1&head=3&tokens=9&text={quote('lamp goat ' * 61)}")
    expect(card(page).locator("[data-over]")).to_have_text("Only 5 more tokens can be written here.")
    go(page).click()
    finished(page)
    full = "The model's 128 places are full; it cannot write any more."
    expect(card(page).locator("[data-over]")).to_have_text(full)
    expect(card(page).locator("[data-spoken]")).to_contain_text(full)
    expect(go(page)).to_be_disabled()
    page.get_by_role("textbox").fill("moon key moon")
    expect(go(page)).to_be_enabled()


@pytest.mark.refused
def test_a_link_with_tokens_that_are_none_has_a_way_out(page: Page, server):
    page.goto(f"{server.url}/{INDUCTION}&written=9999")
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_role("button", name="Look").click()
    expect(page.locator("#strip [data-tokens] .tok")).to_have_count(7)


# ---- everybody


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["en", "ko"])
def test_axe_finds_nothing_in_what_was_written(page, server, theme, lang):
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    visit(page, server, f"{INDUCTION}&method=sample&lang={lang}")
    go(page).click()
    expect(card(page).locator("[data-slider]")).to_be_enabled(timeout=60_000)
    card(page).locator("[data-back]").click()
    expect(page.locator("#strip .tok.later")).to_have_count(1)
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    found = Axe().run(page).response["violations"]
    assert [(fault["id"], [node["target"] for node in fault["nodes"]]) for fault in found] == []


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_it_fits_a_phone(page, server, lang):
    page.set_viewport_size({"width": 390, "height": 844})
    visit(page, server, f"{INDUCTION}&method=sample&lang={lang}")
    assert no_overflow(page)
    go(page).click()
    expect(card(page).locator("[data-slider]")).to_be_enabled(timeout=60_000)
    assert no_overflow(page)


# ---- the real decoder, which takes a while


def test_escape_stops_and_keeps_what_was_written(page, server, smollm2):
    statuses = []
    page.on("response", lambda reply: reply.url.endswith("/traces") and statuses.append(reply.status))
    visit(page, server, smollm2)
    left = page.locator("#grid").bounding_box()["x"]
    go(page).focus()
    page.keyboard.press("Enter")
    expect(go(page)).to_have_text("Stop")
    expect(streamed(page).nth(7)).to_be_visible(timeout=30_000)
    assert " ".join(streamed(page).locator("bdi").all_inner_texts()[:4]) == STORY
    # The newest token has no number yet: only the step after it will look at it.
    expect(page.locator("#strip [data-stream] .now .num")).to_have_text("\u00a0")
    expect(page.locator("#strip [data-caption]")).to_contain_text("in L16 H0 when the model wrote")
    expect(page.locator("#said .bars .actual")).to_have_count(1)
    assert page.locator("#grid").bounding_box()["x"] == left
    # Another head in focus colours the same text by its own rows.
    page.locator('#grid [data-head="16.1"]').click()
    expect(page.locator("#strip [data-caption]")).to_contain_text("in L16 H1 when the model wrote", timeout=30_000)
    page.keyboard.press("Escape")
    finished(page)
    count = len(parameters(page)["written"].split("."))
    assert 3 <= count < 200
    expect(page.locator("#strip [data-tokens] .tok")).to_have_count(4 + count)
    assert statuses[-1] == 200  # the server had the trace already
    expect(card(page).locator("[aria-live]")).to_contain_text(f"{count} new tokens")


def test_a_question_in_the_chat(page, server, smollm2):
    visit(page, server, "?model=smollm2")
    page.get_by_role("link", name="a question in the chat").click()
    expect(card(page).get_by_role("checkbox", name="Chat")).to_be_checked()
    expect(page.locator("#strip [data-tokens] .tok").first).to_contain_text("<|im_start|>", timeout=30_000)
    expect(card(page).locator("[data-help]")).to_contain_text("chat template")
    go(page).click()
    finished(page)
    expect(page.locator("#strip [data-tokens] .tok").last).to_contain_text("<|im_end|>")
    assert "Paris" in strip_texts(page)
    expect(card(page).locator("[data-over]")).to_have_text("The model ended its text here.")
    expect(go(page)).to_be_disabled()
    page.get_by_role("textbox").fill("What is two plus two?")
    card(page).get_by_role("checkbox", name="Chat").uncheck()
    expect(page.locator("#strip [data-tokens] .tok").first).to_contain_text("What")
    assert "written" not in parameters(page)
    assert parameters(page)["text"] == "What is two plus two?"  # the draft is taken along


def test_a_closed_tab_frees_the_lane(page: Page, server, smollm2):
    visit(page, server, smollm2)
    go(page).click()
    expect(streamed(page).nth(6)).to_be_visible(timeout=30_000)
    assert queue(server, "smollm2") == 1
    page.close()
    end = time.monotonic() + 15
    while queue(server, "smollm2"):
        assert time.monotonic() < end, "the model still writes"
        time.sleep(0.2)


def test_leaving_for_another_text_ends_the_writing(page, server, smollm2):
    visit(page, server, smollm2)
    go(page).click()
    expect(streamed(page).nth(6)).to_be_visible(timeout=30_000)
    page.get_by_role("combobox", name="Model").select_option("minilm")
    expect(page.locator("#strip [data-tokens] .tok").first).to_contain_text("[CLS]", timeout=30_000)
    expect(card(page)).to_be_hidden()
    page.go_back()
    # What stood by then stands in a place of its own, before it the text alone.
    expect(go(page)).to_have_text("Continue further", timeout=60_000)
    finished(page)
    count = len(parameters(page)["written"].split("."))
    assert 1 <= count < 200
    expect(page.locator("#strip [data-tokens] .tok")).to_have_count(4 + count)
    page.go_back()
    expect(page.locator("#strip [data-tokens] .tok")).to_have_count(4)
    expect(go(page)).to_have_text("Continue")
