"""The command line on models of every input, and training."""

import json

import pytest

from app import cli
from app.commands.training import trained
from attention_core.errors import InputError
from attention_core.training import Recipe, Result, Run


@pytest.fixture
def small_models(random_catalogue, monkeypatch, tmp_path):
    monkeypatch.setenv("ATLAS_CACHE", str(tmp_path))
    for module in ("looking", "models"):
        monkeypatch.setattr(f"app.commands.{module}.load_catalogue", lambda: random_catalogue)


def run(capsys, *arguments):
    code = cli.main(arguments)
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_models_tell_which_are_in_the_package(small_models, capsys):
    code, out, _ = run(capsys, "models")
    assert code == 0
    assert out.splitlines()[0] == "in the package:"
    assert [line.split()[:2] for line in out.splitlines()[1:]] == [
        ["sees", "ready"], ["writes", "ready"], ["translates", "ready"],
    ]  # fmt: skip


def test_a_translation_in_lines(small_models, capsys):
    code, out, _ = run(capsys, "trace", "a b c", "--model", "translates", "--target", "d e")
    assert code == 0
    lines = out.splitlines()
    assert "2 x 2 encoder-self, 2 x 2 decoder-self, 2 x 2 cross" in lines[0]
    assert lines[2:4] == ["a b c </s>", "d e </s>"]
    assert lines[4] == "translation:"
    assert [line.split()[0] for line in lines[5:]] == ["d", "e", "</s>"]


def test_a_decoder_s_next_token_in_lines(small_models, capsys):
    code, out, _ = run(capsys, "trace", "a b", "--model", "writes", "--off", "decoder-self.0.1, decoder-self.1.0")
    assert code == 0
    lines = out.splitlines()
    assert "switched off: decoder-self.0.1, decoder-self.1.0" in lines
    assert lines[-3] == "next-token:"
    assert lines[-2].startswith("  b 0.")
    assert lines[-1].startswith("  next: ")


def test_a_saved_trace_is_looked_at_without_its_model(small_models, capsys, tmp_path, monkeypatch):
    file = str(tmp_path / "ab.safetensors")
    made = run(capsys, "trace", "a b", "--model", "writes", "-o", file)[1].splitlines()
    weights = run(capsys, "weights", "a b", "--model", "writes", "--layer", "0", "--head", "1")[1]
    monkeypatch.setattr("app.commands.looking.load_catalogue", lambda: pytest.fail("a file needs no model"))
    code, out, _ = run(capsys, "trace", "--file", file)
    again = out.splitlines()
    assert code == 0
    assert again[0] == made[0]
    assert again[1] == "from a file, not checked against the model"
    assert again[2:] == made[2:-1]  # the last line said where it was saved
    assert run(capsys, "weights", "--file", file, "--layer", "0", "--head", "1")[1] == weights
    printed = json.loads(run(capsys, "trace", "--file", file, "--json")[1])
    assert (printed["id"][:5], printed["checked"]) == ("file-", False)
    code, _, complaint = run(capsys, "trace", "a", "--file", file)
    assert (code, "leave out text" in complaint) == (2, True)
    (tmp_path / "ab.safetensors").write_bytes(b"PK")
    code, _, complaint = run(capsys, "trace", "--file", file)
    assert (code, "cut short" in complaint) == (2, True)


def test_a_picture_by_file_and_by_name(small_models, random_catalogue, capsys):
    by_name = run(capsys, "trace", "--image", "sample", "--model", "sees", "--json")
    file = str(random_catalogue.entry("sees").samples["sample"])
    by_file = run(capsys, "trace", "--image", file, "--model", "sees", "--json")
    assert by_name[0] == by_file[0] == 0
    assert json.loads(by_name[1])["id"] == json.loads(by_file[1])["id"]
    code, out, _ = run(capsys, "trace", "--image", "sample", "--model", "sees")
    assert code == 0
    assert "12 x 12 pixels in 3 x 3 patches" in out
    assert [line.split(":")[0].strip() for line in out.splitlines()[-2:]] == ["shape", "colour"]


def test_the_command_line_and_the_api_give_one_id(small_models, small, capsys):
    body = {"model": "translates", "text": "a", "target": "b", "options": {"off": ["cross.0.1"]}}
    arguments = ("trace", "a", "--model", "translates", "--target", "b", "--off", "cross.0.1", "--json")
    printed = json.loads(run(capsys, *arguments)[1])
    assert printed["id"] == small.post("/api/v1/traces", json=body).json()["id"]
    assert printed["off"] == ["cross.0.1"]


