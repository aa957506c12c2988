"""A model of the lab opens as any other one, for those who know its name, until the server forgets it."""

import asyncio
import io
import json
import threading
import zipfile

import numpy as np
import pytest
from safetensors import safe_open
from test_lab_jobs import JOBS, TINY, WISH, array_of
from test_problems import problem
from test_writing_jobs import events_in, service_of, until

from app.lab_schemas import TrainRequest
from app.learning import begin_training
from app.problems import ProblemError
from app.schemas import TraceRequest
from app.settings import Settings
from app.trained import folder_of, safetensors_of
from attention_core.models.directory import scan

TRACES, MODELS = "/api/v1/traces", "/api/v1/models"


def train(client, **choices) -> tuple[str, dict]:
    begun = client.post(JOBS, json={**WISH, "choices": {**TINY, **choices}}).json()
    end = events_in(client.get(f"{JOBS}/{begun['id']}/events").text)[-1][1]
    assert end["state"] == "done", end
    return begun["id"], end["result"]


@pytest.fixture(scope="module")
def opened(serve, tmp_path_factory):
    """A server with a trained model: the client, the job's id and its result."""
    with serve(cache=tmp_path_factory.mktemp("cache"), fetch_on_start=False) as client:
        job, found = train(client)
        yield client, job, found


def test_its_trace_shows_the_maps_of_the_last_checkpoint(opened):
    client, job, found = opened
    reply = client.post(TRACES, json={"model": found["model"], "text": found["probe"]["text"]})
    assert reply.status_code == 201, reply.text
    trace = reply.json()
    assert trace["source"]["texts"] == found["probe"]["tokens"]
    assert trace["predictions"]["task"] == "answer"
    seen = array_of(client.get(f"{TRACES}/{trace['id']}/weights?layer=0"))
    last = array_of(client.get(f"{JOBS}/{job}/checkpoints/{len(found['checkpoints']) - 1}"))
    np.testing.assert_allclose(seen, last[0], atol=1e-5)
    profile = client.get(f"{TRACES}/{trace['id']}/analyses/profile")
    assert profile.status_code == 200


def test_it_knows_the_tokens_of_its_task_alone(opened):
    client, _, found = opened
    facts = problem(client.post(TRACES, json={"model": found["model"], "text": "a b cat"}), 422, "unknown-words")
    assert facts["words"] == ["cat"]
    long = " ".join("a" * 7)
    problem(client.post(TRACES, json={"model": found["model"], "text": long}), 422, "too-many-tokens")
    pair = {"model": found["model"], "text": "a b", "pair": "c d"}
    assert problem(client.post(TRACES, json=pair), 422, "not-available")["reason"] == "no-pair"


def test_an_experiment_runs_on_it(opened):
    client, _, found = opened
    wish = {"do": "experiment", "name": "scan", "model": found["model"], "text": "a b c d e f"}
    begun = client.post(JOBS, json=wish).json()
    assert events_in(client.get(f"{JOBS}/{begun['id']}/events").text)[-1][1]["state"] == "done"


def test_it_is_listed_for_those_who_name_it(opened):
    client, _, found = opened
    assert found["model"] not in client.get(MODELS).text
    assert found["model"] not in client.get("/metrics").text
    name = client.get(MODELS, params={"with": found["model"]}).json()["models"][-1]
    assert (name["name"], name["origin"], name["ready"], name["kinds"]) == (
        found["model"],
        "lab",
        True,
        ["encoder-self"],
    )
    assert (name["layers"], name["heads"], name["max_tokens"], name["fetchable"]) == (1, 2, 6, False)
    assert "lab" not in {one["origin"] for one in client.get(MODELS, params={"with": "lab-of-nobody"}).json()["models"]}
    problem(client.get(MODELS, params={"with": "../../etc"}), 422, "invalid-request")


