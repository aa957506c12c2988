"""Decoders, translators and models of pictures over the API, and ways to look at a trace."""

import io

import numpy as np
import pytest
from PIL import Image
from test_problems import problem

TRACES = "/api/v1/traces"


def array(reply):
    assert reply.status_code == 200, reply.text
    return np.load(io.BytesIO(reply.content), allow_pickle=False)


@pytest.fixture(scope="module")
def translated(small):
    return small.post(TRACES, json={"model": "translates", "text": "a b c", "target": "d e"}).json()


@pytest.fixture(scope="module")
def seen(small):
    return small.post(TRACES, json={"model": "sees", "image": "sample"}).json()


def test_models_say_what_they_take(small):
    models = {model["name"]: model for model in small.get("/api/v1/models").json()["models"]}
    assert {name: model["input"] for name, model in models.items()} == {
        "sees": "picture", "writes": "text", "translates": "translation",
    }  # fmt: skip
    assert models["sees"]["samples"] == ["sample"]
    assert models["writes"]["samples"] == []
    for model in models.values():
        assert model["bundled"]
        assert model["switchable"]
        assert (model["training"], model["cautions"]) == (None, [])


def test_fetching_a_model_of_the_package_only_loads_it(small):
    job = small.post("/api/v1/jobs", json={"do": "fetch", "model": "writes"})
    events = small.get(f"/api/v1/jobs/{job.json()['id']}/events").text
    assert '"state": "done"' in events.splitlines()[-2]
    assert "download" not in events.splitlines()[-2]


def test_a_decoder_says_what_comes_next(small):
    trace = small.post(TRACES, json={"model": "writes", "text": "a b c"}).json()
    assert trace["maps"][0]["masks"] == [{"mask": "causal", "offset": 0}] * 2
    assert trace["predictions"]["task"] == "next-token"
    at = trace["predictions"]["at"]
    assert [one["position"] for one in at] == [0, 1, 2]
    assert [one["actual"] and one["actual"]["text"] for one in at] == ["b", "c", None]
    for one in at:
        said = [candidate["probability"] for candidate in one["candidates"]]
        assert said == sorted(said, reverse=True)
        assert 0 < sum(said) <= 1 + 1e-6
    weights = array(small.get(f"{TRACES}/{trace['id']}/weights?layer=0"))
    assert np.triu(weights, 1).max() == 0


def test_a_translation_has_three_sequences(small, translated):
    assert translated["source"]["texts"] == ["a", "b", "c", "</s>"]
    assert translated["target"]["texts"] == ["d", "e", "</s>"]
    assert translated["decoder_input"]["texts"] == ["<pad>", "d", "e"]
    axes = {one["kind"]: (one["query_axis"], one["key_axis"]) for one in translated["maps"]}
    assert axes == {
        "encoder-self": ("source", "source"),
        "decoder-self": ("decoder_input", "decoder_input"),
        "cross": ("target", "source"),
    }
    assert translated["predictions"]["task"] == "translation"
    assert [one["actual"]["text"] for one in translated["predictions"]["at"]] == ["d", "e", "</s>"]
    cross = array(small.get(f"{TRACES}/{translated['id']}/weights?kind=cross&layer=1"))
    assert cross.shape == (2, 3, 4)
    np.testing.assert_allclose(cross.sum(-1), 1, atol=1e-5)
    thumbnails = array(small.get(f"{TRACES}/{translated['id']}/thumbnails?kind=cross"))
    assert thumbnails.shape == (2, 2, 3, 4)


def test_a_translation_is_written_by_the_model_itself(small):
    own = small.post(TRACES, json={"model": "translates", "text": "a b"}).json()
    assert own["target"]["ids"]
    first = own["predictions"]["at"][0]
    assert first["actual"]["text"] == first["candidates"][0]["text"]


def test_a_picture_and_what_the_model_saw(small, seen):
    assert seen["picture"] == {"rows": 3, "columns": 3, "width": 12, "height": 12}
    assert seen["source"]["texts"][:3] == ["[CLS]", "1,1", "1,2"]
    assert [one["label"] for one in seen["predictions"]["at"]] == ["shape", "colour"]
    for one in seen["predictions"]["at"]:
        assert one["position"] is None
        assert sum(candidate["probability"] for candidate in one["candidates"]) == pytest.approx(1)
    picture = small.get(f"{TRACES}/{seen['id']}/picture")
    assert picture.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(picture.content)).size == (12, 12)
    tag = {"If-None-Match": picture.headers["etag"]}
    assert small.get(f"{TRACES}/{seen['id']}/picture", headers=tag).status_code == 304


