"""A training as a job: what its readers hear, how many there are, how it stops, and that nothing is left of it."""

import asyncio
import gc
import threading
import weakref
from contextlib import aclosing

import numpy as np
import pytest
from test_problems import problem
from test_writing_jobs import events_in, service_of, until

from app import attended
from app.lab_schemas import TrainRequest
from app.learning import begin_training
from app.problems import BusyError, ProblemError
from attention_core.errors import UnknownNameError
from attention_core.lab import DEFAULTS, training
from attention_core.nn.transformer import Transformer

JOBS = "/api/v1/jobs"
VISITOR = "a-visitor-of-this-page"
TINY = {"task": "reverse", "layers": 1, "heads": 2, "width": 16, "length": 6, "vocabulary": 8, "steps": 12}
WISH = {"do": "train", "visitor": VISITOR, "choices": TINY}
ENDLESS = {**TINY, "steps": 4000, "width": 32, "length": 12}


def wish(visitor=VISITOR, **more) -> TrainRequest:
    return TrainRequest.model_validate({**WISH, "visitor": visitor, "choices": {**ENDLESS, **more}})


async def attended_training(service, jobs, *given, **more):
    """A training that somebody listens to, however slow this machine is."""
    job = await begin_training(service, jobs, wish(*given, **more))
    job._heard()
    return job


def threads() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name == "lab"]


def ended() -> bool:
    """Whether no training's thread is left, once it had the time to end that its last line takes."""
    for one in threading.enumerate():
        if one.name == "lab":
            one.join(5)
    return threads() == []


def array_of(reply) -> np.ndarray:
    import io

    assert reply.status_code == 200, reply.text
    return np.load(io.BytesIO(reply.content), allow_pickle=False)


# ---- what is told


def test_a_training_tells_its_curve_and_ends_in_a_model(empty):
    reply = empty.post(JOBS, json=WISH)
    assert reply.status_code == 202
    begun = reply.json()
    assert (begun["do"], begun["state"], begun["steps"]) == ("train", "running", 12)
    assert begun["choices"] == {**DEFAULTS["reverse"], **TINY}
    probe = begun["probe"]
    assert probe["tokens"][::-1] == probe["answers"]
    assert probe["kind"] == "encoder-self"
    told = events_in(empty.get(f"{JOBS}/{begun['id']}/events").text)
    name, end = told[-1]
    assert (name, end["state"], end["problem"]) == ("end", "done", None)
    found = end["result"]
    assert (found["ended"], found["steps"], found["measured"]) == ("steps", 12, None)
    assert [one["step"] for one in found["curve"]] == list(range(13))
    assert len(found["checkpoints"]) == begun["checkpoints"]
    # What readers heard on the way is the beginning of it, without a gap.
    points = [point for _, data in told[:-1] for point in data["points"]]
    assert points == found["curve"][: len(points)]
    assert all(data["from"]["points"] == 0 for _, data in told[:1])
    for number, checkpoint in enumerate(found["checkpoints"]):
        maps = array_of(empty.get(f"{JOBS}/{begun['id']}/checkpoints/{number}"))
        assert (maps.shape, maps.dtype) == ((1, 2, 6, 6), np.float32)
        np.testing.assert_allclose(maps.sum(axis=-1), 1, rtol=1e-5)
        assert np.shape(checkpoint["scores"]["mirror"]) == (1, 2)
    facts = problem(empty.get(f"{JOBS}/{begun['id']}/checkpoints/{number + 1}"), 422, "unknown-name")
    assert facts["accepted"] == [f"0 to {number}"]


def test_another_seed_is_another_curve(empty):
    def curve(seed):
        begun = empty.post(JOBS, json={**WISH, "choices": {**TINY, "seed": seed}}).json()
        return events_in(empty.get(f"{JOBS}/{begun['id']}/events").text)[-1][1]["result"]["curve"]

    assert curve(3) == curve(3) != curve(4)


