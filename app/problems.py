"""Errors as application/problem+json (RFC 9457): the one place that turns what went wrong into a reply."""

import logging
import traceback
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from attention_core.errors import AtlasError, Fact, InputError

log = logging.getLogger("attention_atlas")

# code -> (status, title). A code is never renamed; the page has its sentence as the message "problem.<code>".
KNOWN: dict[str, tuple[int, str]] = {
    "empty-text": (422, "There is no text"),
    "text": (422, "The text is not valid"),
    "too-many-tokens": (422, "The text has too many tokens"),
    "too-many-written": (422, "No more tokens are written"),
    "wrong-language": (422, "The text is in another language"),
    "unknown-words": (422, "The model does not know these words"),
    "picture": (422, "This is no picture that can be read"),
    "picture-too-large": (413, "The picture is too large"),
    "unknown-name": (422, "There is nothing of that name"),
    "page-too-long": (422, "The offline page would be too large"),
    "window": (422, "The window does not fit"),
    "not-available": (422, "This is not available"),
    "unknown-parameter": (422, "There is no such parameter"),
    "invalid-request": (422, "The request is not valid"),
    "invalid-input": (422, "The input is not valid"),
    "shape": (422, "The shapes do not fit"),
    "evaluation-cancelled": (409, "The evaluation was cancelled"),
    "experiment-cancelled": (409, "The experiment was cancelled"),
    "invalid-json": (400, "The body is not valid JSON"),
    "bad-request": (400, "The request cannot be read"),
    "too-large": (413, "The request is too large"),
    "busy": (503, "The server is busy"),
    # Not 503: waiting does not help by itself, a shorter text or a smaller model does.
    "out-of-memory": (507, "It would not fit into memory"),
    "model-absent": (409, "The model has not been fetched"),
    "model-loading": (503, "The model is being loaded"),
    "not-ready": (503, "The default model is not ready"),
    "fetch-failed": (502, "The model could not be fetched"),
    "model": (500, "The model cannot be used"),
    "checkpoint": (500, "The model's files are not usable"),
    "invalid-trace": (500, "The trace is not valid"),
    "self-check": (500, "The model did not pass its self-check"),
    "trace-not-held": (404, "The trace is not held"),
    "trace-file": (422, "This is no trace file that can be read"),
    "trace-file-too-large": (413, "The trace file is too large"),
    "lab-model-not-held": (404, "The model of the lab is not held"),
    "lab-diverged": (422, "The training came to nothing"),
    "lesson": (422, "This is no lesson that can be read"),
    "lesson-too-large": (413, "The lesson is too large"),
    "image-not-held": (404, "The picture is not held"),
    "job-not-held": (404, "The job is not known"),
    "foreign-request": (403, "The request came from elsewhere"),
    "not-allowed": (403, "This server does not allow it"),
    "not-found": (404, "There is nothing here"),
    "unknown-format": (501, "This format is not written"),
    "method-not-allowed": (405, "The method is not allowed"),
    "internal": (500, "Something went wrong"),
}


class ProblemError(Exception):
    """A problem of the service itself: a code of KNOWN, an English sentence and the facts it names."""

    def __init__(self, code: str, detail: str, **facts: Fact) -> None:
        super().__init__(detail)
        self.code = code
        self.facts = facts


class BusyError(ProblemError):
    """Too much is waiting already; `retry_after` is in seconds."""

    def __init__(self, retry_after: int = 2) -> None:
        super().__init__(
            "busy", f"too many requests are waiting; try again in {retry_after} seconds", retry_after=retry_after
        )
        self.retry_after = retry_after


class ClientGoneError(Exception):
    """Nobody waits for the reply any more."""


def document(error: Exception) -> dict[str, Any]:
    """The problem document of an error; of one that nobody foresaw it says nothing of the insides."""
    if isinstance(error, ProblemError | AtlasError):
        code = error.code if error.code in KNOWN else _nearest(error)
        facts, detail = error.facts, _safe(str(error))
    else:
        code, facts, detail = "internal", {}, "something went wrong on the server; it has been logged"
    status, title = KNOWN[code]
    spoken = {name: _safe(value) for name, value in facts.items()}
    return {**spoken, "type": f"/problems/{code}", "title": title, "status": status, "detail": detail}


def problem_response(error: Exception) -> JSONResponse:
    """The reply that carries an error's problem document."""
    body = document(error)
    headers = {"Cache-Control": "no-store"}
    if body["status"] == 503:
        headers["Retry-After"] = str(body.get("retry_after", 2))
    return JSONResponse(body, body["status"], headers, media_type="application/problem+json")


def log_unforeseen(error: BaseException) -> None:
    """Writes where an unforeseen error arose. Its message is left out: it may quote what a person wrote."""
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    log.error("unforeseen %s at %s", type(error).__name__, " < ".join(reversed(places[-8:])))


def add_handlers(app: FastAPI) -> None:
    """Lets every error that a route raises on purpose, and the framework's own, become a problem."""
    app.add_exception_handler(AtlasError, _on_error)
    app.add_exception_handler(ProblemError, _on_error)
    app.add_exception_handler(HTTPException, _on_http)
    for gone in (ClientGoneError, ClientDisconnect):
        app.add_exception_handler(gone, _on_gone)


async def _on_error(_: Request, error: Exception) -> Response:
    if document(error)["status"] == 500:
        log_unforeseen(error)
    return problem_response(error)


async def _on_gone(_: Request, __: Exception) -> Response:
    return Response(status_code=499)  # nobody reads it; the log and the metrics count it


async def _on_http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    reply = problem_response(_of_http(error.status_code))
    if error.headers and "Allow" in error.headers:
        reply.headers["Allow"] = error.headers["Allow"]
    return reply


def _of_http(status: int) -> Exception:
    if status == HTTPStatus.NOT_FOUND:
        return ProblemError("not-found", "there is nothing at this address")
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return ProblemError("method-not-allowed", "this address does not take that method")
    if 400 <= status < 500:
        return ProblemError("bad-request", "the request cannot be read")
    return RuntimeError("http error")


def _nearest(error: ProblemError | AtlasError) -> str:
    return "invalid-input" if isinstance(error, InputError) else "internal"


def _safe(value: Any) -> Any:
    """A value that UTF-8 can carry: half of a surrogate pair becomes its escape."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, list | tuple):
        return [_safe(item) for item in value]
    return value
