"""Roles from results whose roles are known, and what is kept on disk but is no result."""

import copy
import json
import os

import pytest
from planted_model import planted, row, write_rows

from attention_core.capture import open_model
from attention_core.errors import NotAvailableError, UnknownNameError
from attention_core.experiments.atlas import compute_atlas, load_atlas, roles_of, task_of, tasks_of
from attention_core.experiments.atlas.reading import MOST_RESULTS, read_results
from attention_core.experiments.atlas.tasks import Task
from attention_core.experiments.evaluate import Options, evaluate, induction, load_results
from attention_core.experiments.evaluate.bounding import bound_rows
from attention_core.experiments.evaluate.induction import draw, inductions
from attention_core.experiments.evaluate.keeping import folder_of
from attention_core.models.catalogue import load_catalogue

CARD = planted().card  # one layer of two heads, revision "1"


def part(right: float, low: float, high: float, head: int = 0) -> dict:
    return {"rows": 200, "chosen": {"layer": 0, "head": head}, "right": right, "interval": [low, high],
            "chosen_rows": 190, "chosen_right": right, "again": 0.9}  # fmt: skip


ORIGIN = {"revision": "1", "dtype": "float32", "kind": "encoder-self", "file": "a.jsonl", "sha256": "0" * 64,
          "limit": None, "counts": {"read": 390, "scored": 390}, "warnings": {}, "broken": []}  # fmt: skip
HEADS = {"heads": [[0.7, 0.2]]}


def antecedent(low: float, *, chance: float = 0.5, nearest: float = 0.5, first: float = 0.5, **more) -> dict:
    return {"task": "antecedent", "model": "planted", **part(0.7, low, 0.8), "chance": chance, "nearest": nearest,
            "first": first, "twins": None, **HEADS, **ORIGIN, **more}  # fmt: skip


def relation(name: str, right: float, offset_right: float, low: float = 0.0) -> dict:
    return {"relation": name, "direction": "dependent-to-head", **part(right, low, 1.0, head=1), "chance": 0.1,
            "offset": 1, "offset_right": offset_right, "offset_all": offset_right, **HEADS}  # fmt: skip


def syntax(*relations: dict) -> dict:
    return {**antecedent(0.6), "task": "syntax", "relations": list(relations)}


@pytest.mark.parametrize("rule", ["chance", "nearest", "first"])
def test_an_interval_that_touches_a_rule_gives_no_role(rule):
    assert roles_of([antecedent(0.6, **{rule: 0.6})]) == ()
    (role,) = roles_of([antecedent(0.6, **{rule: 0.599})])
    assert (role.name, role.layer, role.head, role.score, role.threshold) == ("antecedent", 0, 0, 0.7, 0.599)
    assert (role.of, role.rows, role.interval) == ("a.jsonl", 200, (0.6, 0.8))


def test_a_few_rows_say_nothing_however_right():
    few = {"rows": 19, "interval": [1.0, 1.0], "right": 1.0}
    assert roles_of([antecedent(0.6) | few, syntax(relation("det", 1.0, 0.1, 1.0) | few)]) == ()
    assert len(roles_of([antecedent(0.6) | few | {"rows": 20}])) == 1


def test_a_syntactic_head_is_ten_percent_above_the_best_offset():
    """Voita et al. 2019: 0.5 needs 0.55. An interval that reaches down to the offset says it may be luck."""
    found = roles_of([syntax(relation("det", 0.549, 0.5, 0.52), relation("obj", 0.551, 0.5, 0.52),
                             relation("nsubj", 0.9, 0.5, 0.5), relation("amod", 0.2, 0.1, 0.15))])  # fmt: skip
    assert [(one.of, one.head, one.score) for one in found] == [("obj", 1, 0.551), ("amod", 1, 0.2)]
    assert found[0].threshold == pytest.approx(0.55)
    assert found[0].direction == "dependent-to-head"


def test_induction_is_a_role_of_every_head_that_reaches_the_score():
    result = antecedent(0.6, task="induction", file="random-tokens") | {"heads": [[0.4, 0.399]]}
    (role,) = roles_of([result])
    assert (role.name, role.head, role.score, role.threshold, role.rows) == ("induction", 0, 0.4, 0.4, 390)


def test_roles_stand_in_order_the_strongest_first():
    weak, strong = antecedent(0.6, file="b.jsonl"), antecedent(0.7, file="c.jsonl") | {"right": 0.75}
    assert [one.of for one in roles_of([syntax(relation("obj", 0.9, 0.1, 0.8)), weak, strong])] == [
        "c.jsonl", "b.jsonl", "obj"
    ]  # fmt: skip


