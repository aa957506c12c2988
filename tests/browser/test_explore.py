"""The Explore page on the real server and the real model, as a visitor uses it."""

import json
import re
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from explore_page import (
    CAT,
    HOSTILE,
    KOREAN,
    LONG,
    ask,
    head,
    heatmap_box,
    labels,
    near,
    number,
    pair,
    parameters,
    token,
    visit,
)
from playwright.sync_api import Route, expect

from attention_core.capture import capture

pytestmark = [pytest.mark.browser, pytest.mark.model]

# ---- the sentence and its heads


def test_the_page_opens_on_the_cat_with_all_heads(page, server):
    visit(page, server)
    expect(page.locator("#grid [data-head] canvas")).to_have_count(72)
    expect(page.locator("#grid [role=row]")).to_have_count(7)
    expect(head(page, 3, 1)).to_have_attribute("aria-selected", "true")
    expect(page.locator("#focus h2")).to_have_text("L3 H1")
    assert pair(page) == ["it", "cat"]
    assert near(page, 0.487)
    assert urlsplit(page.url).query == ""


def test_a_pasted_sentence_is_read_with_exact_numbers(page, server):
    visit(page, server, f"?text={quote('Hello there')}&layer=3&head=1")
    ask(page, CAT)
    expect(page.locator("#ask [data-summary]")).to_contain_text("12 tokens · 72 heads")
    token(page, 8).click()
    assert pair(page) == ["it", "cat"]
    assert near(page, 0.487)
    expect(token(page, 2).locator(".num")).to_have_text("0.49")
    head(page, 5, 11).click()
    expect(page.locator("#focus h2")).to_have_text("L5 H11")
    assert near(page, 0.683)


def test_a_head_with_a_hint_is_one_click_away(page, server):
    visit(page, server)
    page.locator("#hints button").filter(has_text="L5 H11").click()
    expect(page.locator("#focus h2")).to_have_text("L5 H11")
    assert near(page, 0.683)


def test_hovering_shows_a_head_larger_and_chooses_nothing(page, server):
    visit(page, server)
    head(page, 0, 2).hover()
    expect(page.locator("#grid [data-peek] [data-name]")).to_have_text("L0 H2")
    expect(page.locator("#focus h2")).to_have_text("L3 H1")
    assert urlsplit(page.url).query == ""


def test_examples_load_with_a_click(page, server):
    visit(page, server)
    page.get_by_role("link", name="a long text").click()
    expect(page.locator("#panel-heatmap [data-note]")).to_contain_text(
        "Each cell shows the largest weight of up to 2 × 2 tokens"
    )
    assert page.locator("#strip .tok").count() > 300


# ---- state


def test_the_url_restores_the_view_in_a_new_tab(page, server):
    visit(page, server, "?lang=en")
    head(page, 5, 11).click()
    token(page, 8).click()
    page.get_by_role("tab", name="Table").click()
    page.get_by_label("Scale").select_option("log")
    page.get_by_label("Range").select_option("head")
    read, url = number(page).inner_text(), page.url
    other = page.context.new_page()
    other.goto(url)
    expect(number(other)).to_have_text(read)
    expect(other.locator("#focus h2")).to_have_text("L5 H11")
    expect(other.get_by_role("tab", name="Table")).to_have_attribute("aria-selected", "true")
    expect(other.get_by_label("Scale")).to_have_value("log")
    expect(other.get_by_label("Range")).to_have_value("head")
    other.close()


def test_back_and_forward_walk_through_the_choices(page, server):
    visit(page, server)
    head(page, 5, 11).click()
    expect(page.locator("#focus h2")).to_have_text("L5 H11")
    ask(page, "A dog barked")
    expect(page.locator("#strip .tok")).to_have_count(5)
    page.go_back()
    expect(page.locator("#strip .tok")).to_have_count(12)
    expect(page.get_by_role("textbox")).to_have_value(CAT)
    page.go_back()
    expect(page.locator("#focus h2")).to_have_text("L3 H1")
    assert near(page, 0.487)
    page.go_forward()
    expect(page.locator("#focus h2")).to_have_text("L5 H11")


def test_a_head_that_is_chosen_while_a_sentence_is_read_does_not_lose_it(page, server):
    visit(page, server)
    held = []
    page.route("**/api/v1/traces", lambda route: held.append(route))
    with page.expect_request("**/api/v1/traces"):
        ask(page, "A dog barked")
    head(page, 5, 11).click()
    expect(page.locator("#focus h2")).to_have_text("L5 H11")
    expect(page.locator("#strip .tok")).to_have_count(12)
    held[0].continue_()
    expect(page.locator("#strip .tok")).to_have_count(5)
    expect(page.locator("#focus h2")).to_have_text("L5 H11")
    expect(page.locator("#focus")).to_have_attribute("aria-busy", "false")


