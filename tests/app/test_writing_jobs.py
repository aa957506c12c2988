"""A model writes on as a job: what its readers hear, how it stops, and that nothing is left running."""

import asyncio
import json
import threading
import time
from contextlib import asynccontextmanager

import pytest
from slow_writing import slow_down

from app.job_schemas import GenerateRequest
from app.jobs import Jobs
from app.metrics import Metrics
from app.problems import BusyError
from app.service import TraceService
from app.settings import Settings
from app.writing import WritingJob
from attention_core.models.catalogue import load_catalogue

TEXT = "lamp goat moon key lamp goat"
PROMPT = ["<s>", *TEXT.split()]
WISH = {"do": "generate", "model": "induction", "text": TEXT}


def events_in(data: bytes | str) -> list[tuple[str, dict]]:
    """The events of a stream, in order."""
    text = data if isinstance(data, str) else data.decode()
    blocks = [block.splitlines() for block in text.strip().split("\n\n") if not block.startswith(":")]
    return [(name.removeprefix("event: "), json.loads(line.removeprefix("data: "))) for name, line in blocks]


@asynccontextmanager
async def service_of(tmp_path, catalogue=None, **settings):
    """A service over the bundled models, or over a catalogue's, and its jobs."""
    service = TraceService(Settings(cache=tmp_path, **settings), catalogue or load_catalogue(), tmp_path, Metrics())
    jobs = Jobs(service)
    try:
        yield service, jobs
    finally:
        await jobs.close()
        await service.close()


def begin(service, jobs, **more) -> WritingJob:
    job = WritingJob(service, GenerateRequest(**{**WISH, **more}))
    jobs.start(job)
    return job


async def until(what, seconds=60.0) -> None:
    async with asyncio.timeout(seconds):
        while not what():
            await asyncio.sleep(0.01)


def lane_of(service):
    return service.lane(service.catalogue.entry("induction"))


def count(job) -> int:
    return len(job._tokens)


# ---- what readers hear


def test_a_reader_hears_everything_in_order_and_the_slow_one_less_often(tmp_path, monkeypatch):
    slow_down(monkeypatch, 0.02)

    async def scene():
        async with service_of(tmp_path) as (service, jobs):
            job = begin(service, jobs, most=30)
            eager, slow = [], job.events(1, 3)
            first = events_in(await anext(slow))[0][1]

            async def listen():
                eager.extend([events_in(event)[0] async for event in job.events(None, None)])

            listening = asyncio.create_task(listen())
            await until(lambda: count(job) >= first["from"] + len(first["tokens"]) + 5)
            second = events_in(await anext(slow))[0][1]
            await slow.aclose()
            await listening
            late = [events_in(event)[0] async for event in job.events(0, 0)]
            return first, second, eager, late

    first, second, eager, late = asyncio.run(scene())
    assert (first["prompt"], first["from"]) == (PROMPT, 0)
    assert second["from"] == len(first["tokens"])
    assert len(second["tokens"]) >= 5
    assert "prompt" not in second
    newest = second["from"] + len(second["tokens"]) - 1
    assert (second["row"]["step"], second["row"]["layer"], second["row"]["head"]) == (newest, 1, 3)
    assert len(second["row"]["weights"]) == len(PROMPT) + newest
    assert sum(second["row"]["weights"]) == pytest.approx(1, abs=1e-4)
    assert [name for name, _ in eager] == ["written"] * (len(eager) - 1) + ["end"]
    assert all(data["row"] is None for _, data in eager[:-1])
    tokens = [token for _, data in eager[:-1] for token in data["tokens"]]
    starts = [data["from"] for _, data in eager[:-1]]
    assert starts == sorted(starts)
    assert [token["id"] for token in tokens] == eager[-1][1]["written"]
    assert [token["text"] for token in tokens[:4]] == ["moon", "key", "lamp", "goat"]
    assert "".join(token["spelled"] for token in tokens[:2]) == " moon key"
    assert all(len(token["candidates"]) == 5 for token in tokens)
    # Who comes when all is over is told all at once.
    assert [name for name, _ in late] == ["written", "end"]
    assert (late[0][1]["prompt"], late[0][1]["tokens"]) == (PROMPT, tokens)
    assert late[1][1] == eager[-1][1]


