"""Answers that no hub should give: endless ones, odd ones, refusals, and files that are no model."""

import json
import re
import threading
import time
from pathlib import Path

import pytest
from hub_server import NAME

from attention_core.errors import FetchError
from attention_core.models.sources import FetchCancelled, asking, fetch, is_fetched, recorded

MESSAGES = Path(__file__).parents[3] / "app" / "messages"
SENTENCES = [json.loads((MESSAGES / f"{lang}.json").read_text(encoding="utf-8")) for lang in ("en", "ko")]


def refused(entry, cache, reason):
    with pytest.raises(FetchError) as error:
        fetch(entry, cache)
    assert error.value.facts["reason"] == reason, error.value
    assert not is_fetched(entry, cache)
    assert recorded(entry, cache) is None
    for sentences in SENTENCES:  # the page's own can be filled in
        assert set(re.findall(r"\{(\w+)\}", sentences[f"problem.fetch-failed.{reason}"])) <= error.value.facts.keys()
    return error.value


def own_threads():
    return [thread for thread in threading.enumerate() if thread.name == "hub"]


def none_is_left():
    end = time.monotonic() + 1
    while own_threads() and time.monotonic() < end:
        time.sleep(0.02)
    return own_threads() == []


def stopped_after(entry, cache, hub, asked):
    """Seconds from the moment that someone wants the fetch stopped, a while after it was asked for that."""
    wanted = []

    def cancelled():
        if not wanted and hub.gets(asked):
            wanted.append(time.monotonic() + 0.4)
        return bool(wanted) and time.monotonic() > wanted[0]

    with pytest.raises(FetchCancelled):
        fetch(entry, cache, cancelled=cancelled)
    return time.monotonic() - wanted[0]


# ---- without an end


def test_of_an_endless_list_of_files_no_more_is_read_than_one_may_have(hub, cache, entry):
    hub.repos[NAME].pours = "listing"
    refused(entry, cache, "odd-answer")
    assert hub.sent < 64 << 20
    assert none_is_left()


def test_a_list_that_drips_has_a_deadline(hub, cache, entry, monkeypatch):
    hub.repos[NAME].pours, hub.repos[NAME].drips = "listing", 0.05
    monkeypatch.setattr(asking, "DEADLINE", 0.5)
    start = time.monotonic()
    refused(entry, cache, "offline")
    assert 0.4 < time.monotonic() - start < 5
    assert none_is_left()


def test_a_fetch_stops_at_once_while_a_list_drips(hub, cache, entry):
    hub.repos[NAME].pours, hub.repos[NAME].drips = "listing", 3.0  # longer than anybody waits
    assert stopped_after(entry, cache, hub, "/api/models") < 1
    assert none_is_left()


def test_what_a_server_sends_beside_an_error_is_not_read(hub, cache, entry, monkeypatch):
    hub.repos[NAME].pours = "error"
    refused(entry, cache, "odd-answer")
    assert hub.sent < 128 << 20  # what lines and buffers hold of four tries
    assert none_is_left()


# ---- odd


@pytest.mark.parametrize(
    "told",
    [
        [], {}, {"sha": None, "siblings": []}, {"sha": "a" * 40}, {"sha": "a" * 40, "siblings": 5},
        {"sha": "a" * 40, "siblings": [{}]}, {"sha": ["a" * 40], "siblings": []},
        {"sha": "a" * 40, "siblings": [{"rfilename": {}}]},
    ],
    ids=json.dumps,
)  # fmt: skip
def test_a_list_that_is_none(hub, cache, entry, told):
    hub.repos[NAME].told = told
    refused(entry, cache, "odd-answer")


def test_a_repository_without_a_configuration(hub, cache, entry):
    del hub.repos[NAME].files["config.json"]
    assert refused(entry, cache, "odd-answer").facts["file"] == "config.json"


@pytest.mark.parametrize("size", [0, -5, "abc", "1e3", "9" * 30])
def test_weights_of_no_size(hub, cache, entry, size):
    hub.repos[NAME].size = size
    assert refused(entry, cache, "odd-answer").facts["file"] == "model.safetensors"
    assert hub.gets("resolve") == []


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_a_redirect_to_what_is_no_web_address(hub, cache, entry, address):
    hub.repos[NAME].leads = address
    refused(entry, cache, "odd-answer")


def test_a_redirect_in_circles(hub, cache, entry):
    hub.repos[NAME].leads = f"{hub.url}/{NAME}/resolve/{'a' * 40}/model.safetensors"
    refused(entry, cache, "odd-answer")


# ---- refused


@pytest.mark.parametrize(
    ("answers", "token", "reason"),
    [
        ((403, "GatedRepo"), None, "gated"),
        ((401, "GatedRepo"), "hf_bad", "gated"),
        ((401, None), "hf_bad", "token"),
        ((401, "RepoNotFound"), None, "missing-repo"),
        ((404, "RepoNotFound"), "hf_good", "missing-repo"),
        ((403, None), "hf_good", "refused"),
        ((403, None), None, "refused"),
        ((451, None), None, "odd-answer"),
    ],
)
def test_who_may_not_have_it_is_told_why(hub, cache, entry, monkeypatch, answers, token, reason):
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    hub.repos[NAME].answers = answers
    refused(entry, cache, reason)


def test_a_token_that_no_header_can_carry(hub, cache, entry, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "토큰")
    refused(entry, cache, "token")
    assert hub.asked == []


# ---- no model


@pytest.mark.parametrize(
    "config",
    [b"{}", b"[", b"[" * 9_000, b'{"model_type": "bert", "auto_map": {"AutoModel": "x.Y"}}'],
    ids=["empty", "cut", "nested", "code"],
)
def test_no_weights_are_fetched_for_a_configuration_that_is_refused(hub, cache, entry, config):
    hub.repos[NAME].files["config.json"] = config
    assert refused(entry, cache, "no-model").facts["file"] == "config.json"
    assert hub.gets("/cdn/") == []


def test_weights_that_are_none_are_not_recorded(hub, cache, entry, files):
    hub.repos[NAME].files["model.safetensors"] = b"\0" * 50_000
    assert refused(entry, cache, "no-model").facts["file"] == "model.safetensors"
    hub.repos[NAME].files = dict(files)
    fetch(entry, cache)
    assert recorded(entry, cache).revision == "a" * 40


# ---- leavings


def test_a_stray_file_where_a_download_would_be_kept(hub, cache, entry):
    (cache / "models").mkdir(parents=True)
    (cache / "models" / ".tiny-part").write_text("x")
    fetch(entry, cache)
    assert sorted(path.name for path in (cache / "models").iterdir()) == ["tiny"]


def test_a_stray_folder_and_link_among_what_was_kept(hub, cache, entry, tmp_path):
    (cache / "models" / ".tiny-part" / "sub").mkdir(parents=True)
    (tmp_path / "own").write_text("x")
    (cache / "models" / ".tiny-part" / "link").symlink_to(tmp_path / "own")
    fetch(entry, cache)
    assert (tmp_path / "own").read_text() == "x"
    assert sorted(path.name for path in (cache / "models").iterdir()) == ["tiny"]
