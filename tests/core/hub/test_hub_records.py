"""What was recorded of a hub model: read strictly, restored where safe, never made anew in silence, forgotten."""

import json
import shutil
from dataclasses import replace

import pytest
from hub_server import NAME, Repo, hashes_of, left_over

from attention_core.errors import CheckpointError, FetchError, InputError
from attention_core.models.catalogue import load_catalogue
from attention_core.models.sources import demand_whole, fetch, forget, is_fetched, recorded, settled

HASH = "f" * 64
WHOLE = {
    "repo": NAME, "revision": "a" * 40, "sha256": {"model.safetensors": HASH}, "bytes": {"model.safetensors": 7}
}  # fmt: skip
DAMAGED = {
    "empty": "",
    "list": "[]",
    "cut": json.dumps(WHOLE)[:60],
    "nested": "[" * 100_000,
    "commit": json.dumps(WHOLE | {"revision": 5}),
    "short-commit": json.dumps(WHOLE | {"revision": "abc"}),
    "surrogate": json.dumps(WHOLE | {"revision": "\ud800"}),
    "hash-number": json.dumps(WHOLE | {"sha256": {"model.safetensors": 5}}),
    "hash-words": json.dumps(WHOLE | {"sha256": {"model.safetensors": "x" * 64}}),
    "size-words": json.dumps(WHOLE | {"bytes": {"model.safetensors": "x"}}),
    "size-nan": json.dumps(WHOLE | {"bytes": {"model.safetensors": float("nan")}}),
    "size-negative": json.dumps(WHOLE | {"bytes": {"model.safetensors": -1}}),
    "size-true": json.dumps(WHOLE | {"bytes": {"model.safetensors": True}}),
    "other-files": json.dumps(WHOLE | {"bytes": {"config.json": 7}}),
    "unknown-file": json.dumps(
        WHOLE | {"sha256": {"model.safetensors": HASH, "../x": HASH}, "bytes": {"model.safetensors": 7, "../x": 7}}
    ),
}


def pin_of(cache):
    return cache / "pins" / "tiny.json"


def lost(entry, cache):
    with pytest.raises(FetchError) as error:
        fetch(entry, cache)
    assert error.value.facts["reason"] == "damaged-record", error.value
    assert str(pin_of(cache)) in str(error.value)
    assert error.value.facts["name"] == "tiny"


def test_a_whole_record_is_read(cache, entry):
    pin_of(cache).parent.mkdir(parents=True)
    pin_of(cache).write_text(json.dumps(WHOLE))
    assert recorded(entry, cache).sha256 == {"model.safetensors": HASH}
    assert settled(entry, cache).download_bytes == 7


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_record_without_its_model_is_never_made_anew(hub, cache, entry, content):
    pin_of(cache).parent.mkdir(parents=True)
    pin_of(cache).write_text(content)
    assert recorded(entry, cache) is None
    assert settled(entry, cache) is entry
    assert not is_fetched(entry, cache)
    lost(entry, cache)
    assert pin_of(cache).read_text() == content
    assert hub.asked == []


@pytest.mark.parametrize("kind", ["empty", "nested", "hash-number"])
def test_a_damaged_record_is_restored_from_the_model_itself(hub, cache, entry, files, other_files, kind):
    fetch(entry, cache)
    before = pin_of(cache).read_text()
    pin_of(cache).write_text(DAMAGED[kind])
    assert is_fetched(entry, cache)
    assert recorded(entry, cache).sha256 == hashes_of(files)
    hub.repos[NAME] = Repo(dict(other_files), commit="b" * 40)
    hub.asked.clear()
    fetch(entry, cache)
    assert hub.asked == []
    assert pin_of(cache).read_text() == before


def test_nothing_is_restored_from_files_that_do_not_fit_their_note(hub, cache, entry):
    folder = fetch(entry, cache)
    pin_of(cache).write_text("")
    weights = folder / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 255
    weights.write_bytes(data)
    lost(entry, cache)
    weights.write_bytes(data[:-9])
    assert not is_fetched(entry, cache)
    lost(entry, cache)
    assert pin_of(cache).read_text() == ""


@pytest.mark.parametrize("content", ["[" * 100_000, "[]", '{"repo": "owner/tiny", "commit": 5}'])
def test_a_damaged_note_restores_nothing(hub, cache, entry, content):
    (fetch(entry, cache) / "origin.json").write_text(content)
    pin_of(cache).write_text("")
    assert recorded(entry, cache) is None
    lost(entry, cache)


def test_a_fetched_file_that_was_changed_since_is_found(hub, cache, entry):
    folder = fetch(entry, cache)
    demand_whole(entry, cache)
    config = folder / "config.json"
    config.write_bytes(config.read_bytes().replace(b"32", b"64"))
    assert is_fetched(entry, cache)
    with pytest.raises(CheckpointError, match="models forget tiny") as error:
        demand_whole(entry, cache)
    assert error.value.facts == {"reason": "weights", "file": "tiny/config.json"}


def test_a_forgotten_model_is_gone_and_may_be_another_next_time(hub, cache, entry, other_files):
    folder = fetch(entry, cache)
    hub.repos[NAME] = Repo(dict(other_files), commit="b" * 40)
    shutil.rmtree(folder)
    with pytest.raises(FetchError, match="models forget tiny") as error:
        fetch(entry, cache)
    assert error.value.facts["name"] == "tiny"
    (cache / "models" / ".tiny-part").mkdir()
    assert forget(entry, cache) == [cache / "models" / ".tiny-part", pin_of(cache)]
    assert fetch(entry, cache) == folder
    assert recorded(entry, cache).revision == "b" * 40
    assert forget(entry, cache) == [folder, pin_of(cache)]
    assert left_over(cache) == []
    assert forget(entry, cache) == []


def test_only_what_came_from_the_hub_is_forgotten(cache, entry, tmp_path):
    with pytest.raises(InputError, match="shapes does not come from the hub"):
        forget(load_catalogue().entry("shapes"), cache)
    # As MiniLM's: a package brought the files, and the hub could have.
    package = dict.fromkeys(("config.json", "tokenizer.json", "model.safetensors"), "0" * 64)
    folder = cache / "models" / "tiny"
    folder.mkdir(parents=True)
    assert forget(replace(entry, sha256=package), cache) == []
    assert folder.is_dir()


def test_forgetting_a_link_leaves_what_it_leads_to(cache, entry, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").write_text("x")
    (cache / "models").mkdir(parents=True)
    (cache / "models" / "tiny").symlink_to(tmp_path / "elsewhere")
    assert forget(entry, cache) == [cache / "models" / "tiny"]
    assert (tmp_path / "elsewhere" / "file").exists()
