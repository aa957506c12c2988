"""The HTTP interface, version 1: what comes in is checked, handed to the service, and spelled by schemas."""

import hashlib
import io
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import numpy as np
from fastapi import APIRouter
from fastapi.sse import EventSourceResponse
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app import schemas
from app.jobs import Jobs
from app.problems import ProblemError
from app.schemas import MOST_CELLS, ThumbnailParameters, WeightParameters
from app.service import ClientGoneError, TraceService
from app.settings import Settings

if TYPE_CHECKING:
    from attention_core.trace import AttentionTrace

M = TypeVar("M", bound=BaseModel)
Array = np.ndarray[Any, np.dtype[Any]]

IMMUTABLE = "public, max-age=31536000, immutable"


async def body_of(request: Request, model: type[M], limit: int) -> M:
    """The request's body as a model; a too-large, invalid-json or 422 problem when it is not one."""
    declared = request.headers.get("content-length", "0")
    body = bytearray()
    if declared.isdecimal() and int(declared) > limit:
        raise _too_large(limit)
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise _too_large(limit)
    try:
        data = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise ProblemError("invalid-json", "the body is not valid JSON in UTF-8") from None
    _refuse_surrogates(data)
    return checked(model, data)


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
            accepted = list((schemas.Options if outer == ["options"] else model).model_fields)
            value = str(name)[:100]
            listed = ", ".join(accepted) or "none"
            raise ProblemError(
                "unknown-parameter", f"unknown parameter {value!r}; accepted: {listed}", value=value, accepted=accepted
            )
    lines = [f"{'.'.join(str(place) for place in one['loc']) or 'body'}: {one['msg']}" for one in errors]
    raise ProblemError("invalid-request", "; ".join(lines), errors=lines)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _refuse_surrogates(data: object) -> None:
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        raise ProblemError("text", "the request holds half of a surrogate pair, which is no character") from None


def _too_large(limit: int) -> ProblemError:
    return ProblemError("too-large", f"the body is larger than {limit} bytes", limit=limit)


def _describe(model: type[BaseModel], where: str) -> dict[str, Any]:
    """The OpenAPI text of a model that we check ourselves."""
    schema = model.model_json_schema()
    if where == "body":
        return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
    required = schema.get("required", [])
    listed = [
        {"name": name, "in": "query", "required": name in required, "schema": one}
        for name, one in schema.get("properties", {}).items()
    ]
    return {"parameters": listed}


def create_router(settings: Settings, service: TraceService, jobs: Jobs) -> APIRouter:
    """The routes of /api/v1."""
    router = APIRouter(prefix="/api/v1")
    _add_models(router, settings, service, jobs)
    _add_traces(router, settings, service)
    _add_matrices(router, service)
    return router


def _add_models(router: APIRouter, settings: Settings, service: TraceService, jobs: Jobs) -> None:
    @router.get("/models")
    async def models(request: Request) -> Response:
        """The models of the catalogue and what has become of each here."""
        parameters_of(request, schemas.NoParameters)
        listed = [schemas.model_document(entry, *jobs.standing(entry)) for entry in service.catalogue.entries]
        body = schemas.models_document(service.catalogue.default.card.name, listed)
        return JSONResponse(body, headers={"Cache-Control": "no-store"})

    @router.post("/jobs", status_code=202, openapi_extra=_describe(schemas.JobRequest, "body"))
    async def start(request: Request) -> Response:
        """Starts long work; the same job when it runs already."""
        parameters_of(request, schemas.NoParameters)
        wanted = await body_of(request, schemas.JobRequest, settings.max_body_bytes)
        _demand_fetch(settings)
        return JSONResponse(jobs.fetch(wanted.model).document(), 202)

    @router.get("/jobs/{job_id}/events")
    async def events(request: Request, job_id: str) -> Response:
        """A job's progress as server-sent events; a reader only watches."""
        parameters_of(request, schemas.NoParameters)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return EventSourceResponse(jobs.get(job_id).events(), headers=headers)

    @router.delete("/jobs/{job_id}", status_code=202)
    async def cancel(request: Request, job_id: str) -> Response:
        """Asks a job to stop; its readers see when it has."""
        parameters_of(request, schemas.NoParameters)
        _demand_fetch(settings)
        job = jobs.get(job_id)
        job.stop.set()
        return JSONResponse(job.document(), 202)


def _demand_fetch(settings: Settings) -> None:
    if not settings.may_fetch:
        raise ProblemError("not-allowed", "this server does not let visitors fetch models")


