"""Attention written by us, and the transformer that is built from it.

output, weights = SelfAttention(512)(torch.randn(2, 10, 512), mask=causal_mask(10))
"""

from attention_core.masks import causal_mask
from attention_core.nn.attention import (
    AttentionRecord,
    CrossAttention,
    MultiHeadAttention,
    SelfAttention,
    attention,
    attention_scores,
    fused_attention,
    masked_softmax,
)
from attention_core.nn.checkpoints import config_of, load_encoder
from attention_core.nn.transformer import Transformer, TransformerConfig, TransformerOutput

__all__ = [
    "AttentionRecord",
    "CrossAttention",
    "MultiHeadAttention",
    "SelfAttention",
    "Transformer",
    "TransformerConfig",
    "TransformerOutput",
    "attention",
    "attention_scores",
    "causal_mask",
    "config_of",
    "fused_attention",
    "load_encoder",
    "masked_softmax",
]
