"""Ideas over HTTP: the quick ones at once, the long ones as jobs, one at a time."""

import asyncio
import json
import threading

import pytest
from test_writing_jobs import events_in, service_of, until

from app import ideas, measuring
from app.idea_schemas import LONG, QUICK, CostRequest, MaskingRequest
from app.measuring import begin_idea
from app.problems import BusyError
from attention_core.experiments.running import finish
from attention_core.ideas import IDEAS
from attention_core.ideas.order import order
from attention_core.ideas.reading import words_of
from attention_core.ideas.recurrence import recurrence
from attention_core.ideas.scaling import scaling

URL = "/api/v1/ideas"
JOBS = "/api/v1/jobs"
MASK = {"do": "idea", "name": "masking", "steps": 10}
TEXT = "나는 학교에 갔다"


@pytest.fixture(scope="module")
def fresh(serve, tmp_path_factory):
    """A server that has fetched nothing."""
    with serve(cache=tmp_path_factory.mktemp("empty"), fetch_on_start=False) as client:
        yield client


def ended(client, job_id):
    return events_in(client.get(f"{JOBS}/{job_id}/events").text)[-1][1]


# ---- the quick ones


def test_the_list_says_which_are_there_and_which_take_long(fresh):
    listed = fresh.get(URL).json()["ideas"]
    assert [(one["name"], one["long"]) for one in listed] == [(one.name, one.name in LONG) for one in IDEAS]
    assert {one.name for one in IDEAS} == {*QUICK, *LONG} == {*ideas.QUICK, *ideas.LONG}
    assert all(one["allowed"] and one["title"] and one["help"] and one["reference"] for one in listed)


def test_scaling_is_the_librarys(fresh):
    said = fresh.get(URL + "/scaling", params={"dim": 16, "seed": 3, "keys": 8}).json()
    found = scaling(16, 3, keys=8)
    for name in ("scaled", "unscaled"):
        own = getattr(found, name)
        assert said[name]["variance"] == pytest.approx(own.variance)
        assert said[name]["counts"] == list(own.counts)
        assert said["curve"][2][name]["entropy"] == said[name]["entropy"]
    assert [one["dim"] for one in said["curve"]] == [4, 8, 16, 32, 64, 128, 256, 512, 1024]
    other = fresh.get(URL + "/scaling", params={"dim": 16, "seed": 4, "keys": 8}).json()
    assert other["unscaled"]["largest"] != said["unscaled"]["largest"]


@pytest.mark.parametrize("positions", ["none", "rotary"])
def test_order_is_the_librarys(fresh, positions):
    said = fresh.get(URL + "/order", params={"positions": positions, "text": TEXT, "seed": 2}).json()
    found = order(positions, words_of(TEXT), 2)
    assert said["words"] == ["나는", "학교에", "갔다"]
    assert said["shuffled"] == [said["words"][at] for at in said["permutation"]] == list(found.shuffled)
    assert said["weights"][1][0][2] == pytest.approx(found.weights[1, 0, 2].tolist())
    assert said["difference"] == pytest.approx(found.difference, abs=1e-7)


def test_sparing_has_three_maps_of_one_text(fresh):
    said = fresh.get(URL + "/sparing", params={"text": "a b c d e", "window": 1, "global": "4", "features": 8}).json()
    near, exact = said["window"]["weights"], said["exact"]
    assert [[cell > 0 for cell in row] for row in near[0]][1] == [False, True, False, False, True]
    assert near[1][4] == pytest.approx(exact[1][4]), "a global token sees everybody"
    assert len(exact) == len(near) == len(said["estimate"]["weights"]) == 2
    assert said["global"] == [4]
    assert fresh.get(URL + "/sparing", params={"text": "a b", "global": ""}).json()["global"] == []


def test_what_is_known_already_is_not_sent_again(fresh):
    tag = fresh.get(URL + "/order").headers["etag"]
    assert fresh.get(URL + "/order", headers={"If-None-Match": tag}).status_code == 304
    assert fresh.get(URL + "/order", params={"seed": 1}).headers["etag"] != tag


