"""Attention that computes fewer scores, beside the formula on the same words: a sliding window with global tokens, and
random features. `nn.efficient` has both."""

from dataclasses import dataclass

from torch import Tensor

from attention_core.errors import InputError
from attention_core.ideas.reading import HEADS, WIDTH, attentions, encoder, numbers_of
from attention_core.nn.attention import attention_scores, masked_softmax
from attention_core.nn.efficient import Window, random_feature_weights, random_features, sliding_window_weights
from attention_core.threads import this_thread_on_one_core

MOST_FEATURES = 4096
LEAST_SHARP, MOST_SHARP = 0.05, 1.0


@dataclass(frozen=True, eq=False)
class Kind:
    """The weights (head, query, key) of one way, and the largest difference of one from the formula's."""

    weights: Tensor
    difference: float


@dataclass(frozen=True, eq=False)
class Sparing:
    """The same queries and keys, of the first layer of a random encoder, looked at in three ways; `exact` is the
    formula's (head, query, key)."""

    words: tuple[str, ...]
    seed: int
    window: Window
    features: int
    sharpness: float
    exact: Tensor
    near: Kind
    estimated: Kind


@this_thread_on_one_core()
def sparing(
    words: tuple[str, ...], window: Window, features: int = 64, seed: int = 0, *, sharpness: float = 0.25
) -> Sparing:
    """The weights of these words by the formula, within a window, and estimated with so many random features.

    All scores are multiplied by `sharpness` (0.05 to 1): the sharper attention is, the more features an estimate takes.
    An InputError for what is out of bounds, more than 4,096 features, or a global token that no word has.
    """
    if not 1 <= features <= MOST_FEATURES:
        raise InputError(f"features is {features}; accepted: 1 to {MOST_FEATURES}")
    if not LEAST_SHARP <= sharpness <= MOST_SHARP:
        raise InputError(f"sharpness is {sharpness}; accepted: {LEAST_SHARP} to {MOST_SHARP:.0f}")
    record = attentions(encoder("sinusoidal", seed), numbers_of(words))[0]
    query, key = record.query[0], record.key[0]  # (head, position, dim)
    scale = record.scale * sharpness
    exact = masked_softmax(attention_scores(query, key, scale=scale))  # (head, query, key)
    near = sliding_window_weights(query, key, window, scale=scale)
    directions = random_features(WIDTH // HEADS, features, seed)
    estimated = random_feature_weights(query, key, directions, scale=scale)
    kinds = [Kind(weights, float((weights - exact).abs().max())) for weights in (near, estimated)]
    return Sparing(words, seed, window, features, sharpness, exact, *kinds)
