"""What a trace file's JSON describes, put together again: every field held to its type, every tensor to its place.

A file may come from anybody. What goes through here can be asked anything that a trace is asked, and answers with
finite numbers; anything else is a TraceError, or an error that `storage` makes one.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor

from attention_core import masks
from attention_core.attention_map import AttentionMap, Kind
from attention_core.bias import Bias, RelativeBias
from attention_core.errors import InputError, TraceError
from attention_core.fields import restored
from attention_core.maps import DenseMap, FactoredMap
from attention_core.models.card import ModelCard
from attention_core.pictures import Picture
from attention_core.predictions import Predictions
from attention_core.tokens import Tokens, visible
from attention_core.trace import AttentionTrace, Notice, Provenance
from attention_core.what_if import checked

LONGEST = 10_000  # characters of one token
LONGEST_NAME = 200  # of what a model is called, which stands in every figure
MOST_SCORE = 1e30  # far below the largest float32, far above any score of a model
_FACT = re.compile(r"[a-z][a-z_]{0,39}")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_HEAD = re.compile(r"(?:encoder-self|decoder-self|cross)\.[0-9]{1,4}\.[0-9]{1,4}")


class Stored:
    """The tensors of a file by their names; it knows which of them were taken."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self._tensors = tensors
        self._taken: set[str] = set()
        self._vectors: set[str] = set()

    def take(self, name: Any) -> Tensor:
        """The tensor of a name; a TraceError without it."""
        if not isinstance(name, str) or name not in self._tensors:
            raise TraceError(f"this trace file is damaged: it has no tensor {str(name)[:100]!r}")
        self._taken.add(name)
        return self._tensors[name]

    def vectors(self, *names: Any) -> tuple[Tensor, ...]:
        """The vectors of one map. Those of two maps are never the same: a small file would be a large trace."""
        taken = tuple(self.take(name) for name in names)
        if self._vectors.intersection(names):
            raise TraceError("this trace file is damaged: two of its maps are made of the same tensor")
        self._vectors.update(names)
        return taken

    def demand_all_taken(self) -> None:
        """A TraceError for a tensor that stands for nothing."""
        left = sorted(self._tensors.keys() - self._taken)
        if left:
            raise TraceError(f"this trace file is damaged: its tensor {left[0][:100]!r} belongs to nothing")


