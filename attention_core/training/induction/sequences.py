"""Sequences of random words in which one stretch stands twice, and the tokenizer that reads such words.

A sequence is `<s>`, a few random words, a stretch of random words, the same stretch again, more random words. Apart
from the stretch no word stands twice. How many words come first and how long the stretch is differ from sequence
to sequence, so that the next word is found by looking for what stood before it, and not at a fixed distance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import NFC, Lowercase
from tokenizers.normalizers import Sequence as Normalizers
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing
from torch import Tensor

from attention_core.training.induction.words import ENGLISH, KOREAN

START, UNKNOWN = "<s>", "<unk>"
VOCABULARY = (START, UNKNOWN, *ENGLISH, *KOREAN)
WORDS = 127  # in a training sequence, beside the start

HELD_OUT = tuple(range(5, 41, 4))
"""The periods that training never shows."""

PERIODS = tuple(period for period in range(4, 41) if period not in HELD_OUT)
"""The periods of training: how many words lie between a word and its second occurrence."""

# Which words a sequence is made of, as ranges of ids; one of the three is drawn for each sequence.
_LANGUAGES = ((2, 2 + len(ENGLISH)), (2 + len(ENGLISH), len(VOCABULARY)), (2, len(VOCABULARY)))


@dataclass(frozen=True)
class Sequences:
    """ids (sequence, position) with the start first; the prefix and period of each sequence, in words."""

    ids: Tensor
    prefix: Tensor
    period: Tensor

    def in_second(self) -> Tensor:
        """Booleans (sequence, position): the tokens of the second copy."""
        place = torch.arange(self.ids.shape[1]) - 1 - (self.prefix + self.period)[:, None]
        return (place >= 0) & (place < self.period[:, None])

    def foretold(self) -> Tensor:
        """Booleans (sequence, position): tokens of the second copy after which another one of it stands."""
        second = self.in_second()
        return second & second.roll(-1, dims=1)

    def after_first(self) -> Tensor:
        """Positions (sequence, position): the one after where the same token stood a period ago."""
        return (torch.arange(self.ids.shape[1]) - self.period[:, None] + 1).clamp(min=0)


def draw(count: int, periods: Sequence[int], generator: torch.Generator, words: int = WORDS) -> Sequences:
    """`count` sequences of `words` words after the start; each has one of the periods, its prefix what room is left."""
    period = torch.tensor(periods)[torch.randint(len(periods), (count,), generator=generator)]
    room = words - 2 * period
    assert int(room.min()) >= 0, "the longest period does not fit twice"
    prefix = (torch.rand(count, generator=generator) * (room + 1)).long()
    shuffled = _shuffled(count, generator)  # (sequence, word)
    place = torch.arange(words).expand(count, -1)  # (sequence, word)
    # The second copy takes up the words from a period ago; what comes after goes on with words not used yet.
    taken = torch.where(place < (prefix + period)[:, None], place, place - period[:, None])
    ids = torch.cat([torch.zeros(count, 1, dtype=torch.long), shuffled.gather(1, taken)], dim=1)
    return Sequences(ids, prefix, period)


def _shuffled(count: int, generator: torch.Generator) -> Tensor:
    """Ids (sequence, word) in random order, those of the sequence's language first, none twice."""
    rank = torch.rand(count, len(VOCABULARY), generator=generator)
    bounds = torch.tensor(_LANGUAGES)[torch.randint(len(_LANGUAGES), (count,), generator=generator)]
    ids = torch.arange(len(VOCABULARY))
    foreign = (ids < bounds[:, :1]) | (ids >= bounds[:, 1:])
    return (rank + foreign).argsort(dim=1)


def tokenizer() -> Tokenizer:
    """One token a word, cut at white space, in small letters; the start is put first."""
    made = Tokenizer(WordLevel({word: number for number, word in enumerate(VOCABULARY)}, unk_token=UNKNOWN))
    made.normalizer = Normalizers([NFC(), Lowercase()])
    made.pre_tokenizer = WhitespaceSplit()
    made.add_special_tokens([START, UNKNOWN])
    made.post_processor = TemplateProcessing(
        single=f"{START} $A", pair=f"{START} $A $B", special_tokens=[(START, VOCABULARY.index(START))]
    )
    return made
