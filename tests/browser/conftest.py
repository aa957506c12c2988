"""The real server in a process of its own, and a browser that forgives nothing."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import guarded
import hostile_lesson
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError
from visitor import Visitor

FLAGS = [
    f"--{name}"
    for name in ("no-sandbox", "disable-gpu", "disable-background-networking", "disable-quic", "no-first-run")
]
DESKTOP = {"width": 1440, "height": 900}
PATIENCE = 120.0
WAITING = 20_000  # milliseconds that an expectation waits, beside other work; what comes sooner is seen sooner
SERVE = ("-m", "app.cli", "serve")
GUARDED = (str(Path(__file__).parent / "guarded.py"), "serve")
REFUSED = "console: Failed to load resource"  # the browser's own line about an answer of 400 and more, or none
REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation",
  (event) => console.error(`CSP: ${event.violatedDirective} blocks ${event.blockedURI}`));
"""


@dataclass(frozen=True)
class Server:
    """A running server, and the file that it writes its words to."""

    url: str
    log: Path


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Returns when the address answers with 200; fails with the server's own words when it never does."""
    opener = build_opener(ProxyHandler({}))
    end = time.monotonic() + PATIENCE
    answer = "no answer"
    while time.monotonic() < end and process.poll() is None:
        try:
            with opener.open(url, timeout=5):
                return
        except (URLError, OSError) as error:
            answer = str(error)
            if hasattr(error, "close"):
                error.close()
        time.sleep(0.1)
    words = log.read_text(encoding="utf-8", errors="replace")[-3000:]
    pytest.fail(f"the server does not answer {url} ({answer}); it said:\n{words}", pytrace=False)


@contextmanager
def serving(
    cache: Path, log: Path, sign: str = "/readyz", program: tuple[str, ...] = SERVE, **settings: str
) -> Iterator[Server]:
    """`attention-atlas serve`, or another program of Python's, on a free port, once it gives this sign of life."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *program, "--port", str(port)],
            cwd=Path(__file__).parents[2],
            env=os.environ | {"ATLAS_CACHE": str(cache)} | settings,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until(f"{url}{sign}", process, log)
        yield Server(url, log)
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def start():
    """Starts a server of some settings."""
    return serving


@pytest.fixture(scope="session")
def server_cache(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server's cache: the models that people use too, and evaluations of its own."""
    folder = tmp_path_factory.mktemp("cache")
    (folder / "models").symlink_to(cache / "models")
    return folder


@pytest.fixture(scope="session")
def server(server_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The real server, ready, with a school's own lesson. It ends at the first thing that goes out to the internet."""
    log = tmp_path_factory.mktemp("server") / "log.txt"
    lessons = str(hostile_lesson.put_into(tmp_path_factory.mktemp("lessons")))
    with serving(server_cache, log, program=GUARDED, ATLAS_LESSONS_DIR=lessons) as running:
        yield running
    assert guarded.SAID not in log.read_text(encoding="utf-8")


@pytest.fixture
def bare_server(tmp_path: Path) -> Iterator[Server]:
    """A server that has fetched nothing, and fetches nothing by itself."""
    with serving(tmp_path, tmp_path / "log.txt", "/healthz", ATLAS_FETCH_ON_START="false") as running:
        yield running


@pytest.fixture(scope="session")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """The system's Chromium, else Playwright's own, with one profile on disk. Without one the tests fail.

    What one test's page has loaded and compiled the next page need not: half of the work of opening it, and addresses
    under /static name their contents. What a site could remember about its visitor is cleared between two tests.
    """
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    with sync_playwright() as playwright:
        try:
            launched = playwright.chromium.launch_persistent_context(
                tmp_path_factory.mktemp("profile"), executable_path=path, args=FLAGS, locale="en-US", viewport=DESKTOP
            )
        except PlaywrightError as error:
            pytest.fail(f"no Chromium starts here: {error}", pytrace=False)
        expect.set_options(timeout=WAITING)
        launched.add_init_script(REPORT_VIOLATIONS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def browser(profile: BrowserContext) -> Browser:
    """The same Chromium, for a test that needs a profile of its own."""
    assert profile.browser is not None
    return profile.browser


@pytest.fixture
def page(request: pytest.FixtureRequest, profile: BrowserContext, server: Server) -> Iterator[Page]:
    """A new visitor's page. Errors, blocked content, foreign requests and dialogs fail the test."""
    with Visitor(profile, server.url) as visitor:
        yield profile.new_page()
    logged = REFUSED if request.node.get_closest_marker("refused") else ()
    assert [fault for fault in visitor.faults if not fault.startswith(logged)] == []
