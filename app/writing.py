"""A model that continues a text: a job that tells each token as it is written, and ends in a trace of the whole.

The work runs in the model's lane, each token in a turn of its own, so that others who look or write are served between
tokens. What was written becomes part of the example, so the trace's id is the one that POST /traces computes for it.
Nobody is waited for: a job without a reader is cancelled after a few seconds.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app import schemas
from app.attended import AttendedJob
from app.documents import Document, row_document, step_document, writing_end_document, written_document
from app.job_schemas import GenerateRequest, Sampling
from app.jobs import problem_of
from app.lanes import Lane
from app.making import capture_with, demand_fit, example_of, pass_needs
from app.problems import ProblemError
from app.schemas import TraceRequest
from app.service import TraceService
from attention_core.errors import UnknownNameError
from attention_core.models.catalogue import CatalogueEntry

if TYPE_CHECKING:
    from torch import Tensor

    from attention_core.capture import Step
    from attention_core.models.examples import TextReader
    from attention_core.trace import AttentionTrace

Report = Callable[[Sequence[str], "Step | None", str], None]


@dataclass(frozen=True)
class Wish:
    """A text to continue: the example, what stands after it already, how to choose and how many tokens at most."""

    request: TraceRequest
    sampling: Sampling
    most: int

    @classmethod
    def of(cls, wanted: GenerateRequest) -> "Wish":
        """What a job's request asks for; with what stands already, no more than a trace may hold.

        A too-many-written problem when nothing more may be written.
        """
        if len(wanted.written) >= schemas.MOST_WRITTEN:
            sentence = f"{schemas.MOST_WRITTEN} tokens are written already, and no more are written"
            raise ProblemError("too-many-written", sentence, limit=schemas.MOST_WRITTEN)
        request = TraceRequest(model=wanted.model, text=wanted.text, options=wanted.options, written=wanted.written)
        return cls(request, wanted.sampling, min(wanted.most, schemas.MOST_WRITTEN - len(wanted.written)))

    def with_written(self, ids: Sequence[int]) -> TraceRequest:
        """The request of the trace in which these tokens stand too."""
        return self.request.model_copy(update={"written": [*self.request.written, *ids]})


def demand_writes(service: TraceService, entry: CatalogueEntry, request: TraceRequest) -> None:
    """A not-available problem for a model that does not continue such a text; no model is loaded for it."""
    demand_fit(entry, request, service.abilities(entry), writes=True)


class Spelling:
    """The text of ids one after another: what each adds, as soon as its characters are whole."""

    def __init__(self, reader: "TextReader") -> None:
        from attention_core.tokens import Tokens

        self._reader = reader
        self._start = Tokens.of_ids([0], ["."], [False])  # something that the text goes on from
        self._text = self._start.text
        self._ids: list[int] = []

    def add(self, number: int) -> str:
        """What this id adds to the text before it; "" while a character is not whole."""
        self._ids.append(number)
        before, self._text = self._text, self._reader.follow(self._start, self._ids).text
        return self._text[len(before) :]


class Writing:
    """The work itself, in the lane's thread: the tokens one after another, then the trace of the whole."""

    def __init__(self, service: TraceService, lane: Lane, wish: Wish) -> None:
        self.ids: list[int] = []
        self.reason = ""
        self._service = service
        self._lane = lane
        self._wish = wish

    def run(self, report: Report, stopped: Callable[[], bool], wanted: Callable[[], bool]) -> "AttentionTrace | None":
        """What `turns` returns, without a rest in between."""
        turns = self.turns(report, stopped, wanted)
        while True:
            try:
                next(turns)
            except StopIteration as end:
                made: AttentionTrace | None = end.value
                return made

    def turns(
        self, report: Report, stopped: Callable[[], bool], wanted: Callable[[], bool]
    ) -> "Generator[None, None, AttentionTrace | None]":
        """The trace of the text with what was written, None when that is nothing or the trace is not `wanted`.

        Yields after each token; the memory is kept meanwhile, and closing gives it back. `report` is called with the
        texts of the tokens read at the start, then with each step and what it adds to the text; after a step,
        `stopped` ends the writing.
        """
        if stopped():
            return None
        model = self._lane.ready()
        what, needed = pass_needs(model, self._wish.request, more=self._wish.most)
        with self._service.budget.room(what, needed, self._lane):
            yield from self._write(model, report, stopped)
            if not self.ids or not wanted():
                return None
            return capture_with(model, self._wish.with_written(self.ids))

    def _write(self, model: Any, report: Report, stopped: Callable[[], bool]) -> Generator[None]:
        from attention_core.capture import Sampling, write

        example, sampling = example_of(self._wish.request, None), Sampling(**self._wish.sampling.model_dump())
        prompt = model.encode(example).source.texts
        report(prompt, None, "")
        spelling = Spelling(model.reader)
        with closing(write(model, example, sampling, most=self._wish.most)) as steps:
            for step in steps:
                self.ids.append(step.id)
                self.reason = step.reason
                report(prompt, step, spelling.add(step.id))
                yield
                if stopped():
                    break
        self.reason = self.reason or "stopped"


