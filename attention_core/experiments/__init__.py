"""Experiments: functions that run a model again, with progress, and can be cancelled; and the list of them.

    from attention_core.experiments.running import finish
    from attention_core.experiments.switching import scan
    finish(scan(open_model("minilm"), Example("The cat sat on the mat because it was tired"))).heads[0]

Each is a generator function that yields how far it is and returns a small frozen result (`running`). What most are
about is an aim (`aims`); `evaluate` and `atlas` measure heads on files of data, in passes of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from attention_core.errors import UnknownNameError


@dataclass(frozen=True)
class Experiment:
    """What is known of an experiment without running it; the page has title and help as messages of the same words."""

    name: str
    title: str
    help: str
    reference: str
    needs_model: bool = True


EXPERIMENTS: Sequence[Experiment] = (
    Experiment(
        "scan",
        "Every head alone",
        "Which head changes most when it is switched off alone, and is it one that looks strongly?",
        "Michel et al. 2019, section 3; attention against effect: Jain & Wallace 2019",
    ),
    Experiment(
        "switch-off",
        "Switch heads off",
        "What changes in what the model says when heads pass nothing on?",
        "zero: Michel et al. 2019; mean: after Wang et al. 2023, here over this text; "
        "embeddings: Reimers & Gurevych 2019",
    ),
    Experiment(
        "importance",
        "Which tokens matter",
        "How much does each token matter for what the model says, and how far do the methods agree?",
        "Kobayashi et al. 2020; Abnar & Zuidema 2020; Chefer et al. 2021; Mohebbi et al. 2023",
    ),
    Experiment(
        "sublayer",
        "In and out of one attention",
        "What goes into the attention at two tokens, and what does each head add to what comes out?",
        "Vaswani et al. 2017, section 3.2.2: the heads side by side, times the output projection",
    ),
)


def experiment(name: str) -> Experiment:
    """The experiment of that name; an UnknownNameError that lists the names otherwise."""
    for one in EXPERIMENTS:
        if one.name == name:
            return one
    raise UnknownNameError("experiment", name, [one.name for one in EXPERIMENTS])
