"""A second start: everything is in the cache, nothing goes out, nothing is downloaded again.

The server of all these tests is guarded: whatever they ask of it, it ends at the first thing that goes out.
"""

import json
import subprocess
import sys
from pathlib import Path
from urllib.request import ProxyHandler, Request, build_opener

import guarded
import pytest

from attention_core.errors import FetchError
from attention_core.models.catalogue import load_catalogue
from attention_core.models.sources import fetch

pytestmark = pytest.mark.model
FETCHED = ("minilm", "smollm2", "e5-multilingual")


@pytest.fixture(scope="module")
def fetched(cache: Path):
    """The names of the models that are fetched, with each in the cache."""
    for name in FETCHED:
        try:
            fetch(load_catalogue().entry(name), cache)
        except FetchError as error:
            pytest.fail(f"{name} could not be fetched: {error}", pytrace=False)
    return FETCHED


def asked(url: str, body: object = None):
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data, {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"})
    with build_opener(ProxyHandler({})).open(request, timeout=120) as reply:
        return json.load(reply)


def test_a_second_start_answers_from_the_cache_and_never_goes_out(server, fetched):
    models = {one["name"]: one["state"] for one in asked(f"{server.url}/api/v1/models")["models"]}
    assert {models[name] for name in fetched} == {"ready"}
    for name in fetched:
        trace = asked(f"{server.url}/api/v1/traces", {"model": name, "text": "The cat sat on the mat"})
        assert trace["model"]["name"] == name
    assert guarded.SAID not in server.log.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("what", "named"),
    [
        ("import socket; socket.create_connection(('192.0.2.1', 9), 1)", b"192.0.2.1"),
        ("import subprocess; subprocess.run([sys.executable, '-m', 'pip', '--version'])", b"pip"),
    ],
)
def test_the_guard_sees_what_goes_out(what, named):
    """Otherwise the test above could not fail."""
    code = f"import guarded, sys; sys.addaudithook(guarded.guard); {what}"
    program = [sys.executable, "-c", code]
    ended = subprocess.run(program, cwd=Path(__file__).parent, capture_output=True, timeout=60, check=False)
    assert ended.returncode == guarded.OUT
    assert guarded.SAID.encode() in ended.stderr
    assert named in ended.stderr
