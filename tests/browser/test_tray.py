"""A lesson of one's own in the browser: collected, written, ordered, kept, presented, printed, saved, opened again."""

import io
import json
import re
import zipfile
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from explore_page import no_overflow, visit
from playwright.sync_api import Page, expect
from pypdf import PdfReader

pytestmark = [pytest.mark.browser, pytest.mark.model]

KEPT = "Saved in this browser"
VIEW = {"type": "view", "address": "text=Owls+see+at+night&model=minilm&layer=3&head=1", "show": ["heatmap"]}


def block(page: Page, place: int):
    return page.locator("[data-block]").nth(place)


def stand(page: Page, kinds: str) -> None:
    """The blocks are these, in this order: t for text, v for view."""
    names = {"t": re.compile(r"\bof-text\b"), "v": re.compile(r"\bof-view\b")}
    expect(page.locator("[data-block]")).to_have_class([names[kind] for kind in kinds])


def write(page: Page, text: str) -> None:
    page.get_by_role("button", name="Add a text", exact=True).click()
    page.keyboard.insert_text(text)


def kept(page: Page) -> None:
    expect(page.locator('[data-kept="kept"]')).to_have_text(KEPT)


def lesson(**more) -> bytes:
    blocks = [{"type": "text", "markdown": "## Owls\n\nThey see."}, VIEW]
    named = {"name": "owls", "language": "en", "title": "Owls", "summary": "What they see"}
    return json.dumps({"format": "attention-atlas-lesson", "version": 1, **named, "blocks": blocks, **more}).encode()


def open_file(page: Page, data: bytes) -> None:
    page.locator("[data-input]").set_input_files({"name": "a.json", "mimeType": "application/json", "buffer": data})


def download(page: Page, kind: str, folder: Path) -> Path:
    with page.expect_download() as caught:
        page.locator(f'[data-save="{kind}"]').click()
    path = folder / caught.value.suggested_filename
    caught.value.save_as(path)
    return path


def test_a_lesson_is_collected_written_ordered_and_never_lost(page, server):
    visit(page, server)
    expect(page.locator("#mine")).to_be_hidden()
    page.get_by_role("button", name="Add to lesson").click()
    expect(page.get_by_role("button", name="Added to the lesson")).to_be_visible()
    expect(page.locator("#mine")).to_have_text("My lesson 1")
    page.get_by_role("tab", name="Lines").click()
    page.get_by_role("button", name=re.compile("Add(ed)? to")).click()
    page.locator("#mine").click()
    expect(page.locator("[data-block] .pictures img:not([data-waits])")).to_have_count(2)
    page.get_by_label("Title of the lesson").fill("Who is it?")
    write(page, "## Guess\n\nWhich word is **it**?")
    expect(block(page, 2).locator(".prose strong")).to_have_text("it")
    page.keyboard.press("Alt+ArrowUp")
    page.keyboard.press("Alt+ArrowUp")
    stand(page, "tvv")
    expect(page.get_by_role("textbox", name="1 · Text")).to_be_focused()
    expect(page.locator("#said")).to_have_text("Now part 1 of 3")
    kept(page)
    expect(page).to_have_title("Who is it? – Attention Atlas")
    # A second tab shows the same, and each shows what the other does.
    other = page.context.new_page()
    other.goto(f"{server.url}/lesson")
    expect(other.get_by_label("Title of the lesson")).to_have_value("Who is it?")
    other.get_by_role("textbox", name="1 · Text").fill("## Other")
    expect(page.get_by_role("textbox", name="1 · Text")).to_have_value("## Other")
    page.get_by_role("textbox", name="1 · Text").fill("## Mine")
    write(other, "At the end")
    expect(page.locator("[data-block]")).to_have_count(4)
    expect(other.get_by_role("textbox", name="1 · Text")).to_have_value("## Mine")
    # What stands is the newest; the other's text is a step back, also after a reload.
    kept(page)
    page.reload()
    for _ in range(2):
        page.keyboard.press("Control+z")
    expect(page.get_by_role("textbox", name="1 · Text")).to_have_value("## Mine")
    page.keyboard.press("Control+z")
    expect(page.get_by_role("textbox", name="1 · Text")).to_have_value("## Other")
    for _ in range(3):
        page.keyboard.press("Control+Shift+z")
    expect(page.get_by_role("textbox", name="4 · Text")).to_have_value("At the end")
    other.close()
    # Dragged, removed, brought back.
    block(page, 3).locator(".grip").drag_to(block(page, 2), target_position={"x": 90, "y": 12})
    expect(page.get_by_role("textbox", name="3 · Text")).to_have_value("At the end")
    page.get_by_role("button", name="Remove: 3 · Text").click()
    expect(page.locator("[data-block]")).to_have_count(3)
    expect(page.get_by_role("button", name="Remove: 3 · View")).to_be_focused()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("textbox", name="3 · Text")).to_have_value("At the end")
    expect(page.locator("#said")).to_have_text("Undone")
    # Who writes in what an undo takes away goes on beside it; and a draft survives the change of language.
    write(page, "")
    page.keyboard.press("Control+z")
    stand(page, "tvtv")
    expect(block(page, 3).get_by_label("What is to be seen here")).to_be_focused()
    block(page, 2).get_by_role("textbox").fill("In the middle of a wo")
    page.get_by_role("link", name="한국어").click()
    expect(page.get_by_role("textbox", name="3 · 글")).to_have_value("In the middle of a wo")


