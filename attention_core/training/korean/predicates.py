"""What is said of the subject, in both languages: tense, negation, honour; and the endings that join two clauses."""

from dataclasses import dataclass, field, replace
from typing import Literal

from attention_core.training.korean.hangul import Pieces, Stem
from attention_core.training.korean.sentence import English, Piece, Word
from attention_core.training.korean.words import Verb

Tense = Literal["past", "present", "future", "intend", "progressive", "past-progressive"]
Ending = Literal["다", "서", "기"]
"""다 ends a sentence; 서 is -아서/-어서, "because" without a tense of its own; 기 is followed by 때문."""

_NOT = Stem("않")
_BE = {"I": ("am", "was"), "he": ("is", "was"), "she": ("is", "was"), "it": ("is", "was")}
_ARE = ("are", "were")
_THIRD = ("he", "she", "it")


@dataclass(frozen=True)
class Manner:
    """How a predicate is said: its tense, its negation ("안" before it, "않" after it, "" none), its honour."""

    tense: Tense = "past"
    negation: str = ""
    honoured: bool = False
    apart: bool = False  # 보았다 rather than 봤다

    @property
    def past(self) -> bool:
        """Whether English puts it in the past."""
        return self.tense in ("past", "past-progressive")


@dataclass
class Conjugated:
    """A predicate's Korean words, and the pieces that its English words stand for."""

    words: list[Word]
    stem: Piece
    negation: tuple[Piece, ...] = ()
    tense: tuple[Piece, ...] = ()
    link: tuple[Piece, ...] = field(default=())


def _word(pieces: Pieces, role: str) -> Word:
    return [Piece(pieces[0], role), *(Piece(text, "ending") for text in pieces[1:])]


def _finite(stem: Stem, manner: Manner, ending: Ending, *, descriptive: bool) -> tuple[Pieces, bool]:
    """The stem with tense, honour and ending, and whether 것이다 has to follow; `descriptive`: as adjectives do."""
    honoured = manner.honoured
    if ending == "서":
        return stem.honoured("셔서") if honoured else stem.because(), False
    if manner.past:
        return (*(stem.honoured("셨") if honoured else stem.past(apart=manner.apart)), ending), False
    if ending == "기" or (descriptive and manner.tense in ("present", "progressive")):
        return (*stem.honoured("시"), ending) if honoured else stem.before(ending), False
    if manner.tense == "future":
        return stem.honoured("실") if honoured else stem.future(), True
    if manner.tense == "intend":
        return (*stem.before("겠"), "다"), False
    return stem.honoured("신다") if honoured else stem.present(), False


def _fillers(manner: Manner, stem: Stem, descriptive: bool) -> tuple[list[tuple[Pieces, str]], Stem, bool]:
    """The words before the one that carries the tense, with their roles; that one's stem, and how it behaves."""
    before: list[tuple[Pieces, str]] = []
    if manner.tense in ("progressive", "past-progressive"):
        before.append((stem.before("고"), "stem"))
        # 있다 itself is honoured by another word, and only that one is conjugated like a verb.
        stem, descriptive = (Stem("계", "시"), False) if manner.honoured else (Stem("있"), True)
    if manner.negation == "않":
        before.append((stem.before("지"), "auxiliary" if before else "stem"))
        stem = _NOT
    return before, stem, descriptive


def conjugate(stem: Stem, role: str, manner: Manner, ending: Ending = "다", *, final: bool = False) -> Conjugated:
    """A verb or adjective in Korean; with 기, 때문에 follows, or 때문이다 when `final`."""
    first = [[Piece("안", "negation")]] if manner.negation == "안" else []
    before, last, descriptive = _fillers(manner, stem, role == "adjective")
    pieces, coming = _finite(last, manner, ending, descriptive=descriptive)
    # The carrier of the tense is the stem itself, the auxiliary 있다, or the negation 않다.
    own = "stem" if last is stem else "negation" if last is _NOT else "auxiliary"
    words = [_word(part, role if kind == "stem" else kind) for part, kind in [*before, (pieces, own)]]
    words[-1][0] = Piece(words[-1][0].text, role if own == "stem" else own)
    tense = tuple(words[-1][1:]) or (words[-1][0],)
    link: tuple[Piece, ...] = (words[-1][-1],) if ending == "서" else ()
    start = words[0][0]
    if coming:
        words.append(_word(("것", "이", "다"), "auxiliary"))
        tense = (words[-1][0], *tense)
    if ending == "기":
        words.append(_word(("때문", "이", "다") if final else ("때문", "에"), "because"))
        link = (words[-1][0], words[-2][-1], words[-1][1])
    negation = (first[0][0],) if first else (words[len(before)][0],) if last is _NOT else ()
    return Conjugated([*first, *words], start, negation, tense, link)


def be(agreement: str, *, past: bool) -> str:
    """The form of *be* that goes with a subject pronoun."""
    return _BE.get(agreement, _ARE)[past]


def _auxiliary(text: str, conjugated: Conjugated) -> list[English]:
    """An auxiliary, and *not* where the Korean is negated."""
    words = [English(text, "auxiliary", conjugated.tense)]
    if conjugated.negation:
        words.append(English("not", "not", conjugated.negation))
    return words


def english_verb(verb: Verb, agreement: str, manner: Manner, conjugated: Conjugated) -> list[English]:
    """The English verb with its auxiliaries: "went", "does not go", "will go", "is going"."""
    main = (conjugated.stem,)
    if manner.tense in ("progressive", "past-progressive"):
        helper = be(agreement, past=manner.past)
        return [*_auxiliary(helper, conjugated), English(verb.progressive, "verb", main)]
    if manner.tense in ("future", "intend"):
        return [*_auxiliary("will", conjugated), English(verb.english, "verb", main)]
    third = agreement in _THIRD
    if manner.negation:
        helper = "did" if manner.past else "does" if third else "do"
        return [*_auxiliary(helper, conjugated), English(verb.english, "verb", main)]
    return [English(verb.past if manner.past else verb.present if third else verb.english, "verb", main)]


def english_be(agreement: str, manner: Manner, conjugated: Conjugated) -> list[English]:
    """The English copula: "is", "was not", "will be", "will not be"."""
    if manner.tense in ("future", "intend"):
        return [*_auxiliary("will", conjugated), English("be", "auxiliary", conjugated.tense)]
    return _auxiliary(be(agreement, past=manner.past), conjugated)


def without_tense(manner: Manner) -> Manner:
    """The manner of an English clause whose Korean ending -아서 has no tense: past in the past, else present."""
    return replace(manner, tense="past" if manner.past else "present")
