"""The lab: small transformers that learn a task before one's eyes, and what their heads do on the way.

trained = finish(train(LabChoices.of("induction", seed=1)))
"""

from attention_core.lab.building import card_of, config_of, kind_of, text_of, tokenizer_of
from attention_core.lab.choices import BOUNDS, DEFAULTS, RATES, LabChoices
from attention_core.lab.jumps import Jump, jumps
from attention_core.lab.keeping import save
from attention_core.lab.measuring import measured, measured_like
from attention_core.lab.tasks import TASKS
from attention_core.lab.training import (
    Checkpoint,
    DivergedError,
    Point,
    Trained,
    checkpoint_count,
    finish,
    most_bytes,
    probe_of,
    train,
)

__all__ = [
    "BOUNDS",
    "DEFAULTS",
    "RATES",
    "TASKS",
    "Checkpoint",
    "DivergedError",
    "Jump",
    "LabChoices",
    "Point",
    "Trained",
    "card_of",
    "checkpoint_count",
    "config_of",
    "finish",
    "jumps",
    "kind_of",
    "measured",
    "measured_like",
    "most_bytes",
    "probe_of",
    "save",
    "text_of",
    "tokenizer_of",
    "train",
]
