"""A small encoder with random weights that reads a few words: enough to see what a mechanism does."""

import torch
from torch import Tensor, nn

from attention_core.errors import InputError, TextError
from attention_core.ideas.drawing import drawn
from attention_core.nn.attention import AttentionRecord
from attention_core.nn.blocks import Embedding
from attention_core.nn.config import ENCODER_SELF, TransformerConfig
from attention_core.nn.transformer import Transformer
from attention_core.nn.watching import Watch

LEAST_WORDS, MOST_WORDS = 2, 32
MOST_CHARACTERS = 40  # of a word
WIDTH = 32
HEADS = 2
LAYERS = 2


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text, at its spaces; a TextError for fewer than 2, an InputError for more than are taken."""
    words = tuple(text.split())
    if len(words) < LEAST_WORDS:
        said = f"the text has {len(words)} words; accepted: {LEAST_WORDS} to {MOST_WORDS}, spaces between"
        raise TextError(said, reason="few-words", least=LEAST_WORDS)
    if len(words) > MOST_WORDS:
        said = f"the text has {len(words)} words; accepted: {LEAST_WORDS} to {MOST_WORDS}"
        raise InputError(said, reason="many-words", count=len(words), most=MOST_WORDS)
    long = next((word for word in words if len(word) > MOST_CHARACTERS), None)
    if long is not None:
        said = f"the word {long[:MOST_CHARACTERS]!r}… is longer than {MOST_CHARACTERS} characters"
        raise InputError(said, reason="long-word", most=MOST_CHARACTERS)
    return words


def numbers_of(words: tuple[str, ...]) -> Tensor:
    """The words as ids (position): the same word has the same number, counted as they first come."""
    known = {word: number for number, word in enumerate(dict.fromkeys(words))}
    return torch.tensor([known[word] for word in words])


def encoder(positions: str, seed: int) -> Transformer:
    """A random encoder of words with this kind of positions; its first hidden states have numbers of size 1."""
    network = Transformer(
        TransformerConfig(
            embed_dim=WIDTH,
            heads=HEADS,
            inner_dim=2 * WIDTH,
            encoder_layers=LAYERS,
            vocabulary=MOST_WORDS,
            max_tokens=MOST_WORDS,
            positions=positions,
            embedding_scale=WIDTH**0.5,
        )
    )
    drawn(network.eval(), seed)
    if positions == "learned":
        # Untrained, a table of positions says hardly anything; a trained one is about as large as what the words say.
        assert isinstance(network.embedding, Embedding)
        nn.init.normal_(network.embedding.positions.weight, generator=torch.Generator().manual_seed(seed + 1))
    return network


@torch.inference_mode()
def attentions(network: Transformer, ids: Tensor) -> list[AttentionRecord]:
    """What the attention of each layer computed on ids (position)."""
    watch = Watch()
    network.encode(ids[None], watch=watch)
    return watch.records[ENCODER_SELF]
