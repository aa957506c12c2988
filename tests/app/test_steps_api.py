"""Steps, vectors and code over the API: the library's numbers and the source's lines."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hand_made import CARD, tokens_of
from test_problems import problem

from app import cli
from app.analyses import encoded, steps_document
from attention_core.analysis.steps import STEPS, steps
from attention_core.capture import capture
from attention_core.maps import FactoredMap, Kind
from attention_core.trace import AttentionTrace, Provenance

pytestmark = pytest.mark.model
CAT = "The cat sat on the mat because it was tired"
TRACES = "/api/v1/traces"
PLACE = "layer=3&head=1&query=8"


@pytest.fixture(scope="module")
def url(cat):
    return f"{TRACES}/{cat['id']}"


def ask(client, url):
    reply = client.get(url)
    assert reply.status_code == 200, reply.text
    return reply.json()


def matrix(client, url):
    reply = client.get(url)
    assert reply.status_code == 200, reply.text
    return np.load(io.BytesIO(reply.content))


def test_the_steps_of_it_end_in_what_the_matrix_says(client, url):
    body = ask(client, f"{url}/analyses/steps?{PLACE}")
    place = {name: body[name] for name in ("name", "kind", "layer", "head", "query", "group", "dim", "value_dim")}
    assert place == {
        "name": "steps", "kind": "encoder-self", "layer": 3, "head": 1, "query": 8, "group": 1, "dim": 32,
        "value_dim": 32,
    }  # fmt: skip
    assert (body["cap"], body["capped"], body["bias"], body["sink"]) == (None, None, None, None)
    assert body["scale"] == pytest.approx(32**-0.5)
    assert body["allowed"] == [True] * 12
    assert body["weights"][2] == pytest.approx(0.487, abs=0.001), "what the README says of it and cat"
    weights = matrix(client, f"{url}/weights?layer=3&head=1")[8]
    assert body["weights"] == pytest.approx(list(weights), abs=1e-7)
    shares = [one / body["total"] for one in body["exponentials"]]
    assert shares == pytest.approx(list(weights), abs=1e-6)
    assert body["peak"] == max(body["scores"])
    assert body["total"] == pytest.approx(sum(body["exponentials"]), abs=1e-5)


def test_the_vectors_make_the_steps(client, url):
    body = ask(client, f"{url}/analyses/steps?{PLACE}")
    keys = matrix(client, f"{url}/vectors?layer=3&head=1&of=key")
    values = matrix(client, f"{url}/vectors?layer=3&head=1&of=value")
    query = matrix(client, f"{url}/vectors?layer=3&head=1&of=query&positions=8:9")
    assert (keys.shape, values.shape, query.shape) == ((12, 32), (12, 32), (1, 32))
    assert keys.dtype == np.float32
    assert body["query_vector"] == pytest.approx(list(query[0]))
    assert body["dots"] == pytest.approx(list(keys @ query[0]), abs=1e-4)
    assert body["output"] == pytest.approx(list(np.float32(body["weights"]) @ values), abs=1e-5)


def test_another_sentence_has_other_numbers(client, url):
    other = client.post(TRACES, json={"model": "minilm", "text": CAT.replace("tired", "soft")}).json()["id"]
    one, two = (ask(client, f"{at}/analyses/steps?{PLACE}") for at in (url, f"{TRACES}/{other}"))
    for name in ("query_vector", "dots", "weights", "output", "total"):
        assert one[name] != two[name], name


def test_what_is_no_number_is_null():
    """A bias of -inf masks, as in some models of others; JSON has no such number."""
    one = FactoredMap(
        kind=Kind.ENCODER_SELF, layer=0, query_vectors=torch.ones(1, 2, 2), key_vectors=torch.ones(1, 2, 2),
        value_vectors=torch.ones(1, 2, 2), scale=1.0, bias=torch.tensor([[[0.0, -torch.inf], [0.0, 0.0]]]),
    )  # fmt: skip
    body = json.loads(encoded(steps_document(made_of(one), "encoder-self", 0, 0, 0)))
    assert (body["bias"], body["scores"]) == ([0.0, None], [2.0, None])
    assert (body["allowed"], body["weights"]) == ([True, False], [1.0, 0.0])


def made_of(one: FactoredMap) -> AttentionTrace:
    provenance = Provenance("interface", "float32", "cpu", 0.0, 0.0, 1.0)
    return AttentionTrace(CARD, tokens_of("a b"), None, (one,), provenance)


def test_replies_have_tags_and_code_may_change(client, url):
    for path, lasts in (
        (f"{url}/analyses/steps?{PLACE}", True),
        (f"{url}/vectors?layer=3&head=1&of=value", True),
        (f"{url}/code?{PLACE}&key=2", False),
    ):
        reply = client.get(path)
        tag = reply.headers["etag"]
        assert ("immutable" in reply.headers["cache-control"]) is lasts
        assert client.get(path, headers={"If-None-Match": tag}).status_code == 304


def test_a_decoder_beside_an_encoder_has_every_kind(small):
    made = small.post(TRACES, json={"model": "translates", "text": "a b c", "target": "d e"}).json()
    for kind, keys, masked in (("encoder-self", 4, 0), ("decoder-self", 3, 2), ("cross", 4, 0)):
        body = ask(small, f"{TRACES}/{made['id']}/analyses/steps?kind={kind}&layer=1&head=1&query=0")
        assert (len(body["dots"]), body["allowed"].count(False)) == (keys, masked)
        assert [weight for weight, may in zip(body["weights"], body["allowed"], strict=True) if not may] == [0] * masked
        assert sum(body["weights"]) == pytest.approx(1)


def test_the_code_has_each_step_with_its_lines_and_python(client, url):
    body = ask(client, f"{url}/code?{PLACE}&key=2")
    assert [one["step"] for one in body["steps"]] == [name for name in STEPS if name not in ("cap", "bias")]
    for one in body["steps"]:
        source = (Path(__file__).parents[2] / one["file"]).read_text(encoding="utf-8").splitlines()
        there = source[one["first"] - 1 : one["first"] - 1 + len(one["lines"])]
        assert [line.strip() for line in there] == [line.strip() for line in one["lines"]]
        assert one["snippet"].splitlines()[-1].startswith("print(")
        assert repr(CAT) in one["snippet"]


def test_the_command_says_what_the_api_says(client, url, cache, capsys, monkeypatch):
    monkeypatch.setenv("ATLAS_CACHE", str(cache))
    assert cli.main(["analyse", "steps", CAT, "--layer", "3", "--head", "1", "--query", "it", "--json"]) == 0
    printed, body = json.loads(capsys.readouterr().out), ask(client, f"{url}/analyses/steps?{PLACE}")
    found = steps(capture("minilm", CAT), "encoder-self", 3, 1, 8)
    assert printed.keys() == body.keys()
    for name, value in body.items():
        assert printed[name] == (pytest.approx(value, abs=1e-5) if isinstance(value, list | float) else value), name
    assert body["scores"] == pytest.approx(found.scores.tolist(), abs=1e-5)


@pytest.mark.parametrize(
    ("path", "status", "code", "fact"),
    [
        ("analyses/steps?layer=3&head=1", 422, "invalid-request", None),
        ("analyses/steps?layer=3&head=1&query=1:2", 422, "invalid-request", None),
        ("analyses/steps?layer=3&head=1&query=-1", 422, "invalid-request", None),
        (f"analyses/steps?layer=3&head=1&query={2**31}", 422, "invalid-request", None),
        ("analyses/steps?layer=6&head=1&query=8", 422, "unknown-name", "layer"),
        ("analyses/steps?layer=3&head=12&query=8", 422, "unknown-name", "head"),
        ("analyses/steps?layer=3&head=1&query=12", 422, "window", "queries"),
        (f"analyses/steps?{PLACE}&kind=cross", 422, "unknown-name", "kind"),
        (f"analyses/steps?{PLACE}&measure=norm", 422, "unknown-parameter", None),
        ("vectors?layer=3&head=1", 422, "invalid-request", None),
        ("vectors?layer=3&head=1&of=output", 422, "invalid-request", None),
        ("vectors?layer=3&head=1&of=key&positions=3:3", 422, "window", "keys"),
        ("vectors?layer=3&head=1&of=query&positions=0:13", 422, "window", "queries"),
        ("vectors?layer=3&head=99&of=key", 422, "unknown-name", "head"),
        (f"code?{PLACE}", 422, "invalid-request", None),
        (f"code?{PLACE}&key=12", 422, "window", "keys"),
        (f"code?{PLACE}&key=2&query=3", 422, "invalid-request", None),
    ],
)
def test_what_is_wrong_is_said(client, url, path, status, code, fact):
    facts = problem(client.get(f"{url}/{path}"), status, code)
    assert fact is None or facts["what"] == fact


def test_a_trace_that_is_not_there(client):
    for path in (f"analyses/steps?{PLACE}", f"code?{PLACE}&key=2", "vectors?layer=3&head=1&of=key"):
        problem(client.get(f"{TRACES}/{'0' * 40}/{path}"), 404, "trace-not-held")


def test_too_many_vectors_are_refused_with_the_limit(client, url, monkeypatch):
    monkeypatch.setattr("app.reading.MOST_CELLS", 16)  # and as many numbers as 16 x 16
    path = f"{url}/vectors?layer=3&head=1&of=key"
    facts = problem(client.get(path), 422, "window")
    assert facts["limit"] == 8
    assert matrix(client, f"{path}&positions=2:10").shape == (8, 32)


def test_the_description_names_every_form_of_a_query(client):
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    listed = paths["/api/v1/traces/{trace_id}/analyses/{name}"]["get"]["parameters"]
    query = next(one for one in listed if one["name"] == "query")
    assert {form["type"] for form in query["schema"]["anyOf"]} == {"string", "integer"}
    assert "pattern" in next(form for form in query["schema"]["anyOf"] if form["type"] == "string")
