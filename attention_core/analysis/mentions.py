"""Mentions: the pronouns of a text and what they might mean, by a small rule; a suggestion, never an answer."""

import re
from dataclasses import dataclass

from attention_core.analysis.words import HANGUL, PARTICLES, Positions, groups_of, spelled
from attention_core.tokens import Tokens


def _listed(*lines: str) -> frozenset[str]:
    """The words of some lines."""
    return frozenset(word for line in lines for word in line.split())


_ENGLISH = _listed(
    "it its itself he him his himself she her hers herself they them their theirs themselves who whom whose which",
    "this that these those",
)
# Words that name nothing: a noun is what is left, which a small rule gets wrong at times.
_FUNCTION = _ENGLISH | _listed(
    "a an the and or but nor so yet if because since although though while when where why how as than then once",
    "i me my mine myself we us our ours ourselves you your yours yourself yourselves one ones",
    "of in on at by for from to into onto with without about over under after before behind between through during",
    "near out up down off above below across along around against among until upon within toward towards",
    "is am are was were be been being do does did doing done have has had having will would shall should can could",
    "may might must not no yes never ever very too also just only even still again more most much many some any each",
    "every all both few other another such own same here there now today yesterday tomorrow always often",
    "what whatever whoever s t re ve ll d m",
)
_VERBLIKE = re.compile(r"(?:ed|ing|ly|ous|ful|ive|able|ible)\Z")
_IRREGULAR = _listed(
    "sat ran went came saw said told gave took made got put let knew thought felt left kept held brought bought fell",
    "stood lay slept ate drank wrote read spoke heard found lost won met sent paid built broke threw caught taught",
    "asked fit fits tired soft big small old new good bad long short hot cold happy sad red blue green white black",
    "young empty full heavy dark whole great little large",
)
_KOREAN_PRONOUNS = (
    "그것들", "이것들", "저것들", "그녀들", "자기들", "그분들", "그녀", "그것", "이것", "저것", "그들", "이들", "저들",
    "그분", "이분", "저분", "자기", "자신", "당신", "그이", "그", "이", "저",
)  # fmt: skip


@dataclass(frozen=True)
class Mentions:
    """Words of the source by their positions, in the order of the text: pronouns, and what one might mean."""

    pronouns: tuple[Positions, ...]
    candidates: tuple[Positions, ...]


def mentions(tokens: Tokens) -> Mentions:
    """The pronouns and the noun-like words of a text in English or Korean; empty for other scripts."""
    pronouns, candidates = [], []
    for group in groups_of(tokens):
        what = _sort(spelled(tokens, group))
        if what == "pronoun":
            pronouns.append(group)
        elif what == "noun":
            candidates.append(group)
    return Mentions(tuple(pronouns), tuple(candidates))


def _sort(word: str) -> str:
    """"pronoun", "noun" or "other"."""
    if not word or not word[0].isalpha():
        return "other"
    return _korean(word) if HANGUL.match(word) else _english(word.lower())


def _english(word: str) -> str:
    if word in _ENGLISH:
        return "other" if word in ("this", "that", "these", "those", "which", "who", "whom", "whose") else "pronoun"
    if not word.isascii() or len(word) < 2 or word in _FUNCTION or word in _IRREGULAR or _VERBLIKE.search(word):
        return "other"
    return "noun"


def _korean(word: str) -> str:
    """By its particle: a word without one is a predicate or an adverb more often than a noun."""
    for pronoun in _KOREAN_PRONOUNS:
        rest = word.removeprefix(pronoun)
        if rest != word and (rest in PARTICLES or (not rest and len(pronoun) > 1)):
            return "pronoun"
    endings = [particle for particle in PARTICLES if word.endswith(particle) and len(word) > len(particle)]
    return "noun" if endings else "other"
