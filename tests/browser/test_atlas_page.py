"""The page of a model's head atlas, and what of it stands on the Explore page: roles, their chips, and a sentence."""

import json
import re
import shutil
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from explore_page import CAT, head, no_overflow, number, parameters, visit
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from attention_core.experiments.evaluate.keeping import folder_of
from attention_core.models.catalogue import load_catalogue

pytestmark = [pytest.mark.browser, pytest.mark.model]

CARD = load_catalogue().entry("minilm").card
HOSTILE = "<img src=x>.jsonl"
# Sets of pronouns by hand: file, rows that are reported, right, interval, twins.
SETS = [
    ("novels.jsonl", 424, 0.75, [0.7, 0.79], None),
    (HOSTILE, 100, 0.56, [0.48, 0.6], {"pairs": 52, "both_right": 0.15, "same_answer": 0.85}),
]


def shares(layer: int, index: int, share: float) -> list[list[float]]:
    """A table of 6 by 12 heads that guess, but for one."""
    return [[share if (one, other) == (layer, index) else 0.3 for other in range(12)] for one in range(6)]


def chosen(layer: int, index: int, rows: int, right: float, interval: list[float]) -> dict:
    return {"rows": rows, "chosen": {"layer": layer, "head": index}, "right": right, "interval": interval,
            "chosen_rows": rows, "chosen_right": right, "again": 0.9, "heads": shares(layer, index, right)}  # fmt: skip


def result(task: str, file: str, **more) -> dict:
    return {"task": task, "model": "minilm", "chance": 0.4, "nearest": 0.5, "first": 0.45, "twins": None,
            "revision": CARD.revision, "dtype": "float32", "kind": "encoder-self", "file": file, "sha256": "0" * 64,
            "limit": None, "counts": {"read": 900, "scored": 848, "no_rival": 1, "too_long": 12}, "warnings": {},
            "broken": []} | more  # fmt: skip


@pytest.fixture
def kept(server_cache: Path):
    """Results of minilm that say what is known: L3 H1 for pronouns, L2 H8 for determiners, none for objects."""
    folder = folder_of(CARD, server_cache)
    folder.mkdir(parents=True)
    for place, (file, rows, right, interval, twins) in enumerate(SETS):
        one = result("antecedent", file, twins=twins, **chosen(3, 1, rows, right, interval))
        (folder / f"{place}.json").write_text(json.dumps(one))
    beside = {"direction": "dependent-to-head", "chance": 0.07, "offset": 1, "offset_all": 0.5}
    relations = [
        {"relation": "det", "offset_right": 0.6, **beside, **chosen(2, 8, 900, 0.83, [0.8, 0.85])},
        {"relation": "obj", "offset_right": 0.3, **beside, **chosen(2, 0, 500, 0.32, [0.28, 0.36])},
    ]
    trees = result("syntax", "trees.conllu", relations=relations, **chosen(2, 8, 9000, 0.44, [0.43, 0.45]))
    (folder / "trees.json").write_text(json.dumps(trees))
    (folder / "damaged.json").write_text('{"task": "antecedent"')
    yield
    shutil.rmtree(folder)


@pytest.fixture
def nothing_kept(server_cache: Path):
    """No result of the induction model, before and after."""
    card = load_catalogue().entry("induction").card
    shutil.rmtree(folder_of(card, server_cache), ignore_errors=True)
    yield
    shutil.rmtree(folder_of(card, server_cache), ignore_errors=True)


def says(page: Page):
    return page.locator("#picture [data-says]")


def square(page: Page, layer: int, index: int):
    return page.locator(f'#picture [data-head="{layer}.{index}"]')


def test_the_atlas_shows_every_head_the_roles_and_the_rules_beside_them(page, server, kept):
    page.goto(f"{server.url}/models/minilm")
    expect(page.locator("#picture .share")).to_have_count(72)
    expect(square(page, 3, 1)).to_have_text(".75")
    expect(square(page, 3, 1)).to_have_attribute("aria-label", "L3 H1: 0.750, the chosen head")
    expect(says(page)).to_contain_text("On 424 others it picks the antecedent 0.750 of the time (95 %: 0.700 to 0.790)")
    expect(says(page)).to_contain_text("Guessing gets 0.400, the nearest candidate 0.500, the first 0.450. That is a")
    listed = (r"L3 H1.*0\.750.*0\.500.*novels\.jsonl", r"L2 H8.*0\.830.*0\.660.*det")
    expect(page.locator("#roles tbody tr")).to_have_text([re.compile(one) for one in listed])
    expect(page.locator("#results [data-body] tbody tr")).to_have_count(3)
    expect(page.locator("#results")).to_contain_text("1 row with one candidate, which no head can miss, 12 too long")
    # A file's name is text, whatever it says.
    page.locator("#results").get_by_role("button", name=HOSTILE).click()
    expect(says(page)).to_contain_text("it does not clearly beat the rules")
    expect(says(page)).to_contain_text("gives both the same answer in 0.850")
    expect(says(page)).to_contain_text("follows who is prominent more than what the sentence means")
    assert parameters(page)["file"] == HOSTILE


def test_a_question_has_an_address_and_a_head_leads_to_explore(page, server, kept):
    page.goto(f"{server.url}/models/minilm")
    page.locator("#picture select").select_option(label="det: to the word it depends on")
    expect(square(page, 2, 8)).to_have_text(".83")
    expect(says(page)).to_contain_text("The best fixed distance (+1) gets 0.600")
    url = page.url
    page.reload()
    expect(square(page, 2, 8)).to_have_text(".83")
    assert page.url == url
    page.locator("#results summary").click()
    page.locator("#results").get_by_role("button", name="obj", exact=True).click()
    expect(says(page)).to_contain_text("That is no role")
    page.go_back()
    expect(says(page)).to_contain_text("L2 H8 was chosen")
    square(page, 2, 8).focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#picture [data-head]:focus")).to_have_attribute("data-head", "2.9")
    expect(page.locator("#picture [data-peek]")).to_have_text("L2 H9 0.300")
    page.locator("#roles tbody").last.get_by_role("link", name="L2 H8").click()
    expect(page.locator("#focus h2")).to_have_text("L2 H8")
    assert parameters(page)["mark"] == "syntax"
    page.locator("#atlas").click()
    expect(page.locator("h1")).to_have_text("Head atlas of MiniLM")