def damaged() -> list[dict]:
    """Results of which each has one thing that no result has."""
    changes = [
        {"model": "another"}, {"revision": "2"}, {"task": "meaning"}, {"right": 1.5}, {"right": True},
        {"right": float("nan")}, {"right": "0.7"}, {"interval": [0.8, 0.6]}, {"interval": [0.6]}, {"interval": None},
        {"chosen": {"layer": 1, "head": 0}}, {"chosen": {"layer": 0, "head": -1}}, {"chosen": [0, 0]}, {"rows": 1e3},
        {"heads": [[0.7]]}, {"heads": [[0.7, 2.0]]}, {"heads": "none"}, {"counts": {"read": "many"}},
        {"counts": {f"c{number}": 1 for number in range(30)}}, {"file": "a\u202e\n"}, {"file": "x" * 300},
        {"warnings": ["later"]}, {"broken": [{"line": 1}]}, {"twins": {"pairs": 3}}, {"limit": 5}, {"nearest": None},
        {"task": "syntax"}, {"task": "syntax", "relations": [{"relation": "det"}]},
        {"task": "syntax", "relations": [relation("det", 0.9, 0.1) | {"direction": "sideways"}]},
        {"task": "syntax", "relations": [relation("det", 0.9, 0.1)] * 500}, {"task": "induction"},
    ]  # fmt: skip
    return [antecedent(0.6) | change for change in changes]


def test_damaged_and_hostile_results_are_passed_over_and_the_rest_stays():
    good = antecedent(0.6)
    assert read_results([*damaged(), good], CARD) == (good,)
    for name in good:
        assert read_results([{key: value for key, value in good.items() if key != name}], CARD) == (), name
    assert len(read_results([good] * (MOST_RESULTS + 5), CARD)) == MOST_RESULTS


def test_only_what_a_result_has_is_taken_from_a_file():
    """A file may hold more; what is given on is made of what was checked."""
    deep = copy.deepcopy(antecedent(0.6)) | {"extra": "<script>", "__proto__": {}}
    assert read_results([deep], CARD) == (antecedent(0.6),)


def test_files_that_are_no_results_are_passed_over(tmp_path):
    folder = folder_of(CARD, tmp_path)
    folder.mkdir(parents=True)
    (folder / "good.json").write_text(json.dumps(antecedent(0.6)))
    texts = ["", "{", "[]", "null", "[" * 100_000, json.dumps({**antecedent(0.6), "file": 3}), "\ud7ff", "{}" * 9]
    for number, text in enumerate(texts):
        (folder / f"{number}.json").write_text(text, encoding="utf-8")
    (folder / "bytes.json").write_bytes(b"\xff\xfe{}")
    (folder / "folder.json").mkdir()
    os.mkfifo(folder / "pipe.json")
    with (folder / "huge.json").open("wb") as huge:
        huge.truncate(1 << 33)
    (folder / "gone.json").symlink_to(tmp_path / "nothing")
    atlas = load_atlas(CARD, tmp_path)
    assert atlas.results == (antecedent(0.6),)
    assert [one.name for one in atlas.roles] == ["antecedent"]


# ---- what can be measured of a model by itself


def test_each_model_is_measured_on_what_it_can_read():
    cards = [one.card for one in load_catalogue().entries]
    offered = {card.name: [(one.task, one.file) for one in tasks_of(card)] for card in cards}
    english, korean = ("antecedent", "antecedents-en.jsonl"), ("antecedent", "antecedents-ko.jsonl")
    repeated = ("induction", "random-tokens")
    assert offered["minilm"] == [english]
    assert offered["e5-multilingual"] == offered["bert-base-multilingual-cased"] == [english, korean]
    assert offered["smollm2"] == [english, repeated]
    assert offered["induction"] == [repeated], "it knows its own words alone"
    assert offered["ko-en"] == offered["shapes"] == offered["t5-small"] == []


def test_a_task_is_asked_for_by_name_and_by_file():
    card = load_catalogue().entry("e5-multilingual").card
    assert [one.file for one in task_of(card)] == ["antecedents-en.jsonl", "antecedents-ko.jsonl"]
    assert [one.file for one in task_of(card, "antecedent", "antecedents-ko.jsonl")] == ["antecedents-ko.jsonl"]
    with pytest.raises(UnknownNameError, match="unknown task 'induction'; accepted: antecedent"):
        task_of(card, "induction")
    with pytest.raises(UnknownNameError, match="unknown file"):
        task_of(card, "antecedent", "../../secret")


def test_an_atlas_measures_what_is_missing_once_and_again_when_asked(tmp_path):
    told = []
    model = planted(max_tokens=64)
    asked = (Task("antecedent", "antecedents-en.jsonl"),)
    atlas, failed = compute_atlas(model, tmp_path, tasks=asked, report=lambda task, *step: told.append((task, *step)))
    assert failed == ()
    assert atlas.results[0]["counts"]["scored"] > 100
    assert {one[0] for one in told} == set(asked)
    assert (atlas.tasks, atlas.missing) == (asked, ())
    told.clear()
    again, _ = compute_atlas(model, tmp_path, tasks=asked, report=lambda *step: told.append(step))
    assert (again, told) == (atlas, [])
    compute_atlas(model, tmp_path, tasks=asked, again=True, report=lambda task, *step: told.append(step))
    assert ("rows", 0, 212) in told, "nothing that was kept is used"


