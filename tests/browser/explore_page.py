"""Where things stand on the Explore page, for the tests that read it."""

import re
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, expect

from app.packing import unpacked

CAT = "The cat sat on the mat because it was tired"
KOREAN = "나는 학교에 갔다"
LONG = "The old house by the sea had been empty for years before she came. " * 25
TOO_LONG = "It rained all day and nobody came to the market. " * 70
HOSTILE = ["<b>x</b>", "<br>", "<a href=x>y</a>", "&lt;", "$$", "مرحبا", "नमस्ते", "👩‍👩‍👧"]


LOADING = 60_000  # milliseconds: a model may have to be loaded first, beside other work


def visit(page: Page, server, query=""):
    page.goto(f"{server.url}/{query}")
    expect(number(page)).to_have_text(re.compile(r"^\d\.\d{3}$"), timeout=LOADING)


def number(page: Page):
    return page.locator("#focus [data-read] b")


def pair(page: Page):
    return page.locator("#focus [data-read] bdi").all_inner_texts()


def head(page: Page, layer, index):
    return page.locator(f'#grid [data-head="{layer}.{index}"]')


def token(page: Page, index):
    return page.locator(f'#strip [data-token="{index}"]')


def ask(page: Page, text):
    page.get_by_role("textbox").fill(text)
    page.get_by_role("textbox").press("Enter")


def parameters(page: Page):
    return {name: values[0] for name, values in parse_qs(unpacked(urlsplit(page.url).query)).items()}


def near(page: Page, value):
    """Waits until the number on show is this one; the page may still be reading the head."""
    shown = "value => Math.abs(Number(document.querySelector('#focus [data-read] b').textContent) - value) <= 0.001001"
    return page.wait_for_function(shown, arg=value).json_value()


def heatmap_box(page: Page):
    expect(page.locator("#panel-heatmap .nsewdrag").first).to_be_attached()
    return page.locator("#panel-heatmap .nsewdrag").first.bounding_box()


def labels(page: Page, axis):
    return [
        text.strip("\u2068\u2069")
        for text in page.locator(f".{axis}tick text").evaluate_all("nodes => nodes.map(n => n.textContent)")
    ]


def no_overflow(page: Page):
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
