"""Two sentences on the Explore page: added, told apart, filtered in every view, kept in the address, removed."""

import re
from itertools import pairwise
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from explore_page import KOREAN, head, heatmap_box, labels, no_overflow, number, pair, parameters, token, visit
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.model]

FIRST, SECOND = "The teacher gave the student a book", "The student read the book to the teacher"
PAIR = f"text={quote(FIRST)}&pair={quote(SECOND)}&layer=2&head=9&query=5&key=10"
ENGLISH = "I went to school"
FIRST_WORDS, SECOND_WORDS = FIRST.lower().split(), SECOND.lower().split()


def add(page, second):
    page.get_by_role("button", name="Add a second sentence").click()
    expect(page.get_by_label("Your second sentence")).to_be_focused()
    page.keyboard.type(second)
    page.keyboard.press("Enter")


def look(page, name):
    page.locator("[data-between] label").filter(has_text=name).click()


def strip_words(page, row="data-token"):
    return page.locator(f"#strip [{row}] bdi").all_inner_texts()


def test_a_second_sentence_is_added_told_apart_and_removed(page, server):
    visit(page, server, f"?text={quote(FIRST)}&layer=2&head=9")
    expect(page.locator("[data-between]")).to_be_hidden()
    add(page, SECOND)
    expect(page.locator("#strip .tok")).to_have_count(18)
    assert page.locator("#strip [data-tokens] > .seg").all_inner_texts() == ["A", "B"]
    assert parameters(page)["pair"] == SECOND
    said = re.compile(r"gives sentence A \d+ % of its weight and sentence B \d+ %")
    expect(page.locator("[data-shared]")).to_have_text(said)
    expect(page.locator("[data-between] input").first).to_be_checked()
    look(page, "A → B")
    expect(page.locator("#strip [data-query]")).to_have_count(9)
    page.get_by_role("button", name="Remove the second sentence").click()
    expect(page.locator("#strip .tok")).to_have_count(9)
    expect(page.get_by_role("button", name="Add a second sentence")).to_be_focused()
    assert {"pair", "segments"}.isdisjoint(parameters(page))
    page.go_back()
    expect(page.locator("#strip .tok")).to_have_count(18)
    expect(page.get_by_label("Your second sentence")).to_have_value(SECOND)


def test_a_filter_holds_in_every_view_and_after_a_reload(page, server):
    visit(page, server, f"?{PAIR}&special=hide")
    look(page, "A → B")
    expect(page.locator("#strip [data-query]")).to_have_count(7)
    assert (strip_words(page, "data-query"), strip_words(page)) == (FIRST_WORDS, SECOND_WORDS)
    assert pair(page) == ["student", "student"]
    assert page.locator("#focus [data-read] .seg").all_inner_texts() == ["A", "B"]
    heatmap_box(page)
    assert (labels(page, "y")[::1], labels(page, "x")) == (FIRST_WORDS, SECOND_WORDS)
    assert page.locator("#grid canvas").first.evaluate("node => [node.width, node.height]") == [8, 7]
    page.get_by_role("tab", name="Lines").click()
    sides = [page.locator(f"#panel-lines [data-{side}] bdi").all_inner_texts() for side in ("left", "right")]
    assert sides == [FIRST_WORDS, SECOND_WORDS]
    page.get_by_role("tab", name="Table").click()
    page.get_by_label("Order").select_option("position")
    cells = [page.locator(f"#panel-table [data-{side}] td.token").all_inner_texts() for side in ("row", "column")]
    assert cells == [SECOND_WORDS, FIRST_WORDS]
    assert set(page.locator("#panel-table [data-row] .seg").all_inner_texts()) == {"B"}
    said, url = page.locator("[data-shared]").inner_text(), page.url
    assert re.search(r"\d+ % of the weight of student lies in sentence A and is not shown here", said)
    page.reload()
    expect(page.locator("#strip [data-query]")).to_have_count(7)
    expect(page.locator("[data-shared]")).to_have_text(said)
    assert page.url == url
    expect(page.locator("[data-between] input[value=AB]")).to_be_checked()


def test_a_filter_draws_the_colours_up_to_what_is_shown_and_the_legend_says_so(page, server):
    visit(page, server, f"?{PAIR}")
    assert page.get_by_label("Range").input_value() == "unit"
    look(page, "A → B")
    expect(page.get_by_label("Range")).to_have_value("head")
    expect(page.locator("#legend-text")).to_contain_text("the largest weight of this head that is shown here, 0.")
    page.get_by_label("Special tokens").select_option("renormalise")
    expect(page.locator("#looking-help")).to_contain_text("scaled up to 1; then the rows of A and the columns of B")
    said = re.compile(r"^\d+ % of the weight of student lay on special tokens .* \d+ % lies in sentence A")
    expect(page.locator("[data-shared]")).to_have_text(said)
    page.get_by_label("Range").select_option("unit")
    assert parameters(page)["range"] == "unit"
    expect(page.locator("#legend-text")).to_contain_text("a weight of 1")


def test_what_is_cut_away_is_what_the_sentence_says(page, server):
    visit(page, server, f"?{PAIR}&view=table")
    whole = float(page.locator("#panel-table [data-row] tfoot td").last.inner_text())
    parts = []
    for name, other in (("A → A", "B"), ("A → B", "A")):
        look(page, name)
        expect(page.locator("[data-shared]")).to_contain_text(f"lies in sentence {other}")
        shown = float(page.locator("#panel-table [data-row] tfoot td").last.inner_text())
        said = int(re.search(r"(\d+) %", page.locator("[data-shared]").inner_text()).group(1))
        assert said == pytest.approx(100 * (whole - shown), abs=1)
        parts.append(shown)
    assert sum(parts) == pytest.approx(whole, abs=0.0015)


