"""Traces and matrices over the real model."""

import asyncio
import io
import json
import logging
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from app import cli
from app.jobs import Jobs
from app.metrics import Metrics
from app.problems import ClientGoneError
from app.schemas import TraceRequest
from app.service import TraceService
from app.settings import Settings
from attention_core.errors import FetchError, NotAvailableError
from attention_core.models.catalogue import load_catalogue
from attention_core.models.sources import FetchCancelled, FetchProgress

pytestmark = pytest.mark.model
TRACES = "/api/v1/traces"
CAT = "The cat sat on the mat because it was tired"
HOSTILE = [
    "\x00",
    "a\x00b",
    "\u202eright to left",
    "👩‍👩‍👧",
    "<script>alert(1)</script>",
    "$$",
    "{{7*7}}",
    "'; DROP",
    "\ufeff",
    "ﷺ",
]


def array(reply):
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"] == "application/octet-stream"
    return np.load(io.BytesIO(reply.content), allow_pickle=False)


def test_models(client):
    body = client.get("/api/v1/models").json()
    model = body["models"][0]
    assert body["default"] == model["name"] == "minilm"
    assert (model["layers"], model["heads"], model["max_tokens"]) == (6, 12, 512)
    assert model["ready"]
    assert model["state"] == "ready"


def test_a_trace_and_its_document(client, cat):
    assert client.post(TRACES, json={"text": CAT}).status_code == 200
    assert client.get(f"{TRACES}/{cat['id']}").json() == cat
    assert cat["source"]["texts"][:3] == ["[CLS]", "the", "cat"]
    assert cat["maps"][0] == {
        "kind": "encoder-self", "layers": 6, "heads": 12, "queries": 12, "keys": 12,
        "query_axis": "source", "key_axis": "source", "scores": True, "sink": False,
        "masks": [{"mask": "full"}] * 6, "norms_note": None,
    }  # fmt: skip


def test_weights_and_windows(client, cat):
    base = f"{TRACES}/{cat['id']}/weights"
    head = array(client.get(f"{base}?layer=3&head=1"))
    assert head.dtype == np.float32
    assert head[8, 2] == pytest.approx(0.487, abs=1e-3)
    assert array(client.get(f"{base}?layer=5&head=11"))[8, 2] == pytest.approx(0.683, abs=1e-3)
    heads = array(client.get(f"{base}?layer=3"))
    assert heads.shape == (12, 12, 12)
    np.testing.assert_allclose(heads[1], head, atol=1e-6)
    window = array(client.get(f"{base}?layer=3&head=1&queries=8:9&keys=1:4"))
    np.testing.assert_allclose(window, head[8:9, 1:4], atol=1e-6)
    small = array(client.get(f"{base}?layer=3&head=1&size=4"))
    np.testing.assert_allclose(small, head.reshape(4, 3, 4, 3).max((1, 3)), atol=1e-6)
    mean = array(client.get(f"{base}?layer=3&head=1&size=4&reduce=mean"))
    np.testing.assert_allclose(mean, head.reshape(4, 3, 4, 3).mean((1, 3)), atol=1e-6)


def test_thumbnails_are_the_weights(client, cat):
    small = array(client.get(f"{TRACES}/{cat['id']}/thumbnails?kind=encoder-self&size=64"))
    assert small.dtype == np.uint8
    assert small.shape == (6, 12, 12, 12)
    for layer in range(6):
        weights = array(client.get(f"{TRACES}/{cat['id']}/weights?layer={layer}"))
        assert np.abs(small[layer].astype(float) - 255 * np.sqrt(weights)).max() <= 0.501


