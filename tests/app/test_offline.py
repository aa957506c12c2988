"""A second start: everything is in the cache, nothing goes out, nothing is downloaded again."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from attention_core.errors import FetchError
from attention_core.models.catalogue import load_catalogue
from attention_core.models.sources import fetch

pytestmark = pytest.mark.model
FETCHED = ("minilm", "smollm2", "e5-multilingual")
OUT = 86  # how the guarded process ends when something goes out
# Python tells of every name that is looked up, every connection and every child process before it happens.
GUARDED = """
import os, sys

def guard(event, details):
    if event == "socket.getaddrinfo":
        there = details[0]
    elif event == "socket.connect":
        there = details[1][0] if isinstance(details[1], tuple) else "127.0.0.1"
    elif event == "subprocess.Popen" and any("pip" in str(part) for part in details[1]):
        there = "pip"
    else:
        return
    if there not in (None, "", "127.0.0.1", "::1", "localhost"):
        os.write(2, f"\\nGOES OUT: {event} {there}\\n".encode())
        os._exit(86)

sys.addaudithook(guard)
from app.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def offline(cache: Path, tmp_path: Path):
    """The address of a server that ends at the first thing that goes out."""
    for name in FETCHED:
        try:
            fetch(load_catalogue().entry(name), cache)
        except FetchError as error:
            pytest.fail(f"{name} could not be fetched: {error}", pytrace=False)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (tmp_path / "log.txt").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-c", GUARDED, "serve", "--port", str(port)],
            cwd=Path(__file__).parents[2],
            env=os.environ | {"ATLAS_CACHE": str(cache)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield f"http://127.0.0.1:{port}", server, tmp_path / "log.txt"
        finally:
            server.terminate()
            try:
                server.wait(timeout=15)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def asked(url: str, body: object = None):
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data, {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"})
    with build_opener(ProxyHandler({})).open(request, timeout=120) as reply:
        return json.load(reply)


def test_a_second_start_answers_from_the_cache_and_never_goes_out(offline):
    url, server, log = offline
    for _ in range(1200):
        try:
            asked(f"{url}/readyz")
            break
        except (URLError, OSError):
            assert server.poll() is None, log.read_text()
            time.sleep(0.1)
    models = {one["name"]: one["state"] for one in asked(f"{url}/api/v1/models")["models"]}
    assert {models[name] for name in FETCHED} == {"ready"}
    for name in FETCHED:
        trace = asked(f"{url}/api/v1/traces", {"model": name, "text": "The cat sat on the mat"})
        assert trace["model"]["name"] == name
    assert server.poll() is None
    assert "GOES OUT" not in log.read_text()


def test_the_guard_sees_what_goes_out():
    """Otherwise the test above could not fail."""
    code = GUARDED.replace("from app.cli import main", "import socket\nsocket.create_connection(('192.0.2.1', 9), 1)")
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False)
    assert ended.returncode == OUT
    assert b"192.0.2.1" in ended.stderr
