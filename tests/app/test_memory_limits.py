"""What does not fit is refused with both numbers; models that nobody uses leave first, then traces."""

import asyncio
import threading
import time

import pytest
from test_problems import problem

from app import cli
from app.budget import Budget
from app.metrics import Metrics
from app.problems import BusyError
from app.schemas import TraceRequest
from app.service import TraceCache, TraceService
from app.settings import Settings
from attention_core.errors import MemoryLimitError
from attention_core.models import memory

TRACES = "/api/v1/traces"
MIB = 1 << 20
LOAD = memory.LOAD_BASE + MIB  # more than a random model takes to load
HUGE = 1 << 50


class Model:
    """A lane, as the budget sees it."""

    def __init__(self, nbytes, used, idle=True):
        self.nbytes, self.used, self.idle = nbytes, used, idle

    def drop(self):
        self.nbytes = 0


class Traces:
    """The cache of traces, as the budget sees it: ten bytes a trace."""

    def __init__(self, count):
        self.count = count

    @property
    def nbytes(self):
        return 10 * self.count

    def drop_oldest(self):
        self.count -= 1


def test_the_model_used_longest_ago_leaves_first_and_no_more_than_needed():
    old, new, busy = Model(30, used=1), Model(30, used=2), Model(30, used=0, idle=False)
    traces = Traces(1)
    budget = Budget(100, lambda: HUGE, lambda: [new, old, busy], traces)
    with budget.room("a pass", 30):
        assert (old.nbytes, new.nbytes, busy.nbytes, traces.count) == (0, 30, 30, 1)
    with budget.room("a pass", 65):
        assert (new.nbytes, busy.nbytes, traces.count) == (0, 30, 0)


def test_what_never_fits_drives_nothing_out():
    idle, traces = Model(30, used=1), Traces(2)
    budget = Budget(100, lambda: HUGE, lambda: [idle], traces)
    with pytest.raises(MemoryLimitError) as caught, budget.room("a pass", 101):
        pass
    assert caught.value.facts == {"needed": 101, "available": 100}
    assert (idle.nbytes, traces.count) == (30, 2)


def test_what_is_free_binds_whatever_the_limit():
    budget = Budget(None, lambda: 50, list, Traces(0))
    assert budget.available() == 50
    budget = Budget(100, lambda: 50, list, Traces(0))
    with pytest.raises(MemoryLimitError, match="a pass needs"), budget.room("a pass", 51):
        pass


def test_a_request_waits_for_what_another_one_gives_back():
    budget = Budget(100, lambda: HUGE, list, Traces(0))
    order, inside = [], threading.Event()

    def first():
        with budget.room("first", 80):
            inside.set()
            time.sleep(0.2)
            order.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    inside.wait()
    with budget.room("second", 80):
        order.append("second")
    thread.join()
    assert order == ["first", "second"]
    assert budget.available() == 100


def test_a_model_in_use_is_waited_for_and_then_leaves():
    busy, own = Model(60, used=1, idle=False), Model(10, used=2, idle=False)
    budget = Budget(100, lambda: HUGE, lambda: [busy, own], Traces(0))
    threading.Timer(0.2, lambda: setattr(busy, "idle", True)).start()
    with budget.room("a pass", 80, own):
        assert (busy.nbytes, own.nbytes) == (0, 10)
    begin = time.monotonic()
    with pytest.raises(MemoryLimitError), budget.room("a pass", 95, own):
        pass
    assert time.monotonic() - begin < 5


def test_waiting_has_an_end(monkeypatch):
    monkeypatch.setattr("app.budget.PATIENCE", 0.05)
    budget = Budget(100, lambda: HUGE, list, Traces(0))
    with budget.room("first", 80), pytest.raises(BusyError), budget.room("second", 80):
        pass


def test_two_that_wait_for_one_another_do_not_stand_still():
    models = [Model(40, used=1, idle=False), Model(40, used=2, idle=False)]
    budget = Budget(100, lambda: HUGE, lambda: models, Traces(0))
    ended, began = {}, time.monotonic()

    def ask(number):
        try:
            with budget.room("a pass", 50, models[number]):
                ended[number] = "ran"
        except BusyError:
            ended[number] = "busy"
        models[number].idle = True

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended.values()) == ["busy", "ran"]
    assert time.monotonic() - began < 5


def test_what_waits_for_its_own_lane_does_not_stand_still():
    own = Model(10, used=1, idle=False)
    budget = Budget(100, lambda: HUGE, lambda: [own], Traces(0))
    began = time.monotonic()
    with budget.room("a writing", 60, own), pytest.raises(BusyError), budget.room("a look", 60, own):
        pass
    assert time.monotonic() - began < 5
    assert budget.available() == 90


