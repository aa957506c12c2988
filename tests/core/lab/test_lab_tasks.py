"""The tasks of the lab: what is asked, what the test holds alone, and where a head of each role looks."""

import pytest
import torch

from attention_core.errors import ShapeError
from attention_core.lab import TASKS, LabChoices

SMALL = {"reverse": {"length": 6, "vocabulary": 8}, "sort": {"length": 6, "vocabulary": 8}, "induction": {"length": 12}}


def choices(task, **more):
    return LabChoices.of(task, **{**SMALL[task], **more})


def drawn(task, count=64, seed=0, **more):
    return TASKS[task].draw(choices(task, **more), count, torch.Generator().manual_seed(seed))


def test_a_reversal_is_the_sequence_from_behind():
    batch = drawn("reverse")
    assert [row[::-1] for row in batch.ids.tolist()] == batch.answers.tolist()
    assert batch.asked.all()


def test_a_sorted_sequence_has_the_same_tokens_in_order():
    batch = drawn("sort")
    assert [sorted(row) for row in batch.ids.tolist()] == batch.answers.tolist()
    assert all(len(set(row)) == len(row) for row in batch.ids.tolist())


def test_an_induction_goes_on_as_it_went_on_before():
    batch = drawn("induction")
    for ids, answers, asked in zip(batch.ids.tolist(), batch.answers.tolist(), batch.asked.tolist(), strict=True):
        assert ids[1:] == answers[:-1]
        for place, is_asked in enumerate(asked):
            before = [at for at in range(place) if ids[at] == ids[place]]
            assert is_asked == bool(before)
            assert not before or answers[place] == ids[before[0] + 1]
        assert asked[-1], "the end is always foretold"


@pytest.mark.parametrize("task", TASKS)
def test_training_shows_nothing_of_the_test(task):
    shown = {tuple(row) for row in drawn(task, 3000).ids.tolist()}
    test = TASKS[task].test(choices(task), 300)
    assert shown.isdisjoint(tuple(row) for row in test.ids.tolist())
    assert len(test.ids) == 300


def test_a_test_can_be_drawn_where_every_sequence_holds_the_same_tokens():
    # Any sum that gives each order of them the same would hold out all of them, or none.
    for size in range(8, 13):
        batch = TASKS["sort"].test(choices("sort", length=size, vocabulary=size), 50)
        assert {tuple(row) for row in batch.answers.tolist()} == {tuple(range(size))}


@pytest.mark.parametrize("task", TASKS)
def test_the_test_is_the_same_for_every_run_and_batches_are_their_seed_s(task):
    first, again = TASKS[task].test(choices(task), 20), TASKS[task].test(choices(task, seed=5), 20)
    assert torch.equal(first.ids, again.ids)
    assert torch.equal(drawn(task).ids, drawn(task).ids)
    assert not torch.equal(drawn(task).ids, drawn(task, seed=1).ids)


def test_a_test_of_induction_asks_where_nothing_can_give_the_answer_away():
    asked = TASKS["induction"].test(choices("induction"), 20).asked
    assert asked[:, -1].all()
    assert not asked[:, :-1].any()


# ---- where heads look


def looking(places):
    """Weights of one head of one layer (layer, head, sequence, query, key) that give all to these places."""
    return torch.nn.functional.one_hot(torch.tensor(places), len(places)).float()[None, None, None]


def score(task, ids, places):
    return {role: float(found) for role, found in TASKS[task].scores(looking(places), torch.tensor([ids])).items()}


def test_a_mirror_looks_as_far_from_the_end():
    assert score("reverse", [4, 4, 2, 0], [3, 2, 1, 0]) == {"mirror": 1}
    assert score("reverse", [4, 4, 2, 0], [3, 2, 0, 1]) == {"mirror": 0.5}


def test_what_is_due_is_looked_for_wherever_it_stands():
    assert score("sort", [30, 5, 9, 7], [1, 3, 2, 0]) == {"due": 1}
    assert score("sort", [30, 5, 9, 7], [0, 1, 2, 3]) == {"due": 0.25}


def test_induction_looks_at_what_followed_the_same_token():
    ids = [7, 3, 9, 7, 3, 9, 7]  # the last one has been there twice
    assert score("induction", ids, [0, 0, 0, 1, 2, 3, 4]) == {"previous": pytest.approx(1 / 6), "induction": 1}
    assert score("induction", ids, [0, 0, 0, 1, 2, 3, 1])["induction"] == 1
    assert score("induction", ids, [0, 0, 1, 2, 3, 4, 5]) == {"previous": 1, "induction": 0}


def test_a_score_is_a_mean_over_what_has_a_place():
    spread = torch.full((1, 1, 1, 4, 4), 0.25)
    assert TASKS["reverse"].scores(spread, torch.zeros(1, 4, dtype=torch.long))["mirror"].tolist() == [[0.25]]


def test_weights_of_other_sequences_are_refused():
    with pytest.raises(ShapeError, match=r"\(layer, head, sequence, query, key\)"):
        TASKS["reverse"].scores(torch.zeros(1, 1, 2, 4, 4), torch.zeros(1, 4, dtype=torch.long))


@pytest.mark.parametrize("task", TASKS)
def test_every_token_reads_otherwise_up_to_the_largest_vocabulary(task):
    symbols = TASKS[task].symbols(64)
    assert len(set(symbols)) == 64
    assert not [one for one in symbols if one != one.lower() or " " in one]
