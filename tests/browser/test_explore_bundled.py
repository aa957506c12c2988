"""The bundled models in the real browser: cross attention, masked attention, pictures, words and special tokens."""

import re
from urllib.parse import quote

import pytest
from explore_page import CAT, KOREAN, LOADING, head, no_overflow, number, pair, parameters, visit
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.model]

REPEATED = "lemon goat clock ship honey mirror fox bread lemon goat clock ship honey mirror fox"
WORDS = "The unbelievable cat slept peacefully because it was tired"


def written(page: Page, word: str):
    """The button of a word that the model writes."""
    return page.locator("#strip [data-queries] .tok", has=page.locator(f'bdi:text-is("{word}")'))


def numbers(page: Page, place: str):
    return [text.strip() for text in page.locator(f"#strip {place} .num").all_inner_texts()]


def said(page: Page):
    """The answers of the card on what the model says: text and probability."""
    return [
        (text, float(share))
        for text, share in zip(
            page.locator("#said .bars .text bdi").all_inner_texts(),
            page.locator("#said .bars .num:not(.then)").all_inner_texts(),
            strict=True,
        )
    ]


# ---- cross attention


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_translation_looks_at_the_words_it_writes(page: Page, server, lang):
    visit(page, server, f"?model=ko-en&lang={lang}")
    expect(page.locator("textarea[data-text]")).to_have_value(KOREAN)
    expect(page.locator("textarea[data-target]")).to_have_attribute("placeholder", "I went to school")
    expect(page.get_by_role("radio", name=re.compile("Cross|크로스"))).to_be_checked()
    for english, korean in (("went", "갔"), ("school", "학교")):
        written(page, english).click()
        expect(page.locator("#focus [data-read] bdi").first).to_have_text(english)
        assert pair(page) == [english, korean]
        assert float(number(page).inner_text()) > 0.5
    # Rows are what is written, columns the source.
    page.locator("#tab-table").click()
    expect(page.locator("#panel-table [data-row] tfoot .weight")).to_have_text("1.000")
    assert no_overflow(page)


def test_each_kind_has_its_own_axes(page: Page, server):
    visit(page, server, "?model=ko-en&lang=en")
    page.get_by_role("radio", name="Masked self-attention").check(force=True)
    expect(page.locator("#strip [data-queries]")).to_be_hidden()
    expect(page.locator("#strip [data-tokens] .tok").first).to_contain_text("<pad>")
    assert parameters(page)["kind"] == "decoder-self"
    page.get_by_role("radio", name="Encoder self-attention").check(force=True)
    expect(page.locator("#strip [data-tokens] .tok").first).to_contain_text("나")
    page.go_back()
    page.go_back()
    expect(page.get_by_role("radio", name="Cross-attention")).to_be_checked()


def test_a_given_target_is_shown_with_the_probability_of_its_words(page: Page, server):
    visit(page, server, "?model=ko-en&lang=en")
    page.locator("textarea[data-target]").fill("I went to the park")
    page.locator("textarea[data-target]").press("Enter")
    expect(written(page, "park")).to_have_count(1)
    shares = dict(
        zip(
            page.locator("#said .words .said bdi").all_inner_texts(),
            map(float, page.locator("#said .words .num").all_inner_texts()),
            strict=True,
        )
    )
    assert shares["went"] > 0.8
    assert shares["park"] < 0.2  # the source says school
    page.reload()
    expect(page.locator("textarea[data-target]")).to_have_value("I went to the park")


@pytest.mark.refused
def test_an_unknown_word_is_named_with_what_is_near(page: Page, server):
    visit(page, server, "?model=ko-en&lang=en")
    page.locator("textarea[data-text]").fill("나는 학꾜에 갔다")
    page.locator("textarea[data-text]").press("Enter")
    notice = page.locator("#notices .bad")
    expect(notice).to_contain_text("학꾜에")
    notice.get_by_role("button", name="학교에").click()
    expect(written(page, "school")).to_have_count(1)
    expect(page.locator("textarea[data-text]")).to_have_value(KOREAN)


@pytest.mark.refused
def test_a_word_is_mended_in_the_box_that_holds_it(page: Page, server):
    visit(page, server, "?model=ko-en&lang=en")
    page.locator("textarea[data-target]").fill("I went to schools")
    page.locator("textarea[data-target]").press("Enter")
    page.locator("#notices .bad").get_by_role("button", name="school instead of schools").click()
    expect(page.locator("textarea[data-target]")).to_have_value("I went to school")
    expect(page.locator("#notices .bad")).to_have_count(0)


