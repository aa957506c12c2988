"""From a file to a result on a model whose heads are known: shares, halves, twins, what is left out, stop and go on."""

import json
from hashlib import sha256

import numpy as np
import pytest
from planted_model import planted, row, write_rows

from attention_core.errors import InputError, UnknownNameError
from attention_core.experiments.evaluate import (
    EvaluationCancelled,
    Options,
    evaluate,
    load_result,
    load_results,
    measuring,
    syntax,
)
from attention_core.experiments.evaluate.keeping import KeptRows, folder_of


def odd(group: str) -> bool:
    return int(sha256(("x" + group).encode()).hexdigest(), 16) % 2 == 1


def cat_rows(count: int = 30, start: int = 0) -> list:
    """Rows whose antecedent is the cat, first and last in turn."""
    texts = ("the cat saw the dog and it ran", "the dog saw the cat and it ran")
    return [row(number, texts[number % 2], "cat", "dog") for number in range(start, start + count)]


def test_the_head_that_looks_at_the_antecedent_is_chosen_and_is_always_right(tmp_path):
    result = evaluate(planted(), write_rows(tmp_path / "cats.jsonl", cat_rows()), "antecedent")
    document = result.to_document()
    top = ("task", "model", "rows", "chosen", "right", "interval", "chance", "nearest", "first", "twins")
    assert set(top) <= document.keys()
    assert (document["task"], document["model"]) == ("antecedent", "planted")
    assert document["chosen"] == {"layer": 0, "head": 0}
    assert (document["right"], document["interval"], document["twins"]) == (1.0, [1.0, 1.0], None)
    there = [number for number in range(30) if odd(f"row-{number}")]
    assert document["rows"] == len(there)
    first = np.mean([number % 2 == 0 for number in there])
    assert document["first"] == pytest.approx(first)
    assert document["nearest"] == pytest.approx(1 - first)
    assert document["chance"] == 0.5
    assert document["heads"] == [[1.0, 0.0]], "head 1 gives every word the same: a tie is wrong"
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_what_cannot_be_scored_is_counted_and_named(tmp_path):
    rows = [
        *cat_rows(), "broken", row(91, "the cat and it", "cat"), row(92, "the cat " * 9 + "dog it", "cat", "dog"),
        row(93, "the cat saw dog it", "cat", " "),
    ]  # fmt: skip
    origin = evaluate(planted(), write_rows(tmp_path / "a.jsonl", rows), "antecedent").origin
    assert origin.counts == {"read": 33, "scored": 30, "too_long": 1, "no_rival": 1, "later_candidate": 0}
    assert [one.line for one in origin.broken] == [31, 34]
    assert "touches no token" in origin.broken[1].why


def test_twins_are_told_apart_by_what_they_share(tmp_path):
    """A head that looks at the cat is right on one twin of each pair, and names the cat in both."""
    rows = []
    for number in range(20):
        text = "the cat saw the dog and it ran"
        rows += [row(2 * number, text, "cat", "dog", group=f"g{number}", twin=f"t{number}"),
                 row(2 * number + 1, text, "dog", "cat", group=f"g{number}", twin=f"t{number}")]  # fmt: skip
    twins = evaluate(planted(), write_rows(tmp_path / "a.jsonl", rows), "antecedent").twins
    assert (twins.pairs, twins.both_right, twins.same_answer) == (20, 0.0, 1.0)
    named = [one | {"meta": one["meta"] | {"twin": f"row-{number ^ 1}"}} for number, one in enumerate(rows)]
    again = evaluate(planted(), write_rows(tmp_path / "b.jsonl", named), "antecedent").twins
    assert again == twins, "a twin may also be named by its id"


def test_a_decoder_is_not_asked_for_what_lies_ahead_and_says_when_the_rest_decides(tmp_path):
    rows = [*cat_rows(), row(50, "it saw the cat and the dog", "cat", "dog")]
    for number in range(2):
        rows.append(row(60 + number, "the cat saw the dog and it " + ("ran", "saw")[number],
                        ("cat", "dog")[number], ("dog", "cat")[number], twin="pair"))  # fmt: skip
    origin = evaluate(planted(decoder=True), write_rows(tmp_path / "a.jsonl", rows), "antecedent").origin
    assert origin.kind == "decoder-self"
    assert origin.counts["later_candidate"] == 1
    assert origin.warnings == {"later-candidates": 1, "decided-later": 2}


def test_too_few_rows_for_two_halves_are_an_error_that_says_so(tmp_path):
    path = write_rows(tmp_path / "a.jsonl", cat_rows())
    with pytest.raises(InputError, match="1 usable rows are too few"):
        evaluate(planted(), path, "antecedent", Options(limit=1))
    with pytest.raises(InputError, match="a limit of 0"):
        evaluate(planted(), path, "antecedent", Options(limit=0))
    with pytest.raises(UnknownNameError, match="accepted: antecedent, syntax"):
        evaluate(planted(), path, "meaning")


def counting(monkeypatch) -> list[int]:
    """How many texts each pass took, from now on."""
    seen: list[int] = []
    weights = measuring.Passes.weights

    def count(self, batch):
        seen.append(len(batch))
        return weights(self, batch)

    monkeypatch.setattr(measuring.Passes, "weights", count)
    monkeypatch.setattr("attention_core.experiments.evaluate.passes.BATCH_TEXTS", 4)
    return seen


