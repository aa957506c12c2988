"""Every problem that a client can meet: its status, its type and its facts."""

import json

import pytest

from app.problems import KNOWN, document, problem_response
from attention_core.errors import ModelAbsentError

TRACES = "/api/v1/traces"
JSON = {"Content-Type": "application/json"}


def problem(reply, status, code):
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    body = reply.json()
    assert body["type"] == f"/problems/{code}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return {name: value for name, value in body.items() if name not in ("type", "title", "status", "detail")}


@pytest.mark.model
@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_empty_text(client, text):
    assert problem(client.post(TRACES, json={"text": text}), 422, "empty-text") == {}


@pytest.mark.model
def test_too_many_tokens(client):
    facts = problem(client.post(TRACES, json={"text": "word " * 600}), 422, "too-many-tokens")
    assert facts == {"count": 602, "limit": 512, "reason": "text"}


@pytest.mark.parametrize("field", ["text", "pair", "model"])
def test_lone_surrogates(empty, field):
    body = json.dumps({"text": "x", field: "a \ud800 b"})
    problem(empty.post(TRACES, content=body, headers=JSON), 422, "text")


def test_unknown_model(empty):
    facts = problem(empty.post(TRACES, json={"model": "../etc", "text": "x"}), 422, "unknown-name")
    assert facts["what"] == "model"
    assert facts["value"] == "../etc"
    assert "minilm" in facts["accepted"]


@pytest.mark.model
@pytest.mark.parametrize(
    ("query", "what"),
    [
        ("layer=6&head=0", "layer"),
        ("layer=-1&head=0", "layer"),
        ("layer=0&head=12", "head"),
        ("layer=0&kind=cross", "kind"),
    ],
)
def test_unknown_names(client, cat, query, what):
    facts = problem(client.get(f"{TRACES}/{cat['id']}/weights?{query}"), 422, "unknown-name")
    assert facts["what"] == what


@pytest.mark.model
@pytest.mark.parametrize("window", ["queries=5:5", "queries=5:2", "keys=0:99"])
def test_windows_outside(client, cat, window):
    problem(client.get(f"{TRACES}/{cat['id']}/weights?layer=0&head=0&{window}"), 422, "window")


@pytest.mark.model
@pytest.mark.parametrize(
    "query", ["layer=x", "layer=0&queries=1-2", "layer=0&size=0", "layer=0&size=513", "", "layer=0&layer=1"]
)
def test_invalid_parameters(client, cat, query):
    facts = problem(client.get(f"{TRACES}/{cat['id']}/weights?{query}"), 422, "invalid-request")
    assert facts["errors"]


@pytest.mark.parametrize(
    "body", [{}, {"text": 1}, {"text": "x", "model": []}, {"text": "x", "options": {"truncate": 1}}, [], 5]
)
def test_invalid_bodies(empty, body):
    assert problem(empty.post(TRACES, json=body), 422, "invalid-request")["errors"]


def test_unknown_keys_and_parameters(empty):
    facts = problem(empty.post(TRACES, json={"text": "x", "sise": 1}), 422, "unknown-parameter")
    assert facts == {"value": "sise", "accepted": ["model", "text", "pair", "target", "image", "options", "written"]}
    facts = problem(empty.post(TRACES, json={"text": "x", "options": {"cut": True}}), 422, "unknown-parameter")
    assert facts == {"value": "cut", "accepted": ["truncate", "off", "off_with", "chat", "what_if"]}
    facts = problem(empty.get(f"{TRACES}/x/thumbnails?page=1"), 422, "unknown-parameter")
    assert facts == {"value": "page", "accepted": ["words", "special", "segments", "measure", "kind", "size"]}
    assert problem(empty.get("/api/v1/models?x=1"), 422, "unknown-parameter") == {"value": "x", "accepted": ["with"]}


@pytest.mark.parametrize("body", [b"{", b"", b'{"text": NaN}', b"\xff", b"[" * 100_000])
def test_broken_json(empty, body):
    problem(empty.post(TRACES, content=body, headers=JSON), 400, "invalid-json")


def test_body_limit(empty):
    limit = 1024 * 1024
    body = json.dumps({"text": "x" * limit})
    assert problem(empty.post(TRACES, content=body, headers=JSON), 413, "too-large") == {"limit": limit}
    chunks = (b" " * 65536 for _ in range(20))
    assert problem(empty.post(TRACES, content=chunks, headers=JSON), 413, "too-large") == {"limit": limit}


def test_absent_model(empty):
    assert problem(empty.post(TRACES, json={"text": "x"}), 409, "model-absent") == {"model": "minilm"}
    problem(empty.get("/readyz"), 503, "not-ready")
    assert empty.get("/healthz").json() == {"status": "ok"}
    assert empty.get("/api/v1/models").json()["models"][0]["state"] == "absent"


def test_not_held(empty):
    for path in ("", "/thumbnails", "/weights?layer=0"):
        assert problem(empty.get(f"{TRACES}/nothing{path}"), 404, "trace-not-held") == {"trace": "nothing"}
    problem(empty.get("/api/v1/jobs/nothing/events"), 404, "job-not-held")
    problem(empty.delete("/api/v1/jobs/nothing"), 404, "job-not-held")


def test_not_found_and_not_allowed_methods(empty):
    problem(empty.get("/nothing"), 404, "not-found")
    problem(empty.get("/static/0/js/main.js"), 404, "not-found")
    reply = empty.delete("/api/v1/traces")
    problem(reply, 405, "method-not-allowed")
    assert reply.headers["allow"] == "POST"


def test_public_servers_fetch_nothing_for_visitors(serve, tmp_path):
    with serve(cache=tmp_path, fetch_on_start=False, mode="public") as client:
        problem(client.post("/api/v1/jobs", json={"do": "fetch", "model": "minilm"}), 403, "not-allowed")


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Host": ""}, {"Host": "localhost.evil.example:8000"}])
def test_foreign_hosts(empty, headers):
    problem(empty.get("/api/v1/models", headers=headers), 403, "foreign-request")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:81"},
    ],
)
def test_foreign_writes(empty, headers):
    problem(empty.post(TRACES, json={"text": "x"}, headers=headers), 403, "foreign-request")
    assert empty.get("/api/v1/models", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers", [{}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": "http://localhost"}]
)
def test_own_writes(empty, headers):
    problem(empty.post(TRACES, json={"text": "x"}, headers=headers), 409, "model-absent")


def test_unforeseen_errors_say_nothing_of_the_insides(empty, monkeypatch, caplog):
    monkeypatch.setattr("app.service.TraceService.trace_id", lambda *_: 1 / 0)
    reply = empty.post(TRACES, json={"text": "marker sentence"})
    assert problem(reply, 500, "internal") == {}
    assert "division" not in reply.text
    assert "ZeroDivisionError" in caplog.text
    assert "marker" not in caplog.text


def test_busy_says_when_to_come_back():
    from app.problems import BusyError

    reply = problem_response(BusyError(3))
    assert reply.status_code == 503
    assert reply.headers["retry-after"] == "3"
    assert json.loads(reply.body)["retry_after"] == 3


def test_every_code_has_a_status_and_errors_keep_theirs():
    assert all(400 <= status < 600 and title for status, title in KNOWN.values())
    assert document(ModelAbsentError("x", model="minilm"))["type"] == "/problems/model-absent"
    assert document(ValueError("secret"))["detail"] == "something went wrong on the server; it has been logged"
