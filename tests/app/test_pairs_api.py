"""Two sentences in an encoder, over the API and on the command line."""

import io
import json

import numpy as np
import pytest
from test_problems import problem

from app import cli

pytestmark = pytest.mark.model
TRACES = "/api/v1/traces"
FIRST, SECOND = "The teacher gave the student a book", "The student read the book to the teacher"


def array(reply):
    assert reply.status_code == 200, reply.text
    return np.load(io.BytesIO(reply.content), allow_pickle=False)


@pytest.fixture(scope="module")
def pair(client):
    return client.post(TRACES, json={"text": FIRST, "pair": SECOND}).json()


def test_models_say_whether_they_read_a_second_text(client):
    models = {model["name"]: model["pairs"] for model in client.get("/api/v1/models").json()["models"]}
    expected = {"minilm": True, "e5-multilingual": True, "smollm2": False, "ko-en": False, "shapes": False}
    assert {name: models[name] for name in expected} == expected


def test_a_pair_is_a_trace_of_its_own_with_both_texts(client, pair):
    assert (pair["source"]["text"], pair["source"]["pair"]) == (FIRST, SECOND)
    assert "".join(pair["source"]["segment"]) == "A" * 9 + "B" * 9
    assert pair["source_queries"] is None
    assert pair["looking"]["segments"] == "all"
    alone = client.post(TRACES, json={"text": FIRST}).json()
    assert alone["id"] != pair["id"]
    assert (alone["source"]["pair"], set(alone["source"]["segment"])) == (None, {"A"})


@pytest.mark.parametrize("segments", ["AA", "AB", "BA", "BB"])
def test_a_filter_cuts_document_weights_thumbnails_and_what_was_hidden(client, pair, segments):
    url, kept = f"{TRACES}/{pair['id']}", {"A": slice(0, 9), "B": slice(9, 18)}
    rows, columns = kept[segments[0]], kept[segments[1]]
    shown = client.get(f"{url}?segments={segments}").json()
    one = shown["maps"][0]
    assert (one["queries"], one["keys"], one["key_axis"]) == (9, 9, "source")
    assert one["query_axis"] == ("source" if segments[0] == segments[1] else "source_queries")
    assert shown[one["query_axis"]]["texts"] == pair["source"]["texts"][rows]
    assert shown["source"]["texts"] == pair["source"]["texts"][columns]
    assert shown["source"]["positions"] == [[at] for at in range(18)[columns]]
    whole, cut = (array(client.get(f"{url}/weights?layer=2{more}")) for more in ("", f"&segments={segments}"))
    np.testing.assert_array_equal(cut, whole[:, rows, columns])
    small = array(client.get(f"{url}/thumbnails?segments={segments}"))
    assert small.shape == (6, 12, 9, 9)
    hidden = array(client.get(f"{url}/removed?layer=2&special=hide&segments={segments}"))
    special = [at for at, flag in enumerate(pair["source"]["special"]) if flag]
    content = [at for at in range(18)[rows] if at not in special]
    np.testing.assert_allclose(hidden, whole[:, content][:, :, special].sum(-1), atol=1e-6)


def test_a_filter_of_one_text_and_an_unknown_one_are_refused(client, pair):
    alone = client.post(TRACES, json={"text": FIRST}).json()
    facts = problem(client.get(f"{TRACES}/{alone['id']}?segments=AB"), 422, "not-available")
    assert facts["reason"] == "one-text"
    assert client.get(f"{TRACES}/{alone['id']}?segments=all").status_code == 200
    assert client.get(f"{TRACES}/{pair['id']}?segments=BC").status_code == 422


def test_a_second_text_that_is_empty_or_too_long_is_named(client):
    for empty in ("", "  ", "[SEP]"):
        assert problem(client.post(TRACES, json={"text": FIRST, "pair": empty}), 422, "empty-text")["reason"] == "pair"
    body = {"text": "cat " * 300, "pair": "dog " * 300, "options": {"truncate": True}}
    facts = problem(client.post(TRACES, json=body), 422, "too-many-tokens")
    assert (facts["reason"], facts["first"], facts["second"], facts["limit"]) == ("pair", 300, 300, 512)


def test_the_command_line_shows_one_sentence_looking_at_the_other(client, pair, cache, capsys, monkeypatch):
    monkeypatch.setenv("ATLAS_CACHE", str(cache))
    example = (FIRST, "--pair", SECOND, "--segments", "AB", "--special", "hide")
    assert cli.main(["weights", *example, "--layer", "2", "--head", "9", "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert body["tokens"] == {"queries": FIRST.lower().split(), "keys": SECOND.lower().split()}
    url = f"{TRACES}/{pair['id']}/weights?layer=2&head=9&segments=AB&special=hide"
    np.testing.assert_allclose(body["weights"], array(client.get(url)), atol=1e-6)
    assert cli.main(["trace", *example, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == pair["id"]
    assert cli.main(["trace", *example]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "15 tokens" in lines[0]
    assert lines[2:4] == [FIRST.lower(), SECOND.lower()]


def test_the_command_line_refuses_a_filter_without_a_second_sentence(cache, capsys, monkeypatch):
    monkeypatch.setenv("ATLAS_CACHE", str(cache))
    assert cli.main(["trace", FIRST, "--segments", "AB"]) == 2
    assert "there is no second one" in capsys.readouterr().err
    assert cli.main(["trace", "a b", "--model", "induction", "--pair", "c"]) == 2
    assert "does not read a second text" in capsys.readouterr().err
