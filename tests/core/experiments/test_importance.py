"""Importance: six methods beside one another, and what leaving a token out does."""

from pathlib import Path

import families
import pytest
import torch
from lessons import lesson
from planted_model import planted

from attention_core.analysis.ranks import spearman
from attention_core.analysis.rollout import rollout
from attention_core.capture import Example, capture, open_model, ready
from attention_core.errors import InputError, NotAvailableError, UnknownNameError
from attention_core.experiments.importance import METHODS, Importance, importance
from attention_core.experiments.running import Progress, finish
from attention_core.looking import look

CAT = "The cat sat on the mat because it was tired"


def scores(found: Importance, name: str) -> torch.Tensor:
    given = {one.name: one for one in found.methods}[name].scores
    assert given is not None
    return torch.tensor(given)


def notes(found: Importance) -> dict[str, str]:
    return {one.name: one.note for one in found.methods if one.scores is None}


# ---- leaving one out


def test_what_a_head_looks_for_matters_most_when_it_is_gone() -> None:
    model = planted()
    text = "it saw the cat and the dog ran"
    found = finish(importance(model, Example(text), row=1))
    assert (found.aim.task, found.aim.row) == ("embedding", 1)
    assert found.tokens[1] == "it"
    left = scores(found, "leave-one-out")
    assert int(left.argmax()) == found.tokens.index("cat")


def test_a_token_that_nobody_may_look_at_has_no_importance() -> None:
    found = finish(importance(lesson(decoder_layers=2), Example("the cat saw it and the dog ran"), row=3))
    assert found.aim.task == "next-token"
    assert float(scores(found, "leave-one-out")[4:].max()) < 1e-6
    for name in ("weight", "norm", "rollout", "gradient", "value-zeroing"):
        assert float(scores(found, name)[4:].abs().max()) == 0.0, name
    assert float(scores(found, "leave-one-out")[:4].min()) > 1e-6
    assert found.compared == (True, True, True, False, False, False, False, False)


def test_a_model_without_its_heads_needs_no_other_token() -> None:
    off = tuple(f"decoder-self.{layer}.{head}" for layer in range(2) for head in range(3))
    found = finish(importance(lesson(decoder_layers=2), Example("the cat saw it", off=off)))
    assert float(scores(found, "leave-one-out").max()) < 1e-6
    assert float(scores(found, "gradient").abs().max()) == 0.0
    assert scores(found, "value-zeroing").tolist() == [0.0, 0.0, 0.0, 1.0]
    assert scores(found, "rollout").tolist() == [0.0, 0.0, 0.0, 1.0]
    for name in ("weight", "norm"):
        assert float(scores(found, name).abs().max()) == 0.0, name


def test_heads_that_are_off_are_no_part_of_the_means() -> None:
    model, text = lesson(decoder_layers=2), "the cat saw it"
    off = ("decoder-self.0.0", "decoder-self.0.1", "decoder-self.0.2", "decoder-self.1.2")
    for how in ("zero", "mean"):
        example = Example(text, off=off, off_with=how)
        trace = capture(model, example)
        for name, measure in (("weight", "weight"), ("norm", "norm")):
            row = look(trace, measure=measure).maps[1].weights(None, 3)[:2, 0].mean(0)  # two heads are left
            torch.testing.assert_close(scores(finish(importance(model, example)), name), row)


def test_the_only_token_of_a_text_can_be_left_out() -> None:
    found = finish(importance(families.wrapped("bert"), Example(families.text(1))))
    assert found.aim.task == "embedding"
    assert 0 <= float(scores(found, "leave-one-out")[0]) <= 2
    assert {one.agreement for one in found.methods} == {None}


# ---- the methods beside one another


def test_minilm_beside_its_trace(cache: Path) -> None:
    model = open_model("minilm")
    found = finish(importance(model, Example(CAT), row=8))
    trace = capture(model, CAT)
    assert tuple(one.name for one in found.methods) == METHODS
    assert found.tokens == trace.source.texts
    rows = torch.stack([one.weights(None, 8).mean(0)[0] for one in trace.maps]).mean(0)
    torch.testing.assert_close(scores(found, "weight"), rows)
    lengths = torch.stack([one.weights(None, 8).mean(0)[0] for one in look(trace, measure="norm").maps]).mean(0)
    torch.testing.assert_close(scores(found, "norm"), lengths)
    torch.testing.assert_close(scores(found, "rollout"), rollout(trace, query=8))
    assert float(scores(found, "value-zeroing").sum()) == pytest.approx(1, abs=1e-5)
    assert notes(found) == {"gradient": "no-prediction"}
    left = scores(found, "leave-one-out")
    kept = [at for at in range(12) if at not in (0, 8, 11)]  # neither a marker nor "it" itself
    assert [at for at in range(12) if found.compared[at]] == kept
    for one in found.methods:
        if one.scores is not None and one.name != "leave-one-out":
            assert one.agreement == pytest.approx(spearman(torch.tensor(one.scores)[kept], left[kept]))
    assert found.methods[-1].agreement is None
    # As the README has it.
    assert found.tokens[kept[int(left[kept].argmax())]] == "cat"
    agreed = {one.name: round(one.agreement, 2) for one in found.methods if one.agreement is not None}
    assert agreed == {"weight": 0.53, "norm": 0.72, "rollout": -0.07, "value-zeroing": 0.4}