def test_a_text_has_no_picture(small, translated):
    problem(small.get(f"{TRACES}/{translated['id']}/picture"), 422, "not-available")


def test_a_head_that_is_off_changes_what_follows(small):
    body = {"model": "writes", "text": "a b c d"}
    whole = small.post(TRACES, json=body).json()
    without = small.post(TRACES, json={**body, "options": {"off": ["decoder-self.0.1"]}}).json()
    assert (whole["off"], without["off"]) == ([], ["decoder-self.0.1"])
    assert whole["id"] != without["id"]
    assert whole["predictions"] != without["predictions"]
    first, second = (array(small.get(f"{TRACES}/{one['id']}/weights?layer=0")) for one in (whole, without))
    np.testing.assert_allclose(first, second, atol=1e-6)
    first, second = (array(small.get(f"{TRACES}/{one['id']}/weights?layer=1")) for one in (whole, without))
    assert np.abs(first - second).max() > 1e-4


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"model": "writes", "text": "a", "image": "sample"}, "no-picture"),
        ({"model": "writes", "image": "sample"}, "no-picture"),
        ({"model": "sees", "text": "a"}, "needs-picture"),
        ({"model": "sees", "text": ""}, "needs-picture"),
        ({"model": "sees", "text": "a", "image": "sample"}, "no-text"),
        ({"model": "sees", "image": "sample", "target": "a"}, "no-target"),
        ({"model": "writes", "text": "a", "target": "b"}, "no-target"),
        ({"model": "writes", "text": "a", "pair": "b"}, "no-pair"),
        ({"model": "translates", "text": "a", "pair": "b"}, "no-pair"),
        ({"model": "sees", "image": "sample", "pair": "b"}, "no-pair"),
    ],
)
def test_what_a_model_does_not_take(small, body, reason):
    facts = problem(small.post(TRACES, json=body), 422, "not-available")
    assert facts == {"reason": reason, "model": body["model"].title()}


@pytest.mark.parametrize("off", [["decoder-self.0.2"], ["decoder-self.2.0"], ["cross.0.0"]])
def test_heads_that_are_not_there(small, off):
    problem(small.post(TRACES, json={"model": "writes", "text": "a", "options": {"off": off}}), 422, "unknown-name")


NO_NAMES = [["0.1"], ["decoder-self.0"], ["decoder-self.-1.0"], "decoder-self.0.1", [1]]
TWO_WAYS_TO_WRITE = [["decoder-self.00.1"], ["decoder-self.0.01"], ["decoder-self.٠.١"]]


@pytest.mark.parametrize("off", NO_NAMES + TWO_WAYS_TO_WRITE)
def test_heads_that_are_no_names(small, off):
    body = {"model": "writes", "text": "a", "options": {"off": off}}
    assert problem(small.post(TRACES, json=body), 422, "invalid-request")["errors"]


def test_a_target_may_be_too_long(small):
    body = {"model": "translates", "text": "a", "target": "a " * 20}
    facts = problem(small.post(TRACES, json=body), 422, "too-many-tokens")
    assert facts == {"count": 21, "limit": 12, "reason": "target"}


def test_hidden_tokens_leave_and_the_mass_they_took_is_told(small, translated):
    base = f"{TRACES}/{translated['id']}"
    shown = small.get(f"{base}?special=hide").json()
    assert shown["id"] == translated["id"]
    assert shown["looking"] == {"words": False, "special": "hide", "segments": "all", "measure": "weight"}
    assert (shown["source"]["texts"], shown["source"]["positions"]) == (["a", "b", "c"], [[0], [1], [2]])
    assert (shown["decoder_input"]["texts"], shown["decoder_input"]["positions"]) == (["d", "e"], [[1], [2]])
    all_of_it = array(small.get(f"{base}/weights?kind=cross&layer=0"))
    hidden = array(small.get(f"{base}/weights?kind=cross&layer=0&special=hide"))
    removed = array(small.get(f"{base}/removed?kind=cross&layer=0&special=hide"))
    assert removed.dtype == np.float32
    np.testing.assert_allclose(hidden, all_of_it[:, :2, :3], atol=1e-6)
    np.testing.assert_allclose(removed, all_of_it[:, :2, 3], atol=1e-6)
    full = array(small.get(f"{base}/weights?kind=cross&layer=0&special=renormalise"))
    np.testing.assert_allclose(full.sum(-1), 1, atol=1e-5)
    np.testing.assert_allclose(full, hidden / (1 - removed)[..., None], atol=1e-5)
    assert array(small.get(f"{base}/removed?kind=cross&layer=0")).max() == 0
    assert array(small.get(f"{base}/thumbnails?kind=cross&special=hide")).shape == (2, 2, 2, 3)


