"""What POST /jobs takes: one of several, told apart by `do` and `name`, each with parameters of its own."""

import json

import pytest
from test_problems import JSON, problem

JOBS = "/api/v1/jobs"
SCAN = {"do": "experiment", "name": "scan", "model": "induction", "text": "lamp goat lamp"}


@pytest.fixture(scope="module")
def fresh(serve, tmp_path_factory):
    """A server that has fetched nothing: the bundled models are there."""
    with serve(cache=tmp_path_factory.mktemp("empty"), fetch_on_start=False) as client:
        yield client


@pytest.mark.parametrize(
    ("body", "value", "accepted"),
    [
        ({"do": "fetch", "model": "minilm", "text": "x"}, "text", ["do", "model"]),
        ({"do": "generate", "model": "induction", "text": "x", "row": 1}, "row", "sampling"),
        ({**SCAN, "words": True}, "words", "how"),
        ({**SCAN, "name": "switch-off", "how": "mean"}, "how", "row"),
        ({**SCAN, "name": "importance", "key": 1}, "key", "words"),
        ({**SCAN, "options": {"zero": True}}, "zero", "off_with"),
        ({"do": "evaluate", "model": "minilm", "path": "/etc/passwd"}, "path", ["do", "model", "task", "file"]),
    ],
)
def test_a_key_of_another_wish_is_named_with_the_accepted_ones(fresh, body, value, accepted):
    facts = problem(fresh.post(JOBS, json=body), 422, "unknown-parameter")
    assert facts["value"] == value
    assert facts["accepted"] == accepted if isinstance(accepted, list) else accepted in facts["accepted"]
    assert value not in facts["accepted"]


@pytest.mark.parametrize(
    "body",
    [
        [], None, 5, "scan", {}, {"do": "dance"}, {"do": ["fetch"]}, {"do": None}, {"do": {"x": 1}}, {"do": "fetch"},
        {"do": "experiment"}, {"do": "experiment", "name": None}, {"do": "experiment", "name": ["scan"]},
        {"do": "evaluate"}, {"do": "evaluate", "model": "induction", "task": "syntax"},
        {"do": "evaluate", "model": "induction", "file": 5}, {"do": "generate", "model": "induction"},
        {name: value for name, value in SCAN.items() if name != "text"},
        *({**SCAN, "row": wrong} for wrong in (-1, 2**31, 1.0, "1", True, [1])),
        *({**SCAN, "key": wrong} for wrong in (-1, 10**30, 0.5)),
        *({**SCAN, "how": wrong} for wrong in ("none", None, 0)),
        {**SCAN, "name": "importance", "words": 1}, {**SCAN, "kind": 3},
        {**SCAN, "options": {"off": ["decoder-self.0.0"] * 10_000}},
        {**SCAN, "options": {"off": ["decoder-self.0.-1"]}}, {**SCAN, "options": {"off_with": "noise"}},
    ],
)  # fmt: skip
def test_wishes_that_are_none(fresh, body):
    facts = problem(fresh.post(JOBS, content=json.dumps(body), headers=JSON), 422, "invalid-request")
    assert facts["errors"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_none(fresh, number):
    body = json.dumps(SCAN)[:-1] + f', "row": {number}}}'
    assert fresh.post(JOBS, content=body, headers=JSON).status_code in (400, 422)


def test_what_there_is_to_do_is_named(fresh):
    detail = fresh.post(JOBS, json={"do": "dance"}).json()["detail"]
    assert all(f"'{name}'" in detail for name in ("fetch", "generate", "experiment", "evaluate"))
    facts = problem(fresh.post(JOBS, json={**SCAN, "name": "../scan"}), 422, "unknown-name")
    names = ["scan", "switch-off", "importance", "sublayer"]
    assert facts == {"what": "experiment", "value": "../scan", "accepted": names}


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"model": "gpt-9"}, 422, "unknown-name"),
        ({"model": "minilm"}, 409, "model-absent"),
        ({"model": "shapes"}, 422, "not-available"),
        ({"model": "shapes", "text": None, "image": "0" * 32}, 404, "image-not-held"),
        ({"target": "x"}, 422, "not-available"),
        ({"pair": "x"}, 422, "not-available"),
        ({"options": {"chat": True}}, 422, "not-available"),
    ],
)
def test_what_the_model_does_not_take_starts_nothing(fresh, change, status, code):
    body = {name: value for name, value in {**SCAN, **change}.items() if value is not None}
    problem(fresh.post(JOBS, json=body), status, code)


def test_the_description_tells_each_wish_and_refers_to_nothing(fresh):
    document = fresh.get("/api/v1/openapi.json").json()
    schema = document["paths"][JOBS]["post"]["requestBody"]["content"]["application/json"]["schema"]
    properties = [one["properties"] for one in schema["oneOf"]]
    names = [(one["do"]["const"], one.get("name", {}).get("const")) for one in properties]
    wishes = dict(zip(names, schema["oneOf"], strict=True))
    assert names == [
        ("fetch", None), ("generate", None), ("experiment", "scan"), ("experiment", "switch-off"),
        ("experiment", "importance"), ("experiment", "sublayer"), ("evaluate", None),
        ("idea", "cost"), ("idea", "recurrence"), ("idea", "masking"), ("train", None),
    ]  # fmt: skip
    assert all(one["additionalProperties"] is False and "do" in one["required"] for one in wishes.values())
    assert wishes["experiment", "scan"]["properties"]["how"]["enum"] == ["zero", "mean"]
    options = wishes["generate", None]["properties"]["options"]
    assert options["additionalProperties"] is False
    assert "sampling" not in wishes["experiment", "scan"]["properties"]

    def references(part):
        if isinstance(part, dict):
            yield from (value for name, value in part.items() if name == "$ref")
            part = list(part.values())
        if isinstance(part, list):
            for one in part:
                yield from references(one)

    for path in references(document):
        place = document
        for name in path.removeprefix("#/").split("/"):
            place = place[name]  # a reference leads somewhere