def test_a_model_that_does_not_fit_is_refused_and_tried_again(serve, random_catalogue, tmp_path):
    with serve(catalogue=random_catalogue, cache=tmp_path, memory_bytes=50 * MIB) as client:
        facts = problem(client.post(TRACES, json={"model": "writes", "text": "a b"}), 507, "out-of-memory")
        assert facts["available"] == 50 * MIB
        assert memory.LOAD_BASE < facts["needed"] < LOAD
        states = {one["name"]: one["state"] for one in client.get("/api/v1/models").json()["models"]}
        assert set(states.values()) == {"ready"}  # it may fit the next time
        facts = problem(client.get("/readyz"), 503, "not-ready")
        assert facts == {"model": "sees"}
        problem(client.post(TRACES, json={"model": "writes", "text": "a b"}), 507, "out-of-memory")


def test_a_pass_that_does_not_fit_is_refused(client, serve, cache, monkeypatch):
    """MiniLM fits; a text of many tokens would not, a short one does."""
    limit = memory.load_bytes(90868376) + MIB
    monkeypatch.setattr("attention_core.models.memory.PASS_BASE", limit - 91 * MIB - 10 * MIB)
    with serve(cache=cache, memory_bytes=limit) as small:
        assert small.post(TRACES, json={"text": "a few words"}).status_code == 201
        body = {"text": "word " * 500}
        facts = problem(small.post(TRACES, json=body), 507, "out-of-memory")
        assert facts["needed"] > facts["available"] > 0
        assert "502 tokens" in small.post(TRACES, json=body).json()["detail"]
        assert small.post(TRACES, json={"text": "a few other words"}).status_code == 201


def test_an_idle_model_leaves_for_another_and_comes_back(random_catalogue, tmp_path):
    """Real loads under a limit that holds the larger one's height, and not another model beside it."""
    names = ("writes", "translates")
    limit = memory.load_bytes(random_catalogue.entry("translates").size_bytes) + 1000

    async def scene():
        settings = Settings(memory_bytes=limit)
        service = TraceService(settings, random_catalogue, tmp_path, Metrics())
        lanes = {name: service.lane(random_catalogue.entry(name)) for name in names}

        async def here():
            return False

        async def look(model, **given):
            return await service.make(TraceRequest(model=model, **given), here)

        held = []
        for model, given in (("writes", {"text": "a b"}), ("translates", {"text": "a", "target": "b"})):
            trace_id, _, _ = await look(model, **given)
            held.append({name for name, lane in lanes.items() if lane.model is not None})
            assert service.traces.get(trace_id) is not None
        await look("writes", text="a b c")
        held.append({name for name, lane in lanes.items() if lane.model is not None})
        states = {name: service.state(lane.entry) for name, lane in lanes.items()}
        await service.close()
        return held, states

    held, states = asyncio.run(scene())
    assert held[:2] == [{"writes"}, {"translates"}]
    assert "writes" in held[2]
    assert set(states.values()) == {"ready"}


def test_traces_leave_by_age():
    cache = TraceCache(100)

    class Trace:
        nbytes = 40

    for name in ("a", "b"):
        cache.put(name, Trace())
    cache.get("a")
    cache.drop_oldest()
    assert (cache.get("b"), cache.nbytes) == (None, 40)
    cache.drop_oldest()
    cache.drop_oldest()
    assert cache.nbytes == 0


def test_a_model_of_the_package_that_is_damaged_says_so(serve, tmp_path_factory, tmp_path):
    import random_models

    catalogue = random_models.catalogue(tmp_path_factory.mktemp("damaged"))
    entry = catalogue.entry("writes")
    weights = entry.bundled.path / "model.safetensors"
    whole = weights.read_bytes()
    with serve(catalogue=catalogue, cache=tmp_path) as client:
        weights.write_bytes(whole[:100])
        problem(client.post(TRACES, json={"model": "writes", "text": "a"}), 500, "checkpoint")
        listed = {one["name"]: one["state"] for one in client.get("/api/v1/models").json()["models"]}
        assert (listed["writes"], listed["translates"]) == ("failed", "ready")
        weights.write_bytes(whole)
        assert client.post(TRACES, json={"model": "writes", "text": "a"}).status_code == 201


def test_the_command_line_refuses_too(cache, monkeypatch, capsys):
    monkeypatch.setenv("ATLAS_CACHE", str(cache))
    monkeypatch.setenv("ATLAS_MEMORY_BYTES", "1000000")
    assert cli.main(["trace", "some words"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("attention-atlas: loading MiniLM needs about")
    assert error.rstrip().endswith("1 MB are available")
