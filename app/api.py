"""The HTTP interface, version 1: what comes in is checked, handed to the service, and spelled by documents."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from fastapi import APIRouter
from fastapi.sse import EventSourceResponse
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Send

from app import analyses, beginning, differences, documents, reading, schemas, snippets
from app.idea_routes import add_ideas
from app.incoming import (
    body_of,
    bytes_of,
    described,
    described_any,
    described_jobs,
    described_picture,
    job_of,
    parameters_of,
)
from app.jobs import Jobs, ProgressJob
from app.lab_routes import add_lab
from app.lab_schemas import ModelsParameters
from app.problems import ProblemError
from app.schemas import (
    LookParameters,
    NoParameters,
    NormParameters,
    RemovedParameters,
    ThumbnailParameters,
    WatchParameters,
    WeightParameters,
)
from app.service import TraceService
from app.settings import Settings
from app.trace_files import add_trace_files
from app.writing import WritingJob
from attention_core.models.sources import recorded, settled

NPY = "application/octet-stream"


class Events(EventSourceResponse):
    """Server-sent events that end when their reader does, not when the garbage is collected."""

    def __init__(self, events: AsyncGenerator[bytes], *, headers: dict[str, str]) -> None:
        super().__init__(events, headers=headers)
        self._events = events

    async def stream_response(self, send: Send) -> None:
        """Sends the events and ends them."""
        async with aclosing(self._events):
            await super().stream_response(send)


def create_router(settings: Settings, service: TraceService, jobs: Jobs) -> APIRouter:
    """The routes of /api/v1."""
    router = APIRouter(prefix="/api/v1")
    _add_models(router, settings, service, jobs)
    _add_jobs(router, settings, service, jobs)
    _add_traces(router, settings, service)
    _add_matrices(router, service)
    _add_analyses(router, service)
    _add_images(router, settings, service)
    add_trace_files(router, settings, service)
    add_ideas(router, settings, service)
    add_lab(router, settings, service, jobs)
    return router


def _add_models(router: APIRouter, settings: Settings, service: TraceService, jobs: Jobs) -> None:
    @router.get("/models", openapi_extra=described(ModelsParameters, "query"))
    async def models(request: Request) -> Response:
        """The models of the catalogue and what has become of each here; of the lab's only the one that is named."""
        wanted = parameters_of(request, ModelsParameters).besides
        named = None if wanted is None else service.trained.find(wanted)
        listed = [
            documents.model_document(
                settled(entry, service.cache),
                service.abilities(entry),
                jobs.standing(entry),
                recorded(entry, service.cache),
                settings.may_fetch,
            )
            for entry in (*service.catalogue.entries, *([] if named is None else [named]))
        ]
        body = documents.models_document(service.catalogue.default.card.name, listed)
        return JSONResponse(body, headers={"Cache-Control": "no-store"})

    @router.get("/models/{name}/atlas")
    async def atlas(request: Request, name: str) -> Response:
        """What a model's heads do on real data, as it is kept here: results, roles, and what can be measured."""
        parameters_of(request, NoParameters)
        entry = await service.revised(service.catalogue.entry(name))
        body = await service.read(lambda: analyses.encoded(analyses.read_atlas(entry.card, service.cache)))
        return reading.tagged(request, body, "application/json", "no-cache")


