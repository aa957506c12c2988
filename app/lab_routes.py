"""The routes of the lab: what can be chosen, a training's maps, and the files of what was trained."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app import lab, reading
from app.incoming import described, parameters_of
from app.jobs import Jobs
from app.lab_schemas import DownloadParameters
from app.learning import training_of
from app.schemas import NoParameters
from app.service import TraceService
from app.settings import Settings
from app.trained import folder_of, safetensors_of

NPY = "application/octet-stream"


def add_lab(router: APIRouter, settings: Settings, service: TraceService, jobs: Jobs) -> None:
    """Gives the router what the lab needs beside POST /jobs."""

    @router.get("/lab")
    async def offered(request: Request) -> Response:
        """The tasks of the lab with their defaults, the bounds of every choice, and what was measured of them."""
        parameters_of(request, NoParameters)
        body = await service.read(
            lambda: lab.lab_document(allowed=settings.may_train, seconds=settings.training_seconds)
        )
        return JSONResponse(body, headers={"Cache-Control": "no-cache"})

    @router.get("/jobs/{job_id}/checkpoints/{number}")
    async def maps(request: Request, job_id: str, number: Annotated[int, Path(ge=0, lt=2**31)]) -> Response:
        """Every head's map of a training's probe at a checkpoint, float32 (layer, head, query, key)."""
        parameters_of(request, NoParameters)
        job = training_of(jobs, job_id)
        return reading.tagged(request, await service.read(lambda: reading.npy(job.maps(number).numpy())), NPY)

    @router.get("/models/{name}/file", openapi_extra=described(DownloadParameters, "query"))
    async def file(request: Request, name: str) -> Response:
        """A model that was trained in the lab: its weights as safetensors, with configuration and tokenizer in the
        header, or its whole folder as a zip file."""
        wanted = parameters_of(request, DownloadParameters)
        model = service.trained.held(name)
        make = safetensors_of if wanted.form == "safetensors" else folder_of
        body = await service.read(lambda: make(model))
        reply = Response(body, media_type=NPY if wanted.form == "safetensors" else "application/zip")
        reply.headers["Content-Disposition"] = f'attachment; filename="{name}.{wanted.form}"'
        reply.headers["Cache-Control"] = "no-store"
        return reply
