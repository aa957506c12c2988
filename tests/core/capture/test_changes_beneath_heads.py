"""Passes with changes through models of transformers that have a head: what it says, and where it is left out."""

import families
import pytest
import torch
import transformers

from attention_core.capture import ready, wrap
from attention_core.capture.variants import say
from attention_core.nn import HeadsOff

HEAD = 2  # of 4, each of 8 numbers


@torch.inference_mode()
@pytest.mark.parametrize(
    ("family", "name"), [("t5", "T5ForConditionalGeneration"), ("bart", "BartForConditionalGeneration")]
)
def test_a_translator_of_transformers_says_what_it_says_without_the_columns_of_the_head(family: str, name: str) -> None:
    """T5 holds its stacks itself, BART has a base model that does."""
    torch.manual_seed(4)
    network = getattr(transformers, name)(families.build(family).config).eval()
    places = {"t5": "decoder.block.1.layer.1.EncDecAttention.o", "bart": "model.decoder.layers.1.encoder_attn.out_proj"}
    weight = network.get_submodule(places[family]).weight.data.mul_(10)
    model = ready(wrap(network, families.tokenizer()))
    encoded = model.encode(families.example(family))
    said = say(model, encoded, 2, changes=HeadsOff([[], [("cross", 1, HEAD)]]))
    network.set_attn_implementation("eager")
    for row in range(2):
        own = network(**encoded.inputs, use_cache=False, output_hidden_states=True)
        assert said.logits is not None
        torch.testing.assert_close(said.logits(slice(0, 3))[row], own.logits[0, :3], atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(said.hidden[row], own.decoder_hidden_states[-1][0], atol=1e-4, rtol=1e-4)
        weight[:, 8 * HEAD : 8 * HEAD + 8] = 0
    assert not torch.allclose(said.hidden[0], said.hidden[1], atol=1e-3)


@torch.inference_mode()
@pytest.mark.parametrize(
    ("family", "name"), [("gpt2", "GPT2ForSequenceClassification"), ("bert", "BertForTokenClassification")]
)
def test_a_head_that_is_not_watched_is_left_out(family: str, name: str) -> None:
    """GPT-2's classifier refuses a batch without padding, and what it says has no place here."""
    network = getattr(transformers, name)(families.build(family).config).eval()
    model = ready(wrap(network, families.tokenizer()))
    encoded = model.encode(families.example(family))
    said = say(model, encoded, 2)
    assert said.logits is None
    expected = network.base_model(**encoded.inputs).last_hidden_state
    torch.testing.assert_close(said.hidden, expected.expand(2, -1, -1), atol=1e-5, rtol=1e-5)
