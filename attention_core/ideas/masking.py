"""What the causal mask is for: the same decoder trained with it and without it.

Without the mask the word that is to be foretold stands before the decoder's eyes: its loss falls to nothing, on
sentences it never saw as well, and what it has learned is to copy. When it writes, there is nothing to copy yet.
"""

from collections.abc import Generator
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from attention_core.errors import InputError
from attention_core.experiments.running import Progress
from attention_core.ideas.drawing import drawn
from attention_core.ideas.sentences import BEGINNINGS, END, START, least_loss, sentences
from attention_core.nn.config import DECODER_SELF, TransformerConfig
from attention_core.nn.rewiring import Rewired
from attention_core.nn.transformer import Transformer
from attention_core.nn.watching import Watch
from attention_core.threads import this_thread_on_one_core

STEPS = (10, 1000)
WIDTH = 48
BATCH = 48
RATE = 3e-3
HELD_OUT = 0.2  # of all sentences, never trained on
NEWS = 10  # steps between two measures
MOST_WORDS = 14  # that are written


@dataclass(frozen=True)
class Written:
    """A beginning that the decoder was given, and the words it went on with, each the most probable one."""

    beginning: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Trained:
    """One decoder: its losses a word in nats at each of `steps`, on sentences it learns from and on others.

    Of the finished one `alone` is the loss on the others when it sees only what stands before each word, as it does
    while it writes, and `written` what it writes; None and empty before.
    """

    steps: tuple[int, ...]
    train: tuple[float, ...]
    test: tuple[float, ...]
    alone: float | None
    written: tuple[Written, ...]


@dataclass(frozen=True)
class Masking:
    """Both decoders, from the same weights and on the same batches; `least` is the loss of a reader who knows all there
    is to know, `guessing` of one who holds all words equally likely."""

    language: str
    seed: int
    trained_on: int
    tested_on: int
    least: float
    guessing: float
    masked: Trained
    unmasked: Trained


@dataclass(frozen=True)
class MaskingProgress(Progress):
    """Steps, and what was measured so far."""

    so_far: Masking


def masking(language: str = "en", steps: int = 150, seed: int = 0) -> Generator[MaskingProgress, None, Masking]:
    """Trains both decoders for so many steps (10 to 1,000) on four fifths of the sentences in English or Korean.

    The seed draws the weights, which sentences are held out, and the batches. An InputError for steps out of bounds, an
    UnknownNameError for another language.
    """
    if not STEPS[0] <= steps <= STEPS[1]:
        raise InputError(f"steps is {steps}; accepted: {STEPS[0]} to {STEPS[1]}")
    texts = Texts(language, seed)
    learners = [_Learner(texts, seed, masked=masked) for masked in (True, False)]

    def found() -> Masking:
        counts = len(texts.train), len(texts.test)
        losses = least_loss(language), float(torch.tensor(len(texts.words)).log())
        return Masking(language, seed, *counts, *losses, *(learner.trained for learner in learners))

    for step in range(0, steps, NEWS):
        until = min(step + NEWS, steps)
        with this_thread_on_one_core():
            for learner in learners:
                if step == 0:
                    learner.measure(0)
                learner.learn(until - step)
                learner.measure(until)
        yield MaskingProgress(until, steps, found())
    with this_thread_on_one_core():
        for learner in learners:
            learner.finish(BEGINNINGS[language])
    return found()


class Texts:
    """The sentences as ids (sentence, position): those to learn from, and those held out."""

    def __init__(self, language: str, seed: int) -> None:
        every = sentences(language)
        self.words = tuple(dict.fromkeys(word for sentence in every for word in sentence))
        ids = torch.tensor([self.ids_of(sentence) for sentence in every])  # (sentence, position)
        order = torch.randperm(len(ids), generator=torch.Generator().manual_seed(seed))
        held_out = round(HELD_OUT * len(ids))
        self.test, self.train = ids[order[:held_out]], ids[order[held_out:]]

    def ids_of(self, words: tuple[str, ...]) -> list[int]:
        """The words' numbers."""
        return [self.words.index(word) for word in words]


