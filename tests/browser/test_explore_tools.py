"""The tools that put heads into numbers and that run the model again: profile, heads off, the scan, importance."""

import re
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from explore_page import CAT, head, no_overflow, parameters, visit
from playwright.sync_api import Page, expect

from attention_core.analysis.profile import profile
from attention_core.capture import Example, capture, open_model
from attention_core.experiments.importance import importance
from attention_core.experiments.running import finish
from attention_core.experiments.switching import scan, switch_off

pytestmark = [pytest.mark.browser, pytest.mark.model]

SWITCH = "?model=ko-en&tool=switch"
SAID = "#switch .run .amount"
ROUNDED = 0.000501  # three decimals
OWN = {"ko-en": "나는 학교에 갔다", "induction": "lamp goat moon key apple river chair moon key apple river chair"}


def tool(page: Page, name):
    return page.locator(f"#tools [role=tab][data-tool={name}]")


def numbers(page: Page, where):
    """The numbers in some elements, as the page prints them; a dash is none."""
    return [float(text.replace("−", "-")) for text in page.locator(where).all_inner_texts() if text not in ("–", "")]


def effect(page: Page):
    said = page.locator(SAID).first
    expect(said).to_have_text(re.compile(r"^Effect 0\.\d{3}: "))
    return float(said.inner_text().split()[1].rstrip(":"))


def another(page: Page, where, before):
    """Waits until other words stand there."""
    changed = "([where, before]) => document.querySelector(where).textContent !== before"
    page.wait_for_function(changed, arg=[where, before])


def name_of(head_id: str):
    layer, index = head_id.split(".")[-2:]
    return f"L{layer} H{index}"


def points(page: Page):
    return page.locator("#switch [data-point]")


def example_of(model: str, **more) -> Example:
    """The page's own first example of a bundled model."""
    return Example(OWN[model], **more)


def test_heads_off_together_change_what_the_model_says(page, server):
    visit(page, server, SWITCH)
    toggle, said = page.locator("#switch [data-toggle]"), page.locator(SAID).first
    expect(page.locator("#switch")).to_contain_text("No head is switched off.")
    head(page, 1, 2).click()
    toggle.click()
    expect(toggle).to_have_text("Switch L1 H2 on again")
    assert parameters(page)["off"] == "cross.1.2"
    alone = finish(switch_off(open_model("ko-en"), example_of("ko-en", off=("cross.1.2",))))
    assert effect(page) == pytest.approx(alone.effect, abs=ROUNDED)
    shown = numbers(page, "#switch [data-both] b")
    pairs = [one.probability for both in zip(alone.before, alone.after, strict=True) for one in both]
    assert shown == pytest.approx(pairs, abs=ROUNDED)
    expect(page.locator("#switch .said-both")).to_contain_text("Before")
    one = said.inner_text()
    head(page, 1, 0).click()
    toggle.click()
    expect(page.locator("#switch [data-heads] button")).to_have_count(2)
    another(page, SAID, one)
    effect(page)
    two = said.inner_text()
    page.locator("#switch [data-how]").select_option("mean")
    another(page, SAID, two)
    assert (parameters(page)["how"], parameters(page)["target"]) == ("mean", "I went to school")
    url, mean = page.url, effect(page)
    page.reload()
    assert (page.url, effect(page)) == (url, mean)


def test_a_scan_ranks_every_head_and_comes_back_with_its_link(page, server):
    asked = []
    page.on("request", lambda request: asked.append(request.post_data_json) if request.url.endswith("/jobs") else None)
    visit(page, server, "?model=induction&tool=switch")
    assert asked == []
    page.locator("#switch [data-run]").click()
    expect(points(page)).to_have_count(8)
    found = finish(scan(open_model("induction"), example_of("induction")))
    rows = page.locator("#switch [data-ranked-head]")
    names = [f"{one.kind}.{one.layer}.{one.head}" for one in found.heads]
    assert [row.get_attribute("data-ranked-head") for row in rows.all()] == names
    assert numbers(page, "#switch [data-ranked] b") == pytest.approx([one.effect for one in found.heads], abs=ROUNDED)
    assert found.agreement is not None
    sentence = page.locator(SAID).last
    expect(sentence).to_contain_text(f"rank correlation {found.agreement:.2f} over 8".replace("-", "−"))
    expect(page.locator("#grid [data-grid]")).to_have_class(re.compile("ranked"))
    last = points(page).last
    last.dispatch_event("click")
    expect(page.locator("#focus [data-name]")).to_have_text(name_of(names[-1]))
    tool(page, "profile").click()
    expect(page.locator("#profile tbody tr")).to_have_count(8)
    tool(page, "switch").click()
    expect(points(page)).to_have_count(8)
    assert [one["name"] for one in asked] == ["scan"]
    assert parameters(page)["scan"] == "1"
    words = sentence.inner_text()
    page.reload()
    expect(sentence).to_have_text(words)


def test_a_long_scan_says_how_far_it_is_and_can_be_cancelled(page, server):
    visit(page, server, f"?text={quote((CAT + '. ') * 20)}&tool=switch&scan=1")
    expect(page.locator("#switch .run progress").last).to_be_visible()
    expect(page.locator(SAID).last).to_have_text(re.compile(r"^[1-9]\d* of 72$"))
    top = page.locator("#hints").bounding_box()["y"]
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#switch [data-run]")).to_be_focused()
    assert "scan" not in parameters(page)
    assert page.locator("#hints").bounding_box()["y"] < top, "the place that was kept is given back"
    page.go_back()
    expect(page.locator("#switch .run progress").last).to_be_visible()
    page.get_by_role("button", name="Cancel").click()


