"""Trace files over HTTP: a trace as one .safetensors file, and a file from anybody as a trace that is held here.

A file is hostile until read. It is taken up to a size, a few at a time, in memory that was asked for first; what is
wrong with it is a 422 that says so.
"""

import re
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app import documents, reading
from app.incoming import bytes_of, parameters_of
from app.problems import BusyError, ProblemError
from app.schemas import NoParameters
from app.service import TraceService
from app.settings import Settings
from app.trace_ids import file_id
from attention_core.errors import TraceError

if TYPE_CHECKING:
    from attention_core.trace import AttentionTrace

BINARY = "application/octet-stream"
AT_ONCE = 2  # files that come in at the same time; each is in memory as a whole
JSON_GROWTH = 32  # times that a header is larger once it is read: an empty object of two characters takes 64 bytes
COPIES = 2  # of the tensors: as they came, and as they are held
# What is drawn of a trace reads all of its weights once. Above this nobody would wait for them.
MOST_WEIGHTS = 2**35

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def add_trace_files(router: APIRouter, settings: Settings, service: TraceService) -> None:
    """The routes that give a trace as a file and take one."""
    limit = settings.max_trace_file_bytes
    coming = 0

    @router.get("/traces/{trace_id}/file")
    async def download(request: Request, trace_id: str) -> Response:
        """The trace as one .safetensors file: everything that is shown of it, exactly."""
        parameters_of(request, NoParameters)
        trace = service.held(trace_id)
        data = await service.read(lambda: _written(service, trace))
        # Not immutable: a trace that is made again is the same but for its seconds.
        reply = reading.tagged(request, data, BINARY, "no-cache")
        reply.headers["Content-Disposition"] = f'attachment; filename="{name_of(trace, trace_id)}"'
        reply.headers["Content-Encoding"] = "identity"  # numbers hardly shrink, and others would wait meanwhile
        return reply

    @router.post("/trace-files", status_code=201, openapi_extra=_described())
    async def take(request: Request) -> Response:
        """Opens a trace file, which is then read as any trace under the id of its reply; 200 when it was open already.

        That its numbers are a model's own, only the file says: `checked` is false.
        """
        nonlocal coming
        parameters_of(request, NoParameters)
        if not settings.may_open_files:
            raise ProblemError("not-allowed", "this server opens no trace files", reason="trace-files")
        if coming >= AT_ONCE:
            raise BusyError()
        coming += 1
        try:
            too_large = ProblemError(
                "trace-file-too-large", f"a trace file may have at most {limit} bytes", limit=limit
            )
            trace_id, trace, new = await hold(service, await bytes_of(request, too_large))
        finally:
            coming -= 1
        headers = {"Location": f"/api/v1/traces/{trace_id}", "Cache-Control": "no-store"}
        body = await service.read(lambda: documents.trace_document(trace_id, trace))
        return JSONResponse(body, 201 if new else 200, headers)


async def hold(service: TraceService, data: bytes) -> "tuple[str, AttentionTrace, bool]":
    """The id and the trace of a file's bytes, now held, and whether it is new; a trace-file problem without one."""
    trace_id = file_id(data)
    held = service.traces.get(trace_id)
    if held is not None:
        return trace_id, held, False
    trace = await service.read(lambda: _read(service, data))
    service.traces.put(trace_id, trace)
    service.metrics.cache_bytes.set(service.traces.nbytes)
    return trace_id, trace, True


def name_of(trace: "AttentionTrace", trace_id: str) -> str:
    """A file name in plain ASCII, whatever the model is called."""
    model = _UNSAFE.sub("-", trace.model.name).strip("-.")[:60] or "trace"
    return f"attention-atlas-{model}-{trace_id[-8:]}.safetensors"


def _written(service: TraceService, trace: "AttentionTrace") -> bytes:
    from attention_core.storage import to_bytes  # brings torch in, which takes seconds

    with service.budget.room("a trace file", COPIES * trace.nbytes):
        return to_bytes(trace)


def _read(service: TraceService, data: bytes) -> "AttentionTrace":
    from attention_core.storage import HEADER_BYTES, from_bytes

    header = min(int.from_bytes(data[:8], "little"), HEADER_BYTES, len(data))
    with service.budget.room("opening a trace file", COPIES * len(data) + JSON_GROWTH * header):
        try:
            trace = from_bytes(data)
        except TraceError as error:
            raise ProblemError("trace-file", str(error)) from None
        weights = sum(one.head_count * one.query_count * one.key_count for one in trace.maps)
        if weights > MOST_WEIGHTS:
            sentence = f"this trace has {weights} weights; accepted: at most {MOST_WEIGHTS}"
            raise ProblemError("trace-file-too-large", sentence, limit=MOST_WEIGHTS, reason="weights")
        return trace


def _described() -> dict[str, Any]:
    content = {BINARY: {"schema": {"type": "string", "format": "binary"}}}
    return {"requestBody": {"required": True, "content": content}}
