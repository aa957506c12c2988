"""A lesson that somebody is writing: checked, shown as its readers will see it, and made into files.

It lives in its author's browser, or in a file; nothing of it is kept here. Whatever comes in is hostile until
`read_lesson` has read it.
"""

import asyncio
import gzip
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.address import Starts
from app.incoming import bytes_of, parameters_of
from app.lessons import parcel
from app.lessons.format import MOST_BYTES, Lesson, read_lesson
from app.lessons.pages import FRAMING, view_document
from app.lessons.pictures import Picture, Pictures, missing, wishes, words_of
from app.lessons.rendering import Text
from app.lessons.shelf import Standing, View
from app.pages import Pages
from app.problems import BusyError, ProblemError
from app.schemas import ExportParameters, LessonParameters, NoParameters
from attention_core.errors import AtlasError, InputError

if TYPE_CHECKING:
    from app.drawing import Figures
    from app.pending import Gone

NOT_KEPT = {"Cache-Control": "no-store"}
Document = dict[str, Any]


class Few:
    """Work of which only some goes on at the same time; a BusyError for more."""

    def __init__(self, most: int) -> None:
        self._free = most

    def __enter__(self) -> None:
        if self._free == 0:
            raise BusyError(retry_after=5)
        self._free -= 1

    def __exit__(self, *_: object) -> None:
        self._free += 1


class Drafts:
    """The page of a lesson in the making, and what the server does for it."""

    def __init__(self, pages: Pages, figures: "Figures", starts: Starts, base: str) -> None:
        self._pages = pages
        self._figures = figures
        self._starts = starts
        self._base = base
        self._exports, self._previews = Few(2), Few(4)

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
        with self._previews:  # a stranger's text may take a while
            parts = await asyncio.to_thread(lambda: Standing(lesson, b"").parts)
        shown = [self._part(part, wanted.lang) for part in parts]
        return JSONResponse({"blocks": shown}, headers=NOT_KEPT)

    def _part(self, part: Text | View, lang: str) -> Document:
        if isinstance(part, Text):
            return {"html": part.html, "headings": [{"id": one.id, "text": one.text} for one in part.headings]}
        view = view_document(part, self._starts, lang)
        at = view["address"]
        return {
            **{name: view[name] for name in ("embed", "explore", "pictures", "caption", "parts")},
            "title": self._title(at, view["what"], lang),
            # What an embed does not show, its picture does.
            "still": view["what"] == "difference" or bool(at.trace),
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
        those of /figure; a view without one says why. Problems: lesson, busy."""
        wanted = parameters_of(request, ExportParameters)
        lesson = await _lesson_of(request)
        ending, media, _ = parcel.FORMATS[wanted.format]
        with self._exports:
            pictures = await self._pictures(lesson, ending, request.is_disconnected)
            made = parcel.Parcel(lesson, pictures, self._base)
            data = await asyncio.to_thread(lambda: parcel.write(wanted.format, made))
        name = parcel.filename(lesson, wanted.format)
        headers = {**NOT_KEPT, "Content-Disposition": f'attachment; filename="{name}"', "Content-Encoding": "identity"}
        return Response(data, media_type=media, headers=headers)

    async def _pictures(self, lesson: Lesson, ending: str, gone: "Gone") -> Pictures:
        made: dict[int, list[Any]] = {}
        for wish in _wishes(lesson):
            there = made.setdefault(wish.block, [])
            try:
                wanted = wish.wanted(ending, self._starts)
                file = await self._figures.file(wanted, gone)
                described = await self._figures.file(wish.wanted("json", self._starts), gone)
                data = gzip.decompress(file.data) if file.packed else file.data
                there.append(Picture(wanted, data, words_of(gzip.decompress(described.data))))
            except (AtlasError, ProblemError) as error:
                there.append(missing(error, parcel.messages(lesson.language)))
        return made


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
    body = _described()
    for name, route in (("check", drafts.check), ("preview", drafts.preview), ("export", drafts.export)):
        router.add_api_route(f"/{name}", route, methods=["POST"], response_model=None, openapi_extra=body)
    app.include_router(router)


def _described() -> Document:
    """The OpenAPI text of a body that is a lesson."""
    content = {"application/json": {"schema": {"type": "object", "description": "a lesson, version 1"}}}
    return {"requestBody": {"required": True, "content": content}}
