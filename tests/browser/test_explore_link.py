"""Find the head on the Explore page: asked by clicks, ranked, lit up in the grid, said in words, kept in a link."""

import json
import re
import urllib.request
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from explore_page import CAT, head, near, no_overflow, number, pair, parameters, token, visit
from playwright.sync_api import Page, expect

from app import cli
from attention_core.analysis.link import link
from attention_core.capture import capture

pytestmark = [pytest.mark.browser, pytest.mark.model]

ASKED = f"?text={quote(CAT)}&layer=3&head=1&query=8&key=2&tool=link"


def rows(page: Page):
    return page.locator("#link tbody tr[data-link]")


def cells(page: Page, name):
    """What a head's row shows: its lift, its weight, its share among words and, with rivals, its margin."""
    row = page.locator(f'#link [data-link="{name}"] td')
    expect(row.first).to_be_visible()
    return [text.strip() for text in row.all_inner_texts()]


def said(page: Page):
    return page.locator("#link [data-said]")


def chip(page: Page, group, name):
    return page.locator(f"#link [data-{group}]").get_by_role("button", name=name, exact=True)


def test_the_cat_sentence_names_the_head_and_the_one_to_which_every_word_looks(page, server):
    visit(page, server)
    expect(page.locator("#link")).to_be_hidden()
    page.get_by_role("tab", name="Find the head").click()
    expect(rows(page).first).to_contain_text("L3 H1")
    lift, weight, share = cells(page, "3.1")
    assert float(lift) == pytest.approx(0.37, abs=0.01)
    assert weight == number(page).inner_text()
    expect(said(page)).to_contain_text(f"Of what it gives to words, special tokens aside, that is {share}.")
    chip(page, "rivals", "mat").click()
    expect(page.locator("#link thead th").last).to_have_text("Over rivals")
    assert parameters(page)["rivals"] == "6"
    page.locator('#link [data-link="5.11"]').click()
    expect(said(page)).to_contain_text("every word looks there")
    expect(said(page)).to_contain_text("says little about it")
    expect(page.locator("#focus [data-name]")).to_have_text("L5 H11")
    assert pair(page) == ["it", "cat"]
    near(page, 0.683)
    expect(page.locator("#roles button")).to_have_text([re.compile(r"topic 0\.61")])


