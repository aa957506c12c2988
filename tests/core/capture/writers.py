"""Tiny random decoders of several families that continue texts."""

from typing import Any

import families
import torch
import transformers

HEADS = {
    "gpt2": "GPT2LMHeadModel",
    "gpt_neo": "GPTNeoForCausalLM",
    "llama": "LlamaForCausalLM",
    "mistral": "MistralForCausalLM",
    "qwen3": "Qwen3ForCausalLM",
    "gemma2": "Gemma2ForCausalLM",
    "gemma3": "Gemma3ForCausalLM",
    "gpt_oss": "GptOssForCausalLM",
    "bloom": "BloomForCausalLM",
}


def writer(family: str, **changes: Any) -> Any:
    """The family's tiny model with a head that predicts tokens, and no token that ends a text."""
    body = families.build(family, **changes)
    model = getattr(transformers, HEADS[family])(body.config).eval()
    setattr(model, model.base_model_prefix, body)
    torch.manual_seed(3)
    if family == "gpt2":  # ours scores tokens by their own vectors
        model.tie_weights()
    else:
        model.get_output_embeddings().weight.data.normal_()
    model.config.eos_token_id = model.generation_config.eos_token_id = None
    return model
