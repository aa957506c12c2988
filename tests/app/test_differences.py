"""The difference of two traces over the API and on the command line: the library's numbers, and nothing unasked."""

import io
import json

import numpy as np
import pytest
from conftest import CAT
from test_problems import problem

from app import cli
from app.problems import ProblemError
from app.reading import demand_small
from attention_core.analysis.comparing import compare
from attention_core.analysis.difference import difference, likeness
from attention_core.capture import capture
from attention_core.looking import look

pytestmark = pytest.mark.model
TRACES = "/api/v1/traces"
SOFT = CAT.replace("tired", "soft")
HOSTILE = ["", "with=", "with=../x", "with=%00", "with=" + "a" * 101, "with=a b"]


@pytest.fixture(scope="module")
def soft(client, cat):
    del cat
    return client.post(TRACES, json={"model": "minilm", "text": SOFT}).json()


@pytest.fixture(scope="module")
def traces(cache):
    return capture("minilm", CAT), capture("minilm", SOFT)


@pytest.fixture
def spoken(cache, capsys, monkeypatch):
    """Runs the command; its exit code, what it printed, and what it complained of."""
    monkeypatch.setenv("ATLAS_CACHE", str(cache))

    def run(*arguments):
        code = cli.main(["analyse", "difference", *arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def ask(client, one, other, query=""):
    reply = client.get(f"{TRACES}/{one['id']}/analyses/difference?with={other['id']}{query}")
    assert reply.status_code == 200, reply.text
    return reply.json()


def matrices(client, one, other, query):
    reply = client.get(f"{TRACES}/{one['id']}/difference?with={other['id']}&{query}")
    assert reply.status_code == 200, reply.text
    return np.load(io.BytesIO(reply.content))


def numbers(heads):
    return [(head["layer"], head["head"], head["largest"]["query"], head["largest"]["key"]) for head in heads], [
        (head["change"], head["largest"]["before"], head["largest"]["after"]) for head in heads
    ]


def test_api_command_line_and_python_say_the_same(client, cat, soft, traces, spoken):
    found = difference(*traces)
    code, printed, _ = spoken(CAT, "--with", SOFT, "--json")
    body, printed = ask(client, cat, soft), json.loads(printed)
    assert code == 0
    assert body.keys() == printed.keys() == {
        "name", "kind", "measure", "words", "of", "queries", "keys", "heads",
    }  # fmt: skip
    mine = [{**vars(head), "largest": vars(head.largest)} for head in found.heads]
    for one in (mine, printed["heads"]):
        places, values = numbers(one)
        assert places == numbers(body["heads"])[0]
        np.testing.assert_allclose(values, numbers(body["heads"])[1], atol=1e-6)
    assert body["keys"][10] == {"first": [10, 11], "second": [10, 11], "same": False}
    assert body["queries"] == printed["queries"] == body["keys"]
    np.testing.assert_allclose(
        matrices(client, cat, soft, "layer=3&head=1"), compare(*traces).matrices((3, 1)), atol=1e-6
    )


def test_the_matrices_are_those_of_the_two_traces(client, cat, soft):
    both = matrices(client, cat, soft, "layer=3&head=1")
    assert (both.shape, both.dtype) == ((2, 12, 12), np.float32)
    for rows, trace in zip(both, (cat, soft), strict=True):
        reply = client.get(f"{TRACES}/{trace['id']}/weights?layer=3&head=1")
        np.testing.assert_allclose(rows, np.load(io.BytesIO(reply.content)), atol=1e-6)
    head = next(one for one in ask(client, cat, soft)["heads"] if (one["layer"], one["head"]) == (3, 1))
    assert head["change"] == pytest.approx(np.abs(both[1] - both[0]).sum(1).mean() / 2, abs=1e-6)
    window = matrices(client, cat, soft, "layer=3&head=1&queries=8:9&keys=2:7")
    np.testing.assert_allclose(window, both[:, 8:9, 2:7], atol=1e-6)
    small = matrices(client, cat, soft, "layer=3&head=1&size=3")
    assert small.shape == (2, 3, 3)
    assert np.abs(small[1] - small[0]).max() == pytest.approx(np.abs(both[1] - both[0]).max(), abs=1e-6)
    crossed = matrices(client, cat, soft, "layer=3&head=1&other_layer=5&other_head=11")
    np.testing.assert_allclose(crossed[0], both[0], atol=1e-6)
    assert crossed[1, 8, 2] > 0.5


def test_seen_through_words_and_without_special_tokens(client, traces):
    texts = [f"The {who} slept" for who in ("immunologist", "cat")]
    one, other = (client.post(TRACES, json={"model": "minilm", "text": text}).json() for text in texts)
    whole, pieces = ask(client, one, other, "&words=1&special=hide"), ask(client, one, other)
    assert [pair["same"] for pair in whole["keys"]] == [True, False, True]
    assert whole["words"]
    first, last = next(pair["first"] for pair in pieces["keys"] if not pair["same"])
    assert last - first > 1
    found = difference(*(look(capture("minilm", text), words=True, special="hide") for text in texts))
    assert whole["heads"][0]["change"] == pytest.approx(found.heads[0].change, abs=1e-6)
    del traces


def test_heads_off_against_heads_on(client, cat, traces, spoken):
    name = "encoder-self.3.1"
    off = client.post(TRACES, json={"model": "minilm", "text": CAT, "options": {"off": [name]}}).json()
    body, printed = ask(client, cat, off), json.loads(spoken(CAT, "--off", name, "--json")[1])
    # Layers up to that of the head see what they saw before; what comes later does not.
    for head in body["heads"]:
        assert (head["change"] == pytest.approx(0, abs=1e-6)) == (head["layer"] <= 3)
    np.testing.assert_allclose(numbers(body["heads"][:24])[1], numbers(printed["heads"][:24])[1], atol=1e-6)
    first = body["heads"][0]
    assert matrices(client, cat, off, f"layer={first['layer']}&head={first['head']}")[
        :, first["largest"]["query"], first["largest"]["key"]
    ].tolist() == pytest.approx([first["largest"]["before"], first["largest"]["after"]], abs=1e-6)
    del traces


def test_one_head_among_those_of_the_other_trace(client, cat, soft, traces):
    body = ask(client, cat, soft, "&layer=3&head=1")
    found = likeness(traces[0], 3, 1, traces[1])
    assert body["of"] == {"layer": 3, "head": 1}
    assert (body["heads"][0]["layer"], body["heads"][0]["head"]) == (3, 1)
    assert [head["change"] for head in body["heads"]] == pytest.approx([one.change for one in found.heads], abs=1e-6)


def test_a_trace_that_is_not_held_is_named(client, cat):
    gone = "0" * 40
    for one, other in ((cat["id"], gone), (gone, cat["id"])):
        for path in (f"analyses/difference?with={other}", f"difference?with={other}&layer=0&head=0"):
            assert problem(client.get(f"{TRACES}/{one}/{path}"), 404, "trace-not-held")["trace"] == gone


@pytest.mark.parametrize("path", ["analyses/difference?", "difference?layer=0&head=0&"])
def test_what_is_no_id_is_refused(client, cat, path):
    for query in HOSTILE:
        problem(client.get(f"{TRACES}/{cat['id']}/{path}{query}"), 422, "invalid-request")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("layer=6&head=0", "unknown-name"),
        ("layer=0&head=12", "unknown-name"),
        ("layer=0&head=0&other_layer=99", "unknown-name"),
        ("layer=0&head=0&other_head=99", "unknown-name"),
        ("layer=0&head=0&kind=cross", "unknown-name"),
        ("layer=0&head=0&kind=%3Cb%3E", "unknown-name"),
        ("layer=0&head=0&queries=0:13", "window"),
        ("layer=0&head=0&queries=3:3", "window"),
        ("layer=0&head=0&keys=9:2", "window"),
        ("layer=0&head=0&keys=0:999999999", "window"),
        ("layer=0&head=0&queries=0:999999999&size=4", "window"),
        ("layer=0&head=0&size=0", "invalid-request"),
        ("layer=0&head=0&size=513", "invalid-request"),
        ("layer=0&head=0&reduce=min", "invalid-request"),
        ("layer=-1&head=0", "invalid-request"),
        ("layer=0", "invalid-request"),
        ("layer=0&head=0&segments=AB", "not-available"),
        ("layer=0&head=0&versus=1", "unknown-parameter"),
        ("layer=0&head=0&other=1", "unknown-parameter"),
    ],
)
def test_what_is_not_there_is_refused(client, cat, soft, query, code):
    facts = problem(client.get(f"{TRACES}/{cat['id']}/difference?with={soft['id']}&{query}"), 422, code)
    if code == "unknown-parameter":
        assert "with" in facts["accepted"]
        assert "versus" not in facts["accepted"]


