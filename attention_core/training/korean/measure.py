"""How well a model translates, and how well its cross-attention shows which word came from which.

Alignment by attention is read as in Bahdanau et al. 2015 (section 5.2.1): the source piece with the largest weight
in a target word's row. In a Transformer two rows could be meant (Chen et al. 2020, "Accurate Word Alignment Induction
from Neural Machine Translation"): the one that *writes* the word, and the next one, that *reads* it. Both are
measured. The best head is chosen on one half of the sentences and measured on the other; attention itself is never
supervised.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from torch import Tensor

from attention_core.nn import Transformer, Watch
from attention_core.nn.config import CROSS
from attention_core.nn.generation import greedy
from attention_core.training.korean.sentence import CONTENT, Sentence
from attention_core.training.korean.tokenizer import END, MAX_TOKENS, PAD, token_id

_BATCH = 100


def padded(rows: Sequence[Sequence[int]], pad: int) -> Tensor:
    """Rows of ids as one tensor (batch, position), padded at the end."""
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[pad] * (longest - len(row))] for row in rows])


def _batches(sentences: Sequence[Sentence]) -> Iterator[Sequence[Sentence]]:
    for start in range(0, len(sentences), _BATCH):
        yield sentences[start : start + _BATCH]


def _sources(tokenizer: Tokenizer, sentences: Sequence[Sentence]) -> tuple[Tensor, Tensor]:
    """The Korean ids (batch, position) and their mask."""
    pad = token_id(tokenizer, PAD)
    ids = padded([tokenizer.encode(one.korean).ids for one in sentences], pad)
    return ids, ids.ne(pad).long()


def translations(network: Transformer, tokenizer: Tokenizer, sentences: Sequence[Sentence]) -> list[str]:
    """What the model writes for each sentence, word by word greedily."""
    end, written = token_id(tokenizer, END), []
    for some in _batches(sentences):
        ids, mask = _sources(tokenizer, some)
        for row in greedy(network, ids, limit=MAX_TOKENS, mask=mask).tolist():
            kept = row[: row.index(end)] if end in row else row
            written.append(tokenizer.decode(kept))
    return written


def exactness(network: Transformer, tokenizer: Tokenizer, sentences: Sequence[Sentence]) -> float:
    """The share of sentences that are translated exactly, word for word."""
    written = translations(network, tokenizer, sentences)
    return sum(text == one.english for text, one in zip(written, sentences, strict=True)) / len(sentences)


@torch.inference_mode()
def next_words(network: Transformer, tokenizer: Tokenizer, sentences: Sequence[Sentence]) -> float:
    """The share of English words and ends that come first after the right words before them."""
    right = total = 0
    pad = token_id(tokenizer, PAD)
    for some in _batches(sentences):
        ids, mask = _sources(tokenizer, some)
        target = padded([tokenizer.encode(one.english).ids for one in some], pad)
        read = torch.cat([torch.full((len(some), 1), pad), target[:, :-1]], dim=1)
        said = network.logits(network(ids, read, mask=mask).hidden).argmax(dim=-1)
        right += int((said.eq(target) & target.ne(pad)).sum())
        total += int(target.ne(pad).sum())
    return right / total


@dataclass(frozen=True)
class Hit:
    """Where each cross-attention head looked for one word of one sentence: (layer, head) of booleans.

    `stem`: at the very piece that the word came from; `word`: at a piece of that Korean word, endings included;
    `reading`: at the very piece, in the row that reads the word.
    """

    sentence: int
    text: str
    role: str
    stem: Tensor
    word: Tensor
    reading: Tensor


def hits(network: Transformer, tokenizer: Tokenizer, sentences: Sequence[Sentence]) -> list[Hit]:
    """Every word with a source, of all translations, as the heads looked while the right translation was read."""
    found: list[Hit] = []
    for start in range(0, len(sentences), _BATCH):
        some = sentences[start : start + _BATCH]
        looked = _looked_at(network, tokenizer, some)
        for row, sentence in enumerate(some):
            found.extend(_hits_of(start + row, sentence, looked[row]))
    return found


@torch.inference_mode()
def _looked_at(network: Transformer, tokenizer: Tokenizer, sentences: Sequence[Sentence]) -> Tensor:
    """The piece with the largest weight: (batch, layer, head, query) of positions in the source."""
    pad = token_id(tokenizer, PAD)
    ids, mask = _sources(tokenizer, sentences)
    read = padded([[pad, *tokenizer.encode(one.english).ids] for one in sentences], pad)
    watch = Watch()
    network(ids, read, mask=mask, watch=watch)
    return torch.stack([record.weights().argmax(dim=-1) for record in watch.records[CROSS]], dim=1)


def _hits_of(number: int, sentence: Sentence, looked: Tensor) -> Iterator[Hit]:
    """The hits of one sentence; looked (layer, head, query)."""
    words = torch.tensor([*(one.word for one in sentence.morphemes), -1])
    for row, word in enumerate(sentence.words):
        if not word.sources:
            continue
        # A content word has one stem; any of a function word's pieces will do.
        accepted = torch.tensor(word.sources[:1] if word.content else word.sources)
        writing, reading = (looked[..., at].clamp(max=len(words) - 1) for at in (row, row + 1))  # (layer, head)
        yield Hit(
            number,
            word.text,
            word.role,
            torch.isin(writing, accepted),
            torch.isin(words[writing], words[accepted]),
            torch.isin(reading, accepted),
        )


def _shares(found: Sequence[Hit], measure: str) -> Tensor:
    """The share of hits (layer, head)."""
    return torch.stack([getattr(hit, measure) for hit in found]).float().mean(dim=0)


def _best(shares: Tensor) -> tuple[int, int]:
    layer, head = divmod(int(shares.argmax()), shares.shape[-1])
    return layer, head


FUNCTION_WORDS = ("because", "not", "to", "did", "will", "with", "the", "was")


@dataclass(frozen=True)
class Alignment:
    """How the best head does, by measure (0 to 1), and which head that is: layer and head, from 0."""

    head: tuple[int, int]
    scores: dict[str, float]


def alignment(network: Transformer, tokenizer: Tokenizer, sentences: Sequence[Sentence]) -> Alignment:
    """The best head on the first half of the sentences, and its scores on the second.

    "alignment": content words on their stem; "alignment-word": a particle or ending of the same word counts too;
    "alignment-reading": the best head in rows that read the word; then pronouns and some function words, each by the
    same head as content words.
    """
    found = hits(network, tokenizer, sentences)
    content = [hit for hit in found if hit.role in CONTENT]
    half = len(sentences) // 2
    first, second = ([hit for hit in content if (hit.sentence < half) is wanted] for wanted in (True, False))
    layer, head = _best(_shares(first, "stem"))
    reader = _best(_shares(first, "reading"))
    scores = {
        "alignment": _shares(second, "stem")[layer, head].item(),
        "alignment-word": _shares(second, "word")[layer, head].item(),
        "alignment-reading": _shares(second, "reading")[reader].item(),
    }
    others = [hit for hit in found if hit.sentence >= half and hit.role not in CONTENT]
    groups = {"pronouns": [hit for hit in others if hit.role == "pronoun"]}
    groups |= {text: [hit for hit in others if hit.text == text] for text in FUNCTION_WORDS}
    for name, some in groups.items():
        if some:
            scores[f"alignment of {name}"] = _shares(some, "stem")[layer, head].item()
    return Alignment((layer, head), scores)
