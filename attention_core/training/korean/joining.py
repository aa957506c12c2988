"""Two clauses joined by a cause. It is said in four ways, all with the same translation but for *so*:

    고양이는 피곤해서 잤다                          -아서/어서, without a tense of its own
    고양이는 피곤했기 때문에 잤다                    -기 때문에
    고양이는 잤다 왜냐하면 그것은 피곤했기 때문이다    with a pronoun in the second clause
    고양이는 피곤했다 그래서 그것은 잤다               "the cat was tired so it slept"

The first two leave the pronoun of the English clause out: nothing in the Korean sentence is *it*.
"""

from collections.abc import Sequence

from attention_core.training.korean.choices import Chooser
from attention_core.training.korean.clauses import Clause, Spoken
from attention_core.training.korean.hangul import Stem
from attention_core.training.korean.phrases import SUBJECT, TOPIC, Phrase
from attention_core.training.korean.predicates import Ending, Manner, conjugate
from attention_core.training.korean.sentence import English, Piece, Sentence, Word

Combination = tuple[str, str, str]
_HONOURED_MARKERS = ("께서", "께서는", TOPIC)


def opening(clause: Clause, chooser: Chooser, marker: str = "") -> Phrase:
    """The clause's subject, with a marker that suits it unless one is given."""
    if not marker and clause.subject.honoured:
        marker = chooser.one(_HONOURED_MARKERS)
    return clause.subject.phrase(marker or (SUBJECT if chooser.happens(0.3) else TOPIC))


def ordered(subject: Phrase, spoken: Spoken, chooser: Chooser) -> list[Word]:
    """A clause's Korean: the time stands after the subject or before it."""
    if chooser.happens(0.35):
        return [*spoken.time, *subject.korean, *spoken.korean]
    return [*subject.korean, *spoken.time, *spoken.korean]


def joined(cause: Clause, main: Clause, chooser: Chooser) -> Sentence:
    """Two clauses with one subject, joined in one of the four ways; those who are honoured are no *he* or *she*."""
    if main.subject.honoured or chooser.happens(0.65):
        return _cause_first(cause, main, chooser)
    return _because_after(cause, main, chooser) if chooser.happens(0.5) else _so(cause, main, chooser)


def _because(spoken: Spoken, *before: Piece) -> English:
    return English("because", "because", (*before, *spoken.link))


def _cause_first(cause: Clause, main: Clause, chooser: Chooser) -> Sentence:
    subject = opening(main, chooser)
    before, after = cause.speak(chooser.one(("서", "기"))), main.speak()
    korean = [*subject.korean, *before.korean, *after.time, *after.korean]
    unsaid = English(main.subject.reference, "pronoun")
    said = [*subject.english, *after.english, _because(before), unsaid, *before.english]
    return Sentence.of(korean, said, [main.combination, cause.combination])


def _because_after(cause: Clause, main: Clause, chooser: Chooser) -> Sentence:
    subject, first = opening(main, chooser), main.speak()
    again, second = cause.subject.again().phrase(TOPIC), cause.speak("기", final=True)
    why = Piece("왜냐하면", "because")
    korean = [*ordered(subject, first, chooser), [why], *again.korean, *second.korean]
    said = [*subject.english, *first.english, _because(second, why), *again.english, *second.english]
    return Sentence.of(korean, said, [main.combination, cause.combination])


def _so(cause: Clause, main: Clause, chooser: Chooser) -> Sentence:
    subject, first = opening(cause, chooser), cause.speak()
    again, second = main.subject.again().phrase(TOPIC), main.speak()
    so = Piece("그래서", "because")
    korean = [*subject.korean, *first.korean, [so], *again.korean, *second.time, *second.korean]
    said = [*subject.english, *first.english, English("so", "because", (so,)), *again.english, *second.english]
    return Sentence.of(korean, said, [cause.combination, main.combination])


def joined_to_other(cause: Clause, main: Clause, chooser: Chooser) -> Sentence:
    """A cause with a subject of its own: 날씨가 추워서 나는 창문을 닫았다."""
    subject = opening(cause, chooser, "께서" if cause.subject.honoured else SUBJECT)
    spoken = cause.speak(chooser.one(("서", "기")))
    said = [_because(spoken), *subject.english, *spoken.english]
    return _after([*subject.korean, *spoken.korean], said, main, [main.combination, cause.combination], chooser)


def joined_to_weather(cause: str, main: Clause, chooser: Chooser) -> Sentence:
    """A cause that falls from the sky ("rained", "snowed"): 비가 와서 나는 책을 읽었다."""
    spoken = rain_or_snow(cause, chooser.one(("서", "기")))
    return _after(spoken.korean, [_because(spoken), *spoken.english], main, [main.combination], chooser)


def _after(
    before: list[Word], because: list[English], main: Clause, combinations: Sequence[Combination], chooser: Chooser
) -> Sentence:
    """The cause is said before the main clause, or after its subject."""
    subject, spoken = opening(main, chooser, TOPIC), main.speak()
    start = [*before, *subject.korean] if chooser.happens(0.6) else [*subject.korean, *before]
    said = [*subject.english, *spoken.english, *because]
    return Sentence.of([*start, *spoken.time, *spoken.korean], said, combinations)


def rain_or_snow(english: str, ending: Ending = "다") -> Spoken:
    """비가 왔다, 눈이 와서: "it rained", "it snowed"; the English verb is the Korean noun."""
    what = Phrase([[Piece("비" if english == "rained" else "눈", "noun")]])
    what.attach(SUBJECT)
    falls = conjugate(Stem("오"), "verb", Manner("past"), ending)
    said = [English("it", "pronoun"), English(english, "verb", (what.korean[0][0],))]
    return Spoken([], [*what.korean, *falls.words], said, falls.link)
