"""The hub, by the real client against a server on this machine: whole, recorded, resumed, by several at once."""

import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest
from hub_server import NAME, Repo, hashes_of, left_over

from attention_core.capture import capture
from attention_core.errors import FetchError
from attention_core.models.loading import load_model
from attention_core.models.sources import FetchCancelled, fetch, is_fetched, model_folder, recorded, settled


def changed(entry, cache):
    with pytest.raises(FetchError) as error:
        fetch(entry, cache)
    assert error.value.facts["reason"] == "changed", error.value
    assert not is_fetched(entry, cache)
    return error.value


# ---- success


def test_a_model_is_fetched_recorded_and_looked_into(hub, cache, entry, files):
    seen = []
    assert (entry.card.revision, entry.approximate, is_fetched(entry, cache)) == ("", True, False)
    folder = fetch(entry, cache, progress=seen.append)
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "origin.json"} == files
    assert is_fetched(entry, cache)
    assert left_over(cache) == ["tiny"]

    done = [step.done for step in seen if step.step == "download"]
    total = sum(map(len, files.values()))
    assert done == sorted(done)
    assert (done[0], done[-1], seen[-1].total) == (0, total, total)

    pin = recorded(entry, cache)
    assert (pin.repo, pin.revision, dict(pin.sha256)) == (NAME, "a" * 40, hashes_of(files))
    known = settled(entry, cache)
    assert known.card.revision == hashes_of(files)["model.safetensors"][:12]
    assert (known.size_bytes, known.approximate) == (len(files["model.safetensors"]), False)

    trace = capture(load_model(known.card, folder), "the cat sat on the mat")
    assert trace.source.texts[2] == "cat"
    assert trace.model.revision == known.card.revision


def test_only_files_with_a_name_of_ours_are_fetched(hub, cache, entry, files):
    extra = {"README.md": b"#", "modeling.py": b"raise SystemExit", "generation_config.json": b"{}", "x.bin": b"x"}
    hub.repos[NAME].files |= extra
    hub.repos[NAME].lists = [*hub.repos[NAME].files, "../evil", "/etc/passwd"]
    folder = fetch(entry, cache)
    assert sorted(path.name for path in folder.iterdir()) == sorted([*files, "generation_config.json", "origin.json"])
    assert not [path for _, path, _, _ in hub.asked if "evil" in path or "modeling" in path]


def test_what_was_fetched_never_asks_the_hub_again(hub, cache, entry):
    folder = fetch(entry, cache)
    hub.repos.clear()
    before = len(hub.asked)
    assert fetch(entry, cache) == folder
    load_model(settled(entry, cache).card, folder)
    assert len(hub.asked) == before


def test_the_catalogues_commit_is_the_one_that_is_asked_for(hub, cache, entry):
    pinned = replace(entry, sources=(replace(entry.hub, revision="a" * 40),))
    fetch(pinned, cache)
    assert f"/api/models/{NAME}/revision/{'a' * 40}" in [path for _, path, _, _ in hub.asked]


def test_a_tokenizer_may_come_from_another_repository(hub, cache, entry, files):
    tokenizer = hub.repos[NAME].files.pop("tokenizer.json")
    hub.repos["others/words"] = Repo({"tokenizer.json": tokenizer}, commit="b" * 40)
    borrowed = replace(entry.hub, tokenizer_repo="others/words", tokenizer_revision="b" * 40)
    folder = fetch(replace(entry, sources=(borrowed,)), cache)
    assert (folder / "tokenizer.json").read_bytes() == tokenizer
    assert [path for _, path, _, _ in hub.gets("tokenizer.json")] == [
        f"/others/words/resolve/{'b' * 40}/tokenizer.json"
    ]


def test_an_entry_with_a_package_too_is_settled_by_what_brought_it(hub, cache, entry, files):
    """As MiniLM's: the hashes of the package stand in the catalogue, the hub may have other configurations."""
    package = dict.fromkeys(("config.json", "tokenizer.json", "model.safetensors"), "0" * 64)
    mixed = replace(entry, sha256=package, card=replace(entry.card, revision="0" * 12))
    assert settled(mixed, cache) is mixed
    fetch(mixed, cache)
    assert is_fetched(mixed, cache)
    assert settled(mixed, cache).sha256 == hashes_of(files)


# ---- recorded once, held to it


def test_a_pin_outlives_the_models_folder_and_asks_for_its_commit(hub, cache, entry):
    folder = fetch(entry, cache)
    shutil.rmtree(folder)
    assert not is_fetched(entry, cache)
    hub.asked.clear()
    fetch(entry, cache)
    assert f"/api/models/{NAME}/revision/{'a' * 40}" in [path for _, path, _, _ in hub.asked]


def test_other_weights_under_the_recorded_commit_are_refused(hub, cache, entry, files, other_files):
    shutil.rmtree(fetch(entry, cache))
    hub.repos[NAME].files = dict(other_files)
    hub.asked.clear()
    error = changed(entry, cache)
    assert error.facts["expected"] == hashes_of(files)["model.safetensors"]
    assert error.facts["found"] == hashes_of(other_files)["model.safetensors"]
    assert hub.gets("/cdn/") == []  # known before a byte of it was downloaded


