"""Experiments as jobs: what their readers hear, that others are served meanwhile, how they stop, what is refused."""

import asyncio
import threading
from dataclasses import replace

import pytest
from slow_writing import slow_scan
from test_writing_jobs import TEXT, events_in, lane_of, service_of, until

from app.experimenting import begin_experiment
from app.experiments import OFFERED
from app.job_schemas import ScanRequest
from app.problems import BusyError
from app.schemas import TraceRequest
from attention_core.capture import Example, open_model
from attention_core.experiments.running import Progress, finish
from attention_core.experiments.switching import scan

JOBS = "/api/v1/jobs"
WISH = {"do": "experiment", "name": "scan", "model": "induction", "text": TEXT}
HEADS = 8  # of the model: two layers of four


@pytest.fixture
def slow(monkeypatch):
    """Lets an experiment work on one head at a time, with a pause after each."""
    slow_scan(monkeypatch)


@pytest.fixture(scope="module")
def fresh(serve, tmp_path_factory):
    """A server that has fetched nothing: the bundled models are there."""
    with serve(cache=tmp_path_factory.mktemp("empty"), fetch_on_start=False) as client:
        yield client


async def begin(service, jobs, **more):
    return await begin_experiment(service, jobs, ScanRequest(**{**WISH, **more}))


async def gone() -> bool:
    return False


def ended(client, job_id):
    return events_in(client.get(f"{JOBS}/{job_id}/events").text)[-1][1]


# ---- what readers hear


def test_a_reader_hears_how_far_it_is_and_what_was_found(tmp_path, slow):
    async def scene():
        async with service_of(tmp_path) as (service, jobs):
            job = await begin(service, jobs)
            return [events_in(event)[0] async for event in job.events()]

    told = asyncio.run(scene())
    assert [name for name, _ in told] == ["progress"] * (len(told) - 1) + ["end"]
    assert all((data["do"], data["name"], data["model"]) == ("experiment", "scan", "induction") for _, data in told)
    done = [data["done"] for _, data in told[:-1]]
    assert done == sorted(done)
    assert len(set(done)) >= 4
    assert told[-2][1]["total"] == HEADS
    assert told[0][1]["waiting"] is False
    end = told[-1][1]
    assert (end["state"], end["problem"]) == ("done", None)
    found = finish(scan(open_model("induction"), Example(TEXT)))
    assert [(one["layer"], one["head"]) for one in end["result"]["heads"]] == [
        (one.layer, one.head) for one in found.heads
    ]
    assert [one["effect"] for one in end["result"]["heads"]] == pytest.approx([one.effect for one in found.heads])


def test_whoever_asks_the_same_gets_the_same_job_also_when_it_is_done(fresh):
    first = fresh.post(JOBS, json=WISH)
    assert (first.status_code, first.json()["name"]) == (202, "scan")
    end = ended(fresh, first.json()["id"])
    again = fresh.post(JOBS, json={**WISH, "how": "zero", "options": {"truncate": False}, "row": None})
    assert (again.json()["id"], again.json()["state"]) == (first.json()["id"], "done")
    assert ended(fresh, again.json()["id"]) == end
    off = {"name": "switch-off", "options": {"off": ["decoder-self.0.0"]}}
    for change in ({"how": "mean"}, {"row": 2}, {"text": "lamp goat"}, {"kind": "decoder-self"}, off):
        other = fresh.post(JOBS, json={**WISH, **change}).json()["id"]
        assert other != first.json()["id"]
        assert ended(fresh, other)["state"] == "done"


def test_what_has_ended_is_not_taken_back(fresh):
    job = fresh.post(JOBS, json={**WISH, "text": "goat moon"}).json()["id"]
    ended(fresh, job)
    assert fresh.delete(f"{JOBS}/{job}").json()["state"] == "done"
    assert fresh.post(JOBS, json={**WISH, "text": "goat moon"}).json()["id"] == job


def test_of_a_long_text_the_beginning_where_that_is_wished_for(fresh):
    body = {"model": "induction", "text": "lamp goat moon key " * 40, "options": {"truncate": True}}
    shown = fresh.post("/api/v1/traces", json=body).json()["source"]
    assert shown["cut"] is not None
    said = ended(fresh, fresh.post(JOBS, json={**WISH, **body}).json()["id"])["result"]
    cut = ended(fresh, fresh.post(JOBS, json={**WISH, "text": shown["text"][: shown["cut"]]}).json()["id"])["result"]
    assert said["aim"] == {"task": "next-token", "row": len(shown["ids"]) - 1}
    assert said == cut


