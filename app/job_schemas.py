"""The API's keys of POST /jobs: what is to be done, by `do`, and of experiments by `name` as well."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.idea_schemas import LONG as IDEAS
from app.idea_schemas import IdeaRequest
from app.lab_schemas import TrainRequest
from app.schemas import MOST_WRITTEN, Body, Options, TraceRequest, Written
from attention_core.errors import UnknownNameError

Position = Annotated[int, Field(ge=0, lt=2**31, description="a token that the model read or writes, from 0")]
How = Literal["zero", "mean"]


class FetchRequest(Body):
    """Fetching a model and loading it."""

    do: Literal["fetch"]
    model: str


class Sampling(Body):
    """How each next token is chosen."""

    method: Literal["greedy", "sample"] = Field(default="greedy", description="greedy: always the most probable one")
    temperature: float = Field(default=1.0, gt=0, le=5, allow_inf_nan=False)
    top_k: int = Field(default=50, ge=1, le=1000, description="how many of the most probable tokens are drawn from")
    seed: int = Field(default=0, ge=0, lt=2**32, description="the same seed draws the same tokens")


class GenerateRequest(Body):
    """A model that continues a text."""

    do: Literal["generate"]
    model: str
    text: str = Field(description="what is continued")
    options: Options = Field(default_factory=Options)
    written: Written = Field(default_factory=list)
    most: int = Field(default=64, ge=1, le=MOST_WRITTEN, description="tokens that are written at most")
    sampling: Sampling = Field(default_factory=Sampling)


class ExperimentRequest(TraceRequest):
    """An experiment on an example: a model that runs again, with something changed each time."""

    do: Literal["experiment"]
    name: str


class AimedRequest(ExperimentRequest):
    """An experiment about one thing that the model says."""

    row: Position | None = Field(default=None, description="whose prediction or vector is watched; default: its own")


class ScanRequest(AimedRequest):
    """Every head switched off alone: what does it change?"""

    name: Literal["scan"]
    kind: str | None = Field(default=None, description="a kind of attention; default: all of them")
    key: Position | None = Field(default=None, description="with a row: each head's weight from there to here")
    how: How = Field(default="zero", description="what stands for a head: zeros, or its mean over this text")


class SwitchOffRequest(AimedRequest):
    """The heads of options.off switched off together: what does the model say before and after?"""

    name: Literal["switch-off"]


class ImportanceRequest(AimedRequest):
    """Which tokens matter, by several methods."""

    name: Literal["importance"]
    kind: str | None = Field(default=None, description="a kind of attention; default: the model's first")
    words: bool = Field(default=False, description="leave out whole words instead of tokens")


class SublayerRequest(ExperimentRequest):
    """What goes into one attention at a query and a key, and what each head adds to what comes out."""

    name: Literal["sublayer"]
    kind: str | None = Field(default=None, description="a kind of attention; default: the model's first")
    layer: int = Field(ge=0, lt=2**31, description="counted from 0")
    head: int = Field(ge=0, lt=2**31, description="counted from 0")
    query: Position
    key: Position


class EvaluateRequest(Body):
    """A model's heads on what the server has: sentences of ours, random tokens. What is there already is not measured
    again; the result is kept for the model's atlas."""

    do: Literal["evaluate"]
    model: str
    task: Literal["antecedent", "induction"] | None = Field(default=None, description="default: all the model can do")
    file: str | None = Field(default=None, max_length=100, description="the name of a set of ours; default: all")


JobRequest = FetchRequest | GenerateRequest | ExperimentRequest | EvaluateRequest | IdeaRequest | TrainRequest

EXPERIMENTS: Mapping[str, type[ExperimentRequest]] = {
    "scan": ScanRequest,
    "switch-off": SwitchOffRequest,
    "importance": ImportanceRequest,
    "sublayer": SublayerRequest,
}
REQUESTS: tuple[type[JobRequest], ...] = (
    FetchRequest, GenerateRequest, *EXPERIMENTS.values(), EvaluateRequest, *IDEAS.values(), TrainRequest,
)  # fmt: skip
NAMED: Mapping[Any, Mapping[str, type[BaseModel]]] = {"experiment": EXPERIMENTS, "idea": IDEAS}  # by their `name`


class AnyJob(BaseModel):
    """What every job says; the rest is checked by the model of its own."""

    model_config = ConfigDict(strict=True)

    do: Literal["fetch", "generate", "experiment", "evaluate", "idea", "train"]


class AnyNamed(AnyJob):
    """What every experiment and every idea says."""

    name: str


def request_of(data: Any) -> type[BaseModel]:
    """The model that a request's body is to be checked by; an UnknownNameError for an experiment or idea that is none.
    """
    do = data.get("do") if isinstance(data, dict) else None
    if isinstance(do, str) and do in NAMED:
        name = data.get("name")
        if isinstance(name, str) and name not in NAMED[do]:
            raise UnknownNameError(do, name, list(NAMED[do]))
        return NAMED[do][name] if isinstance(name, str) else AnyNamed
    own: Mapping[Any, type[BaseModel]] = {
        "fetch": FetchRequest, "generate": GenerateRequest, "evaluate": EvaluateRequest, "train": TrainRequest,
    }  # fmt: skip
    return own[do] if isinstance(do, str) and do in own else AnyJob
