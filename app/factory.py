"""create_app: everything the server is made of, put together from its settings; there are no globals."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.address import create_starts, load_examples
from app.api import create_router
from app.assets import Assets
from app.cards import Cards
from app.drawing import add_figures
from app.drawn import Files
from app.guard import Guard
from app.idea_pages import add_idea_pages
from app.jobs import Jobs, Watch
from app.lessons.drafts import Drafts, add_drafts
from app.lessons.pages import add_lessons
from app.lessons.shelf import Shelf
from app.metrics import Metrics
from app.oembed import OEmbed
from app.pages import Pages
from app.problems import ProblemError, add_handlers
from app.service import TraceService
from app.settings import Settings
from app.viewing import Viewer
from attention_core.models.catalogue import Catalogue, load_catalogue
from attention_core.models.directory import models_folder, with_own
from attention_core.models.sources import cache_folder, is_fetched

READ = ["GET", "HEAD"]

log = logging.getLogger("attention_atlas")


def create_app(
    settings: Settings | None = None, *, catalogue: Catalogue | None = None, watch: Watch | None = None
) -> FastAPI:
    """The server of these settings, with the package's models or a catalogue's; `watch` is told of a job's changes."""
    settings = settings or Settings()
    metrics = Metrics()
    catalogue, own = with_own(catalogue or load_catalogue(), models_folder(settings.models_dir))
    for line in own.left_out:
        log.warning("%s", line)
    service = TraceService(settings, catalogue, cache_folder(settings.cache), metrics, own.failed)
    jobs = Jobs(service, watch)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        _begin(settings, service, jobs)
        yield
        await jobs.close()
        await service.close()

    app = FastAPI(
        title="Attention Atlas",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=life,
    )
    # The last one added is the outermost.
    app.add_middleware(GZipMiddleware, minimum_size=500, compresslevel=5)
    app.add_middleware(Guard, settings=settings, metrics=metrics)
    add_handlers(app)
    app.include_router(create_router(settings, service, jobs))
    _add_pages(app, service, settings)
    _add_health(app, service, jobs, metrics)
    return app


def _begin(settings: Settings, service: TraceService, jobs: Jobs) -> None:
    """Readies the default model in the background: loads it, or fetches it first."""
    entry = service.catalogue.default
    if is_fetched(entry, service.cache):
        service.lane(entry).warm()
    elif settings.fetch_on_start:
        jobs.fetch(entry.card.name)


def _add_pages(app: FastAPI, service: TraceService, settings: Settings) -> None:
    assets = Assets()
    starts = create_starts(load_examples(), service.catalogue.default.card.name)
    titles = {entry.card.name: entry.card.title for entry in service.catalogue.entries}
    cards = Cards(settings.base_url, starts, titles)
    pages = Pages(
        assets,
        service.catalogue,
        cards,
        may_evaluate=settings.may_evaluate,
        trace_files=settings.may_open_files,
        public_url=settings.public_url,
    )
    app.add_api_route("/", pages.explore, methods=READ, include_in_schema=False, response_model=None)
    files = Files(service)
    viewer = Viewer(pages, assets, starts, service, files)
    app.add_api_route("/embed", viewer.embed, methods=READ, include_in_schema=False, response_model=None)
    app.add_api_route("/offline.html", viewer.offline, methods=READ, include_in_schema=False, response_model=None)
    oembed = OEmbed(settings.base_url, cards, pages.messages)
    app.add_api_route("/oembed", oembed.reply, methods=READ, include_in_schema=False, response_model=None)
    app.add_api_route("/models/{name}", pages.atlas, methods=READ, include_in_schema=False, response_model=None)
    app.add_api_route("/lab", pages.lab, methods=READ, include_in_schema=False, response_model=None)
    app.add_api_route(
        "/static/{version}/{name:path}", assets.reply, methods=READ, include_in_schema=False, response_model=None
    )
    add_lessons(app, pages, Shelf(settings.lessons_dir), starts)
    add_idea_pages(app, pages, settings)
    add_drafts(app, Drafts(pages, add_figures(app, service, starts, files), starts, service))


def _add_health(app: FastAPI, service: TraceService, jobs: Jobs, metrics: Metrics) -> None:
    @app.api_route("/healthz", methods=READ, include_in_schema=False)
    async def healthz() -> Response:
        """The server answers."""
        return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})

    @app.api_route("/readyz", methods=READ, include_in_schema=False)
    async def readyz(_: Request) -> Response:
        """The default model was loaded and checked; a 503 problem until then."""
        entry = service.catalogue.default
        lane = service.lane(entry)
        if not lane.proved:
            state, _job, _problem = jobs.standing(entry)
            if state in ("absent", "failed"):
                raise ProblemError("not-ready", f"{entry.card.title} is {state}", model=entry.card.name)
            if lane.problem is not None and not lane.loading:
                raise ProblemError("not-ready", str(lane.problem), model=entry.card.name)
            raise ProblemError("model-loading", f"{entry.card.title} is being loaded", model=entry.card.name)
        return JSONResponse({"status": "ready"}, headers={"Cache-Control": "no-store"})

    @app.get("/metrics", include_in_schema=False)
    async def numbers() -> Response:
        """The server's numbers for Prometheus."""
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
