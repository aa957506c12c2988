"""A folder of models: what is listed, under which name, with which card; what is left out or failed, and why."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from families import FAMILIES
from own_folders import MODELS, TEXT, change_config, save, tokenizer

from attention_core.capture import capture
from attention_core.errors import CheckpointError
from attention_core.models.catalogue import load_catalogue
from attention_core.models.directory import card_of, demand_unchanged, models_folder, revised, scan, with_own


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    """All models of own_folders, as their library saves them."""
    root = tmp_path_factory.mktemp("own")
    for name in MODELS:
        save(root, name)
    return root


@pytest.fixture
def bert(tmp_path, saved) -> Path:
    """A copy of one of them, in a folder of its own to spoil."""
    return Path(shutil.copytree(saved / "bert", tmp_path / "models/bert"))


def test_every_folder_is_an_entry_with_what_its_config_says(saved):
    own = scan(saved, [])
    assert (dict(own.failed), own.left_out) == ({}, ())
    assert sorted(entry.card.name for entry in own.entries) == sorted(MODELS)
    for entry in own.entries:
        family, card = FAMILIES[MODELS[entry.card.name][0]], entry.card
        assert card.kinds == tuple(str(kind) for kind in family.kinds), card.name
        assert (card.layers, card.heads) == (family.layers, 4), card.name
        assert card.input == {"vit": "picture", "dinov2": "picture"}.get(
            card.name, "translation" if len(card.kinds) == 3 else "text"
        )
        assert card.max_tokens == (None if card.input == "picture" or card.name == "t5" else 64), card.name
        assert (card.languages, card.licence, card.precision) == ((), "", "exact")
        assert entry.size_bytes == (saved / card.name / "model.safetensors").stat().st_size
        assert entry.origin == "directory"


def test_a_bare_decoder_is_known_by_its_family_and_any_by_its_class(saved, tmp_path):
    for name, changes in (("bare", {"architectures": ["LlamaModel"]}), ("said", {"model_type": "own-decoder"})):
        change_config(Path(shutil.copytree(saved / "My.Llama_2", tmp_path / name)), **changes)
    assert {entry.card.kinds for entry in scan(tmp_path, []).entries} == {("decoder-self",)}


def test_roberta_counts_positions_from_behind_its_padding_token(bert):
    change_config(bert, model_type="roberta", max_position_embeddings=514, pad_token_id=1)
    assert scan(bert.parent, []).entries[0].card.max_tokens == 512


def test_names_that_cannot_be_are_left_out_with_a_line_each(saved, tmp_path):
    for name in ("good", "-dash", "a b", "x" * 65, "minilm", "Good"):
        shutil.copytree(saved / "bert", tmp_path / name)
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("not a model")
    own = scan(tmp_path, ["minilm"])
    assert [entry.card.name for entry in own.entries] == ["Good"]
    assert len(own.left_out) == 5
    assert any("'minilm'" in line and "another model has that name" in line for line in own.left_out)
    assert any("'a b'" in line and "letter or a digit" in line for line in own.left_out)


def test_a_folder_that_is_not_there_is_a_line(tmp_path):
    own = scan(tmp_path / "nowhere", [])
    assert own.entries == ()
    assert "nowhere cannot be read: No such file or directory" in own.left_out[0]


def spoilt(bert: Path, how: str) -> None:
    if how == "json":
        (bert / "config.json").write_text("{")
    elif how == "cut":
        path = bert / "model.safetensors"
        path.write_bytes(path.read_bytes()[:-1])
    elif how == "pickled":
        (bert / "model.safetensors").rename(bert / "pytorch_model.bin")
    elif how == "weights are a folder":
        (bert / "model.safetensors").unlink()
        (bert / "model.safetensors").mkdir()
    elif how == "dangling":
        (bert / "config.json").unlink()
        (bert / "config.json").symlink_to("gone.json")
    elif how == "outside":
        (bert / "config.json").rename(bert.parent.parent / "elsewhere.json")
        (bert / "config.json").symlink_to(bert.parent.parent / "elsewhere.json")
    elif how == "pipe":
        (bert / "tokenizer.json").unlink()
        os.mkfifo(bert / "tokenizer.json")
    else:
        (bert / how).unlink()


@pytest.mark.parametrize(
    ("how", "reason", "sentence"),
    [
        ("json", "config", r"bert/config\.json cannot be read as JSON"),
        ("cut", "weights", r"bert/model\.safetensors cannot be read: it is cut short or damaged"),
        ("pickled", "pickled", r"pytorch_model\.bin holds pickled weights, which can run code"),
        ("model.safetensors", "no-weights", "bert has no weights"),
        ("weights are a folder", "no-weights", "bert has no weights"),
        ("tokenizer.json", "no-tokenizer", r"bert has no tokenizer\.json"),
        ("pipe", "no-tokenizer", r"bert has no tokenizer\.json"),
        ("dangling", "config", r"bert has no config\.json"),
        ("outside", "unreadable", r"bert/config\.json is a link to a file outside of its folder"),
    ],
)
def test_a_folder_that_is_no_use_is_listed_as_failed_with_the_reason(bert, how, reason, sentence):
    spoilt(bert, how)
    own = scan(bert.parent, [])
    assert [entry.card.name for entry in own.entries] == ["bert"]
    failed = own.failed["bert"]
    assert failed.facts["reason"] == reason
    assert re.search(sentence, str(failed))


def test_links_may_lead_to_a_folder_and_into_the_blobs_of_a_hub_s_cache(saved, tmp_path):
    cached = tmp_path / "hub/models--a--b"
    (cached / "blobs").mkdir(parents=True)
    snapshot = cached / "snapshots/0123"
    snapshot.mkdir(parents=True)
    for path in (saved / "bert").iterdir():
        shutil.copy(path, cached / "blobs" / path.name)
        (snapshot / path.name).symlink_to(f"../../blobs/{path.name}")
    root = tmp_path / "models"
    root.mkdir()
    (root / "linked").symlink_to(saved / "distil")
    (root / "cached").symlink_to(snapshot)
    own = scan(root, [])
    assert dict(own.failed) == {}
    assert [entry.card.name for entry in own.entries] == ["cached", "linked"]


def test_a_circle_of_links_is_a_folder_without_a_file(bert):
    (bert / "config.json").unlink()
    (bert / "config.json").symlink_to("config.json")
    assert scan(bert.parent, []).failed["bert"].facts["reason"] == "config"


@pytest.mark.parametrize("how", ["gone", "a link out"])
def test_what_happens_to_a_folder_later_is_noticed(bert, tmp_path, how):
    entry = scan(bert.parent, []).entries[0]
    (bert / "config.json").rename(tmp_path / "elsewhere.json")
    if how == "a link out":
        (bert / "config.json").symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(CheckpointError) as caught:
        revised(entry, tmp_path / "cache")
    assert caught.value.facts == {"reason": "unreadable", "file": "bert/config.json"}


def test_files_that_changed_since_are_no_longer_that_model(bert, tmp_path):
    entry = revised(scan(bert.parent, []).entries[0], tmp_path)
    demand_unchanged(entry, tmp_path)
    change_config(bert, note=1)
    with pytest.raises(CheckpointError, match="have changed") as caught:
        demand_unchanged(entry, tmp_path)
    assert caught.value.facts["reason"] == "changed"


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        ({"model_type": "xlnet", "architectures": ["XLNetLMHeadModel"]}, "encoder-self"),
        ({"model_type": "xlm", "architectures": ["XLMWithLMHeadModel"]}, "encoder-self"),
        ({"model_type": "flaubert", "architectures": ["FlaubertWithLMHeadModel"], "causal": True}, "decoder-self"),
        ({"model_type": "roberta", "architectures": ["RobertaForCausalLM"]}, "encoder-self"),
        ({"model_type": "bert", "architectures": ["BertLMHeadModel"], "is_decoder": True}, "decoder-self"),
    ],
)
def test_families_that_look_both_ways_do_so_whatever_their_class_is_called(config, kind):
    assert card_of("own", config).kinds == (kind,)


def revision(folder: Path, cache: Path) -> str:
    return revised(scan(folder.parent, []).entries[0], cache).card.revision


def test_a_revision_is_of_everything_that_makes_the_model(bert, saved, tmp_path):
    cache = tmp_path / "cache"
    first = revision(bert, cache)
    assert len(first) == 12
    assert int(first, 16) >= 0
    again = Path(shutil.copytree(saved / "bert", tmp_path / "others/renamed"))
    assert revision(again, cache) == first
    seen = {first}
    tokenizer(["[UNK]", "w3"]).save(str(bert / "tokenizer.json"))
    seen.add(revision(bert, cache))
    change_config(bert, note=1)
    seen.add(revision(bert, cache))
    shutil.copy(saved / "distil/model.safetensors", bert)
    seen.add(revision(bert, cache))
    assert len(seen) == 4


def test_files_are_hashed_once_until_their_time_changes(bert, tmp_path):
    cache, path = tmp_path / "cache", bert / "model.safetensors"
    first, stat = revision(bert, cache), path.stat()
    known = (cache / "own-models.json").read_bytes()
    (cache / "own-models.json").write_text(json.dumps(dict.fromkeys(json.loads(known), "0" * 64)))
    assert revision(bert, cache) != first  # what the memo says counts: nothing was read
    (cache / "own-models.json").write_bytes(known)
    with path.open("r+b") as file:  # other weights in the same file, its time set back
        file.seek(-1, os.SEEK_END)
        file.write(b"\x01")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    changed = revision(bert, cache)
    assert changed != first
    for junk in (b"", b"[1]", b'{"a": 1', b"\xff"):
        (cache / "own-models.json").write_bytes(junk)
        assert revision(bert, cache) == changed


def test_looking_through_a_folder_does_not_bring_torch_in(saved):
    script = (
        "import sys\nfrom pathlib import Path\nfrom attention_core.models.directory import scan, revised\n"
        f"own = scan(Path({str(saved)!r}), [])\nassert len(own.entries) == {len(MODELS)}\n"
        "assert 'torch' not in sys.modules and 'transformers' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_own_models_stand_behind_the_catalogue_s_and_open_by_name(bert, tmp_path, monkeypatch):
    assert with_own(load_catalogue(), None)[0] is load_catalogue()
    monkeypatch.setenv("ATLAS_MODELS_DIR", str(bert.parent))
    monkeypatch.setenv("ATLAS_CACHE", str(tmp_path / "cache"))
    catalogue, _ = with_own(load_catalogue(), models_folder())
    assert catalogue.default is load_catalogue().default
    bert.rename(bert.with_name("own-bert"))
    trace = capture("own-bert", TEXT)
    assert trace.model.name == "own-bert"
    assert len(trace.model.revision) == 12
    assert trace.provenance.back_end == "in-house"
