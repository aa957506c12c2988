"""Analyses: pure functions from traces to small frozen results, one file each, and the list of them.

    from attention_core.analysis.link import link
    from attention_core.analysis.words import words
    link(trace, words(trace.source, "it"), words(trace.source, "cat")).heads[0]
"""

from collections.abc import Sequence
from dataclasses import dataclass

from attention_core.errors import UnknownNameError


@dataclass(frozen=True)
class Analysis:
    """What is known of an analysis without running it; the page has title and help as messages of the same words."""

    name: str
    title: str
    help: str
    reference: str
    needs_model: bool = False


ANALYSES: Sequence[Analysis] = (
    Analysis(
        "link",
        "Find the head",
        "Which heads tie one word to another, beyond what every other word gives to it?",
        "words of several pieces: Clark et al. 2019, section 4.1; the lift is a measure of this project",
    ),
    Analysis(
        "profile",
        "Profile of the heads",
        "What does each head do in this text: how widely does it look, how far, at what?",
        "positional heads: Voita et al. 2019, section 5.1; sinks: Clark et al. 2019, section 3.2",
    ),
    Analysis(
        "mentions",
        "Pronouns and what they might mean",
        "Which words of the text are pronouns, and which might they mean? A suggestion by a small rule.",
        "a rule of this project, for English and Korean",
    ),
    Analysis(
        "difference",
        "What changes",
        "What does each head do differently when something is changed?",
        "total variation distance between rows; words of several pieces: Clark et al. 2019, section 4.1",
    ),
    Analysis(
        "steps",
        "Step by step",
        "How does one head get from a query to its weights, and from these to what it passes on?",
        "Vaswani et al. 2017, section 3.2; shared keys and values: Ainslie et al. 2023",
    ),
)


def analysis(name: str) -> Analysis:
    """The analysis of that name; an UnknownNameError that lists the names otherwise."""
    for one in ANALYSES:
        if one.name == name:
            return one
    raise UnknownNameError("analysis", name, [one.name for one in ANALYSES])
