"""A lesson that somebody is writing: checked, shown as its readers will see it, and made into files.

It lives in its author's browser, or in a file; nothing of it is kept here. Whatever comes in is hostile until
`read_lesson` has read it.
"""

import asyncio
import gzip
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.address import Starts
from app.incoming import bytes_of, described, parameters_of
from app.lessons import parcel
from app.lessons.allowance import Allowance
from app.lessons.format import MOST_BYTES, Lesson, read_lesson
from app.lessons.pages import FRAMING, view_document
from app.lessons.parcel import Parcel
from app.lessons.pictures import Picture, Pictures, missing, wishes, words_of
from app.lessons.rendering import Text
from app.lessons.shelf import View, parts_of
from app.pages import Pages
from app.pending import Pending, Turns
from app.problems import BusyError, ClientGoneError, ProblemError
from app.schemas import ExportParameters, LessonParameters, NoParameters
from attention_core.errors import AtlasError, InputError

if TYPE_CHECKING:
    from app.drawing import Figures
    from app.drawn import File
    from app.figuring import Wanted
    from app.pending import Gone
    from app.service import TraceService

T = TypeVar("T")
NOT_KEPT = {"Cache-Control": "no-store"}
EXPORTS, EXPORTS_WAITING = 2, 32  # an export keeps its pictures until it is written
TRIES = 10  # for a picture, while others have theirs drawn
Document = dict[str, Any]
_LESSON = {"schema": {"$ref": "#/components/schemas/Lesson"}}
_BODY: Document = {"requestBody": {"required": True, "content": {"application/json": _LESSON}}}


