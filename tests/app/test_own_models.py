"""A server with a folder of an operator's own models: listed, loaded, looked into, refused; and a second start."""

import io
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from own_folders import MODELS, TEXT, change_config, header, no_network, save, tokenizer
from test_problems import problem

from app import cli
from attention_core.capture import Example
from attention_core.models.directory import scan
from attention_core.models.loading import load_model
from attention_core.pictures import read_picture

MODELS_SHOWN = ("my-gpt2", "My.Llama_2", "bert", "t5", "vit")
FIELDS = {"encoder-self": "encoder_attentions", "decoder-self": "decoder_attentions", "cross": "cross_attentions"}
TRACES = "/api/v1/traces"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Five models that are whole, and some that are not."""
    root = tmp_path_factory.mktemp("own") / "models"
    for name in MODELS_SHOWN:
        save(root, name)
    for name in ("pickled", "code", "cut", "stranger", "bad name"):
        shutil.copytree(root / "bert", root / name)
    (root / "pickled/model.safetensors").rename(root / "pickled/pytorch_model.bin")
    change_config(root / "code", auto_map={"AutoModel": "modeling.Evil"})
    os.truncate(root / "cut/model.safetensors", 1000)
    tokenizer(["[UNK]", *(f"v{number}" for number in range(70))]).save(str(root / "stranger/tokenizer.json"))
    return root


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def client(folder, cache, serve, random_catalogue):
    with serve(catalogue=random_catalogue, cache=cache, models_dir=folder) as client:
        yield client


def listed(client) -> dict:
    return {one["name"]: one for one in client.get("/api/v1/models").json()["models"]}


def request(name: str) -> dict:
    target = {"target": "w7 w8 w20 </s>"} if name == "t5" else {}
    return {"model": name, "text": TEXT, **target}


def test_own_models_are_listed_behind_the_catalogue_s(client, random_catalogue):
    models = listed(client)
    own = [name for name in models if models[name]["state"] != "failed"]
    assert own[: len(random_catalogue.entries)] == [entry.card.name for entry in random_catalogue.entries]
    assert set(MODELS_SHOWN) <= set(own)
    assert "bad name" not in models
    shown = models["My.Llama_2"]
    facts = {"family": "llama", "kinds": ["decoder-self"], "layers": 2, "heads": 4, "max_tokens": 64, "ready": True}
    assert {key: shown[key] for key in facts} == facts
    assert (shown["bundled"], shown["download_bytes"], shown["languages"]) == (False, 0, [])
    assert models["vit"]["samples"]


@pytest.mark.parametrize("name", MODELS_SHOWN)
def test_every_weight_that_the_server_gives_is_the_model_s_own(client, folder, name):
    body = request(name)
    if name == "vit":
        body = {"model": "vit", "image": listed(client)["vit"]["samples"][0]}
    made = client.post(TRACES, json=body)
    assert made.status_code == 201, made.text
    trace = made.json()
    entry = next(entry for entry in scan(folder, []).entries if entry.card.name == name)
    assert len(trace["model"]["revision"]) == 12
    if name == "vit":
        png = client.get(f"{TRACES}/{trace['id']}/picture").content
        example = Example(image=read_picture(png))
    else:
        example = Example(TEXT, target=body.get("target"))
    inputs = dict(load_model(entry.card, folder / name).encode(example).inputs)
    own = getattr(transformers, MODELS[name][1]).from_pretrained(folder / name, attn_implementation="eager").eval()
    with torch.inference_mode():
        output = own(**inputs, output_attentions=True, return_dict=True)
    for told in trace["maps"]:
        for layer in range(told["layers"]):
            given = client.get(f"{TRACES}/{trace['id']}/weights", params={"kind": told["kind"], "layer": layer})
            wanted = (getattr(output, FIELDS[told["kind"]], None) or output.attentions)[layer][0].numpy()
            assert np.abs(np.load(io.BytesIO(given.content)) - wanted).max() < 2e-5


@pytest.mark.parametrize(
    ("name", "reason", "sentence"),
    [
        ("pickled", "pickled", "its pytorch_model.bin holds pickled weights, which can run code"),
        ("code", "code", "code/config.json asks for code of its own"),
        ("cut", "weights", "cut/model.safetensors cannot be read"),
    ],
)
def test_a_folder_that_is_no_use_is_listed_as_failed_with_the_sentence(client, name, reason, sentence):
    shown = listed(client)[name]
    assert (shown["state"], shown["ready"]) == ("failed", False)
    assert shown["problem"]["type"] == "/problems/checkpoint"
    assert shown["problem"]["reason"] == reason
    assert sentence in shown["problem"]["detail"]
    facts = problem(client.post(TRACES, json={"model": name, "text": TEXT}), 500, "checkpoint")
    assert facts["reason"] == reason


def test_a_tokenizer_of_another_model_shows_when_it_is_loaded(client):
    facts = problem(client.post(TRACES, json={"model": "stranger", "text": TEXT}), 500, "checkpoint")
    assert (facts["reason"], facts["last"], facts["rows"]) == ("tokenizer-mismatch", 70, 60)
    assert facts["file"] == "stranger/tokenizer.json"
    assert listed(client)["stranger"]["state"] == "failed"


def test_every_reason_has_its_sentence_in_both_languages():
    code = "".join(path.read_text() for path in Path("attention_core").rglob("*.py"))
    reasons = set(re.findall(r'CheckpointError\((?:[^()]|\([^()]*\))*?reason="([a-z-]+)"', code)) | {"changed"}
    assert len(reasons) > 8
    for language in ("en", "ko"):
        messages = json.loads(Path(f"app/messages/{language}.json").read_text(encoding="utf-8"))
        assert {f"problem.checkpoint.{reason}" for reason in reasons} <= messages.keys()


def test_what_a_client_sends_is_never_a_path(client):
    for name in ("../own", "bad name", "bert/../bert", str(Path.cwd())):
        problem(client.post(TRACES, json={"model": name, "text": TEXT}), 422, "unknown-name")


def test_a_second_start_needs_no_network_and_gives_the_same_ids(
    client, folder, cache, serve, random_catalogue, monkeypatch
):
    first = {name: client.post(TRACES, json=request(name)).json()["id"] for name in MODELS_SHOWN if name != "vit"}
    with no_network(monkeypatch), serve(catalogue=random_catalogue, cache=cache, models_dir=folder) as again:
        for name, known in first.items():
            made = again.post(TRACES, json=request(name))
            assert (made.status_code, made.json()["id"]) == (201, known)


def test_other_weights_are_another_trace_and_never_under_a_running_server(
    folder, tmp_path, serve, random_catalogue, caplog
):
    root = tmp_path / "models"
    shutil.copytree(folder / "vit", root / "vit")
    shutil.copytree(folder / "bert", root / "writes")
    settings = {"catalogue": random_catalogue, "cache": tmp_path / "cache", "models_dir": root}
    with serve(**settings) as client:
        body = {"model": "vit", "image": listed(client)["vit"]["samples"][0]}
        one = client.post(TRACES, json=body).json()["id"]
    assert "'writes' in ATLAS_MODELS_DIR is not listed: another model has that name" in caplog.text
    path = root / "vit/model.safetensors"
    data = bytearray(path.read_bytes())
    with serve(**settings) as client:
        # Its files are read for the id of a picture that is not there, and exchanged before it is loaded.
        problem(client.post(TRACES, json={"model": "vit", "image": "0" * 40}), 404, "image-not-held")
        data[-1] ^= 1
        path.write_bytes(data)
        facts = problem(client.post(TRACES, json=body), 500, "checkpoint")
        assert (facts["reason"], facts["file"]) == ("changed", "vit")
    with serve(**settings) as client:
        assert client.post(TRACES, json=body).json()["id"] != one


def test_a_model_too_large_is_refused_before_it_loads_and_costs_nothing_else(folder, tmp_path, serve, random_catalogue):
    root, size = tmp_path / "models", 1 << 40
    shutil.copytree(folder / "bert", root / "huge")
    tensor = {"dtype": "BF16", "shape": [size // 2], "data_offsets": [0, size]}
    spare = {f"a{number}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for number in range(9)}
    header(root / "huge/model.safetensors", {"w": tensor, **spare}, size)
    cache = tmp_path / "cache"
    with serve(catalogue=random_catalogue, cache=cache, models_dir=root) as client:
        assert listed(client)["huge"]["state"] == "ready"
        assert listed(client)["huge"]["size_bytes"] == (root / "huge/model.safetensors").stat().st_size
        facts = problem(client.post(TRACES, json={"model": "huge", "text": TEXT}), 507, "out-of-memory")
        assert facts["needed"] > 2 * size > facts["available"]
        assert client.post(TRACES, json={"model": "writes", "text": "a b"}).status_code == 201


def test_the_command_line_knows_own_models(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ATLAS_MODELS_DIR", str(folder))
    monkeypatch.setenv("ATLAS_CACHE", str(tmp_path))
    assert cli.main(["trace", TEXT, "--model", "My.Llama_2"]) == 0
    assert "My.Llama_2: 6 tokens, 2 x 4 decoder-self" in capsys.readouterr().out
    assert cli.main(["trace", TEXT, "--model", "pickled"]) == 1
    assert "its pytorch_model.bin holds pickled weights" in capsys.readouterr().err


def test_a_folder_taken_away_while_it_is_served_has_failed(folder, tmp_path, serve, random_catalogue):
    root = tmp_path / "models"
    shutil.copytree(folder / "bert", root / "leaves")
    with serve(catalogue=random_catalogue, cache=tmp_path / "cache", models_dir=root) as client:
        assert listed(client)["leaves"]["state"] == "ready"
        (root / "leaves").rename(tmp_path / "elsewhere")
        shown = listed(client)["leaves"]
        assert (shown["state"], shown["problem"]["reason"]) == ("failed", "unreadable")
        facts = problem(client.post(TRACES, json={"model": "leaves", "text": TEXT}), 500, "checkpoint")
        assert (facts["reason"], facts["file"]) == ("unreadable", "leaves/config.json")
