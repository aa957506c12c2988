"""Ideas: what a page shows of one thought behind attention, computed from a seed; and the list of them.

    from attention_core.ideas.scaling import scaling
    scaling(64).unscaled.largest

Each is a module with a function of the same name that returns a small frozen result. The long ones are generators of
`Progress` (`attention_core.experiments.running`) whose news carries what was found so far; closing one ends it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from attention_core.errors import UnknownNameError


@dataclass(frozen=True)
class Idea:
    """What is known of an idea without computing it; `long`: it trains or measures, and takes seconds."""

    name: str
    title: str
    help: str
    reference: str
    long: bool = False


IDEAS: Sequence[Idea] = (
    Idea(
        "scaling",
        "Why √dₖ",
        "What happens to the softmax and to its gradient when scores are not divided by √dₖ?",
        "Vaswani et al. 2017, section 3.2.1 and its footnote 4",
    ),
    Idea(
        "order",
        "Order",
        "What do the weights of shuffled words say about how a transformer knows the order?",
        "Vaswani et al. 2017, section 3.5; rotary: Su et al. 2021, section 3.2",
    ),
    Idea(
        "sparing",
        "Fewer scores",
        "What do a sliding window and random features make of the weights of the formula?",
        "window: Beltagy et al. 2020, section 3.1; random features: Choromanski et al. 2021, section 2",
    ),
    Idea(
        "cost",
        "Cost",
        "How do time and memory of attention grow with the text, measured on this machine?",
        "fused: Dao et al. 2022; window: Beltagy et al. 2020; random features: Choromanski et al. 2021",
        long=True,
    ),
    Idea(
        "recurrence",
        "Against recurrence",
        "How well does a recurrent network recall a word seen d steps ago, with and without attention?",
        "Bahdanau et al. 2015, section 3; recurrent network: Cho et al. 2014",
        long=True,
    ),
    Idea(
        "masking",
        "Mask",
        "What does a decoder learn without the causal mask, and what does it then write?",
        "Vaswani et al. 2017, section 3.2.3",
        long=True,
    ),
)


def idea(name: str) -> Idea:
    """The idea of that name; an UnknownNameError that lists the names otherwise."""
    for one in IDEAS:
        if one.name == name:
            return one
    raise UnknownNameError("idea", name, [one.name for one in IDEAS])
