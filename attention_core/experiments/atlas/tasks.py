"""What can be measured of a model without any file of one's own: our sentences, and random tokens repeated."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from attention_core.errors import UnknownNameError
from attention_core.experiments.evaluate.induction import DRAWN
from attention_core.experiments.evaluate.results import ANTECEDENT, INDUCTION
from attention_core.models.card import IN_HOUSE, ModelCard

DATA = Path(__file__).resolve().parent.parent / "data"
SHIPPED = {"en": "antecedents-en.jsonl", "ko": "antecedents-ko.jsonl"}  # by language


@dataclass(frozen=True)
class Task:
    """What is measured, and on which of our files."""

    task: str
    file: str

    @property
    def path(self) -> Path | None:
        """The file in the package; None for what is drawn at random."""
        return None if self.file == DRAWN else DATA / self.file

    @property
    def digest(self) -> str | None:
        """The sha256 of the file: a result of another version of it is none of this one."""
        return None if self.path is None else _digest(self.path)


def tasks_of(card: ModelCard) -> tuple[Task, ...]:
    """What a model can be measured on.

    Antecedents in its languages, in all of ours where it names none; not for a closed vocabulary, which knows its own
    words alone. Induction for decoders. Nothing for pictures.
    """
    if card.input == "picture" or (card.input == "translation" and card.family not in IN_HOUSE):
        return ()
    read = card.languages[:1] if card.input == "translation" else card.languages
    spoken = [] if card.closed_vocabulary else [one for one in SHIPPED if one in read or not read]
    found = [Task(ANTECEDENT, SHIPPED[one]) for one in spoken]
    return (*found, *((Task(INDUCTION, DRAWN),) if card.kinds == ("decoder-self",) else ()))


def task_of(card: ModelCard, name: str | None = None, file: str | None = None) -> tuple[Task, ...]:
    """Those of the model's tasks that have this name and this file; all without either.

    An UnknownNameError that lists what there is where none has them.
    """
    offered = tasks_of(card)
    named = [one for one in offered if name in (None, one.task)]
    if name is not None and not named:
        raise UnknownNameError("task", name, sorted({one.task for one in offered}))
    found = tuple(one for one in named if file in (None, one.file))
    if file is not None and not found:
        raise UnknownNameError("file", file, [one.file for one in named])
    return found


@cache
def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
