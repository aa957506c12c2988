"""Hostile texts through the API and the page: no 5xx, no dialog, no script, tokens shown as text."""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hostile_texts import OWN, naughty, scripts
from playwright.sync_api import Page, expect
from tokenizers import Tokenizer

from attention_core.errors import TextError
from attention_core.models.catalogue import load_catalogue
from attention_core.models.examples import Example
from attention_core.models.loading import load_model
from attention_core.models.sources import model_folder

pytestmark = [pytest.mark.browser, pytest.mark.model]
MOST_TOKENS, MOST_CHARACTERS = 510, 5000
# A window of the heatmap: what is tested are texts, and 512 x 512 cells take a second to draw.
WINDOW = "queries=0:8&keys=0:8"
GO_ON = """address => {
  for (const node of document.querySelectorAll("#strip [data-token]")) node.dataset.old = "";
  history.pushState(null, "", address);
  dispatchEvent(new PopStateEvent("popstate"));
}"""
# How many tokens are there, as soon as there are that many; looked at in every frame.
SHOWN = """count => new Promise((done) => {
  const end = performance.now() + 20000;
  (function look() {
    const found = document.querySelectorAll("#strip [data-token]:not([data-old])").length;
    if (found === count || performance.now() > end) done(found);
    else requestAnimationFrame(look);
  })();
})"""


def post(url: str, text: str) -> tuple[int, dict[str, object]]:
    body = json.dumps({"model": "minilm", "text": text, "options": {"truncate": True}}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/api/v1/traces", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        with error:
            kind = error.headers["Content-Type"]
            return error.code, json.load(error) if kind == "application/problem+json" else {"type": kind}


def test_every_string_is_tokens_or_a_clear_problem(server, cache: Path) -> None:
    """Each alone, through the reader that a trace begins with; of every shape one also by HTTP, with the same end."""
    entry = load_catalogue().entry("minilm")
    model = load_model(entry.card, model_folder(entry, cache))
    read: dict[str, int] = {}
    for text in naughty() + scripts():
        try:
            read[text] = len(model.encode(Example(text), truncate=True).source)
        except TextError:
            read[text] = 0
    assert all(count == 0 or count >= 3 for count in read.values())
    for text in shapes(OWN + scripts()):
        status, reply = post(server.url, text)
        if read[text]:
            assert status in (200, 201), (text, reply)
            assert reply["source"]["text"] == text
            assert len(reply["source"]["texts"]) == read[text]
        else:
            assert status == 422, (text, reply)
            assert reply["type"] in ("/problems/empty-text", "/problems/text"), (text, reply)
            assert reply["detail"]


def test_the_page_shows_hostile_texts_as_text(page: Page, server, cache: Path) -> None:
    for number, texts in enumerate(pages_of(cache)):
        address = f"/?truncate=1&{WINDOW}&text={quote(chr(10).join(texts))}"
        with page.expect_response("**/api/v1/traces") as answer:
            # Opened once; then one address after another, as when a reader goes back and forth.
            page.evaluate(GO_ON, address) if number else page.goto(server.url + address)
        source = answer.value.json()["source"]
        assert source["text"] == "\n".join(texts)
        assert source["cut"] is None or len(texts) == 1  # each whole, unless it alone is too long
        # The tokens are there: the strip holds as many as the trace has. The page fixture fails on any dialog,
        # script error, foreign request or CSP violation.
        assert page.evaluate(SHOWN, len(source["texts"])) == len(source["texts"])
    expect(page.locator("img, iframe, object, embed")).to_have_count(0)


def pages_of(cache: Path) -> Iterator[list[str]]:
    """A string of every shape, as many a page as the model takes whole; one that alone is too long stands alone and is
    cut."""
    tokenizer = Tokenizer.from_file(str(model_folder(load_catalogue().entry("minilm"), cache) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    together: list[str] = []
    for text in shapes(naughty() + scripts()):
        if not text.strip() or has_half(text):
            continue
        joined = "\n".join([*together, text])
        if together and (len(joined) > MOST_CHARACTERS or len(tokenizer.encode(joined).ids) > MOST_TOKENS):
            yield together
            together = []
        together.append(text)
    yield together


def shapes(texts: list[str]) -> list[str]:
    """The first text of every shape: what words and numbers stand between the signs changes nothing. The 500 payloads
    have 36 of them."""
    first: dict[str, str] = {}
    for text in texts:
        first.setdefault(re.sub(r"[A-Za-z0-9]+", "a", text), text)
    return list(first.values())


def has_half(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)
