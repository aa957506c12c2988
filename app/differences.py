"""The difference of two traces, for the API and the command line: what is asked, and the keys of what is replied."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from app.documents import Document
from app.problems import ProblemError
from app.reading import Array, demand_small, looked, window_of
from app.schemas import DifferenceMatrixParameters, DifferenceParameters, VersusParameters

if TYPE_CHECKING:
    from attention_core.analysis.alignment import Pair
    from attention_core.analysis.difference import HeadChange
    from attention_core.trace import AttentionTrace


def read_difference(trace: "AttentionTrace", other: "AttentionTrace", wanted: DifferenceParameters) -> Document:
    """What GET /traces/{id}/analyses/difference replies: all heads by how much they change, or, where one is named,
    the heads of the other model by how near they come to it."""
    from attention_core.analysis.comparing import compare
    from attention_core.analysis.difference import Difference, difference, likeness

    first, second, kind = sides(trace, other, wanted)
    if (wanted.layer is None) != (wanted.head is None):
        sentence = "layer and head name one head together; give both or neither"
        raise ProblemError("invalid-request", sentence, errors=[f"query: {sentence}"])
    if wanted.ranked == "0":
        both = compare(first, second, kind)
        found = Difference(both.kind, both.queries, both.keys, ())
    elif wanted.layer is None or wanted.head is None:
        found = difference(first, second, kind=kind)
    else:
        found = likeness(first, wanted.layer, wanted.head, second, kind=kind)
    return {
        "name": "difference",
        "kind": str(found.kind),
        "measure": first.looking.measure,
        "words": first.looking.words,
        "of": None if wanted.layer is None else {"layer": wanted.layer, "head": wanted.head},
        "queries": _pairs(found.queries),
        "keys": _pairs(found.keys),
        "heads": [_head(head) for head in found.heads],
    }


def read_matrices(trace: "AttentionTrace", other: "AttentionTrace", wanted: DifferenceMatrixParameters) -> Array:
    """What GET /traces/{id}/difference replies: float32 (2, query, key) of one head of each, before and after."""
    from attention_core.analysis.comparing import compare

    first, second, kind = sides(trace, other, wanted)
    both = compare(first, second, kind)
    before = wanted.layer, wanted.head
    after = tuple(
        at if its is None else its for at, its in zip(before, (wanted.other_layer, wanted.other_head), strict=True)
    )
    window = window_of(wanted.queries), window_of(wanted.keys)
    if wanted.size is None:
        demand_small(*window, (len(both.queries), len(both.keys)))
        read = both.matrices(before, (after[0], after[1]), window)
    else:
        read = both.overview(before, (after[0], after[1]), wanted.size, wanted.reduce, window)
    array: Array = read.cpu().numpy()
    return array


def sides(
    trace: "AttentionTrace", other: "AttentionTrace", wanted: VersusParameters
) -> "tuple[AttentionTrace, AttentionTrace, str]":
    """Both traces as they are compared, and the kind. Two models cut words into other pieces: they are compared by
    words."""
    if trace.model.name != other.model.name:
        wanted = wanted.model_copy(update={"words": "1"})
    kind = str(trace.kinds[0]) if wanted.kind is None else wanted.kind
    return looked(trace, wanted), looked(other, wanted), kind


def _pairs(pairs: "Sequence[Pair]") -> list[Document]:
    """Half-open ranges of what is shown, null where a text has nothing."""
    return [{"first": _range(pair.first), "second": _range(pair.second), "same": pair.same} for pair in pairs]


def _range(positions: range | None) -> list[int] | None:
    return None if positions is None else [positions.start, positions.stop]


def _head(head: "HeadChange") -> dict[str, Any]:
    return {"layer": head.layer, "head": head.head, "change": head.change, "largest": vars(head.largest)}