def test_the_tokens_that_stand_for_one_another_are_known_without_reading_a_head(client, cat, soft):
    whole, alone = ask(client, cat, soft), ask(client, cat, soft, "&ranked=0")
    assert alone == {**whole, "heads": []}


def test_one_row_of_a_long_text_is_no_large_window():
    demand_small(slice(3, 4), None, (4096, 4096))
    demand_small(None, slice(0, 64), (4096, 4096))
    for window in ((None, None), (slice(0, 513), slice(0, 512)), (slice(0, 10**9), slice(0, 1))):
        with pytest.raises(ProblemError, match="512 x 512"):
            demand_small(*window, (4096, 4096))


def test_a_head_is_named_by_both_numbers(client, cat, soft):
    for query in ("layer=3", "head=1"):
        url = f"{TRACES}/{cat['id']}/analyses/difference?with={soft['id']}&{query}"
        problem(client.get(url), 422, "invalid-request")


def test_what_has_nothing_in_common_says_so(small):
    written = small.post(TRACES, json={"model": "writes", "text": "a b c"}).json()
    translated = small.post(TRACES, json={"model": "translates", "text": "a b c"}).json()
    url = f"{TRACES}/{written['id']}/analyses/difference?with="
    assert ask(small, written, translated, "&layer=0&head=0")["kind"] == "decoder-self"
    facts = problem(small.get(f"{url}{translated['id']}&kind=cross"), 422, "unknown-name")
    assert facts["accepted"] == ["decoder-self"]
    other = small.post(TRACES, json={"model": "writes", "text": "d e"}).json()
    assert problem(small.get(f"{url}{other['id']}"), 422, "invalid-input")["reason"] == "apart"
    for kind in ("cross", "encoder-self", "decoder-self"):
        assert ask(small, translated, translated, f"&kind={kind}")["heads"][0]["change"] == 0


def test_the_command_line_prints_for_people(spoken):
    code, printed, _ = spoken(CAT, "--with", SOFT, "--top", "3")
    lines = printed.splitlines()
    assert code == 0
    assert lines[1:3] == [f"- MiniLM: {CAT}", f"+ MiniLM: {SOFT}"]
    assert len(lines) == 8
    assert any(line.endswith("cat -> tired/soft") for line in lines)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((CAT,), "say what to compare with"),
        ((CAT, "--with-model", "minilm"), "--layer and --head"),
        ((CAT, "--with-model", "nobody", "--layer", "0", "--head", "0"), "unknown model 'nobody'"),
        ((CAT, "--with", "  "), "there is no text"),
        ((CAT, "--with", SOFT, "--kind", "cross"), "accepted: encoder-self"),
    ],
)
def test_the_command_line_says_what_is_wrong(spoken, arguments, sentence):
    code, printed, complaint = spoken(*arguments)
    assert (code, printed) == (2, "")
    assert sentence in complaint