def test_a_bad_url_falls_back_and_still_shows_a_picture(page, server):
    visit(page, server, "?layer=99&head=x&query=9999&view=pie&queries=9:2")
    expect(page.locator("#focus h2")).to_have_text("L0 H0")
    expect(page.get_by_role("tab", name="Heatmap")).to_have_attribute("aria-selected", "true")


def test_the_link_is_copied_and_confirmed(page, server):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit(page, server, "?view=lines")
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("[data-copied]")).to_have_text("Link copied")
    link = urlsplit(page.evaluate("navigator.clipboard.readText()"))
    assert f"{link.scheme}://{link.netloc}{link.path}" == f"{server.url}/"
    assert dict(parse_qsl(link.query)) == {
        "text": CAT, "model": "minilm", "rev": "53aa51172d14", "layer": "3", "head": "1", "query": "8", "key": "2",
        "view": "lines", "theme": "light", "lang": "en",
    }  # fmt: skip


# ---- keyboard


def test_arrow_keys_move_the_head_in_focus(page, server):
    visit(page, server)
    head(page, 3, 1).focus()
    for key, name in [
        ("ArrowRight", "L3 H2"),
        ("ArrowDown", "L4 H2"),
        ("Home", "L4 H0"),
        ("End", "L4 H11"),
        ("ArrowUp", "L3 H11"),
    ]:
        page.keyboard.press(key)
        expect(page.locator("#focus h2")).to_have_text(name)
        named = re.compile(rf"^{name}(: .+)?$")  # and its roles
        expect(page.locator("#grid [data-head]:focus")).to_have_attribute("aria-label", named)
    expect(page.locator('#grid [tabindex="0"]')).to_have_count(1)


def test_arrow_keys_move_the_chosen_cell_and_say_so(page, server):
    visit(page, server)
    page.locator("#panel-heatmap [data-stage]").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    cell = page.locator("#panel-heatmap [role=grid] [role=gridcell]")
    share = capture("minilm", CAT).map("encoder-self", 3).weights(1)[0, 7, 3].item()
    said = f"{share:.1%}" if share < 0.0095 else f"{share:.0%}"
    expect(cell).to_have_text(f"query because, key sat, {said}")
    grid = page.locator("#panel-heatmap [role=grid]")
    expect(grid).to_have_attribute("aria-activedescendant", str(cell.get_attribute("id")))
    assert (grid.get_attribute("aria-rowcount"), grid.get_attribute("aria-colcount")) == ("12", "12")
    assert (cell.get_attribute("aria-colindex"), cell.locator("..").get_attribute("aria-rowindex")) == ("4", "8")
    assert pair(page) == ["because", "sat"]
    assert (parameters(page)["query"], parameters(page)["key"]) == ("7", "3")


def test_tabs_work_by_keyboard(page, server):
    visit(page, server)
    page.get_by_role("tab", name="Heatmap").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Lines")).to_be_focused()
    expect(page.locator("#panel-lines")).to_be_visible()
    page.keyboard.press("End")
    expect(page.locator("#panel-compute")).to_be_visible()
    expect(page.locator("#panel-lines")).to_be_hidden()


def test_enter_that_ends_a_korean_syllable_does_not_send(page, server):
    visit(page, server)
    box = page.get_by_role("textbox")
    box.fill(KOREAN)
    box.dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True})
    box.press("Shift+Enter")
    expect(page.locator("#strip .tok")).to_have_count(12)
    assert urlsplit(page.url).query == ""


# ---- views


def test_the_heatmap_reads_exactly_under_the_pointer_and_chooses_with_a_click(page, server):
    visit(page, server)
    box = heatmap_box(page)
    x, y = box["x"] + box["width"] * 2.5 / 12, box["y"] + box["height"] * 1.5 / 12
    page.mouse.move(x, y)
    expect(page.locator("#panel-heatmap [data-tip]")).to_have_text("the → cat 0.613")
    assert pair(page) == ["it", "cat"]
    page.mouse.click(x, y)
    assert pair(page) == ["the", "cat"]
    assert near(page, 0.613)


def test_dragging_zooms_into_a_window_and_reset_leaves_it(page, server):
    visit(page, server)
    box = heatmap_box(page)

    def at(column, row):
        return box["x"] + box["width"] * column / 12, box["y"] + box["height"] * row / 12

    page.mouse.move(*at(1.5, 6.5))
    page.mouse.down()
    page.mouse.move(*at(6.5, 10.5), steps=8)
    page.mouse.up()
    expect(page.locator("#panel-heatmap [data-note]")).to_contain_text("Rows 6–10, columns 1–6.")
    assert (parameters(page)["queries"], parameters(page)["keys"]) == ("6:11", "1:7")
    assert labels(page, "y") == ["mat", "because", "it", "was", "tired"]
    assert near(page, 0.487)
    page.get_by_role("button", name="Reset").click()
    expect(page.locator("#panel-heatmap .ytick text")).to_have_count(12)
    assert "queries" not in parameters(page)


