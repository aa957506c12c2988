"""Leave one out: what changes in what a model says when no token may look at one of them, in any layer.

Positions stay, and so does the token's own vector, which nobody sees: nothing else of the text moves, as it would if
the token were deleted. It is a measure of its own and no truth: two tokens that say the same cover for one another
(Li et al. 2016, "Understanding Neural Networks through Representation Erasure", erase words likewise).
"""

from collections.abc import Generator, Sequence

import torch

from attention_core.capture.variants import Variants
from attention_core.experiments.aims import Aim, distance, outcome
from attention_core.experiments.running import Progress, most_variants, pieces
from attention_core.nn.changing import Changes


def leaving(
    variants: Variants, aim: Aim, groups: Sequence[Sequence[int]], changes: Changes | None = None
) -> Generator[Progress, None, tuple[float, ...]]:
    """How far the outcome moves without each of some groups of source tokens, as `aims.distance` measures it.

    `changes`, the same in every variant, go on meanwhile. Where the outcome is the mean of all tokens' vectors, what is
    left out has no part in it.
    """
    count = len(variants.encoded.source)
    with torch.inference_mode():
        before = outcome(aim, variants.say(1, changes=changes))[0]
    scores: list[float] = []
    for chosen in pieces(groups, most_variants(variants)):
        hidden = torch.zeros(len(chosen), count, dtype=torch.bool)
        for row, group in enumerate(chosen):
            hidden[row, list(group)] = True
        # The decoder of two stacks has vectors of its own: none of them is left out; and of nothing there is no mean.
        without = hidden & ~hidden.all(dim=1, keepdim=True) if variants.encoded.decoder_input is None else None
        with torch.inference_mode():
            after = outcome(aim, variants.say(len(chosen), changes=changes, hidden=hidden), without)
            scores += distance(aim, before, after).tolist()
        yield Progress(len(scores), len(groups))
    return tuple(scores)