@pytest.mark.refused
def test_the_wrong_language_is_told_and_nothing_old_stays(page: Page, server):
    visit(page, server, "?model=ko-en&lang=ko")
    page.locator("textarea[data-text]").fill("I went to school")
    page.locator("textarea[data-text]").press("Enter")
    expect(page.locator("#notices .bad")).to_contain_text("첫째 칸에는 한국어를")
    expect(page.locator("textarea[data-target]")).not_to_have_attribute("placeholder", "I went to school")
    assert page.locator("#ask [data-summary]").inner_text().strip() == ""


# ---- masked attention


def test_a_repeated_stretch_is_found_by_the_induction_head(page: Page, server):
    visit(page, server, f"?model=induction&lang=en&layer=1&head=3&text={quote(REPEATED)}")
    tokens = ["<s>", *REPEATED.split()]
    place = len(tokens) - 3  # "honey", for the second time
    page.locator(f'#strip [data-token="{place}"]').click()
    after = tokens[tokens.index("honey") + 1]
    assert pair(page) == ["honey", after] == ["honey", "mirror"]
    assert float(number(page).inner_text()) > 0.8
    best, share = said(page)[0]
    assert (best, share > 0.9) == (after, True)
    # What lies ahead is blank: no number in the strip, no colour in the grid.
    shown = numbers(page, "[data-tokens]")
    assert all(shown[: place + 1])
    assert not any(shown[place + 1 :])


def test_without_the_previous_token_head_induction_breaks(page: Page, server):
    place = len(REPEATED.split()) - 2
    visit(page, server, f"?model=induction&lang=en&layer=0&head=3&query={place}&text={quote(REPEATED)}")
    before = said(page)[0]
    page.get_by_role("button", name="Switch L0 H3 off").click()
    expect(page.locator("#off")).to_contain_text("L0 H3")
    expect(page.locator("#said .bars.compared")).to_be_visible()
    assert parameters(page)["off"] == "decoder-self.0.3"
    after = dict(said(page))
    assert before[1] > 0.9
    assert after.get(before[0], 0.0) < 0.2
    page.locator("#off").get_by_role("button").click()
    expect(page.locator("#off")).to_be_hidden()
    expect(page.locator("#said .bars").first).to_be_visible()
    assert said(page)[0] == before


def test_blocked_cells_are_blank_in_the_heatmap(page: Page, server):
    visit(page, server, f"?model=induction&lang=en&layer=1&head=3&text={quote(REPEATED)}")
    expect(page.locator("#panel-heatmap .nsewdrag").first).to_be_attached()
    rows = page.evaluate(
        "Array.from(document.querySelector('#panel-heatmap .js-plotly-plot').data[0].z, row => Array.from(row))"
    )
    for query, row in enumerate(rows):
        for key, value in enumerate(row):
            assert (value is None or value != value) == (key > query)


# ---- pictures


def test_a_sample_picture_is_seen_and_answered(page: Page, server):
    page.goto(f"{server.url}/?model=shapes&image=three-blue-stars-bottom-left&layer=0&head=0&lang=en")
    expect(page.locator("#said .questions")).to_be_visible()
    answers = page.locator("#said .questions .bars li:first-child .text bdi").all_inner_texts()
    assert answers == ["star", "blue", "bottom left", "three"]
    expect(page.locator("#tools-title")).to_have_text("Ask about this picture")
    expect(page.locator("#tab-picture")).to_have_attribute("aria-selected", "true")
    # The class token looks at the stars: its heaviest patch lies in the lower left quarter.
    row, column = map(int, re.findall(r"\d+", pair(page)[1]))
    assert row > 4
    assert column <= 4
    page.locator("#tab-heatmap").click()
    expect(page.locator("#panel-heatmap .nsewdrag").first).to_be_attached()
    assert no_overflow(page)


def test_another_sample_another_answer_and_back(page: Page, server):
    page.goto(f"{server.url}/?model=shapes&image=three-blue-stars-bottom-left&lang=en")
    expect(page.locator("#said .questions")).to_be_visible()
    page.get_by_role("button", name="one red circle").click()
    expect(page.locator("#said .questions .bars li:first-child .text bdi").first).to_have_text("circle")
    page.go_back()
    expect(page.locator("#said .questions .bars li:first-child .text bdi").first).to_have_text("star")