@pytest.mark.parametrize(
    ("address", "code", "sentence"),
    [
        ("/none", "unknown-name", "unknown idea 'none'; accepted: scaling, order"),
        ("/cost", "not-available", "POST /api/v1/jobs"),
        ("/scaling?dim=3", "invalid-request", "dim: Input should be greater than or equal to 4"),
        ("/scaling?keys=100000", "invalid-request", "keys"),
        ("/scaling?seed=-1", "invalid-request", "seed"),
        ("/scaling?text=a", "unknown-parameter", "accepted: dim, keys, queries, seed"),
        ("/order?text=alone", "text", "1 words; accepted: 2 to 32"),
        ("/order?text=" + "a+" * 40, "invalid-input", "40 words"),
        ("/order?text=" + "a" * 2001, "invalid-request", "text"),
        ("/order?text=a+a", "invalid-input", "all words are the same"),
        ("/order?positions=absolute", "invalid-request", "positions"),
        ("/sparing?sharpness=nan", "invalid-request", "sharpness"),
        ("/sparing?global=0,,1", "invalid-request", "global"),
        ("/sparing?text=a+b&global=2", "invalid-input", "global token 2 is not in the text; accepted: 0 to 1"),
    ],
)
def test_what_cannot_be_computed_is_said(fresh, address, code, sentence):
    reply = fresh.get(URL + address)
    assert reply.json()["type"] == f"/problems/{code}", reply.json()
    assert reply.status_code == 422
    assert sentence in reply.json()["detail"]


# ---- the long ones


def test_a_job_tells_how_far_it_is_and_ends_in_the_librarys_numbers(fresh):
    wish = {"do": "idea", "name": "recurrence", "length": 4, "steps": 20, "seed": 5}
    job = fresh.post(JOBS, json=wish)
    assert (job.status_code, job.json()["do"], job.json()["name"]) == (202, "idea", "recurrence")
    told = events_in(fresh.get(f"{JOBS}/{job.json()['id']}/events").text)
    end = told[-1][1]
    assert [name for name, _ in told] == ["progress"] * (len(told) - 1) + ["end"]
    assert (end["state"], end["problem"]) == ("done", None)
    found = finish(recurrence(4, 20, 5))
    for name in ("without", "attending"):
        assert end["result"][name]["losses"] == pytest.approx(getattr(found, name).losses)
        assert end["result"][name]["accuracy"] == pytest.approx(getattr(found, name).accuracy)
    again = fresh.post(JOBS, json=wish).json()
    assert (again["id"], again["state"]) == (job.json()["id"], "done")
    other = fresh.post(JOBS, json={**wish, "seed": 6}).json()
    assert ended(fresh, other["id"])["result"]["without"]["losses"] != end["result"]["without"]["losses"]


def test_news_carry_what_is_known_so_far(tmp_path, monkeypatch):
    monkeypatch.setattr(measuring, "LEAST_PAUSE", 0)

    async def scene():
        async with service_of(tmp_path) as (service, jobs):
            job = begin_idea(service, jobs, MaskingRequest(do="idea", name="masking", steps=30))
            return [events_in(event)[0] async for event in job.events()]

    told = asyncio.run(scene())
    progress = [data for name, data in told if name == "progress"]
    assert progress[0]["done"] == 0
    known = [data for data in progress if data["so_far"] is not None]
    assert [data["done"] for data in known] == sorted({data["done"] for data in known})
    assert known[0]["total"] == 30
    first = known[0]["so_far"]["masked"]["train"]
    assert 2 <= len(first) < len(told[-1][1]["result"]["masked"]["train"])
    assert told[-1][1]["result"]["masked"]["train"][: len(first)] == first
    assert known[0]["waiting"] is False


