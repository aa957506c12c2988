"""The routes of ideas: the list of them, and what is computed of the quick ones; the long ones are jobs."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app import analyses, ideas, reading
from app.idea_documents import idea_document
from app.idea_schemas import LONG, QUICK
from app.incoming import described_any, parameters_of
from app.problems import ProblemError
from app.schemas import NoParameters
from app.service import TraceService
from app.settings import Settings
from attention_core.ideas import IDEAS, idea


def add_ideas(router: APIRouter, settings: Settings, service: TraceService) -> None:
    """Adds GET /ideas and GET /ideas/{name}."""

    @router.get("/ideas")
    async def listed(request: Request) -> Response:
        """Every idea with its title and reference; a long one is a job, where visitors may start it."""
        parameters_of(request, NoParameters)
        made = [idea_document(one, allowed=settings.may_measure or not one.long) for one in IDEAS]
        return JSONResponse({"ideas": made}, headers={"Cache-Control": "no-store"})

    @router.get("/ideas/{name}", openapi_extra=described_any(tuple(QUICK.values())))
    async def computed(request: Request, name: str) -> Response:
        """What is computed of an idea that takes no time: scaling, order or sparing, each with parameters of its own.
        The same seed gives the same numbers."""
        chosen = idea(name)
        if chosen.name in LONG:
            sentence = f"{name} takes seconds; it is a job: POST /api/v1/jobs with do idea and name {name}"
            raise ProblemError("not-available", sentence, reason="long-idea", value=name)
        wanted = parameters_of(request, QUICK[chosen.name])
        body = await service.read(lambda: analyses.encoded(ideas.QUICK[chosen.name](wanted)))
        return reading.tagged(request, body, "application/json", "no-cache")