def test_another_configuration_under_the_recorded_commit_is_refused(hub, cache, entry, files):
    shutil.rmtree(fetch(entry, cache))
    hub.repos[NAME].files["config.json"] = files["config.json"] + b"\n"
    assert changed(entry, cache).facts["file"] == "config.json"


def test_a_recorded_commit_that_is_gone_is_named_with_what_stands_there_now(hub, cache, entry):
    shutil.rmtree(fetch(entry, cache))
    hub.repos[NAME].commit = "b" * 40
    error = changed(entry, cache)
    assert (error.facts["expected"], error.facts["found"]) == ("a" * 40, "b" * 40)


# ---- broken lines


def test_a_broken_line_is_taken_up_within_one_fetch(hub, cache, entry, files):
    repo = hub.repos[NAME]
    repo.break_after, repo.breaks = 9000, 2
    seen = []
    fetch(entry, cache, progress=seen.append)
    assert [asked for _, _, asked, _ in hub.gets("/cdn/")] == [None, "bytes=9000-", "bytes=18000-"]
    assert hub.sent == sum(map(len, files.values()))  # not a byte twice
    done = [step.done for step in seen]
    assert done == sorted(done)


def test_a_fetch_that_was_stopped_is_taken_up_by_the_next(hub, cache, entry, files):
    repo = hub.repos[NAME]
    repo.break_after = 8192
    with pytest.raises(FetchCancelled):
        fetch(entry, cache, cancelled=lambda: len(hub.gets("/cdn/")) > 1)
    assert left_over(cache) == [".tiny-part"]
    kept = next((cache / "models" / ".tiny-part").glob("*-model.safetensors")).stat().st_size
    assert kept >= 8192
    repo.break_after = None
    folder = fetch(entry, cache)
    assert hub.gets("/cdn/")[-1][2] == f"bytes={kept}-"
    assert len(hub.gets("config.json")) == 1  # that one was whole
    assert (folder / "model.safetensors").read_bytes() == files["model.safetensors"]
    assert left_over(cache) == ["tiny"]


def test_what_was_kept_of_another_version_is_dropped(hub, cache, entry, files, other_files):
    repo = hub.repos[NAME]
    repo.break_after = 8192
    with pytest.raises(FetchCancelled):
        fetch(entry, cache, cancelled=lambda: len(hub.gets("/cdn/")) > 1)
    repo.files, repo.commit, repo.break_after = dict(other_files), "c" * 40, None
    folder = fetch(entry, cache)
    assert (folder / "model.safetensors").read_bytes() == other_files["model.safetensors"]
    assert left_over(cache) == ["tiny"]


def test_a_server_that_ignores_ranges_is_read_from_the_start(hub, cache, entry, files):
    repo = hub.repos[NAME]
    repo.break_after, repo.breaks, repo.whole = 9000, 1, True
    seen = []
    folder = fetch(entry, cache, progress=seen.append)
    assert (folder / "model.safetensors").read_bytes() == files["model.safetensors"]
    done = [step.done for step in seen]
    assert done == sorted(done)


# ---- several, and none


def test_cancelling_a_slow_download_takes_less_than_a_second(hub, cache, entry):
    hub.repos[NAME].slow = 1.5
    stop, ended = threading.Event(), []

    def work():
        try:
            fetch(entry, cache, cancelled=stop.is_set)
        except FetchCancelled:
            ended.append(time.monotonic())

    thread = threading.Thread(target=work)
    thread.start()
    while not hub.gets("/cdn/"):
        time.sleep(0.02)
    asked = time.monotonic()
    stop.set()
    thread.join(timeout=10)
    assert ended
    assert ended[0] - asked < 1
    assert not is_fetched(entry, cache)
    hub.repos[NAME].slow = 0.0
    fetch(entry, cache)
    assert left_over(cache) == ["tiny"]


PROCESS = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from hub_server import ENTRY
from attention_core.models.catalogue import parse_catalogue
from attention_core.models.sources import fetch
print("ready", flush=True)
sys.stdin.readline()
fetch(parse_catalogue(ENTRY).default, Path(sys.argv[2]))
"""


def test_processes_at_once_end_with_one_whole_copy_and_one_pin(hub, cache, entry, files, request, tmp_path):
    command = [sys.executable, "-c", PROCESS, str(request.path.parent), str(cache)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    # A home of its own: what the hub's client asks once a day would be asked now.
    environment = os.environ | {"HF_HOME": str(tmp_path / "home")}
    children = [subprocess.Popen(command, env=environment, **pipes) for _ in range(2)]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        child.communicate(timeout=60)
    assert [child.returncode for child in children] == [0, 0]
    assert is_fetched(entry, cache)
    assert dict(recorded(entry, cache).sha256) == hashes_of(files)
    assert left_over(cache) == ["tiny"]
    assert [path.name for path in (cache / "pins").iterdir()] == ["tiny.json"]
    assert {path for _, path, _, _ in hub.asked if NAME not in path} == set()


def test_models_of_the_hub_lie_where_others_do(cache, entry):
    assert model_folder(entry, cache) == cache / "models" / "tiny"