def test_the_trace_of_what_was_written_is_there_at_once(fresh):
    job = fresh.post("/api/v1/jobs", json={**WISH, "most": 6})
    assert (job.status_code, job.json()["do"], job.json()["state"]) == (202, "generate", "running")
    told = events_in(fresh.get(f"/api/v1/jobs/{job.json()['id']}/events?layer=1&head=3").text)
    name, end = told[-1]
    assert (name, end["state"], end["reason"], end["problem"]) == ("end", "done", "limit", None)
    reply = fresh.post("/api/v1/traces", json={"model": "induction", "text": TEXT, "written": end["written"]})
    assert (reply.status_code, reply.json()["id"]) == (200, end["trace"])
    trace = fresh.get(f"/api/v1/traces/{end['trace']}").json()
    tokens = [token for _, data in told[:-1] for token in data["tokens"]]
    assert (trace["written"], trace["source"]["ids"][-6:]) == (6, end["written"])
    assert trace["source"]["texts"] == [*PROMPT, *(token["text"] for token in tokens)]
    said = {one["position"]: one["actual"] for one in trace["predictions"]["at"]}
    for step, token in enumerate(tokens):
        assert said[len(PROMPT) + step - 1]["probability"] == pytest.approx(token["probability"], abs=1e-4)


def test_only_what_was_written_changes_an_id(fresh):
    plain = fresh.post("/api/v1/traces", json={"model": "induction", "text": TEXT}).json()
    for more in ({"written": []}, {"options": {"chat": False}}, {"options": {}}):
        reply = fresh.post("/api/v1/traces", json={"model": "induction", "text": TEXT, **more})
        assert (reply.status_code, reply.json()["id"], reply.json()["written"]) == (200, plain["id"], 0)
    other = fresh.post("/api/v1/traces", json={"model": "induction", "text": TEXT, "written": [3]})
    assert (other.status_code, other.json()["written"]) == (201, 1)
    assert other.json()["id"] != plain["id"]


def test_it_goes_on_from_what_stands(fresh):
    def written(**more):
        job = fresh.post("/api/v1/jobs", json={**WISH, "sampling": {"method": "sample", "seed": 7}, **more}).json()
        return events_in(fresh.get(f"/api/v1/jobs/{job['id']}/events").text)[-1][1]["written"]

    whole = written(most=9)
    half = written(most=4)
    assert half == whole[:4]
    assert written(most=5, written=half) == whole
    assert written(most=9, sampling={"method": "sample", "seed": 8, "temperature": 5}) != whole


def test_the_room_of_a_model_ends_the_text(fresh):
    job = fresh.post("/api/v1/jobs", json={**WISH, "most": 256}).json()
    end = events_in(fresh.get(f"/api/v1/jobs/{job['id']}/events").text)[-1][1]
    assert (end["reason"], len(end["written"])) == ("room", 128 - len(PROMPT))


# ---- how it stops


def test_a_stop_keeps_what_was_written(tmp_path, monkeypatch):
    slow_down(monkeypatch)

    async def scene():
        async with service_of(tmp_path) as (service, jobs):
            job = begin(service, jobs, most=100)
            told = []
            async for event in job.events(None, None):
                told += events_in(event)
                if count(job) >= 3:
                    job.cancel()
            end = told[-1][1]
            assert (end["state"], end["reason"]) == ("done", "stopped")
            assert 3 <= len(end["written"]) < 10
            assert service.held(end["trace"]).written == len(end["written"])
            await until(lambda: lane_of(service).idle)

    asyncio.run(scene())


def test_a_stop_over_http(serve, tmp_path, monkeypatch):
    slow_down(monkeypatch)
    with serve(cache=tmp_path, fetch_on_start=False, mode="public", allowed_hosts=("localhost",)) as client:
        job = client.post("/api/v1/jobs", json=WISH).json()
        timer = threading.Timer(0.5, lambda: client.delete(f"/api/v1/jobs/{job['id']}"))
        timer.start()
        end = events_in(client.get(f"/api/v1/jobs/{job['id']}/events").text)[-1][1]
        timer.join()
        assert (end["state"], end["reason"]) == ("done", "stopped")
        written = {"model": "induction", "text": TEXT, "written": end["written"]}
        assert client.post("/api/v1/traces", json=written).status_code == 200


@pytest.mark.parametrize("watched", [True, False])
def test_nobody_watches_and_the_lane_falls_idle(tmp_path, monkeypatch, watched):
    slow_down(monkeypatch)
    monkeypatch.setattr("app.attended.ALONE", 0.3)

    async def scene():
        async with service_of(tmp_path) as (service, jobs):
            lane_of(service).warm()
            await until(lambda: lane_of(service).idle)
            job = begin(service, jobs, most=100)
            if watched:
                reader = job.events(None, None)
                await anext(reader)
                await asyncio.sleep(0.6)  # while somebody is there, it goes on
                assert job.state == "running"
                await reader.aclose()
            assert not lane_of(service).idle
            await until(lambda: lane_of(service).idle, 3)
            await until(lambda: job.state != "running")
            assert (job.state, job.end()["trace"], count(job) < 60) == ("cancelled", None, True)
            assert service.traces.nbytes == 0

    asyncio.run(scene())