def test_a_long_text_is_an_overview_and_exact_when_zoomed(page, server):
    visit(page, server, f"?text={quote(LONG)}&head=2")
    note = page.locator("#panel-heatmap [data-note]")
    expect(note).to_contain_text("largest weight of up to 2 × 2 tokens")
    read = number(page).inner_text()
    page.get_by_role("button", name="Zoom in").click()
    expect(note).to_contain_text("exact weight")
    expect(number(page)).to_have_text(read)
    page.get_by_role("tab", name="Lines").click()
    expect(page.locator("#panel-lines [data-note]")).to_contain_text("only the chosen one's 24 strongest lines")


def test_lines_isolate_a_token(page, server):
    visit(page, server, "?view=lines")
    lines = page.locator("#panel-lines path:visible")
    everything = lines.count()
    page.locator("#panel-lines [data-left] button").nth(1).hover()
    isolated = lines.count()
    assert 0 < isolated < everything
    expect(page.locator("#panel-lines [data-right] .num").nth(2)).to_have_text("0.61")
    page.locator("#panel-lines [data-left] button").nth(1).click()
    assert pair(page) == ["the", "cat"]


def test_the_table_holds_the_row_and_the_column_with_exact_numbers(page, server):
    visit(page, server, "?view=table")
    row = page.locator("#panel-table [data-row]")
    expect(row.locator("caption")).to_have_text("it looks at")
    first = row.locator("tbody tr").first
    expect(first.locator("td.token")).to_have_text("cat")
    expect(first.locator("td.weight")).to_have_text("0.487")
    assert float(row.locator("tfoot td.weight").inner_text()) == pytest.approx(1, abs=0.001)
    page.get_by_label("Order").select_option("position")
    expect(first.locator("td.token")).to_have_text("[CLS]")
    column = page.locator("#panel-table [data-column]")
    column.get_by_role("button", name="the").first.click()
    expect(row.locator("caption")).to_have_text("the looks at")


# ---- languages and scripts


def test_the_korean_interface_shows(page, server):
    visit(page, server, "?head=2&layer=3")
    page.get_by_role("link", name="한국어").click()
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    expect(page.get_by_role("button", name="살펴보기")).to_be_visible()
    expect(page.locator("#focus h2")).to_have_text("L3 H2")
    head(page, 3, 4).click()
    assert parameters(page)["lang"] == "ko"


def test_korean_in_an_english_model_is_shown_as_it_is_and_said_so(page, server):
    visit(page, server)
    ask(page, KOREAN)
    expect(page.locator("#notices")).to_contain_text("MiniLM has not learned Korean")
    expect(page.locator("#strip .word").nth(1).locator(".tok")).to_have_count(5)
    assert page.locator("#strip .word").nth(1).locator("bdi").all_inner_texts() == [
        "ㄴ",
        "ㅏ",
        "ㄴ",
        "ㅡ",
        "ㄴ",
    ]


def rename_tokens(route: Route):
    """The real reply with tokens that no tokenizer makes in one piece."""
    response = route.fetch()
    trace = response.json()
    trace["source"]["texts"][1 : 1 + len(HOSTILE)] = HOSTILE
    route.fulfill(response=response, body=json.dumps(trace))


@pytest.mark.parametrize("view", ["heatmap", "lines", "table"])
def test_hostile_tokens_are_shown_as_typed(page, server, view):
    page.route("**/api/v1/traces", rename_tokens)
    visit(page, server, f"?view={view}")
    shown = {
        "heatmap": lambda: labels(page, "y"),
        "lines": lambda: page.locator("#panel-lines [data-left] bdi").all_inner_texts(),
        "table": lambda: page.locator("#panel-table [data-row] tbody bdi").all_inner_texts(),
    }
    if view == "heatmap":
        heatmap_box(page)
    assert set(HOSTILE) - {"<a href=x>y</a>"} <= set(shown[view]())
    assert any(text.startswith("<a href=x>y<") for text in shown[view]())
    assert page.locator("#strip .tok bdi").all_inner_texts()[1 : 1 + len(HOSTILE)] == HOSTILE
    expect(page.locator(".cols a, .cols br, #strip a, #strip b, #strip br")).to_have_count(0)


def test_markup_in_the_sentence_stays_text(page, server):
    visit(page, server)
    ask(page, "<img src=x onerror=alert(1)> </script><b>bold</b>")
    expect(token(page, 1)).to_contain_text("<")
    expect(page.locator("main img, main script")).to_have_count(0)
