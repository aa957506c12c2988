"""The command lab: what it prints, what it writes, and what it refuses."""

import json

import pytest

from app import cli
from attention_core.lab import measuring
from attention_core.models.directory import scan

TINY = ("--steps", "6", "--length", "6", "--vocabulary", "8", "--width", "16")


def run(capsys, *arguments):
    code = cli.main(["lab", *map(str, arguments)])
    printed = capsys.readouterr()
    return code, printed.out.splitlines(), printed.err


def test_a_model_is_trained_and_kept_as_one_s_own(capsys, tmp_path):
    code, out, _ = run(capsys, "sort", *TINY, "--layers", 1, "--mask", "--no-scaled", "-o", tmp_path / "mine")
    assert code == 0
    assert out[0].startswith("accuracy: 0.")
    assert "after 6 steps" in out[0]
    assert out[1].startswith("due: 0.")
    assert out[-1] == f"saved: {tmp_path / 'mine'}"
    chosen = json.loads((tmp_path / "mine" / "results.json").read_text())["choices"]
    assert (chosen["task"], chosen["mask"], chosen["scaled"], chosen["steps"]) == ("sort", True, False, 6)
    (entry,) = scan(tmp_path, []).entries
    assert (entry.card.kinds, entry.card.layers) == (("decoder-self",), 1)
    assert run(capsys, "sort", *TINY, "-o", tmp_path / "mine")[0] == 2


def test_nothing_is_written_unless_it_is_asked_for(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(capsys, "reverse", *TINY)[0] == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name a task: reverse, sort or induction"),
        (("add",), "accepted: reverse, sort, induction"),
        (("sort", "--layers", "9"), "layers 9; accepted: a whole number from 1 to 4"),
        (("reverse", "--learning-rate", "nan"), "learning_rate nan"),
        (("reverse", "--measure", "--no-mask", "--learning-rate", "0.01"), "leave out TASK, --learning-rate, --mask"),
        (("--measure", "-o", "/no/such/folder/m.json"), "/no/such/folder/m.json cannot be written"),
    ],
)
def test_what_cannot_be_trained_is_said(capsys, arguments, said):
    code, _, err = run(capsys, *arguments)
    assert code == 2
    assert said in err


def test_what_is_measured_is_written_where_it_is_wanted(capsys, tmp_path, monkeypatch):
    few = {"length": 6, "vocabulary": 8, "width": 8, "steps": 2}
    monkeypatch.setattr(measuring, "TRIALS", (measuring.Trial("few", "reverse", few),))
    assert run(capsys, "--measure", "-o", tmp_path / "m.json")[0] == 0
    assert [one["name"] for one in json.loads((tmp_path / "m.json").read_text())["trials"]] == ["few"]