def test_one_at_a_time_and_only_a_few_wait(tmp_path, monkeypatch):
    monkeypatch.setattr("app.attended.ALONE", 60)

    def wish(seed):
        return CostRequest(do="idea", name="cost", seconds=30, seed=seed)

    async def scene():
        async with service_of(tmp_path, memory_bytes=2**29) as (service, jobs):
            free = service.budget.available()
            first, second, third = (begin_idea(service, jobs, wish(seed)) for seed in range(3))
            assert begin_idea(service, jobs, wish(1)) is second
            second.cancel()  # takes that wish back
            with pytest.raises(BusyError):
                begin_idea(service, jobs, wish(3))
            reader = second.events()
            assert events_in(await anext(reader))[0][1]["waiting"] is True
            await until(lambda: first.so_far is not None)
            assert not second.begun
            assert service.budget.available() < free
            second.cancel()  # one that waits is gone at once
            await until(lambda: second.state == "cancelled")
            assert first.state == "running"
            first.cancel()
            await until(lambda: first.state == "cancelled")
            await until(lambda: third.begun)
            third.cancel()
            await until(lambda: third.state == "cancelled")
            assert service.budget.available() == free, "no memory stays promised"
            assert third.result is None

    asyncio.run(scene())


def test_a_job_without_a_reader_ends(tmp_path, monkeypatch):
    monkeypatch.setattr("app.attended.ALONE", 0.2)

    async def scene():
        async with service_of(tmp_path) as (service, jobs):
            job = begin_idea(service, jobs, CostRequest(do="idea", name="cost", seconds=30))
            await until(lambda: job.begun)
            assert "idea" in [one.name for one in threading.enumerate()]
            await until(lambda: job.state != "running")
            await until(lambda: "idea" not in [one.name for one in threading.enumerate()])
            return job.state

    assert asyncio.run(scene()) == "cancelled"


@pytest.mark.parametrize(
    ("change", "code", "sentence"),
    [
        ({"name": "scaling"}, "unknown-name", "unknown idea 'scaling'; accepted: cost, recurrence, masking"),
        ({"name": None}, "invalid-request", "name"),
        ({"name": ["cost"]}, "invalid-request", "name"),
        ({"steps": 501}, "invalid-request", "steps: Input should be less than or equal to 500"),
        ({"steps": 20.5}, "invalid-request", "steps"),
        ({"steps": "20"}, "invalid-request", "steps"),
        ({"language": "fr"}, "invalid-request", "language"),
        ({"seed": 2**32}, "invalid-request", "seed"),
        ({"model": "minilm"}, "unknown-parameter", "accepted: do, name, seed, language, steps"),
        ({"name": "cost"}, "unknown-parameter", "accepted: do, name, seed, seconds"),
    ],
)
def test_a_job_that_cannot_be_is_refused(fresh, change, code, sentence):
    reply = fresh.post(JOBS, json={**MASK, **change})
    assert (reply.status_code, reply.json()["type"]) == (422, f"/problems/{code}")
    assert sentence in reply.json()["detail"]


def test_in_public_only_where_it_is_allowed(serve, tmp_path):
    public = {"cache": tmp_path, "fetch_on_start": False, "mode": "public", "allowed_hosts": ("localhost",)}
    with serve(**public) as client:
        reply = client.post(JOBS, json=MASK)
        assert (reply.status_code, reply.json()["type"]) == (403, "/problems/not-allowed")
        allowed = {one["name"]: one["allowed"] for one in client.get(URL).json()["ideas"]}
        assert allowed == {one.name: not one.long for one in IDEAS}
        assert client.get(URL + "/order").status_code == 200
    with serve(**public, measure=True) as client:
        job = client.post(JOBS, json=MASK).json()["id"]
        assert ended(client, job)["state"] == "done"
        assert all(one["allowed"] for one in client.get(URL).json()["ideas"])


def test_where_there_is_no_memory_it_says_so(serve, tmp_path):
    with serve(cache=tmp_path, fetch_on_start=False, memory_bytes=2**20) as client:
        end = ended(client, client.post(JOBS, json=MASK).json()["id"])
    assert (end["state"], end["result"]) == ("failed", None)
    assert end["problem"]["type"] == "/problems/out-of-memory"
    assert "training decoders" in end["problem"]["detail"]


def test_the_openapi_text_has_every_parameter(fresh):
    paths = fresh.get("/api/v1/openapi.json").json()["paths"]
    listed = {one["name"] for one in paths["/api/v1/ideas/{name}"]["get"]["parameters"]}
    assert listed >= {
        "dim",
        "keys",
        "queries",
        "positions",
        "text",
        "window",
        "global",
        "features",
        "sharpness",
        "seed",
    }
    assert "recurrence" in json.dumps(paths["/api/v1/jobs"]["post"]["requestBody"])
