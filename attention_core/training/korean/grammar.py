"""Sentences of the grammar: one clause, or two joined by a cause; and which combinations of words are held out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from random import Random
from zlib import crc32

from attention_core.training.korean.choices import DAYS, Chooser
from attention_core.training.korean.clauses import Clause
from attention_core.training.korean.joining import (
    Combination,
    joined,
    joined_to_other,
    joined_to_weather,
    opening,
    ordered,
    rain_or_snow,
)
from attention_core.training.korean.phrases import Phrase, Subject
from attention_core.training.korean.predicates import Manner, Tense
from attention_core.training.korean.sentence import Sentence
from attention_core.training.korean.words import Adjective, Verb, adjectives, motives, nouns_of, places_of, verbs

DEMO: Combination = ("나", "가", "학교")
"""나 · 가다 · 학교: the combination of "나는 학교에 갔다", which no training sentence has, in whatever tense."""

_HELD_OUT_IN = 10
_MAIN_TENSES: tuple[Tense, ...] = ("past", "present", "future", "intend", "progressive")
_RELATIVES = ("어머니", "아버지", "할머니", "할아버지", "누나", "형", "친구", "이모", "삼촌", "민수", "수진")
_TELLING = ("나", "너", "그", "그녀")


def is_held_out(combination: Combination) -> bool:
    """Whether no training sentence has a clause with this subject, predicate and first object or place."""
    return combination == DEMO or crc32("|".join(combination).encode()) % _HELD_OUT_IN == 0


class Grammar:
    """Makes sentences, the same ones from the same seed."""

    def __init__(self, seed: int) -> None:
        self.chooser = Chooser(Random(f"ko-en {seed}"))  # noqa: S311
        forms: tuple[tuple[Callable[[], Sentence | None], int], ...] = (
            (self._does, 44),
            (self._is_like, 12),
            (self._is_a, 4),
            (self._is_there, 6),
            (self._own_cause, 20),
            (self._other_cause, 9),
            (self._effect, 5),
        )
        self._forms = [form for form, _ in forms]
        self._odds = [odds for _, odds in forms]

    def sentence(self) -> Sentence:
        """Any sentence of the grammar."""
        while True:
            made = self.chooser.random.choices(self._forms, self._odds)[0]()
            if made is not None:
                return made

    def sentences(self, count: int, *, held_out: bool) -> Iterator[Sentence]:
        """So many different sentences: each with a combination that is held out, or all with none of them."""
        seen: set[str] = set()
        while len(seen) < count:
            made = self.sentence()
            if any(map(is_held_out, made.combinations)) == held_out and made.korean not in seen:
                seen.add(made.korean)
                yield made

    # ------------------------------------------------------------------------------------------- one clause

    def _single(self, clause: Clause) -> Sentence:
        subject, spoken = opening(clause, self.chooser), clause.speak()
        korean = ordered(subject, spoken, self.chooser)
        return Sentence.of(korean, [*subject.english, *spoken.english], [clause.combination])

    def _does(self) -> Sentence:
        """나는 어제 친구와 함께 학교에 갔다."""
        if self.chooser.happens(0.01):
            return self._it_falls()
        verb = self.chooser.one(verbs())
        subject = self.chooser.subject(verb.subjects)
        tense = self.chooser.tense(_tenses(verb, subject))
        manner = self.chooser.manner(verb.traits, tense, subject)
        return self._single(self.chooser.verb_clause(verb, subject, manner))

    def _it_falls(self) -> Sentence:
        """어제 비가 왔다."""
        spoken = rain_or_snow(self.chooser.one(("rained", "snowed")))
        time = self.chooser.time("past", DAYS)
        when = time.phrase if time else Phrase()
        return Sentence.of([*when.korean, *spoken.korean], [*spoken.english, *when.english], [])

    def _is_like(self) -> Sentence:
        """그 책은 재미있었다."""
        adjective = self.chooser.one(adjectives())
        tense = self.chooser.tense(("past", "present", "future"))
        subject = self.chooser.subject(_subjects(adjective), tense)
        if not _may_be(subject, adjective):
            return self._is_like()
        manner = self.chooser.manner(adjective.traits, tense, subject)
        return self._single(self.chooser.adjective_clause(adjective, subject, manner))

    def _is_a(self) -> Sentence:
        """그녀는 의사였다."""
        people = [one for one in nouns_of("person") if "job" not in one.groups and "hon" not in one.traits]
        subject = Subject(self.chooser.one(people))
        if self.chooser.happens(0.4):
            subject = Subject(pronoun=self.chooser.one(_TELLING))
        manner = Manner(self.chooser.tense(("past", "present")), "않" if self.chooser.happens(0.25) else "")
        return self._single(Clause(subject, manner, job=self.chooser.one(nouns_of("job"))))

    def _is_there(self) -> Sentence:
        """고양이는 소파 위에 있다."""
        chooser = self.chooser
        thing = chooser.happens(0.3)
        small = [one for one in nouns_of("goods") if not {"spot", "ride"} & set(one.groups)]
        subject = Subject(chooser.one(small)) if thing else chooser.subject(("person", "pet"))
        manner = Manner(chooser.tense(("past", "present", "future")))
        if thing or chooser.happens(0.4):
            place = chooser.spot("flat" if thing else "spot", still=True)
        else:
            place = chooser.at(chooser.one(places_of("place" if "pet" not in _groups(subject) else "home")))
        if place.key == subject.key:
            return self._is_there()
        being = "없" if chooser.happens(0.2) else "있"
        return self._single(Clause(subject, manner, being=being, complements=[place]))

    # ------------------------------------------------------------------------------------------- two clauses

    def _own_cause(self) -> Sentence | None:
        """고양이는 피곤해서 매트 위에 앉았다: one subject, and why it does or does not do something."""
        feelings = [one for one in adjectives() if one.english in motives() and "feel" in one.traits]
        adjective = self.chooser.one(feelings)
        tense = self.chooser.tense(_MAIN_TENSES)
        subject = self.chooser.subject(_subjects(adjective, alive=True), tense)
        main = self._result(adjective.english, subject, tense)
        if main is None or not subject.reference or not _may_be(subject, adjective):
            return None
        cause = self.chooser.adjective_clause(adjective, subject, _manner_of_cause(main))
        timeless = [one for one in cause.complements if one.slot != "time"]
        return joined(replace(cause, complements=timeless), main, self.chooser)

    def _effect(self) -> Sentence | None:
        """민수는 일해서 피곤했다: how one feels because of what one did."""
        chooser = self.chooser
        verb = chooser.one([one for one in verbs() if one.english in motives()])
        motive = motives()[verb.english]
        denied = not motive.does or (bool(motive.does_not) and chooser.happens(0.5))
        adjective = chooser.adjective(chooser.one(motive.does_not if denied else motive.does))
        subject = chooser.subject(verb.subjects)
        if not subject.reference or not _may_be(subject, adjective):
            return None
        manner = chooser.manner(verb.traits, "past", subject, denied=float(denied))
        cause = chooser.verb_clause(verb, subject, manner, brief=True)
        return joined(cause, chooser.adjective_clause(adjective, subject, Manner("past")), chooser)

    def _other_cause(self) -> Sentence | None:
        """날씨가 추워서 나는 창문을 닫았다: a cause with a subject of its own."""
        chooser = self.chooser
        cause = chooser.one([name for name in motives() if ":" in name or name in ("rained", "snowed")])
        about, _, feeling = cause.rpartition(":")
        tense = chooser.tense(_MAIN_TENSES) if about else "past"
        subject = chooser.subject(("person",))
        main = self._result(cause, subject, tense)
        if main is None:
            return None
        if not about:
            return joined_to_weather(cause, main, chooser)
        known = nouns_of("weather") if about == "weather" else nouns_of("person")
        other = Subject(chooser.one([one for one in known if about == "weather" or one.korean in _RELATIVES]))
        if other.key == subject.key:
            return None
        adjective = chooser.one([one for one in adjectives() if one.english == feeling and _may_be(other, one)])
        return joined_to_other(Clause(other, _manner_of_cause(main), adjective=adjective), main, chooser)

    def _result(self, cause: str, subject: Subject, tense: Tense) -> Clause | None:
        """What the subject does or does not do for this cause; None where it could do neither."""
        motive, chooser = motives()[cause], self.chooser
        able = [one for one in verbs() if _may_do(subject, one) and tense in _tenses(one, subject)]
        does = [one for one in able if one.english in motive.does]
        does_not = [one for one in able if one.english in motive.does_not and tense not in ("intend", "progressive")]
        denied = bool(does_not) and not (does and chooser.happens(0.55))
        if not does and not does_not:
            return None
        verb = chooser.one(does_not if denied else does)
        manner = chooser.manner(verb.traits, tense, subject, denied=float(denied))
        return chooser.verb_clause(verb, subject, manner, caused=True)


def _subjects(adjective: Adjective, *, alive: bool = False) -> Sequence[str]:
    """The groups whose members may be like this; `alive`: leave the weather out."""
    return [group for group in adjective.subjects if not (alive and group == "weather")]


def _groups(subject: Subject) -> set[str]:
    """The groups of a subject; a pronoun is a person of any kind."""
    if subject.noun is None:
        return {"person", "child", "speaker"}
    own = set(subject.noun.groups)
    return own | {"speaker"} if "person" in own else own


def _may_do(subject: Subject, verb: Verb) -> bool:
    return bool(_groups(subject) & set(verb.subjects))


def _may_be(subject: Subject, adjective: Adjective) -> bool:
    """Whether one says so: the honoured are neither hungry nor sleepy in these words."""
    suits = bool(_groups(subject) & set(adjective.subjects))
    return suits and not (subject.honoured and "nohon" in adjective.traits)


def _tenses(verb: Verb, subject: Subject) -> tuple[Tense, ...]:
    """The tenses in which this subject may do this: -겠- is for what I or we intend."""
    if "pastonly" in verb.traits:
        return ("past",)
    intend: tuple[Tense, ...] = ("intend",) if subject.speaking else ()
    going_on: tuple[Tense, ...] = () if "noprog" in verb.traits else ("progressive", "past-progressive")
    return ("past", "present", "future", *intend, *going_on)


def _manner_of_cause(main: Clause) -> Manner:
    return Manner("past" if main.manner.past else "present")
