"""Traces whose every weight is written by hand."""

import torch

from attention_core.maps import DenseMap, Kind
from attention_core.masks import CausalMask, Mask
from attention_core.models.card import ModelCard
from attention_core.tokens import Tokens
from attention_core.trace import AttentionTrace, Provenance

CARD = ModelCard("m", "M", "M", "bert", (), (), 1, 1, None, "exact", "", "")


def tokens_of(text: str) -> Tokens:
    """A token a word; one in square brackets is special."""
    words = text.split(" ")
    special = tuple(word.startswith("[") for word in words)
    spans, at = [], 0
    for word, marks in zip(words, special, strict=True):
        spans.append(None if marks else (at, at + len(word)))
        at += len(word) + 1
    numbers = tuple(None if marks else number for number, marks in enumerate(special))
    count = len(words)
    return Tokens(text, tuple(range(count)), *(tuple(words),) * 2, tuple(spans), special, numbers, ("A",) * count)


def trace_of(text: str, *layers: torch.Tensor, causal: bool = False, target: str | None = None) -> AttentionTrace:
    """A trace of the layers' weights (head, query, key); with a target they are cross-attention from it."""
    kind = Kind.CROSS if target else Kind.DECODER_SELF if causal else Kind.ENCODER_SELF
    mask = CausalMask() if causal else Mask()
    maps = tuple(DenseMap(kind=kind, layer=n, given=given, mask=mask) for n, given in enumerate(layers))
    written = None if target is None else tokens_of(target)
    read = None if written is None else written.shifted(0, "[s]")
    provenance = Provenance("eager", "float32", "cpu", 0.0, 0.0, 1.0)
    return AttentionTrace(CARD, tokens_of(text), written, maps, provenance, decoder_input=read)


def rows(*given: str) -> torch.Tensor:
    """Weights (query, key) of rows in twentieths: "10 5 5" is 0.5, 0.25, 0.25."""
    return torch.tensor([[int(number) / 20 for number in row.split()] for row in given])
