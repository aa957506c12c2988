"""A figure as a web page: it draws under its own strict policy, without the network, and labels stay as typed."""

from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, expect
from visitor import Visitor

from attention_core.figures import Figure
from attention_core.figures.figure import Axis, Cells, Scale

pytestmark = [pytest.mark.browser, pytest.mark.model]
HOSTILE = ["<b>", "<br>", "&lt;", "<a href=x>", "$$", r"$\frac{", "%{x}", "</script>", "شجرة"]
LABELS = "nodes => nodes.map((node) => node.textContent.replace(/[\\u2068\\u2069]/g, ''))"


def labels(page: Page, axis: str) -> list[str]:
    return page.locator(f".{axis}tick text").evaluate_all(LABELS)


def test_it_draws_under_its_own_policy(page: Page, server) -> None:
    text = quote("<script>document.title = 1</script> the cat", safe="")
    page.goto(f"{server.url}/figure.html?text={text}&layer=3&head=1")
    expect(page.locator(".heatmaplayer image").first).to_be_attached()
    assert "script" in labels(page, "y")
    assert page.title() != "1"
    assert page.evaluate("window.origin") == "null"  # a sandbox: nothing here belongs to this site
    box = page.locator(".heatmaplayer image").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 30, box["y"] + 30)
    expect(page.locator(".hoverlayer text").first).to_be_visible()
    assert "→" in (page.locator(".hoverlayer").text_content() or "")


def test_labels_are_drawn_as_typed_without_the_network(profile: BrowserContext, tmp_path: Path) -> None:
    count = len(HOSTILE)
    axes = Axis(tuple(HOSTILE), "<i>rows</i>", chosen=0), Axis(tuple(HOSTILE), "$columns$")
    panel = Cells(np.full((count, count), 1 / count), *axes)
    Figure(panel, "<b>title</b>", "alt <b>", Scale("<w>"), ("<i>note",)).save(tmp_path / "it.html")
    with Visitor(profile, "file:///") as visitor:
        profile.set_offline(True)
        page = profile.new_page()
        page.goto((tmp_path / "it.html").as_uri())
        assert labels(page, "y") == labels(page, "x") == HOSTILE
        assert page.locator("#figure").get_attribute("aria-label") == "alt <b>"
        drawn = page.locator("#figure svg text").evaluate_all(LABELS)
        assert {"<b>title</b>", "<i>note", "<i>rows</i>", "$columns$", "<w>"} <= set(drawn)
        assert page.locator("#figure svg a").count() == 0
        assert page.get_by_role("button").count() == 0  # Plotly's own would send the data away
    profile.set_offline(False)
    assert visitor.faults == []