class Drafts:
    """The page of a lesson in the making, and what the server does for it."""

    def __init__(self, pages: Pages, figures: "Figures", starts: Starts, service: "TraceService") -> None:
        self._pages = pages
        self._figures = figures
        self._starts = starts
        self._service = service
        self._exports = Turns(EXPORTS, EXPORTS_WAITING)

    async def page(self, request: Request) -> Response:
        """The page on which a lesson is written."""
        return self._pages.page(request, "tray.html", {}, {"place": "mine"}, headers=FRAMING)

    async def check(self, request: Request) -> Response:
        """A lesson's file as it was read: without what means nothing. A lesson problem names all that is wrong."""
        parameters_of(request, NoParameters)
        lesson = await _lesson_of(request)
        return JSONResponse(lesson.model_dump(exclude_none=True), headers=NOT_KEPT)

    async def preview(self, request: Request) -> Response:
        """The blocks of a lesson as a reader sees them: text as safe HTML with its headings, views by their addresses.
        `lang` is the reader's language."""
        wanted = parameters_of(request, LessonParameters)
        lesson = await _lesson_of(request)
        parts = await self._set(request, lambda allowance: parts_of(lesson, allowance))
        shown = [self._part(part, wanted.lang) for part in parts]
        return JSONResponse({"blocks": shown}, headers=NOT_KEPT)

    async def _set(self, request: Request, work: Callable[[Allowance], T]) -> T:
        """What comes of work on a stranger's texts, which may take a while: it waits its turn, and ends when the
        client leaves."""
        allowance = Allowance()
        try:
            pending = Pending(self._service.renderers.submit(lambda: work(allowance)))
            # Asking for the exception marks it as seen, also when nobody waits any more.
            pending.result.add_done_callback(lambda result: result.cancelled() or result.exception())
            return await pending.wait(request.is_disconnected, self._service.settings.trace_timeout)
        finally:
            allowance.stop()

    def _part(self, part: Text | View, lang: str) -> Document:
        if isinstance(part, Text):
            return {"html": part.html, "headings": [{"id": one.id, "text": one.text} for one in part.headings]}
        view = view_document(part, self._starts, lang)
        at = view["address"]
        return {
            **{name: view[name] for name in ("embed", "explore", "pictures", "caption", "parts")},
            "title": self._title(at, view["what"], lang),
            # What an embed does not show, its picture does.
            "still": bool(at.trace),
        }

    def _title(self, at: Any, what: str, lang: str) -> str:
        """The name of a view: what it shows of which model, which head and text."""
        words = self._pages.messages(lang)
        said = {"what": words[f"lesson.part.{what}"], "model": self._pages.title_of(at.model, lang)}
        if not at.text:
            return words["lesson.view.plain"].format(**said)
        short = at.text if len(at.text) <= 80 else f"{at.text[:79]}…"
        return words["lesson.view"].format(**said, head=f"L{at.layer} H{at.head}", text=short)

    async def export(self, request: Request) -> Response:
        """A lesson as a file to take along: html and markdown are zips, notebook is an .ipynb. Pictures are made as
        those of /figure; a view without one says why. What is being made ends when the client leaves. Problems: lesson,
        busy."""
        wanted = parameters_of(request, ExportParameters)
        lesson = await _lesson_of(request)
        ending, media, _ = parcel.FORMATS[wanted.format]
        base = self._service.settings.base_url
        async with self._exports.turn(request.is_disconnected, self._service.settings.trace_timeout):
            pictures = await self._pictures(lesson, ending, request.is_disconnected)
            data = await self._set(
                request, lambda allowance: parcel.write(wanted.format, Parcel(lesson, pictures, base, allowance))
            )
        name = parcel.filename(lesson, wanted.format)
        headers = {**NOT_KEPT, "Content-Disposition": f'attachment; filename="{name}"', "Content-Encoding": "identity"}
        return Response(data, media_type=media, headers=headers)

    async def _pictures(self, lesson: Lesson, ending: str, gone: "Gone") -> Pictures:
        made: dict[int, list[Any]] = {}
        for wish in _wishes(lesson):
            there = made.setdefault(wish.block, [])
            try:
                wanted = wish.wanted(ending, self._starts)
                file = await self._drawn(wanted, gone)
                described = await self._drawn(wish.wanted("json", self._starts), gone)
                data = gzip.decompress(file.data) if file.packed else file.data
                there.append(Picture(wanted, data, words_of(gzip.decompress(described.data))))
            except (AtlasError, ProblemError) as error:
                there.append(missing(error, parcel.messages(lesson.language)))
        return made

    async def _drawn(self, wanted: "Wanted", gone: "Gone") -> "File":
        """A figure; it is asked for again while too many of others are being drawn."""
        for _ in range(TRIES):
            if await gone():
                raise ClientGoneError
            try:
                return await self._figures.file(wanted, gone)
            except BusyError as busy:
                await asyncio.sleep(busy.retry_after)
        raise BusyError(retry_after=10)


def _wishes(lesson: Lesson) -> Any:
    try:
        return wishes(lesson)
    except InputError as error:
        raise ProblemError("lesson", str(error), fault=str(error), reason="export", **error.facts) from None


async def _lesson_of(request: Request) -> Lesson:
    """The lesson in a request's body; a lesson or too-large problem without one."""
    sentence = f"a lesson may have at most {MOST_BYTES} bytes"
    data = await bytes_of(request, ProblemError("lesson-too-large", sentence, limit=MOST_BYTES))
    try:
        return await asyncio.to_thread(lambda: read_lesson(data))
    except InputError as error:
        raise ProblemError("lesson", str(error), fault=str(error)) from None


def add_drafts(app: FastAPI, drafts: Drafts) -> None:
    """Gives the server the page of a lesson in the making, and its routes under /api/v1."""
    app.add_api_route("/lesson", drafts.page, methods=["GET", "HEAD"], include_in_schema=False, response_model=None)
    router = APIRouter(prefix="/api/v1/lessons")
    for name, route, parameters in (
        ("check", drafts.check, NoParameters),
        ("preview", drafts.preview, LessonParameters),
        ("export", drafts.export, ExportParameters),
    ):
        extra = described(parameters, "query") | _BODY
        router.add_api_route(f"/{name}", route, methods=["POST"], response_model=None, openapi_extra=extra)
    app.include_router(router)
