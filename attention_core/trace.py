"""The trace: one example, seen by one model; what the page, figures, exports, API, command line and notebooks read.

A trace that exists is right: its constructor checks it, so views and analyses hold no checks. What is missing is
None beside a line that says why.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module

from attention_core.errors import ShapeError, TraceError, UnknownNameError
from attention_core.maps import AttentionMap, DenseMap, FactoredMap, Kind
from attention_core.models.card import ModelCard
from attention_core.pictures import Picture
from attention_core.predictions import Predictions
from attention_core.tokens import Tokens
from attention_core.what_if import checked

__all__ = [
    "AttentionMap",
    "AttentionTrace",
    "DenseMap",
    "FactoredMap",
    "Kind",
    "Looking",
    "Notice",
    "Provenance",
]


@dataclass(frozen=True)
class Provenance:
    """How a trace was made, and by how much its recomputed rows differ from what the kernel returned.

    `checked` is False of a trace that was read from a file: that its numbers are the model's own, only the file says.
    """

    back_end: str
    dtype: str
    device: str
    seconds: float
    self_check_error: float
    self_check_tolerance: float
    versions: Mapping[str, str] = field(default_factory=dict)
    checked: bool = True


@dataclass(frozen=True)
class Notice:
    """Something a reader should know about this example: a code with a translated sentence, and its values."""

    code: str
    facts: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True)
class Looking:
    """How a trace is shown: whole words instead of pieces, special tokens left out, the rows of one text of a pair
    and the columns of one; by the "weight" or by the "norm" of what is handed on. `looking.look` makes it so."""

    words: bool = False
    special: str = "show"
    segments: str = "all"
    measure: str = "weight"


@dataclass(frozen=True, eq=False, repr=False)
class AttentionTrace:
    """One example, never a batch. `target` is None for models with one sequence.

    A decoder beside an encoder reads `decoder_input` and writes `target`: row i reads the one's token i, which is
    the token that was written before it, and writes the other's. maps stand by kind, each kind's layers in order. `off`
    names the heads that were switched off, "kind.layer.head", `off_with` "zero" or "mean". `written` is how many of
    source's last tokens the model wrote itself. `what_if` names what the model did otherwise than it learned
    (`attention_core.what_if`). predictions_note says as a code why there are no predictions.
    source_queries are the tokens that look where a pair is seen from one text to the other; then `source` is what they
    look at. A ShapeError or TraceError refuses maps that do not fit the tokens.
    """

    model: ModelCard
    source: Tokens
    target: Tokens | None
    maps: tuple[AttentionMap, ...]
    provenance: Provenance
    decoder_input: Tokens | None = None
    picture: Picture | None = None
    notices: tuple[Notice, ...] = ()
    predictions: Predictions | None = None
    predictions_note: str = "no-head"
    off: tuple[str, ...] = ()
    looking: Looking = Looking()
    source_queries: Tokens | None = None
    written: int = 0
    off_with: str = "zero"
    what_if: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.maps:
            raise TraceError("a trace without attention")
        if (self.target is None) != (self.decoder_input is None):
            raise TraceError("a target and the decoder's input belong together")
        if self.target is not None and self.decoder_input is not None and len(self.target) != len(self.decoder_input):
            raise ShapeError(f"a decoder that reads {len(self.decoder_input)} tokens writes no {len(self.target)}")
        if (self.source_queries is not None) != (self.looking.segments in ("AB", "BA")):
            raise TraceError("only a pair seen from one text to the other has tokens of its own that look")
        if type(self.written) is not int or not 0 <= self.written <= len(self.source) - (self.looking == Looking()):
            raise TraceError(f"of {len(self.source)} tokens a model wrote no {self.written!r}")
        if self.off_with not in ("zero", "mean"):
            raise TraceError(f"heads are switched off with zero or mean, not {str(self.off_with)[:40]!r}")
        checked(self.what_if)
        if self.predictions is not None and self.looking == Looking():
            rows = len(self.source if self.decoder_input is None else self.decoder_input)
            if any(one.position is not None and not 0 <= one.position < rows for one in self.predictions.at):
                raise TraceError(f"a prediction stands at a row that is not one of the {rows}")
        if self.picture is not None and self.looking == Looking():
            patches = self.picture.rows * self.picture.columns
            if len(self.source) != patches + 1:
                raise ShapeError(f"{patches} patches and a class token are not {len(self.source)} tokens")
        for kind in self.kinds:
            maps = self.maps_of(kind)
            if [one.layer for one in maps] != list(range(len(maps))):
                raise TraceError(f"the layers of {kind} are not 0 to {len(maps) - 1} in order")
            if len({(one.head_count, one.query_count, one.key_count) for one in maps}) != 1:
                raise ShapeError(f"the layers of {kind} have different shapes")
            shape, tokens = (maps[0].query_count, maps[0].key_count), (self.queries(kind), self.keys(kind))
            if shape != (len(tokens[0]), len(tokens[1])):
                raise ShapeError(
                    f"{kind} attention is {shape[0]} x {shape[1]}, but there are {len(tokens[0])} query tokens "
                    f"and {len(tokens[1])} key tokens"
                )

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of attention that this trace has, the encoder's first."""
        return tuple(dict.fromkeys(one.kind for one in self.maps))

    def maps_of(self, kind: Kind | str) -> tuple[AttentionMap, ...]:
        """All maps of a kind, by layer; an UnknownNameError for a kind that is not there."""
        maps = tuple(one for one in self.maps if one.kind == kind)
        if not maps:
            raise UnknownNameError("kind", kind, self.kinds)
        return maps

    def map(self, kind: Kind | str, layer: int) -> AttentionMap:
        """The map of one layer; an UnknownNameError for a kind or layer that is not there."""
        maps = self.maps_of(kind)
        if not 0 <= layer < len(maps):
            raise UnknownNameError("layer", layer, range(len(maps)))
        return maps[layer]

    def queries(self, kind: Kind | str) -> Tokens:
        """The tokens that look: in cross attention those that are being written."""
        tokens = self._axis(kind, self.target)
        if kind == Kind.ENCODER_SELF and self.source_queries is not None:
            return self.source_queries
        return tokens

    def keys(self, kind: Kind | str) -> Tokens:
        """The tokens that are looked at."""
        return self._axis(kind, self.source)

    def _axis(self, kind: Kind | str, of_cross: Tokens | None) -> Tokens:
        if kind not in self.kinds:
            raise UnknownNameError("kind", kind, self.kinds)
        if kind == Kind.CROSS:
            if of_cross is None:
                raise TraceError("cross attention needs a target sequence")
            return of_cross
        if kind == Kind.DECODER_SELF and self.decoder_input is not None:
            return self.decoder_input
        return self.source

    @property
    def sequences(self) -> tuple[Tokens, ...]:
        """Every sequence of the trace: the source, with a decoder the target and what the decoder read, and what
        looks at the source where that is another text."""
        every = (self.source, self.target, self.decoder_input, self.source_queries)
        return tuple(one for one in every if one is not None)

    @property
    def nbytes(self) -> int:
        """Memory that the maps hold, in bytes."""
        return sum(one.nbytes for one in self.maps)

    def __repr__(self) -> str:
        heads = (f"{kind} {len(maps)} x {maps[0].head_count}" for kind in self.kinds for maps in [self.maps_of(kind)])
        tokens = " and ".join(str(len(one)) for one in (self.source, self.target) if one is not None)
        return f"AttentionTrace({self.model.name}, {tokens} tokens, layers x heads: {', '.join(heads)})"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        # What a notebook shows. Figures read traces, so who draws them is looked up here, when it is called.
        bundle: dict[str, str] = import_module("attention_core.figures.notebook").trace_bundle(self)
        return bundle