def test_importance_stands_side_by_side_and_can_be_asked_of_another_row(page, server):
    visit(page, server, "?model=induction&tool=importance")
    table = page.locator("#importance [data-methods]")
    expect(table.locator("tfoot td").first).to_have_text(re.compile(r"^−?\d\.\d\d$"))
    found = finish(importance(open_model("induction"), example_of("induction")))
    for one in found.methods:
        assert one.scores is not None
        assert numbers(page, f"#importance [data-method={one.name}]") == pytest.approx(one.scores, abs=ROUNDED)
    agreements = [one.agreement for one in found.methods[:-1]]
    assert numbers(page, "#importance tfoot td") == pytest.approx(agreements, abs=0.00501)
    before = table.text_content()
    page.locator("#importance [data-aim]").select_option("4")
    assert parameters(page)["aim"] == "4"
    another(page, "#importance [data-methods]", before)
    expect(table.locator("tfoot td").first).to_have_text(re.compile(r"^(−?\d\.\d\d|–)$"))
    other = finish(importance(open_model("induction"), example_of("induction"), row=4))
    left_out = numbers(page, "#importance [data-method=leave-one-out]")
    assert left_out == pytest.approx(other.methods[-1].scores, abs=ROUNDED)


def test_a_model_that_predicts_nothing_says_so_and_the_rest_stands(page, server):
    visit(page, server, f"?text={quote(CAT)}&tool=importance&aim=8&words=1")
    expect(page.locator("#importance [data-notes]")).to_contain_text("Gradient: this model predicts no token")
    expect(page.locator("#importance [data-method=leave-one-out]").first).to_have_text(re.compile(r"^\d\.\d{3}$"))
    expect(page.locator("#importance tbody tr")).to_have_count(12)
    assert numbers(page, "#importance [data-method=gradient]") == []
    assert len(numbers(page, "#importance [data-method=leave-one-out]")) == 12


def test_the_profile_is_a_table_in_the_order_that_is_asked_for(page, server):
    visit(page, server, f"?text={quote(CAT)}&layer=3&head=1&tool=profile")
    found = {f"{one.layer}.{one.head}": one for one in profile(capture("minilm", CAT)).heads}
    rows = page.locator("#profile tbody tr")
    expect(rows).to_have_count(72)
    page.locator("#profile [data-column=special]").click()
    expect(page.locator("#profile th[aria-sort=descending]")).to_have_text("Special↓")
    assert parameters(page)["sort"] == "special"
    names = rows.evaluate_all("rows => rows.map(row => row.dataset.row)")
    assert [found[name].special for name in names] == sorted((one.special for one in found.values()), reverse=True)
    entropy = numbers(page, "#profile [data-row='3.1'] td:nth-child(2)")
    assert entropy == pytest.approx([found["3.1"].entropy], abs=0.00501)
    expect(page.locator("#profile [data-said]")).to_contain_text(f"entropy {found['3.1'].entropy:.2f} bits")
    rows.first.click()
    expect(page.locator("#focus [data-name]")).to_have_text(name_of(names[0]))


def test_one_word_is_no_habit(page, server):
    visit(page, server, "?text=cat&tool=profile")
    expect(page.locator("#profile [data-said]")).to_have_text(re.compile(r"goes to special tokens\.$"))
    alone = profile(capture("minilm", "cat")).heads
    own = numbers(page, "#profile tbody tr td:last-child")
    assert own == pytest.approx([one.own for one in alone], abs=ROUNDED)


def test_by_keyboard_alone(page, server):
    visit(page, server, "?model=induction&tool=link")
    tool(page, "link").focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(tool(page, "switch")).to_have_attribute("aria-selected", "true")
    page.locator("#switch [data-run]").focus()
    page.keyboard.press("Enter")
    expect(points(page)).to_have_count(8)
    page.locator("#switch [data-point][tabindex='0']").focus()
    page.keyboard.press("Home")
    expect(page.locator("#switch .tip")).to_have_text(
        re.compile(r"^L\d H\d: attention [01]\.\d{3}, effect [01]\.\d{3}$")
    )
    name = page.locator("#switch .tip").inner_text().split(":")[0]
    page.keyboard.press("Enter")
    expect(page.locator("#focus [data-name]")).to_have_text(name)
    expect(points(page).first).to_be_focused()
    expect(points(page).first).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize(
    ("query", "theme"),
    [
        ("?model=ko-en&tool=switch&off=cross.1.2&scan=1&lang=ko", "dark"),
        ("?model=induction&tool=importance&lang=en", "light"),
        (f"?text={quote(CAT)}&tool=profile&sort=topic.up&lang=ko", "light"),
    ],
)
def test_everybody_can_read_it(page: Page, server, query, theme):
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": 390, "height": 844})
    visit(page, server, query)
    expect(page.locator("#switch [data-point], #importance tfoot td, #profile tbody tr").first).to_be_visible()
    expect(page.locator('[aria-busy="true"]')).to_have_count(0)  # what waits is dimmed for a moment
    page.evaluate("Promise.allSettled(document.getAnimations().map((one) => one.finished))")
    assert no_overflow(page)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
