"""A closed tab, over a real connection: the model stops writing or experimenting, and its lane falls idle."""

import http.client
import json
import re
import threading
import time

import pytest
import uvicorn
from slow_writing import slow_down, slow_scan

from app.factory import create_app
from app.settings import Settings

WISH = {"do": "generate", "model": "induction", "text": "lamp goat moon key lamp goat", "most": 100}
SCAN = {"do": "experiment", "name": "scan", "model": "induction", "text": "lamp goat moon key lamp goat"}


@pytest.fixture
def port(tmp_path, monkeypatch):
    """A server on a port of its own, where writing takes seconds and nobody is waited for long."""
    slow_down(monkeypatch, 0.1)
    slow_scan(monkeypatch, 0.5)
    monkeypatch.setattr("app.attended.ALONE", 0.3)
    app = create_app(Settings(cache=tmp_path, fetch_on_start=False))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", http="h11", lifespan="on"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(15)
    assert not thread.is_alive()


def ask(port, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, f"/api/v1{path}" if path.startswith("/jobs") else path, body and json.dumps(body))
    return connection, connection.getresponse()


def in_lane(port):
    connection, reply = ask(port, "GET", "/metrics")
    found = re.search(r'atlas_queue_length\{model="induction"\} (\d+)', reply.read().decode())
    connection.close()
    return int(found[1])


def leave(port, connection, reply):
    """Closes a reader's connection; the lane is free soon after."""
    reply.close()
    connection.close()
    began = time.monotonic()
    while in_lane(port):
        assert time.monotonic() - began < 5
        time.sleep(0.05)


def test_a_closed_connection_frees_the_lane(port):
    connection, reply = ask(port, "POST", "/jobs", WISH)
    job = json.loads(reply.read())["id"]
    connection.close()
    connection, reply = ask(port, "GET", f"/jobs/{job}/events?layer=1&head=3")
    assert reply.readline() == b"event: written\n"
    time.sleep(0.8)  # longer than without a reader: it is not cancelled while one is there
    assert in_lane(port) == 1
    leave(port, connection, reply)
    connection, reply = ask(port, "GET", f"/jobs/{job}/events")
    events = reply.read().decode().strip().split("\n\n")
    connection.close()
    end = json.loads(events[-1].splitlines()[1].removeprefix("data: "))
    assert (end["state"], end["trace"], end["reason"]) == ("cancelled", None, "stopped")


def test_a_closed_connection_ends_an_experiment(port):
    connection, reply = ask(port, "POST", "/jobs", SCAN)
    job = json.loads(reply.read())["id"]
    connection.close()
    connection, reply = ask(port, "GET", f"/jobs/{job}/events")
    assert reply.readline() == b"event: progress\n"
    # Somebody looks at the same model meanwhile, and is answered before the experiment ends.
    other, looked = ask(port, "POST", "/api/v1/traces", {"model": "induction", "text": "moon key moon"})
    assert looked.status == 201
    other.close()
    assert in_lane(port) == 1
    leave(port, connection, reply)
    connection, reply = ask(port, "GET", f"/jobs/{job}/events")
    end = json.loads(reply.read().decode().strip().split("\n\n")[-1].splitlines()[1].removeprefix("data: "))
    connection.close()
    assert (end["state"], end["result"]) == ("cancelled", None)
