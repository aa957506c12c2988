"""Random clauses that make sense: who may do what, with which object, where, when, how and with whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from attention_core.training.korean.clauses import Clause, Complement
from attention_core.training.korean.phrases import (
    OBJECT,
    OBJECT_FORMS,
    SIDES,
    Phrase,
    Subject,
    function_words,
    noun_phrase,
    pronoun_phrase,
)
from attention_core.training.korean.predicates import Manner, Tense
from attention_core.training.korean.sentence import English, Piece
from attention_core.training.korean.words import (
    Adjective,
    Noun,
    Place,
    Verb,
    adjectives,
    nouns_of,
    places,
    places_of,
    times,
)

_PEOPLE = ("나", "너", "그", "그녀", "우리", "그들")
_SPEAKERS = ("나", "우리")
_TENSES: dict[Tense, int] = {
    "past": 50,
    "present": 16,
    "future": 14,
    "intend": 4,
    "progressive": 8,
    "past-progressive": 4,
}
_ADVERBS = {"slow": ("천천히", "slowly"), "fast": ("빨리", "quickly"), "hard": ("열심히", "hard")}
_QUIET, _ALONE = ("조용히", "quietly"), ("혼자", "alone")
_VERY = ("아주", "매우")
_ONLY_ON_FLAT = ("on",)

DAYS = ("yesterday", "today", "tomorrow", "now", "morning", "afternoon", "evening", "night", "Saturday", "Sunday")
"""The times, by their last English word, at which the weather or a mood can be a reason."""

T = TypeVar("T")


def _lives_outside(subject: Subject) -> bool:
    """Whether furniture is not for it: cows and lions sit under trees."""
    return isinstance(subject.noun, Noun) and "animal" in subject.noun.groups and "pet" not in subject.noun.groups


def _adverb(korean: str, english: str) -> Phrase:
    piece = Piece(korean, "adverb")
    return Phrase([[piece]], [English(english, "adverb", (piece,))])


@dataclass
class Chooser:
    """Chooses with one seeded generator, so that the same seed makes the same sentences."""

    random: Random

    def one(self, among: Sequence[T]) -> T:
        """Any of these, each as likely."""
        return among[int(self.random.random() * len(among))]

    def happens(self, probability: float) -> bool:
        """Whether something of this probability happens."""
        return self.random.random() < probability

    # ------------------------------------------------------------------------------------------- who

    def subject(self, groups: Sequence[str], tense: Tense = "past") -> Subject:
        """Someone or something of these groups; "speaker": who may say in this tense how they feel."""
        if "speaker" in groups and tense != "past" and not ("weather" in groups and self.happens(0.5)):
            return Subject(pronoun=self.one(_SPEAKERS))
        human = any(group in ("person", "child", "speaker") for group in groups)
        if human and self.happens(0.4):
            return Subject(pronoun=self.one(_PEOPLE))
        group = "person" if (chosen := self.one(groups)) == "speaker" else chosen
        # 집 is "home" where one goes and "house" where one builds: as a subject it would be either.
        stands: list[Noun | Place] = [*nouns_of(group), *(p for p in places_of(group) if p.korean != "집")]
        return self._described(self.one(stands))

    def _described(self, noun: Noun | Place) -> Subject:
        if isinstance(noun, Place) or noun.article == "my" or {"name", "weather"} & set(noun.groups):
            plural = isinstance(noun, Noun) and bool(noun.plural) and "hon" not in noun.traits
            return Subject(noun, plural=plural and self.happens(0.15))
        if {"animal", "person", "baby"} & set(noun.groups):
            plural = bool(noun.plural) and self.happens(0.15)
            determiners = ("그", "이", "저", "우리") if "pet" in noun.groups else ("그", "이")
            chosen = self.one(determiners) if "hon" not in noun.traits and self.happens(0.3) else ""
            return Subject(noun, chosen, plural=plural)
        owned = ("그", "이", "저", "내") if "goods" in noun.groups else ("그", "이")
        return Subject(noun, self.one(owned) if "studied" not in noun.groups and self.happens(0.4) else "")

    # ------------------------------------------------------------------------------------------- what

    def object(self, verb: Verb, subject: Subject) -> Complement:
        """What is read, eaten, met ...: a noun or pronoun of one of the verb's groups, with 을 or 를."""
        preposition, _, group = self.one(verb.objects).rpartition(":")
        if group == "PRON":
            phrase, key = self._object_pronoun(subject)
        elif "goods" in verb.objects and self.happens(0.06):
            phrase, key = pronoun_phrase("그것", OBJECT_FORMS["그것"]), "그것"
        else:
            stands: list[Noun | Place] = [*nouns_of(group), *(places_of(group) if group == "cleaned" else ())]
            noun = self.one([one for one in stands if one is not subject.noun])
            determiner = "" if "bare" in verb.traits else self._determiner(noun)
            phrase, key = noun_phrase(noun, determiner), noun.korean
        marker = phrase.attach(OBJECT)
        phrase.english[:0] = function_words(preposition, marker)
        return Complement("object", phrase, key)

    def _object_pronoun(self, subject: Subject) -> tuple[Phrase, str]:
        same = _SPEAKERS if subject.pronoun in _SPEAKERS else (subject.pronoun,)
        korean = self.one([one for one in _PEOPLE if one not in same])
        return pronoun_phrase(korean, OBJECT_FORMS[korean]), korean

    def _determiner(self, noun: Noun | Place) -> str:
        if (
            isinstance(noun, Place)
            or noun.article == "my"
            or {"name", "studied", "bare"} & set(noun.groups)
            or "hon" in noun.traits
        ):
            return ""
        if {"animal", "person"} & set(noun.groups):
            return self.one(("그", "이")) if self.happens(0.2) else ""
        if {"goods", "owned", "machine"} & set(noun.groups) and self.happens(0.25):
            return self.one(("내", "그의", "그녀의"))
        return self.one(("그", "그", "이", "저")) if self.happens(0.2) else ""

    def _person(self, subject: Subject) -> tuple[Phrase, bool]:
        """Somebody else, for 에게 and 와 함께, and whether they are honoured."""
        if self.happens(0.3):
            return self._object_pronoun(subject)[0], False
        noun = self.one([one for one in nouns_of("person") if one is not subject.noun])
        plural = bool(noun.plural) and "hon" not in noun.traits and self.happens(0.15)
        return noun_phrase(noun, plural=plural), "hon" in noun.traits

    def recipient(self, subject: Subject) -> Complement:
        """To whom: 친구에게, 할머니께."""
        phrase, honoured = self._person(subject)
        phrase.english[:0] = function_words("to", phrase.attach("께" if honoured else "에게"))
        return Complement("recipient", phrase, "")

    def companion(self, subject: Subject) -> Complement:
        """With whom: 친구와, 동생과 함께."""
        phrase, _ = self._person(subject)
        sources = [phrase.attach("과/와")]
        if self.happens(0.6):
            sources.append(Piece("함께", "adverb"))
            phrase.korean.append([sources[-1]])
        phrase.english[:0] = function_words("with", *sources)
        return Complement("companion", phrase, "")

    # ------------------------------------------------------------------------------------------- where

    def place(self, verb: Verb, subject: Subject) -> Complement:
        """Where it happens or where one goes, by one of the verb's groups (see `Verb`)."""
        spec = self.one(verb.places)
        kind = spec[0] if spec[0] in ">@=!+" else ""
        group = spec.lstrip(">@=!+")
        if "+" in spec:
            return self.spot("outside" if _lives_outside(subject) else group, still=kind == "!")
        if group == "home" and _lives_outside(subject):
            group = "out"
        place = self.one(places_of(group))
        if kind == ">" and "toward" in verb.traits and self.happens(0.2):
            phrase = noun_phrase(place)
            phrase.english[:0] = function_words("toward", phrase.attach("으로/로"))
            return Complement("place", phrase, place.korean)
        return self.at(place, kind)

    def at(self, place: Place, kind: str = "!") -> Complement:
        """A place with its particle and preposition: 학교에서 "at school", 학교에 "to school", 집에 "home"."""
        phrase = noun_phrase(place)
        marker = phrase.attach("에" if kind else "에서")
        preposition = {">": "to", "=": ""}.get(kind, place.preposition)
        if place.korean == "집" and kind in (">", "@"):
            preposition = ""
        phrase.english[:0] = function_words(preposition, marker)
        return Complement("place", phrase, place.korean)

    def spot(self, group: str, *, still: bool) -> Complement:
        """Beside, on or under a thing: 소파 위에 (`still`: being there), 소파 위에서 (doing something there)."""
        noun = self.one(nouns_of(group))
        traits = [trait for trait in noun.traits if group != "flat" or trait in _ONLY_ON_FLAT]
        trait = self.one(traits)
        side, preposition = next((ko, en) for ko, (name, en) in SIDES.items() if name == trait)
        phrase = noun_phrase(noun, "그" if self.happens(0.1) else "", article="the")
        piece = Piece(side, "side")
        phrase.korean.append([piece])
        phrase.attach("에" if still else "에서")
        phrase.english[:0] = function_words(preposition, piece)
        return Complement("place", phrase, noun.korean)

    def vehicle(self, place: str) -> Complement | None:
        """By what one goes to a place, None where nothing goes."""
        groups = next((one.groups for one in places() if one.korean == place), ())
        ways = [*nouns_of("ride"), *nouns_of("fly")] if "trip" in groups else nouns_of("ride")
        if not {"town", "trip"} & set(groups):
            return None
        phrase = noun_phrase(self.one(ways), article="")
        phrase.english[:0] = function_words("by", phrase.attach("으로/로"))
        return Complement("vehicle", phrase, "")

    # ------------------------------------------------------------------------------------------- when and how

    def tense(self, accepted: Sequence[Tense] = tuple(_TENSES)) -> Tense:
        """One of these tenses, the past most often."""
        return self.random.choices(accepted, [_TENSES[one] for one in accepted])[0]

    def time(self, tense: Tense, among: Sequence[str] = ()) -> Complement | None:
        """When, in words that go with the tense; None where there are none. `among`: only these English words."""
        fitting = [one for one in times() if tense in one.tenses]
        if among:
            fitting = [one for one in fitting if one.english[-1][0] in among]
        if not fitting:
            return None
        chosen = self.one(fitting)
        phrase = Phrase()
        for parts in chosen.korean:
            phrase.korean.append([Piece(parts[0], "time"), *(Piece(text, "particle") for text in parts[1:])])
        # "next week" is 다음 주에, word by word; in "every day" both words are 매일.
        own = [parts[0] for parts in phrase.korean]
        content = [word for word, is_content in chosen.english if is_content]
        for word, is_content in chosen.english:
            source = own[content.index(word)] if is_content and len(own) == len(content) else own[0]
            pieces = (source,) if is_content else tuple(phrase.korean[-1][1:])
            phrase.english.append(English(word, "time" if is_content else "preposition", pieces))
        return Complement("time", phrase, "")

    def manner(self, traits: Sequence[str], tense: Tense, subject: Subject, denied: float = 0.18) -> Manner:
        """How it is said: sometimes negated, with 안 only where that is natural."""
        continuous = tense in ("progressive", "past-progressive")
        apart = self.happens(0.4)
        if not self.happens(denied) or (continuous and subject.honoured):
            return Manner(tense, apart=apart)
        short = "an" in traits and not continuous and self.happens(0.5)
        return Manner(tense, "안" if short else "않", apart=apart)

    # ------------------------------------------------------------------------------------------- clauses

    def verb_clause(
        self, verb: Verb, subject: Subject, manner: Manner, *, brief: bool = False, caused: bool = False
    ) -> Clause:
        """Somebody does something; `brief`: and nothing that could be left out; `caused`: on some day, not all year."""
        parts: list[Complement | None] = []
        moving = bool(verb.places) and verb.places[0][0] in ">@=!"
        if verb.objects:
            parts.append(self.object(verb, subject))
        if "TO" in verb.traits and self.happens(0.8):
            parts.append(self.recipient(subject))
        if verb.places and (moving or (not brief and self.happens(0.4))):
            parts.append(self.place(verb, subject))
        if not brief:
            to = parts[-1] if moving else None
            # 로 says both "by" and "toward": once a sentence is enough.
            destination = to.key if to and to.phrase.korean[-1][-1].text not in ("로", "으로") else ""
            parts.append(self._how(verb, subject, manner, destination))
            timed = "notime" not in verb.traits and self.happens(0.4)
            parts.append(self.time(manner.tense, DAYS if caused else ()) if timed else None)
        return Clause(subject, manner, verb=verb, complements=[part for part in parts if part])

    def _how(self, verb: Verb, subject: Subject, manner: Manner, destination: str) -> Complement | None:
        """At most one of: by what, with whom, in which way."""
        if "ride" in verb.traits and self.happens(0.25):
            return self.vehicle(destination)
        if {"with", "cowalk"} & set(verb.traits) and self.happens(0.25):
            return self.companion(subject)
        ways = [way for trait, way in _ADVERBS.items() if trait in verb.traits]
        ways += [_QUIET] if "quiet" in verb.traits else []
        ways += [_ALONE] if "with" in verb.traits and subject.agreement != "they" else []
        if manner.negation or not ways or not self.happens(0.25):
            return None
        return Complement("adverb", _adverb(*self.one(ways)), "")

    def adjective_clause(self, adjective: Adjective, subject: Subject, manner: Manner) -> Clause:
        """Somebody or something is like that, sometimes very."""
        very = not manner.negation and self.happens(0.2)
        parts = [Complement("degree", _adverb(self.one(_VERY), "very"), "")] if very else []
        feeling = "feel" in adjective.traits or "weather" in adjective.subjects
        when = self.time(manner.tense, ("yesterday", "today", "tomorrow")) if self.happens(0.3) and feeling else None
        return Clause(subject, manner, adjective=adjective, complements=[*parts, *([when] if when else [])])

    def adjective(self, english: str = "") -> Adjective:
        """Any adjective, or one by its English word."""
        return self.one([one for one in adjectives() if english in ("", one.english)])