def test_a_head_a_hint_and_another_text_keep_pair_and_filter(page, server):
    visit(page, server, f"?{PAIR}&segments=AB")
    head(page, 0, 8).click()
    hints = page.locator("#hints button")
    expect(hints.first).to_contain_text("L2 H9")  # the one that speaks of two sentences
    hints.first.click()
    expect(hints.first).to_have_attribute("aria-pressed", "true")
    hints.filter(has_text="L3 H1").click()
    expect(page.locator("#focus h2")).to_have_text("L3 H1")
    expect(page.locator("#hints [aria-pressed=true]")).to_have_count(0)  # it speaks of one sentence
    page.get_by_label("Your sentence").fill("A dog barked")
    page.get_by_label("Your sentence").press("Enter")
    expect(page.locator("#strip [data-query]")).to_have_count(5)
    assert (parameters(page)["pair"], parameters(page)["segments"]) == (SECOND, "AB")
    page.locator("#strip [data-query='2']").click()
    token(page, 1).click()
    assert pair(page) == ["dog", "student"]
    assert (parameters(page)["query"], parameters(page)["key"]) == ("2", "6")


def test_a_model_that_reads_one_text_drops_the_second(page, server):
    visit(page, server, f"?{PAIR}&segments=AB")
    page.get_by_label("Model", exact=True).select_option("induction")
    expect(page.get_by_label("Your second sentence")).to_be_hidden()
    expect(page.get_by_role("button", name="Add a second sentence")).to_be_hidden()
    assert {"pair", "segments"}.isdisjoint(parameters(page))


def test_a_filter_in_a_link_without_a_second_sentence_shows_everything(page, server):
    visit(page, server, "?segments=AB")
    expect(page.locator("#strip .tok")).to_have_count(12)
    expect(page.locator("[data-between]")).to_be_hidden()
    expect(page.locator("[data-shared]")).to_be_hidden()


@pytest.mark.refused
def test_two_sentences_that_are_too_long_or_empty_are_said_so(page: Page, server):
    visit(page, server, f"?text={quote('cat ' * 300)}")
    add(page, "dog " * 300)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The two sentences have 300 and 300 tokens")
    expect(alert.get_by_role("button")).to_have_count(0)
    page.get_by_label("Your second sentence").fill("[SEP]")
    page.get_by_label("Your second sentence").press("Enter")
    expect(alert).to_contain_text("The second sentence holds nothing to look at")
    page.get_by_role("button", name="Remove the second sentence").click()
    expect(alert).to_have_count(0)
    expect(number(page)).to_be_visible()


def test_the_example_shows_the_same_word_in_the_other_sentence(page, server):
    visit(page, server)
    page.get_by_role("link", name="two sentences: the same words").click()
    expect(page.locator("#focus h2")).to_have_text("L2 H9")
    expect(page.locator("#strip .tok")).to_have_count(18)
    assert pair(page) == ["student", "student"]
    assert float(number(page).inner_text()) > 0.5


def test_a_korean_sentence_and_its_translation_with_whole_words(page, server):
    visit(page, server, "?model=e5-multilingual&lang=ko")
    page.get_by_role("link", name="나는 학교에 갔다 + 영어").click()
    expect(page.get_by_label("두 번째 문장", exact=True)).to_have_value(ENGLISH)
    page.get_by_label("낱말 단위").check()
    page.get_by_label("특수 토큰").select_option("hide")
    look(page, "A → B")
    expect(page.locator("#strip [data-query]")).to_have_count(3)
    assert (strip_words(page, "data-query"), strip_words(page)) == (KOREAN.split(), ENGLISH.split())
    expect(page.locator("[data-row-name]").first).to_have_text("보는 쪽: 문장 A")
    found = []
    for index in range(3):
        page.locator(f"#strip [data-query='{index}']").click()
        found.append(pair(page))
    assert found == [["나는", "I"], ["학교에", "school"], ["갔다", "went"]]
    expect(page.locator("[data-shared]")).to_contain_text("여기 보이지 않는 문장 A에 있고")
    assert no_overflow(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("query", [PAIR, f"{PAIR}&segments=AB&view=lines&lang=ko", f"{PAIR}&segments=BB&view=table"])
def test_axe_finds_nothing_in_a_pair(page, server, theme, query):
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    visit(page, server, f"?{query}")
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    expect(page.locator("html")).to_have_attribute("data-theme", theme)
    found = Axe().run(page).response["violations"]
    assert [(fault["id"], [node["target"] for node in fault["nodes"]]) for fault in found] == []


@pytest.mark.parametrize("query", [PAIR, f"{PAIR}&segments=AB&view=lines", f"{PAIR}&view=table&lang=ko"])
def test_a_pair_fits_a_phone(page, server, query):
    page.set_viewport_size({"width": 390, "height": 844})
    visit(page, server, f"?{query}")
    assert no_overflow(page)
    boxes = [page.locator(place).bounding_box() for place in ("[data-text]", "[data-second]", "[data-look]")]
    assert all(above["y"] + above["height"] <= below["y"] for above, below in pairwise(boxes))
