"""Hostile texts through the API and the page: no 5xx, no dialog, no script, tokens shown as text."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hostile_texts import naughty, scripts
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.model]
MOST_TOKENS, MOST_CHARACTERS = 480, 5000


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


def test_every_string_gets_a_trace_or_a_clear_problem(server) -> None:
    for text in naughty() + scripts():
        status, reply = post(server.url, text)
        if status in (200, 201):
            assert reply["source"]["text"] == text
            assert len(reply["source"]["texts"]) >= 3
        else:
            assert status == 422, (text, reply)
            assert reply["type"] in ("/problems/empty-text", "/problems/text"), (text, reply)
            assert reply["detail"]


def test_the_page_shows_hostile_texts_as_text(page: Page, server) -> None:
    for text in pages_of(server.url):
        page.goto(f"{server.url}/?truncate=1&text={quote(text)}")
        # The tokens are there: the strip holds as many as the trace has. The page fixture fails on any dialog,
        # script error, foreign request or CSP violation.
        _, reply = post(server.url, text)
        shown = page.locator("#strip [data-token]")
        expect(shown).to_have_count(len(reply["source"]["texts"]), timeout=20_000)
    expect(page.locator("img, iframe, object, embed")).to_have_count(0)


def pages_of(url: str) -> Iterator[str]:
    """The strings, as many a page as the model takes whole; one that alone is too long stands alone and is cut."""
    together, tokens = [], 2
    for text in naughty() + scripts():
        if not text.strip() or has_half(text):
            continue
        status, reply = post(url, text)
        count = len(reply["source"]["texts"]) if status in (200, 201) else 2
        if together and (tokens + count > MOST_TOKENS or sum(map(len, together)) + len(text) > MOST_CHARACTERS):
            yield "\n".join(together)
            together, tokens = [], 2
        together.append(text)
        tokens += count
    yield "\n".join(together)


def has_half(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)
