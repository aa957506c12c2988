"""One clause: a subject, what it does or is, where, when and with whom, in Korean order and in English order."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from attention_core.training.korean.hangul import Stem, final_of
from attention_core.training.korean.phrases import Phrase, Subject, noun_phrase
from attention_core.training.korean.predicates import (
    Conjugated,
    Ending,
    Manner,
    conjugate,
    english_be,
    english_verb,
    without_tense,
)
from attention_core.training.korean.sentence import English, Piece, Word
from attention_core.training.korean.words import Adjective, Noun, Verb

_KOREAN_ORDER = ("time", "companion", "vehicle", "place", "recipient", "object", "adverb", "degree")
_ENGLISH_ORDER = ("object", "recipient", "adverb", "place", "companion", "vehicle", "time")


@dataclass(frozen=True)
class Complement:
    """Something beside subject and predicate: its slot in the sentence, its words, the word it is counted by."""

    slot: str
    phrase: Phrase
    key: str


@dataclass
class Spoken:
    """A clause put into words: Korean without the subject, English with and without it, and what joins clauses."""

    time: list[Word]
    korean: list[Word]
    english: list[English]
    link: tuple[Piece, ...]


@dataclass(frozen=True)
class Clause:
    """What is said of a subject. Exactly one of verb, adjective, job (is a doctor) and `being` (is there) is given.

    `being` is the Korean stem 있, or 없 for what is not there.
    """

    subject: Subject
    manner: Manner
    verb: Verb | None = None
    adjective: Adjective | None = None
    job: Noun | None = None
    being: str = ""
    complements: Sequence[Complement] = field(default=())

    @property
    def combination(self) -> tuple[str, str, str]:
        """Subject, predicate and first object or place: what is held out is held out by these."""
        predicate = self.job or self.verb or self.adjective
        name = predicate.korean if isinstance(predicate, Noun) else predicate.stem.text if predicate else self.being
        told = [one.key for one in self.complements if one.slot in ("object", "place")]
        return self.subject.key, name, told[0] if told else "-"

    def speak(self, ending: Ending = "다", *, final: bool = False, agreement: str = "") -> Spoken:
        """The clause with this ending; `agreement` is the English subject's pronoun where it is not the subject's."""
        agreement = agreement or self.subject.agreement
        korean: list[Word] = []
        slots: dict[str, Phrase] = {}
        for slot in _KOREAN_ORDER:
            for one in self.complements:
                if one.slot == slot:
                    slots[slot] = one.phrase
                    korean.extend(one.phrase.korean if slot != "time" else [])
        degree = slots["degree"].english if "degree" in slots else []
        conjugated, said = self._predicate(agreement, ending, final, degree)
        for slot in _ENGLISH_ORDER:
            said.extend(slots[slot].english if slot in slots else [])
        time = slots["time"].korean if "time" in slots else []
        return Spoken(time, [*korean, *conjugated.words], said, conjugated.link)

    def _predicate(
        self, agreement: str, ending: Ending, final: bool, degree: list[English]
    ) -> tuple[Conjugated, list[English]]:
        """The predicate in both languages; adverbs and places follow in English."""
        manner = replace(self.manner, honoured=self.subject.honoured)
        english = without_tense(manner) if ending == "서" else manner
        if self.verb is not None:
            verb = _other_stem(self.verb, "hon:") if manner.honoured else self.verb
            if any(one.slot == "recipient" and one.phrase.korean[-1][-1].text == "께" for one in self.complements):
                verb = _other_stem(verb, "hon-to:")
            conjugated = conjugate(verb.stem, "verb", manner, ending, final=final)
            return conjugated, english_verb(verb, agreement, english, conjugated)
        if self.adjective is not None:
            stem = _honoured_stem(self.adjective) if manner.honoured else self.adjective.stem
            conjugated = conjugate(stem, "adjective", manner, ending, final=final)
            said = [*english_be(agreement, english, conjugated), *degree]
            return conjugated, [*said, English(self.adjective.english, "adjective", (conjugated.stem,))]
        if self.job is not None:
            return _is_a(self.job, agreement, manner)
        return _is_there(self.being, agreement, manner, ending, final)


def _other_stem(verb: Verb, prefix: str) -> Verb:
    """The verb with the other stem that a trait gives it: 드리 for 주, 드시 for 먹 and 마시, 주무시 for 자."""
    stems = [trait.removeprefix(prefix) for trait in verb.traits if trait.startswith(prefix)]
    if not stems:
        return verb
    text = stems[0].removesuffix("시")
    return replace(verb, stem=Stem(text, "-" if text == stems[0] else "시"))


def _honoured_stem(adjective: Adjective) -> Stem:
    """편찮으시다 for 아프다."""
    named = [trait.removeprefix("hon:") for trait in adjective.traits if trait.startswith("hon:")]
    return Stem(named[0]) if named else adjective.stem


def _is_a(job: Noun, agreement: str, manner: Manner) -> tuple[Conjugated, list[English]]:
    """학생이다, 의사였다, 가수가 아니다: "is a student", "was a doctor", "is not a singer"."""
    phrase = noun_phrase(job)
    stem = phrase.korean[0][0]
    negation: tuple[Piece, ...] = ()
    if manner.negation:
        phrase.attach("이/가")
        # 아니었다 is never contracted in writing.
        word = [Piece(text, "ending") for text in (("아니", "었", "다") if manner.past else ("아니", "다"))]
        word[0] = Piece("아니", "negation")
        phrase.korean.append(word)
        tense, negation = tuple(word[1:]), (word[0],)
    else:
        after_vowel = not final_of(job.korean)
        endings = ("이", "다") if not manner.past else ("였", "다") if after_vowel else ("이", "었", "다")
        tense = tuple(phrase.attach(text, "ending") for text in endings)
    conjugated = Conjugated(phrase.korean, stem, negation, tense)
    article = "an" if job.english[0] in "aeiou" else "a"
    said = english_be(agreement, manner, conjugated)
    return conjugated, [*said, English(article, "article"), English(job.english, "noun", (stem,))]


def _is_there(
    being: str, agreement: str, manner: Manner, ending: Ending, final: bool
) -> tuple[Conjugated, list[English]]:
    """있다, 없다, 계시다, 안 계시다: "is", "is not"."""
    absent = being == "없"
    if manner.honoured:
        stem, manner = Stem("계", "시"), replace(manner, negation="안" if absent else "")
    else:
        stem = Stem(being)
    role = "verb" if manner.honoured else "adjective"
    conjugated = conjugate(stem, role, manner, ending, final=final)
    conjugated.tense = (conjugated.stem, *conjugated.tense)
    if absent and not conjugated.negation:
        conjugated.negation = (conjugated.stem,)
    return conjugated, english_be(agreement, manner, conjugated)
