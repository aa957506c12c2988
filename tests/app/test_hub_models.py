"""Models of the hub in the app: listed, fetched by a job, looked into, refused with a reason the page can say."""

import json
import re
from pathlib import Path

import hub_server
import pytest
from hub_server import ENTRY, NAME, Repo

from app import cli
from attention_core.models.catalogue import parse_catalogue
from attention_core.models.sources import streaming

DAMAGED = json.dumps(
    {"repo": NAME, "revision": "a" * 40, "sha256": {"model.safetensors": 5}, "bytes": {"model.safetensors": "x"}}
)
MESSAGES = Path(cli.__file__).parent / "messages"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    with hub_server.serving() as hub:
        hub.repos[NAME] = Repo(hub_server.tiny_bert(tmp_path))
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
        monkeypatch.delenv("HF_TOKEN", raising=False)
        monkeypatch.setattr(streaming, "PAUSE", 0.01)
        yield hub


@pytest.fixture
def open_tiny(hub, tmp_path, serve):
    def opened(**settings):
        return serve(catalogue=parse_catalogue(ENTRY), cache=tmp_path / "cache", fetch_on_start=False, **settings)

    return opened


def fetched(client):
    """The end of a fetch: what its last event says."""
    job = client.post("/api/v1/jobs", json={"do": "fetch", "model": "tiny"}).json()
    events = client.get(f"/api/v1/jobs/{job['id']}/events").text
    return json.loads(re.findall(r"event: end\ndata: (.*)", events)[-1])


def listed(client):
    return client.get("/api/v1/models").json()["models"][0]


def test_a_model_is_listed_fetched_and_looked_into(open_tiny, hub):
    with open_tiny() as client:
        before = listed(client)
        assert (before["origin"], before["state"], before["approximate"]) == ("hub", "absent", True)
        assert before["fetchable"]
        assert before["hub"] == {"repo": NAME, "commit": None, "recorded": False, "gated": False, "sha256": {}}
        assert fetched(client)["state"] == "done"
        after = listed(client)
        assert (after["state"], after["approximate"]) == ("ready", False)
        assert (after["hub"]["commit"], after["hub"]["recorded"]) == ("a" * 40, True)
        assert after["revision"] == after["hub"]["sha256"]["model.safetensors"][:12]
        trace = client.post("/api/v1/traces", json={"model": "tiny", "text": "the cat sat"}).json()
        assert trace["model"]["revision"] == after["revision"]
        assert trace["provenance"]["self_check"]["error"] < 1e-5


def test_a_model_that_was_damaged_since_is_not_looked_into(open_tiny, hub, tmp_path):
    with open_tiny() as client:
        assert fetched(client)["state"] == "done"
    weights = tmp_path / "cache" / "models" / "tiny" / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-2] ^= 1
    weights.write_bytes(data)
    with open_tiny() as client:
        reply = client.post("/api/v1/traces", json={"model": "tiny", "text": "the cat sat"})
        assert (reply.status_code, reply.json()["file"]) == (500, "tiny/model.safetensors")


def test_a_second_start_needs_no_hub(open_tiny, hub):
    with open_tiny() as client:
        assert fetched(client)["state"] == "done"
        first = client.post("/api/v1/traces", json={"model": "tiny", "text": "the cat sat"}).json()
    hub.asked.clear()
    with open_tiny() as client:
        assert client.post("/api/v1/traces", json={"model": "tiny", "text": "the cat sat"}).json()["id"] == first["id"]
    assert hub.asked == []


def test_a_refusal_has_a_sentence_in_both_languages(open_tiny, hub):
    hub.repos[NAME].gated = True
    with open_tiny() as client:
        problem = fetched(client)["problem"]
        assert problem["reason"] == "gated"
        assert listed(client)["problem"] == problem
    reasons = (
        "offline", "gated", "missing-repo", "missing-revision", "no-safetensors", "no-weights", "no-tokenizer",
        "changed", "wrong-hash", "disk-full", "broken", "token", "refused", "no-model", "damaged-record", "odd-answer",
    )  # fmt: skip
    for lang in ("en", "ko"):
        messages = json.loads((MESSAGES / f"{lang}.json").read_text(encoding="utf-8"))
        assert {f"problem.fetch-failed.{reason}" for reason in reasons} <= messages.keys()
        assert set(re.findall(r"\{(\w+)\}", messages["problem.fetch-failed.gated"])) <= problem.keys()


