"""Every setting of the server: its name in the environment is ATLAS_ and the field's name in capitals."""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

MIB = 1024 * 1024


class Settings(BaseSettings):
    """The settings, read from the environment; arguments win over it."""

    model_config = SettingsConfigDict(env_prefix="ATLAS_", frozen=True, extra="ignore")

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    mode: Literal["auto", "local", "public"] = Field(
        default="auto", description="public switches off what a stranger must not do; auto: public unless on loopback."
    )
    cache: Path | None = Field(default=None, description="Folder of fetched models; default: the user's cache.")
    models_dir: Path | None = Field(
        default=None, description="Folder of your own models: each subfolder with a config.json is one, by its name."
    )
    lessons_dir: Path | None = Field(
        default=None, description="Folder of your own lessons: name.json or name.ko.json, read at the start."
    )
    device: str = Field(default="auto", description="cpu, cuda, mps, or auto for the best there is.")
    dtype: Literal["float32", "bfloat16", "float16"] = Field(
        default="float32", description="Number format of the models' parameters."
    )
    trace_cache_bytes: int = Field(
        default=512 * MIB, ge=0, description="Memory for traces; the newest one is kept even when it is larger."
    )
    image_cache_bytes: int = Field(
        default=64 * MIB, ge=0, description="Memory for uploaded pictures; the newest one always stays."
    )
    figure_cache_bytes: int = Field(
        default=32 * MIB, ge=0, description="Memory for figures and offline pages; a larger one is not kept."
    )
    memory_bytes: int | None = Field(
        default=None, ge=1, description="Memory that models and traces may take together; default: what is free."
    )
    queue_limit: int = Field(default=8, ge=1, description="Requests that may wait for one model.")
    max_body_bytes: int = Field(default=MIB, ge=1, description="Largest body of a request, but for a picture.")
    max_trace_file_bytes: int = Field(default=128 * MIB, ge=1, description="Largest trace file that is taken.")
    max_image_bytes: int = Field(default=8 * MIB, ge=1, le=8 * MIB, description="Largest picture that is taken.")
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Host names to answer to, commas between, * for all; default: loopback, or public_url's.",
    )
    public_url: str | None = Field(
        default=None, description="Address that people see, such as https://atlas.example, for absolute links."
    )
    allow_fetch: bool | None = Field(
        default=None, description="Whether a visitor may start a model's download; default: only in local mode."
    )
    evaluate: bool | None = Field(
        default=None, description="Whether a visitor may start an evaluation of heads; default: only in local mode."
    )
    measure: bool | None = Field(
        default=None,
        description="Whether a visitor may let ideas measure or train here, for up to a minute; "
        "default: only in local mode.",
    )
    training: bool | None = Field(
        default=None, description="Whether a visitor may train small models in the lab; default: only in local mode."
    )
    trainings: int = Field(default=2, ge=1, description="Trainings in the lab at once; a visitor has one.")
    training_seconds: float = Field(
        default=300.0,
        gt=0,
        allow_inf_nan=False,
        description="Seconds after which a training in the lab ends as far as it is.",
    )
    trained_models: int = Field(
        default=16, ge=1, description="Models of the lab that are held; those used longest ago go first."
    )
    trace_files: bool | None = Field(
        default=None, description="Whether a visitor may open a trace file here; default: only in local mode."
    )
    fetch_on_start: bool = Field(default=True, description="Fetch the default model at the first start.")
    trace_timeout: float = Field(default=120.0, gt=0, description="Seconds a request waits for its trace.")

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _split(cls, given: object) -> object:
        """Names with commas between, as an environment variable carries them."""
        return tuple(name.strip() for name in given.split(",") if name.strip()) if isinstance(given, str) else given

    @field_validator("public_url")
    @classmethod
    def _demand_origin(cls, given: str | None) -> str | None:
        """An address that a link can begin with: its pages stand at the root of it."""
        if not given:
            return None
        parts = urlsplit(given)
        host_only = parts.hostname and "@" not in parts.netloc and not (parts.path.strip("/") or parts.query)
        if parts.scheme not in ("http", "https") or not host_only or parts.fragment:
            raise ValueError("must be http:// or https:// and a host, such as https://atlas.example")
        return given.rstrip("/")

    @property
    def base_url(self) -> str:
        """What absolute links begin with, no slash at the end: public_url, else where the server listens. Never the
        Host header, which a stranger may choose."""
        if self.public_url:
            return self.public_url
        bracketed = f"[{self.host}]" if ":" in self.host else self.host
        # Everywhere is no address that a link can name.
        return f"http://{'localhost' if _is_everywhere(self.host) else bracketed}:{self.port}"

    @property
    def is_public(self) -> bool:
        """Whether strangers may reach this server."""
        return self.mode == "public" or (self.mode == "auto" and not _is_loopback(self.host))

    @property
    def may_fetch(self) -> bool:
        """Whether a visitor may start a model's download."""
        return not self.is_public if self.allow_fetch is None else self.allow_fetch

    @property
    def may_evaluate(self) -> bool:
        """Whether a visitor may start an evaluation of heads, which takes minutes of the processor."""
        return not self.is_public if self.evaluate is None else self.evaluate

    @property
    def may_measure(self) -> bool:
        """Whether a visitor may start what ideas measure and train, which takes all of a processor for a while."""
        return not self.is_public if self.measure is None else self.measure

    @property
    def may_train(self) -> bool:
        """Whether a visitor may train a model in the lab, which takes a core of the processor for a while."""
        return not self.is_public if self.training is None else self.training

    @property
    def may_open_files(self) -> bool:
        """Whether a visitor may open a trace file, which takes as much memory as its tensors."""
        return not self.is_public if self.trace_files is None else self.trace_files

    @property
    def hosts(self) -> tuple[str, ...]:
        """The host names this server answers to, lower case; empty: all of them."""
        if self.allowed_hosts:
            return () if "*" in self.allowed_hosts else tuple(host.lower() for host in self.allowed_hosts)
        if not self.is_public:
            own_address = f"[{self.host}]" if ":" in self.host else self.host
            return ("localhost", "127.0.0.1", "[::1]", own_address.lower())
        own = urlsplit(self.public_url or "").hostname
        return (own, "localhost", "127.0.0.1") if own else ()


def _is_everywhere(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return not host


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
