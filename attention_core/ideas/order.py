"""What a transformer knows of the order of its words: nothing but what its positions tell it.

Attention is a sum over a set. Without positions the weights of shuffled words are the shuffled weights, in every layer;
with positions they are others (Vaswani et al. 2017, section 3.5).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from attention_core.errors import InputError, UnknownNameError
from attention_core.ideas.reading import attentions, encoder, numbers_of
from attention_core.nn.config import POSITIONS
from attention_core.nn.transformer import Transformer
from attention_core.threads import this_thread_on_one_core


@dataclass(frozen=True, eq=False)
class Order:
    """A sentence and the same words in another order, read by one random encoder.

    shuffled[i] is words[permutation[i]]. weights and back: (layer, head, query, key) of the sentence, and of the
    shuffled words put back into the sentence's order; difference: the largest one between the two.
    """

    positions: str
    seed: int
    words: tuple[str, ...]
    permutation: tuple[int, ...]
    weights: Tensor
    back: Tensor
    difference: float

    @property
    def shuffled(self) -> tuple[str, ...]:
        """The words in the order in which they were read the second time."""
        return tuple(self.words[place] for place in self.permutation)


@this_thread_on_one_core()
def order(positions: str, words: tuple[str, ...], seed: int = 0) -> Order:
    """What shuffling does to every weight, with one of the kinds of positions: none, sinusoidal, learned, rotary.

    The seed draws the encoder and the permutation. An UnknownNameError for another kind, an InputError for words that
    are all the same, of which there is only one order.
    """
    if positions not in POSITIONS:
        raise UnknownNameError("positions", positions, POSITIONS)
    ids = numbers_of(words)
    permutation = _another_order(ids, seed)
    network = encoder(positions, seed)
    weights = _weights(network, ids)  # (layer, head, query, key)
    places = permutation.argsort()
    back = _weights(network, ids[permutation])[..., places, :][..., places]  # (layer, head, query, key)
    difference = float((weights - back).abs().max())
    return Order(positions, seed, words, tuple(permutation.tolist()), weights, back, difference)


def _another_order(ids: Tensor, seed: int) -> Tensor:
    """A permutation (position) that a reader of these ids could notice."""
    if int(ids.max()) == 0:
        raise InputError("all words are the same, and in any order they read alike; accepted: at least two words")
    random = torch.Generator().manual_seed(seed)
    while True:
        permutation = torch.randperm(len(ids), generator=random)
        if not torch.equal(ids[permutation], ids):
            return permutation


def _weights(network: Transformer, ids: Tensor) -> Tensor:
    return torch.cat([record.weights() for record in attentions(network, ids)])  # (layer, head, query, key)
