"""The API's keys for ideas, for what comes in: query strings of the quick ones, and jobs of the long ones."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from app.schemas import Body, Parameters

CAT = "the cat sat on the mat because it was tired"
Seed = Annotated[int, Field(ge=0, lt=2**32, description="the same seed draws the same numbers")]
Text = Annotated[str, Field(max_length=2000, description="2 to 32 words with spaces between")]


class ScalingParameters(Parameters):
    """Random queries and keys, their scores divided by √dim and not."""

    dim: int = Field(default=64, ge=4, le=1024, description="numbers of a query and a key")
    keys: int = Field(default=64, ge=2, le=128, description="how many keys each query looks at")
    queries: int = Field(default=128, ge=1, le=128, description="how many queries means are taken over")
    seed: Seed = 0


class OrderParameters(Parameters):
    """A random encoder that reads words, and the same words shuffled."""

    positions: Literal["none", "sinusoidal", "learned", "rotary"] = Field(
        default="none", description="how the encoder knows where a word stands"
    )
    text: Text = CAT
    seed: Seed = 0


class SparingParameters(Parameters):
    """The weights of a random encoder's first layer by the formula, within a window, and estimated."""

    text: Text = CAT
    window: int = Field(default=3, ge=1, le=32, description="keys fewer than so many positions away are seen")
    global_tokens: str = Field(
        default="0",
        alias="global",
        pattern=r"^$|^[0-9]{1,3}(,[0-9]{1,3}){0,31}$",
        description="positions that see all and are seen by all, commas between; empty: none",
    )
    features: int = Field(default=64, ge=1, le=4096, description="random directions of the estimate")
    sharpness: float = Field(
        default=0.25, ge=0.05, le=1, allow_inf_nan=False, description="what all scores are multiplied by"
    )
    seed: Seed = 0


class IdeaRequest(Body):
    """An idea that is measured or trained."""

    do: Literal["idea"]
    name: str
    seed: Seed = Field(default=0, description="the same seed draws the same numbers; the same wish is the same job")


class CostRequest(IdeaRequest):
    """Time and memory of attention as a text grows, measured on the server."""

    name: Literal["cost"]
    seconds: float = Field(default=10, ge=1, le=30, allow_inf_nan=False, description="how long is measured, about")


class RecurrenceRequest(IdeaRequest):
    """A recurrent network with and without attention."""

    name: Literal["recurrence"]
    length: int = Field(default=24, ge=4, le=32, description="words of a text")
    steps: int = Field(default=400, ge=10, le=1000, description="how long both are trained")


class MaskingRequest(IdeaRequest):
    """A decoder trained with and without the causal mask."""

    name: Literal["masking"]
    language: Literal["en", "ko"] = Field(default="en", description="of the sentences")
    steps: int = Field(default=150, ge=10, le=500, description="how long both are trained")


QUICK: Mapping[str, type[Parameters]] = {
    "scaling": ScalingParameters,
    "order": OrderParameters,
    "sparing": SparingParameters,
}
LONG: Mapping[str, type[IdeaRequest]] = {
    "cost": CostRequest,
    "recurrence": RecurrenceRequest,
    "masking": MaskingRequest,
}
