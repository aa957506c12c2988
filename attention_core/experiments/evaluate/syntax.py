"""Which head looks from a word at the word that it depends on, or back: for every relation of a treebank.

Word level by Clark et al. 2019, section 4.1: attention to a word is the sum over its tokens, attention from a word the
mean over its tokens, special tokens are left out. A head is right on a pair when its largest weight is there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attention_core.experiments.evaluate.conllu import Sentence
from attention_core.experiments.evaluate.places import Positions

DIRECTIONS = ("dependent-to-head", "head-to-dependent")
LEFT_OUT = frozenset({"punct", "root"})  # a mark is tied to nothing in meaning, and a root to no word
ALL = "all"  # every relation but those

Targets = NDArray[Any]


@dataclass(frozen=True)
class Pairs:
    """Where a relation stands: the sentence's number, the word that looks and the word that it should look at."""

    relation: str
    direction: str
    sentence: Targets
    looking: Targets
    wanted: Targets

    def __len__(self) -> int:
        return len(self.sentence)


def targets(weights: Tensor, words: Sequence[Positions]) -> Targets:
    """The word that each word gives most to (layer, head, word), from weights (layer, head, token, token).

    -1 for a word without tokens, which is never looked at either; of equal words the first.
    """
    kept = [number for number, positions in enumerate(words) if positions]
    sums = torch.zeros(weights.shape[-1], len(kept), device=weights.device)  # (token, word)
    for column, number in enumerate(kept):
        sums[list(words[number]), column] = 1.0
    means = (sums / sums.sum(0)).T  # (word, token)
    best = (means @ (weights @ sums)).argmax(-1).cpu().numpy()  # (layer, head, word)
    found = np.full((*weights.shape[:2], len(words)), -1, dtype=np.int16)
    found[..., kept] = np.array(kept, dtype=np.int16)[best]
    return found


def relations(sentences: Sequence[Sentence], owned: Sequence[Sequence[Positions]]) -> list[Pairs]:
    """Every relation in both directions, the most frequent first; before them all relations together.

    Pairs of which a word has no tokens are left out.
    """
    found: dict[str, list[tuple[int, int, int]]] = {ALL: []}
    for number, (sentence, words) in enumerate(zip(sentences, owned, strict=True)):
        for dependent, (head, deprel) in enumerate(zip(sentence.heads, sentence.deprels, strict=True)):
            if head is None or deprel in LEFT_OUT or not words[dependent] or not words[head]:
                continue
            for name in (ALL, deprel):
                found.setdefault(name, []).append((number, dependent, head))
    named = sorted(found, key=lambda name: (name != ALL, -len(found[name]), name))
    return [_pairs(name, direction, found[name]) for name in named if found[name] for direction in DIRECTIONS]


def _pairs(relation: str, direction: str, found: list[tuple[int, int, int]]) -> Pairs:
    table = np.array(found)
    looking, wanted = (1, 2) if direction == DIRECTIONS[0] else (2, 1)
    return Pairs(relation, direction, table[:, 0], table[:, looking], table[:, wanted])


def joined(found: Sequence[Targets]) -> tuple[Targets, Targets]:
    """The targets (layer, head, word) of all sentences in a row (head, word), and where each sentence begins."""
    flat = np.concatenate([one.reshape(-1, one.shape[-1]) for one in found], axis=1)
    return flat, np.cumsum([0, *(one.shape[-1] for one in found)])


def correct(pairs: Pairs, flat: Targets, starts: Targets) -> Targets:
    """Which heads are right on each pair (pair, head), from what `joined` gave."""
    return np.asarray(flat[:, starts[pairs.sentence] + pairs.looking] == pairs.wanted).T


def best_offset(pairs: Pairs, chosen: Targets) -> tuple[int, float]:
    """The offset that most of the chosen pairs have, and its share of the other pairs; neither is empty."""
    offsets = pairs.wanted - pairs.looking
    values, counts = np.unique(offsets[chosen], return_counts=True)
    offset = int(values[counts.argmax()])
    return offset, float((offsets[~chosen] == offset).mean())
