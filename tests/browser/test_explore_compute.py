"""The tab Compute: every step by keyboard with the API's own numbers, its code, its links, other kinds of attention."""

import io
import json
import math
import re
import urllib.request

import numpy as np
import pytest
from every_page import faults
from explore_page import CAT, KOREAN, no_overflow, parameters, visit
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.model]
PANEL = "#panel-compute"
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
STEPS = ["input", "project", "dot", "scale", "mask", "softmax", "weigh", "sum", "join"]


def ask(server, path, body=None):
    request = urllib.request.Request(f"{server.url}/api/v1/{path}", data=body and json.dumps(body).encode())
    if body:
        request.add_header("Content-Type", "application/json")
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as reply:
        return reply.read()


def trace(server, **example):
    return json.loads(ask(server, "traces", example))["id"]


def analysis(server, made, place):
    return json.loads(ask(server, f"traces/{made}/analyses/steps?{place}"))


def vectors(server, made, place, of):
    return np.load(io.BytesIO(ask(server, f"traces/{made}/vectors?{place}&of={of}")))


def written(value):
    """A number as the page writes it: about four digits, a true minus sign, powers of ten for what is tiny."""
    size = abs(value)
    if 0 < size < 0.0005:
        digits, power = f"{size:.1e}".split("e")
        return f"{'−' if value < 0 else ''}{digits}·10⁻{str(-int(power)).translate(RAISED)}"
    digits = 0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 10 else 3 if size >= 0.01 else 4
    return f"{'−' if value < 0 else ''}{size:.{digits}f}"


def said(page: Page):
    return page.locator(f"{PANEL} [data-said]")


def columns(page: Page, kind):
    return page.locator(f"{PANEL} .keys-of tbody td.as-{kind} > span:last-child").all_inner_texts()


def sentences(row, keys, values):
    """What is said of each step from "it" to "cat", as expressions."""
    query = np.float32(row["query_vector"])
    lengths = [written(math.hypot(*one)) for one in (query, keys[2], values[2])]
    products = query * keys[2]
    dot, scaled, exponential, weight = (written(row[name][2]) for name in ("dots", "scaled", "exponentials", "weights"))
    shared = (
        f"exp({scaled} − {written(row['peak'])}) = {exponential}; {exponential} ÷ {written(row['total'])} = {weight}"
    )
    return {
        "input": r"it and cat each come in as 384 numbers",
        "project": r"{} long\); cat a key \({} long\) .* \({} long\)".format(*lengths),
        "dot": rf"it · cat = {dot}: the sum of 32 products.*{written(max(products, key=abs))}, is at",
        "scale": rf"{dot} ÷ √32 = {scaled}$",
        "mask": r"all 12 tokens: nothing is blocked",
        "softmax": re.escape(shared),
        "weigh": rf"it gets {weight} times each of its 32 numbers",
        "sum": rf"together they are {written(math.hypot(*row['output']))} long",
        "join": r"all 12 heads together",
    }


def test_every_step_by_keyboard_has_the_numbers_of_the_api(page: Page, server):
    page.emulate_media(reduced_motion="reduce")
    visit(page, server, "?view=compute")
    made = trace(server, model="minilm", text=CAT)
    row = analysis(server, made, "layer=3&head=1&query=8")
    expected = sentences(row, *(vectors(server, made, "layer=3&head=1", of) for of in ("key", "value")))
    tables = {
        "dot": ("bar", row["dots"]), "scale": ("bar", row["scaled"]), "mask": ("bar", row["scores"]),
        "softmax": ("share", row["weights"]), "weigh": ("share", row["weights"]),
    }  # fmt: skip
    page.locator(f"{PANEL} [data-step=input]").focus()
    for at, step in enumerate(STEPS):
        here = page.locator(f"{PANEL} [aria-current=step]")
        expect(here).to_have_attribute("data-step", step)
        expect(here).to_be_focused()
        expect(said(page)).to_have_text(re.compile(expected[step]))
        assert parameters(page).get("step") == (step if at else None)
        expect(page.locator(f"{PANEL} .formula:visible")).to_have_count(1)
        expect(page.locator(f"{PANEL} [data-lines] code").first).to_be_visible()
        if step in tables:
            kind, numbers = tables[step]
            assert columns(page, kind) == [written(one) for one in numbers], step
        page.keyboard.press("ArrowDown")
    differs = re.compile(r"differs from this sum by at most \d.*10⁻[⁶⁷]")
    expect(page.locator(f"{PANEL} [data-notes]")).to_have_text(differs)
    expect(page.locator(f"{PANEL} .heads-of li")).to_have_count(12)
    expect(page.locator(f"{PANEL} [data-forth]")).to_be_disabled()


