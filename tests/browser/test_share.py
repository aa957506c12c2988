"""The Share dialog with a browser: what is taken along is what is on show. And the page on paper."""

import io
import json
import re
from urllib.parse import parse_qs, quote, urlsplit
from urllib.request import ProxyHandler, build_opener

import pytest
from axe_playwright_python.sync_playwright import Axe
from explore_page import CAT, no_overflow, number, parameters, visit
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader

pytestmark = [pytest.mark.browser, pytest.mark.model]

DRAWN = "#share [data-preview]:not([aria-busy])"
UNREAD = "".join(f"{i * 7919 % 9973:04d}" for i in range(4000))  # one word that the model does not know
NOISE = " ".join(f"{i * 7919 % 9973:04d}" for i in range(4000))  # compresses badly


def share(page: Page, tab: str = "picture"):
    page.locator("#focus [data-share]").click()
    if tab != "picture":
        page.locator(f"#share-tab-{tab}").click()
    expect(page.locator(f"#share-{tab}")).to_be_visible()


def drawn(page: Page):
    expect(page.locator(DRAWN)).to_be_attached(timeout=30_000)
    expect(page.locator("#share [data-image]")).to_be_visible()


def fetch(url: str) -> bytes:
    with build_opener(ProxyHandler({})).open(url, timeout=30) as reply:
        return reply.read()


def test_the_dialog_with_the_keyboard_alone(page: Page, server):
    visit(page, server)
    opener = page.locator("#focus [data-share]")
    opener.focus()
    page.keyboard.press("Enter")
    tab = page.get_by_role("tab", name="Picture", exact=True).and_(page.locator("#share [role=tab]"))
    expect(tab).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#share-tab-link")).to_be_focused()
    expect(page.locator("#share-link")).to_be_visible()
    expect(page.locator("#share-picture")).to_be_hidden()
    page.keyboard.press("Tab")
    expect(page.locator("#share-address")).to_be_focused()
    for _ in range(20):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('#share')")
    page.keyboard.press("Escape")
    expect(page.locator("#share")).to_be_hidden()
    expect(opener).to_be_focused()


def test_what_is_seen_is_what_is_downloaded(page: Page, server):
    visit(page, server, "?scale=sqrt&lang=en")
    share(page)
    drawn(page)
    expect(page.locator("#share [data-alt]")).to_contain_text("L3 H1 of MiniLM, 12 queries by 12 keys")
    expect(page.locator("#share [data-image]")).to_have_attribute("alt", page.locator("#share [data-alt]").inner_text())
    page.locator("#share [name=what]").select_option("grid")
    page.locator("#share [name=theme][value=print]").check(force=True)
    page.locator("#share [name=width]").fill("20")  # is said to be wrong, and changes nothing
    expect(page.locator("#share [name=width]")).to_have_attribute("aria-invalid", "true")
    page.locator("#share [name=width]").fill("700")
    page.locator("#share [name=x][value='1']").check(force=True)
    expect(page.locator("#share [data-alt]")).to_contain_text("All heads")
    expect(page.locator("#share [data-size]")).to_contain_text("700 ×")
    drawn(page)
    with page.expect_download() as download:
        page.locator("#share [data-download]").click()
    assert download.value.suggested_filename == "attention-atlas-grid.png"
    taken = download.value.path().read_bytes()
    with Image.open(io.BytesIO(taken)) as picture:
        assert picture.width == 700
    query = f"text={quote(CAT)}&model=minilm&layer=3&head=1&query=8&key=2&scale=sqrt&range=unit&figure=grid"
    rev = parameters_of_link(page)["rev"]
    assert fetch(f"{server.url}/figure.png?{query}&rev={rev}&lang=en&theme=print&width=700") == taken


def parameters_of_link(page: Page) -> dict[str, str]:
    page.locator("#share-tab-link").click()
    expect(page.locator("#share-address")).not_to_have_value("")
    link = page.locator("#share-address").input_value()
    return {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}


def test_a_link_restores_the_view_for_somebody_else(browser: Browser, page: Page, server):
    visit(page, server, "?model=ko-en&view=lines&lang=ko&special=hide")
    shown = page.locator("#focus [data-read]").inner_text()
    share(page, "link")
    told = parameters_of_link(page)
    assert {"text", "model", "rev", "kind", "layer", "head", "query", "key", "theme", "lang"} <= told.keys()
    link = page.locator("#share-address").input_value()
    stranger = browser.new_context(locale="en-US", color_scheme="dark").new_page()
    stranger.goto(link)
    expect(stranger.locator("#focus [data-read]")).to_have_text(shown.replace("\n", ""), use_inner_text=False)
    expect(stranger.locator("#panel-lines")).to_be_visible()
    expect(stranger.locator("html")).to_have_attribute("lang", "ko")
    expect(stranger.locator("html")).to_have_attribute("data-theme", "light")
    stranger.context.close()


