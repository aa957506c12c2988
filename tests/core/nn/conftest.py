"""Small random BERTs whose attention is as decided as a trained one's."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

MakeBert = Callable[..., Any]

SMALL = {
    "vocab_size": 60,
    "max_position_embeddings": 40,
    "type_vocab_size": 2,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "hidden_size": 24,
    "intermediate_size": 40,
    "hidden_act": "gelu",
    "initializer_range": 0.3,
    "attn_implementation": "eager",
}


@pytest.fixture(scope="session")
def bert() -> MakeBert:
    """Makes a small random BertModel, by transformers, with the largest |score| between 10 and 50."""
    from transformers import BertConfig, BertModel

    def make(seed: int = 0, **sizes: Any) -> BertModel:
        torch.manual_seed(seed)
        model = BertModel(BertConfig(**{**SMALL, **sizes}), add_pooling_layer=False).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                if (
                    parameter.ndim == 1
                ):  # transformers starts biases at 0 and norms at 1, which would hide a swap
                    parameter.add_(0.2 * torch.randn_like(parameter))
            _sharpen(model)
        return model

    return make


def _sharpen(model: Any) -> None:
    """Scales queries and keys until the largest |score| of all layers is between 10 and 50."""
    ids = torch.arange(model.config.max_position_embeddings)[None] % model.config.vocab_size
    for _ in range(30):
        largest = _largest_score(model, ids)
        if 15 < largest < 40:
            return
        for layer in model.encoder.layer:
            for projection in (layer.attention.self.query, layer.attention.self.key):
                for parameter in projection.parameters():
                    parameter.mul_((25 / largest) ** 0.25)
    raise AssertionError(f"the largest score stays at {largest}")


def _largest_score(model: Any, ids: torch.Tensor) -> float:
    heads, dim = (
        model.config.num_attention_heads,
        model.config.hidden_size // model.config.num_attention_heads,
    )
    scores = []
    for layer, x in zip(
        model.encoder.layer, model(ids, output_hidden_states=True).hidden_states, strict=False
    ):
        q, k = (
            projection(x).unflatten(2, (heads, dim)).transpose(1, 2)  # (batch, head, position, dim)
            for projection in (layer.attention.self.query, layer.attention.self.key)
        )
        scores.append(float((q @ k.transpose(2, 3)).abs().max()) / dim**0.5)
    return max(scores)
