"""Somebody writes for long, and the others on that model are served in between; and a text that is full."""

import asyncio
import threading
from concurrent.futures import CancelledError

import pytest
from slow_writing import slow_down
from test_writing_jobs import TEXT, WISH, begin, count, events_in, lane_of, service_of, until

from app.lanes import Pool
from app.problems import BusyError
from app.schemas import TraceRequest


async def gone() -> bool:
    return False


def test_a_look_comes_back_before_the_writing_ends(tmp_path, monkeypatch):
    slow_down(monkeypatch)

    async def scene():
        async with service_of(tmp_path, memory_bytes=2**28) as (service, jobs):
            job = begin(service, jobs, most=100)
            reader = job.events(None, None)
            await anext(reader)
            await until(lambda: count(job) >= 2)
            free = service.budget.available()
            _, trace, _ = await service.make(TraceRequest(model="induction", text="moon key moon"), gone)
            assert (job.state, count(job) < 50) == ("running", True)
            assert trace.source.texts == ("<s>", "moon", "key", "moon")
            assert service.budget.available() <= free  # the writing's own memory stays kept meanwhile
            job.cancel()
            end = [events_in(event)[0] async for event in reader][-1][1]
            assert (end["state"], end["reason"]) == ("done", "stopped")

    asyncio.run(scene())


def test_two_writers_take_turns_and_the_second_is_told_that_it_waits(tmp_path, monkeypatch):
    slow_down(monkeypatch, 0.02)

    async def scene():
        async with service_of(tmp_path) as (service, jobs):
            first = begin(service, jobs, most=30)
            readers = [first.events(None, None)]
            await anext(readers[0])
            await until(lambda: count(first) >= 3)
            second = begin(service, jobs, text="bell cake glove bell", most=12)
            readers.append(second.events(0, 0))
            waits = events_in(await anext(readers[1]))[0][1]
            assert (waits.get("waiting"), "prompt" in waits) == (True, False)
            busy = []

            async def watch():
                while "running" in (first.state, second.state):
                    busy.append(not lane_of(service).idle)
                    await asyncio.sleep(0.002)

            watching = asyncio.create_task(watch())
            await until(lambda: count(second) >= 8)
            assert 6 <= count(first) <= 16  # one token each in turn
            ends = [[events_in(event)[0] async for event in reader][-1][1] for reader in readers]
            await watching
            alone = begin(service, jobs, most=30)
            again = [events_in(event)[0] async for event in alone.events(None, None)][-1][1]
            return busy, ends, again

    busy, ends, again = asyncio.run(scene())
    assert [(end["state"], len(end["written"])) for end in ends] == [("done", 30), ("done", 12)]
    assert ends[0]["written"] == again["written"]  # the other one's turns change nothing
    assert busy.count(False) <= 2  # only between the last part and its news


def test_one_who_leaves_while_it_waits_for_its_turn_frees_its_memory(tmp_path, monkeypatch):
    slow_down(monkeypatch)
    monkeypatch.setattr("app.attended.ALONE", 0.2)

    async def scene():
        async with service_of(tmp_path, memory_bytes=2**28) as (service, jobs):
            await asyncio.wrap_future(lane_of(service).warm())
            free = service.budget.available()
            job = begin(service, jobs, most=100)
            reader = job.events(None, None)
            await anext(reader)
            assert service.budget.available() < free
            await reader.aclose()
            await until(lambda: job.state == "cancelled" and lane_of(service).idle)
            assert service.budget.available() == free

    asyncio.run(scene())


def test_a_pool_that_closes_ends_what_goes_on_by_turns():
    pool, closed, gate = Pool("turns", 1, 2), threading.Event(), threading.Event()

    def parts():
        try:
            while True:
                yield
                gate.wait(5)
        finally:
            closed.set()

    result = pool.in_turns(parts())
    waiting = pool.in_turns(parts())
    with pytest.raises(BusyError):
        pool.in_turns(parts())
    gate.set()
    pool.close()
    pool.join()
    for one in (result, waiting):
        with pytest.raises((BusyError, CancelledError)):
            one.result(5)
    assert closed.is_set()
    assert pool.count == 0


def test_what_fails_in_a_later_turn_is_told():
    pool = Pool("turns", 1, 2)

    def parts():
        yield
        raise ValueError(TEXT)

    with pytest.raises(ValueError, match="lamp"):
        pool.in_turns(parts()).result(5)
    pool.join()
    assert pool.count == 0


def test_a_full_context_is_told_as_one(empty):
    job = empty.post("/api/v1/jobs", json={**WISH, "text": "lamp " * 127}).json()
    problem = events_in(empty.get(f"/api/v1/jobs/{job['id']}/events").text)[-1][1]["problem"]
    assert (problem["type"], problem["reason"], problem["limit"]) == ("/problems/too-many-tokens", "room", 128)
    reply = empty.post("/api/v1/jobs", json={**WISH, "written": [3] * 256}).json()
    assert (reply["type"], reply["limit"]) == ("/problems/too-many-written", 256)
    assert "Value error" not in empty.post("/api/v1/jobs", json={**WISH, "do": "fetch"}).json()["detail"]
