"""The pages of lessons, and their files under /api/v1."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app import reading
from app.address import Starts, encoded, pairs_of, read_address
from app.guard import SECURITY_HEADERS
from app.incoming import described, parameters_of
from app.lessons.format import Lesson, Part, ViewBlock
from app.lessons.rendering import Text
from app.lessons.shelf import Shelf, Standing, View
from app.pages import Pages, language_of
from app.problems import ProblemError
from app.schemas import LessonParameters

READ = ["GET", "HEAD"]
# A lesson's views are frames of our own /embed; no other page may hold one.
FRAMING = {"Content-Security-Policy": f"{SECURITY_HEADERS['Content-Security-Policy']}; frame-src 'self'"}
# What is printed in place of a part: a page of paper has room for a picture of it.
PRINTED: Mapping[Part, Part] = {"table": "heatmap"}
ON_PAPER = [("theme", "print")]
Document = dict[str, Any]


class LessonPages:
    """/lessons and /lessons/{name}, from the lessons of a shelf."""

    def __init__(self, pages: Pages, shelf: Shelf, starts: Starts) -> None:
        self._pages = pages
        self._shelf = shelf
        self._starts = starts

    async def every(self, request: Request) -> Response:
        """The page that lists all lessons."""
        return self._list(request, 200)

    def _list(self, request: Request, status: int) -> Response:
        lang = language_of(request)
        lessons = [lesson_document(self._shelf, name, lang) for name in self._shelf.names]
        values = {"place": "lessons", "lessons": lessons, "unknown": status == 404}
        return self._pages.page(request, "lessons.html", {}, values, status)

    async def show(self, request: Request, name: str) -> Response:
        """The page of a lesson, in the reader's language where it is there in it; 404 with the list for no lesson."""
        lang = language_of(request)
        standing = self._shelf.find(name, lang)
        if standing is None:
            return self._list(request, 404)
        parts = await asyncio.to_thread(lambda: standing.parts)  # a stranger's text may take a while
        texts = [part for part in parts if isinstance(part, Text)]
        values = {
            "place": "lessons",
            "lesson": standing.lesson,
            "parts": [self._part(part, lang) for part in parts],
            "contents": [heading for text in texts for heading in text.headings],
            **self._around(name, lang),
        }
        return self._pages.page(request, "lesson.html", {}, values, headers=FRAMING)

    def _part(self, part: Text | View, lang: str) -> Document:
        if isinstance(part, Text):
            return {"html": part.html}
        view = view_document(part, self._starts, lang)
        return {"view": view | {"model": self._pages.title_of(view["address"].model, lang)}}

    def _around(self, name: str, lang: str) -> Document:
        """The lessons before and after one, None at the ends."""
        names = self._shelf.names
        at = names.index(name)
        before, after = names[at - 1] if at else None, names[at + 1] if at + 1 < len(names) else None
        return {
            "previous": lesson_document(self._shelf, before, lang) if before else None,
            "next": lesson_document(self._shelf, after, lang) if after else None,
        }


def lesson_document(shelf: Shelf, name: str, lang: str) -> Document:
    """What a list says of a lesson, in this language or the one it is there in."""
    standing = _found(shelf, name, lang)
    lesson = standing.lesson
    return {
        "name": lesson.name,
        "title": lesson.title,
        "summary": lesson.summary,
        "minutes": lesson.minutes,
        "language": lesson.language,
        "languages": list(shelf.languages(name)),
    }


def view_document(view: View, starts: Starts, lang: str) -> Document:
    """A view as the page draws it: the address of its frame, of the whole page, of the pictures that are printed.

    Language and theme are the reader's, whatever the lesson's author wrote.
    """
    block = view.block
    pairs = [(name, value) for name, value in pairs_of(block.address) if name not in ("lang", "theme")]
    within = [*pairs, ("lang", lang)]
    parts = [("show", ",".join(block.show))] if block.show else []
    meant = read_address(block.address, starts)
    return {
        "embed": f"/embed?{encoded([*within, *parts])}",
        "explore": f"/?{encoded(within)}",
        "pictures": [f"/figure.svg?{encoded([*within, *named, *ON_PAPER])}" for named in _pictures(block)],
        "caption": view.caption,
        "what": block.show[-1] if block.show else meant.view or ("picture" if meant.image else "heatmap"),
        "parts": block.show or ["difference" if meant.view == "difference" else "one"],
        "address": meant,
    }


def _pictures(block: ViewBlock) -> Sequence[list[tuple[str, str]]]:
    if not block.show:
        return [[]]
    return [[("figure", name)] for name in dict.fromkeys(PRINTED.get(part, part) for part in block.show)]


def add_lessons(app: FastAPI, pages: Pages, shelf: Shelf, starts: Starts) -> None:
    """Gives the server the pages of lessons and their routes under /api/v1."""
    made = LessonPages(pages, shelf, starts)
    app.add_api_route("/lessons", made.every, methods=READ, include_in_schema=False, response_model=None)
    app.add_api_route("/lessons/{name}", made.show, methods=READ, include_in_schema=False, response_model=None)
    app.include_router(_create_router(shelf))


def _create_router(shelf: Shelf) -> APIRouter:
    router = APIRouter(prefix="/api/v1")
    language = described(LessonParameters, "query")

    @router.get("/lessons", openapi_extra=language)
    async def listed(request: Request) -> Response:
        """The lessons here, each in the language asked for or the one it is there in."""
        wanted = parameters_of(request, LessonParameters)
        lessons = [lesson_document(shelf, name, wanted.lang) for name in shelf.names]
        return JSONResponse({"lessons": lessons}, headers={"Cache-Control": "no-cache"})

    @router.get("/lessons/{name}", responses={200: {"model": Lesson}}, openapi_extra=language)
    async def file(request: Request, name: str) -> Response:
        """A lesson's file, as its author wrote it."""
        wanted = parameters_of(request, LessonParameters)
        return reading.tagged(request, _found(shelf, name, wanted.lang).file, "application/json", "no-cache")

    return router


def _found(shelf: Shelf, name: str, lang: str) -> Standing:
    standing = shelf.find(name, lang)
    if standing is None:
        raise ProblemError("not-found", "there is no lesson of that name", accepted=list(shelf.names))
    return standing