def test_a_loop_that_was_held_up_does_not_take_its_readers_for_gone(tmp_path, monkeypatch):
    slow_down(monkeypatch)
    monkeypatch.setattr("app.attended.ALONE", 0.3)

    async def scene():
        async with service_of(tmp_path) as (service, jobs):
            job = begin(service, jobs, most=40)
            time.sleep(0.6)  # the whole loop stands still, as under a heavy load
            for _ in range(3):
                await asyncio.sleep(0)  # what was due meanwhile is done before anybody is heard
            told = [events_in(event)[0] async for event in job.events(None, None)]
            assert told[-1][1]["state"] == "done"

    asyncio.run(scene())


def test_one_of_two_readers_may_leave_and_a_new_one_come(tmp_path, monkeypatch):
    slow_down(monkeypatch, 0.02)
    monkeypatch.setattr("app.attended.ALONE", 0.2)

    async def scene():
        async with service_of(tmp_path) as (service, jobs):
            job = begin(service, jobs, most=60)
            readers = [job.events(None, None), job.events(0, 1)]
            for reader in readers:
                await anext(reader)
            await readers[0].aclose()
            await asyncio.sleep(0.3)
            assert job.state == "running"
            await readers[1].aclose()
            again = [events_in(event)[0] async for event in job.events(1, 0)]
            assert (again[0][1]["from"], again[-1][1]["state"]) == (0, "done")
            assert len(again[-1][1]["written"]) == 60

    asyncio.run(scene())


def test_a_job_that_waits_is_cancelled_before_it_begins(tmp_path):
    async def scene():
        async with service_of(tmp_path) as (service, jobs):
            gate = threading.Event()
            blocking = lane_of(service).pool.submit(gate.wait)
            job = begin(service, jobs)
            reader = job.events(None, None)
            (name, first), = events_in(await anext(reader))
            assert (name, first["waiting"], first["tokens"]) == ("written", True, [])
            job.cancel()
            (name, end), = events_in(await anext(reader))
            await reader.aclose()
            assert (name, end["state"], end["trace"], end["written"]) == ("end", "cancelled", None, [])
            assert lane_of(service).pool.count == 1
            gate.set()
            await asyncio.wrap_future(blocking)
            await until(lambda: lane_of(service).idle)

    asyncio.run(scene())


def test_the_server_s_end_is_the_writing_s_end(tmp_path, monkeypatch):
    slow_down(monkeypatch)

    async def scene():
        async with service_of(tmp_path) as (service, jobs):
            job = begin(service, jobs, most=100)
            reader = job.events(None, None)
            await until(lambda: count(job) >= 2)
            await asyncio.wait_for(jobs.close(), 2)
            assert (job.state, job.end()["trace"]) == ("cancelled", None)
            assert lane_of(service).idle
            await reader.aclose()

    asyncio.run(scene())


# ---- what is refused


@pytest.mark.parametrize(
    ("more", "code"),
    [
        *(({"most": wrong}, "invalid-request") for wrong in (0, 257, -1, 1.5, True, "9")),
        *(({"sampling": {"temperature": wrong}}, "invalid-request") for wrong in (0, -1, 5.1, True, "1", None)),
        *(({"sampling": {"top_k": wrong}}, "invalid-request") for wrong in (0, 1001, 2.0, False)),
        *(({"sampling": {"seed": wrong}}, "invalid-request") for wrong in (-1, 2**32, 1.0, True)),
        *(({"written": wrong}, "invalid-request") for wrong in ([-1], [True], [1.0], ["1"], 5, [2**31], [3] * 257)),
        ({"written": [3] * 256}, "too-many-written"),
        *(({"text": wrong}, "invalid-request") for wrong in (None, 5)),
        ({"sampling": {"method": "beam"}}, "invalid-request"),
        ({"sampling": {"topk": 5}}, "unknown-parameter"),
        ({"pair": "x"}, "unknown-parameter"),
        ({"model": "gpt-9"}, "unknown-name"),
        *(({"model": name}, "not-available") for name in ("ko-en", "shapes", "minilm")),
        ({"options": {"chat": True}}, "not-available"),
        ({"do": "fetch"}, "unknown-parameter"),
    ],
)
def test_wrong_wishes_start_nothing(fresh, more, code):
    reply = fresh.post("/api/v1/jobs", json={**WISH, **more})
    assert (reply.status_code, reply.json()["type"]) == (422, f"/problems/{code}")
    assert reply.json()["detail"]


