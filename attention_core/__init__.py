"""Attention Atlas, the library: attention of real models, exactly. Start with `attention_core.capture`."""