def _add_traces(router: APIRouter, settings: Settings, service: TraceService) -> None:
    @router.post("/traces", status_code=201, openapi_extra=_describe(schemas.TraceRequest, "body"))
    async def make(request: Request) -> Response:
        """Makes a trace of an example; 200 when it was there already."""
        parameters_of(request, schemas.NoParameters)
        wanted = await body_of(request, schemas.TraceRequest, settings.max_body_bytes)
        try:
            trace_id, trace, new = await service.make(wanted, request.is_disconnected)
        except ClientGoneError:
            return Response(status_code=499)
        headers = {"Location": f"/api/v1/traces/{trace_id}", "Cache-Control": "no-store"}
        return JSONResponse(schemas.trace_document(trace_id, trace), 201 if new else 200, headers)

    @router.get("/traces/{trace_id}")
    async def show(request: Request, trace_id: str) -> Response:
        """Everything of a trace but its matrices."""
        parameters_of(request, schemas.NoParameters)
        body = schemas.trace_document(trace_id, service.held(trace_id))
        return JSONResponse(body, headers={"Cache-Control": "no-cache"})


def _add_matrices(router: APIRouter, service: TraceService) -> None:
    @router.get("/traces/{trace_id}/thumbnails", openapi_extra=_describe(ThumbnailParameters, "query"))
    async def thumbnails(request: Request, trace_id: str) -> Response:
        """Every head of a kind, small: uint8 (layer, head, query cell, key cell), round(255 sqrt(weight))."""
        wanted = parameters_of(request, ThumbnailParameters)
        trace = service.held(trace_id)
        return await _matrix(request, service, lambda: read_thumbnails(trace, wanted))

    @router.get("/traces/{trace_id}/weights", openapi_extra=_describe(WeightParameters, "query"))
    async def weights(request: Request, trace_id: str) -> Response:
        """A window of weights, float32 (query, key); without a head (head, query, key)."""
        wanted = parameters_of(request, WeightParameters)
        trace = service.held(trace_id)
        return await _matrix(request, service, lambda: read_weights(trace, wanted))


async def _matrix(request: Request, service: TraceService, read: Callable[[], Array]) -> Response:
    """An array as .npy with a tag of its bytes; 304 when the client has them."""
    data, tag = await service.read(lambda: _npy(read()))
    headers = {"ETag": tag, "Cache-Control": IMMUTABLE}
    known = [item.strip().removeprefix("W/") for item in request.headers.get("if-none-match", "").split(",")]
    if tag in known or known == ["*"]:
        return Response(status_code=304, headers=headers)
    return Response(data, media_type="application/octet-stream", headers=headers)


def _npy(array: Array) -> tuple[bytes, str]:
    file = io.BytesIO()
    np.save(file, np.ascontiguousarray(array), allow_pickle=False)
    data = file.getvalue()
    return data, f'"{hashlib.sha256(data).hexdigest()[:32]}"'


def read_thumbnails(trace: "AttentionTrace", wanted: ThumbnailParameters) -> Array:
    """uint8 (layer, head, query cell, key cell): round(255 sqrt(w)) of the largest weight w in each cell."""
    import torch

    maps = trace.maps_of(trace.kinds[0] if wanted.kind is None else wanted.kind)
    stacked = torch.stack([one.overview(None, wanted.size) for one in maps])
    small: Array = (stacked.clamp(0, 1).sqrt() * 255).round().to(torch.uint8).cpu().numpy()
    return small


def read_weights(trace: "AttentionTrace", wanted: WeightParameters) -> Array:
    """float32 (query, key) of one head, (head, query, key) of all; an overview when a size is wanted."""
    one = trace.map(trace.kinds[0] if wanted.kind is None else wanted.kind, wanted.layer)
    queries, keys = _slice(wanted.queries), _slice(wanted.keys)
    if wanted.size is not None:
        read = one.overview(wanted.head, wanted.size, wanted.reduce, queries, keys)
    else:
        _demand_small(queries, one.query_count)
        _demand_small(keys, one.key_count)
        read = one.weights(wanted.head, queries, keys)
    array: Array = (read if wanted.head is None else read[0]).float().cpu().numpy()
    return array


def _slice(wanted: str | None) -> slice | None:
    if wanted is None:
        return None
    first, _, last = wanted.partition(":")
    return slice(int(first), int(last))


def _demand_small(window: slice | None, count: int) -> None:
    length = count if window is None else window.stop - window.start
    if length > MOST_CELLS:
        raise ProblemError(
            "window",
            f"at most {MOST_CELLS} x {MOST_CELLS} weights can be read exactly; ask for a smaller window, or for a size",
            limit=MOST_CELLS,
        )
