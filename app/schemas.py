"""The API's keys, for what comes in; job_schemas.py has those of jobs, documents.py, analyses.py and experiments.py
those of what goes out."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from attention_core import what_if

Range = Annotated[str, Field(pattern=r"^[0-9]{1,9}:[0-9]{1,9}$", description="positions a:b, without b")]
_NUMBER = "(0|[1-9][0-9]{0,3})"
HeadName = Annotated[str, Field(pattern=rf"^(encoder-self|decoder-self|cross)\.{_NUMBER}\.{_NUMBER}$")]
Ranges = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{1,9}:[0-9]{1,9}(,[0-9]{1,9}:[0-9]{1,9}){0,15}$",
        description="positions a:b,c:d, at most 16 ranges",
    ),
]
MOST_CELLS = 512
MOST_WRITTEN = 256  # tokens that a model may have written after a text


class Body(BaseModel):
    """A request's body: no other keys, no silent conversion."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Parameters(BaseModel):
    """A request's query string: no other parameters."""

    model_config = ConfigDict(extra="forbid")


class NoParameters(Parameters):
    """A query string without parameters."""


class LessonParameters(Parameters):
    """In which language a lesson is wanted; one that is not there in it comes in another."""

    lang: Literal["en", "ko"] = Field(default="en", description="the language that is wanted")


class ExportParameters(Parameters):
    """As what a lesson is taken along."""

    format: Literal["html", "markdown", "notebook"] = Field(description="html and markdown come as zips")


class Options(Body):
    """How an example is read, and what of the model is switched off meanwhile."""

    truncate: bool = Field(default=False, description="show the beginning of a text that is too long")
    off: list[HeadName] = Field(
        default_factory=list, max_length=4096, description='heads that are switched off: "decoder-self.0.3"'
    )
    off_with: Literal["zero", "mean"] = Field(
        default="zero", description="what comes of a head that is off: zeros, or its mean over the text's positions"
    )
    chat: bool = Field(default=False, description="the text is a message, put into the model's chat template")
    what_if: list[Annotated[str, Field(max_length=40)]] = Field(
        default_factory=list, max_length=16,
        description="what a model of ours does otherwise: " + ", ".join(what_if.ACCEPTED),
    )  # fmt: skip

    @field_validator("what_if")
    @classmethod
    def _check_what_if(cls, given: list[str]) -> list[str]:
        """In one order: the same wishes are the same trace."""
        return list(what_if.checked(given))

    @field_validator("off")
    @classmethod
    def _sort(cls, given: list[str]) -> list[str]:
        """Each head once, in order: the same choice is the same trace."""
        return sorted(set(given))


Written = Annotated[
    list[Annotated[int, Field(ge=0, lt=2**31)]],
    Field(max_length=MOST_WRITTEN, description="ids of the tokens that the model wrote after the text"),
]


class TraceRequest(Body):
    """One example for one model."""

    model: str | None = Field(default=None, description="a name of /models; default: its default")
    text: str | None = Field(default=None, description="may be left out only with an image")
    pair: str | None = Field(default=None, description="a second text, for encoders that read two")
    target: str | None = Field(default=None, description="what a translation says; default: the model's own")
    image: str | None = Field(default=None, max_length=100, description="a sample's name, or an id of POST /images")
    options: Options = Field(default_factory=Options)
    written: Written = Field(default_factory=list)

    @model_validator(mode="after")
    def _demand_something(self) -> Self:
        if self.text is None and self.image is None:
            raise ValueError("text: Field required, unless there is an image")
        return self


class WatchParameters(Parameters):
    """The head whose newest row comes along while a model writes."""

    layer: int | None = Field(default=None, ge=0)
    head: int | None = Field(default=None, ge=0)


Measure = Annotated[
    Literal["weight", "norm"],
    Field(description="norm: a cell is how long the vector is that a key adds, ‖αf(x)‖, as a share of its row"),
]