def test_windows_count_what_is_shown(small, translated):
    base = f"{TRACES}/{translated['id']}/weights?kind=encoder-self&layer=0&special=hide"
    whole = array(small.get(base))
    window = array(small.get(f"{base}&queries=1:3&keys=0:2"))
    np.testing.assert_allclose(window, whole[:, 1:3, :2], atol=1e-6)
    problem(small.get(f"{base}&keys=0:4"), 422, "window")


@pytest.mark.parametrize("query", ["words=2", "words=true", "special=some", "special="])
@pytest.mark.parametrize("path", ["", "/thumbnails", "/weights", "/removed"])
def test_other_ways_to_look_are_refused(small, translated, path, query):
    layer = "layer=0&" if path in ("/weights", "/removed") else ""
    problem(small.get(f"{TRACES}/{translated['id']}{path}?{layer}{query}"), 422, "invalid-request")


@pytest.mark.model
def test_words_of_a_real_model(client):
    text = "Untranslatable words are unbelievable"
    trace = client.post(TRACES, json={"text": text}).json()
    base = f"{TRACES}/{trace['id']}"
    shown = client.get(f"{base}?words=1&special=renormalise").json()
    assert shown["source"]["texts"] == text.split()
    assert len(trace["source"]["texts"]) > len(text.split()) + 2
    pieces = array(client.get(f"{base}/weights?layer=3"))
    words = array(client.get(f"{base}/weights?layer=3&words=1"))
    removed = array(client.get(f"{base}/removed?layer=3&words=1&special=hide"))
    np.testing.assert_allclose(words.sum(-1), 1, atol=1e-5)
    first, second = shown["source"]["positions"][:2]
    # Clark et al. 2019: the sum over a word's pieces, the mean over the pieces that look.
    expected = pieces[:, first][:, :, second].sum(-1).mean(-1)
    np.testing.assert_allclose(words[:, 1, 2], expected, atol=1e-5)
    special = [at for at, flag in enumerate(trace["source"]["special"]) if flag]
    np.testing.assert_allclose(removed[:, 0], pieces[:, first][:, :, special].sum(-1).mean(-1), atol=1e-5)


def test_no_example_in_logs_or_metrics(small, translated, caplog):
    caplog.set_level("DEBUG")
    marker = "zanzibarmarker"
    small.post(TRACES, json={"model": "translates", "text": marker, "target": f"d {marker}"})
    small.post(TRACES, json={"model": "sees", "image": marker})
    small.post(TRACES, json={"model": "writes", "text": "a", "options": {"off": [marker]}})
    small.post("/api/v1/images", content=marker.encode())
    small.get(f"/api/v1/images/{marker}")
    small.get(f"{TRACES}/{translated['id']}?special={marker}")
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("http")]
    assert any("POST /api/v1/images 422" in line for line in ours)
    assert not any(marker in line for line in ours)
    assert marker not in small.get("/metrics").text


def test_openapi_tells_everything(small):
    paths = small.get("/api/v1/openapi.json").json()["paths"]
    listed = {path.removeprefix("/api/v1"): set(methods) for path, methods in paths.items()}
    assert listed["/images"] == {"post"}
    assert listed["/images/{image_id}"] == {"get"}
    body = paths["/api/v1/traces"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert {"model", "text", "pair", "target", "image", "options", "written"} == set(body["properties"])
    assert {"off", "chat"} <= set(body["properties"]["options"]["properties"])
    assert "image/webp" in paths["/api/v1/images"]["post"]["requestBody"]["content"]
    for end in ("", "/thumbnails", "/weights", "/removed"):
        names = [one["name"] for one in paths[f"/api/v1/traces/{{trace_id}}{end}"]["get"]["parameters"]]
        assert {"words", "special", "trace_id"} <= set(names), end
    assert set(listed["/traces/{trace_id}/picture"]) == {"get"}
