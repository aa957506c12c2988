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
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, Request, sync_playwright
from playwright.sync_api import Error as PlaywrightError

FLAGS = [
    f"--{name}"
    for name in ("no-sandbox", "disable-gpu", "disable-background-networking", "disable-quic", "no-first-run")
]
PATIENCE = 120.0
SERVE = ("-m", "app.cli", "serve")
REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation",
  (event) => console.error(`CSP: ${event.violatedDirective} blocks ${event.blockedURI}`));
"""


@dataclass(frozen=True)
class Server:
    """A running server."""

    url: str


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
        yield Server(url)
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
    """The real server, ready."""
    with serving(server_cache, tmp_path_factory.mktemp("server") / "log.txt") as running:
        yield running


@pytest.fixture
def bare_server(tmp_path: Path) -> Iterator[Server]:
    """A server that has fetched nothing, and fetches nothing by itself."""
    with serving(tmp_path, tmp_path / "log.txt", "/healthz", ATLAS_FETCH_ON_START="false") as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, else Playwright's own. Without one the tests fail."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    with sync_playwright() as playwright:
        try:
            launched = playwright.chromium.launch(executable_path=path, args=FLAGS)
        except PlaywrightError as error:
            pytest.fail(f"no Chromium starts here: {error}", pytrace=False)
        yield launched
        launched.close()


def watch(context: BrowserContext, server: Server) -> list[str]:
    """The list that everything a page must not do is written to."""
    faults: list[str] = []
    home = urlsplit(server.url).netloc

    def asked(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob", "about") and address.netloc != home:
            faults.append(f"request to {request.url}")

    def asks(dialog: Dialog) -> None:
        faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    context.add_init_script(REPORT_VIOLATIONS)
    context.on("console", lambda said: said.type == "error" and faults.append(f"console: {said.text}"))
    context.on("weberror", lambda error: faults.append(f"page error: {error.error}"))
    context.on("request", asked)
    context.on("dialog", asks)
    return faults


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """A new visitor's page. Errors, blocked content, foreign requests and dialogs fail the test."""
    context = browser.new_context(locale="en-US", viewport={"width": 1440, "height": 900})
    faults = watch(context, server)
    yield context.new_page()
    context.close()
    assert faults == []
