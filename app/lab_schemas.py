"""The API's keys of POST /jobs for a training of the lab."""

from typing import Annotated, Literal

from pydantic import Field

from app.schemas import Body, Parameters

Whole = Annotated[int, Field(ge=0, lt=2**32)]


class Choices(Body):
    """What is trained and how; what is left out is the task's default. GET /lab has the bounds of each."""

    task: str
    layers: Whole | None = None
    heads: Whole | None = None
    width: Whole | None = None
    positions: str | None = None
    scaled: bool | None = Field(default=None, description="whether scores are divided by √dim")
    mask: bool | None = Field(default=None, description="whether no token sees a later one")
    learning_rate: float | None = Field(default=None, allow_inf_nan=False)
    seed: Whole | None = None
    steps: Whole | None = None
    length: Whole | None = Field(default=None, description="tokens of a sequence")
    vocabulary: Whole | None = Field(default=None, description="different tokens")


class TrainRequest(Body):
    """A small transformer that is trained in the lab."""

    do: Literal["train"]
    choices: Choices
    visitor: str = Field(
        pattern=r"^[A-Za-z0-9_-]{16,64}$",
        description="something random that a page makes up for its visitor, whose new training ends the one before",
    )


class ModelsParameters(Parameters):
    """Which models are listed beside the catalogue's."""

    besides: str | None = Field(
        default=None, alias="with", pattern=r"^[a-z0-9-]{1,64}$", description="a model of the lab, by its name"
    )


class DownloadParameters(Parameters):
    """As what a model of the lab is wanted."""

    form: Literal["safetensors", "zip"] = Field(
        default="safetensors",
        alias="as",
        description="zip: its folder, which ATLAS_MODELS_DIR takes",
    )
