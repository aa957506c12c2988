"""The real MiniLM: transformers' numbers, and the two heads that every lesson starts with."""

import pytest
import torch
from tokenizers import Tokenizer

from attention_core.nn import Watch, attention_scores, load_transformer

pytestmark = pytest.mark.model

SENTENCE = "The cat sat on the mat because it was tired"


@pytest.fixture(scope="module")
def ours(minilm_folder):
    return load_transformer(minilm_folder)


@pytest.fixture(scope="module")
def theirs(minilm_folder):
    from transformers import BertModel

    return BertModel.from_pretrained(minilm_folder, attn_implementation="eager", local_files_only=True).eval()


@pytest.fixture(scope="module")
def tokenizer(minilm_folder):
    tokenizer = Tokenizer.from_file(str(minilm_folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


@pytest.mark.parametrize(("layer", "head", "weight"), [(3, 1, 0.487), (5, 11, 0.683)])
@torch.inference_mode()
def test_it_looks_at_the_cat(ours, tokenizer, layer, head, weight):
    encoding = tokenizer.encode(SENTENCE)
    it, cat = encoding.tokens.index("it"), encoding.tokens.index("cat")
    watch = Watch()
    ours(torch.tensor([encoding.ids]), watch=watch)
    record = watch.records["encoder-self"][layer]
    assert float(record.weights()[0, head, it, cat]) == pytest.approx(weight, abs=0.001)


@pytest.mark.parametrize("count", [12, 512])
@torch.inference_mode()
def test_hidden_states_and_all_weights_are_transformers(ours, theirs, tokenizer, count):
    words = tokenizer.encode(" ".join([SENTENCE] * 60), add_special_tokens=False).ids
    ids = torch.tensor([[101, *words[: count - 2], 102]])
    assert ids.shape == (1, count)
    expected = theirs(ids, output_attentions=True)
    watch = Watch()
    seen = ours(ids, watch=watch)
    for record, weights in zip(watch.records["encoder-self"], expected.attentions, strict=True):
        largest = float(attention_scores(record.query, record.key, scale=record.scale).abs().max())
        assert (record.weights() - weights).abs().max() <= 1e-5 + 1e-6 * largest
    torch.testing.assert_close(seen.hidden, expected.last_hidden_state, atol=1e-4, rtol=1e-4)