def test_what_can_be_chosen_and_what_was_measured_is_told(empty):
    told = empty.get("/api/v1/lab").json()
    assert told["allowed"] is True
    assert {one["name"]: one["defaults"] for one in told["tasks"]} == {
        name: dict(one) for name, one in DEFAULTS.items()
    }
    assert told["bounds"]["steps"] == [1, 4000]
    assert {trial["task"] for trial in told["measured"]["trials"]} == set(DEFAULTS)


@pytest.mark.parametrize(
    ("choices", "code", "said"),
    [
        ({"task": "add"}, "unknown-name", "reverse, sort, induction"),
        ({"layers": 9, "length": 99}, "invalid-input", "layers 9; accepted: a whole number from 1 to 4; length 99"),
        ({"learning_rate": 1e9}, "invalid-input", "learning_rate"),
        ({"steps": 10**6}, "invalid-input", "steps 1000000; accepted: a whole number from 1 to 4000"),
        ({"heads": 3}, "invalid-input", "width 16 with heads 3"),
        ({"positions": "x" * 999}, "invalid-input", "none"),
        ({"seed": -1}, "invalid-request", "choices.seed"),
        ({"scaled": "no"}, "invalid-request", "choices.scaled"),
        ({"colour": 1}, "unknown-parameter", "'colour'; accepted: task, layers"),
    ],
)
def test_what_cannot_be_trained_is_said(empty, choices, code, said):
    reply = empty.post(JOBS, json={**WISH, "choices": {**TINY, **choices}})
    problem(reply, 422, code)
    assert said in reply.json()["detail"]
    assert len(reply.text) < 2000


@pytest.mark.parametrize("visitor", [None, "", "short", "x" * 65, "with spaces in it, many"])
def test_a_page_says_whose_training_it_is(empty, visitor):
    given = {key: value for key, value in {**WISH, "visitor": visitor}.items() if value is not None}
    problem(empty.post(JOBS, json=given), 422, "invalid-request")


def test_other_jobs_have_no_checkpoints(empty):
    problem(empty.get(f"{JOBS}/nothing/checkpoints/0"), 404, "job-not-held")
    assert empty.get(f"{JOBS}/nothing/checkpoints/-1").status_code in (404, 422)


# ---- who may, and how many


def test_strangers_may_not_train_unless_the_server_allows_it(serve, tmp_path):
    public = {"cache": tmp_path, "fetch_on_start": False, "mode": "public", "allowed_hosts": ("localhost",)}
    with serve(**public) as client:
        problem(client.post(JOBS, json=WISH), 403, "not-allowed")
        assert client.get("/api/v1/lab").json()["allowed"] is False
    with serve(**public, training=True) as client:
        begun = client.post(JOBS, json=WISH)
        assert begun.status_code == 202
        assert client.delete(f"{JOBS}/{begun.json()['id']}").status_code == 202


def test_a_visitor_has_one_training_and_the_server_a_few(tmp_path):
    async def scene():
        async with service_of(tmp_path, trainings=2) as (service, jobs):
            first = await attended_training(service, jobs)
            second = await attended_training(service, jobs, seed=1)
            assert (first.state, second.state) == ("cancelled", "running")
            await attended_training(service, jobs, "another-visitor-of-it")
            with pytest.raises(BusyError):
                await begin_training(service, jobs, wish("a-third-visitor-of-it"))
            await until(lambda: len(threads()) == 2)
            third = await attended_training(service, jobs, seed=2)  # takes the place of their own
            assert (second.state, third.state) == ("cancelled", "running")

    asyncio.run(scene())
    assert ended()


def test_of_two_wishes_at_once_a_visitor_gets_the_last(tmp_path):
    """Both wait for the end of the training before them, and neither was there when the other looked."""

    async def scene():
        async with service_of(tmp_path, trainings=4) as (service, jobs):
            first = await attended_training(service, jobs)
            await until(lambda: first.done > 0)
            both = await asyncio.gather(*(attended_training(service, jobs, seed=seed) for seed in (1, 2)))
            assert first.state == "cancelled"
            assert sorted(job.state for job in both) == ["cancelled", "running"]

    asyncio.run(scene())


