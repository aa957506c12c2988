"""The recipe of `induction`: two layers of attention that learn to go on as a sequence went on before.

No MLP, and rotary positions (Su et al. 2021), so that a head can look one token back wherever it stands. What comes
of it is the circuit of Olsson et al. 2022: in the first layer a head looks at the previous token, in the second one
looks for the token that had the current one before it.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor

from attention_core.nn.blocks import Block
from attention_core.nn.checkpoints import save_transformer
from attention_core.nn.config import TransformerConfig
from attention_core.nn.transformer import Transformer
from attention_core.threads import one_thread
from attention_core.training.induction.measures import KIND, measure
from attention_core.training.induction.sequences import (
    HELD_OUT,
    PERIODS,
    START,
    VOCABULARY,
    WORDS,
    Sequences,
    draw,
    tokenizer,
)
from attention_core.training.recipe import Result, Run, write_results

__all__ = ["make"]

CONFIG = TransformerConfig(
    vocabulary=len(VOCABULARY),
    embed_dim=64,
    heads=4,
    inner_dim=0,
    decoder_layers=2,
    max_tokens=WORDS + 1,
    positions="rotary",
    norm="pre",
    final_norm=True,
    embedding_scale=8.0,
    output="tokens",
    start=VOCABULARY.index(START),
)
STEPS = 1500
TOKENS = 4096  # in a batch, about
FEWEST_TOKENS = 512
RATE = 4e-3
WARM_UP = 100
SHORTEST = 16  # words of the first sequences
# What nobody can foretell counts a little, so that the model says of it that it does not know.
UNFORETOLD = 0.05
# Without it several heads of the first layer share the work of looking one token back, and switching off one of them
# breaks little. It is a group lasso (Yuan & Lin 2006) over what the heads of the first layer hand on.
SPARSITY = 0.01
MEASURED = 256


@dataclass(frozen=True)
class Plan:
    """How much is trained: the words of a sequence, the tokens of a batch (about), the optimiser's steps."""

    words: int
    tokens: int
    steps: int

    @classmethod
    def of(cls, run: Run) -> Self:
        """The run's share of all the tokens: shorter sequences and smaller batches before fewer steps.

        The circuit needs its steps to form, and it forms in short sequences too.
        """
        tokens = run.part(TOKENS, at_least=FEWEST_TOKENS)
        return cls(run.part(WORDS, at_least=SHORTEST), tokens, run.part(STEPS * TOKENS // tokens))

    def fitting(self, periods: Sequence[int]) -> list[int]:
        """Those of the periods that fit twice into a sequence."""
        return [period for period in periods if 2 * period <= self.words]


@one_thread()
def make(run: Run) -> Result:
    """Trains the model, writes its files into the run's folder and returns the scores at periods never trained."""
    began = time.monotonic()
    torch.manual_seed(run.seed)
    generator = torch.Generator().manual_seed(run.seed)
    plan = Plan.of(run)
    network = Transformer(CONFIG)
    for step, loss in enumerate(_train(network, plan, generator), start=1):
        run.step("train", step, plan.steps, f"loss {loss:.3f}")
    run.step("measure", 0, 1)
    fresh = draw(MEASURED, plan.fitting(HELD_OUT), torch.Generator().manual_seed(run.seed + 1), plan.words)
    scores = score(network, fresh)
    result = Result(_data(plan), plan.steps, time.monotonic() - began, scores)
    tokenizer().save(str(run.folder / "tokenizer.json"))
    save_transformer(network, run.folder, family="attention-atlas")
    write_results(run, result)
    run.step("measure", 1, 1, f"induction {scores['induction']:.3f}")
    return result


def score(network: Transformer, sequences: Sequences) -> dict[str, float]:
    """What a trained model scores on these sequences, whole and with one head switched off.

    "off" is measured with the best previous-token head switched off; "fixed distance" is the share of the foretold
    words that the best fixed distance would get right.
    """
    whole = measure(network, sequences)
    layer, head = whole.best(whole.previous)
    broken = measure(network, sequences, off=[(KIND, layer, head)])
    return {
        "induction": float(whole.induction.max()),
        "previous token": float(whole.previous.max()),
        "next word": whole.accuracy,
        "induction, off": float(broken.induction.max()),
        "next word, off": broken.accuracy,
        "next word, fixed distance": fixed_distance(sequences),
    }


def _data(plan: Plan) -> str:
    trained, held = plan.fitting(PERIODS), plan.fitting(HELD_OUT)
    return (
        f"Random sequences of up to {plan.words} out of {len(VOCABULARY) - 2} words (English, Korean, or both) in "
        f"which a stretch of {trained[0]} to {trained[-1]} words stands twice, after a prefix of random length; "
        f"stretches of {', '.join(map(str, held))} words are held out."
    )


def fixed_distance(sequences: Sequences) -> float:
    """The share of the foretold words that stand at one distance before themselves, at the best distance."""
    foretold = sequences.foretold()
    shares = []
    for distance in range(1, sequences.ids.shape[1] - 1):
        same = sequences.ids[:, 1 + distance :] == sequences.ids[:, 1:-distance]  # (sequence, foretold word)
        # What is foretold at a position is the word after it; before `distance` there is nothing to look at.
        shares.append(int((same & foretold[:, distance:-1]).sum()) / int(foretold.sum()))
    return max(shares)


def _train(network: Transformer, plan: Plan, generator: torch.Generator) -> Iterator[float]:
    """Takes the steps, one each time it is asked for the next loss."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, betas=(0.9, 0.98))
    for step in range(plan.steps):
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, (step + 1) / WARM_UP) * max(0.02, 1 - step / plan.steps)
        loss = _loss(network, _batch(plan, step, generator)) + SPARSITY * _heads_in_use(network)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        yield float(loss.detach())


def _batch(plan: Plan, step: int, generator: torch.Generator) -> Sequences:
    """Short sequences first, the full length from half of the training on: in short ones the circuit forms sooner."""
    words = min(plan.words, int(SHORTEST + (plan.words - SHORTEST) * step / plan.steps * 2))
    periods = [period for period in PERIODS if 2 * period <= words]
    return draw(plan.tokens // words, periods, generator, words)


def _loss(network: Transformer, sequences: Sequences) -> Tensor:
    """Cross-entropy of the next words, in nats; what follows on the second copy is left out.

    There a reader would expect the stretch once more, and nothing in the sequence says otherwise.
    """
    foretold = sequences.foretold()
    ends = sequences.in_second() & ~foretold
    weight = torch.where(foretold, 1.0, UNFORETOLD).masked_fill(ends, 0.0)[:, :-1]  # (sequence, position)
    logits = network.logits(network(sequences.ids).hidden)[:, :-1]  # (sequence, position, word)
    losses = F.cross_entropy(logits.transpose(1, 2), sequences.ids[:, 1:], reduction="none")  # (sequence, position)
    return (losses * weight).sum() / weight.sum()


def _heads_in_use(network: Transformer) -> Tensor:
    """The sum over the first layer's heads of the size of the weights that take up their output."""
    block = network.decoder[0]
    assert isinstance(block, Block)
    weight = block.attention.output.weight  # (embed_dim, head and value_dim)
    by_head = weight.view(len(weight), network.config.heads, -1)  # (embed_dim, head, value_dim)
    return by_head.pow(2).sum(dim=(0, 2)).sqrt().sum()
