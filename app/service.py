"""TraceService: makes traces, one lane a model, and holds them in a cache bounded in bytes.

Everything here runs on the event loop but the work itself, so nothing needs a lock. No one outside may assume
that a trace lives in this process: an id is a hash of the request, and any replica can make it again.
"""

import asyncio
import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from app.abilities import Abilities, abilities_of
from app.budget import Budget
from app.images import HeldImage, ImageStore, decoded, image_id
from app.lanes import Lane, Loader, Pool
from app.making import best_device, capture_with, demand_fit, load_needs, make_loader, pass_needs, revised
from app.metrics import Metrics
from app.pending import Gone, Pending
from app.problems import ProblemError
from app.schemas import TraceRequest
from app.settings import Settings
from app.trace_ids import is_file_id
from app.trained import TrainedModels, group_of
from attention_core.errors import CheckpointError, MemoryLimitError, ModelAbsentError, TextError
from attention_core.models import memory
from attention_core.models.card import IN_HOUSE
from attention_core.models.catalogue import Catalogue, CatalogueEntry
from attention_core.models.directory import changed, demand_there, demand_unchanged
from attention_core.models.sources import demand_whole, is_fetched, model_folder

if TYPE_CHECKING:
    from attention_core.models.loading import LoadedModel
    from attention_core.trace import AttentionTrace

T = TypeVar("T")
Making = Pending["AttentionTrace"]

FORMAT = 2  # of the trace document: a change of meaning is a change of ids
ITEM = {"float32": 4, "bfloat16": 2, "float16": 2}  # bytes of a number
READERS = 2
DRAWERS = 2
RENDERERS = 2
READS_WAITING = 64