# ---- how it ends


def nothing_left(networks) -> bool:
    gc.collect()
    return threads() == [] and not [one for one in networks if one() is not None]


@pytest.fixture
def networks(monkeypatch):
    """Weak references to every network that is trained."""
    seen, made = [], training.network_of

    def watched(*given) -> Transformer:
        network = made(*given)
        seen.append(weakref.ref(network))
        return network

    monkeypatch.setattr(training, "network_of", watched)
    return seen


def test_a_cancelled_training_leaves_no_thread_and_no_memory(tmp_path, networks):
    async def scene():
        async with service_of(tmp_path) as (service, jobs):
            before, free = set(threading.enumerate()), service.budget._promised
            job = await attended_training(service, jobs)
            await until(lambda: job.done > 0)
            assert len(free) == 1
            assert job.maps(0).shape == (1, 2, 12, 12)
            job.cancel()
            await until(lambda: job.state == "cancelled")
            assert job.end()["result"] is None
            with pytest.raises(UnknownNameError):
                job.maps(0)
            await until(lambda: nothing_left(networks))
            assert (set(threading.enumerate()) - before, free) == (set(), [])
            assert service.trained._held == {}

    asyncio.run(scene())
    assert len(networks) == 1


def test_an_abandoned_training_stops_by_itself(tmp_path, monkeypatch, networks):
    monkeypatch.setattr(attended, "ALONE", 0.2)

    async def scene():
        async with service_of(tmp_path) as (service, jobs):
            job = await begin_training(service, jobs, wish())
            async with aclosing(job.events()) as events:
                async for _ in events:
                    break
            await asyncio.sleep(0.05)
            assert job.state == "running"
            await until(lambda: job.state == "cancelled")
            await until(lambda: nothing_left(networks))
            unheard = await begin_training(service, jobs, wish())  # nobody ever listens to this one
            await until(lambda: unheard.state == "cancelled")
            await until(lambda: nothing_left(networks))

    asyncio.run(scene())


def test_the_server_s_end_is_its_end(tmp_path, networks):
    async def scene():
        async with service_of(tmp_path) as (service, jobs):
            job = await attended_training(service, jobs)
            await until(lambda: job.done > 0)
            await asyncio.wait_for(jobs.close(), 5)
            assert job.state == "cancelled"

    asyncio.run(scene())
    assert ended()
    assert nothing_left(networks)


def test_a_training_whose_time_is_up_keeps_what_it_has(tmp_path):
    async def scene():
        async with service_of(tmp_path, training_seconds=0.2) as (service, jobs):
            job = await attended_training(service, jobs)
            await until(lambda: job.state != "running")
            found = job.end()["result"]
            assert (job.state, found["ended"]) == ("done", "time")
            assert 0 < found["steps"] == found["curve"][-1]["step"] < 4000
            assert service.catalogue.entry(found["model"]).origin == "lab"

    asyncio.run(scene())


def test_a_training_that_would_not_fit_says_so(tmp_path):
    async def scene():
        async with service_of(tmp_path, memory_bytes=1 << 20) as (service, jobs):
            job = await begin_training(service, jobs, wish())
            await until(lambda: job.state != "running")
            assert (job.state, job.problem["type"]) == ("failed", "/problems/out-of-memory")

    asyncio.run(scene())
    assert ended()


def test_names_of_the_lab_are_found_by_those_who_know_them_alone(tmp_path):
    async def scene():
        async with service_of(tmp_path) as (service, _):
            with pytest.raises(ProblemError) as caught:
                service.catalogue.entry("lab-0123456789abcdef")
            assert caught.value.code == "lab-model-not-held"
            assert "lab" not in {entry.origin for entry in service.catalogue.entries}

    asyncio.run(scene())
