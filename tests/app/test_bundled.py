"""The bundled models over the API of a server that has fetched nothing: they work the moment it starts."""

import io
import json

import numpy as np
import pytest
from PIL import Image, ImageDraw
from test_problems import problem

from attention_core.models import memory
from attention_core.models.catalogue import load_catalogue

TRACES = "/api/v1/traces"
NAMES = ("ko-en", "induction", "shapes")


@pytest.fixture(scope="module")
def fresh(serve, tmp_path_factory):
    """A server without a fetched model."""
    with serve(cache=tmp_path_factory.mktemp("empty"), fetch_on_start=False) as client:
        yield client


def array(reply):
    assert reply.status_code == 200, reply.text
    return np.load(io.BytesIO(reply.content), allow_pickle=False)


def looked_up(client, trace, kind):
    """All weights of a kind (layer, head, query, key)."""
    layers = next(one["layers"] for one in trace["maps"] if one["kind"] == kind)
    base = f"{TRACES}/{trace['id']}/weights?kind={kind}"
    return np.stack([array(client.get(f"{base}&layer={layer}")) for layer in range(layers)])


def test_they_are_ready_and_say_how_they_were_made(fresh):
    models = {one["name"]: one for one in fresh.get("/api/v1/models").json()["models"]}
    assert models["minilm"]["state"] == "absent"
    assert (models["minilm"]["bundled"], models["minilm"]["training"]) == (False, None)
    assert [models[name]["input"] for name in NAMES] == ["translation", "text", "picture"]
    for name in NAMES:
        model = models[name]
        assert (model["state"], model["bundled"], model["switchable"]) == ("ready", True, True)
        assert model["size_bytes"] <= 4_000_000
        assert all(model["training"][key][lang] for key in ("data", "steps", "score") for lang in ("en", "ko"))
    assert models["shapes"]["samples"]


def test_a_translation_and_its_alignment(fresh):
    trace = fresh.post(TRACES, json={"model": "ko-en", "text": "나는 학교에 갔다"}).json()
    assert trace["target"]["text"] == "I went to school"
    said = trace["predictions"]["at"]
    assert [one["actual"]["text"] for one in said] == trace["target"]["texts"]
    assert min(one["actual"]["probability"] for one in said) > 0.5
    cross = looked_up(fresh, trace, "cross")
    rows, columns = trace["target"]["texts"], trace["source"]["texts"]
    verb = next(at for at, text in enumerate(columns) if text.startswith("갔"))
    aligned = [
        head
        for head in np.ndindex(*cross.shape[:2])
        if cross[head][rows.index("went")].argmax() == verb
        and cross[head][rows.index("school")].argmax() == columns.index("학교")
    ]
    assert aligned


def test_a_word_outside_the_grammar(fresh):
    facts = problem(fresh.post(TRACES, json={"model": "ko-en", "text": "나는 학굑에 갔다"}), 422, "unknown-words")
    assert facts["words"]
    assert facts["known"]


def test_without_its_previous_token_head_induction_breaks(fresh):
    folder = load_catalogue().entry("induction").bundled.path
    vocabulary = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    words = [word for word in list(vocabulary)[2::17] if word.isascii()][:13]
    body = {"model": "induction", "text": " ".join(words * 2)}
    whole = fresh.post(TRACES, json=body).json()
    assert second_copy(whole, len(words)) > 0.9
    weights = looked_up(fresh, whole, "decoder-self")
    # Of all heads the one that looks at the token before.
    layer, head = np.unravel_index(np.diagonal(weights, -1, 2, 3).mean(-1).argmax(), weights.shape[:2])
    without = fresh.post(TRACES, json={**body, "options": {"off": [f"decoder-self.{layer}.{head}"]}}).json()
    assert second_copy(without, len(words)) < 0.2


def second_copy(trace, period):
    """The mean probability of the tokens of the second copy after its first."""
    said = trace["predictions"]["at"][-period:-1]
    return np.mean([one["actual"]["probability"] for one in said])


def test_samples_and_a_drawing_of_one_s_own(fresh):
    models = {one["name"]: one for one in fresh.get("/api/v1/models").json()["models"]}
    for name in models["shapes"]["samples"]:
        trace = fresh.post(TRACES, json={"model": "shapes", "image": name}).json()
        assert trace["predictions"]["task"] == "classes"
        assert len(trace["predictions"]["at"]) == 4
        assert all(one["candidates"][0]["probability"] > 0.5 for one in trace["predictions"]["at"])
    drawing = Image.new("RGB", (240, 240), "white")
    ImageDraw.Draw(drawing).ellipse((20, 20, 90, 90), fill=(210, 40, 40))
    file = io.BytesIO()
    drawing.save(file, "JPEG")
    image = fresh.post("/api/v1/images", content=file.getvalue()).json()["id"]
    reply = fresh.post(TRACES, json={"model": "shapes", "image": image})
    assert reply.status_code == 201
    answers = [one["candidates"][0]["text"] for one in reply.json()["predictions"]["at"]]
    assert answers == ["circle", "red", "top left", "1"]


@pytest.mark.model
def test_an_idle_model_leaves_for_minilm(serve, cache):
    """A limit that MiniLM's load fills: the bundled model leaves, and comes back when somebody asks."""
    sizes = {entry.card.name: entry.size_bytes for entry in load_catalogue().entries}
    limit = memory.load_bytes(sizes["minilm"]) + (sizes["ko-en"] >> 1)
    with serve(cache=cache, memory_bytes=limit, fetch_on_start=False) as client:
        for body in (
            {"model": "ko-en", "text": "나는 학교에 갔다"},
            {"text": "one"},
            {"model": "ko-en", "text": "나는 갔다"},
        ):
            reply = client.post(TRACES, json=body)
            assert reply.status_code == 201, reply.text
    with serve(cache=cache, memory_bytes=limit // 2) as client:
        assert client.post(TRACES, json={"model": "ko-en", "text": "나는 학교에 갔다"}).status_code == 201
        facts = problem(client.post(TRACES, json={"text": "one"}), 507, "out-of-memory")
        assert facts["needed"] > facts["available"]