def test_the_codes_hold_what_was_chosen(page: Page, server):
    visit(page, server)
    share(page, "link")
    code = page.locator("#share [data-code]")
    expect(code).to_have_value(re.compile(f'^<iframe src="{re.escape(server.url)}/embed[?]'))
    expect(page.locator("#share [data-local]")).to_be_visible()
    page.locator("#share [name=show][value=strip]").check()
    page.locator("#share [name=controls][value=heads]").check()
    page.locator("#share [name=code][value=address]").check(force=True)
    expect(page.locator("#share-code-help")).to_contain_text("oEmbed")
    embed = urlsplit(code.input_value())
    asked = parse_qs(embed.query)
    assert (embed.path, asked["show"], asked["controls"]) == ("/embed", ["strip,heatmap"], ["heads"])
    answer = json.loads(
        fetch(f"{server.url}/oembed?url={quote(page.locator('#share-address').input_value(), safe='')}")
    )
    assert answer["title"] == f"L3 H1 · {CAT}"
    assert Image.open(io.BytesIO(fetch(answer["thumbnail_url"]))).size == (600, 315)
    page.locator("#share [name=code][value=markdown]").check(force=True)
    expect(code).to_have_value(re.compile(r"^!\[Heatmap of attention weights, L3 H1"))


def test_a_text_too_long_for_a_link_travels_as_far_as_it_was_read(browser: Browser, page: Page, server):
    visit(page, server, f"?text={quote(NOISE)}&truncate=1&layer=2&head=5")
    shown = number(page).inner_text(), page.locator("#strip").inner_text()
    share(page, "link")
    expect(page.locator("#share-link [data-cut]")).to_be_visible()
    link = page.locator("#share-address").input_value()
    with browser.new_context(viewport={"width": 1440, "height": 900}) as stranger:
        other = stranger.new_page()
        other.goto(link)
        expect(number(other)).to_have_text(shown[0])
        assert other.locator("#strip").inner_text() == shown[1]
        expect(other.locator("#notices")).to_contain_text(re.compile("reads at most 512 tokens; this text has 51[34]"))
    page.locator("#share-tab-files").click()
    expect(page.locator("#share-files [data-file]:enabled")).to_have_count(5)


def test_a_text_that_fits_into_no_address_offers_its_trace(page: Page, server):
    visit(page, server, f"?text={quote(UNREAD)}")
    share(page)
    expect(page.locator("#share-picture [data-wrong]")).to_contain_text("too long")
    expect(page.locator("#share [data-download]")).to_be_disabled()
    page.locator("#share-tab-link").click()
    expect(page.locator("#share-link [data-refused]")).to_contain_text("too long to travel in a link")
    expect(page.locator("#share-link [data-body]")).to_be_hidden()
    page.locator("#share-tab-files").click()
    enabled = page.locator("#share-files [data-file]:enabled")
    expect(enabled).to_have_count(1)
    with page.expect_download() as download:
        enabled.click()
    assert download.value.suggested_filename.endswith(".safetensors")


@pytest.mark.parametrize(("query", "theme", "width"), [("", "light", 1440), ("?lang=ko&model=shapes", "dark", 390)])
def test_axe_finds_nothing_in_the_dialog(page: Page, server, query, theme, width):
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    visit(page, server, query)
    share(page)
    drawn(page)
    for tab in ("picture", "link", "files"):
        page.locator(f"#share-tab-{tab}").click()
        expect(page.locator(f"#share-{tab}")).to_be_visible()
        found = Axe().run(page, "#share").response["violations"]
        assert [(fault["id"], [node["target"] for node in fault["nodes"]]) for fault in found] == [], tab
        assert page.locator(f"#share-{tab}").evaluate("node => node.scrollWidth <= node.clientWidth"), tab
    assert no_overflow(page)


def test_the_page_on_paper(page: Page, server):
    page.emulate_media(color_scheme="dark")
    visit(page, server, "?view=lines")
    printed = PdfReader(io.BytesIO(page.pdf(format="A4")))
    text = "\n".join(sheet.extract_text() for sheet in printed.pages)
    for said in (CAT, "L3 H1", "0.487", "Reading the picture", "exact: recomputed rows", f"{server.url}/?view=lines"):
        assert said in text, said
    for control in ("Share", "Copy link", "Special tokens", "Look", "Dark"):
        assert f"\n{control}\n" not in text, control
    # Afterwards everything is as it was.
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(number(page)).to_have_text("0.487")
    assert parameters(page) == {"view": "lines"}
