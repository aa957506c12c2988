"""The recipe of `ko-en`, shrunken: it learns, writes a whole model folder, and stops when told to."""

import json

import pytest
import torch
from tokenizers import Tokenizer

from attention_core.nn import Transformer, load_transformer
from attention_core.training import RECIPES, Run, TrainingCancelled
from attention_core.training.korean.measure import next_words
from attention_core.training.korean.recipe import configuration, held_out_sentences
from attention_core.training.korean.tokenizer import make_tokenizer

SCALE = 0.04


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A shrunken run, with what it reported."""
    reports = []
    made = Run(tmp_path_factory.mktemp("ko-en"), seed=3, scale=SCALE, report=lambda *told: reports.append(told))
    return made, RECIPES["ko-en"].make(made), reports


def test_a_shrunken_recipe_learns(run):
    _, result, _ = run
    tokenizer = make_tokenizer()
    torch.manual_seed(3)
    untrained = Transformer(configuration(tokenizer)).eval()
    before = next_words(untrained, tokenizer, held_out_sentences(3, 100))
    assert before < 0.05
    assert result.scores["next-words"] > 0.3


def test_the_folder_holds_a_model_that_says_how_it_was_made(run):
    made, result, _ = run
    assert sorted(path.name for path in made.folder.iterdir()) == [
        "config.json",
        "model.safetensors",
        "results.json",
        "tokenizer.json",
    ]
    stored = json.loads((made.folder / "results.json").read_text(encoding="utf-8"))
    assert stored["scores"] == result.scores
    assert (stored["seed"], stored["scale"], stored["steps"]) == (3, SCALE, result.steps)
    assert stored["versions"].keys() >= {"torch", "tokenizers"}
    network = load_transformer(made.folder)
    tokenizer = Tokenizer.from_file(str(made.folder / "tokenizer.json"))
    again = next_words(network, tokenizer, held_out_sentences(3, 100))
    assert again == pytest.approx(result.scores["next-words"], abs=0.02)


def test_the_run_tells_how_far_it_is(run):
    *_, reports = run
    assert list(dict.fromkeys(told[0] for told in reports)) == ["data", "train", "measure"]
    assert all(0 <= done <= total for _, done, total, _ in reports)


def test_a_cancelled_run_writes_nothing(tmp_path):
    with pytest.raises(TrainingCancelled):
        RECIPES["ko-en"].make(Run(tmp_path, scale=0.01, cancelled=lambda: True))
    assert list(tmp_path.iterdir()) == []