def test_matrices_are_tagged_and_compressed(client, cat):
    path = f"{TRACES}/{cat['id']}/weights?layer=0"
    reply = client.get(path)
    tag = reply.headers["etag"]
    assert tag.startswith('"')
    assert "immutable" in reply.headers["cache-control"]
    assert reply.headers["content-encoding"] == "gzip"
    again = client.get(path, headers={"If-None-Match": f'"x", {tag}'})
    assert again.status_code == 304
    assert again.content == b""
    assert client.get(path, headers={"If-None-Match": '"x"'}).status_code == 200


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_strings_are_text(client, text):
    reply = client.post(TRACES, json={"text": text})
    assert reply.status_code in (200, 201, 422)
    if reply.status_code == 422:
        assert reply.json()["type"] == "/problems/empty-text"
    else:
        assert reply.json()["source"]["text"] == text


def test_truncation_names_the_cut(client):
    text = "word " * 600
    body = client.post(TRACES, json={"text": text, "options": {"truncate": True}}).json()
    assert len(body["source"]["ids"]) <= 512
    assert 0 < body["source"]["cut"] < len(text)
    assert "truncated" in [notice["code"] for notice in body["notices"]]


def test_one_trace_is_made_however_many_ask(client):
    text = "eight people ask for this at once"
    before = made(client)
    with ThreadPoolExecutor(8) as people:
        replies = list(people.map(lambda _: client.post(TRACES, json={"text": text}), range(8)))
    assert {reply.status_code for reply in replies} <= {200, 201}
    assert len({json.dumps(reply.json(), sort_keys=True) for reply in replies}) == 1
    assert made(client) == before + 1


def made(client):
    lines = client.get("/metrics").text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("atlas_traces_made_total{"))


def test_evicted_traces_are_not_held(serve, cache):
    with serve(cache=cache, trace_cache_bytes=1) as client:
        first = client.post(TRACES, json={"text": "one"}).json()["id"]
        assert client.get(f"{TRACES}/{first}").status_code == 200
        client.post(TRACES, json={"text": "two"})
        reply = client.get(f"{TRACES}/{first}")
        assert reply.status_code == 404
        assert reply.json()["type"] == "/problems/trace-not-held"
        assert client.post(TRACES, json={"text": "one"}).json()["id"] == first


def test_a_queue_that_is_full_says_busy(serve, cache, monkeypatch):
    gate, running = threading.Event(), threading.Event()

    def slow(*_):
        running.set()
        gate.wait(20)
        raise NotAvailableError("enough")

    with serve(cache=cache, queue_limit=2) as client, ThreadPoolExecutor(2) as people:
        while client.get("/readyz").status_code != 200:
            time.sleep(0.05)
        monkeypatch.setattr("app.service.capture_with", slow)
        waiting = [people.submit(client.post, TRACES, json={"text": text}) for text in ("a", "b")]
        try:
            while queued(client) < 2:
                time.sleep(0.02)
            reply = client.post(TRACES, json={"text": "c"})
        finally:
            gate.set()
        assert reply.status_code == 503
        assert reply.json()["type"] == "/problems/busy"
        assert int(reply.headers["retry-after"]) == reply.json()["retry_after"]
        assert [one.result().json()["type"] for one in waiting] == ["/problems/not-available"] * 2


def queued(client):
    return float(re.search(r'atlas_queue_length{model="minilm"} (\S+)', client.get("/metrics").text)[1])


def test_a_trace_nobody_waits_for_is_not_made(cache):
    """The first one runs, the second waits in the queue; when its only reader goes, it leaves the queue."""

    async def scene():
        gate = threading.Event()
        service = TraceService(Settings(), load_catalogue(), cache, Metrics())
        pool = service.lane(service.catalogue.default).pool
        pool.submit(lambda: gate.wait(20))

        async def gone():
            return True

        with pytest.raises(ClientGoneError):
            await service.make(TraceRequest(text="nobody waits"), gone)
        left = pool.count
        gate.set()
        await service.close()
        return left

    assert asyncio.run(scene()) == 1