def _add_jobs(router: APIRouter, settings: Settings, service: TraceService, jobs: Jobs) -> None:
    @router.post("/jobs", status_code=202, openapi_extra=described_jobs())
    async def start(request: Request) -> Response:
        """Starts long work: fetches a model, lets one continue a text, experiments on one, evaluates its heads,
        measures and trains what an idea shows, or trains a model of the lab.

        Except for writing, the same wish is the same job; an experiment that was done lately is given again.
        """
        parameters_of(request, NoParameters)
        wanted = await job_of(request, settings.max_body_bytes)
        job = await beginning.begin(settings, service, jobs, wanted)
        return JSONResponse(job.document(), 202)

    @router.get("/jobs/{job_id}/events", openapi_extra=described(WatchParameters, "query"))
    async def events(request: Request, job_id: str) -> Response:
        """A job's progress as server-sent events. A reader only watches, but nobody writes or experiments without one
        for long."""
        job = jobs.get(job_id)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        if isinstance(job, WritingJob):
            wanted = parameters_of(request, WatchParameters)
            job.demand_head(wanted.layer, wanted.head)
            return Events(job.events(wanted.layer, wanted.head), headers=headers)
        parameters_of(request, NoParameters)
        assert isinstance(job, ProgressJob)
        return Events(job.events(), headers=headers)

    @router.delete("/jobs/{job_id}", status_code=202)
    async def cancel(request: Request, job_id: str) -> Response:
        """Asks a job to stop; its readers see when it has. What a model wrote until then becomes a trace; an experiment
        that others have asked for as well goes on for them."""
        parameters_of(request, NoParameters)
        job = jobs.get(job_id)
        beginning.cancel(settings, job)
        return JSONResponse(job.document(), 202)


def _add_traces(router: APIRouter, settings: Settings, service: TraceService) -> None:
    @router.post("/traces", status_code=201, openapi_extra=described(schemas.TraceRequest, "body"))
    async def make(request: Request) -> Response:
        """Makes a trace of an example; 200 when it was there already. 507 when it would not fit into memory."""
        parameters_of(request, NoParameters)
        wanted = await body_of(request, schemas.TraceRequest, settings.max_body_bytes)
        trace_id, trace, new = await service.make(wanted, request.is_disconnected)
        headers = {"Location": f"/api/v1/traces/{trace_id}", "Cache-Control": "no-store"}
        return JSONResponse(documents.trace_document(trace_id, trace), 201 if new else 200, headers)

    @router.get("/traces/{trace_id}", openapi_extra=described(LookParameters, "query"))
    async def show(request: Request, trace_id: str) -> Response:
        """Everything of a trace but its matrices, with its words merged or special tokens hidden if wanted."""
        wanted = parameters_of(request, LookParameters)
        trace = service.held(trace_id)
        body = await service.read(lambda: documents.trace_document(trace_id, reading.looked(trace, wanted)))
        return JSONResponse(body, headers={"Cache-Control": "no-cache"})

    @router.get("/traces/{trace_id}/picture")
    async def picture(request: Request, trace_id: str) -> Response:
        """What a vision model saw, as PNG: the picture at the model's own size."""
        parameters_of(request, NoParameters)
        trace = service.held(trace_id)
        return reading.tagged(request, await service.read(lambda: reading.read_picture(trace)), "image/png")


def _add_matrices(router: APIRouter, service: TraceService) -> None:
    async def matrix(request: Request, read: Callable[[], reading.Array]) -> Response:
        return reading.tagged(request, await service.read(lambda: reading.npy(read())), NPY)

    @router.get("/traces/{trace_id}/thumbnails", openapi_extra=described(ThumbnailParameters, "query"))
    async def thumbnails(request: Request, trace_id: str) -> Response:
        """Every head of a kind, small: uint8 (layer, head, query cell, key cell), round(255 sqrt(weight))."""
        wanted = parameters_of(request, ThumbnailParameters)
        trace = service.held(trace_id)
        return await matrix(request, lambda: reading.read_thumbnails(trace, wanted))

    @router.get("/traces/{trace_id}/weights", openapi_extra=described(WeightParameters, "query"))
    async def weights(request: Request, trace_id: str) -> Response:
        """A window of weights, float32 (query, key); without a head (head, query, key)."""
        wanted = parameters_of(request, WeightParameters)
        trace = service.held(trace_id)
        return await matrix(request, lambda: reading.read_weights(trace, wanted))

    @router.get("/traces/{trace_id}/removed", openapi_extra=described(RemovedParameters, "query"))
    async def removed(request: Request, trace_id: str) -> Response:
        """How much of each row of a layer went to hidden special tokens, float32 (head, query)."""
        wanted = parameters_of(request, RemovedParameters)
        trace = service.held(trace_id)
        return await matrix(request, lambda: reading.read_removed(trace, wanted))

    @router.get("/traces/{trace_id}/value-norms", openapi_extra=described(NormParameters, "query"))
    async def value_norms(request: Request, trace_id: str) -> Response:
        """How long the vector is that each key hands on, float32 (layer, head, key); times a weight, a length."""
        wanted = parameters_of(request, NormParameters)
        trace = service.held(trace_id)
        return await matrix(request, lambda: reading.read_norms(trace, wanted))

    @router.get("/traces/{trace_id}/vectors", openapi_extra=described(schemas.VectorParameters, "query"))
    async def vectors(request: Request, trace_id: str) -> Response:
        """The queries, keys or values of one head, float32 (position, dim); heads may share keys and values."""
        wanted = parameters_of(request, schemas.VectorParameters)
        trace = service.held(trace_id)
        return await matrix(request, lambda: reading.read_vectors(trace, wanted))

    @router.get("/traces/{trace_id}/difference", openapi_extra=described(schemas.DifferenceMatrixParameters, "query"))
    async def difference(request: Request, trace_id: str) -> Response:
        """One head here and in the trace `with`, on the tokens that both have: float32 (2, query, key)."""
        wanted = parameters_of(request, schemas.DifferenceMatrixParameters)
        trace, other = service.held(trace_id), service.held(wanted.versus)
        return await matrix(request, lambda: differences.read_matrices(trace, other, wanted))


