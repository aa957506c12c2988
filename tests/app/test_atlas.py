"""The head atlas over HTTP and as a command: the same document, whatever lies in the folder of evaluations."""

import json
import re
from dataclasses import replace

import pytest

from app import cli
from app.commands import evaluating
from attention_core.experiments.atlas import load_atlas
from attention_core.experiments.evaluate.keeping import folder_of
from attention_core.models.catalogue import Catalogue, load_catalogue


@pytest.fixture
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("ATLAS_CACHE", str(tmp_path))
    return tmp_path


def run(capsys, *arguments):
    try:
        code = cli.main([*arguments])
    except SystemExit as stopped:
        code = stopped.code
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_page_command_and_python_agree(own_cache, serve, capsys):
    card = load_catalogue().entry("induction").card
    with serve(cache=own_cache, fetch_on_start=False) as client:
        reply = client.get("/api/v1/models/induction/atlas")
        empty = reply.json()
        assert (empty["results"], empty["roles"]) == ([], [])
        assert empty["tasks"] == [{"task": "induction", "file": "random-tokens", "done": False}]
        code, out, err = run(capsys, "atlas", "induction", "--json")
        assert code == 0
        assert "random-tokens rows: 100%" in err
        found = json.loads(out)
        assert found == client.get("/api/v1/models/induction/atlas").json()
        assert found == json.loads(json.dumps(load_atlas(card, own_cache).to_document()))
        assert found["tasks"][0]["done"]
        assert found["results"][0]["chosen"] == {"layer": 1, "head": 3}
        first = found["roles"][0]
        assert (first["name"], first["layer"], first["head"]) == ("induction", 1, 3)
        assert first["score"] >= 0.9 > first["threshold"] == 0.4
        # A tag of its contents: what has not changed is not sent again, what has is.
        again = client.get("/api/v1/models/induction/atlas", headers={"If-None-Match": reply.headers["etag"]})
        assert again.status_code == 200
        same = client.get("/api/v1/models/induction/atlas", headers={"If-None-Match": again.headers["etag"]})
        assert same.status_code == 304
    code, out, err = run(capsys, "atlas", "induction")
    assert (code, err) == (0, ""), "nothing is measured twice"
    lines = out.splitlines()
    assert lines[0].startswith("induction on random-tokens: L1 H3 0.9")
    assert lines[2].startswith("  L1 H3  0.9")


def test_damaged_files_do_not_stop_the_server(own_cache, serve):
    folder = folder_of(load_catalogue().entry("minilm").card, own_cache)
    folder.mkdir(parents=True)
    (folder / "a.json").write_text("{")
    (folder / "b.json").write_text(json.dumps({"task": ["x"], "model": "minilm", "file": "x", "chosen": {}}))
    (folder / "c.json").write_text(json.dumps({"task": "antecedent", "model": "minilm", "file": "x", "chosen": None}))
    with serve(cache=own_cache, fetch_on_start=False) as client:
        reply = client.get("/api/v1/models/minilm/atlas")
        assert reply.status_code == 200
        assert reply.json()["results"] == []


def test_what_is_no_model_is_a_problem_that_lists_the_models(empty):
    reply = empty.get("/api/v1/models/..%2F..%2Fetc/atlas")
    assert reply.status_code == 404
    reply = empty.get("/api/v1/models/nobody/atlas")
    assert reply.status_code == 422
    assert reply.json()["type"] == "/problems/unknown-name"
    assert "minilm" in reply.json()["accepted"]
    assert empty.get("/api/v1/models/minilm/atlas?again=1").json()["type"] == "/problems/unknown-parameter"
    assert empty.get("/api/v1/models/shapes/atlas").json()["tasks"] == []


def test_a_model_that_can_do_nothing_of_it_says_so(random_catalogue, monkeypatch, own_cache, capsys):
    short = [replace(one, card=replace(one.card, max_tokens=6)) for one in random_catalogue.entries]
    monkeypatch.setattr(evaluating, "load_catalogue", lambda: Catalogue(tuple(short)))
    code, out, _ = run(capsys, "atlas", "sees")
    assert (code, out) == (0, "sees: nothing was measured; there is no task for this model\n")
    code, out, err = run(capsys, "atlas", "writes")
    assert code == evaluating.LEFT_OUT == 3
    assert "antecedent on antecedents-en.jsonl could not be measured: " in err
    assert "induction on random-tokens: L" in out, "6 tokens are too few for our English; the rest is measured"
    assert "no head has a role" in out, "whatever a head does on the few sentences that fit"
    assert run(capsys, "atlas", "nobody")[0] == 2


# ---- the page


def boot_of(reply) -> dict:
    return json.loads(re.search(r'id="boot">(.*?)</script>', reply.text, re.S)[1])


def test_the_page_names_its_model_and_its_files(empty):
    reply = empty.get("/models/ko-en?lang=ko")
    assert reply.status_code == 200
    assert "<h1>한국어–영어 헤드 지도</h1>" in reply.text
    assert 'href="/?model=ko-en&amp;lang=ko"' in reply.text, "the way back to Explore, in the reader's language"
    assert reply.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
    assert boot_of(reply)["model"] == "ko-en"
    assert boot_of(reply)["may_evaluate"]
    for path in re.findall(r'(?:src|href)="(/static/[^"]+)"', reply.text):
        assert empty.get(path).status_code == 200, path
    assert empty.head("/models/minilm").status_code == 200


@pytest.mark.parametrize("name", ["nobody", "<b>x<b>", "{{7*7}}", "%2e%2e", "minilm%00", "MiniLM", "a" * 4000])
def test_a_model_that_is_not_there_has_a_page_that_says_so(empty, name):
    reply = empty.get(f"/models/{name}")
    assert reply.status_code == 404
    assert "<h1>No model of this name</h1>" in reply.text
    assert boot_of(reply)["model"] is None
    assert "x<b>" not in reply.text
    assert empty.get(f"/models/{name}/more").json()["type"] == "/problems/not-found"


def test_a_public_server_lets_nobody_start_it_unless_a_setting_does(serve, tmp_path):
    public = {"cache": tmp_path, "fetch_on_start": False, "mode": "public", "allowed_hosts": ("localhost",)}
    with serve(**public) as client:
        assert not boot_of(client.get("/models/minilm"))["may_evaluate"]
        assert client.get("/api/v1/models/minilm/atlas").status_code == 200
    with serve(**public, evaluate=True) as client:
        assert boot_of(client.get("/models/minilm"))["may_evaluate"]