def test_after_a_failure_it_can_be_fetched_again(open_tiny, hub):
    repo = hub.repos.pop(NAME)
    with open_tiny() as client:
        assert fetched(client)["problem"]["reason"] == "missing-repo"
        hub.repos[NAME] = repo
        assert fetched(client)["state"] == "done"


@pytest.mark.parametrize("content", ["[" * 100_000, '{"repo": "owner/tiny", "revision": "\\ud800"}', DAMAGED])
def test_a_damaged_record_breaks_no_list(open_tiny, tmp_path, content, command):
    (tmp_path / "cache" / "pins").mkdir(parents=True)
    (tmp_path / "cache" / "pins" / "tiny.json").write_text(content)
    with open_tiny() as client:
        assert (listed(client)["state"], listed(client)["hub"]["recorded"]) == ("absent", False)
        problem = fetched(client)["problem"]
        assert (problem["reason"], problem["name"]) == ("damaged-record", "tiny")
    for lang in ("en", "ko"):
        messages = json.loads((MESSAGES / f"{lang}.json").read_text(encoding="utf-8"))
        assert set(re.findall(r"\{(\w+)\}", messages["problem.fetch-failed.damaged-record"])) <= problem.keys()
        assert "models forget {name}" in messages["problem.fetch-failed.changed"]
    code, out = command("models")
    assert code == 0
    assert "absent" in out


def test_in_public_nobody_can_fetch_and_the_list_says_so(open_tiny, hub):
    with open_tiny(mode="public", allowed_hosts="localhost") as client:
        assert not listed(client)["fetchable"]
        assert client.post("/api/v1/jobs", json={"do": "fetch", "model": "tiny"}).status_code == 403
    assert hub.asked == []


# ---- the command line


@pytest.fixture
def command(hub, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ATLAS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("app.commands.models.load_catalogue", lambda: parse_catalogue(ENTRY))

    def run(*arguments):
        code = cli.main(arguments)
        return code, capsys.readouterr().out

    return run


def test_the_first_fetch_prints_what_it_records(command, hub):
    _, before = command("models")
    assert before.splitlines()[0] == "from the Hugging Face hub:"
    assert before.split()[5:7] == ["tiny", "absent"]
    assert "about 0.1 MB" in before
    code, out = command("models", "fetch", "tiny")
    assert code == 0
    assert f"\nrecorded: {NAME}, commit {'a' * 40}\n" in out
    for name, digest in hub_server.hashes_of(hub.repos[NAME].files).items():
        assert f"  {digest}  {name}" in out
    assert f"\nas recorded: {NAME}" in command("models", "fetch", "tiny")[1]
    assert "about" not in command("models")[1]


def test_a_fetch_in_json_is_the_model_as_the_api_lists_it(command):
    code, out = command("models", "fetch", "tiny", "--json")
    body = json.loads(out)
    assert (code, body["state"], body["hub"]["recorded"]) == (0, "ready", True)
    assert json.loads(command("models", "--json")[1])["models"] == [body]


def test_forgetting_prints_what_it_removed(command, tmp_path, capsys):
    command("models", "fetch", "tiny")
    code, out = command("models", "forget", "tiny")
    cache = tmp_path / "cache"
    assert code == 0
    assert out.splitlines() == [f"removed: {cache / 'models' / 'tiny'}", f"removed: {cache / 'pins' / 'tiny.json'}"]
    assert "absent" in command("models")[1]
    assert command("models", "forget", "tiny") == (0, "tiny: nothing was fetched or recorded\n")


def test_a_refused_fetch_is_one_line(command, hub, capsys):
    hub.repos[NAME].gated = True
    assert cli.main(("models", "fetch", "tiny")) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("attention-atlas: Tiny could not be fetched: owner/tiny is only for people who accepted")