class TraceCache:
    """The traces used last, within a bound in bytes. The newest stays even when it is larger than the bound."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._held: OrderedDict[str, AttentionTrace] = OrderedDict()
        self._asked: dict[str, TraceRequest] = {}
        self._lock = threading.Lock()  # a lane that needs memory drops traces from its own thread
        self.nbytes = 0

    def get(self, trace_id: str) -> "AttentionTrace | None":
        """The trace, which now counts as just used."""
        with self._lock:
            if trace_id in self._held:
                self._held.move_to_end(trace_id)
            return self._held.get(trace_id)

    def asked(self, trace_id: str) -> TraceRequest | None:
        """What asked for a trace that is held; None for one that a file brought."""
        return self._asked.get(trace_id)

    def put(self, trace_id: str, trace: "AttentionTrace", asked: TraceRequest | None = None) -> None:
        """Holds a trace, and what asked for it, and lets those go that were used longest ago."""
        with self._lock:
            if asked is not None:
                self._asked[trace_id] = asked
            if trace_id not in self._held:
                self.nbytes += trace.nbytes
            self._held[trace_id] = trace
            while self.nbytes > self._bound and len(self._held) > 1:
                self._pop()

    def drop_oldest(self) -> None:
        """Lets the trace go that was used longest ago."""
        with self._lock:
            if self._held:
                self._pop()

    def _pop(self) -> None:
        trace_id, oldest = self._held.popitem(last=False)
        self._asked.pop(trace_id, None)
        self.nbytes -= oldest.nbytes


class TraceService:
    """Traces by request and by id; models loaded once however many ask."""

    def __init__(
        self,
        settings: Settings,
        catalogue: Catalogue,
        cache: Path,
        metrics: Metrics,
        failed: Mapping[str, CheckpointError] | None = None,
    ) -> None:
        self.settings = settings
        self._failed = failed or {}
        self._revising: dict[str, asyncio.Task[CatalogueEntry]] = {}
        self.trained = TrainedModels(settings.trained_models, self._forget)
        self.catalogue = replace(catalogue, unlisted=self.trained.entry)
        self.cache = cache
        self.metrics = metrics
        self.traces = TraceCache(settings.trace_cache_bytes)
        self.images = ImageStore(settings.image_cache_bytes, catalogue)
        self.readers = Pool("reader", READERS, READS_WAITING)
        # Figures may take seconds, and wait for one another: nobody who only looks waits for them.
        self.drawers = Pool("drawer", DRAWERS, settings.queue_limit)
        self.renderers = Pool("renderer", RENDERERS, READS_WAITING)  # of strangers' Markdown, which may be slow
        self.budget = Budget(settings.memory_bytes, self._free, lambda: list(self._lanes.values()), self.traces)
        self._lanes: dict[str, Lane] = {}
        self._pending: dict[str, Making] = {}

    def lane(self, entry: CatalogueEntry) -> Lane:
        """The lane of a model; loading waits until something runs in it."""
        name = entry.card.name
        if name not in self._lanes:
            lane = Lane(entry, model_folder(entry, self.cache), self._loader(), self.settings.queue_limit)
            lane.problem = self._failed.get(name)
            self._lanes[name] = lane
            if entry.trained is None:  # such a name is nobody else's business
                self.metrics.queue.labels(name).set_function(lambda: lane.pool.count)
        return self._lanes[name]

    def state(self, entry: CatalogueEntry) -> str:
        """absent, loading, failed, or ready: able to answer, at the latest after loading on demand."""
        lane = self.lane(entry)
        if lane.model is not None:
            return "ready"
        if lane.loading:
            return "loading"
        try:
            demand_there(entry)
        except CheckpointError as gone:
            lane.problem = gone
        # What did not fit into memory may fit the next time somebody asks.
        if lane.problem is not None and not isinstance(lane.problem, MemoryLimitError):
            return "failed"
        return "ready" if is_fetched(entry, self.cache) else "absent"

    async def revised(self, entry: CatalogueEntry) -> CatalogueEntry:
        """The model with the revision of its files. Of an own model they are read for it, once and off the event
        loop; a CheckpointError says what is wrong with them."""
        if entry.directory is None:
            return revised(entry, self.cache)
        name = entry.card.name
        task = self._revising.get(name)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = self._revising[name] = asyncio.create_task(asyncio.to_thread(revised, entry, self.cache))
        return await asyncio.shield(task)

    def abilities(self, entry: CatalogueEntry) -> Abilities:
        """What the model can do beside being looked into; of its chat template nothing is known before it is here, and
        whether its heads can be switched off is known for certain once it is loaded."""
        found = abilities_of(entry, model_folder(entry, self.cache), fetched=is_fetched(entry, self.cache))
        model = self.lane(entry).model
        return replace(
            found,
            switches=model is None or model.back_end != "eager",
            rewires=entry.card.family in IN_HOUSE if model is None else model.back_end == "in-house",
        )

    def demand_fetched(self, lane: Lane) -> None:
        """A ModelAbsentError for a model that is not here, a CheckpointError for an own one that is gone."""
        if lane.model is None:
            demand_there(lane.entry)
        if lane.model is None and not is_fetched(lane.entry, self.cache):
            raise ModelAbsentError(f"{lane.entry.card.title} has not been fetched yet", model=lane.entry.card.name)

    def trace_id(self, request: TraceRequest, entry: CatalogueEntry, picture: str | None = None) -> str:
        """The hash of everything that a trace depends on; `picture` is the id of the picture's bytes."""
        options = request.options.model_dump()
        if not options["chat"]:  # what was not asked for does not change an id
            del options["chat"]
        if not options["off"] or options["off_with"] == "zero":
            del options["off_with"]
        if not options["what_if"]:
            del options["what_if"]
        what = {
            "format": FORMAT,
            "model": [entry.card.name, entry.card.revision, self.settings.dtype],
            "example": [request.text or "", request.pair, request.target, picture],
            "options": options,
        }
        if request.written:
            what["written"] = request.written
        spelled = json.dumps(what, sort_keys=True, ensure_ascii=False)
        try:
            return hashlib.sha256(spelled.encode()).hexdigest()[:40]
        except UnicodeEncodeError:
            raise TextError("this text holds half of a surrogate pair, which is no character; remove it") from None

    async def make(self, request: TraceRequest, gone: Gone) -> "tuple[str, AttentionTrace, bool]":
        """The id, the trace, and whether it is new. One is made however many ask for it at once."""
        trace_id, entry, image, missing = await self._named(request)
        held = self.traces.get(trace_id)
        if held is not None:
            return trace_id, held, False
        if missing is not None:
            raise missing
        new = trace_id not in self._pending
        pending = self._begin(trace_id, request, entry, image) if new else self._pending[trace_id]
        return trace_id, await self._wait(trace_id, pending, gone), new

    async def identify(self, request: TraceRequest) -> str:
        """The id of the trace that a request asks for, whether it is held or not; nothing is made for it."""
        return (await self._named(request))[0]

    async def _named(
        self, request: TraceRequest
    ) -> tuple[str, CatalogueEntry, HeldImage | None, ProblemError | None]:
        """A request's id, its model, its picture, and the problem that the picture is not held."""
        name = self.catalogue.default.card.name if request.model is None else request.model
        entry = self.catalogue.entry(name)
        demand_fit(entry, request, self.abilities(entry))
        entry = await self.revised(entry)
        image, missing = await self.picture(request.image, entry)
        # A trace outlives its picture: who knows the picture's id may still ask for it.
        return self.trace_id(request, entry, image.id if image else request.image), entry, image, missing

    async def hold_image(self, data: bytes) -> tuple[HeldImage, bool]:
        """The picture of some bytes, now held, and whether it is new; a PictureError when it is none."""

        def work() -> tuple[HeldImage, bool]:
            from attention_core.pictures import reading_bytes  # brings torch in, which takes seconds

            held = self.images.get(image_id(data))
            if held is not None:
                return held, False
            with self.budget.room("reading a picture", reading_bytes(data)):
                image = decoded(data)
            self.images.put(image)
            return image, True

        return await self.read(work)

    async def picture(self, wanted: str | None, entry: CatalogueEntry) -> tuple[HeldImage | None, ProblemError | None]:
        """The picture that a request names, or the problem that it is not held."""
        if wanted is None:
            return None, None
        try:
            return await self.read(lambda: self.images.find(wanted, entry.card.name)), None
        except ProblemError as problem:
            if problem.code != "image-not-held":
                raise
            return None, problem

    def held(self, trace_id: str) -> "AttentionTrace":
        """The trace of that id; a trace-not-held problem when it was let go."""
        trace = self.traces.get(trace_id)
        if trace is None:
            if is_file_id(trace_id):
                sentence = "the trace of this file is not held any more; open the file again"
                raise ProblemError("trace-not-held", sentence, trace=trace_id[:100], reason="file")
            sentence = "this trace is not held any more; post the text again"
            raise ProblemError("trace-not-held", sentence, trace=trace_id[:100])
        return trace

    def keep(self, trace_id: str, trace: "AttentionTrace", asked: TraceRequest | None = None) -> None:
        """Holds a new trace under the id that asks for it."""
        self.traces.put(trace_id, trace, asked)
        self.metrics.traces.labels(group_of(trace.model.name)).inc()
        self.metrics.cache_bytes.set(self.traces.nbytes)

    async def read(self, work: Callable[[], T]) -> T:
        """What some reading of a trace gives, off the event loop."""
        return await asyncio.wrap_future(self.readers.submit(work))

    def capture(self, lane: Lane, request: TraceRequest, image: HeldImage | None) -> "AttentionTrace":
        """The trace of a request, made here and now, once there is memory for the model and for the pass."""
        model = lane.ready()
        what, needed = pass_needs(model, request, image)
        with self.budget.room(what, needed, lane):
            return capture_with(model, request, image)

    def _begin(self, trace_id: str, request: TraceRequest, entry: CatalogueEntry, image: HeldImage | None) -> Making:
        lane = self.lane(entry)
        self.demand_fetched(lane)
        pending = Pending(lane.pool.submit(lambda: self.capture(lane, request, image)))
        self._pending[trace_id] = pending
        pending.result.add_done_callback(lambda result: self._finish(trace_id, request, pending, result))
        return pending

    def _loader(self) -> Loader:
        """A function that loads a model once there is memory for it."""
        load = make_loader(self.settings)

        def load_in_room(entry: CatalogueEntry, folder: Path) -> "LoadedModel":
            now, task = revised(entry, self.cache), self._revising.get(entry.card.name)
            if task is not None and task.done() and task.result().card.revision != now.card.revision:
                raise changed(folder)
            with self.budget.room(f"loading {entry.card.title}", load_needs(folder, ITEM[self.settings.dtype])):
                demand_whole(entry, self.cache)
                model = load(now, folder)
            demand_unchanged(now, self.cache)
            return model

        return load_in_room

    def _free(self) -> int:
        return memory.available_bytes(best_device(self.settings.device))

    def _finish(
        self, trace_id: str, request: TraceRequest, pending: Making, result: "asyncio.Future[AttentionTrace]"
    ) -> None:
        if self._pending.get(trace_id) is pending:
            del self._pending[trace_id]
        # Asking for the exception marks it as seen, also when nobody waits any more.
        if not result.cancelled() and result.exception() is None:
            self.keep(trace_id, result.result(), request)

    async def _wait(self, trace_id: str, pending: Making, gone: Gone) -> "AttentionTrace":
        try:
            return await pending.wait(gone, self.settings.trace_timeout)
        finally:
            if pending.dropped and self._pending.get(trace_id) is pending:
                del self._pending[trace_id]

    async def close(self) -> None:
        """Drops what waits and lets what runs end."""
        pools = [self.readers, self.drawers, self.renderers, *(lane.pool for lane in self._lanes.values())]
        for pool in pools:
            pool.close()
        for pool in pools:
            await asyncio.to_thread(pool.join)
        self.trained.close()

    def _forget(self, name: str) -> None:
        """Lets the lane of a model go that is not held any more; from any thread."""
        lane = self._lanes.pop(name, None)
        if lane is not None:
            lane.pool.close()
