"""Models beyond the matrix: what they are is recognised, and what cannot be shown is refused with a sentence."""

from typing import Any

import families
import pytest
import torch
import transformers

from attention_core.capture import LoadedModel, capture, wrap
from attention_core.errors import NotAvailableError
from attention_core.maps import Kind

SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
GPT = {"vocab_size": families.VOCABULARY, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64}


def opened(name: str, **options: Any) -> LoadedModel:
    model_class = getattr(transformers, name)
    torch.manual_seed(0)
    model = model_class(model_class.config_class(**options)).eval()
    return wrap(model, None if model.main_input_name == "pixel_values" else families.tokenizer())


def test_a_decoder_that_says_so_by_another_name() -> None:
    sizes = {"d_model": 32, "num_layers": 2, "attention_heads": 4, "ffn_dim": 48, "max_position_embeddings": 64}
    trace = capture(opened("XGLMModel", vocab_size=families.VOCABULARY, **sizes), families.text(26))
    assert trace.kinds == (Kind.DECODER_SELF,)
    assert float(trace.maps[0].weights().triu(1).abs().max()) == 0.0


def test_a_model_that_reads_and_sees_reads_a_text() -> None:
    vision = {**SIZES, "image_size": 24, "patch_size": 4}
    loaded = opened("Gemma3Model", text_config=families.FAMILIES["gemma3"].options, vision_config=vision)
    trace = capture(loaded, families.text(26))
    assert (trace.kinds, loaded.back_end) == ((Kind.DECODER_SELF,), "interface")
    assert (loaded.card.layers, loaded.card.heads, loaded.card.max_tokens) == (2, 4, 64)


def test_a_decoder_that_does_not_say_so_is_refused() -> None:
    loaded = opened("OpenAIGPTModel", **GPT)
    for _ in range(2):  # the second example fares no better than the first
        with pytest.raises(NotAvailableError, match="never looks ahead"):
            capture(loaded, families.text(26))


def test_windows_of_a_picture_are_refused() -> None:
    sizes = {"image_size": 32, "patch_size": 4, "embed_dim": 16, "depths": [1, 1], "num_heads": [2, 4]}
    with pytest.raises(NotAvailableError, match="not one weight for each query and key"):
        capture(opened("SwinModel", **sizes, window_size=4), families.example("vit"))


def test_sounds_are_refused() -> None:
    with pytest.raises(NotAvailableError, match="reads input_features"):
        opened("WhisperModel", **families.FAMILIES["bart"].options, num_mel_bins=8)