def _add_analyses(router: APIRouter, service: TraceService) -> None:
    every = (schemas.LinkParameters, schemas.DifferenceParameters, schemas.StepsParameters)

    @router.get("/traces/{trace_id}/analyses/{name}", openapi_extra=described_any(every))
    async def analyse(request: Request, trace_id: str, name: str) -> Response:
        """What an analysis finds in a trace: link, profile, mentions, steps, or the difference from it to the trace
        `with`. Only link takes a key and rivals; its query is a range, that of steps one token."""
        chosen = analyses.chosen(name)
        wanted = parameters_of(request, chosen.parameters)
        traces = [service.held(one) for one in (trace_id, *analyses.others(wanted))]
        body = await service.read(lambda: analyses.encoded(chosen.read(*traces, wanted)))
        return reading.tagged(request, body, "application/json")


    @router.get("/traces/{trace_id}/code", openapi_extra=described(schemas.CodeParameters, "query"))
    async def code(request: Request, trace_id: str) -> Response:
        """The lines of this project that compute each step of one row of a head, and Python that prints its numbers
        for one key."""
        wanted = parameters_of(request, schemas.CodeParameters)
        trace, asked = service.held(trace_id), service.traces.asked(trace_id)
        body = await service.read(lambda: analyses.encoded(snippets.code_document(trace, asked, wanted)))
        return reading.tagged(request, body, "application/json", "no-cache")  # code changes from version to version


def _add_images(router: APIRouter, settings: Settings, service: TraceService) -> None:
    limit = settings.max_image_bytes

    @router.post("/images", status_code=201, openapi_extra=described_picture())
    async def hold(request: Request) -> Response:
        """Holds a picture, the bytes of a PNG, JPEG or WebP, for traces of it; 200 when it was held already."""
        parameters_of(request, NoParameters)
        too_large = ProblemError("picture-too-large", f"a picture may have at most {limit} bytes", limit=limit)
        image, new = await service.hold_image(await bytes_of(request, too_large))
        headers = {"Location": f"/api/v1/images/{image.id}", "Cache-Control": "no-store"}
        return JSONResponse(documents.image_document(image), 201 if new else 200, headers)

    @router.get("/images/{image_id}")
    async def show(request: Request, image_id: str) -> Response:
        """A held picture by its id, or a sample by its name, as PNG without metadata."""
        parameters_of(request, NoParameters)
        image = await service.read(lambda: service.images.find(image_id))
        # An id is a hash of its picture; a sample's name may come to mean another one.
        return reading.tagged(
            request, image.png, "image/png", reading.IMMUTABLE if image.id == image_id else "no-cache"
        )