class LookParameters(Parameters):
    """How a trace is shown."""

    words: Literal["0", "1"] = Field(default="0", description="1: pieces are merged into whole words")
    special: Literal["show", "hide", "renormalise"] = Field(
        default="show", description="special tokens; renormalise: hidden, and what is left of a row sums to 1"
    )
    segments: Literal["all", "AA", "AB", "BA", "BB"] = Field(
        default="all", description="of a pair, the text that looks and the one looked at; a cut, nothing is scaled up"
    )
    measure: Measure = "weight"


class ThumbnailParameters(LookParameters):
    """Every head, small."""

    kind: str | None = None
    size: int = Field(default=32, ge=8, le=64)


class WeightParameters(LookParameters):
    """A window of one layer's weights; positions count what is shown."""

    kind: str | None = None
    layer: int
    head: int | None = None
    queries: Range | None = None
    keys: Range | None = None
    size: int | None = Field(default=None, ge=1, le=MOST_CELLS, description="an overview of at most size cells a side")
    reduce: Literal["max", "mean"] = "max"


class RemovedParameters(LookParameters):
    """What hidden special tokens took of each row of a layer."""

    kind: str | None = None
    layer: int


class NormParameters(Parameters):
    """How long the vectors are that the keys of a kind hand on."""

    kind: str | None = None


class AnalysisParameters(Parameters):
    """What every analysis takes; positions count the tokens that the model read, whatever is shown."""

    kind: str | None = Field(default=None, description="a kind of attention; default: the trace's first")
    measure: Measure = "weight"


class VersusParameters(LookParameters):
    """Two traces of which the second is compared with the first; positions count what is shown."""

    versus: str = Field(alias="with", pattern=r"^[\w-]{1,100}$", description="the id of the second trace")
    kind: str | None = Field(default=None, description="a kind of attention that both have; default: the first's first")


class DifferenceParameters(VersusParameters):
    """What changes in each head; of other models, which heads come near to one."""

    layer: int | None = Field(default=None, ge=0, description="with head: ranks the second trace's heads by likeness")
    head: int | None = Field(default=None, ge=0)
    ranked: Literal["0", "1"] = Field(default="1", description="0: only which tokens stand for which; no head is read")


class DifferenceMatrixParameters(VersusParameters):
    """A window of one head of each trace, on the axes that both have; positions count pairs of the analysis's reply."""

    layer: int = Field(ge=0)
    head: int = Field(ge=0)
    other_layer: int | None = Field(default=None, ge=0, description="the second trace's; default: the same")
    other_head: int | None = Field(default=None, ge=0)
    queries: Range | None = None
    keys: Range | None = None
    size: int | None = Field(default=None, ge=1, le=MOST_CELLS, description="an overview of at most size cells a side")
    reduce: Literal["max", "mean"] = Field(default="max", description="max: the two weights that differ most in a cell")


class LinkParameters(AnalysisParameters):
    """Which heads tie a query to a key."""

    query: Range = Field(description="the tokens that look: positions a:b, without b")
    key: Range = Field(description="the tokens looked at: positions a:b, without b")
    rivals: Ranges | None = Field(default=None, description="other tokens that could be meant: positions a:b,c:d")
    words: Literal["0", "1"] = Field(default="0", description="1: the lift compares with other words, not tokens")


Counted = Annotated[int, Field(ge=0, lt=2**31, description="counted from 0")]


class RowParameters(Parameters):
    """One row of one head; positions count the tokens that the model read."""

    kind: str | None = Field(default=None, description="a kind of attention; default: the trace's first")
    layer: Counted
    head: Counted
    query: Counted


class StepsParameters(RowParameters):
    """One row of one head, step by step."""


class CodeParameters(RowParameters):
    """The code of each step, for one cell."""

    key: Counted


class VectorParameters(Parameters):
    """The vectors of one head; positions count the tokens that the model read."""

    kind: str | None = Field(default=None, description="a kind of attention; default: the trace's first")
    layer: Counted
    head: Counted
    of: Literal["query", "key", "value"]
    positions: Range | None = None
