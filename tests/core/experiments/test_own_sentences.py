"""Our own sentences: every span hits its word, twins flip by one word, and no cheap rule gets far."""

import fnmatch
import json
import re
import tomllib
from collections import Counter
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
DATA = ROOT / "attention_core/experiments/data"
LANGUAGES = {"en": "English", "ko": "Korean"}
KINDS = {"easy-subject", "object", "rivals", "number", "gender", "twin"}


def words(listed: str) -> set[str]:
    return set(listed.split())


PRONOUNS = {
    "en": words("it its he him his she her they them their"),
    "ko": words("그 그녀 그것 그것들 그들 그분 그곳 이것 이곳 이들 저것 자기 자신"),
}
PARTICLES = words("은 는 이 가 을 를 의 에 에서 에게 에게서 께 께서 과 와 도 로 으로 보다 라고 에는 에서는 에게는")
# A Korean noun goes without a particle before a word of place or a noun that belongs to it.
BARE = words("위를 위에 안에 안에는 안에서 뒤에서 앞에 앞에서 옆에 사이에 너머의 한가운데에 대신 덕분에") | words(
    "방을 모자를 둥지에"
)
# After a consonant, after a vowel.
FORMS = (("은", "는"), ("이", "가"), ("을", "를"), ("과", "와"))

Record = dict[str, Any]
Span = list[int]