def test_what_the_model_cannot_do_is_named_and_the_rest_goes_on(tmp_path):
    asked = (Task("antecedent", "antecedents-en.jsonl"), Task("induction", "random-tokens"))
    atlas, failed = compute_atlas(planted(decoder=True, max_tokens=8), tmp_path, tasks=asked)
    assert [task.task for task, _ in failed] == ["antecedent"], "8 tokens are too few for its sentences"
    assert [one["task"] for one in atlas.results] == ["induction"]


# ---- induction


def test_repeated_tokens_stand_twice_and_nowhere_else():
    model = planted(decoder=True)
    drawn = draw(model, 20)
    assert draw(model, 20) == drawn != draw(model, 20, seed=1)
    assert len({one.period for one in drawn}) > 1
    for one in drawn:
        ids = one.tokens.ids
        first, second = ids[one.second - one.period : one.second], ids[one.second :]
        assert (first, len(second)) == (second, one.period)
        assert len(set(ids)) == len(ids) - one.period, "no other token stands twice"
        assert len(ids) <= 16
        assert min(ids) >= 3, "[PAD], [CLS] and [SEP] are no words"


def test_a_head_that_looks_at_all_tokens_alike_gets_chance():
    result = inductions(planted(decoder=True), Options())
    assert result.heads[0][1] == pytest.approx(result.chance, abs=0.02), "head 1 looks at everything alike"
    assert result.origin.counts["scored"] == 40
    with pytest.raises(NotAvailableError, match="is no decoder"):
        inductions(planted(), Options())
    with pytest.raises(NotAvailableError, match="too few tokens"):
        inductions(planted(decoder=True, max_tokens=5), Options())


def test_the_bundled_model_s_induction_heads_are_those_that_its_recipe_measures():
    """Layer 1 head 3 is the one that the catalogue names; the previous-token heads of layer 0 have no such role."""
    result = inductions(open_model("induction"), Options())
    assert (result.chosen.head.layer, result.chosen.head.head) == (1, 3)
    assert result.chosen.right >= 0.9
    roles = roles_of([result.to_document()])
    assert {one.layer for one in roles} == {1}
    assert (roles[0].layer, roles[0].head) == (1, 3)


def test_smollm2_repeats_with_the_heads_that_the_catalogue_names(monkeypatch):
    monkeypatch.setattr(induction, "SEQUENCES", 6)
    result = inductions(open_model("smollm2"), Options())
    found = {(one.layer, one.head): one.score for one in roles_of([result.to_document()])}
    assert (result.chosen.head.layer, result.chosen.head.head) == (18, 6)
    assert found[18, 6] > found[17, 4] > 0.6
    assert all(layer >= 15 for layer, _ in found), "what comes before must first be tied to what came before it"


# ---- room on disk


def test_finished_rows_go_first_the_oldest_before_and_results_stay(tmp_path):
    model = planted()
    for number in range(3):
        rows = [row(n, "the cat saw the dog and it ran" + " and" * number, "cat", "dog") for n in range(30)]
        evaluate(model, write_rows(tmp_path / f"{number}.jsonl", rows), "antecedent", Options(cache=tmp_path))
    folder = folder_of(model.card, tmp_path)
    digests = {one["file"]: one["sha256"][:32] for one in load_results(model.card, tmp_path)}
    paths = [next(folder.glob(f"{digests[f'{n}.jsonl']}*.rows")) for n in range(3)]
    stopped = paths[0].with_name("f" * 32 + "-antecedent-float32-1.rows")
    stopped.write_bytes(paths[0].read_bytes())
    other = folder / "notes.rows"
    other.write_text("not ours")
    for age, path in enumerate([stopped, paths[2], paths[0], paths[1]]):  # the oldest first
        os.utime(path, (1000 + age, 1000 + age))
    size = paths[0].stat().st_size
    total = sum(path.stat().st_size for path in (stopped, *paths))
    assert bound_rows(tmp_path, total) == ()
    assert bound_rows(tmp_path, total - 1) == (paths[2],)
    assert bound_rows(tmp_path, size) == (paths[0], paths[1])
    assert stopped.exists(), "what a stopped run finished goes last"
    assert bound_rows(tmp_path, 0) == (stopped,)
    assert len(list(folder.glob("*.json"))) == 3
    assert other.exists()
    assert bound_rows(tmp_path / "nowhere", 0) == ()
