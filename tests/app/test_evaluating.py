"""The command evaluate: what it prints, what it keeps, and its exit codes."""

import json

import pytest

from app import cli
from app.commands import evaluating


@pytest.fixture
def small_models(random_catalogue, monkeypatch, tmp_path):
    monkeypatch.setenv("ATLAS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(evaluating, "load_catalogue", lambda: random_catalogue)


def run(capsys, *arguments):
    try:
        code = cli.main([str(argument) for argument in arguments])
    except SystemExit as stopped:
        code = stopped.code
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def row(number: int) -> dict:
    """The pronoun is *c*, the antecedent *a* or *b*: the small models know the words a to h."""
    text = ("a d b e c", "b d a e c g")[number % 2]
    spans = ([0, 1], [4, 5])
    return {"id": f"r{number}", "text": text, "pronoun": [8, 9], "antecedent": spans[number % 2],
            "distractors": [spans[1 - number % 2]], "meta": {"twin": f"t{number // 2}"}}  # fmt: skip


@pytest.fixture
def pronouns(tmp_path):
    path = tmp_path / "pronouns.jsonl"
    path.write_text("\n".join(json.dumps(row(number)) for number in range(40)), encoding="utf-8")
    return path


@pytest.fixture
def trees(tmp_path):
    words = (("a", 2, "det"), ("b", 3, "nsubj"), ("c", 0, "root"))
    lines = [f"{n}\t{form}\t_\t_\t_\t_\t{head}\t{deprel}\t_\t_" for n, (form, head, deprel) in enumerate(words, 1)]
    path = tmp_path / "trees.conllu"
    path.write_text("\n".join([*lines, ""] * 60) + "\n", encoding="utf-8")
    return path


def test_pronouns_as_json(small_models, pronouns, capsys):
    code, out, _ = run(capsys, "evaluate", pronouns, "--task", "antecedent", "--model", "writes", "--json")
    assert code == 0
    found = json.loads(out)
    top = ["task", "model", "rows", "chosen", "right", "interval", "chance", "nearest", "first", "twins"]
    assert [name for name in found if name in top] == top
    assert (found["task"], found["model"], found["kind"]) == ("antecedent", "writes", "decoder-self")
    assert found["chosen"].keys() == {"layer", "head"}
    assert found["interval"][0] <= found["right"] <= found["interval"][1]
    assert (found["chance"], found["twins"]["pairs"], found["counts"]["scored"]) == (0.5, 20, 40)


def test_pronouns_in_lines_with_what_a_decoder_cannot_see(small_models, pronouns, capsys):
    rows = [json.loads(line) for line in pronouns.read_text().splitlines()]
    for one in rows:  # twins that read the same up to the pronoun: "g" decides
        one["text"] = "a d b e c" + " g" * (int(one["id"][1:]) % 2)
    rows.append(row(50) | {"id": "later", "pronoun": [2, 3]})
    pronouns.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    code, out, err = run(capsys, "evaluate", pronouns, "--task", "antecedent", "--model", "writes")
    lines = out.splitlines()
    assert code == 0
    assert lines[0].startswith("antecedent, writes on pronouns.jsonl: L")
    assert "chance 0.500" in lines[1]
    assert lines[2].startswith("20 pairs of twins: right on both 0.000, ")
    assert lines[3] == "left out: 1 rows with a candidate after the pronoun, which a decoder cannot see from there"
    assert lines[4].startswith("warning: 40 rows have a twin that reads the same up to the pronoun")
    assert "rows: 100%" in err


def test_trees_in_lines(small_models, trees, capsys):
    code, out, _ = run(capsys, "evaluate", trees, "--task", "syntax", "--model", "translates")
    lines = [line.split() for line in out.splitlines()]
    assert code == 0
    assert lines[2] == ["relation", "from", "rows", "head", "right", "95", "%", "offset", "right"]
    assert {(line[0], line[1]) for line in lines[3:]} == {
        (name, way) for name in ("det", "nsubj") for way in ("dependent", "head")
    }
    assert {line[-2] for line in lines[3:] if line[1] == "dependent"} == {"+1"}
    assert {line[-1] for line in lines[3:]} == {"1.000"}, "the word depends on the next one in every tree"


def test_broken_lines_are_named_and_the_exit_code_says_so(small_models, pronouns, capsys):
    with pronouns.open("a") as file:
        file.write("\n{\n" + "[]\n" * 30)
    code, out, err = run(capsys, "evaluate", pronouns, "--task", "antecedent", "--model", "writes", "--json")
    assert code == evaluating.LEFT_OUT == 3
    assert [one["line"] for one in json.loads(out)["broken"]] == [41, *range(42, 72)]
    assert "pronouns.jsonl line 41 was left out: it is not JSON" in err
    assert "and 11 more lines" in err
    assert "exit codes: 0 every line was used; 3" in _help(capsys).lower()


def _help(capsys) -> str:
    return " ".join(run(capsys, "evaluate", "--help")[1].split())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"file": "nothing.jsonl"}, "is not a file"),
        ({"--model": "nobody"}, "unknown model"),
        ({"--model": "sees"}, "looks at pictures"),
        ({"--task": "syntax"}, "no sentence of pronouns.jsonl can be used; line 1: it has 1 columns"),
        ({"--limit": "0"}, "a limit of 0"),
        ({"--limit": "1"}, "too few"),
    ],
)
def test_what_cannot_be_evaluated_is_an_error_to_mend(small_models, pronouns, capsys, change, said):
    given = {"file": pronouns, "--task": "antecedent", "--model": "writes"} | change
    file = given.pop("file")
    code, out, err = run(capsys, "evaluate", file, *(part for pair in given.items() for part in pair))
    assert (code, out) == (2, "")
    assert said in err


def test_ctrl_c_keeps_the_rows_that_are_done_and_the_next_run_goes_on(small_models, pronouns, capsys, monkeypatch):
    from attention_core.experiments.evaluate import measuring

    monkeypatch.setattr("attention_core.experiments.evaluate.passes.BATCH_TEXTS", 4)
    weights, seen = measuring.Passes.weights, []

    def interrupted(self, batch):
        if len(seen) == 3:
            raise KeyboardInterrupt
        seen.append(len(batch))
        return weights(self, batch)

    monkeypatch.setattr(measuring.Passes, "weights", interrupted)
    monkeypatch.setattr("torch.get_num_threads", lambda: 1)
    command = ("evaluate", pronouns, "--task", "antecedent", "--model", "writes", "--json")
    code, out, err = run(capsys, *command)
    assert (code, out) == (1, "")
    assert err.rstrip().endswith("attention-atlas: stopped")
    seen[:] = []

    def counted(self, batch):
        seen.append(len(batch))
        return weights(self, batch)

    monkeypatch.setattr(measuring.Passes, "weights", counted)
    code, out, _ = run(capsys, *command)
    assert code == 0
    assert sum(seen) == 40 - 12
    assert json.loads(out)["counts"]["scored"] == 40