def test_a_link_opens_at_its_step_and_everything_there_can_be_used(page: Page, server):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit(page, server, "?view=compute&step=dot")
    expect(page.locator(f"{PANEL} [data-title]")).to_have_text("Dot product")
    # A key by the keyboard, and one by a click.
    page.locator(f"{PANEL} .keys-of [data-key='2']").focus()
    page.keyboard.press("ArrowDown")
    expect(said(page)).to_contain_text("it · sat")
    page.locator(f"{PANEL} .keys-of [data-key='6']").click()
    expect(said(page)).to_contain_text("it · mat")
    assert parameters(page)["key"] == "6"
    # Symbols and what they stand for.
    page.locator(f"{PANEL} .formula:visible [data-symbol=product]").hover()
    expect(page.locator(f"{PANEL} .picture-of[data-symbol=product]")).to_have_class(re.compile("lit"))
    strip = page.locator(f"{PANEL} .picture-of[data-symbol=key]")
    strip.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(f"{PANEL} .formula:visible [data-symbol=key]")).to_have_class("lit")
    expect(page.locator(f"{PANEL} [data-reading]")).to_have_text(re.compile(r"^Place \d+: .* × .* = "))
    # Numbers, and the code.
    page.get_by_label("Numbers", exact=True).check()
    made = trace(server, model="minilm", text=CAT)
    keys = vectors(server, made, "layer=3&head=1", "key")
    numbers = page.locator(f"{PANEL} .numbers-of tbody tr td:nth-child(3)")
    expect(numbers).to_have_count(32)
    shown = [float(one.replace("−", "-")) for one in numbers.all_inner_texts()]
    assert shown == pytest.approx(list(keys[6]), abs=0.0051)
    page.locator(f"{PANEL} [data-copy-code]").click()
    expect(page.locator(f"{PANEL} .code-of .copied")).to_have_text("Copied")
    code = json.loads(ask(server, f"traces/{made}/code?layer=3&head=1&query=8&key=6"))["steps"]
    assert (
        page.evaluate("navigator.clipboard.readText()") == next(one for one in code if one["step"] == "dot")["snippet"]
    )
    # Another token of the text is another row.
    page.locator("#strip [data-token='1']").click()
    expect(said(page)).to_contain_text(re.compile("^the · "))


def test_play_goes_on_by_itself_and_stops(page: Page, server):
    page.clock.install()
    visit(page, server, "?view=compute&step=sum")
    page.locator(f"{PANEL} [data-back]").click()
    expect(page.locator(f"{PANEL} [data-title]")).to_have_text("Weigh the values")
    play = page.locator(f"{PANEL} [data-play]")
    play.click()
    expect(page.locator(f"{PANEL} [data-title]")).to_have_text("Add up")
    expect(play).to_have_attribute("aria-label", "Pause")
    page.clock.run_for(4100)
    expect(page.locator(f"{PANEL} [data-title]")).to_have_text("Join the heads")
    expect(play).to_have_attribute("aria-label", "Play the steps")


def test_cross_attention_a_changed_model_and_axe(page: Page, server):
    page.goto(
        f"{server.url}/?model=ko-en&text={KOREAN}&kind=cross&query=0&view=compute&step=softmax&what_if=temperature:2&lang=ko"
    )
    rows = page.locator(f"{PANEL} .keys-of tbody [data-key]")
    expect(rows.first).to_have_text("나", timeout=60_000)
    expect(page.locator(f"{PANEL} [data-notes]")).to_contain_text("바뀐 모델")
    place = "kind=cross&layer=0&head=0&query=0"
    for column, what in ((2, []), (1, ["temperature:2"])):  # as the model is, and as it was changed
        made = trace(server, model="ko-en", text=KOREAN, options={"what_if": what})
        shown = page.locator(f"{PANEL} .keys-of tbody td.as-share:nth-last-child({column})").all_inner_texts()
        assert shown == [written(one) for one in analysis(server, made, place)["weights"]], what
    page.emulate_media(color_scheme="light")
    assert faults(page) == []
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert faults(page, "color-contrast") == []
    page.set_viewport_size({"width": 320, "height": 800})
    assert no_overflow(page)