def test_on_paper_it_is_light_and_whole(page, server, kept):
    page.emulate_media(color_scheme="dark")
    page.goto(f"{server.url}/models/minilm")
    expect(page.locator("#results tbody tr").first).to_be_visible()
    # Told after the page's own listener.
    page.evaluate("addEventListener('beforeprint', () => (window.seen = document.documentElement.dataset.theme))")
    sheets = "".join(sheet.extract_text() for sheet in PdfReader(BytesIO(page.pdf(format="A4"))).pages)
    assert page.evaluate("window.seen") == "light"
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert "Head atlas of MiniLM" in sheets
    assert "What it means" in sheets
    assert "novels.jsonl" in sheets
    assert "Explore MiniLM" not in sheets


def test_roles_stand_in_the_grid_and_a_chip_lights_up_their_heads(page, server, kept):
    visit(page, server)
    strength = "node => Number(getComputedStyle(node).getPropertyValue('--glow'))"
    chip = page.locator('#marks [data-mark="syntax"]')
    expect(chip).to_have_accessible_name("syntax, 1 head")
    expect(head(page, 3, 1)).to_have_attribute("aria-label", re.compile("^L3 H1: antecedent"))
    expect(head(page, 0, 2).locator(".glyph")).to_have_text("←")
    chip.click()
    expect(chip).to_have_attribute("aria-pressed", "true")
    assert parameters(page)["mark"] == "syntax"
    assert [head(page, *at).evaluate(strength) for at in ((2, 8), (3, 1), (0, 2))] == [1, 0, 0]
    badge = page.locator("#roles button").first
    expect(badge).to_have_text("antecedent 0.75")
    badge.focus()
    tip = page.locator("#roles [role=tooltip]").first
    expect(tip).to_contain_text("Measured on data, not on this text: novels.jsonl: 0.750 of 424.")
    page.get_by_role("tab", name="Find the head").click()
    said = page.locator("#link [data-unseen]")
    expect(said).to_contain_text("L3 H1 on 424 unseen sentences (novels.jsonl): it picks the antecedent 0.750 of")
    expect(said).to_contain_text("guessing gets 0.400, the nearest candidate 0.500, the first 0.450")
    expect(said).to_contain_text("Of 52 pairs in which one word flips the answer it gives 0.850 the same answer")
    head(page, 5, 11).click()
    expect(said).to_be_hidden()
    chip.click()
    assert "mark" not in parameters(page)


def test_in_words_the_lift_counts_words(page, server):
    text = "The immunologist met Anna because she was late"
    visit(page, server, f"?text={quote(text)}&tool=link&layer=3&head=1&query=10&key=9&words=1")
    expect(page.locator("#link [data-lift]")).to_contain_text(re.compile(r"the mean of what the \d other words that"))
    page.goto(f"{server.url}/?text={quote(CAT)}&tool=link&query=8&key=2")
    expect(page.locator("#link [data-lift]")).to_contain_text("the 8 other tokens that")


def test_what_is_missing_is_measured_at_a_click(page, server, nothing_kept):
    page.goto(f"{server.url}/models/induction")
    missing = page.locator("#missing")
    expect(missing.get_by_role("heading")).to_have_text("Nothing has been measured yet")
    expect(missing.locator("code")).to_have_text("attention-atlas atlas induction")
    expect(page.locator("#found")).to_be_hidden()
    missing.get_by_role("button", name="Measure now").click()
    expect(says(page)).to_contain_text("That makes it an induction head", timeout=60_000)
    expect(missing).to_be_hidden()
    page.locator("#roles tbody").get_by_role("link", name="L1 H3").click()
    expect(number(page)).to_be_visible()
    expect(page.locator('#marks [data-mark="induction"]')).to_have_attribute("aria-pressed", "true")
    expect(head(page, 1, 3)).to_have_attribute("aria-label", re.compile("induction"))


@pytest.mark.parametrize(("theme", "lang"), [("light", "en"), ("dark", "ko")])
def test_axe_finds_nothing_in_the_atlas_and_a_phone_has_room(page, server, kept, theme, lang):
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.goto(f"{server.url}/models/minilm?lang={lang}")
    page.locator("#results summary").click()
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 844})
        assert no_overflow(page)
        found = Axe().run(page).response["violations"]
        assert [(fault["id"], [node["target"] for node in fault["nodes"]]) for fault in found] == []
    expect(page.locator("html")).to_have_attribute("lang", lang)


@pytest.mark.refused
def test_a_model_without_questions_says_so_and_one_that_is_not_there_leads_on(page: Page, server):
    page.goto(f"{server.url}/models/shapes")
    expect(page.locator("#missing h2")).to_have_text("No question for this model")
    expect(page.get_by_role("button", name="Measure now")).to_be_hidden()
    page.locator("#models select").select_option("ko-en")
    expect(page.locator("h1")).to_have_text("Head atlas of Korean–English")
    page.goto(f"{server.url}/models/nobody")
    expect(page.locator("h1")).to_have_text("No model of this name")
    page.get_by_role("link", name="To the Explore page").click()
    expect(number(page)).to_have_text("0.487")