def read(lang: str) -> list[Record]:
    lines = (DATA / f"antecedents-{lang}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


ROWS = {lang: read(lang) for lang in LANGUAGES}
EVERY = [pytest.param(lang, row, id=row["id"]) for lang, rows in ROWS.items() for row in rows]
either = pytest.mark.parametrize("lang", LANGUAGES)


def candidates(row: Record) -> list[Span]:
    """In the order of the text."""
    return sorted([row["antecedent"], *row["distractors"]])


def word(row: Record, span: Span) -> str:
    return str(row["text"][span[0] : span[1]])


# ---- baselines, from the file alone


def nearest(row: Record) -> bool:
    start, end = row["pronoun"]
    apart = {(max(start - b, a - end)): [a, b] for a, b in candidates(row)}
    return apart[min(apart)] == row["antecedent"]


def first(row: Record) -> bool:
    return candidates(row)[0] == row["antecedent"]


def subject(row: Record) -> bool:
    return bool(row["meta"]["subject"] == row["antecedent"])


def share(rows: list[Record], rule: Any) -> float:
    return sum(rule(row) for row in rows) / len(rows)


def odd(group: str) -> bool:
    return int(sha256(f"x{group}".encode()).hexdigest(), 16) % 2 == 1


def pieces(rows: list[Record]) -> dict[str, list[Record]]:
    return {
        "all": rows,
        "odd half": [row for row in rows if odd(row["meta"]["group"])],
        "even half": [row for row in rows if not odd(row["meta"]["group"])],
    }


@either
def test_no_cheap_rule_is_right_in_more_than_55_of_100(lang: str) -> None:
    for name, rows in pieces(ROWS[lang]).items():
        with_subject = [row for row in rows if row["meta"]["subject"] is not None]
        assert share(rows, nearest) <= 0.55, name
        assert share(rows, first) <= 0.55, name
        assert share(rows, subject) <= 0.55, name
        assert share(with_subject, subject) <= 0.55, name


@either
def test_nor_are_their_opposites(lang: str) -> None:
    """The last candidate, and any that is not the subject, are no way out either."""
    for name, rows in pieces(ROWS[lang]).items():
        two = [row for row in rows if len(row["distractors"]) == 1 and row["meta"]["subject"] is not None]
        assert share(rows, lambda row: candidates(row)[-1] == row["antecedent"]) <= 0.55, name
        assert share(two, lambda row: not subject(row)) <= 0.57, name


@either
def test_the_baselines_are_stated(lang: str) -> None:
    rows = ROWS[lang]
    chance = sum(1 / len(candidates(row)) for row in rows) / len(rows)
    with_subject = [row for row in rows if row["meta"]["subject"] is not None]
    shares = [chance, *(share(rows, rule) for rule in (nearest, first, subject)), share(with_subject, subject)]
    longest = max(len(row["text"].split()) for row in rows)
    line = f"| {LANGUAGES[lang]} | {len(rows)} | {' | '.join(f'{value:.3f}' for value in shares)} | {longest} words |"
    assert line in (DATA / "SOURCES.md").read_text(encoding="utf-8").splitlines()


def test_the_rules_tell_the_candidates_apart() -> None:
    row = {"pronoun": [20, 22], "antecedent": [8, 10], "distractors": [[2, 4], [14, 16]], "meta": {"subject": [2, 4]}}
    assert [rule(row) for rule in (nearest, first, subject)] == [False, False, False]
    last = row | {"antecedent": [14, 16], "distractors": [[2, 4], [8, 10]], "meta": {"subject": [14, 16]}}
    assert nearest(last)
    assert subject(last)
    assert not first(last)
    assert first(row | {"antecedent": [2, 4], "distractors": [[8, 10], [14, 16]]})


# ---- rows


@either
def test_there_are_enough_rows_and_no_two_are_alike(lang: str) -> None:
    rows = ROWS[lang]
    assert len({row["text"] for row in rows}) == len({row["id"] for row in rows}) == len(rows) >= 140
    # Even with each pair of twins counted as one sentence.
    assert len({row["meta"]["group"] for row in rows}) >= 120
    assert {row["source"] for row in rows} == {"Attention Atlas"}
    assert {row["meta"]["lang"] for row in rows} == {lang}
    assert max(len(row["text"].split()) for row in rows) <= 40


@either
def test_every_kind_is_there_and_pronouns_are_many(lang: str) -> None:
    rows = ROWS[lang]
    kinds = Counter(row["meta"]["kind"] for row in rows)
    assert set(kinds) == KINDS
    assert min(kinds.values()) >= 16
    assert kinds["twin"] >= 60
    assert {word(row, row["pronoun"]) for row in rows} == PRONOUNS[lang]
    assert sum(len(row["distractors"]) == 2 for row in rows) >= 20


def test_women_and_men_are_meant_about_as_often() -> None:
    pronouns = Counter(word(row, row["pronoun"]) for row in ROWS["en"])
    women, men = pronouns["she"] + pronouns["her"], pronouns["he"] + pronouns["him"] + pronouns["his"]
    assert 0.45 <= women / (women + men) <= 0.55


@pytest.mark.parametrize(("lang", "row"), EVERY)
def test_spans_hit_whole_words_that_do_not_overlap(lang: str, row: Record) -> None:
    text, spans = row["text"], sorted([row["pronoun"], *candidates(row)])
    assert word(row, row["pronoun"]) in PRONOUNS[lang]
    assert spans[-1] == row["pronoun"], "a decoder sees every candidate"
    assert 2 <= len(candidates(row)) <= 3
    assert row["meta"]["subject"] is None or row["meta"]["subject"] in candidates(row)
    assert all(0 <= a < b <= len(text) for a, b in spans)
    assert all(left[1] <= right[0] for left, right in pairwise(spans))
    for a, b in spans:
        assert a == 0 or text[a - 1] in " “"
        if lang == "en":
            assert re.fullmatch(r"[A-Za-z]+", text[a:b])
            assert re.match(r"[ ,.;]|'s ", text[b:])
        else:
            assert re.fullmatch(r"[가-힣]+", text[a:b])
            glued, following = re.fullmatch(r"([가-힣]*)[,.]? ?(\S*).*", text[b:]).groups()
            assert glued in PARTICLES if glued else following in BARE, (glued, following)


def test_korean_particles_fit_their_nouns() -> None:
    for row in ROWS["ko"]:
        for a, b in [row["pronoun"], *candidates(row)]:
            consonant = (ord(row["text"][b - 1]) - ord("가")) % 28 > 0
            glued = row["text"][b:].split(" ")[0]
            assert glued not in {forms[consonant] for forms in FORMS}, row["text"][a : b + 1]


# ---- twins


def pairs(lang: str) -> list[tuple[Record, Record]]:
    by_id = {row["id"]: row for row in ROWS[lang]}
    twins = [row for row in ROWS[lang] if "twin" in row["meta"]]
    return [(row, by_id[row["meta"]["twin"]]) for row in twins if row["id"] < row["meta"]["twin"]]


@either
def test_twins_differ_in_one_word_which_flips_the_answer(lang: str) -> None:
    for one, other in pairs(lang):
        mine, theirs = one["text"].split(), other["text"].split()
        assert len(mine) == len(theirs), one["id"]
        assert sum(a != b for a, b in zip(mine, theirs, strict=True)) == 1, one["id"]
        assert candidates(one) == candidates(other), one["id"]
        assert one["antecedent"] != other["antecedent"], one["id"]
        assert word(one, one["pronoun"]) == word(other, other["pronoun"]), one["id"]
        assert one["meta"]["subject"] == other["meta"]["subject"], one["id"]
        assert other["meta"]["twin"] == one["id"]
        assert other["meta"]["group"] == one["meta"]["group"]


@either
def test_a_group_is_one_sentence_or_one_pair(lang: str) -> None:
    sizes = Counter(row["meta"]["group"] for row in ROWS[lang])
    for row in ROWS[lang]:
        twin = row["meta"]["kind"] == "twin"
        assert ("twin" in row["meta"]) == twin
        assert sizes[row["meta"]["group"]] == (2 if twin else 1), row["id"]


def test_the_note_says_how_many_pairs_are_decided_before_the_pronoun() -> None:
    def before(row: Record) -> str:
        return str(row["text"][: row["pronoun"][0]])

    early = {lang: sum(before(one) != before(other) for one, other in pairs(lang)) for lang in LANGUAGES}
    note = (DATA / "SOURCES.md").read_text(encoding="utf-8")
    assert f"({early['en']} English pairs, {early['ko']} Korean)" in note


# ---- set-up


def test_the_files_are_in_the_package() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]["attention_core"]
    for path in DATA.iterdir():
        name = str(path.relative_to(ROOT / "attention_core"))
        assert any(fnmatch.fnmatch(name, pattern) for pattern in patterns), name
