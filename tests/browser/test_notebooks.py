"""A notebook, executed by a kernel and exported: its pictures, and a trace to walk through without either."""

import base64
import io
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from explore_page import CAT, head
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image
from playwright.sync_api import expect

from attention_core.capture import capture
from attention_core.figures import grid, heatmap, lines

pytestmark = [pytest.mark.browser, pytest.mark.model]

HEADS = {"trace": "all heads", "heatmap(trace, layer=3, head=1)": "L3 H1", "lines(trace, layer=5, head=11)": "L5 H11"}
CELLS = [
    "from attention_core import capture\n"
    "from attention_core.figures import heatmap, interactive, lines\n"
    f"trace = capture('minilm', {CAT!r})",
    *HEADS,
    "interactive(trace, layer=3, head=1, query=8, key=2)",
]


class Elements(HTMLParser):
    """The elements of a piece of HTML."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


@pytest.fixture(scope="module")
def notebook(minilm_folder, tmp_path_factory):
    """The file of a notebook that a kernel has executed; beside it stands its export."""
    path = tmp_path_factory.mktemp("notebook") / "lesson.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(cell) for cell in CELLS]), path)
    places = {f"JUPYTER_{name}_DIR": str(path.parent / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    settings = {"IPYTHONDIR": str(path.parent / "ipython"), "PYTHONPATH": str(Path(__file__).parents[2])}
    program = [sys.executable, str(Path(__file__).parent / "run_notebook.py"), str(path)]
    done = subprocess.run(program, env=os.environ | places | settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return path


@pytest.fixture(scope="module")
def shown(notebook):
    """What each cell shows, by type, as it stands in the file."""
    cells = nbformat.read(notebook, as_version=4).cells
    assert [cell.source for cell in cells if cell.outputs] == CELLS[1:]  # nothing is said that nobody asked for
    return {cell.source: cell.outputs[0].data for cell in cells[1:] if len(cell.outputs) == 1}


def test_what_is_shown_is_in_the_file_and_asks_for_nothing(shown):
    assert list(shown) == CELLS[1:]
    for data in shown.values():
        assert set(data) == {"text/html", "text/plain", "image/png"}  # no widget, which would need its kernel
        for _, attributes in Elements(data["text/html"]).found:
            assert attributes.get("src", "data:").startswith("data:")
            assert "href" not in attributes


@pytest.mark.parametrize("cell", HEADS)
def test_pictures_are_the_librarys_with_words_for_who_cannot_see_them(shown, cell, minilm_folder):
    trace = capture("minilm", CAT)
    figure = {"t": grid, "h": heatmap, "l": lines}[cell[0]](
        trace, **{name: int(value) for name, value in re.findall(r"(layer|head)=(\d+)", cell)}
    )
    png = base64.b64decode(shown[cell]["image/png"])
    assert png == figure.write("png", scale=2)
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    assert len(picture.getcolors(1_000_000)) > 50
    [(_, attributes)] = [one for one in Elements(shown[cell]["text/html"]).found if one[0] == "img"]
    assert attributes["src"] == f"data:image/png;base64,{base64.b64encode(png).decode()}"
    assert abs(int(attributes["width"]) - picture.width / 2) < 1
    assert attributes["alt"] == figure.alt_text
    assert HEADS[cell].split()[-1] in attributes["alt"]
    assert figure.alt_text in shown[cell]["text/plain"]


def test_an_export_is_walked_through_without_kernel_or_network(browser, notebook):
    context = browser.new_context(offline=True, viewport={"width": 1000, "height": 900})
    page = context.new_page()
    page.goto(notebook.with_suffix(".html").as_uri())
    expect(page.locator("img[alt^='Heatmap of attention weights, L3 H1 of MiniLM']").first).to_be_visible()
    frame = page.frame_locator("iframe")
    expect(frame.locator("#focus [data-read] b")).to_have_text("0.487")
    expect(page.locator("iframe + img")).to_be_hidden()  # the picture for where there are no frames
    head(frame, 5, 11).click()
    expect(frame.locator("#focus h2")).to_have_text("L5 H11")
    expect(frame.locator("#focus [data-read] b")).to_have_text("0.683")
    frame.get_by_role("tab", name="Lines").click()
    expect(frame.locator("#panel-lines path").first).to_be_attached()
    # What surrounds the frame is out of its reach.
    reach = "() => { try { return String(parent.document.title); } catch (error) { return error.name; } }"
    assert page.frames[-1].evaluate(reach) == "SecurityError"
    context.close()