def test_a_view_is_opened_changed_and_comes_back(page, server):
    page.goto(f"{server.url}/lesson")
    open_file(page, lesson())
    expect(page.locator("[data-block]")).to_have_count(2)
    block(page, 1).get_by_role("link", name="Open and change it").click()
    expect(page.locator("#focus h2")).to_have_text("L3 H1")
    page.get_by_role("tab", name="Lines").click()
    page.get_by_role("button", name="Update in lesson").click()
    expect(page.locator("[data-lesson-told]")).to_contain_text("Updated in the lesson")
    page.locator("#mine").click()
    stand(page, "tv")
    expect(block(page, 1).get_by_label("lines")).to_be_checked()
    expect(block(page, 1).get_by_label("heatmap")).not_to_be_checked()


def test_it_is_seen_as_readers_see_it_presented_and_printed(page, server):
    page.goto(f"{server.url}/lesson")
    open_file(page, lesson())
    page.get_by_role("button", name="Preview").click()
    reading = page.locator("#reading")
    expect(reading.get_by_role("heading", name="Owls", level=2)).to_be_visible()
    expect(reading.locator("iframe").content_frame.locator("#focus")).to_contain_text("L3 H1")
    page.get_by_role("button", name="Back to writing").click()
    page.get_by_role("button", name="Present").click()
    slides = page.locator("#slides")
    expect(slides.get_by_role("heading", level=1)).to_have_text("Owls")
    expect(page.locator("body > header")).to_have_js_property("inert", True)
    page.keyboard.press("PageDown")
    expect(slides.get_by_role("heading", level=2)).to_have_text("Owls")
    inside = slides.locator("iframe").content_frame.locator("#focus")
    expect(inside).to_contain_text("L3 H1")
    inside.locator("[data-stage]").focus()
    page.keyboard.press("PageUp")
    expect(slides.locator("[data-at]")).to_have_text("1 of 2")
    page.keyboard.press("End")
    expect(slides.locator("[data-at]")).to_have_text("2 of 2")
    # A view that is taller than the screen begins at its top.
    page.set_viewport_size({"width": 1440, "height": 420})
    page.wait_for_function("() => document.querySelector('[data-slide]').scrollHeight > innerHeight")
    top = "(slide) => slide.querySelector('figure').getBoundingClientRect().top - slide.getBoundingClientRect().top"
    assert slides.locator("[data-slide]").evaluate(top) >= 0
    page.set_viewport_size({"width": 1440, "height": 900})
    page.keyboard.press("Escape")
    expect(slides).to_be_hidden()
    expect(page.get_by_role("button", name="Present")).to_be_focused()
    expect(page.locator("body > header")).to_have_js_property("inert", False)
    page.evaluate("() => { window.print = () => (document.body.dataset.printed = 'yes'); }")
    page.keyboard.press("Control+p")
    expect(page.locator("body")).to_have_attribute("data-printed", "yes")
    paper = "".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(page.pdf())).pages)
    assert "What they see" in paper
    assert "query: looks" in paper  # the view's picture
    assert "Save and open" not in paper