class WritingJob(AttendedJob):
    """Writing as a job; a BusyError, a ModelAbsentError or a not-available problem when it cannot begin."""

    event = "written"

    def __init__(self, service: TraceService, wanted: GenerateRequest) -> None:
        entry = service.catalogue.entry(wanted.model)
        super().__init__("generate", entry.card.name)
        self._entry, self._service, self._wish = entry, service, Wish.of(wanted)
        demand_writes(service, entry, self._wish.request)
        lane = service.lane(entry)
        service.demand_fetched(lane)
        self._prompt: Sequence[str] | None = None
        self._tokens: list[Document] = []
        self._rows: Tensor | None = None
        self._trace_id: str | None = None
        self._reason = ""
        self._ids: list[int] = []
        self._wanted = True
        # What is before it is another one's text; a model that is only being loaded is no queue.
        self._waits = not lane.idle and not lane.loading
        self._writing = Writing(service, lane, self._wish)
        turns = self._writing.turns(self._report, self.stop.is_set, lambda: self._wanted)
        self._work: Future[AttentionTrace | None] = lane.pool.in_turns(turns)
        self.await_reader()

    async def run(self) -> None:
        """Waits for the work, and keeps its trace."""
        try:
            trace = await asyncio.wrap_future(self._work)
            entry = await self._service.revised(self._entry)
        except asyncio.CancelledError:
            self._end(state="cancelled")
        except Exception as error:
            self._end(state="failed", problem=problem_of(error))
        else:
            if trace is None or not self._wanted:
                self._end(state="cancelled")
                return
            request = self._wish.with_written(self._writing.ids)
            self._trace_id = self._service.trace_id(request, entry)
            self._service.keep(self._trace_id, trace, request)
            self._end(state="done")

    def cancel(self) -> None:
        """Stops the writing; what was written until then still becomes a trace."""
        super().cancel()
        self._work.cancel()  # when it has not begun

    def close(self) -> None:
        """Stops the writing, and nothing is made of what was written: nobody is there to see it."""
        self._wanted = False
        self.cancel()

    def end(self) -> Document:
        """The data of the last event."""
        stands = [*self._wish.request.written, *self._ids]
        return writing_end_document(super().end(), self._trace_id, stands, self._reason)

    def events(self, layer: int | None, head: int | None) -> AsyncGenerator[bytes]:
        """Server-sent events for one reader: all that is written so far, then what is new since its last event.

        With a layer or a head (the other is 0), the newest step's row of that head comes along. Where others are
        before it in the lane, the first event says so.
        """
        shown = None if layer is None and head is None else (layer or 0, head or 0)
        seen = -2 if self._waits else -1  # not even the prompt

        def news() -> Document | None:
            nonlocal seen
            if self._prompt is None and seen == -2:
                seen = -1
                return written_document(self.document(), None, 0, (), None, waiting=True)
            if self._prompt is None or seen == len(self._tokens):
                return None
            start, seen = seen, len(self._tokens)
            prompt = self._prompt if start < 0 else None
            start = max(0, start)
            return written_document(self.document(), prompt, start, self._tokens[start:], self._row(shown))

        return self.follow(news)

    def demand_head(self, layer: int | None, head: int | None) -> None:
        """An UnknownNameError for a head that the model does not have."""
        card = self._entry.card
        for what, given, count in (("layer", layer, card.layers), ("head", head, card.heads)):
            if given is not None and given >= count:
                raise UnknownNameError(what, str(given), [f"0 to {count - 1}"])

    def _report(self, prompt: Sequence[str], step: "Step | None", spelled: str) -> None:
        """Passes a step on from the lane's thread; only the newest rows are held."""
        told = None if step is None else step_document(step, spelled)
        rows = None if step is None else step.rows.cpu()
        self.loop.call_soon_threadsafe(lambda: self._add(prompt, told, rows))

    def _add(self, prompt: Sequence[str], token: Document | None, rows: "Tensor | None") -> None:
        if token is not None:
            self._tokens.append(token)
        self.tell(_prompt=prompt, _rows=rows)

    def _row(self, shown: tuple[int, int] | None) -> Document | None:
        rows = self._rows
        if rows is None or shown is None or shown[0] >= rows.shape[0] or shown[1] >= rows.shape[1]:
            return None
        return row_document(len(self._tokens) - 1, *shown, rows[shown].tolist())

    def _end(self, **changes: Any) -> None:
        if changes["state"] != "cancelled":
            self._ids, self._reason = list(self._writing.ids), self._writing.reason
        else:
            self._reason = "stopped"
        self.tell(_rows=None, **changes)
