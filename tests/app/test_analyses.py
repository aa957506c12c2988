"""Analyses over the API and on the command line: the library's numbers under the same names."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from conftest import CAT
from test_problems import problem

import app
from app import cli
from app.analyses import READERS
from attention_core.analysis import ANALYSES
from attention_core.analysis.link import link
from attention_core.analysis.mentions import mentions
from attention_core.analysis.profile import profile
from attention_core.analysis.roles import roles
from attention_core.analysis.words import words
from attention_core.capture import capture
from attention_core.experiments import EXPERIMENTS

pytestmark = pytest.mark.model
TRACES = "/api/v1/traces"
PAIR = "query=8:9&key=2:3"


@pytest.fixture(scope="module")
def url(cat):
    return f"{TRACES}/{cat['id']}/analyses"


@pytest.fixture(scope="module")
def trace(cache):
    return capture("minilm", CAT)


@pytest.fixture
def spoken(cache, capsys, monkeypatch):
    """Runs a command; its exit code, what it printed, and what it complained of."""
    monkeypatch.setenv("ATLAS_CACHE", str(cache))

    def run(*arguments):
        code = cli.main(["analyse", *arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def ask(client, url):
    reply = client.get(url)
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_the_cat_sentence_ranks_the_head_that_knows(client, url):
    body = ask(client, f"{url}/link?{PAIR}&rivals=6:7")
    assert {name: body[name] for name in ("name", "kind", "query", "key", "rivals", "other_count", "back_note")} == {
        "name": "link", "kind": "encoder-self", "query": [8, 9], "key": [2, 3], "rivals": [[6, 7]], "other_count": 8,
        "back_note": None,
    }  # fmt: skip
    assert len(body["heads"]) == 72
    first = body["heads"][0]
    assert (first["layer"], first["head"], first["named"]) == (3, 1, None)
    assert first["lift"] == pytest.approx(0.37, abs=0.01)
    assert first["weight"] == pytest.approx(0.487, abs=0.001)
    topic = next(head for head in body["heads"] if (head["layer"], head["head"]) == (5, 11))
    assert topic["named"] == "topic"
    assert topic["weight"] == pytest.approx(0.683, abs=0.001)
    assert topic["lift"] == pytest.approx(0.08, abs=0.01)


def test_the_weights_are_those_of_the_matrix(client, cat, url):
    """The numbers again from the matrices as they travel, by the definition."""
    for head in ask(client, f"{url}/link?{PAIR}&rivals=6:7")["heads"][::7]:
        reply = client.get(f"{TRACES}/{cat['id']}/weights?layer={head['layer']}&head={head['head']}")
        matrix = np.load(io.BytesIO(reply.content))
        others = [at for at in range(1, 11) if at not in (2, 8)]
        assert head["weight"] == pytest.approx(matrix[8, 2], abs=1e-6)
        assert head["others"] == pytest.approx(matrix[others, 2].mean(), abs=1e-6)
        assert head["lift"] == pytest.approx(matrix[8, 2] - matrix[others, 2].mean(), abs=1e-6)
        assert head["margin"] == pytest.approx(matrix[8, 2] - matrix[8, 6], abs=1e-6)
        assert head["share"] == pytest.approx(matrix[8, 2] / matrix[8, 1:11].sum(), abs=1e-6)


def test_the_other_direction_comes_along(client, url):
    body, other = ask(client, f"{url}/link?{PAIR}"), ask(client, f"{url}/link?query=2:3&key=8:9")
    assert body["back"] == {name: other[name] for name in ("query", "key", "rivals", "other_count", "heads")}
    assert all(head["margin"] is None for head in body["heads"])


def test_api_command_line_and_python_say_the_same(client, url, trace, spoken):
    found = link(trace, words(trace.source, "it"), words(trace.source, "cat"), rivals=[words(trace.source, "mat")])
    code, printed, _ = spoken("link", CAT, "--query", "it", "--key", "cat", "--rival", "mat", "--json")
    body, printed = ask(client, f"{url}/link?{PAIR}&rivals=6:7"), json.loads(printed)
    assert code == 0
    assert [vars(head) for head in found.heads] == [pytest.approx(head, abs=1e-6) for head in body["heads"]]
    assert [head | {"named": None} for head in printed["heads"]] == [
        pytest.approx(head | {"named": None}, abs=1e-6) for head in body["heads"]
    ]
    assert printed.keys() == body.keys()
    profiles, said = profile(trace), json.loads(spoken("profile", CAT, "--json")[1])
    body = ask(client, f"{url}/profile")
    for mine, its, head, line in zip(profiles.heads, roles(profiles), body["heads"], said["heads"], strict=True):
        names = [role.name for role in its.roles]
        assert [role["name"] for role in head["roles"]] == [role["name"] for role in line["roles"]] == names
        numbers = {name: value for name, value in head.items() if name != "roles"}
        assert numbers == pytest.approx(vars(mine), abs=1e-5)
        assert numbers == pytest.approx({name: line[name] for name in numbers}, abs=1e-5)
    found, body = mentions(trace.source), ask(client, f"{url}/mentions")
    assert body == json.loads(spoken("mentions", CAT, "--json")[1])
    assert body["pronouns"] == [[8, 9]] == [[group[0], group[-1] + 1] for group in found.pronouns]
    assert body["candidates"] == [[2, 3], [6, 7]]


def test_the_api_and_the_list_have_the_same_analyses_and_the_page_their_words(client):
    messages = json.loads((Path(app.__file__).parent / "messages/en.json").read_text(encoding="utf-8"))
    assert list(READERS) == [one.name for one in ANALYSES]
    for one in ANALYSES:
        assert [messages[f"analysis.{one.name}.{part}"] for part in ("title", "help", "reference")] == [
            one.title,
            one.help,
            one.reference,
        ]
        assert one.reference
        assert not one.needs_model


def test_the_page_has_the_experiments_words():
    messages = json.loads((Path(app.__file__).parent / "messages/en.json").read_text(encoding="utf-8"))
    for one in EXPERIMENTS:
        shown = [messages[f"experiment.{one.name}.{part}"] for part in ("title", "help", "reference")]
        assert shown == [one.title, one.help, one.reference]


def test_a_reply_has_a_tag_and_does_not_change(client, url):
    reply = client.get(f"{url}/link?{PAIR}")
    assert "immutable" in reply.headers["cache-control"]
    again = client.get(f"{url}/link?{PAIR}", headers={"If-None-Match": reply.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("query=8:8&key=2:3", "nothing"),
        ("query=9:8&key=2:3", "nothing"),
        ("query=12:13&key=2:3", "outside"),
        ("query=0:999999999&key=2:3", "outside"),
        ("query=999999998:999999999&key=2:3", "outside"),
        ("query=8:9&key=11:13", "outside"),
        ("query=8:9&key=8:9", "itself"),
        ("query=7:9&key=8:10", "itself"),
        ("query=8:9&key=2:3&rivals=2:3", "rival"),
        ("query=8:9&key=2:3&rivals=6:7,8:9", "rival"),
        ("query=8:9&key=2:3&rivals=5:5", "nothing"),
    ],
)
def test_ranges_that_are_none_say_why(client, url, query, reason):
    assert problem(client.get(f"{url}/link?{query}"), 422, "invalid-input")["reason"] == reason


@pytest.mark.parametrize(
    "query",
    [
        "", "query=8:9", "key=2:3", "query=8&key=2:3", "query=-1:3&key=2:3", "query=a:b&key=2:3", "query=8:9&key=2:3:4",
        f"{PAIR}&rivals=", f"{PAIR}&rivals=6:7,", f"{PAIR}&rivals=" + ",".join(["6:7"] * 17), f"{PAIR}&{PAIR}",
        "query=1e3:9&key=2:3", "query=%D9%A8:%D9%A9&key=2:3", "query=0000000000008:9&key=2:3",
    ],
)  # fmt: skip
def test_requests_that_are_none_are_refused(client, url, query):
    problem(client.get(f"{url}/link?{query}"), 422, "invalid-request")


def test_unknown_names_list_the_known_ones(client, url, cat):
    facts = problem(client.get(f"{url}/linkage?{PAIR}"), 422, "unknown-name")
    assert (facts["what"], facts["accepted"]) == ("analysis", [*READERS])
    facts = problem(client.get(f"{url}/link?{PAIR}&page=1"), 422, "unknown-parameter")
    assert facts["accepted"] == ["kind", "measure", "query", "key", "rivals", "words"]
    assert problem(client.get(f"{url}/profile?query=1:2"), 422, "unknown-parameter")["accepted"] == ["kind", "measure"]
    for name in ("link", "profile", "mentions"):
        more = f"&{PAIR}" if name == "link" else ""
        facts = problem(client.get(f"{url}/{name}?kind=cross{more}"), 422, "unknown-name")
        assert facts["accepted"] == ["encoder-self"]
    problem(client.get(f"{TRACES}/{'0' * 40}/analyses/profile"), 404, "trace-not-held")
    problem(client.get(f"{url}/%3Cscript%3E?{PAIR}"), 422, "unknown-name")


def test_in_a_decoder_nothing_looks_ahead(small):
    made = small.post(TRACES, json={"model": "writes", "text": "the cat said it was tired"}).json()
    url = f"{TRACES}/{made['id']}/analyses/link"
    body = ask(small, f"{url}?query=3:4&key=1:2")
    assert (body["kind"], body["back"], body["back_note"]) == ("decoder-self", None, "masked")
    facts = problem(small.get(f"{url}?query=1:2&key=3:4"), 422, "invalid-input")
    assert facts["reason"] == "masked"


def test_a_last_key_has_no_others_and_no_lift(small):
    made = small.post(TRACES, json={"model": "writes", "text": "the cat said it was tired"}).json()
    last = made["maps"][0]["queries"] - 1
    body = ask(small, f"{TRACES}/{made['id']}/analyses/link?query={last}:{last + 1}&key={last - 1}:{last}")
    assert body["other_count"] == 0
    assert all(head["lift"] is None and head["others"] is None for head in body["heads"])
    weights = [head["weight"] for head in body["heads"]]
    assert weights == sorted(weights, reverse=True)


def test_between_two_sequences_there_is_one_direction(small):
    made = small.post(TRACES, json={"model": "translates", "text": "a b c"}).json()
    kinds = [one["kind"] for one in made["maps"]]
    assert "cross" in kinds
    body = ask(small, f"{TRACES}/{made['id']}/analyses/link?kind=cross&query=0:1&key=0:1")
    assert (body["back"], body["back_note"]) == (None, "cross")
    for kind in kinds:
        assert ask(small, f"{TRACES}/{made['id']}/analyses/profile?kind={kind}")["kind"] == kind


def test_the_command_line_prints_for_people(spoken):
    code, printed, _ = spoken("link", CAT, "--query", "it", "--key", "cat", "--rival", "mat", "--top", "3")
    lines = printed.splitlines()
    assert code == 0
    assert lines[1] == "it -> cat, not mat"
    assert lines[4].split()[:6] == ["L3", "H1", "0.368", "0.487", "0.119", "0.350"]
    assert any(line.startswith("L5 H11") and "every word looks there" in line for line in lines)
    assert "pronouns: it (8:9)" in spoken("mentions", CAT)[1]
    printed = spoken("profile", CAT, "--layer", "5", "--head", "11")[1]
    assert "[topic 0.61]" in printed
    assert len(printed.splitlines()) == 4
    lines = spoken("steps", CAT, "--layer", "3", "--head", "1", "--query", "it")[1].splitlines()
    assert lines[1] == "L3 H1, the row of it; scale 0.176777"
    assert lines[2].split() == ["key", "q.k", "scaled", "score", "exp", "weight"]
    assert lines[5].split() == ["cat", "18.9604", "3.3518", "3.3518", "1.0000", "0.4873"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("link", CAT, "--query", "it", "--key", "dog"), "unknown word 'dog'; accepted: The, cat, sat"),
        (("link", CAT, "--query", "it#2", "--key", "cat"), "unknown word 'it#2'"),
        (("link", CAT, "--query", "it", "--key", "it"), "are the same word"),
        (("link", CAT, "--query", "it", "--key", "cat", "--rival", "cat"), "a rival is another token"),
        (("link", CAT, "--query", "it", "--key", "cat", "--kind", "cross"), "accepted: encoder-self"),
        (("profile", CAT, "--layer", "6"), "unknown layer '6'; accepted: 0, 1, 2, 3, 4, 5"),
        (("profile", CAT, "--head", "-1"), "unknown head '-1'"),
        (("mentions", "  "), "there is no text"),
        (("steps", CAT, "--layer", "3", "--head", "12", "--query", "it"), "unknown head '12'"),
        (("steps", CAT, "--layer", "3", "--head", "1", "--query", "12"), "token 12 is not there; accepted: 0 to 11"),
        (("steps", CAT, "--layer", "3", "--head", "1", "--query", "dog"), "unknown word 'dog'; accepted: The, cat"),
    ],
)
def test_the_command_line_says_what_is_wrong(spoken, arguments, sentence):
    code, printed, complaint = spoken(*arguments)
    assert (code, printed) == (2, "")
    assert sentence in complaint


def test_words_of_several_pieces_are_taken_whole(spoken):
    text = "The professor of immunology met Anna because she was late"
    body = json.loads(spoken("link", text, "--query", "she", "--key", "immunology", "--json")[1])
    assert body["key"][1] - body["key"][0] > 1


def test_asked_in_words_the_lift_counts_words_everywhere(client, spoken):
    text = "The professor of immunology met Anna because she was late"
    body = json.loads(spoken("link", text, "--query", "she", "--key", "Anna", "--words", "--json")[1])
    tokens = json.loads(spoken("link", text, "--query", "she", "--key", "Anna", "--json")[1])
    assert (body["words"], tokens["words"]) == (True, False)
    assert body["other_count"] == 8, "ten words without the two"
    assert tokens["other_count"] > 8, "immunology falls into pieces"
    trace = client.post("/api/v1/traces", json={"model": "minilm", "text": text}).json()["id"]
    query = {name: "{}:{}".format(*body[name]) for name in ("query", "key")} | {"words": "1"}
    assert client.get(f"/api/v1/traces/{trace}/analyses/link", params=query).json() == body
    assert "8 other words" in spoken("link", text, "--query", "she", "--key", "Anna", "--words")[1]
