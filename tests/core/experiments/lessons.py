"""Random transformers of ours that read the planted model's words, whose attention is as decided as a trained one's."""

import torch
from planted_model import planted

from attention_core.capture import LoadedModel, ready
from attention_core.nn import Transformer, TransformerConfig


def lesson(**options: object) -> LoadedModel:
    """A model of three heads and twelve words: of decoder_layers, or of encoder_layers with [CLS] and [SEP]."""
    torch.manual_seed(5)
    sizes = {"embed_dim": 12, "heads": 3, "inner_dim": 20, "max_tokens": 16, "vocabulary": 12, "output": "tokens"}
    model = planted(decoder=bool(options.get("decoder_layers")))
    model.network = Transformer(TransformerConfig(**{**sizes, **options})).eval()
    with torch.no_grad():
        for parameter in model.network.parameters():
            if parameter.ndim == 2:
                parameter.mul_(3)
            else:
                parameter.normal_()
    return ready(model)