def test_what_failed_is_tried_again(fresh):
    body = {**WISH, "row": 99}
    first = fresh.post(JOBS, json=body).json()["id"]
    assert ended(fresh, first)["state"] == "failed"
    assert fresh.post(JOBS, json=body).json()["id"] != first


def test_one_who_waits_for_others_is_told_so(tmp_path):
    async def scene():
        async with service_of(tmp_path) as (service, jobs):
            gate = threading.Event()
            lane_of(service).pool.submit(gate.wait)
            job = await begin(service, jobs)
            reader = job.events()
            first = events_in(await anext(reader))[0][1]
            assert (first["waiting"], first["done"], first["total"]) == (True, 0, None)
            gate.set()
            assert [events_in(event)[0] async for event in reader][-1][1]["state"] == "done"

    asyncio.run(scene())


# ---- others are served meanwhile


def test_a_look_comes_back_before_the_scan_ends(tmp_path, slow):
    async def scene():
        async with service_of(tmp_path, memory_bytes=2**29) as (service, jobs):
            job = await begin(service, jobs)
            reader = job.events()
            await anext(reader)
            await until(lambda: job.done >= 1)
            free = service.budget.available()
            _, trace, _ = await service.make(TraceRequest(model="induction", text="moon key moon"), gone)
            assert (job.state, job.done < HEADS) == ("running", True)
            assert trace.source.texts == ("<s>", "moon", "key", "moon")
            assert service.budget.available() <= free  # its own memory stays kept meanwhile
            end = [events_in(event)[0] async for event in reader][-1][1]
            assert end["state"] == "done"
            assert service.budget.available() > free

    asyncio.run(scene())


def test_only_a_few_wait_for_one_model(tmp_path, slow):
    async def scene():
        async with service_of(tmp_path) as (service, jobs):
            made = [await begin(service, jobs, text=f"lamp goat {word}") for word in ("moon", "key", "lamp")]
            with pytest.raises(BusyError):
                await begin(service, jobs, text="lamp goat goat")
            assert await begin(service, jobs, text="lamp goat key") is made[1]  # no new one
            made[0].cancel()
            await until(lambda: made[0].state == "cancelled")
            assert (await begin(service, jobs, text="lamp goat goat")).state == "running"

    asyncio.run(scene())


def test_one_that_everybody_has_left_makes_room_at_once(tmp_path, slow):
    async def scene():
        async with service_of(tmp_path) as (service, jobs):
            made = []
            for word in ("moon", "key", "lamp", "goat", "moon key", "key moon"):
                job = await begin(service, jobs, text=f"lamp goat {word}")
                reader = job.events()
                await anext(reader)
                await reader.aclose()  # the next question overtakes it
                made.append(job)
            await until(lambda: [job.state for job in made[:3]] == ["cancelled"] * 3, 2)

    asyncio.run(scene())


# ---- how it stops


def test_the_last_wish_taken_back_ends_it(tmp_path, slow):
    async def scene():
        async with service_of(tmp_path, memory_bytes=2**29) as (service, jobs):
            await asyncio.wrap_future(lane_of(service).warm())
            free = service.budget.available()
            job = await begin(service, jobs)
            assert await begin(service, jobs) is job
            reader = job.events()
            await anext(reader)
            job.cancel()
            await until(lambda: job.done >= 2)  # it goes on for the other one
            assert service.budget.available() < free
            job.cancel()
            end = [events_in(event)[0] async for event in reader][-1][1]
            assert (end["state"], end["result"]) == ("cancelled", None)
            await until(lambda: lane_of(service).idle)
            assert service.budget.available() == free
            assert await begin(service, jobs) is not job

    asyncio.run(scene())


def test_a_stop_over_http(fresh, slow):
    body = {**WISH, "text": "lamp goat moon key"}
    job = fresh.post(JOBS, json=body).json()
    timer = threading.Timer(0.25, lambda: fresh.delete(f"{JOBS}/{job['id']}"))
    timer.start()
    end = ended(fresh, job["id"])
    timer.join()
    assert (end["state"], end["result"], end["problem"]) == ("cancelled", None, None)


