"""Heads switched off over the API: by zeros or their mean, in every model but those that are read from outside."""

import numpy as np
import pytest
import torch
import transformers
from own_folders import tokenizer
from test_kinds import array
from test_problems import problem

TRACES = "/api/v1/traces"
BODY = {"model": "writes", "text": "a b c d"}
SIZES = {"vocab_size": 40, "max_position_embeddings": 32, "bos_token_id": None, "eos_token_id": None}


@pytest.fixture(scope="module")
def own(tmp_path_factory, serve, random_catalogue):
    """A server with a Llama, whose attention goes through the interface, and a GPT-Neo, which is read from outside."""
    root = tmp_path_factory.mktemp("own")
    torch.manual_seed(0)
    llama = transformers.LlamaConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48,
                                     initializer_range=0.4, pad_token_id=None, **SIZES)  # fmt: skip
    neo = transformers.GPTNeoConfig(hidden_size=32, num_layers=2, num_heads=4, attention_types=[[["global"], 2]],
                                    **SIZES)  # fmt: skip
    for name, model in (("llama", transformers.LlamaForCausalLM(llama)), ("neo", transformers.GPTNeoForCausalLM(neo))):
        model.save_pretrained(root / name)
        tokenizer(["[UNK]", *(f"w{number}" for number in range(39))]).save(str(root / name / "tokenizer.json"))
    with serve(catalogue=random_catalogue, cache=tmp_path_factory.mktemp("cache"), models_dir=root) as client:
        yield client


def posted(client, body=BODY, **options):
    made = client.post(TRACES, json={**body, **({"options": options} if options else {})})
    assert made.status_code in (200, 201), made.text
    return made.json()


def test_the_mean_is_another_trace_than_zeros_and_nothing_off_is_one_however_it_would_be_done(small):
    off = ["decoder-self.0.1"]
    whole, zero, mean = posted(small), posted(small, off=off), posted(small, off=off, off_with="mean")
    assert [one["off_with"] for one in (whole, zero, mean)] == ["zero", "zero", "mean"]
    assert len({one["id"] for one in (whole, zero, mean)}) == 3
    assert posted(small, off=off, off_with="zero")["id"] == zero["id"]
    assert posted(small, off=[], off_with="mean")["id"] == whole["id"]
    rows = [array(small.get(f"{TRACES}/{one['id']}/weights?layer=1&head=0")) for one in (zero, mean)]
    assert np.abs(rows[0] - rows[1]).max() > 1e-4


def test_a_way_to_switch_off_that_is_none_is_told(small):
    body = {**BODY, "options": {"off": ["decoder-self.0.1"], "off_with": "noise"}}
    problem(small.post(TRACES, json=body), 422, "invalid-request")


def test_who_writes_cannot_keep_the_mean(small):
    options = {"off": ["decoder-self.0.1"], "off_with": "mean"}
    job = {"do": "generate", **BODY, "options": options}
    assert problem(small.post("/api/v1/jobs", json=job), 422, "not-available")["reason"] == "no-mean-writing"
    translated = {"model": "translates", "text": "a b", "options": {**options, "off": ["cross.0.1"]}}
    assert problem(small.post(TRACES, json=translated), 422, "not-available")["reason"] == "no-mean-writing"
    assert posted(small, {**translated, "target": "c d"}, **translated["options"])["off_with"] == "mean"


def switchable(client):
    return {one["name"]: one["switchable"] for one in client.get("/api/v1/models").json()["models"]}


def test_heads_of_own_models_can_be_switched_off_unless_they_are_read_from_outside(own):
    assert switchable(own)["llama"]
    body = {"model": "llama", "text": "w1 w2 w3"}
    whole, without = posted(own, body), posted(own, body, off=["decoder-self.0.2"])
    assert without["provenance"]["back_end"] == "interface"
    assert whole["predictions"] != without["predictions"]
    other = {"model": "neo", "text": "w1 w2 w3", "options": {"off": ["decoder-self.0.2"]}}
    for _ in range(2):  # before it is loaded nobody knows, and then it is known before anything runs
        assert problem(own.post(TRACES, json=other), 422, "not-available")["reason"] == "no-switch"
    assert switchable(own) == {name: name != "neo" for name in switchable(own)}