def test_numbers_that_are_none(fresh):
    for wrong in ("NaN", "Infinity", "1e999"):
        body = json.dumps(WISH)[:-1] + f', "sampling": {{"temperature": {wrong}}}}}'
        reply = fresh.post("/api/v1/jobs", content=body, headers={"Content-Type": "application/json"})
        assert reply.status_code in (400, 422)


def test_unknown_parameters_name_the_accepted_ones(fresh):
    facts = fresh.post("/api/v1/jobs", json={**WISH, "sampling": {"top_p": 0.9}}).json()
    assert facts["accepted"] == ["method", "temperature", "top_k", "seed"]
    job = fresh.post("/api/v1/jobs", json={**WISH, "most": 1}).json()["id"]
    assert fresh.get(f"/api/v1/jobs/{job}/events?kind=cross").json()["accepted"] == ["layer", "head"]
    assert fresh.get(f"/api/v1/jobs/{job}/events?layer=2").json()["type"] == "/problems/unknown-name"
    assert fresh.get(f"/api/v1/jobs/{job}/events?layer=-1").status_code == 422
    assert events_in(fresh.get(f"/api/v1/jobs/{job}/events?head=3").text)[-1][1]["state"] == "done"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"text": " "}, "empty-text"),
        ({"text": "zanzibar"}, "unknown-words"),
        ({"text": "lamp " * 127}, "too-many-tokens"),
        ({"written": [306]}, "invalid-input"),
    ],
)
def test_what_the_model_refuses_is_told_at_the_end(fresh, more, code):
    job = fresh.post("/api/v1/jobs", json={**WISH, **more}).json()
    (name, end), = events_in(fresh.get(f"/api/v1/jobs/{job['id']}/events").text)[-1:]
    assert (name, end["state"], end["trace"]) == ("end", "failed", None)
    assert end["problem"]["type"] == f"/problems/{code}"


@pytest.mark.parametrize("wrong", [[306], [10**9]])
def test_a_trace_of_tokens_that_are_none(fresh, wrong):
    reply = fresh.post("/api/v1/traces", json={"model": "induction", "text": TEXT, "written": wrong})
    assert (reply.status_code, reply.json()["type"]) == (422, "/problems/invalid-input")
    assert str(wrong[0]) in reply.json()["detail"]


def test_written_tokens_need_a_model_that_writes(fresh):
    for body in ({"model": "ko-en", "text": "나는 학교에 갔다"}, {"model": "minilm", "text": "a"}):
        reply = fresh.post("/api/v1/traces", json={**body, "written": [3]})
        assert (reply.status_code, reply.json()["reason"]) == (422, "no-writing")


def test_a_full_lane_is_busy_and_takes_the_next_one_when_it_is_not(tmp_path):
    async def scene():
        async with service_of(tmp_path, queue_limit=1) as (service, jobs):
            gate = threading.Event()
            lane_of(service).pool.submit(gate.wait)
            with pytest.raises(BusyError):
                begin(service, jobs)
            gate.set()
            await until(lambda: lane_of(service).idle)
            job = begin(service, jobs, most=1)
            assert [events_in(event)[0] async for event in job.events(None, None)][-1][1]["state"] == "done"

    asyncio.run(scene())


def test_a_model_that_is_not_here(fresh):
    reply = fresh.post("/api/v1/jobs", json={**WISH, "model": "smollm2"})
    assert (reply.status_code, reply.json()["type"]) == (409, "/problems/model-absent")


def test_no_text_in_the_log(fresh, caplog):
    caplog.set_level("DEBUG")
    for more in ({"text": "marzipan bell"}, {"most": 2}):
        job = fresh.post("/api/v1/jobs", json={**WISH, **more}).json()
        fresh.get(f"/api/v1/jobs/{job['id']}/events?layer=0")
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("http")]
    assert any("GET /api/v1/jobs/{job_id}/events 200" in line for line in ours)
    assert not any("marzipan" in line or "lamp" in line or "moon" in line for line in ours)


@pytest.fixture(scope="module")
def fresh(serve, tmp_path_factory):
    """A server that has fetched nothing: the bundled models are there."""
    with serve(cache=tmp_path_factory.mktemp("empty"), fetch_on_start=False) as client:
        yield client
