"""Ideas for the API and the command line: each computed with what was asked for, as the document that goes out."""

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from app import idea_documents as documents
from app.documents import Document
from app.idea_schemas import (
    CostRequest,
    MaskingRequest,
    OrderParameters,
    RecurrenceRequest,
    ScalingParameters,
    SparingParameters,
)

if TYPE_CHECKING:
    from attention_core.experiments.running import Progress
    from attention_core.ideas.scaling import Scaling

MIB = 1 << 20
INPUTS = 64 * MIB  # for the longest text's queries, keys and values


@dataclass(frozen=True)
class News:
    """How far a long idea is, and the document of what is known by now."""

    done: int
    total: int
    so_far: Document


Pieces = Generator[News, None, Document]


def read_scaling(wanted: ScalingParameters) -> Document:
    """What scores, weights and gradients look like with and without √dim."""
    from attention_core.ideas.scaling import scaling

    found = scaling(wanted.dim, wanted.seed, keys=wanted.keys, queries=wanted.queries)
    return documents.scaling_document(found, _curve(wanted.seed, wanted.keys, wanted.queries))


@lru_cache(maxsize=32)
def _curve(seed: int, keys: int, queries: int) -> "tuple[Scaling, ...]":
    """All dims: the same however the one dim that is asked for changes, as it does with a slider."""
    from attention_core.ideas.scaling import scaling_curve

    return scaling_curve(seed, keys=keys, queries=queries)


def read_order(wanted: OrderParameters) -> Document:
    """What shuffled words do to a random encoder."""
    from attention_core.ideas.order import order
    from attention_core.ideas.reading import words_of

    return documents.order_document(order(wanted.positions, words_of(wanted.text), wanted.seed))


def read_sparing(wanted: SparingParameters) -> Document:
    """What a window and random features make of the weights."""
    from attention_core.ideas.reading import words_of
    from attention_core.ideas.sparing import sparing
    from attention_core.nn.efficient import Window

    window = Window(wanted.window, tuple(int(one) for one in wanted.global_tokens.split(",") if one))
    found = sparing(words_of(wanted.text), window, wanted.features, wanted.seed, sharpness=wanted.sharpness)
    return documents.sparing_document(found)


def run_cost(wanted: CostRequest, room: int) -> Pieces:
    """What attention costs here, as far as the room goes."""
    from attention_core.ideas.cost import cost

    found = cost(wanted.seconds, wanted.seed, most_bytes=room - INPUTS)
    return _told(found, documents.cost_document)


def run_recurrence(wanted: RecurrenceRequest, room: int) -> Pieces:
    """What a recurrent network recalls."""
    del room
    from attention_core.ideas.recurrence import recurrence

    return _told(recurrence(wanted.length, wanted.steps, wanted.seed), documents.recurrence_document)


def run_masking(wanted: MaskingRequest, room: int) -> Pieces:
    """What a decoder learns without its mask."""
    del room
    from attention_core.ideas.masking import masking

    return _told(masking(wanted.language, wanted.steps, wanted.seed), documents.masking_document)


def _told(idea: "Generator[Progress, None, Any]", spell: Callable[[Any], Document]) -> Pieces:
    """The same idea with documents in place of results."""
    with closing(idea):
        while True:
            try:
                progress: Any = next(idea)
            except StopIteration as end:
                return spell(end.value)
            yield News(progress.done, progress.total, spell(progress.so_far))


@dataclass(frozen=True)
class Long:
    """How a long idea is run with a request and the bytes that it may take, what it is called in a refusal, and how
    many bytes it takes at least and at most."""

    run: Callable[[Any, int], Pieces]
    what: str
    least: int
    most: int

    def room(self, available: int) -> int:
        """The bytes that it takes where so many can be had; they may be more than that, and are then refused."""
        return max(self.least, min(self.most, available // 2))


QUICK: Mapping[str, Callable[[Any], Document]] = {
    "scaling": read_scaling,
    "order": read_order,
    "sparing": read_sparing,
}
LONG: Mapping[str, Long] = {
    "cost": Long(run_cost, "measuring what attention costs", 128 * MIB, 896 * MIB),
    "recurrence": Long(run_recurrence, "training recurrent networks", 128 * MIB, 128 * MIB),
    "masking": Long(run_masking, "training decoders with and without a mask", 128 * MIB, 128 * MIB),
}
