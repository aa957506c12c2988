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
    fused_causal_attention,
    masked_softmax,
)
from attention_core.nn.changing import Changes, HeadsOff, ValuesOff
from attention_core.nn.checkpoints import config_of, load_transformer, save_transformer
from attention_core.nn.config import Patches, TransformerConfig
from attention_core.nn.efficient import Window, random_feature_attention, random_features, sliding_window_attention
from attention_core.nn.generation import greedy
from attention_core.nn.transformer import Transformer, TransformerOutput
from attention_core.nn.watching import Cache, Watch

__all__ = [
    "AttentionRecord",
    "Cache",
    "Changes",
    "CrossAttention",
    "HeadsOff",
    "MultiHeadAttention",
    "Patches",
    "SelfAttention",
    "Transformer",
    "TransformerConfig",
    "TransformerOutput",
    "ValuesOff",
    "Watch",
    "Window",
    "attention",
    "attention_scores",
    "causal_mask",
    "config_of",
    "fused_attention",
    "fused_causal_attention",
    "greedy",
    "load_transformer",
    "masked_softmax",
    "random_feature_attention",
    "random_features",
    "save_transformer",
    "sliding_window_attention",
]
