"""A link restores what was seen, for somebody else too; a trace travels as a file; long texts travel packed."""

import random
import re
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from explore_page import number, pair, parameters, visit
from playwright.sync_api import Browser, Page, expect

SEEN = {
    "text": "나는 학교에 갔다", "model": "ko-en", "kind": "cross", "layer": "1", "head": "3", "query": "3", "key": "2",
    "view": "lines", "words": "1", "special": "hide", "scale": "sqrt",
}  # fmt: skip


def copied(page: Page) -> str:
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("[data-copied]")).to_have_text("Link copied")
    return str(page.evaluate("navigator.clipboard.readText()"))


def whole(page: Page) -> dict[str, object]:
    """What a person sees of the state."""
    field = page.locator
    return {
        "text": field("#ask [data-text]").input_value(),
        "model": field("#models select").input_value(),
        "head": field("#focus h2").inner_text(),
        "cell": (pair(page), number(page).inner_text()),
        "tab": field("[role=tab][data-view][aria-selected=true]").get_attribute("data-view"),
        "words": field("#looking [data-words]").is_checked(),
        "special": field("#looking [data-special]").input_value(),
        "scale": field("#colour [data-scale]").input_value(),
        "tokens": field("#strip [data-token]").all_inner_texts(),
        "theme": field("html").get_attribute("data-theme"),
        "language": field("html").get_attribute("lang"),
        "notices": field("#notices").inner_text(),
    }


def test_a_permalink_shows_the_same_view_in_a_new_profile(page: Page, server, browser: Browser):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit(page, server, f"?{urlencode(SEEN)}")
    page.locator("[data-theme-button]").click()
    page.locator("[data-theme-button]").click()  # dark, of the visitor's own choice
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    seen, link = whole(page), copied(page)
    said = dict(parse_qsl(urlsplit(link).query))
    assert said == {**SEEN, "rev": said["rev"], "theme": "dark", "lang": "en"}
    with browser.new_context(locale="ko-KR", color_scheme="light", viewport={"width": 1440, "height": 900}) as profile:
        other = profile.new_page()
        other.goto(link)
        expect(number(other)).to_have_text(number(page).inner_text())
        assert whole(other) == seen
        assert seen["notices"] == ""


def test_a_link_made_with_another_revision_says_so_until_it_is_read(page: Page, server):
    visit(page, server, "?rev=0123456789ab&view=lines")
    notice = page.locator("#notices .notice")
    expect(notice).to_contain_text("another revision of MiniLM (0123456789ab)")
    expect(notice).to_contain_text("53aa51172d14")
    notice.get_by_role("button", name="Understood").click()
    expect(notice).to_have_count(0)
    assert parameters(page) == {"view": "lines"}


def test_a_long_text_travels_packed_and_comes_back(page: Page, server):
    long = "The cat sat on the mat because it was tired of the long and rainy day. " * 28 + "It slept."
    visit(page, server, "?lang=en")
    page.locator("#ask [data-text]").fill(long)
    page.locator("#ask [data-look]").click()
    page.wait_for_url(re.compile(r"\?z=[\w-]+&lang=en$"))
    assert len(page.url) < 2000
    page.reload()
    expect(page.locator("#ask [data-text]")).to_have_value(long)
    page.get_by_role("link", name="한국어").click()
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    expect(page.locator("#ask [data-text]")).to_have_value(long)
    page.go_back()
    page.go_back()
    expect(page.locator("#ask [data-text]")).to_have_value(re.compile("^The cat sat on the mat because it was tired$"))
    page.go_forward()
    expect(page.locator("#ask [data-text]")).to_have_value(long)


def test_a_text_too_long_for_any_link_stays_in_its_tab(page: Page, server):
    letters = random.Random(7)
    noise = "".join(letters.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(14_000))  # one unknown word
    visit(page, server, "?lang=en")
    page.locator("#ask [data-text]").fill(noise)
    page.locator("#ask [data-look]").click()
    expect(page.locator("#strip [data-token]")).to_have_count(3)
    assert parameters(page) == {"layer": "3", "head": "1", "lang": "en"}
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("[data-copied]")).to_contain_text("too long for a link")
    expect(page.locator("[data-copied]")).to_have_class(re.compile(r"\bnot\b"))  # which is no success
    page.reload()
    expect(page.locator("#strip [data-token]")).to_have_count(3)
    expect(page.locator("#ask [data-text]")).to_have_value(noise)


def test_a_damaged_link_says_so(page: Page, server):
    page.goto(f"{server.url}/?z=AAAA")
    expect(page.get_by_role("alert")).to_contain_text("This link is damaged")


def dropped(page: Page, address: str, name: str) -> None:
    """Drops a file of the server's in the middle of the page, as a file manager does."""
    page.evaluate(
        """async ([address, name]) => {
          const held = new DataTransfer();
          held.items.add(new File([await (await fetch(address)).arrayBuffer()], name));
          const at = document.querySelector("#focus");
          for (const kind of ["dragover", "drop"])
            at.dispatchEvent(new DragEvent(kind, { dataTransfer: held, bubbles: true, cancelable: true }));
        }""",
        [address, name],
    )


@pytest.mark.refused
def test_a_trace_file_opens_without_its_model_and_without_its_badge(page: Page, server):
    visit(page, server)
    expect(page.locator("[data-badge]")).to_contain_text("exact")
    cats = number(page).inner_text()
    dog = {"model": "minilm", "text": "The dog chased the ball"}
    posted = page.request.post(f"{server.url}/api/v1/traces", data=dog)
    address = f"/api/v1/traces/{posted.json()['id']}/file"
    dropped(page, address, "dog.safetensors")
    expect(page.locator("[data-badge]")).to_have_text("from a file, not checked against the model")
    expect(page.locator("#ask [data-text]")).to_have_value("The dog chased the ball")
    expect(page.locator("#notices")).to_contain_text("need the model itself")
    expect(page.get_by_role("tab", name="Switch off")).to_have_count(0)
    expect(page.get_by_role("tab", name="Find the head")).to_be_visible()
    assert parameters(page)["trace"].startswith("file-")
    opened = page.url
    expect(number(page)).to_have_text(re.compile(rf"^(?!{re.escape(cats)})\d\.\d{{3}}$"))  # no longer the cat's
    shown = number(page).inner_text()
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")  # where the button is
    page.locator("[data-open] + input").set_input_files(
        {"name": "broken.safetensors", "mimeType": "application/octet-stream", "buffer": b"no header"}
    )
    expect(page.get_by_role("alert")).to_contain_text("no trace file of Attention Atlas, or it is damaged")
    expect(page.get_by_role("alert")).to_be_in_viewport()
    page.locator("[data-open] + input").evaluate("field => (field.multiple = true)")  # as if two were dropped
    page.locator("[data-open] + input").set_input_files(
        [{"name": f"{name}.safetensors", "mimeType": "application/octet-stream", "buffer": b""} for name in "ab"]
    )
    expect(page.get_by_role("alert")).to_contain_text("2 files were dropped, and one can be looked at")
    page.goto(opened)
    expect(number(page)).to_have_text(shown)
    page.get_by_role("button", name="Look at this text in MiniLM").click()
    expect(page.locator("[data-badge]")).to_contain_text("exact")
    expect(number(page)).to_have_text(shown)
    assert parameters(page)["text"] == "The dog chased the ball"
    page.goto(f"{server.url}/?trace=file-{'0' * 40}")
    expect(page.get_by_role("alert")).to_contain_text("no longer holds the trace of this file")
    expect(page.get_by_role("alert").get_by_role("button", name="Open a trace file")).to_be_visible()
