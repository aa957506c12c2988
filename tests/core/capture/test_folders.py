"""Models read from a folder, by the class that saved them: every weight and what they say equal transformers' own."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from own_folders import MODELS, TEXT, no_network, save, tokenizer

from attention_core.capture import Example, capture
from attention_core.models.directory import scan
from attention_core.models.loading import LoadedModel, load_model
from attention_core.trace import AttentionTrace

FIELDS = {"encoder-self": "encoder_attentions", "decoder-self": "decoder_attentions", "cross": "cross_attentions"}
SAID = {
    "my-gpt2": ("in-house", "next-token"),
    "My.Llama_2": ("interface", "next-token"),
    "bert": ("in-house", "masked-token"),
    "distil": ("interface", "masked-token"),
    "t5": ("interface", "translation"),
    "bart": ("interface", "translation"),
    "marian": ("in-house", "translation"),
    "vit": ("in-house", "classes"),
    "dinov2": ("interface", "classes"),
}


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("folders")
    for name in MODELS:
        save(folder, name)
    return folder


def opened(root: Path, name: str) -> LoadedModel:
    entry = next(entry for entry in scan(root, []).entries if entry.card.name == name)
    return load_model(entry.card, root / name)


def theirs(root: Path, name: str, inputs: dict[str, Any]) -> Any:
    """The model's own output, from its own readable attention."""
    made = getattr(transformers, MODELS[name][1])
    model = made.from_pretrained(root / name, attn_implementation="eager").eval()
    with torch.inference_mode():
        return model(**inputs, output_attentions=True, return_dict=True)


def assert_equal(trace: AttentionTrace, output: Any) -> None:
    for kind in trace.kinds:
        own = getattr(output, FIELDS[kind], None) or output.attentions
        assert len(own) == len(trace.maps_of(kind)) == 2
        for one, weights in zip(trace.maps_of(kind), own, strict=True):
            assert (one.weights() - weights[0]).abs().max() < 2e-5


def example(name: str) -> Example:
    if MODELS[name][0] == "vit":
        generator = torch.Generator().manual_seed(3)
        return Example(image=torch.randint(0, 256, (24, 24, 3), generator=generator, dtype=torch.uint8))
    gap = " [MASK] w2" if SAID[name][1] == "masked-token" else ""
    return Example(TEXT + gap, target="w7 w8 w20 </s>" if SAID[name][1] == "translation" else None)


@pytest.mark.parametrize("name", SAID)
def test_weights_and_predictions_are_the_model_s_own(root, name, monkeypatch):
    with no_network(monkeypatch):
        model = opened(root, name)
        trace = capture(model, example(name))
    inputs = dict(model.encode(example(name)).inputs)
    output = theirs(root, name, inputs)
    assert (trace.provenance.back_end, trace.predictions.task) == SAID[name]
    assert_equal(trace, output)
    ids = {tokenizer().id_to_token(number): number for number in range(60)}
    labels = {label: number for number, label in (getattr(model.network.config, "id2label", None) or {}).items()}
    logits = output.logits[0] if output.logits.ndim == 3 else output.logits
    for one in trace.predictions.at:
        row = logits[one.position if one.position is not None else 0]
        known = ids if output.logits.ndim == 3 else labels or {"cat": 0, "dog": 1, "owl": 2}
        best = one.candidates[0]
        assert known[best.text] == int(row.argmax())
        assert best.probability == pytest.approx(float(row.softmax(-1).max()), abs=1e-5)


@pytest.mark.parametrize("name", ["t5", "bart", "marian"])
def test_a_model_of_two_stacks_writes_what_its_own_library_writes(root, name, monkeypatch):
    monkeypatch.setattr("attention_core.capture.switching.MOST_WRITTEN", 12)
    model = opened(root, name)
    made = getattr(transformers, MODELS[name][1]).from_pretrained(root / name).eval()
    ids = model.encode(Example(TEXT)).inputs["input_ids"]
    wanted = made.generate(ids, do_sample=False, num_beams=1, max_new_tokens=12)[0].tolist()[1:]
    assert list(capture(model, Example(TEXT)).target.ids) == wanted
    assert len(wanted) >= 2


def test_how_somebody_wanted_it_to_write_changes_nothing(root, tmp_path, monkeypatch):
    monkeypatch.setattr("attention_core.capture.switching.MOST_WRITTEN", 12)
    folder = Path(shutil.copytree(root / "t5", tmp_path / "t5"))
    plain = capture(opened(root, "t5"), Example(TEXT)).target.ids
    told = {"num_return_sequences": 3, "num_beams": 4, "repetition_penalty": 9.0, "max_length": 3, "do_sample": True}
    told |= {"prompt_lookup_num_tokens": 3, "eos_token_id": 1, "pad_token_id": 0, "decoder_start_token_id": 0}
    (folder / "generation_config.json").write_text(json.dumps(told))
    assert capture(opened(tmp_path, "t5"), Example(TEXT)).target.ids == plain
    assert len(plain) > 3


def test_a_model_in_memory_needs_no_folder(root):
    made = transformers.DistilBertForMaskedLM.from_pretrained(root / "distil", attn_implementation="eager")
    trace = capture(made, TEXT + " [MASK]", tokenizer=tokenizer())
    assert trace.predictions.task == "masked-token"
    assert_equal(trace, theirs(root, "distil", {"input_ids": torch.tensor([trace.source.ids])}))


def test_in_half_precision_it_says_so(root):
    entry = next(entry for entry in scan(root, []).entries if entry.card.name == "My.Llama_2")
    trace = capture(load_model(entry.card, root / "My.Llama_2", dtype=torch.bfloat16), TEXT)
    assert trace.provenance.dtype == "bfloat16"


def test_what_our_own_transformer_lacks_runs_on_theirs(tmp_path):
    made = transformers.GPT2Config(
        vocab_size=60, n_embd=32, n_layer=2, n_head=4, n_positions=64, bos_token_id=1, eos_token_id=1,
        scale_attn_by_inverse_layer_idx=True,
    )  # fmt: skip
    torch.manual_seed(1)
    transformers.GPT2LMHeadModel(made).save_pretrained(tmp_path / "odd")
    tokenizer().save(str(tmp_path / "odd/tokenizer.json"))
    model = load_model(scan(tmp_path, []).entries[0].card, tmp_path / "odd")
    trace = capture(model, TEXT)
    assert (trace.provenance.back_end, trace.predictions.task) == ("interface", "next-token")
