"""The induction recipe, shrunken, and the model that the whole recipe put into the package."""

import json
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

import attention_core.models
from attention_core.nn.checkpoints import load_transformer
from attention_core.nn.transformer import Transformer
from attention_core.training import Run, TrainingCancelled
from attention_core.training.induction import CONFIG, make, score
from attention_core.training.induction.measures import KIND, measure
from attention_core.training.induction.sequences import HELD_OUT, WORDS, draw

FOLDER = Path(attention_core.models.__file__).parent / "bundled" / "induction"


@pytest.fixture(scope="module")
def network():
    return load_transformer(FOLDER)


@pytest.fixture(scope="module")
def fresh():
    """Sequences of held-out periods, from a seed that no recipe uses."""
    return draw(64, HELD_OUT, torch.Generator().manual_seed(20_260_101))


def test_a_shrunken_recipe_learns(tmp_path):
    steps = []
    run = Run(tmp_path, scale=0.1, report=lambda step, done, total, note: steps.append((step, done, total)))
    short = draw(64, [5], torch.Generator().manual_seed(3), 16)
    torch.manual_seed(0)
    before = score(Transformer(CONFIG), short)
    result = make(run)
    after = score(load_transformer(tmp_path), short)
    assert before["next word"] < 0.05
    assert before["induction"] < 0.2
    assert after["next word"] > 0.6
    assert after["induction"] > 0.5
    assert after["previous token"] > 0.5
    assert ("train", result.steps, result.steps) in steps
    assert {path.name for path in tmp_path.iterdir()} == {
        "config.json",
        "tokenizer.json",
        "model.safetensors",
        "results.json",
    }


def test_a_training_that_is_cancelled_leaves_no_files(tmp_path):
    with pytest.raises(TrainingCancelled):
        make(Run(tmp_path, scale=0.001, cancelled=lambda: True))
    assert list(tmp_path.iterdir()) == []


def test_the_bundled_model_finds_the_stretch_again(network, fresh):
    measured = measure(network, fresh)
    assert float(measured.induction.max()) >= 0.9
    assert float(measured.previous.max()) >= 0.85
    assert measured.accuracy >= 0.98
    # A previous-token head below, an induction head above: the circuit takes two layers.
    assert measured.best(measured.previous)[0] == 0
    assert measured.best(measured.induction)[0] == 1


def test_without_its_previous_token_head_it_finds_nothing(network, fresh):
    whole = measure(network, fresh)
    layer, head = whole.best(whole.previous)
    broken = measure(network, fresh, off=[(KIND, layer, head)])
    assert float(broken.induction.max()) < 0.1
    assert broken.accuracy < 0.1
    # Another head of the same layer is not what it takes.
    other = measure(network, fresh, off=[(KIND, layer, (head + 1) % CONFIG.heads)])
    assert float(other.induction.max()) >= 0.9
    assert other.accuracy >= 0.98


@pytest.mark.parametrize("words", [10, 16, 40])
def test_the_bundled_model_does_as_well_in_short_sequences(network, words):
    measured = measure(network, draw(64, [5], torch.Generator().manual_seed(8), words))
    assert float(measured.induction.max()) >= 0.9
    assert measured.accuracy >= 0.98


def test_the_bundled_files_say_what_they_are():
    results = json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))
    assert results["scale"] == 1.0
    assert results["scores"]["induction"] >= 0.9
    assert results["scores"]["induction, off"] < 0.1
    tokenizer = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
    assert tokenizer.get_vocab_size() == CONFIG.vocabulary
    assert CONFIG.max_tokens == WORDS + 1
    assert (FOLDER / "model.safetensors").stat().st_size <= 4_000_000


def test_the_same_seed_gives_the_same_weights_and_the_threads_are_given_back(tmp_path):
    threads = torch.get_num_threads()
    folders = [tmp_path / name for name in ("one", "again", "other")]
    for folder, seed in zip(folders, (4, 4, 5), strict=True):
        folder.mkdir()
        make(Run(folder, seed=seed, scale=0.002))
    one, again, other = ((folder / "model.safetensors").read_bytes() for folder in folders)
    assert one == again != other
    assert torch.get_num_threads() == threads