def test_words_are_left_out_whole_and_their_pieces_added_up() -> None:
    model = open_model("ko-en")
    single = finish(importance(model, Example("나는 학교에 갔다")))
    merged = finish(importance(model, Example("나는 학교에 갔다"), words=True))
    assert (single.kind, single.aim.task) == ("cross", "translation")
    groups = capture(model, "나는 학교에 갔다").source.word_groups()
    assert len(merged.tokens) == len(groups) < len(single.tokens)
    for name in METHODS[:-1]:
        expected = torch.stack([scores(single, name)[list(group)].sum() for group in groups])
        torch.testing.assert_close(scores(merged, name), expected, rtol=1e-4, atol=1e-6)
    assert not notes(merged)
    # Both pieces of a word gone is more than one of them gone, here at least.
    longest = max(range(len(groups)), key=lambda at: len(groups[at]))
    each = scores(single, "leave-one-out")[list(groups[longest])]
    assert float(scores(merged, "leave-one-out")[longest]) > float(each.max())


def test_a_copying_decoder_needs_the_token_that_it_copies() -> None:
    model = open_model("induction")
    text = "ant bed key fox nut ant bed key"
    found = finish(importance(model, Example(text)))
    copied = found.tokens.index("fox")
    assert found.aim.task == "next-token"
    before = [scores(found, name)[: found.aim.row] for name in ("leave-one-out", "gradient")]
    assert int(before[0].argmax()) == copied
    # One head brings the token before to the one that is copied, the other finds it by that: both push the prediction.
    assert set(before[1].topk(2).indices.tolist()) == {copied - 1, copied}


def test_a_picture_s_classes() -> None:
    model = open_model("shapes")
    found = finish(importance(model, Example(image=torch.zeros(32, 32, 3, dtype=torch.uint8))))
    assert found.aim.task == "classes"
    assert not notes(found)
    assert len(found.tokens) == len(found.methods[0].scores or ())


# ---- progress, limits, refusals


def test_progress_only_grows_and_ends_at_the_total() -> None:
    seen: list[Progress] = []
    finish(importance(lesson(encoder_layers=2, output="none"), Example("the cat saw it")), seen.append)
    assert [one.done for one in seen] == sorted({one.done for one in seen})
    assert {one.total for one in seen} == {seen[-1].done}


def test_it_can_be_stopped_after_any_piece() -> None:
    model = lesson(encoder_layers=2, output="none")
    for pieces in range(1, 5):
        running = importance(model, Example("the cat saw it"))
        for _ in range(pieces):
            next(running)
        running.close()
        assert torch.is_inference_mode_enabled() is False


def test_a_long_text_goes_without_the_methods_that_need_whole_matrices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attention_core.experiments.importance.MOST_TOKENS", 3)
    found = finish(importance(lesson(decoder_layers=1), Example("the cat saw it")))
    assert notes(found) == {"gradient": "too-long", "value-zeroing": "too-long"}
    assert float(scores(found, "leave-one-out").max()) > 0


def test_what_is_not_there_is_refused() -> None:
    model = lesson(decoder_layers=1)
    with pytest.raises(UnknownNameError, match="decoder-self"):
        finish(importance(model, Example("the cat saw it"), kind="cross"))
    with pytest.raises(InputError, match="0 to 3"):
        finish(importance(model, Example("the cat saw it"), row=4))
    with pytest.raises(UnknownNameError, match="head"):
        finish(importance(model, Example("the cat saw it", off=("decoder-self.9.0",))))


def test_a_model_read_from_outside_is_refused() -> None:
    model = ready(families.wrapped("gpt_neo"))
    with pytest.raises(NotAvailableError) as caught:
        finish(importance(model, Example(families.text(5))))
    assert caught.value.facts["reason"] == "no-switch"


def test_a_model_whose_lengths_are_not_known_says_so() -> None:
    model = ready(families.wrapped("llama"))
    model.outputs = {}
    found = finish(importance(model, Example(families.text(5))))
    assert notes(found) == {"norm": "no-norms", "gradient": "no-prediction"}
