"""How well a decoder finds the stretch again: induction and previous-token scores of its heads, and its accuracy.

Olsson et al. 2022, "In-context Learning and Induction Heads": an induction head is one whose tokens, when they
stand a second time, attend to the token after their first occurrence.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from attention_core.nn.changing import Head, HeadsOff
from attention_core.nn.transformer import Transformer
from attention_core.nn.watching import Watch
from attention_core.training.induction.sequences import Sequences

KIND = "decoder-self"


@dataclass(frozen=True)
class Measured:
    """Mean attention by (layer, head), and the share of foretold words that the model gives the most.

    induction: from the second copy's tokens to the token after the first occurrence; previous: from every token
    but the first to the one before it.
    """

    induction: Tensor
    previous: Tensor
    accuracy: float

    def best(self, scores: Tensor) -> tuple[int, int]:
        """(layer, head) of the largest of these scores."""
        layer, head = divmod(int(scores.argmax()), scores.shape[1])
        return layer, head


@torch.inference_mode()
def measure(network: Transformer, sequences: Sequences, off: Iterable[Head] = ()) -> Measured:
    """The scores over all these sequences, with the heads of `off` switched off."""
    watch = Watch(HeadsOff([tuple(off)]), readable=True)
    hidden = network(sequences.ids, watch=watch).hidden
    weights = torch.stack([_given(record.given) for record in watch.records[KIND]])
    # (layer, sequence, head, query, key)
    heads = weights.permute(0, 2, 1, 3, 4)  # (layer, head, sequence, query, key)
    wanted = sequences.after_first().expand(*heads.shape[:2], -1, -1).unsqueeze(-1)
    induction = heads.gather(-1, wanted).squeeze(-1)[..., sequences.in_second()].mean(dim=-1)  # (layer, head)
    previous = heads.diagonal(offset=-1, dim1=-2, dim2=-1).mean(dim=(-2, -1))  # (layer, head)
    return Measured(induction, previous, _accuracy(network.logits(hidden), sequences))


def _accuracy(logits: Tensor, sequences: Sequences) -> float:
    right = logits[:, :-1].argmax(dim=-1) == sequences.ids[:, 1:]
    return float(right[sequences.foretold()[:, :-1]].float().mean())


def _given(weights: Tensor | None) -> Tensor:
    assert weights is not None, "a readable pass keeps its weights"
    return weights
