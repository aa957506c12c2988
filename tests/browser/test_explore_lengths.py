"""Weights and lengths on the Explore page: one choice for every view, and the numbers behind a cell."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from explore_page import near, no_overflow, number, parameters, token, visit
from playwright.sync_api import Page, expect

from attention_core.capture import capture
from attention_core.looking import look

pytestmark = [pytest.mark.browser, pytest.mark.model]
CAT = "The cat sat on the mat because it was tired"


def test_the_same_cells_by_weight_and_by_length(page: Page, server):
    trace = capture("minilm", CAT)
    base, share = (one.map("encoder-self", 3) for one in (trace, look(trace, measure="norm")))
    weight, norm = float(base.weights(1)[0, 8, 2]), float(base.value_norms[1, 2])
    visit(page, server)
    near(page, weight)
    numbers = page.locator("#numbers")
    expect(numbers).to_be_hidden()
    page.locator("[data-measure]").select_option("norm")
    near(page, float(share.weights(1)[0, 8, 2]))
    assert parameters(page)["measure"] == "norm"
    # α, ‖f(x)‖, their product and the share of the row.
    expect(numbers).to_have_text(re.compile(r"^α 0\.\d{3} × "))
    said = [float(text) for text in re.findall(r"\d+\.\d+", numbers.inner_text())]
    assert said == pytest.approx([weight, norm, weight * norm, float(share.weights(1)[0, 8, 2])], rel=5e-3)
    for at in (0, 2, 11):
        shown = float(token(page, at).locator(".num").inner_text())
        assert shown == pytest.approx(float(share.weights(1)[0, 8, at]), abs=0.00501)
    expect(page.locator("#strip [data-caption]")).to_contain_text("How much of the length each token brings to it")
    expect(page.locator("#looking-help")).to_contain_text("Kobayashi et al., 2020")
    expect(page.locator("#grid [data-largest]")).to_contain_text("Largest share of the length")
    expect(page.locator("[data-legend-text]")).to_contain_text("share of the row's length")
    for tab, says in (("Table", "Exact shares of the length in L3 H1."), ("Lines", "larger its share of the length")):
        page.locator("#focus").get_by_role("tab", name=tab).click()
        expect(page.locator("#focus .panel:visible [data-note]")).to_contain_text(says)
    page.locator("#focus").get_by_role("tab", name="Heatmap").click()
    page.locator("#panel-heatmap [data-stage]").focus()
    page.keyboard.press("ArrowRight")
    near(page, float(share.weights(1)[0, 8, 3]))
    expect(numbers).to_contain_text(f"α {float(base.weights(1)[0, 8, 3]):.3f}")
    page.locator("[data-measure]").select_option("weight")
    near(page, float(base.weights(1)[0, 8, 3]))
    expect(numbers).to_be_hidden()
    expect(page.locator("#grid [data-largest]")).to_contain_text("Largest weight")
    page.go_back()
    near(page, float(share.weights(1)[0, 8, 3]))


def test_a_link_shows_lengths_of_words_and_ranks_by_them(page: Page, server):
    page.set_viewport_size({"width": 390, "height": 844})
    visit(page, server, "?measure=norm&words=1&special=hide&tool=link&layer=3&head=1&query=8&key=2&lang=ko")
    trace = look(capture("minilm", CAT), measure="norm")
    near(page, float(trace.map("encoder-self", 3).weights(1)[0, 8, 2]))
    expect(page.locator("#numbers")).to_contain_text("||αf(x)||")
    row = page.locator('#link [data-link="3.1"] td')
    expect(row.first).to_be_visible()
    assert row.nth(1).inner_text() == number(page).inner_text()
    expect(page.locator("#link thead")).to_contain_text("몫")
    assert no_overflow(page)
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
