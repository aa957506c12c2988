"""Compare on the Explore page: a word edited in place, heads off against on, and what changes in each head."""

import re
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from explore_page import CAT, head, no_overflow, parameters, visit
from playwright.sync_api import Page, expect

from attention_core.analysis.comparing import compare
from attention_core.analysis.difference import difference
from attention_core.capture import Example, capture

pytestmark = [pytest.mark.browser, pytest.mark.model]

SOFT = CAT.replace("tired", "soft")
START = f"?text={quote(CAT)}&layer=3&head=1&query=8&key=2&tool=compare"
PAIR = f"{START}&versus={quote(SOFT)}&view=difference"
OFF = "encoder-self.3.1"


def read(page: Page):
    return page.locator("#panel-difference [data-moved]")


def cell(page: Page):
    """The tokens of the cell that is read out and its three numbers: before, after, change."""
    expect(read(page).locator("b")).to_be_visible()
    text = read(page).inner_text().replace("−", "-")
    numbers = [float(number) for number in re.findall(r"-?\d\.\d{3}", text)]
    return read(page).locator("bdi").all_inner_texts(), numbers


def ranked(page: Page):
    """The heads of the list, each with the change it shows."""
    rows = page.locator("#compare tr[data-change]")
    expect(rows.first).to_be_visible()
    return [(row.get_attribute("data-change"), float(row.locator("b").first.inner_text())) for row in rows.all()]


def edit(page: Page, word, other):
    page.locator("#compare [data-words]").get_by_role("button", name=word, exact=True).click()
    page.keyboard.type(other)
    page.keyboard.press("Enter")


def test_a_word_edited_in_place_makes_a_minimal_pair_and_a_link_restores_it(page, server):
    one, other = capture("minilm", CAT), capture("minilm", SOFT)
    found = difference(one, other)
    visit(page, server, START)
    expect(page.get_by_role("tab", name="Difference")).to_be_hidden()
    edit(page, "tired", "soft")
    expect(page.get_by_role("tab", name="Difference")).to_have_attribute("aria-selected", "true")
    before, after = compare(one, other).matrices((3, 1))[:, 8, 2].tolist()
    tokens, numbers = cell(page)
    assert tokens == ["it", "cat"]
    assert numbers == pytest.approx([before, after, after - before], abs=0.000501)
    best = [(f"{one.layer}.{one.head}", pytest.approx(one.change, abs=0.000501)) for one in found.heads[:8]]
    assert ranked(page)[:8] == best
    assert (parameters(page)["versus"], parameters(page)["view"]) == (SOFT, "difference")
    expect(page.locator("#compare .word.edited")).to_have_text("soft")
    expect(page.locator("#grid [data-grid]")).to_have_class(re.compile("ranked"))
    expect(page.locator("#panel-difference .stage.drawn")).to_be_visible()
    expect(page.locator("#panel-difference .ytick text").nth(10)).to_contain_text("tired/soft")
    url, said = page.url, page.locator("#compare [data-said]").inner_text()
    page.reload()
    assert cell(page) == (tokens, numbers)
    expect(page.locator("#compare [data-said]")).to_have_text(said)
    assert page.url == url
    page.locator("#compare").get_by_role("button", name="Back to the first text").click()
    expect(page.get_by_role("tab", name="Difference")).to_be_hidden()
    assert {"versus", "view"}.isdisjoint(parameters(page))
    page.go_back()
    assert cell(page) == (tokens, numbers)


def test_arrow_keys_move_from_head_to_head_and_from_cell_to_cell(page, server):
    visit(page, server, PAIR)
    both = compare(capture("minilm", CAT), capture("minilm", SOFT))
    assert cell(page)[0] == ["it", "cat"]
    head(page, 3, 1).focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#focus [data-name]")).to_have_text("L3 H2")
    change = float((both.matrices((3, 2)).diff(dim=0))[0, 8, 2])
    expect(read(page).locator("b")).to_have_text(f"{change:+.3f}".replace("-", "−"))
    page.locator("#panel-difference [data-stage]").focus()
    page.keyboard.press("ArrowDown")
    expect(read(page).locator("bdi")).to_have_text(["was", "cat"])
    page.keyboard.press("ArrowRight")
    expect(read(page).locator("bdi")).to_have_text(["was", "sat"])
    assert (parameters(page)["query"], parameters(page)["key"]) == ("9", "3")
    row = page.locator("#compare tr[data-change]").nth(1)
    row.get_by_role("button").click()
    expect(page.locator("#focus [data-name]")).to_have_text(row.get_by_role("button").inner_text())
    expect(row.get_by_role("button")).to_be_focused()


def test_a_new_word_stands_in_the_columns_and_has_no_row(page, server):
    visit(page, server, START)
    edit(page, "tired", "very tired")
    expect(page.locator("#panel-difference [data-note]")).to_contain_text("One token stands in only one of the two")
    columns = page.locator("#panel-difference .xtick text")
    expect(columns).to_have_count(13)
    expect(columns.nth(10)).to_contain_text("+very")
    expect(page.locator("#panel-difference .ytick text")).to_have_count(12)


def test_heads_off_are_compared_with_heads_on(page, server):
    on, off = capture("minilm", CAT), capture("minilm", Example(CAT, off=(OFF,)))
    first = difference(on, off).heads[0]
    visit(page, server, f"?text={quote(CAT)}&layer=3&head=1")
    page.get_by_role("button", name="Switch L3 H1 off").click()
    page.get_by_role("tab", name="Difference").click()
    page.get_by_role("tab", name="Compare").click()
    expect(page.locator("#compare [data-off-note]")).to_contain_text("L3 H1")
    assert ranked(page)[0] == (f"{first.layer}.{first.head}", pytest.approx(first.change, abs=0.000501))
    assert not [name for name, change in ranked(page) if name.startswith(("0.", "1.", "2.")) and change > 0]
    page.locator("#compare tr[data-change]").first.get_by_role("button").click()
    expect(page.locator("#focus [data-name]")).to_have_text(f"L{first.layer} H{first.head}")
    largest = first.largest
    expect(read(page).locator("b")).to_have_text(f"{largest.after - largest.before:+.3f}".replace("-", "−"))
    assert cell(page)[1][:2] == pytest.approx([largest.before, largest.after], abs=0.000501)


def test_nonsense_in_the_address_does_no_harm(page, server):
    for query in ("versus=%20&versus_model=nobody", f"versus_model=shapes&versus={quote(CAT)}"):
        visit(page, server, f"{START}&{query}&view=difference")
        expect(page.get_by_role("tab", name="Heatmap")).to_have_attribute("aria-selected", "true")
        expect(page.get_by_role("tab", name="Difference")).to_be_hidden()


@pytest.mark.parametrize(("theme", "lang"), [("light", "ko"), ("dark", "en")])
def test_everybody_can_read_it(page: Page, server, theme, lang):
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": 390, "height": 844})
    visit(page, server, f"{PAIR}&lang={lang}")
    expect(page.locator("#panel-difference .stage.drawn")).to_be_visible()
    assert no_overflow(page)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    expect(page.locator("#panel-difference [data-legend]")).to_have_text(
        {"en": "less … more in the second text", "ko": "두 번째 글에서 덜 … 더"}[lang]
    )


@pytest.mark.refused
def test_what_has_nothing_in_common_says_so(page: Page, server):
    visit(page, server, f"?text={quote(CAT)}&special=hide&tool=compare&versus={quote('dogs bark')}&view=difference")
    expect(page.locator("#panel-difference [data-wait]")).to_contain_text("no word in common")
    expect(page.locator("#compare [data-wait]")).to_contain_text("no word in common")
