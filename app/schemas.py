"""The API's keys, for what comes in; documents.py has those of what goes out. Nothing else spells a key."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Range = Annotated[str, Field(pattern=r"^[0-9]{1,9}:[0-9]{1,9}$", description="positions a:b, without b")]
_NUMBER = "(0|[1-9][0-9]{0,3})"
HeadName = Annotated[str, Field(pattern=rf"^(encoder-self|decoder-self|cross)\.{_NUMBER}\.{_NUMBER}$")]
MOST_CELLS = 512


class Body(BaseModel):
    """A request's body: no other keys, no silent conversion."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Parameters(BaseModel):
    """A request's query string: no other parameters."""

    model_config = ConfigDict(extra="forbid")


class NoParameters(Parameters):
    """A query string without parameters."""


class Options(Body):
    """How an example is read, and what of the model is switched off meanwhile."""

    truncate: bool = Field(default=False, description="show the beginning of a text that is too long")
    off: list[HeadName] = Field(
        default_factory=list, max_length=4096, description='heads that are switched off: "decoder-self.0.3"'
    )

    @field_validator("off")
    @classmethod
    def _sort(cls, given: list[str]) -> list[str]:
        """Each head once, in order: the same choice is the same trace."""
        return sorted(set(given))


class TraceRequest(Body):
    """One example for one model."""

    model: str | None = Field(default=None, description="a name of /models; default: its default")
    text: str | None = Field(default=None, description="may be left out only with an image")
    pair: str | None = Field(default=None, description="a second text, for encoders that read two")
    target: str | None = Field(default=None, description="what a translation says; default: the model's own")
    image: str | None = Field(default=None, max_length=100, description="a sample's name, or an id of POST /images")
    options: Options = Field(default_factory=Options)

    @model_validator(mode="after")
    def _demand_something(self) -> Self:
        if self.text is None and self.image is None:
            raise ValueError("text: Field required, unless there is an image")
        return self


class JobRequest(Body):
    """Long work to be done."""

    do: Literal["fetch"]
    model: str


class LookParameters(Parameters):
    """How a trace is shown."""

    words: Literal["0", "1"] = Field(default="0", description="1: pieces are merged into whole words")
    special: Literal["show", "hide", "renormalise"] = Field(
        default="show", description="special tokens; renormalise: hidden, and what is left of a row sums to 1"
    )
    segments: Literal["all", "AA", "AB", "BA", "BB"] = Field(
        default="all", description="of a pair, the text that looks and the one looked at; a cut, nothing is scaled up"
    )


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