@pytest.mark.parametrize("workers", [1, 3])
def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path, monkeypatch, workers):
    path, cache = write_rows(tmp_path / "a.jsonl", cat_rows()), tmp_path / "cache"
    seen, told = counting(monkeypatch), []

    def stop() -> bool:
        return any(step == "rows" and done >= 12 for step, done, _ in told)

    with pytest.raises(EvaluationCancelled):
        evaluate(planted(), path, "antecedent", Options(
            cache=cache, workers=workers, cancelled=stop, report=lambda *step: told.append(step)))  # fmt: skip
    assert load_results(planted().card, cache) == (), "what was not finished is no result"
    (held,) = folder_of(planted().card, cache).glob("*.rows")
    finished = len(KeptRows(held).arrays)
    assert 12 <= finished < 30
    seen.clear()
    result = evaluate(planted(), path, "antecedent", Options(cache=cache))
    assert sum(seen) == 30 - finished
    assert result == evaluate(planted(), path, "antecedent", Options(workers=workers)), "the same as in one go"
    seen.clear()
    assert evaluate(planted(), path, "antecedent", Options(cache=cache)) == result
    assert seen == []


def test_torn_lines_on_disk_are_computed_again(tmp_path, monkeypatch):
    path, cache = write_rows(tmp_path / "a.jsonl", cat_rows()), tmp_path / "cache"
    result = evaluate(planted(), path, "antecedent", Options(cache=cache))
    (held,) = folder_of(planted().card, cache).glob("*.rows")
    held.write_bytes(held.read_bytes()[:-40])
    seen = counting(monkeypatch)
    assert evaluate(planted(), path, "antecedent", Options(cache=cache)) == result
    assert sum(seen) == 1
    assert len(KeptRows(held).arrays) == 30


def test_another_file_or_revision_starts_anew_and_results_are_found_by_name(tmp_path, monkeypatch):
    model, cache = planted(), tmp_path / "cache"
    path = write_rows(tmp_path / "가 a.jsonl", cat_rows())
    evaluate(model, path, "antecedent", Options(cache=cache))
    evaluate(model, path, "antecedent", Options(cache=cache, limit=20))
    found = load_result(model.card, cache, task="antecedent", file="가 a.jsonl")
    assert found["counts"]["read"] == 30, "a part of a file is no result to keep"
    assert load_results(model.card, cache) == (found,)
    other = model.card.__class__(**{**vars(model.card), "revision": "2"})
    assert load_results(other, cache) == ()
    seen = counting(monkeypatch)
    evaluate(model, write_rows(path, cat_rows(start=100)), "antecedent", Options(cache=cache))
    assert sum(seen) == 30
    for broken in folder_of(model.card, cache).glob("*.json"):
        broken.write_text("{", encoding="utf-8")
    assert load_results(model.card, cache) == ()


# ---- trees


def tree(number: int, words: list[str], heads: list[int], deprels: list[str]) -> str:
    lines = [f"{n}\t{word}\t_\t_\t_\t_\t{head}\t{deprel}\t_\t_"
             for n, (word, head, deprel) in enumerate(zip(words, heads, deprels, strict=True), 1)]  # fmt: skip
    return "\n".join([f"# sent_id = s{number}", *lines])


def test_a_relation_has_its_best_head_and_its_best_offset(tmp_path):
    """*it* depends on *cat* in all trees, two words away in most: head 0 knows it, and the offset +2 or -2 nearly."""
    trees = []
    for number in range(120):
        words = ["it", "saw", "cat"] if number % 3 else ["it", "cat", "ran"]
        at = words.index("cat") + 1
        heads = [at, *(0 if place == at else at for place in (2, 3))]
        trees.append(tree(number, words, heads, ["nsubj", *("root" if place == at else "obj" for place in (2, 3))]))
    path = tmp_path / "a.conllu"
    path.write_text("\n\n".join(trees) + "\n\n1\tbad\n\n", encoding="utf-8")
    result = evaluate(planted(), path, "syntax", Options(cache=tmp_path / "cache"))
    assert [one.line for one in result.origin.broken] == [601], "five lines a tree"
    by_name = {(one.relation, one.direction): one for one in result.relations}
    assert set(by_name) == {(name, way) for name in ("nsubj", "obj") for way in syntax.DIRECTIONS}
    one = by_name["nsubj", "dependent-to-head"]
    assert (one.chosen.head.layer, one.chosen.head.head, one.chosen.right) == (0, 0, 1.0)
    there = [number for number in range(120) if odd(f"s{number}")]
    assert one.chosen.rows == len(there)
    assert one.offset == 2
    assert one.offset_right == pytest.approx(np.mean([number % 3 != 0 for number in there]))
    assert one.chance == pytest.approx(1 / 3)
    back = by_name["nsubj", "head-to-dependent"]
    assert (back.offset, back.offset_right) == (-2, one.offset_right)
    document = result.to_document()
    assert document["twins"] is None
    assert document["rows"] == 2 * len(there), "both relations of every reported tree"
    kept = load_result(planted().card, tmp_path / "cache", task="syntax", file="a.conllu")
    assert kept == json.loads(json.dumps(document))


def test_a_decoder_s_words_that_depend_on_later_ones_are_named(tmp_path):
    path = tmp_path / "a.conllu"
    path.write_text("\n\n".join(tree(n, ["it", "saw", "cat"], [2, 0, 2], ["nsubj", "root", "obj"]) for n in range(60)))
    assert evaluate(planted(decoder=True), path, "syntax").origin.warnings == {"later-words": 60}
