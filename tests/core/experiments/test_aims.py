"""What an experiment is about, how far two outcomes lie apart, and the pieces in which it runs."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_networks import tiny_bert, tiny_llama

from attention_core.capture import Example, LoadedModel, capture
from attention_core.errors import InputError
from attention_core.experiments.aims import Aim, aim_of, candidates, distance, kept_probability, outcome, variants_for
from attention_core.experiments.running import most_variants, pieces


@pytest.fixture(scope="module")
def masked() -> LoadedModel:
    return tiny_bert()


@pytest.fixture(scope="module")
def llama() -> LoadedModel:
    return tiny_llama()


@torch.inference_mode()
def test_what_an_experiment_is_about(masked: LoadedModel, llama: LoadedModel) -> None:
    def aims(model: LoadedModel, text: str, *rows: int | None) -> list[tuple[str, int | None]]:
        encoded = model.encode(Example(text))
        return [(one.task, one.row) for one in (aim_of(model, encoded, row) for row in rows)]

    two_masks = [("masked-token", 1), ("masked-token", 3), ("embedding", 2)]
    assert aims(masked, "w1 [MASK] w2 [MASK]", None, 3, 2) == two_masks
    assert aims(masked, "w1 w2", None, 1) == [("embedding", None), ("embedding", 1)]
    assert aims(llama, "w1 w2 w3", None, 0) == [("next-token", 2), ("next-token", 0)]
    assert aims(tiny_bert(headless=True), "w1 [MASK]", None) == [("embedding", None)]
    for row in (3, -1):
        with pytest.raises(InputError, match="accepted: 0 to 2"):
            aims(llama, "w1 w2 w3", row)


@torch.inference_mode()
def test_the_outcome_is_what_the_trace_says(masked: LoadedModel) -> None:
    example = Example("w1 [MASK] w2")
    encoded = masked.encode(example)
    aim = aim_of(masked, encoded)
    found = outcome(aim, variants_for(masked, encoded, aim).say(2))
    predictions = capture(masked, example).predictions
    assert predictions is not None
    for one, other in zip(candidates(masked, aim, found[1]), predictions.at[0].candidates, strict=True):
        assert (one.text, one.probability) == (other.text, pytest.approx(other.probability, abs=1e-6))
    assert kept_probability(aim, found[0], found[1]) == pytest.approx(predictions.at[0].candidates[0].probability)
    whole = aim_of(masked, masked.encode(Example("w1 w2")))
    spoken = variants_for(masked, masked.encode(Example("w1 w2")), whole).say(1)
    vector = outcome(whole, spoken)
    torch.testing.assert_close(vector[0], spoken.hidden[0].mean(dim=0))
    left = outcome(whole, spoken, torch.tensor([[False, True]]))
    torch.testing.assert_close(left[0], spoken.hidden[0, 0])


def test_distances_known_by_hand() -> None:
    token, text, both = Aim("next-token", 0), Aim("translation"), Aim("classes", questions=((0, 2), (1, 3)))
    before = torch.tensor([0.5, 0.5, 0.0])
    after = torch.tensor([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [0.0, 0.0, 1.0]])
    assert distance(token, before, after).tolist() == [0, 0.5, 1]
    assert distance(text, before.expand(2, 3), torch.stack([after[0], after[2]])[None]).tolist() == [0.5]
    answers = distance(both, torch.tensor([1.0, 0.5, 0.0, 0.5]), torch.tensor([[1.0, 0.25, 0.0, 0.75]]))
    assert answers.tolist() == [0.25]
    vectors = torch.tensor([[2.0, 0.0], [0.0, 1.0], [-3.0, 0.0]])
    assert distance(Aim("embedding"), torch.tensor([1.0, 0.0]), vectors).tolist() == [0, 1, 2]
    was, now = torch.tensor([1.0, 0.5, 0.0, 0.5]), torch.tensor([0.9, 0.2, 0.1, 0.8])
    assert kept_probability(both, was, now) == pytest.approx(0.2)


@given(st.integers(0, 40), st.integers(1, 9))
def test_pieces_are_all_of_it_in_order(count: int, most: int) -> None:
    runs = [list(run) for run in pieces(list(range(count)), most)]
    assert [one for run in runs for one in run] == list(range(count))
    assert all(1 <= len(run) <= most for run in runs)


def test_slow_work_comes_in_short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    def sizes(seconds: float) -> list[int]:
        now = [0.0]
        monkeypatch.setattr("time.perf_counter", lambda: now[0])
        found = []
        for run in pieces(range(1000), 500):
            found.append(len(run))
            now[0] += seconds * len(run)
        return found

    assert set(sizes(1.0)[:-1]) == {500 // 16}
    assert max(sizes(0.01)) == 60
    assert sizes(1e-5)[1] == 8 * (500 // 16)
    assert len(sizes(1e-5)) == 4


def test_a_long_text_goes_through_alone(llama: LoadedModel) -> None:
    short, long = (llama.encode(Example(" ".join(["w1"] * count))) for count in (4, 60))
    sizes = [most_variants(variants_for(llama, one, Aim("next-token", 0))) for one in (short, long)]
    assert sizes == [1024 // 4, 1024 // 60]
