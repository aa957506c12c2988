"""Tiny random decoders of several families that continue texts."""

from dataclasses import replace
from typing import Any

import families
import torch
import transformers

from attention_core.capture import Example, LoadedModel, capture, write
from attention_core.capture.selfcheck import tolerance
from attention_core.trace import AttentionTrace

EDGE = 50.0  # the largest |score| of the tiny models, where a family gives none

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


def rows_agree(loaded: LoadedModel, example: Example, most: int) -> AttentionTrace:
    """Every step's rows are the final trace's, in every head; nothing is given to keys that are not there."""
    steps = list(write(loaded, example, most=most))
    trace = capture(loaded, replace(example, written=(*example.written, *(step.id for step in steps))))
    for step in steps:
        at = len(trace.source) - len(steps) - 1 + step.index
        assert step.rows.shape == (len(trace.maps), trace.maps[0].head_count, at + 1)
        assert step.rows.dtype == torch.float32
        for one in trace.maps:
            largest = float(one.scores(None, slice(at, at + 1)).abs().max()) if one.has_scores else EDGE
            row = one.weights(None, slice(at, at + 1))[:, 0, : at + 1]
            worst = float((step.rows[one.layer] - row).abs().max())
            assert worst <= tolerance(torch.float32, largest), (one.layer, step.index)
    return trace
