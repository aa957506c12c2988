"""Noun phrases in both languages: nouns with their determiners, pronouns, and the particles that follow them."""

from dataclasses import dataclass, field

from attention_core.training.korean.hangul import particle
from attention_core.training.korean.sentence import English, Piece, Word
from attention_core.training.korean.words import Noun, Place

TOPIC, SUBJECT, OBJECT = "은/는", "이/가", "을/를"

DETERMINERS = {"그": "the", "이": "this", "저": "that", "내": "my", "우리": "our", "그의": "his", "그녀의": "her"}
_SEVERAL = {"this": "these", "that": "those"}

OBJECT_FORMS = {
    "나": "me",
    "너": "you",
    "그": "him",
    "그녀": "her",
    "우리": "us",
    "그들": "them",
    "그것": "it",
}
SUBJECT_FORMS = {"나": "I", "너": "you", "그": "he", "그녀": "she", "우리": "we", "그들": "they", "그것": "it"}
KOREAN_PRONOUNS = {english: korean for korean, english in SUBJECT_FORMS.items()}
_BEFORE_GA = {"나": "내", "너": "네"}  # 내가, 네가
SIDES = {
    "위": ("on", "on"),
    "아래": ("under", "under"),
    "옆": ("beside", "beside"),
    "앞": ("front", "in front of"),
    "뒤": ("behind", "behind"),
    "안": ("in", "in"),
}
"""Beside a thing: the Korean noun, the trait of what has such a side, the English preposition."""


@dataclass
class Phrase:
    """Some Korean words and the English ones that they become; what follows may still be attached."""

    korean: list[Word] = field(default_factory=list)
    english: list[English] = field(default_factory=list)

    def attach(self, text: str, role: str = "particle") -> Piece:
        """The piece that now ends the last word: a particle by both its forms ("은/는"), or as it is ("에서")."""
        if "/" in text:
            text = particle(self.korean[-1][-1].text, text)
        piece = Piece(text, role)
        self.korean[-1].append(piece)
        return piece


def function_words(text: str, *sources: Piece, role: str = "preposition") -> list[English]:
    """The words of a text ("in front of") that all stand for the same pieces."""
    return [English(word, role, sources) for word in text.split()]


def noun_phrase(
    noun: Noun | Place, determiner: str = "", *, plural: bool = False, article: str | None = None
) -> Phrase:
    """A noun as it stands in a sentence: 그 책 "the book", 책 "a book", 학생들 "the students", 할머니 "my grandmother".

    Korean has no articles: the noun's own is taken, unless `article` says otherwise.
    """
    article = noun.article if article is None else article
    role = "place" if isinstance(noun, Place) else "name" if "name" in noun.groups else "noun"
    piece = Piece(noun.korean, role)
    phrase = Phrase([[piece]])
    if plural:
        phrase.attach("들", "plural")
    several = plural or (isinstance(noun, Noun) and "pl" in noun.traits)
    if determiner:
        parts = [Piece(determiner.removesuffix("의"), "determiner")]
        if determiner.endswith("의"):
            parts.append(Piece("의", "particle"))
        phrase.korean.insert(0, parts)
        word = DETERMINERS[determiner]
        word = _SEVERAL.get(word, word) if several else word
        phrase.english.append(English(word, "determiner", (parts[0],)))
    elif article:
        phrase.english.append(English(article, "article"))
    word = noun.plural if plural and isinstance(noun, Noun) else noun.english
    phrase.english.append(English(word, role, (piece,)))
    return phrase


def pronoun_phrase(korean: str, form: str) -> Phrase:
    """A pronoun and what it is called in English there: ("나", "me")."""
    piece = Piece(korean, "pronoun")
    return Phrase([[piece]], [English(form, "pronoun", (piece,))])


@dataclass(frozen=True)
class Subject:
    """Who or what a sentence is about: a noun with its determiner and number, or a pronoun."""

    noun: Noun | Place | None = None
    determiner: str = ""
    plural: bool = False
    pronoun: str = ""

    @property
    def key(self) -> str:
        """The word by which combinations are counted."""
        return self.pronoun or f"{self.noun.korean if self.noun else ''}{'들' if self.plural else ''}"

    @property
    def honoured(self) -> bool:
        """Whether its verbs take -시-."""
        return "hon" in self._traits

    @property
    def reference(self) -> str:
        """The English pronoun that takes it up again, "" where Korean does not say which (학생: he or she)."""
        if self.noun is None:
            return SUBJECT_FORMS[self.pronoun]
        if self.plural:
            return "they"
        return next((trait for trait in self._traits if trait in ("he", "she", "it")), "")

    @property
    def agreement(self) -> str:
        """A pronoun with the same verb forms."""
        return "they" if "pl" in self._traits else self.reference or "it"

    @property
    def _traits(self) -> tuple[str, ...]:
        return self.noun.traits if isinstance(self.noun, Noun) else ()

    @property
    def _article(self) -> str | None:
        """What is spoken of is known: "the book was long", "the school is quiet"; Seoul and math stay bare."""
        if self.noun is None or self.noun.english[0].isupper():
            return None
        if isinstance(self.noun, Place):
            return "the"
        named = self.noun.article in ("the", "my") or "studied" in self.noun.groups
        return None if named else "the"

    @property
    def speaking(self) -> bool:
        """Whether it is I or we, who alone may tell in the present how they feel."""
        return self.pronoun in ("나", "우리")

    def phrase(self, marker: str) -> Phrase:
        """The subject with its marker: "은/는", "이/가", or for those honoured also "께서" and "께서는"."""
        if self.noun is None:
            korean = _BEFORE_GA.get(self.pronoun, self.pronoun) if marker == SUBJECT else self.pronoun
            phrase = pronoun_phrase(korean, SUBJECT_FORMS[self.pronoun])
        else:
            phrase = noun_phrase(self.noun, self.determiner, plural=self.plural, article=self._article)
        for part in ("께서", "는") if marker == "께서는" else (marker,):
            phrase.attach(part)
        return phrase

    def again(self) -> "Subject":
        """The pronoun that takes the subject up again (itself, for a pronoun)."""
        return Subject(pronoun=KOREAN_PRONOUNS[self.reference])