class Decoder:
    """A small decoder with or without its causal mask: the same weights either way."""

    def __init__(self, words: int, seed: int, *, masked: bool) -> None:
        config = TransformerConfig(
            vocabulary=words,
            embed_dim=WIDTH,
            heads=4,
            inner_dim=2 * WIDTH,
            decoder_layers=2,
            max_tokens=2 * MOST_WORDS,
            positions="sinusoidal",
            norm="pre",
            final_norm=True,
            embedding_scale=WIDTH**0.5,
            output="tokens",
        )
        self.network = drawn(Transformer(config), seed)
        self._changes = Rewired() if masked else Rewired(masks={DECODER_SELF: False})

    def scores(self, ids: Tensor) -> Tensor:
        """The scores of the next word (batch, position, word) after each of ids (batch, position)."""
        watch = Watch(self._changes, keeps=False)
        return self.network.logits(self.network.decode(ids, watch=watch).hidden)

    def loss(self, ids: Tensor) -> Tensor:
        """The mean loss a word, in nats, where the decoder is given the whole sentences (batch, position)."""
        return _loss(self.scores(ids[:, :-1]), ids[:, 1:])

    def loss_alone(self, ids: Tensor) -> Tensor:
        """The same where it is given only what stands before each word, which is all that a masked one sees anyway."""
        last = [self.scores(ids[:, :count])[:, -1] for count in range(1, ids.shape[1])]
        return _loss(torch.stack(last, dim=1), ids[:, 1:])

    def write(self, ids: list[int], end: int) -> list[int]:
        """The words that it goes on with, each the most probable one, until the end or for 14 words."""
        written = list[int]()
        while len(written) < MOST_WORDS and (not written or written[-1] != end):
            written.append(int(self.scores(torch.tensor([ids + written]))[0, -1].argmax()))
        return written


def _loss(scores: Tensor, ids: Tensor) -> Tensor:
    return F.cross_entropy(scores.flatten(0, 1), ids.flatten())


class _Learner:
    """A decoder, its optimiser and its batches."""

    def __init__(self, texts: Texts, seed: int, *, masked: bool) -> None:
        self.trained = Trained((), (), (), None, ())
        self._texts = texts
        self._decoder = Decoder(len(texts.words), seed, masked=masked)
        self._optimizer = torch.optim.AdamW(self._decoder.network.parameters(), lr=RATE)
        self._batches = torch.Generator().manual_seed(seed)

    def learn(self, steps: int) -> None:
        """Takes so many steps."""
        for _ in range(steps):
            chosen = torch.randint(len(self._texts.train), (BATCH,), generator=self._batches)
            loss = self._decoder.loss(self._texts.train[chosen])
            self._optimizer.zero_grad()
            torch.autograd.backward(loss)
            self._optimizer.step()

    @torch.inference_mode()
    def measure(self, step: int) -> None:
        """Keeps the losses on all sentences."""
        one, texts = self.trained, self._texts
        train, test = (float(self._decoder.loss(ids)) for ids in (texts.train, texts.test))
        self.trained = replace(one, steps=(*one.steps, step), train=(*one.train, train), test=(*one.test, test))

    @torch.inference_mode()
    def finish(self, beginnings: tuple[str, ...]) -> None:
        """Keeps what the decoder does when it is on its own."""
        texts, end = self._texts, self._texts.words.index(END)
        written = []
        for beginning in beginnings:
            ids = self._decoder.write(texts.ids_of((START, *beginning.split())), end)
            written.append(Written(beginning, tuple(texts.words[one] for one in ids)))
        alone = float(self._decoder.loss_alone(texts.test))
        self.trained = replace(self.trained, alone=alone, written=tuple(written))