def test_a_job_is_watched_shared_and_cancelled(tmp_path, monkeypatch):
    async def scene():
        service = TraceService(Settings(cache=tmp_path), load_catalogue(), tmp_path, Metrics())
        jobs = Jobs(service)
        job = jobs.fetch("minilm")
        assert jobs.fetch("minilm") is job
        assert jobs.standing(service.catalogue.default)[0] == "fetching"
        events = job.events()
        first = await anext(events)
        assert first.startswith(b"event: progress\ndata: {")
        job.stop.set()
        rest = [event async for event in events]
        assert b'"state": "cancelled"' in rest[-1]
        assert rest[-1].startswith(b"event: end\n")
        assert [event async for event in job.events()] == rest[-1:]
        assert jobs.standing(service.catalogue.default)[0] == "absent"
        job = jobs.fetch("minilm")
        await jobs.close()
        assert job.state == "cancelled"
        await service.close()

    monkeypatch.setattr("app.jobs.fetch", endless)
    asyncio.run(scene())


def endless(entry, cache, *, progress, cancelled):
    for done in range(1000):
        if cancelled():
            raise FetchCancelled("cancelled")
        progress(FetchProgress("download", done, 1000))
        time.sleep(0.02)


def test_a_fetch_that_fails_is_a_problem_until_the_next_try(tmp_path, monkeypatch):
    async def scene():
        service = TraceService(Settings(cache=tmp_path), load_catalogue(), tmp_path, Metrics())
        jobs = Jobs(service)
        events = [event async for event in jobs.fetch("minilm").events()]
        assert b'"state": "failed"' in events[-1]
        assert b"/problems/fetch-failed" in events[-1]
        state, job, problem = jobs.standing(service.catalogue.default)
        assert (state, job) == ("failed", None)
        assert problem["type"] == "/problems/fetch-failed"
        await service.close()

    def fail(*_, **__):
        raise FetchError("the index does not answer")

    monkeypatch.setattr("app.jobs.fetch", fail)
    asyncio.run(scene())


def test_a_job_ends_with_a_ready_model(client):
    job = client.post("/api/v1/jobs", json={"do": "fetch", "model": "minilm"})
    assert job.status_code == 202
    text = client.get(f"/api/v1/jobs/{job.json()['id']}/events").text
    assert text.rstrip().splitlines()[-2] == "event: end"
    assert json.loads(text.rstrip().splitlines()[-1].removeprefix("data: "))["state"] == "done"


def test_no_text_in_logs_or_metrics(client, caplog):
    caplog.set_level(logging.DEBUG)
    marker = "zanzibarmarker"
    body = client.post(TRACES, json={"text": f"the {marker} sentence"}).json()
    client.get(f"{TRACES}/{body['id']}/weights?layer=99&kind={marker}")
    client.get(f"/?text={marker}")
    client.get(f"/{marker}")
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("http")]
    assert any("POST /api/v1/traces 201" in line for line in ours)
    assert not any(marker in line for line in ours)
    assert marker not in client.get("/metrics").text


def test_the_command_line_prints_the_same_trace(client, cat, cache, capsys, monkeypatch):
    monkeypatch.setenv("ATLAS_CACHE", str(cache))
    assert cli.main(["trace", CAT, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    printed["provenance"]["seconds"] = cat["provenance"]["seconds"]
    assert printed["provenance"].pop("self_check")["error"] <= 1e-5
    expected = {**cat, "provenance": {k: v for k, v in cat["provenance"].items() if k != "self_check"}}
    assert printed == expected


def test_the_command_line_prints_weights(client, cat, cache, capsys, monkeypatch):
    monkeypatch.setenv("ATLAS_CACHE", str(cache))
    assert cli.main(["weights", CAT, "--layer", "3", "--head", "1", "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert body["tokens"]["keys"] == cat["source"]["texts"]
    assert body["weights"][8][2] == pytest.approx(0.487, abs=1e-3)
    assert cli.main(["weights", CAT, "--layer", "6", "--head", "1"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "layer" in error