def test_weights_without_special_tokens(small_models, capsys):
    example = ("weights", "a b", "--model", "translates", "--target", "d")
    shown = (*example, "--kind", "cross", "--layer", "0", "--head", "0")
    whole = json.loads(run(capsys, *shown, "--json")[1])
    code, out, _ = run(capsys, *shown, "--special", "hide", "--words", "--json")
    hidden = json.loads(out)
    assert code == 0
    assert hidden["tokens"] == {"queries": ["d"], "keys": ["a", "b"]}
    assert hidden["weights"][0] == pytest.approx(whole["weights"][0][:2], abs=1e-6)
    code, out, _ = run(capsys, *shown, "--special", "renormalise")
    assert [float(number) for number in out.splitlines()[1].split()[1:]] == pytest.approx(
        [weight / sum(hidden["weights"][0]) for weight in hidden["weights"][0]], abs=1e-3
    )


@pytest.mark.model
def test_weights_of_merged_words(client, cache, capsys, monkeypatch):
    monkeypatch.setenv("ATLAS_CACHE", str(cache))
    arguments = ("weights", "Untranslatable words", "--words", "--special", "hide", "--layer", "3", "--head", "1")
    code, out, _ = run(capsys, *arguments)
    assert code == 0
    assert out.splitlines()[0].split() == ["Untranslatable", "words"]
    assert [line.split()[0] for line in out.splitlines()[1:]] == ["Untranslatable", "words"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("trace",), "write a sentence"),
        (("trace", "a", "--model", "writes", "--image", "sample"), "takes no picture"),
        (("trace", "a", "--model", "sees"), "needs one instead of a text"),
        (("trace", "a", "--model", "writes", "--target", "b"), "takes no target"),
        (("trace", "a", "--model", "writes", "--off", "decoder-self.9.9"), "unknown"),
        (("trace", "a", "--model", "writes", "--off", "first"), "off.0"),
        (("trace", "--model", "sees", "--image", "/nowhere/at-all.png"), "No such file"),
        (("trace", "--model", "sees", "--image", __file__), "no whole picture"),
        (("train", "nothing"), "unknown recipe 'nothing'; accepted: ko-en, induction, shapes"),
    ],
)
def test_what_a_person_can_mend_is_one_line(small_models, capsys, arguments, sentence):
    code, _, error = run(capsys, *arguments)
    assert code == 2
    assert error.count("\n") == 1
    assert sentence in error


# ---- training


def brief(task: Run) -> Result:
    """A recipe that takes no time."""
    task.step("data", 1, 1)
    (task.folder / "config.json").write_text(str(task.seed))
    task.step("train", 1, 1, "loss 0.5")
    return Result(data="Three sentences.", steps=7, seconds=0.5, scores={"exact": 0.98765})


def stopped(task: Run) -> Result:
    brief(task)
    raise KeyboardInterrupt


def broken(task: Run) -> Result:
    brief(task)
    raise InputError("it cannot be")


@pytest.fixture
def recipes(monkeypatch, tmp_path):
    made = {recipe.__name__: Recipe(recipe.__name__, recipe) for recipe in (brief, stopped, broken)}
    monkeypatch.setattr("attention_core.training.RECIPES", made)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_training_writes_a_folder_and_prints_the_scores(recipes, capsys):
    code, out, error = run(capsys, "train", "brief", "--seed", "5")
    assert code == 0
    assert out.splitlines() == ["Three sentences.", "7 steps, 0 s", "exact: 0.9877", "saved: brief"]
    assert "loss 0.5" in error
    assert (recipes / "brief/config.json").read_text() == "5"
    assert [path.name for path in recipes.iterdir()] == ["brief"]


@pytest.mark.parametrize("seed", ["-1", str(2**32)])
def test_a_seed_that_is_none_is_refused(recipes, capsys, seed):
    code, _, error = run(capsys, "train", "brief", "--seed", seed)
    assert code == 2
    assert f"the seed {seed} is not" in error
    assert list(recipes.iterdir()) == []


def test_training_never_writes_over_anything(recipes, capsys):
    (recipes / "mine").mkdir()
    (recipes / "mine/file").write_text("precious")
    code, _, error = run(capsys, "train", "brief", "-o", "mine")
    assert code == 2
    assert "mine is there already" in error
    assert (recipes / "mine/file").read_text() == "precious"
    (recipes / "empty").mkdir()
    assert run(capsys, "train", "brief", "-o", "deep/er")[0] == 0
    assert run(capsys, "train", "brief", "-o", "empty")[0] == 0
    assert (recipes / "deep/er/config.json").exists()


@pytest.mark.parametrize(("name", "code"), [("stopped", 1), ("broken", 2)])
def test_training_that_ends_early_leaves_nothing(recipes, capsys, name, code):
    assert run(capsys, "train", name)[0] == code
    assert list(recipes.iterdir()) == []


def test_a_recipe_can_be_run_in_part(tmp_path):
    seen = []

    def make(task: Run) -> Result:
        seen.append((task.scale, task.folder.parent))
        return brief(task)

    trained(Recipe("part", make), tmp_path / "part", seed=1, scale=0.1)
    assert seen == [(0.1, tmp_path)]
