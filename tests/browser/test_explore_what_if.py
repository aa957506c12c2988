"""What if on the Explore page: a model of ours changed by a click, before and after, and everything that says so."""

import re
from urllib.parse import quote

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from explore_page import CAT, KOREAN, no_overflow, parameters, visit
from playwright.sync_api import Page, expect
from test_explore_compare import cell, ranked

from attention_core.analysis.difference import difference
from attention_core.capture import Example, capture

pytestmark = [pytest.mark.browser, pytest.mark.model]

START = f"?text={quote(CAT)}&layer=3&head=1&query=8&key=2&tool=compare"
TRANSLATION = f"?model=ko-en&text={quote(KOREAN)}&kind=cross&layer=1&head=2&query=1&key=0&tool=compare"


def tick(page: Page, name):
    page.locator("#compare").get_by_role("checkbox", name=name).check()


def expected(made, weights, query):
    """The mean entropy over the rows that are not special, and that of one row, by definition."""
    rows = -(weights * np.log2(np.where(weights > 0, weights, 1))).sum(-1)
    special = made[made["maps"][-1]["query_axis"]]["special"]
    return [rows[[at for at in range(len(rows)) if not special[at]]].mean(), rows[query]]


def weights_of(page: Page, server, body, **head):
    made = page.request.post(f"{server.url}/api/v1/traces", data=body).json()
    query = "&".join(f"{name}={value}" for name, value in head.items())
    raw = page.request.get(f"{server.url}/api/v1/traces/{made['id']}/weights?{query}").body()
    size = int.from_bytes(raw[8:10], "little")
    shape = [int(n) for n in re.findall(rb"\d+", raw[: 10 + size].split(b"'shape':")[1])]
    return made, np.frombuffer(raw[10 + size :], "<f4").reshape(shape).astype(np.float64)


def entropies(page: Page, side):
    """The mean and the chosen row's entropy as a side has them."""
    lines = page.locator(f"#panel-difference [data-{side}-entropy] b")
    expect(lines.first).to_have_text(re.compile(r"\d"))
    expect(lines.last).to_have_text(re.compile(r"\d"))
    return [float(one) for one in lines.all_inner_texts()]


def test_without_the_scale_before_and_after_stand_side_by_side_with_their_entropies(page, server):
    names = "unscaled"
    visit(page, server, START)
    page.locator("#compare").get_by_role("radio", name="What if").check()
    tick(page, "Without ÷ √dₖ")
    expect(page.get_by_role("tab", name="Difference")).to_have_attribute("aria-selected", "true")
    assert parameters(page)["what_if"] == names
    body = {"model": "minilm", "text": CAT}
    for side, options in (("before", {}), ("after", {"what_if": [names]})):
        made, weights = weights_of(page, server, {**body, "options": options}, layer=3, head=1)
        assert entropies(page, side) == pytest.approx(expected(made, weights, 8), abs=0.00501)
        number = cell(page)[1][("before", "after").index(side)]
        assert number == pytest.approx(weights[8, 2], abs=0.000501)
    found = difference(capture("minilm", CAT), capture("minilm", Example(CAT, what_if=(names,))))
    best = [(f"{one.layer}.{one.head}", pytest.approx(one.change, abs=0.000501)) for one in found.heads[:8]]
    assert ranked(page)[:8] == best
    for place in ("#changed", "#footer [data-badge]", "#panel-difference [data-after-title]"):
        expect(page.locator(place)).to_contain_text("scores not divided by √dₖ")
    expect(page.locator("#focus [data-changed]")).to_have_text("changed model")
    page.get_by_role("tab", name="Importance").click()
    expect(page.locator("#tools [data-as-it-is]")).to_contain_text("runs the model as it is")
    page.locator("#changed [data-undo]").click()
    expect(page.locator("#changed")).to_be_hidden()
    expect(page.locator("#focus [data-changed]")).to_be_hidden()
    expect(page.locator("#tools [data-as-it-is]")).to_be_hidden()
    expect(page.locator("#focus [data-read] b")).to_have_text("0.487")
    assert "what_if" not in parameters(page)


def test_several_at_once_a_link_restores_them_and_one_click_undoes_them(page, server):
    visit(page, server, TRANSLATION)
    form = page.locator("#compare [data-part=what-if]")
    page.locator("#compare").get_by_role("radio", name="What if").check()
    tick(page, "Decoder: look ahead too")
    form.get_by_role("radio", name="0.5").check()
    tick(page, "Another order of the words")
    expect(form.locator("[data-order]")).to_have_text(re.compile("^Read as: "))
    first = form.locator("[data-order]").inner_text()
    words = first.removeprefix("Read as: ").split(" ")
    assert sorted(words) == sorted(KOREAN.split())
    assert words != KOREAN.split()
    expect(page.locator("#panel-difference [data-after-title]")).to_have_text(
        "Changed: temperature 0.5, tokens look ahead too, words in another order"
    )
    names = parameters(page)["what_if"].split(",")
    assert names == ["temperature:0.5", "mask:none", "shuffle:1"]
    for side, options in (("before", {}), ("after", {"what_if": names})):
        body = {"model": "ko-en", "text": KOREAN, "options": options}
        made, weights = weights_of(page, server, body, kind="cross", layer=1, head=2)
        assert entropies(page, side) == pytest.approx(expected(made, weights, 1), abs=0.00501)
    said, url = entropies(page, "after"), page.url
    page.reload()
    assert entropies(page, "after") == said
    expect(form.get_by_role("checkbox", name="Decoder: look ahead too")).to_be_checked()
    expect(form.get_by_role("radio", name="0.5")).to_be_checked()
    expect(form.locator("[data-order]")).to_have_text(first)
    assert page.url == url
    form.get_by_role("button", name="Another order").click()
    expect(page.locator("#changed")).to_be_visible()
    assert parameters(page)["what_if"].split(",")[2] != "shuffle:1"
    form.get_by_role("button", name="Back to the model as it is").click()
    expect(page.get_by_role("tab", name="Difference")).to_be_hidden()
    assert {"what_if", "view"}.isdisjoint(parameters(page))
    expect(form.get_by_role("checkbox", checked=True)).to_have_count(0)
    expect(form.get_by_role("radio", name="1", exact=True)).to_be_checked()


def test_of_a_picture_the_model_is_changed_as_well(page: Page, server):
    page.goto(f"{server.url}/?model=shapes&tool=compare")
    form = page.locator("#compare")
    tick(page, "Another order of the patches")
    expect(page.locator("#panel-difference [data-after-title]")).to_have_text("Changed: patches in another order")
    assert ranked(page)[0][1] > 0.05
    expect(form.get_by_role("radio", name="Another text")).to_have_count(0)
    expect(form.locator("[data-order]")).to_be_empty()


def test_everybody_can_read_it(page: Page, server):
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 390, "height": 844})
    visit(page, server, f"{START}&what_if=mask:causal,shuffle:3&lang=ko")
    expect(page.locator("#compare [data-order]")).to_have_text(re.compile("^읽은 순서: "))
    expect(page.locator("#compare [data-list] tr").first).to_be_visible()
    assert no_overflow(page)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