def restored_trace(document: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> AttentionTrace:
    """The trace that a file's JSON and tensors describe, marked as not checked."""
    stored = Stored(tensors)
    described: tuple[dict[str, Any], ...] = restored(tuple[dict[str, Any], ...], document["maps"], "maps")
    trace = AttentionTrace(
        model=_card(document["model"]),
        source=_tokens(document["source"], "source"),
        target=_tokens(document["target"], "target") if document["target"] else None,
        decoder_input=_tokens(document["decoder_input"], "decoder_input") if document["decoder_input"] else None,
        picture=_picture(document["picture"], stored),
        maps=tuple(_map(one, stored) for one in described),
        provenance=replace(restored(Provenance, document["provenance"], "provenance"), checked=False),
        notices=_notices(document["notices"]),
        predictions=restored(Predictions | None, document["predictions"], "predictions"),
        predictions_note=restored(str, document["predictions_note"], "predictions_note"),
        off=_off(document["off"]),
        off_with=restored(str, document.get("off_with", "zero"), "off_with"),
        what_if=_what_if(document.get("what_if", [])),
        written=restored(int, document.get("written", 0), "written"),
    )
    stored.demand_all_taken()
    _demand_heads(trace)
    return trace


def _card(described: Any) -> ModelCard:
    card: ModelCard = restored(ModelCard, described, "model")
    known = tuple(map(str, Kind))
    if card.precision not in ("exact", "quantised") or not set(card.kinds) <= set(known):
        raise TraceError(f"a model is exact or quantised and of the kinds {', '.join(known)}")
    if max(map(len, (card.name, card.title, card.full_title, card.revision, card.licence))) > LONGEST_NAME:
        raise TraceError(f"a model has a name, a title or a revision of more than {LONGEST_NAME} characters")
    return card


def _tokens(described: Any, where: str) -> Tokens:
    tokens: Tokens = restored(Tokens, described, where)
    if tokens.positions is not None:
        raise TraceError(f"{where} is merged already; a file holds the tokens that the model read")
    counts = (*tokens.ids, *(word or 0 for word in tokens.words), tokens.cut or 0, tokens.count or 0)
    if min(counts) < 0:
        raise TraceError(f"{where} holds a negative id, word or count")
    if max(map(len, (*tokens.texts, *tokens.pieces))) > LONGEST:
        raise TraceError(f"{where} has a token of more than {LONGEST} characters")
    for span, segment in zip(tokens.spans, tokens.segment, strict=True):
        text = tokens.text if segment == "A" else tokens.pair
        if span is not None and text is not None and span[1] > len(text):
            raise TraceError(f"{where} has a token at {span[0]}:{span[1]} of a text of {len(text)} characters")
    # What controls a line would, in a label, move what stands beside it; a tokenizer's own texts name it already.
    return replace(tokens, texts=tuple(visible(text) for text in tokens.texts))


def _notices(described: Any) -> tuple[Notice, ...]:
    notices: tuple[Notice, ...] = restored(tuple[Notice, ...], described, "notices")
    for notice in notices:
        odd = [name for name, fact in notice.facts.items() if not _is_fact(name, fact)]
        if odd:
            raise TraceError(f"a notice names no fact {odd[0][:100]!r}")
    return notices


def _is_fact(name: str, fact: str | int) -> bool:
    if name == "language":
        return isinstance(fact, str) and _LANGUAGE.fullmatch(fact) is not None
    if name in ("count", "kept", "cut"):
        return isinstance(fact, int) and fact >= 0
    return name != "code" and _FACT.fullmatch(name) is not None


def _off(described: Any) -> tuple[str, ...]:
    off: tuple[str, ...] = restored(tuple[str, ...], described, "off")
    odd = [name for name in off if not _HEAD.fullmatch(name)]
    if odd:
        raise TraceError(f"{odd[0][:100]!r} names no head; accepted: kind.layer.head")
    return off


def _what_if(described: Any) -> tuple[str, ...]:
    names: tuple[str, ...] = restored(tuple[str, ...], described, "what_if")
    try:
        return checked(names)
    except InputError as error:
        raise TraceError(str(error)) from None


def _demand_heads(trace: AttentionTrace) -> None:
    """A TraceError for a head that is off twice, or that the trace does not have."""
    heads = {f"{one.kind}.{one.layer}": one.head_count for one in trace.maps}
    for name in trace.off:
        place, _, head = name.rpartition(".")
        if int(head) >= heads.get(place, 0):
            raise TraceError(f"{name!r} names no head of this trace")
    if len(set(trace.off)) < len(trace.off):
        raise TraceError("a head of this trace is off twice")


def _picture(described: Any, stored: Stored) -> Picture | None:
    if described is None:
        return None
    rows, columns = (restored(int, described[name], f"picture.{name}") for name in ("rows", "columns"))
    return Picture(stored.take(described["pixels"]), rows, columns)


def _map(described: Mapping[str, Any], stored: Stored) -> AttentionMap:
    kind, layer = Kind(restored(str, described["kind"], "kind")), restored(int, described["layer"], "layer")
    held = {name: stored.take(taken) for name, taken in restored(dict, described["mask_tensors"], "mask").items()}
    shared: dict[str, Any] = {"kind": kind, "layer": layer, "mask": masks.restore(described["mask"], held)}
    if described["maker"] == "dense":
        (given,) = stored.vectors(described["given"])
        _demand_numbers(given)
        return DenseMap(given=given, sinks=restored(bool, described["sinks"], "sinks"), **shared)
    if described["maker"] != "factored":
        raise TraceError("a map of this trace is neither dense nor factored")
    query, key, value = stored.vectors(*(described[name] for name in ("query", "key", "value")))
    sink, norms = described["sink"], described.get("value_norms")  # which earlier versions did not write
    one = FactoredMap(
        query_vectors=query,
        key_vectors=key,
        value_vectors=value,
        value_norms=None if norms is None else stored.take(norms),
        scale=restored(float, described["scale"], "scale"),
        soft_cap=restored(float | None, described["soft_cap"], "soft_cap"),
        sink=None if sink is None else stored.take(sink),
        bias=_bias(described["bias"], stored),
        **shared,
    )
    _demand_scores(one)
    return one


def _demand_scores(one: FactoredMap) -> None:
    """Refuses scores that could overflow, of which softmax makes no weights: |q·k| is at most the dim times the
    largest number of each. A bias or sink of -inf masks; nothing else is without end."""
    bias = one.bias.by_distance if isinstance(one.bias, RelativeBias) else one.bias
    added = [tensor for tensor in (bias, one.sink) if tensor is not None]
    vectors = (one.query_vectors, one.key_vectors)
    _demand_numbers(*vectors, one.value_vectors, *added)
    reach = one.query_vectors.shape[2] * max(1.0, abs(one.scale))
    for tensor in vectors:
        reach *= max(1.0, -float(tensor.min()), float(tensor.max()))
    cap = 1.0 if one.soft_cap is None else one.soft_cap
    small = [reach < MOST_SCORE, 1 / MOST_SCORE < cap < MOST_SCORE, *(float(more.max()) < MOST_SCORE for more in added)]
    if not all(small):  # NaN compares false with everything
        raise TraceError(f"the scores of L{one.layer} ({one.kind}) would not be finite")


def _demand_numbers(*tensors: Tensor) -> None:
    if not all(tensor.is_floating_point() for tensor in tensors):
        raise TraceError("a map of this trace is made of tensors that hold no numbers of attention")


def _bias(described: Any, stored: Stored) -> Bias | None:
    if described is None:
        return None
    if "matrix" in described:
        return stored.take(described["matrix"])
    count = restored(int, described["query_count"], "bias.query_count")
    return RelativeBias(by_distance=stored.take(described["by_distance"]), query_count=count)
