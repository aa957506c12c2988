"""Every number that a lesson of ours states, computed again from the models; and no number but these."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import torch

from app.address import create_starts, load_examples, read_address
from app.lessons.format import LANGUAGES, Lesson, TextBlock
from app.lessons.shelf import ORDER, Shelf
from attention_core.capture import Example, capture, open_model
from attention_core.experiments.importance import importance
from attention_core.experiments.running import finish
from attention_core.experiments.switching import scan
from attention_core.looking import look

pytestmark = pytest.mark.model
CAT = "The cat sat on the mat because it was tired"
SOFT = "The cat sat on the mat because it was soft"
UNDER = "The mat was under the cat because it was tired"
OWL = "The owl sat on the mat because it was tired"
BIG = "The trophy does not fit into the suitcase because it is too big"
SMALL = "The trophy does not fit into the suitcase because it is too small"
SCHOOL, RAIN = "나는 학교에 갔다", "비가 와서 우리는 집에 가지 않았다"
LIST = "lamp goat moon key apple river chair moon key apple river chair"
README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
NUMBER = re.compile(r"(−?)(\d+\.\d+)")
IT = 8  # in CAT, with [CLS] at 0
MIDDLE = (1, 2, 3, 4)


@cache
def seen(model: str, text: str, off: tuple[str, ...] = ()):
    return capture(model, Example(text, off=off))


@cache
def lengths():
    return look(seen("minilm", CAT), measure="norm")


@cache
def scanned():
    return finish(scan(open_model("minilm"), Example(CAT), row=IT, key=2))


@cache
def agreements():
    found = finish(importance(open_model("minilm"), Example(CAT), row=IT))
    return {method.name: method.agreement for method in found.methods}


def head(text: str, layer: int, index: int, model: str = "minilm", kind: str = "encoder-self", off=()):
    return seen(model, text, off).map(kind, layer).weights()[index]


def at(text: str, query: int | str, key: int | str, where=(3, 1), model="minilm", kind="encoder-self", off=()) -> float:
    """A weight, by positions or by tokens that stand once."""
    trace = seen(model, text, off)
    row = query if isinstance(query, int) else trace.queries(kind).texts.index(query)
    column = key if isinstance(key, int) else trace.keys(kind).texts.index(key)
    return float(head(text, *where, model, kind, off)[row, column])


def cross(query: int | str, key: int | str, where=(1, 2), text=SCHOOL) -> float:
    return at(text, query, key, where, "ko-en", "cross")


def copying(query: int, key: int, where=(1, 3), off=()) -> float:
    return at(LIST, query, key, where, "induction", "decoder-self", off)


def says(place: int, word: str | None = None, text=LIST, model="induction", off=()) -> float:
    """The probability of a word, or of the best guess."""
    candidates = seen(model, text, off).predictions.at[place].candidates
    return next(one.probability for one in candidates if word in (None, one.text))


def products() -> torch.Tensor:
    """q · k of L3 H1, of *it* with every key, from the vectors themselves."""
    of = seen("minilm", CAT).map("encoder-self", 3)
    return of.key_vectors[1] @ of.query_vectors[1][IT]


def on_markers(layer: int, trace=None) -> float:
    """The mean share of a row that [CLS] and [SEP] get in a layer."""
    weights = (trace or seen("minilm", CAT)).map("encoder-self", layer).weights()
    return float(weights[..., [0, 11]].sum(-1).mean())


def effect(layer: int, index: int) -> tuple[float, float]:
    one = next(one for one in scanned().heads if (one.layer, one.head) == (layer, index))
    return one.attention, one.effect


def norm(key: int) -> float:
    return float(lengths().map("encoder-self", 3).value_norms[1, key])


def row_of_it() -> list[float]:
    """The table of the first lesson, line by line: products, scores, powers, weights; then the sum of the powers."""
    of = seen("minilm", CAT).map("encoder-self", 3)
    dots, scores, weights = products(), of.scores(1, slice(IT, IT + 1))[0, 0], of.weights()[1][IT]
    lines = torch.stack([dots, scores, scores.exp(), weights], dim=1)
    return [*lines.flatten().tolist(), float(scores.exp().sum())]


def measured(share: float) -> float:
    """A number that the README quotes from data sets that are not part of the project."""
    assert f"{share:.3f}" in README
    return share


NOT_OFF, COPY, OTHER_COPY = ("decoder-self.0.3",), "decoder-self.1.3", "decoder-self.1.1"
CLAIMS: dict[str, list[tuple[str, Callable[[], float]]]] = {
    "attention": [
        ("1.267", lambda: float(torch.log(head(CAT, 3, 1)[IT, 2] / head(CAT, 3, 1)[IT, 6]))),
        ("3.550", lambda: at(CAT, "it", "cat") / at(CAT, "it", "mat")),
        ("5.657", lambda: 32**0.5),
        ("0.997", lambda: float(head(CAT, 0, 2).diagonal(-1).min())),
        ("0.224", lambda: float(head(CAT, 3, 1)[7].max())),
        ("0.721", lambda: at(OWL, "it", "owl")),
    ],
    "who-is-it": [
        ("0.487", lambda: at(CAT, "it", "cat")), ("0.137", lambda: at(CAT, "it", "mat")),
        ("0.201", lambda: at(CAT, "it", 0)), ("0.169", lambda: at(SOFT, "it", "cat")),
        ("0.204", lambda: at(SOFT, "it", "mat")), ("0.520", lambda: at(SOFT, "it", 0)),
        ("0.621", lambda: at(BIG, "it", "trophy")), ("0.211", lambda: at(BIG, "it", "suitcase")),
        ("0.665", lambda: at(SMALL, "it", "trophy")), ("0.168", lambda: at(SMALL, "it", "suitcase")),
        ("0.504", lambda: at(UNDER, "it", "mat")), ("0.203", lambda: at(UNDER, "it", "cat")),
        ("0.752", lambda: measured(0.752)), ("0.557", lambda: measured(0.557)), ("0.500", lambda: measured(0.5)),
    ],
    "sink": [
        *[(given, lambda layer=layer: on_markers(layer)) for layer, given in
          enumerate(["0.368", "0.616", "0.617", "0.589", "0.657", "0.372"])],
        *[(given, lambda layer=layer: on_markers(layer, lengths())) for layer, given in
          enumerate(["0.179", "0.232", "0.214", "0.171", "0.193", "0.080"])],
        ("0.765", lambda: float(head(CAT, 2, 7)[:, 0].min())),
        ("1.000", lambda: copying(3, 0)), ("0.050", lambda: copying(8, 0)), ("0.950", lambda: copying(8, 4)),
        ("0.100", lambda: copying(6, 0)),
        ("0.201", lambda: at(CAT, "it", 0)), ("0.191", lambda: norm(0)), ("0.038", lambda: norm(0) * at(CAT, "it", 0)),
        ("0.487", lambda: at(CAT, "it", "cat")), ("3.781", lambda: norm(2)),
        ("1.84", lambda: norm(2) * at(CAT, "it", "cat")),
        ("0.671", lambda: float(lengths().map("encoder-self", 3).weights()[1][IT, 2])),
        ("0.014", lambda: float(lengths().map("encoder-self", 3).weights()[1][IT, 0])),
    ],
    "translation": [
        ("0.916", lambda: cross("I", "나")), ("0.998", lambda: cross("went", "갔")),
        ("0.912", lambda: cross("to", "에")),
        ("0.991", lambda: cross("school", "학교")), ("0.999", lambda: cross("I", "나", (1, 3))),
        ("0.996", lambda: cross("went", "갔", (1, 3))), ("0.984", lambda: cross("to", "에", (1, 3))),
        ("0.997", lambda: cross("school", "학교", (1, 3))), ("0.992", lambda: cross("to", "갔", (1, 0))),
        ("0.897", lambda: says(0, "I", SCHOOL, "ko-en")), ("0.902", lambda: says(1, "went", SCHOOL, "ko-en")),
        ("0.908", lambda: says(2, "to", SCHOOL, "ko-en")), ("0.901", lambda: says(3, "school", SCHOOL, "ko-en")),
        ("0.001", lambda: says(1, "go", SCHOOL, "ko-en")), ("96.6", lambda: 96.6 * ("96.6 %" in README)),
        ("0.970", lambda: 0.97),  # a bound: below, in words
        ("0.235", lambda: float(head(RAIN, 1, 2, "ko-en", "cross")[2].max())),
    ],
    "induction": [
        ("0.008", lambda: says(5)), ("0.990", lambda: says(12, "moon")),
        ("0.998", lambda: float(head(LIST, 0, 3, "induction", "decoder-self").diagonal(-1)[1:].min())),
        *[(given, lambda at=at: copying(at, at - 4)) for at, given in
          enumerate(["0.950", "0.850", "1.000", "0.999"], 8)],
        ("0.901", lambda: copying(12, 8)),
        ("1.000", lambda: copying(8, 0, off=NOT_OFF)), ("0.011", lambda: says(12, off=NOT_OFF)),
        ("0.874", lambda: says(12, "moon", off=(COPY,))), ("0.232", lambda: says(12, "moon", off=(OTHER_COPY,))),
        ("0.716", lambda: says(12, "moon", off=(OTHER_COPY, COPY))),
    ],
    "importance": [
        *[(given, lambda layer=layer, index=index, part=part: effect(layer, index)[part])
          for layer, index, both in [(5, 11, ("0.683", "0.131")), (3, 1, ("0.487", "0.005")),
                                     (5, 4, ("0.415", "0.014")), (4, 3, ("0.318", "0.003")),
                                     (5, 3, ("0.201", "0.060")), (5, 9, ("0.007", "0.019"))]
          for part, given in enumerate(both)],
        ("0.786", lambda: at(CAT, "sat", "cat", (5, 11))), ("0.781", lambda: at(CAT, 1, "cat", (5, 11))),
        ("0.429", lambda: at(CAT, "because", "cat", (5, 11))), ("0.41", lambda: scanned().agreement),
        ("0.72", lambda: agreements()["norm"]), ("0.53", lambda: agreements()["weight"]),
        ("0.40", lambda: agreements()["value-zeroing"]), ("−0.07", lambda: agreements()["rollout"]),
    ],
}  # fmt: skip


def words(lesson: Lesson) -> str:
    """Everything that a lesson says, without the addresses of its links."""
    said = [block.markdown if isinstance(block, TextBlock) else block.caption or "" for block in lesson.blocks]
    return re.sub(r"\]\([^)]*\)", "]", "\n".join([lesson.title, lesson.summary, *said]))


def numbers(text: str) -> list[str]:
    return [sign + digits for sign, digits in NUMBER.findall(text)]


def near(given: str, value: float) -> bool:
    """The printed number is the value, rounded; the last place may differ where machines round apart."""
    return float(given.replace("−", "-")) == pytest.approx(value, abs=0.6 * 10.0 ** -len(given.partition(".")[2]))


@pytest.mark.parametrize("name", ORDER)
def test_what_a_lesson_states_is_what_the_models_compute(name):
    assert [(given, value()) for given, value in CLAIMS[name] if not near(given, value())] == []
    expected = {given for given, _ in CLAIMS[name]}
    for lang in LANGUAGES:
        text = words(Shelf().find(name, lang).lesson)
        if name == "attention":  # its table is the whole row, line by line
            lines = numbers("\n".join(line for line in text.splitlines() if re.match(r"\| \S+ \|", line)))
            table = zip(lines, row_of_it(), strict=True)
            assert [(given, value) for given, value in table if not near(given, value)] == []
            expected |= set(lines)
        assert set(numbers(text)) == expected, lang


def test_every_view_shows_something_that_is_there():
    """Its head, its tokens, its heads that are off: what the page would quietly replace by something else."""
    starts = create_starts(load_examples(), "minilm")
    for name in ORDER:
        for block in Shelf().find(name, "en").lesson.blocks:
            if isinstance(block, TextBlock):
                continue
            meant = read_address(block.address, starts, strict=True)
            trace = seen(meant.model, meant.text, tuple(meant.off.split(",")) if meant.off else ())
            shown = trace.map(meant.kind or trace.kinds[0], meant.layer)
            assert meant.head < shown.head_count
            assert (meant.query or 0) < shown.query_count
            assert (meant.key or 0) < shown.key_count


def test_what_lessons_say_in_words():
    """Counts and orders that stand there without a decimal point."""
    by_effect = sorted(scanned().heads, key=lambda one: -one.effect)
    by_weight = sorted(scanned().heads, key=lambda one: -one.attention)
    named = [(one.layer, one.head) for one in by_effect]
    assert ([(one.layer, one.head) for one in by_weight][:2], named.index((3, 1))) == ([(5, 11), (3, 1)], 19)
    assert {layer for layer, _ in named[:6]} == {5}
    assert effect(5, 9)[1] / effect(3, 1)[1] == pytest.approx(4, abs=0.3)
    assert at(SMALL, "it", "suitcase") < at(BIG, "it", "suitcase")
    assert all(on_markers(layer) > 0.5 for layer in MIDDLE)
    assert norm(2) / norm(0) == pytest.approx(20, abs=1)
    assert head(SCHOOL, 0, 0, "ko-en", "decoder-self").triu(1).abs().max() == 0
    assert min(cross(*pair, text=RAIN) for pair in [("we", "우리"), ("go", 8), ("home", "집"), ("rained", "비")]) > 0.97
    assert seen("ko-en", RAIN).target.text == "we did not go home because it rained"
    assert "moon" not in [one.text for one in seen("induction", LIST, NOT_OFF).predictions.at[12].candidates]
    assert len(seen("induction", LIST, NOT_OFF).predictions.at[12].candidates) == 5
    assert "321 Korean words" in README
    for quoted in ("424 rows of GAP", "348 rows of Winogender", "79 %"):
        assert quoted in re.sub(r"\s+", " ", README), quoted
