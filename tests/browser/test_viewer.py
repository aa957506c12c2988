"""The viewer: a file opened from the disk with the network off, and an embed in a page of somebody else's."""

import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, FrameLocator, Page, Route, expect
from visitor import Visitor

from attention_core.capture import capture
from attention_core.figures.page import Opening, offline_page
from attention_core.looking import look
from attention_core.trace import AttentionTrace

pytestmark = [pytest.mark.browser, pytest.mark.model]
CAT = "The cat sat on the mat because it was tired"
HOSTILE = "</script><img src=x onerror=alert(1)> \u2028 it's <b>"
IT, SAT = 8, 3
NO_STORAGE = """
for (const name of ["localStorage", "sessionStorage", "indexedDB"]) {
  Object.defineProperty(window, name, { get() { throw new DOMException("denied", "SecurityError"); } });
}
"""


class Disk:
    """A browser without network, and a folder from which it opens what is written there."""

    def __init__(self, page: Page, folder: Path) -> None:
        self.page = page
        self.path = folder / "page.html"

    def show(self, page: bytes) -> Page:
        self.path.write_bytes(page)
        self.page.goto(self.path.as_uri())
        return self.page


@pytest.fixture
def offline(profile: BrowserContext, tmp_path: Path) -> Iterator[Disk]:
    """A visitor whose network is off. Errors, blocked content, dialogs and any request to a server fail the test."""
    with Visitor(profile, "file:///") as visitor:
        profile.set_offline(True)
        yield Disk(profile.new_page(), tmp_path)
    profile.set_offline(False)
    assert visitor.faults == []


@pytest.fixture(scope="module")
def cat(minilm_folder) -> AttentionTrace:
    return capture("minilm", CAT)


def read(page: Page | FrameLocator, tokens: str, weight: float) -> None:
    """The read-out says these tokens and this weight."""
    expect(page.locator("#focus [data-read]")).to_have_text(f"{tokens}{weight:.3f}")


def drawn(page: Page | FrameLocator) -> None:
    expect(page.locator("#panel-heatmap .nsewdrag").first).to_be_attached()


def test_a_file_shows_everything_without_server_or_network(offline, cat):
    opening = Opening(search=f"?layer=3&head=1&query={IT}")
    page = offline.show(offline_page(cat, opening))
    drawn(page)
    weights = cat.maps[3].weights(1)[0]
    read(page, "it→cat", weights[IT, 2])
    assert page.title() == f"L3 H1 · {CAT} – Attention Atlas"
    # Another token of the strip, another head of the grid, the other ways to look at it.
    page.locator(f'#strip [data-token="{SAT}"]').click()
    expect(page.locator(f'#strip [data-token="{IT}"] .num')).to_have_text(f"{weights[SAT, IT]:.2f}")
    page.locator('#grid [data-head="0.2"]').click()
    expect(page.locator("#focus-name")).to_have_text("L0 H2")
    previous = cat.maps[0].weights(2)[0]
    read(page, "sat→cat", previous[SAT, 2])
    page.get_by_role("tab", name="Lines").click()
    expect(page.locator("#panel-lines path.on")).not_to_have_count(0)
    page.get_by_role("tab", name="Table").click()
    expect(page.locator("#panel-table [data-row] tbody tr").first).to_contain_text(f"{previous[SAT].max():.3f}")
    # Looks are computed in the page.
    page.locator("[data-special]").select_option("renormalise")
    shown = look(cat, special="renormalise").maps[0].weights(2)[0]
    read(page, "sat→cat", shown[SAT - 1, 1])
    expect(page.locator("#strip [data-token]")).to_have_count(10)
    assert page.locator("a").count() == 0  # there is no server to lead to


