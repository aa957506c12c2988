"""The recipe of `ko-en`: a Transformer that translates the sentences of our Korean grammar into English.

Encoder and decoder are those of Vaswani et al. 2017 (post-norm, sinusoidal positions, one matrix of vectors for both
languages and for the output), two layers each. It learns from pairs of sentences alone, each next English word from
those before it; nothing tells its attention where to look.
"""

import time
from collections.abc import Iterator, Sequence
from math import cos, pi, sqrt
from random import Random

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor

from attention_core.nn import Transformer, TransformerConfig, save_transformer
from attention_core.threads import one_thread
from attention_core.training.korean.grammar import Grammar
from attention_core.training.korean.measure import alignment, exactness, next_words, padded
from attention_core.training.korean.sentence import Sentence
from attention_core.training.korean.tokenizer import END, MAX_TOKENS, PAD, make_tokenizer, token_id
from attention_core.training.recipe import Result, Run, write_results

PAIRS, EPOCHS, HELD_OUT = 60_000, 4, 2_000
_BATCH, _RATE, _WARM_UP, _SMOOTHING = 128, 2e-3, 0.05, 0.1
_HELD_OUT_SEED = 1_000_003  # apart from the training sentences' own
_NOTE_EVERY = 20

Pair = tuple[list[int], list[int]]


def configuration(tokenizer: Tokenizer) -> TransformerConfig:
    """The sizes of the network: 2 + 2 layers, width 128, 4 heads."""
    pad, end = token_id(tokenizer, PAD), token_id(tokenizer, END)
    return TransformerConfig(
        embed_dim=128,
        heads=4,
        inner_dim=256,
        max_tokens=MAX_TOKENS,
        vocabulary=tokenizer.get_vocab_size(),
        encoder_layers=2,
        decoder_layers=2,
        positions="sinusoidal",
        embedding_scale=sqrt(128),
        activation="relu",
        output="tokens",
        output_bias=True,
        start=pad,
        end=end,
        pad=pad,
    )


def training_sentences(run: Run) -> list[Sentence]:
    """The sentences to learn from, none with a combination that is held out."""
    total, made = run.part(PAIRS, at_least=500), []
    for at, sentence in enumerate(Grammar(run.seed).sentences(total, held_out=False)):
        if at % 1000 == 0:
            run.step("data", at, total)
        made.append(sentence)
    return made


def held_out_sentences(seed: int, count: int) -> list[Sentence]:
    """Sentences each with a combination of words that no training sentence has, whatever the seeds."""
    return list(Grammar(_HELD_OUT_SEED + seed).sentences(count, held_out=True))


def _batches(pairs: Sequence[Pair], order: Random) -> list[list[Pair]]:
    """All pairs once: those of about the same length together, otherwise in random order."""
    shuffled = sorted(pairs, key=lambda pair: (len(pair[0]) + len(pair[1]), order.random()))
    batches = [list(shuffled[start : start + _BATCH]) for start in range(0, len(shuffled), _BATCH)]
    order.shuffle(batches)
    return batches


def _rate(step: int, steps: int) -> float:
    """The learning rate's factor: up in a straight line, then down along a cosine."""
    warm_up = max(1, round(_WARM_UP * steps))
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.5 + 0.5 * cos(pi * (step - warm_up) / max(1, steps - warm_up))


def _loss(network: Transformer, batch: Sequence[Pair], pad: int) -> Tensor:
    """The mean cross-entropy of each next token, padding left out."""
    source = padded([korean for korean, _ in batch], pad)
    target = padded([english for _, english in batch], pad)
    read = torch.cat([torch.full((len(batch), 1), pad), target[:, :-1]], dim=1)
    hidden = network(source, read, mask=source.ne(pad).long()).hidden
    scores = network.logits(hidden)  # (batch, position, token)
    return F.cross_entropy(scores.flatten(0, 1), target.flatten(), ignore_index=pad, label_smoothing=_SMOOTHING)


def _epochs(pairs: Sequence[Pair], seed: int) -> Iterator[list[Pair]]:
    order = Random(f"order {seed}")  # noqa: S311
    for _ in range(EPOCHS):
        yield from _batches(pairs, order)


def train(run: Run, tokenizer: Tokenizer, sentences: Sequence[Sentence]) -> tuple[Transformer, int]:
    """The trained network and the number of its steps."""
    torch.manual_seed(run.seed)
    network = Transformer(configuration(tokenizer))
    pad = token_id(tokenizer, PAD)
    korean = tokenizer.encode_batch([one.korean for one in sentences])
    english = tokenizer.encode_batch([one.english for one in sentences])
    pairs = [(source.ids, target.ids) for source, target in zip(korean, english, strict=True)]
    steps = EPOCHS * -(-len(pairs) // _BATCH)
    optimiser = torch.optim.AdamW(network.parameters(), lr=_RATE, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, steps))
    network.train()
    for step, batch in enumerate(_epochs(pairs, run.seed)):
        loss = _loss(network, batch, pad)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if step % _NOTE_EVERY == 0:
            run.step("train", step, steps, f"loss {loss.item():.3f}")
    return network.eval(), steps


@one_thread()
def make(run: Run) -> Result:
    """Trains `ko-en` and writes its folder; the scores are those on held-out combinations (see `measure`)."""
    began = time.monotonic()
    tokenizer = make_tokenizer()
    sentences = training_sentences(run)
    network, steps = train(run, tokenizer, sentences)
    unseen = held_out_sentences(run.seed, run.part(HELD_OUT, at_least=100))
    run.step("measure", 0, len(unseen))
    aligned = alignment(network, tokenizer, unseen)
    scores = {
        "exact": exactness(network, tokenizer, unseen),
        "next-words": next_words(network, tokenizer, unseen),
        **aligned.scores,
    }
    run.step("measure", len(unseen), len(unseen), f"exact {scores['exact']:.3f}")
    data = f"{len(sentences):,} pairs of our Korean grammar; {len(unseen):,} with held-out combinations to measure"
    result = Result(data, steps, time.monotonic() - began, scores)
    save_transformer(network, run.folder, "marian")
    tokenizer.save(str(run.folder / "tokenizer.json"))
    write_results(run, result)
    return result
