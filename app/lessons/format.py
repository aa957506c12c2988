"""The format of a lesson: one JSON file of texts and views. What somebody else wrote is read here without trust."""

import json
import re
from typing import Annotated, Any, Literal, NoReturn, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from app.address import FORMS, demand_known, pairs_of
from app.problems import ProblemError
from attention_core.errors import InputError

FORMAT = "attention-atlas-lesson"
VERSION = 1
MOST_BYTES = 1024 * 1024
MOST_BLOCKS = 200
LONGEST_TEXT = 20_000
LONGEST_ADDRESS = 8_192
NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
# What text has no use for; line breaks and tabs stay.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
SURROGATE = re.compile(r"[\ud800-\udfff]")

Language = Literal["en", "ko"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
Part = Literal["heatmap", "lines", "table", "grid", "strip"]


def _demand_text(given: str) -> str:
    """A text that can be shown and sent."""
    if SURROGATE.search(given):
        raise ValueError("holds half of a surrogate pair, which is no character")
    if found := CONTROL.search(given):
        raise ValueError(f"holds the control character U+{ord(found[0]):04X}")
    if not given.strip():
        raise ValueError("is empty")
    return given


def _demand_line(given: str) -> str:
    if len(given.splitlines()) > 1:
        raise ValueError("must be one line")
    return given


def _demand_name(given: str) -> str:
    if not NAME.fullmatch(given):
        raise ValueError("must be small letters, digits and hyphens between them, at most 64 characters")
    return given


def _demand_address(given: str) -> str:
    """A query string of the page's own parameters, each with a value that it takes."""
    pairs = pairs_of(given)
    if not pairs:
        raise ValueError("must be a query string of the page, such as text=Owls+see&layer=3&head=1")
    try:
        demand_known(pairs, FORMS)
    except ProblemError as problem:
        raise ValueError(str(problem)) from None
    return given


def _demand_parts(given: list[Part]) -> list[Part]:
    if len(set(given)) < len(given):
        raise ValueError("names a part twice")
    return given


# Lengths are looked at first: what is too long is not read any further.
_TEXT = AfterValidator(_demand_text)
_LINE = AfterValidator(_demand_line)


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class TextBlock(_Strict):
    """Markdown: headings, lists, tables, links, formulas between dollar signs; no HTML."""

    type: Literal["text"]
    markdown: Annotated[str, Field(max_length=LONGEST_TEXT), _TEXT]


class ViewBlock(_Strict):
    """A view of the page, by its own query string; `show` are its parts from above, default: what the address shows."""

    type: Literal["view"]
    address: Annotated[str, Field(max_length=LONGEST_ADDRESS), _TEXT, AfterValidator(_demand_address)]
    show: Annotated[list[Part], Field(min_length=1), AfterValidator(_demand_parts)] | None = None
    caption: Annotated[str, Field(max_length=500), _TEXT, _LINE] | None = None


Block = Annotated[TextBlock | ViewBlock, Field(discriminator="type")]


class Lesson(_Strict):
    """A lesson: what it is called, in which language, how long it takes, and its blocks in order."""

    format: Literal["attention-atlas-lesson"]
    version: Literal[1]
    name: Annotated[str, Field(max_length=64), AfterValidator(_demand_name)]
    language: Language
    title: Annotated[str, Field(max_length=200), _TEXT, _LINE]
    summary: Annotated[str, Field(max_length=1000), _TEXT, _LINE]
    minutes: Annotated[int, Field(ge=1, le=600)] | None = None
    blocks: Annotated[list[Block], Field(min_length=1, max_length=MOST_BLOCKS)]


def read_lesson(data: bytes) -> Lesson:
    """The lesson in a file's bytes. An InputError names everything that is wrong with them, by its place: the size,
    JSON, another format or version, unknown keys, texts that are too long, addresses that the page would not take."""
    if len(data) > MOST_BYTES:
        raise InputError(f"the lesson has {len(data)} bytes; accepted: at most {MOST_BYTES}")
    try:
        found = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_refuse)
    except RecursionError:
        raise InputError("the lesson is not valid: its JSON is nested too deeply") from None
    except ValueError as error:  # UnicodeDecodeError and JSONDecodeError are some
        raise InputError(f"the lesson is not valid JSON in UTF-8: {error}") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise InputError(f'this is no lesson; accepted: a JSON object with "format": "{FORMAT}"')
    version = found.get("version")
    if type(version) is not int or version != VERSION:
        raise InputError(f"the lesson has version {str(version)[:20]}; accepted: {VERSION}")
    try:
        return Lesson.model_validate(found)
    except ValidationError as error:
        raise InputError(f"the lesson is not valid: {'; '.join(_faults(error))}") from None


def _faults(error: ValidationError) -> list[str]:
    """What is wrong and where, at most ten lines; the place of a block without the name of its type."""
    listed = error.errors(include_url=False, include_input=False, include_context=False)
    lines = []
    for one in listed[:10]:
        place = [str(part)[:40] for at, part in enumerate(one["loc"]) if not (at == 2 and one["loc"][0] == "blocks")]
        lines.append(f"{'.'.join(place)}: {one['msg'].removeprefix('Value error, ')}")
    return [*lines, f"and {len(listed) - 10} more"] if len(listed) > 10 else lines


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key stands twice in an object")
    return made


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