def test_a_file_of_a_translation_has_all_three_kinds_on_a_phone(offline):
    trace = capture("ko-en", "나는 학교에 갔다")
    offline.page.set_viewport_size({"width": 390, "height": 844})
    opening = Opening(search="?kind=cross&layer=1", language="ko", theme="dark")
    page = offline.show(offline_page(trace, opening))
    for kind in ("cross", "encoder-self", "decoder-self"):
        page.locator(f'#kinds input[value="{kind}"]').check(force=True)
        expect(page.locator("#grid [data-head]")).to_have_count(2 * 4)
        labels = page.locator("#strip [data-tokens] bdi")
        expect(labels).to_have_text(list(trace.keys(kind).texts))
    drawn(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.locator("html").get_attribute("data-theme") == "dark"
    violations = Axe().run(page).response["violations"]
    assert [(fault["id"], [node["target"] for node in fault["nodes"]]) for fault in violations] == []


def test_a_hostile_text_is_text_in_a_file(offline, minilm_folder):
    page = offline.show(offline_page(capture("minilm", HOSTILE)))
    drawn(page)
    assert page.locator("#strip [data-token] bdi").all_inner_texts()[1:5] == ["<", "/", "script", ">"]
    assert page.locator("img").count() == 0


# ---- embedded


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[str]:
    """The address of a course page's folder on another port; files are put into tmp_path."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path)) as course:
        thread = threading.Thread(target=course.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{course.server_port}"
        course.shutdown()
        thread.join()


@pytest.fixture
def foreign(profile: BrowserContext, server) -> Iterator[Page]:
    """A new visitor of a page of somebody else's, whose browser lets no frame keep anything."""
    with Visitor(profile, server.url):
        page = profile.new_page()
        page.add_init_script(NO_STORAGE)
        yield page


def embedded(page: Page, elsewhere: str, folder: Path, address: str) -> FrameLocator:
    # A name of its own: of two pages of one name within a second a browser may show the first again.
    name = f"course-{len(list(folder.glob('course-*.html')))}.html"
    (folder / name).write_text(
        '<!doctype html><title>Course</title><link rel="icon" href="data:,"><button>before</button>'
        f'<iframe src="{address}" width="640" height="710"></iframe><button>after</button>'
    )
    page.goto(f"{elsewhere}/{name}")
    return page.frame_locator("iframe")


def test_an_embed_works_by_keyboard_in_a_foreign_page(foreign, elsewhere, server, cat, tmp_path):
    weights = cat.maps[3].weights(1)[0]
    heard: list[str] = []
    foreign.on("console", lambda said: heard.append(said.text))
    address = f"{server.url}/embed?{urlencode({'text': CAT, 'layer': 3, 'head': 1, 'query': IT, 'theme': 'dark'})}"
    slow: list[Route] = []
    foreign.route("**/api/v1/traces", lambda route: slow.append(route))  # as where a model has to be loaded first
    frame = embedded(foreign, elsewhere, tmp_path, address)
    expect(frame.locator("#notices")).to_have_text("Waiting for the model …")
    slow[0].continue_()
    read(frame, "it→cat", weights[IT, 2])
    expect(frame.locator("#notices")).to_be_hidden()
    drawn(frame)
    expect(frame.locator("html")).to_have_attribute("data-theme", "dark")
    # The view alone: nothing to choose with but the view itself.
    assert frame.locator("select:visible, input:visible, [role=tab]:visible, #strip, #grid").count() == 0
    foreign.get_by_role("button", name="before").focus()
    foreign.keyboard.press("Tab")
    foreign.keyboard.press("ArrowUp")
    read(frame, "because→cat", weights[IT - 1, 2])
    expect(frame.locator("#source a")).to_have_text("Attention Atlas · L3 H1 · MiniLM")
    with foreign.context.expect_page() as opened:
        frame.locator("#source a").click()
    whole = opened.value
    read(whole, "because→cat", weights[IT - 1, 2])
    assert "query=7" in whole.url
    assert foreign.evaluate("history.length") == 2  # about:blank and the course: an embed leaves no steps behind
    assert foreign.context.cookies() == []
    assert heard == []


def test_an_embed_has_what_is_asked_for_and_says_what_is_wrong(foreign, elsewhere, server, tmp_path):
    asked = {"text": CAT, "layer": 0, "head": 2, "show": "strip,lines,table", "controls": "heads,colour", "lang": "ko"}
    frame = embedded(foreign, elsewhere, tmp_path, f"{server.url}/embed?{urlencode(asked)}")
    expect(frame.locator("#panel-lines path.on")).not_to_have_count(0)
    expect(frame.get_by_role("tab")).to_have_text(["연결선", "표"])
    frame.locator("#heads [data-layer]").select_option("3")
    expect(frame.locator("#focus-name")).to_have_text("L3 H2")
    assert frame.locator("#looking, #grid, #panel-heatmap").count() == 0
    problem = embedded(foreign, elsewhere, tmp_path, f"{server.url}/embed?text=x&model=nothing").locator("#problem")
    expect(problem).to_contain_text("no model “nothing” here. There is: minilm, ko-en")  # nobody can choose one there


def test_an_embed_compares_two_texts(foreign, elsewhere, server, cat, tmp_path):
    soft = CAT.replace("tired", "soft")
    change = capture("minilm", soft).maps[3].weights(1)[0, IT, 2] - cat.maps[3].weights(1)[0, IT, 2]
    asked = {"text": CAT, "versus": soft, "layer": 3, "head": 1, "query": IT, "key": 2, "view": "difference"}
    frame = embedded(foreign, elsewhere, tmp_path, f"{server.url}/embed?{urlencode(asked)}")
    panel = frame.locator("#panel-difference")
    expect(panel.locator("[data-moved] b")).to_have_text(f"{change:+.3f}".replace("-", "−"))
    expect(panel.locator("figcaption")).to_have_text([f"First: {CAT}", f"Second: {soft}"])
    expect(panel.locator(".nsewdrag").first).to_be_attached()
    foreign.get_by_role("button", name="before").focus()
    foreign.keyboard.press("Tab")
    foreign.keyboard.press("ArrowUp")
    expect(panel.locator("[data-moved]")).to_contain_text("because → cat")
    expect(frame.locator("#source a")).to_have_attribute("href", re.compile("view=difference"))
    asked = {"text": CAT, "versus_model": "nothing", "show": "difference"}
    frame = embedded(foreign, elsewhere, tmp_path, f"{server.url}/embed?{urlencode(asked)}")
    expect(frame.locator("#panel-difference [data-wait]")).to_contain_text("no model “nothing” here. There is: minilm")


def test_an_embed_computes_a_row_step_by_step(foreign, elsewhere, server, cat, tmp_path):
    weights = cat.maps[3].weights(1)[0]
    asked = {"text": CAT, "layer": 3, "head": 1, "query": IT, "key": 2, "show": "compute", "step": "softmax"}
    frame = embedded(foreign, elsewhere, tmp_path, f"{server.url}/embed?{urlencode(asked)}")
    panel = frame.locator("#panel-compute")
    current = panel.locator("[data-step][aria-current]")
    expect(current).to_have_attribute("data-step", "softmax")
    expect(panel.locator("[data-said]")).to_contain_text(f"{weights[IT, 2]:.3f}")
    current.focus()
    foreign.keyboard.press("ArrowRight")
    expect(current).to_have_attribute("data-step", "weigh")
    expect(frame.locator("#source a")).to_have_attribute("href", re.compile("(?=.*view=compute).*step=weigh"))
    expect(panel.locator("[data-what-if]")).to_be_hidden()  # the tool for it is on the whole page
    foreign.keyboard.press("End")  # the model is asked once more
    expect(panel.locator("[data-notes]")).to_contain_text("10⁻")
    assert frame.locator("#panel-heatmap, #strip, #grid").count() == 0


def test_the_figure_of_an_idea_lives_in_a_foreign_page(foreign, elsewhere, server, tmp_path):
    heard: list[str] = []
    foreign.on("console", lambda said: heard.append(said.text))
    foreign.goto(f"{server.url}/ideas/scaling?dim=16&lang=ko&seed=3")
    foreign.get_by_role("button", name="다른 페이지에 넣기").click()
    code = foreign.locator(".taking textarea").input_value()
    address = re.search('src="([^"]+)"', code)[1].replace("&amp;", "&")
    frame = embedded(foreign, elsewhere, tmp_path, address)
    expect(frame.locator(".panel h2").first).to_contain_text("dₖ = 16")
    expect(frame.locator("html")).to_have_attribute("lang", "ko")
    first = frame.locator(".pair tbody td").first.inner_text()
    frame.get_by_role("slider").press("End")
    expect(frame.locator(".panel h2").first).to_contain_text("dₖ = 1,024")
    expect(frame.locator(".pair tbody td").first).not_to_have_text(first)
    expect(frame.locator("#whole")).to_have_attribute("href", "/ideas/scaling?dim=1024&seed=3&lang=ko")
    assert frame.locator("header, .taking, .bar-of .end").count() == 0  # nothing to take along but from the whole page
    steps = foreign.evaluate("history.length")
    assert steps == 3  # about:blank, the page of the idea, the course: an embed leaves none behind
    with foreign.context.expect_page() as opened:
        frame.locator("#whole").click()
    expect(opened.value.locator(".panel h2").first).to_contain_text("dₖ = 1,024")
    assert foreign.context.cookies() == []
    assert heard == []


def test_a_frame_that_is_shut_off_shows_a_picture(profile: BrowserContext, server, elsewhere, tmp_path):
    """Some sites frame what they do not know without an origin: nothing of ours but pictures comes through there."""
    page = profile.new_page()
    (tmp_path / "shut.html").write_text(
        f'<!doctype html><iframe src="{server.url}/embed?text=It+rained&layer=1" width="640" height="700"'
        ' sandbox="allow-scripts"></iframe>'
    )
    page.goto(f"{elsewhere}/shut.html")
    picture = page.frame_locator("iframe").locator(".still img")
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => image.naturalWidth") > 300
    page.close()


def test_only_the_embed_may_be_framed(foreign, elsewhere, server, tmp_path):
    with foreign.expect_console_message(lambda said: "frame-ancestors" in said.text):
        embedded(foreign, elsewhere, tmp_path, f"{server.url}/?text=x")