def test_files_are_saved_exported_and_opened_again(page, server, tmp_path):
    page.goto(f"{server.url}/lesson")
    open_file(page, lesson(title="Owls <b>1</b>"))
    stand(page, "tv")
    page.get_by_role("button", name="Save and open").click()
    saved = download(page, "json", tmp_path)
    assert json.loads(saved.read_text())["blocks"][1] == VIEW
    with zipfile.ZipFile(download(page, "html", tmp_path)) as packed:
        packed.extractall(tmp_path / "page")
    page.get_by_role("button", name="Close").click()
    # A file is added behind, or takes the place of what is there; what is no lesson says why.
    open_file(page, saved.read_bytes())
    page.get_by_role("button", name="Add behind").click()
    expect(page.locator("[data-block]")).to_have_count(4)
    open_file(page, lesson(blocks=[VIEW]))
    page.get_by_role("button", name="Replace").click()
    expect(page.locator("[data-block]")).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("[data-block]")).to_have_count(4)
    open_file(page, lesson(blocks=[{"type": "text", "markdown": "One"}] * 197))
    expect(page.get_by_role("dialog")).to_contain_text("more than 200 parts")
    expect(page.get_by_role("button", name="Add behind")).to_be_disabled()


def test_the_exported_page_opens_by_double_click(browser, page, server, tmp_path):
    page.goto(f"{server.url}/lesson")
    reply = page.request.post(
        f"{server.url}/api/v1/lessons/export?format=html", data=lesson(), headers={"Origin": server.url}
    )
    with zipfile.ZipFile(io.BytesIO(reply.body())) as packed:
        packed.extractall(tmp_path)
    alone = browser.new_context(offline=True)
    try:
        there = alone.new_page()
        there.goto((tmp_path / "index.html").as_uri())
        expect(there.get_by_role("heading", level=1)).to_have_text("Owls")
        expect(there.locator("figure img")).not_to_have_js_property("naturalWidth", 0)
    finally:
        alone.close()


@pytest.mark.refused
def test_what_is_no_lesson_says_why_and_changes_nothing(page, server):
    page.goto(f"{server.url}/lesson")
    open_file(page, lesson(version=3))
    expect(page.locator("#files [data-wrong]")).to_contain_text("version 3; accepted: 1")
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#empty")).to_be_visible()


def test_a_browser_that_keeps_nothing_says_so_at_once_wherever_one_writes(page, server, tmp_path):
    page.add_init_script(
        "Object.defineProperty(window, 'indexedDB', { get() { throw new DOMException('no', 'SecurityError'); } })"
    )
    page.goto(f"{server.url}/lesson")
    expect(page.locator("#trouble")).to_contain_text("does not let the page keep anything")
    write(page, "Still here")
    expect(block(page, 0).locator(".prose")).to_have_text("Still here")
    page.keyboard.insert_text("\n\nand so on" * 60)
    expect(page.locator("[data-kept]")).to_have_text("Not saved")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(page.locator("#trouble")).to_be_in_viewport()
    with page.expect_download() as caught:
        page.get_by_role("button", name="Save lesson file").click()
    caught.value.save_as(tmp_path / "a.json")
    assert "Still here" in (tmp_path / "a.json").read_text()


@pytest.mark.parametrize(("theme", "lang"), [("light", "en"), ("dark", "ko")])
def test_axe_finds_nothing_where_a_lesson_is_written_and_a_phone_has_room(page, server, theme, lang):
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.goto(f"{server.url}/lesson?lang={lang}")
    open_file(page, lesson())
    expect(page.locator("[data-block] .pictures img:not([data-waits])")).to_have_count(1)
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 844})
        assert no_overflow(page)
        found = Axe().run(page).response["violations"]
        assert [(fault["id"], [node["target"] for node in fault["nodes"]]) for fault in found] == []
    page.locator("[data-files]").click()
    found = Axe().run(page).response["violations"]
    assert [(fault["id"], [node["target"] for node in fault["nodes"]]) for fault in found] == []
