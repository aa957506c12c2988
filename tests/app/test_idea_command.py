"""The command idea says what the API says."""

import json

import pytest
from test_writing_jobs import events_in

from app import cli
from app.commands.ideas import REQUESTS, SPELLED
from attention_core.ideas import IDEAS


@pytest.fixture
def spoken(capsys):
    """Runs a command; its exit code, what it printed, and what it complained of."""

    def run(*arguments):
        try:
            code = cli.main(["idea", *arguments])
        except SystemExit as stopped:
            code = stopped.code
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.fixture(scope="module")
def fresh(serve, tmp_path_factory):
    with serve(cache=tmp_path_factory.mktemp("empty"), fetch_on_start=False) as client:
        yield client


def test_every_idea_has_a_command():
    assert [one.name for one in IDEAS] == list(REQUESTS) == list(SPELLED)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("scaling", {"dim": "8", "keys": "4", "seed": "2"}),
        ("order", {"positions": "learned", "text": "나는 학교에 갔다"}),
        ("sparing", {"text": "a b c", "global": "1", "sharpness": "0.5", "window": "1"}),
    ],
)
def test_quick_ones_are_the_apis(fresh, spoken, name, given):
    options = [part for one, value in given.items() for part in (f"--{one}", value)]
    code, printed, _ = spoken(name, *options, "--json")
    assert code == 0
    assert json.loads(printed) == fresh.get(f"/api/v1/ideas/{name}", params=given).json()


def test_long_ones_are_the_apis(fresh, spoken):
    code, printed, complained = spoken("masking", "--steps", "10", "--language", "ko", "--seed", "1", "--json")
    assert code == 0
    assert "100%" in complained
    wish = {"do": "idea", "name": "masking", "steps": 10, "language": "ko", "seed": 1}
    job = fresh.post("/api/v1/jobs", json=wish).json()["id"]
    replied = events_in(fresh.get(f"/api/v1/jobs/{job}/events").text)[-1][1]["result"]
    said = json.loads(printed)
    assert said["masked"]["test"] == pytest.approx(replied["masked"]["test"])
    assert said["unmasked"]["written"] == replied["unmasked"]["written"]
    assert said.keys() == replied.keys()


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (("scaling", "--keys", "4"), ("Why √dₖ", " 1024 ", "uniform weights: entropy 2.0000, gradient 0.4330")),
        (("order", "--positions", "none"), ("Order", "none: the cat sat", "largest difference of a weight: ")),
        (("sparing", "--global", ""), ("Fewer scores", "a window of 3: largest", "64 random features: 0.")),
        (("cost", "--seconds", "1"), ("Cost", "window 64, 128 features", "formula: from N = 512 on", "fused against")),
        (("recurrence", "--length", "4", "--steps", "10"), ("guessing: 0.100", "   1  ", "   4  ")),
        (("masking", "--steps", "10"), ("knowing all there is to know 0.515", "with the mask: ", "without: ")),
    ],
)
def test_for_people(spoken, arguments, lines):
    code, printed, _ = spoken(*arguments)
    assert code == 0
    for line in lines:
        assert line in printed


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nothing",), "invalid choice: 'nothing'"),
        (("scaling", "--dim", "x"), "argument --dim: invalid int value: 'x'"),
        (("scaling", "--dim", "2"), "dim: Input should be greater than or equal to 4"),
        (("order", "--positions", "absolute"), "invalid choice: 'absolute'"),
        (("order", "--text", "alone"), "1 words; accepted: 2 to 32"),
        (("sparing", "--global", "77"), "global token 77 is not in the text; accepted: 0 to 9"),
        (("cost", "--seconds", "99"), "seconds: Input should be less than or equal to 30"),
        (("cost", "--model", "minilm"), "unrecognized arguments"),
    ],
)
def test_what_is_wrong_is_said(spoken, arguments, sentence):
    code, printed, complaint = spoken(*arguments)
    assert (code, printed) == (2, "")
    assert sentence in complaint