@pytest.mark.parametrize("watched", [True, False])
def test_nobody_watches_and_the_lane_falls_idle(tmp_path, monkeypatch, slow, watched):
    monkeypatch.setattr("app.attended.ALONE", 0.15)

    async def scene():
        async with service_of(tmp_path) as (service, jobs):
            job = await begin(service, jobs)
            if watched:
                reader = job.events()
                await anext(reader)
                await asyncio.sleep(0.2)  # while somebody is there, it goes on
                assert job.state == "running"
                await reader.aclose()
            await until(lambda: job.state != "running", 3)
            assert (job.state, job.done < HEADS) == ("cancelled", True)
            await until(lambda: lane_of(service).idle)

    asyncio.run(scene())


def test_one_that_waits_is_cancelled_before_it_begins(tmp_path):
    async def scene():
        async with service_of(tmp_path) as (service, jobs):
            gate = threading.Event()
            blocking = lane_of(service).pool.submit(gate.wait)
            job = await begin(service, jobs)
            job.cancel()
            await until(lambda: job.state == "cancelled")
            assert lane_of(service).pool.count == 1
            gate.set()
            await asyncio.wrap_future(blocking)

    asyncio.run(scene())


def test_the_server_s_end_is_its_end(tmp_path, slow):
    async def scene():
        async with service_of(tmp_path) as (service, jobs):
            job = await begin(service, jobs)
            await begin(service, jobs)  # however many wish for it
            await until(lambda: job.done >= 1)
            await asyncio.wait_for(jobs.close(), 2)
            assert job.state == "cancelled"
            assert lane_of(service).idle

    asyncio.run(scene())


# ---- what is refused


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"row": 99}, "invalid-input"),
        ({"row": 2**31 - 1}, "invalid-input"),
        ({"row": 2, "key": 99}, "invalid-input"),
        ({"kind": "cross"}, "unknown-name"),
        ({"kind": "<script>"}, "unknown-name"),
        ({"name": "switch-off"}, "invalid-input"),
        ({"name": "switch-off", "options": {"off": ["decoder-self.7.0"]}}, "unknown-name"),
        ({"options": {"off": ["cross.0.0"]}}, "unknown-name"),
        ({"text": " "}, "empty-text"),
        ({"text": "zanzibar"}, "unknown-words"),
        ({"text": "lamp " * 128}, "too-many-tokens"),
        ({"written": [306]}, "invalid-input"),
    ],
)
def test_what_the_experiment_refuses_is_told_at_the_end(fresh, caplog, change, code):
    caplog.set_level("DEBUG")
    job = fresh.post(JOBS, json={**WISH, **change}).json()
    end = ended(fresh, job["id"])
    assert (end["state"], end["result"]) == ("failed", None)
    assert end["problem"]["type"] == f"/problems/{code}", end["problem"]
    assert end["problem"]["detail"]
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("http")]
    assert not any("unforeseen" in line or "lamp" in line or "zanzibar" in line for line in ours)


def test_a_text_too_long_for_it_is_refused_before_it_runs(fresh, monkeypatch):
    monkeypatch.setitem(OFFERED, "scan", replace(OFFERED["scan"], most_tokens=5, run=None))
    problem = ended(fresh, fresh.post(JOBS, json={**WISH, "text": "lamp goat moon key lamp"}).json()["id"])["problem"]
    assert (problem["type"], problem["reason"]) == ("/problems/too-many-tokens", "experiment")
    assert (problem["count"], problem["limit"]) == (6, 5)


def test_what_does_not_fit_into_memory_is_refused_before_it_runs(tmp_path, monkeypatch):
    monkeypatch.setitem(OFFERED, "scan", replace(OFFERED["scan"], run=None))

    async def scene():
        async with service_of(tmp_path) as (service, jobs):
            await asyncio.wrap_future(lane_of(service).warm())
            service.budget._limit = lane_of(service).nbytes + 1_000_000
            job = await begin(service, jobs)
            return [events_in(event)[0] async for event in job.events()][-1][1]

    problem = asyncio.run(scene())["problem"]
    assert problem["type"] == "/problems/out-of-memory"
    assert problem["needed"] > problem["available"]


def test_a_number_that_is_none_is_a_failure_and_no_broken_stream(fresh, monkeypatch):
    def run(*given):
        yield Progress(1, 1)
        return {"effect": float("nan")}

    monkeypatch.setitem(OFFERED, "scan", replace(OFFERED["scan"], run=run))
    end = ended(fresh, fresh.post(JOBS, json={**WISH, "text": "lamp moon"}).json()["id"])
    assert (end["state"], end["result"], end["problem"]["type"]) == ("failed", None, "/problems/internal")