def test_its_weights_come_as_one_file(opened, tmp_path):
    client, _, found = opened
    reply = client.get(f"{MODELS}/{found['model']}/file")
    assert reply.headers["content-disposition"] == f'attachment; filename="{found["model"]}.safetensors"'
    path = tmp_path / "model.safetensors"
    path.write_bytes(reply.content)
    with safe_open(path, framework="np") as file:
        header = file.metadata()
        assert file.get_tensor("embedding.tokens.weight").shape == (9, 16)  # eight, and one for what is unknown
    assert json.loads(header["config"])["embed_dim"] == 16
    assert json.loads(header["results"])["choices"] == found["choices"]
    assert json.loads(header["tokenizer"])["model"]["vocab"]["a"] == 0


def test_its_folder_is_a_model_of_one_s_own(opened, serve, tmp_path):
    client, _, found = opened
    reply = client.get(f"{MODELS}/{found['model']}/file", params={"as": "zip"})
    with zipfile.ZipFile(io.BytesIO(reply.content)) as file:
        file.extractall(tmp_path)
    (entry,) = scan(tmp_path, []).entries
    assert (entry.card.name, entry.card.layers, entry.card.heads) == ("lab-reverse", 1, 2)
    text = found["probe"]["text"]
    with serve(cache=tmp_path / "cache", fetch_on_start=False, models_dir=tmp_path) as other:
        own = other.post(TRACES, json={"model": "lab-reverse", "text": text}).json()
        theirs = client.post(TRACES, json={"model": found["model"], "text": text}).json()
        mine = array_of(other.get(f"{TRACES}/{own['id']}/weights?layer=0"))
        np.testing.assert_array_equal(mine, array_of(client.get(f"{TRACES}/{theirs['id']}/weights?layer=0")))


@pytest.mark.parametrize("name", ["minilm", "induction", "lab-0000000000000000", "..", "%2e%2e%2fetc"])
def test_only_models_of_the_lab_are_handed_out(opened, name):
    assert opened[0].get(f"{MODELS}/{name}/file").status_code == 404


def test_the_oldest_goes_when_there_is_no_place(serve, tmp_path):
    with serve(cache=tmp_path, fetch_on_start=False, trained_models=1) as client:
        job, first = train(client)
        text = first["probe"]["text"]
        assert client.post(TRACES, json={"model": first["model"], "text": text}).status_code == 201
        _, second = train(client, seed=1)
        for reply in (
            client.post(TRACES, json={"model": first["model"], "text": text}),
            client.get(f"{JOBS}/{job}/checkpoints/0"),
            client.get(f"{MODELS}/{first['model']}/file"),
        ):
            problem(reply, 404, "lab-model-not-held")
        assert client.post(TRACES, json={"model": second["model"], "text": text}).status_code == 201


def test_what_is_forgotten_leaves_no_file_and_no_lane(tmp_path):
    async def one(service, jobs, seed):
        job = await begin_training(
            service, jobs, TrainRequest.model_validate({**WISH, "choices": {**TINY, "seed": seed}})
        )
        await until(lambda: job.state == "done")
        return job.end()["result"]

    async def scene():
        async with service_of(tmp_path, trained_models=1) as (service, jobs):
            first = await one(service, jobs, 0)
            await service.make(TraceRequest(model=first["model"], text=first["probe"]["text"]), present)
            folder, lane = service.trained.held(first["model"]).entry.trained, service._lanes[first["model"]]
            assert (folder / "model.safetensors").is_file()
            held = service.trained.held(first["model"])
            await one(service, jobs, 1)
            assert not folder.exists()
            for form in (safetensors_of, folder_of):  # whoever asked for it just before
                with pytest.raises(ProblemError, match="not held any more"):
                    form(held)
            assert first["model"] not in service._lanes
            lane.pool.join()
            assert [thread for thread in threading.enumerate() if first["model"] in thread.name] == []
            assert folder.parent.is_dir()
        assert not folder.parent.exists()

    asyncio.run(scene())


async def present() -> bool:
    return False


def test_the_limits_are_settings():
    settings = Settings()
    assert (settings.trainings >= 1, settings.trained_models >= 1, settings.training_seconds > 0) == (True, True, True)
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        Settings(trainings=0)
    with pytest.raises(ValueError, match="finite"):
        Settings(training_seconds=float("inf"))  # no JSON can say it