def test_page_api_command_line_and_python_agree(page, server, cache, capsys, monkeypatch):
    found = link(capture("minilm", CAT), [8], [2], rivals=[[6]])
    monkeypatch.setenv("ATLAS_CACHE", str(cache))
    assert cli.main(["analyse", "link", CAT, "--query", "it", "--key", "cat", "--rival", "mat", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    with page.expect_response("**/api/v1/traces") as posted:
        visit(page, server, ASKED + "&rivals=6")
    address = f"{server.url}/api/v1/traces/{posted.value.json()['id']}/analyses/link?query=8:9&key=2:3&rivals=6:7"
    with urllib.request.urlopen(address, timeout=60) as reply:
        body = json.load(reply)
    for mine, its, line in zip(found.heads, body["heads"], printed["heads"], strict=True):
        assert (mine.layer, mine.head) == (its["layer"], its["head"]) == (line["layer"], line["head"])
        for name in ("lift", "weight", "share", "margin"):
            assert its[name] == pytest.approx(getattr(mine, name), abs=1e-6) == line[name]
    expect(rows(page).first).to_be_visible()
    for row in rows(page).all():
        layer, index = map(int, row.get_attribute("data-link").split("."))
        one = found.of(layer, index)
        shown = [float(text.replace("−", "-")) for text in cells(page, f"{layer}.{index}")]
        assert shown == pytest.approx([one.lift, one.weight, one.share, one.margin], abs=0.000501)
    first = [row.get_attribute("data-link") for row in rows(page).all()[:8]]
    assert first == [f"{one.layer}.{one.head}" for one in found.heads[:8]]


def test_a_link_restores_the_question_and_the_way_back_undoes_it(page, server):
    visit(page, server, ASKED + "&rivals=6")
    expect(chip(page, "pronouns", "it")).to_have_attribute("aria-pressed", "true")
    expect(chip(page, "rivals", "mat")).to_have_attribute("aria-pressed", "true")
    chip(page, "candidates", "mat").click()
    expect(page.locator("#link select[data-key]")).to_have_value("6")
    assert "rivals" not in page.url or parameters(page)["rivals"] == "6"
    expect(said(page)).to_contain_text("gives mat")
    url, words = page.url, said(page).inner_text()
    page.reload()
    expect(said(page)).to_have_text(words)
    assert page.url == url
    page.go_back()
    expect(said(page)).to_contain_text("gives cat")
    page.locator("#tools").get_by_role("button", name="Close").click()
    assert {"tool", "rivals"}.isdisjoint(parameters(page))


def test_the_other_direction_and_another_word_are_a_click_away(page, server):
    visit(page, server, ASKED)
    expect(said(page)).to_contain_text("it gives cat")
    page.locator("#link [data-swap]").click()
    expect(said(page)).to_contain_text("cat gives it")
    assert (parameters(page)["query"], parameters(page)["key"]) == ("2", "8")
    token(page, 10).click()
    expect(said(page)).to_contain_text("tired gives it")
    page.locator("#link select[data-key]").select_option("3")
    expect(said(page)).to_contain_text("tired gives sat")
    page.locator("#link select[data-rival]").select_option("4")
    expect(chip(page, "rivals", "on")).to_have_attribute("aria-pressed", "true")


def test_the_grid_lights_up_while_the_tool_is_open(page, server):
    visit(page, server, ASKED)
    expect(page.locator("#grid [data-grid]")).to_have_class(re.compile("ranked"))
    strength = "node => Number(getComputedStyle(node).getPropertyValue('--glow'))"
    assert head(page, 3, 1).evaluate(strength) == 1
    assert head(page, 0, 2).evaluate(strength) < 0.1
    page.locator("#tools").get_by_role("button", name="Close").click()
    expect(page.locator("#grid [data-grid]")).not_to_have_class(re.compile("ranked"))


def test_a_head_that_is_not_listed_is_listed_as_the_one_in_focus(page, server):
    visit(page, server, ASKED)
    expect(rows(page).first).to_be_visible()
    head(page, 0, 2).click()
    expect(page.locator("#link tbody tr.part").last).to_have_text("In focus")
    expect(rows(page).last).to_contain_text("L0 H2")
    expect(said(page)).to_contain_text("L0 H2: it gives cat")


def test_a_role_says_its_score_and_its_threshold(page, server):
    visit(page, server, f"?text={quote(CAT)}&layer=0&head=2&query=8&key=7")
    badge = page.locator("#roles button")
    expect(badge).to_have_text([re.compile(r"previous token \d\.\d\d")])
    tip = page.locator("#roles [role=tooltip]")
    expect(tip).to_be_hidden()
    badge.focus()
    expect(tip).to_be_visible()
    expect(tip).to_have_text(re.compile(r"On average [01]\.\d{3} of a row .* \(a role from 0\.50 on\), in this text"))
    head(page, 3, 1).click()
    expect(page.locator("#roles")).to_have_text("No role stands out in this text.")


def test_without_a_pair_it_asks_for_one(page, server):
    visit(page, server, f"?text={quote('Anna met Ben because he called')}&tool=link")
    expect(page.locator("#link [data-wait]")).to_contain_text("Choose the word")
    expect(rows(page)).to_have_count(0)
    chip(page, "pronouns", "he").click()
    chip(page, "candidates", "ben").click()
    chip(page, "rivals", "anna").click()
    expect(said(page)).to_contain_text("he gives ben")
    expect(page.locator("#link thead th")).to_have_count(5)
    page.locator("#link select[data-key]").select_option("0")
    expect(rows(page).first.locator("td").nth(2)).to_have_text("–")


def test_words_of_several_pieces_are_asked_whole(page, server):
    text = "The immunologist met Anna because she was late"
    visit(page, server, f"?text={quote(text)}&tool=link&layer=3&head=1")
    chip(page, "pronouns", "she").click()
    with page.expect_response(re.compile(r"analyses/link\?.*key=2%3A([4-9])")):
        chip(page, "candidates", "immunologist").click()
    expect(said(page)).to_contain_text("she gives immunologist")
    assert parameters(page)["words"] == "1"
    expect(page.locator("#link [data-link='3.1'] td").nth(1)).to_have_text(number(page).inner_text())


def test_a_pair_seen_through_a_filter_is_asked_in_its_own_positions(page, server):
    first, second = "The teacher gave the student a book", "She read the book to him"
    query = f"?text={quote(first)}&pair={quote(second)}&segments=BA&query=9&key=2&tool=link&layer=3&head=1"
    with page.expect_response(re.compile(r"analyses/link\?.*query=9%3A10&key=2%3A3")):
        visit(page, server, query)
    expect(said(page)).to_contain_text("she gives teacher")
    expect(page.locator("#link [data-swap]")).to_be_hidden()


def test_in_a_decoder_a_word_may_not_look_ahead(page, server):
    """The bundled model's own example, asked against its mask."""
    visit(page, server, "?model=induction&tool=link&query=3&key=1")
    expect(rows(page).first).to_be_visible()
    page.locator("#link [data-swap]").click()
    expect(page.locator("#link [data-wait]")).to_contain_text("only what came before it")
    expect(rows(page)).to_have_count(0)
    page.locator("#link [data-swap]").click()
    expect(rows(page).first).to_be_visible()


def test_between_two_languages_the_target_looks_at_the_source(page, server):
    visit(page, server, f"?model=ko-en&text={quote('나는 학교에 갔다')}&kind=cross&query=0&key=0&tool=link")
    expect(rows(page).first).to_be_visible()
    expect(page.locator("#link [data-swap]")).to_be_hidden()


def test_a_long_text_is_asked_only_while_the_tool_is_open(page, server):
    text = "The cat sat on the mat because it was tired. " * 30
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/analyses/" in request.url else None)
    visit(page, server, f"?text={quote(text)}&query=8&key=2")
    page.wait_for_timeout(300)
    assert asked == []
    page.get_by_role("tab", name="Find the head").click()
    expect(rows(page).first).to_be_visible()
    assert len(asked) == 3


def test_nonsense_in_the_address_does_no_harm(page, server):
    for query in ("rivals=9999&", "rivals=8,2&", "rivals=<b>&", "key=8&", "key=9999&", "query=9999&"):
        visit(page, server, f"?{query}text={quote(CAT)}&tool=link&query=8&key=2")
        expect(page.locator("#link")).to_be_visible()
        expect(page.locator("#link [data-wait]:not([hidden]), #link tbody tr").first).to_be_visible()


def test_in_korean(page, server):
    visit(page, server, ASKED + "&rivals=6&lang=ko")
    expect(page.locator("#tools [role=tab][aria-selected=true]")).to_have_text("헤드 찾기")
    expect(rows(page).first).to_contain_text("L3 H1")
    page.locator('#link [data-link="5.11"]').click()
    expect(said(page)).to_contain_text("모든 낱말이 그곳을 봐요")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["en", "ko"])
def test_everybody_can_read_it(page: Page, server, theme, lang):
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": 390, "height": 844})
    visit(page, server, f"{ASKED}&rivals=6&lang={lang}")
    expect(rows(page).first).to_be_visible()
    assert no_overflow(page)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_by_keyboard_alone(page, server):
    visit(page, server, ASKED)
    expect(rows(page).first).to_be_visible()
    button = page.locator('#link [data-link="4.3"] button')
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#focus [data-name]")).to_have_text("L4 H3")
    expect(page.locator('#link [data-link="4.3"] button')).to_be_focused()
    expect(page.locator('#link [data-link="4.3"] button')).to_have_attribute("aria-pressed", "true")
