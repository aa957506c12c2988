"""An evaluation as a job: what its readers hear, what is kept, that there is one, and who may start it."""

import asyncio
import threading

import pytest
from test_problems import problem
from test_writing_jobs import events_in, service_of, until

from app.evaluating import begin_evaluation
from app.job_schemas import EvaluateRequest
from app.problems import BusyError
from app.schemas import TraceRequest
from attention_core.experiments.evaluate import load_results
from attention_core.experiments.evaluate.passes import Passes
from attention_core.models.catalogue import load_catalogue

JOBS = "/api/v1/jobs"
WISH = {"do": "evaluate", "model": "induction"}


def test_it_ends_in_the_model_s_atlas_and_is_kept(serve, tmp_path):
    with serve(cache=tmp_path, fetch_on_start=False) as client:
        reply = client.post(JOBS, json=WISH)
        assert (reply.status_code, reply.json()["do"], reply.json()["state"]) == (202, "evaluate", "running")
        told = events_in(client.get(f"{JOBS}/{reply.json()['id']}/events").text)
    assert {name for name, _ in told[:-1]} <= {"progress"}
    assert all(data["done"] <= (data["total"] or data["done"]) for _, data in told[:-1])
    name, end = told[-1]
    assert (name, end["state"], end["problem"]) == ("end", "done", None)
    assert end["result"]["failed"] == []
    kept, = load_results(load_catalogue().entry("induction").card, tmp_path)
    found, = end["result"]["results"]
    assert found["task"] == kept["task"] == "induction"
    assert found["right"] == kept["right"]
    # Its recipe made this head an induction head: it gives most of its weight to what followed before.
    assert found["right"] > 0.4
    assert {"induction"} == {role["name"] for role in end["result"]["roles"]}


@pytest.fixture
def gate(monkeypatch):
    """Holds every pass of an evaluation up until it is set."""
    held, weights = threading.Event(), Passes.weights

    def wait(self, batch):
        held.wait(0.2)
        return weights(self, batch)

    monkeypatch.setattr(Passes, "weights", wait)
    yield held
    held.set()


def test_there_is_one_and_the_same_wish_gets_it(tmp_path, random_catalogue, gate):
    wish = EvaluateRequest(do="evaluate", model="writes", task="induction")

    async def scene():
        async with service_of(tmp_path, random_catalogue) as (service, jobs):
            lane = service.lane(random_catalogue.entry("writes"))
            first = await begin_evaluation(service, jobs, wish)
            assert await begin_evaluation(service, jobs, wish) is first
            with pytest.raises(BusyError):
                await begin_evaluation(service, jobs, EvaluateRequest(do="evaluate", model="writes", task="antecedent"))
            first.cancel()  # the other one's wish still stands
            await until(lambda: first.step == "induction rows")
            # It holds nobody up who looks at the same model, and the model does not leave meanwhile.
            assert not lane.idle
            await service.make(TraceRequest(model="writes", text="a b c"), gone)
            assert first.state == "running"
            first.cancel()
            with pytest.raises(BusyError):  # it has not ended yet
                await begin_evaluation(service, jobs, wish)
            await until(lambda: first.state == "cancelled" and lane.idle, 5)
            assert await begin_evaluation(service, jobs, wish) is not first

    asyncio.run(scene())


def test_the_server_s_end_is_its_end(tmp_path, gate):
    async def scene():
        async with service_of(tmp_path) as (service, jobs):
            job = await begin_evaluation(service, jobs, EvaluateRequest(**WISH))
            await until(lambda: job.step == "induction rows")
            await asyncio.wait_for(jobs.close(), 5)
            assert (job.state, job.end()["result"]) == ("cancelled", None)

    asyncio.run(scene())


async def gone() -> bool:
    return False


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"model": "gpt-9"}, 422, "unknown-name"),
        ({"model": "minilm"}, 409, "model-absent"),
        ({"model": "shapes"}, 422, "not-available"),
        ({"task": "antecedent"}, 422, "unknown-name"),
        *(({"file": wrong}, 422, "unknown-name") for wrong in ("../../etc/passwd", "antecedents-en.jsonl", "")),
    ],
)
def test_what_there_is_not(empty, change, status, code):
    facts = problem(empty.post(JOBS, json={**WISH, **change}), status, code)
    assert "accepted" not in facts or "/" not in "".join(facts["accepted"])


def test_strangers_may_not_start_one_unless_the_server_allows_it(serve, tmp_path):
    public = {"cache": tmp_path, "fetch_on_start": False, "mode": "public", "allowed_hosts": ("localhost",)}
    with serve(**public) as client:
        problem(client.post(JOBS, json=WISH), 403, "not-allowed")
    with serve(**public, evaluate=True) as client:
        job = client.post(JOBS, json=WISH)
        assert job.status_code == 202
        assert client.delete(f"{JOBS}/{job.json()['id']}").status_code == 202
