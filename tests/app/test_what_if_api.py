"""What-ifs over the API: part of an example and its id, in figures and differences, refused where they cannot be."""

import numpy as np
import pytest
import torch
import transformers
from own_folders import tokenizer
from test_kinds import array
from test_problems import problem

TRACES = "/api/v1/traces"
BODY = {"model": "writes", "text": "a b c d"}
FIGURE = "/figure.json?model=writes&text=a+b+c+d"


def posted(client, *names, **body):
    made = client.post(TRACES, json={**BODY, **body, **({"options": {"what_if": list(names)}} if names else {})})
    assert made.status_code in (200, 201), made.text
    return made.json()


def test_a_changed_model_is_another_trace_and_says_what_was_changed(small):
    whole, one, other = posted(small), posted(small, "unscaled", "mask:none"), posted(small, "mask:none", "unscaled")
    assert (whole["what_if"], one["what_if"]) == ([], ["unscaled", "mask:none"])
    assert one["id"] == other["id"] != whole["id"]
    usual, changed = (array(small.get(f"{TRACES}/{made['id']}/weights?layer=0&head=0")) for made in (whole, one))
    assert not np.triu(usual, 1).any()
    assert np.triu(changed, 1).any()


def test_what_cannot_be_is_told_with_what_can(small):
    wrong = problem(small.post(TRACES, json={**BODY, "options": {"what_if": ["warm"]}}), 422, "invalid-request")
    assert "positions:none" in str(wrong["errors"])
    body = {**BODY, "options": {"what_if": ["mask:causal"]}}
    assert problem(small.post(TRACES, json=body), 422, "not-available")["reason"] == "no-such-mask"
    job = {"do": "generate", **BODY, "options": {"what_if": ["unscaled"]}}
    assert problem(small.post("/api/v1/jobs", json=job), 422, "not-available")["reason"] == "as-it-is"


def test_a_model_that_another_library_runs_cannot_be_changed(serve, random_catalogue, tmp_path_factory):
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        hidden_size=32, num_hidden_layers=1, num_attention_heads=4, intermediate_size=48, vocab_size=40,
        max_position_embeddings=32, bos_token_id=None, eos_token_id=None, pad_token_id=None,
    )  # fmt: skip
    root = tmp_path_factory.mktemp("own")
    transformers.LlamaForCausalLM(config).save_pretrained(root / "llama")
    tokenizer(["[UNK]", *(f"w{number}" for number in range(39))]).save(str(root / "llama" / "tokenizer.json"))
    with serve(catalogue=random_catalogue, cache=tmp_path_factory.mktemp("cache"), models_dir=root) as client:
        can = {one["name"]: one["rewirable"] for one in client.get("/api/v1/models").json()["models"]}
        assert (can["writes"], can["llama"]) == (True, False)
        body = {"model": "llama", "text": "w1 w2", "options": {"what_if": ["unscaled"]}}
        assert problem(client.post(TRACES, json=body), 422, "not-available")["reason"] == "no-what-if"


def test_where_each_word_was_read_is_told_of_the_tokens_as_the_model_has_them(small):
    whole, moved = posted(small), posted(small, "shuffle:5")
    assert whole["places"] is None
    source = moved["source"]
    assert sorted(moved["places"]) == list(range(len(source["ids"])))
    read = [source["texts"][at] for at in np.argsort(moved["places"]) if not source["special"][at]]
    other = posted(small, text=" ".join(read))
    assert [other["source"]["ids"][place] for place in moved["places"]] == source["ids"]
    assert read != BODY["text"].split()
    assert small.get(f"{TRACES}/{moved['id']}?special=hide").json()["places"] is None


@pytest.mark.parametrize(
    ("lang", "said", "title"),
    [("en", "scores not divided by √dₖ", "changed model"), ("ko", "점수를 √dₖ로 나누지 않음", "바꾼 모델")],
)
def test_a_figure_says_that_the_model_was_changed(small, lang, said, title):
    plain = small.get(f"{FIGURE}&lang={lang}").json()
    changed = small.get(f"{FIGURE}&what_if=unscaled&lang={lang}").json()
    assert any(said in line for line in changed["caption"])
    assert not any(said in line for line in plain["caption"])
    assert title in changed["title"]  # which stays where the caption is left out
    assert title not in plain["title"]
    assert changed["facts"]["what_if"] == ["unscaled"]
    assert changed["values"] != plain["values"]


def test_a_difference_goes_from_the_model_as_it_is_to_the_changed_one(small):
    # A cell that is masked has no value in a heatmap, and does not change.
    def drawn(more):
        return np.nan_to_num(np.array(small.get(FIGURE + more).json()["values"], float))

    changed = drawn("&what_if=temperature:4")
    difference = drawn("&what_if=temperature:4&figure=difference")
    np.testing.assert_allclose(difference, changed - drawn(""), atol=1e-5)
