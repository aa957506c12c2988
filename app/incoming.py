"""What comes in over HTTP, checked: bodies and query strings as models of schemas, or a problem that says why not."""

import json
from collections.abc import Sequence
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from app import schemas
from app.job_schemas import REQUESTS, JobRequest, Sampling, request_of
from app.lab_schemas import Choices
from app.problems import ProblemError

M = TypeVar("M", bound=BaseModel)


async def body_of(request: Request, model: type[M], limit: int) -> M:
    """The request's body as a model; a too-large, invalid-json or 422 problem when it is not one."""
    return checked(model, await _json_of(request, limit))


async def job_of(request: Request, limit: int) -> JobRequest:
    """What the body of POST /jobs asks for, by its `do`; the problems of `body_of`."""
    data = await _json_of(request, limit)
    wanted = checked(request_of(data), data)
    assert isinstance(wanted, JobRequest)
    return wanted


async def _json_of(request: Request, limit: int) -> object:
    body = await bytes_of(request, ProblemError("too-large", f"the body is larger than {limit} bytes", limit=limit))
    try:
        data = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise ProblemError("invalid-json", "the body is not valid JSON in UTF-8") from None
    _refuse_surrogates(data)
    return data


async def bytes_of(request: Request, too_large: ProblemError) -> bytes:
    """The request's body; `too_large`, whose facts name the limit, as soon as it is longer than that."""
    limit = too_large.facts["limit"]
    assert isinstance(limit, int)
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > limit:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise too_large
    return bytes(body)


def parameters_of(request: Request, model: type[M]) -> M:
    """The request's query string as a model; a 422 problem when it is not one."""
    pairs = request.query_params.multi_items()
    if len({name for name, _ in pairs}) < len(pairs):
        sentence = "a parameter is given twice"
        raise ProblemError("invalid-request", sentence, errors=[f"query: {sentence}"])
    return checked(model, dict(pairs))


def checked(model: type[M], data: object) -> M:
    """The data as a model; what is wrong with it as a problem that never quotes the data."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        _refuse(error, model)


def _refuse(error: ValidationError, model: type[BaseModel]) -> NoReturn:
    errors = error.errors(include_url=False, include_context=False, include_input=False)
    for one in errors:
        if one["type"] == "extra_forbidden":
            *outer, name = one["loc"]
            within: dict[str, type[BaseModel]] = {"options": schemas.Options, "sampling": Sampling, "choices": Choices}
            fields = (within[str(outer[0])] if outer else model).model_fields
            accepted = [field.alias or name for name, field in fields.items()]
            value = str(name)[:100]
            listed = ", ".join(accepted) or "none"
            raise ProblemError(
                "unknown-parameter", f"unknown parameter {value!r}; accepted: {listed}", value=value, accepted=accepted
            )
    lines = [f"{'.'.join(str(place) for place in one['loc']) or 'body'}: {_sentence(one['msg'])}" for one in errors]
    raise ProblemError("invalid-request", "; ".join(lines), errors=lines)


def _sentence(message: str) -> str:
    """Our own sentences without what pydantic puts before them."""
    return message.removeprefix("Value error, ")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _refuse_surrogates(data: object) -> None:
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        raise ProblemError("text", "the request holds half of a surrogate pair, which is no character") from None


def described(model: type[BaseModel], where: str) -> dict[str, Any]:
    """The OpenAPI text of a model that we check ourselves: as "body", or as a query's parameters."""
    schema = _schema(model)
    if where == "body":
        return _body(schema)
    required = schema.get("required", [])
    listed = [
        {"name": name, "in": "query", "required": name in required, "schema": one}
        for name, one in schema.get("properties", {}).items()
    ]
    return {"parameters": listed}


def described_any(models: Sequence[type[BaseModel]]) -> dict[str, Any]:
    """The OpenAPI text of a query that one of several models checks: each parameter in the forms that these take."""
    forms: dict[str, list[Any]] = {}
    for one in (one for model in models for one in described(model, "query")["parameters"]):
        found = forms.setdefault(one["name"], [])
        if one["schema"] not in found:
            found.append(one["schema"])
    listed = ((name, found[0] if len(found) == 1 else {"anyOf": found}) for name, found in forms.items())
    return {"parameters": [{"name": name, "in": "query", "required": False, "schema": one} for name, one in listed]}


def described_jobs() -> dict[str, Any]:
    """The OpenAPI text of the body of POST /jobs: one of several, told apart by `do` and `name`."""
    return _body({"title": "JobRequest", "oneOf": [_schema(model) for model in REQUESTS]})


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    """A model's JSON schema in one piece: inside an OpenAPI document its references would lead nowhere."""
    schema = model.model_json_schema()
    parts = schema.pop("$defs", {})

    def whole(part: Any) -> Any:
        if isinstance(part, list):
            return [whole(one) for one in part]
        if not isinstance(part, dict):
            return part
        named = parts.get(str(part.get("$ref", "")).removeprefix("#/$defs/"), {})
        return {name: whole(one) for name, one in {**named, **part}.items() if name != "$ref"}

    made: dict[str, Any] = whole(schema)
    return made


def described_picture() -> dict[str, Any]:
    """The OpenAPI text of a body that is a picture's bytes."""
    one = {"schema": {"type": "string", "format": "binary"}}
    content = dict.fromkeys(("image/png", "image/jpeg", "image/webp"), one)
    return {"requestBody": {"required": True, "content": content}}