@pytest.mark.refused
def test_a_picture_of_ones_own_and_a_file_that_is_none(page: Page, server, tmp_path):
    page.goto(f"{server.url}/?model=shapes&lang=en")
    expect(page.locator("#said .questions")).to_be_visible()
    drawn = Image.new("RGB", (300, 300), (235, 235, 225))
    ImageDraw.Draw(drawn).ellipse((180, 180, 270, 270), fill=(225, 45, 45))
    drawn.save(tmp_path / "own.png")
    page.locator('#images input[type="file"]').set_input_files(tmp_path / "own.png")
    answers = page.locator("#said .questions .bars li:first-child .text bdi")
    expect(answers.first).to_have_text("circle")
    assert answers.all_inner_texts() == ["circle", "red", "bottom right", "one"]
    (tmp_path / "broken.png").write_bytes((tmp_path / "own.png").read_bytes()[:100])
    with page.expect_response("**/api/v1/images") as refused:
        page.locator('#images input[type="file"]').set_input_files(tmp_path / "broken.png")
    assert refused.value.status == 422
    expect(page.locator("#notices .bad")).to_contain_text("not a whole picture")


# ---- words and special tokens, on the default model


@pytest.mark.parametrize("special", ["show", "renormalise"])
def test_rows_of_words_add_up_to_one(page: Page, server, special):
    visit(page, server, f"?lang=en&view=table&words=1&special={special}&layer=2&head=4&text={quote(WORDS)}")
    expect(page.locator("#panel-table [data-row] tfoot .weight")).to_have_text("1.000")
    listed = page.locator("#panel-table [data-row] tbody bdi").all_inner_texts()
    shown = [word.lower() for word in listed]
    assert sorted(shown) == sorted([*WORDS.lower().split(), *(["[cls]", "[sep]"] * (special == "show"))])


def test_hidden_special_tokens_leave_their_share_behind(page: Page, server):
    visit(page, server, f"?lang=en&view=table&special=hide&layer=3&head=1&query=8&text={quote(CAT)}")
    left = float(page.locator("#panel-table [data-row] tfoot .weight").inner_text())
    badge = page.locator("#strip .gone").inner_text()
    hidden = float(re.search(r"\d\.\d+", badge).group())
    assert left + hidden == pytest.approx(1, abs=0.002)
    assert near_cat(page)


def near_cat(page: Page):
    return pair(page) == ["it", "cat"] and float(number(page).inner_text()) == pytest.approx(0.487, abs=0.001)


def test_a_choice_survives_words_and_special_tokens(page: Page, server):
    visit(page, server, "?lang=en")
    assert near_cat(page)
    page.get_by_label("Whole words").check()
    expect(page).to_have_url(re.compile("words=1"))
    assert near_cat(page)
    page.get_by_label("Special tokens").select_option("hide")
    expect(page).to_have_url(re.compile("special=hide"))
    expect(page.locator("#strip .tok.special")).to_have_count(0)
    assert near_cat(page)
    page.get_by_label("Special tokens").select_option("show")
    page.get_by_label("Whole words").uncheck()
    expect(page.locator("#strip .tok.special")).to_have_count(2)
    assert near_cat(page)


def test_a_row_that_rests_on_special_tokens_is_explained(page: Page, server):
    visit(page, server, f"?lang=en&layer=2&head=1&text={quote(CAT)}")
    for layer in range(6):
        for index in range(12):
            head(page, layer, index).click()
            if page.locator("#focus [data-rest]").is_visible():
                expect(page.locator("#focus [data-rest]")).to_contain_text("attention sink")
                return
    pytest.fail("no head of this sentence rests on a special token")


# ---- every model, every width


@pytest.mark.parametrize("model", ["ko-en", "induction", "shapes"])
@pytest.mark.parametrize("width", [390, 1024])
def test_nothing_overflows(page: Page, server, model, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{server.url}/?model={model}&lang=ko")
    expect(page.locator("#said")).to_be_visible()
    assert no_overflow(page)


def test_a_model_brings_its_own_examples_and_keeps_an_own_text(page: Page, server):
    visit(page, server, "?lang=en")
    page.locator("#models select").select_option("ko-en")
    expect(written(page, "school")).to_have_count(1)
    page.locator("#models select").select_option("shapes")
    expect(page.locator("#images")).to_be_visible()
    expect(page.locator("textarea[data-text]")).to_be_hidden()
    page.locator("#models select").select_option("minilm")
    expect(number(page)).to_have_text("0.487")


def test_before_anything_is_fetched_the_bundled_models_work(browser: Browser, bare_server):
    page = browser.new_page(locale="en-US")
    page.goto(bare_server.url)
    expect(page.locator("#progress")).to_contain_text("MiniLM is not on this computer yet")
    page.locator("#progress").get_by_role("button", name="Korean–English").click()
    expect(number(page)).to_have_text(re.compile(r"^\d\.\d{3}$"), timeout=LOADING)
    assert pair(page) == ["went", "갔"]
    page.close()
