"""The command experiment, and that API, command line and Python give the same numbers."""

import json

import pytest
from test_writing_jobs import events_in

from app import cli
from app.commands.experimenting import COMMANDS
from app.experiments import OFFERED, importance_document, scan_document, sublayer_document, switched_document
from app.job_schemas import EXPERIMENTS as REQUESTS
from attention_core.capture import Example, open_model
from attention_core.experiments import EXPERIMENTS
from attention_core.experiments.importance import importance
from attention_core.experiments.running import finish
from attention_core.experiments.sublayer import sublayer
from attention_core.experiments.switching import scan, switch_off

JOBS = "/api/v1/jobs"
TEXT = "owl fox lamp owl fox"
OFF = "decoder-self.0.3"


@pytest.fixture
def spoken(capsys):
    """Runs a command; its exit code, what it printed, and what it complained of."""

    def run(*arguments):
        code = cli.main(["experiment", *arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.fixture(scope="module")
def fresh(serve, tmp_path_factory):
    """A server that has fetched nothing: the bundled models are there."""
    with serve(cache=tmp_path_factory.mktemp("empty"), fetch_on_start=False) as client:
        yield client


def nearly(one):
    """The same document, numbers to six digits."""
    if isinstance(one, dict):
        return {name: nearly(value) for name, value in one.items()}
    if isinstance(one, list):
        return [nearly(value) for value in one]
    return pytest.approx(one, abs=2e-6, rel=1e-4) if isinstance(one, float) else one


@pytest.mark.parametrize(
    ("name", "arguments", "wish", "found"),
    [
        (
            "scan", ("--row", "owl#2", "--key", "fox", "--how", "mean"), {"row": 4, "key": 2, "how": "mean"},
            lambda model: scan_document(finish(scan(model, Example(TEXT), row=4, key=2, how="mean"))),
        ),
        (
            "switch-off", ("--off", OFF), {"options": {"off": [OFF]}},
            lambda model: switched_document(finish(switch_off(model, Example(TEXT, off=(OFF,)))), [OFF]),
        ),
        (
            "importance", ("--words",), {"words": True},
            lambda model: importance_document(finish(importance(model, Example(TEXT), words=True))),
        ),
        (
            "sublayer", ("--layer", "1", "--head", "2", "--query", "owl#2", "--key", "1"),
            {"layer": 1, "head": 2, "query": 4, "key": 1},
            lambda model: sublayer_document(finish(sublayer(model, Example(TEXT), ("decoder-self", 1, 2), 4, 1))),
        ),
    ],
    ids=list(OFFERED),
)  # fmt: skip
def test_api_command_line_and_python_say_the_same(fresh, spoken, name, arguments, wish, found):
    job = fresh.post(JOBS, json={"do": "experiment", "name": name, "model": "induction", "text": TEXT, **wish}).json()
    replied = events_in(fresh.get(f"{JOBS}/{job['id']}/events").text)[-1][1]["result"]
    code, printed, complained = spoken(name, TEXT, "--model", "induction", *arguments, "--json")
    assert code == 0
    assert "100%" in complained
    assert json.loads(printed) == nearly(replied)
    assert json.loads(json.dumps(found(open_model("induction")))) == nearly(replied)
    assert replied["name"] == name


def test_the_list_the_api_and_the_command_line_have_the_same_experiments():
    assert [one.name for one in EXPERIMENTS] == list(OFFERED) == list(REQUESTS) == list(COMMANDS)


def test_the_command_line_prints_for_people(spoken):
    code, printed, _ = spoken("scan", "owl fox owl", "--model", "induction", "--top", "1")
    lines = printed.splitlines()
    assert code == 0
    assert lines[1] == "next-token at 3; in place of a head: zeros"
    assert lines[2].startswith("with all heads: fox 0.9")
    # Its previous-token head is what the second half of an induction head needs.
    assert lines[4].startswith("decoder-self L0 H3  0.9")
    assert len(lines) == 6
    assert lines[5].startswith("weight and effect: rank correlation +")
    printed = spoken("switch-off", "나는 학교에 갔다", "--model", "ko-en", "--off", "cross.1.2")[1]
    assert "before, written by the model itself: I went to school" in printed
    printed = spoken("importance", "owl fox owl", "--model", "induction")[1]
    assert printed.splitlines()[2].split() == ["token", *(name for name in METHODS)]
    assert "too few to compare" in printed
    place = ("--layer", "0", "--head", "3", "--query", "fox", "--key", "owl")
    lines = spoken("sublayer", "owl fox owl", "--model", "induction", *place)[1].splitlines()
    assert lines[1].startswith("decoder-self L0 H3, query 2, key 1: the first 8 of ")
    assert lines[4].startswith("what this head adds")
    assert len(lines[4].split()) == 4 + 8


PLACE = ("--layer", "0", "--head", "3")
METHODS = ("weight", "norm", "rollout", "gradient", "value-zeroing", "leave-one-out")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("scan", TEXT, "--row", "6"), "row 6 is not there; accepted: 0 to 5"),
        (("scan", TEXT, "--row", "moon"), "unknown word 'moon'; accepted: owl"),
        (("scan", TEXT, "--row", "4", "--key", "77"), "key 77 is not there"),
        (("scan", TEXT, "--kind", "cross"), "unknown kind 'cross'; accepted: decoder-self"),
        (("switch-off", TEXT), "no head is switched off"),
        (("switch-off", TEXT, "--off", "decoder-self.9.9"), "decoder-self.0.0 to decoder-self.1.3"),
        (("importance", "  "), "there is no text"),
        (("importance",), "write a sentence"),
        (("scan", TEXT, "--pair", "owl"), "does not read a second text"),
        (("sublayer", TEXT, *PLACE, "--query", "9", "--key", "0"), "query 9 is not there; accepted: 0 to 5"),
        (("sublayer", TEXT, *PLACE, "--query", "moon", "--key", "0"), "unknown word 'moon'; accepted: owl"),
        (("sublayer", TEXT, *PLACE, "--query", "0", "--key", "0", "--kind", "cross"), "accepted: decoder-self"),
    ],
)
def test_the_command_line_says_what_is_wrong(spoken, arguments, sentence):
    code, printed, complaint = spoken(*arguments, "--model", "induction")
    assert (code, printed) == (2, "")
    assert sentence in complaint


def test_a_word_of_several_tokens_is_named_by_its_place(spoken):
    code, _, complaint = spoken("scan", "나는 학교에 갔다", "--model", "ko-en", "--kind", "cross", "--key", "학교에")
    assert code == 2
    assert "'학교에' is read as 2 tokens: 학교 (2), 에 (3)" in complaint
