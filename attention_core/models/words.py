"""Words that a small model with a closed vocabulary does not know, and known words that are near them."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any

from tokenizers import Tokenizer

from attention_core.errors import UnknownWordsError, WrongLanguageError

NEAR = 0.75
SUGGESTED = 3
NAMED = 12
LONGEST = 40  # characters of a word that is looked up or named
_CONTINUES = "##"
# Particles by the last letter of what they follow: with a final consonant, without one.
_PARTICLES = (("은", "는"), ("이", "가"), ("을", "를"), ("과", "와"), ("으로", "로"))
# What may follow a noun: what follows a verb is part of it, and would make words that there are not.
_AFTER_NOUNS = {form for pair in _PARTICLES for form in pair} | {"에", "에서", "의", "께서", "께서는", "에게"}
_POLITE = ("습니다", "습니까", "어요", "아요", "해요", "에요", "예요", "ㅂ니다", "니다", "요")
_PAST = "\u11bb"  # the double s that ends 갔, 먹었, 했


_HANGUL = re.compile("[\uac00-\ud7a3\u1100-\u11ff\u3131-\u318e]")  # syllables, and letters that stand alone


def refuse_unknown(tokenizer: Tokenizer, text: str, encoding: Any) -> None:
    """An UnknownWordsError for the words of the text that came out as unknown, with what is near them."""
    unknown = _unknown_id(tokenizer)
    spans = [span for number, span in zip(encoding.ids, encoding.offsets, strict=True) if number == unknown]
    if not spans:
        return
    found = dict.fromkeys(text[slice(*span)] for span in spans)
    words = [word if len(word) <= LONGEST else word[: LONGEST - 1] + "…" for word in list(found)[:NAMED]]
    pieces = set(tokenizer.get_vocab(with_added_tokens=False))
    special = {token.content for token in tokenizer.get_added_tokens_decoder().values()}
    known = sorted(piece for piece in pieces - special if not piece.startswith(_CONTINUES))
    endings = {piece.removeprefix(_CONTINUES) for piece in pieces if piece.startswith(_CONTINUES)}
    polite = _script(words[0]) == "ko" and words[0].endswith(_POLITE)
    near = _plain(words[0], set(known), endings) or suggest(words[0], known, endings)
    raise UnknownWordsError(words, near, _some(known, words[0]), polite=polite)


def refuse_language(text: str, what: str, language: str) -> None:
    """A WrongLanguageError unless the letters of the text are those of this language, "ko" or "en"."""
    letters = {_script(char) for char in text if char.isalpha()}
    if letters and letters != {"ko" if language == "ko" else "other"}:
        raise WrongLanguageError(what, language)


def _plain(word: str, known: set[str], endings: set[str]) -> list[str]:
    """A polite word in the plain style, where that is one of the known: 갔습니다 and 갔어요 are 갔다."""
    for ending in ("습니다", "어요"):
        stem = word.removesuffix(ending)
        past = stem != word and unicodedata.normalize("NFD", stem)[-1:] == _PAST
        if past and any(begin in known for begin, _ in _splits(stem, endings)):
            return [stem + "다"]
    return []


def suggest(word: str, known: Sequence[str], endings: set[str]) -> list[str]:
    """Known words that are near this one, the nearest first, with the endings that this one carries.

    Near by what two words share of their letters; Korean syllables count as the letters that they are made of. None
    for a word longer than any that people write.
    """
    found: dict[str, float] = {}
    if len(word) >= LONGEST:
        return []
    for stem, rest in _splits(word, endings):
        if rest and rest not in _AFTER_NOUNS:
            continue
        letters = _letters(stem)
        matcher = SequenceMatcher(b=letters, autojunk=False)
        for candidate in known:
            theirs = _letters(candidate)
            matcher.set_seq1(theirs)
            if _script(candidate) != _script(stem) or matcher.real_quick_ratio() < NEAR:
                continue
            ratio = matcher.ratio()
            if ratio < NEAR:
                continue
            # Letters alone would prefer a word that merely holds the same ones: the beginning tells words apart.
            ratio += 0.1 if theirs[:1] == letters[:1] else 0.0
            whole = candidate + _fitting(candidate, rest)
            found[whole] = max(found.get(whole, 0.0), ratio)
    return sorted(found, key=lambda one: (-found[one], one))[:SUGGESTED]


def _unknown_id(tokenizer: Tokenizer) -> int | None:
    token = getattr(tokenizer.model, "unk_token", None)
    return None if token is None else tokenizer.token_to_id(token)


def _splits(word: str, endings: set[str]) -> Iterator[tuple[str, str]]:
    """The word as stem and endings in every way that its endings allow; the whole word first."""
    yield word, ""
    for cut in range(len(word) - 1, 0, -1):
        if _is_chain(word[cut:], endings):
            yield word[:cut], word[cut:]


def _is_chain(rest: str, endings: set[str]) -> bool:
    """Whether this is made of endings, the longest one first as the tokenizer takes them."""
    while rest:
        longest = next((rest[:size] for size in range(len(rest), 0, -1) if rest[:size] in endings), "")
        if not longest:
            return False
        rest = rest[len(longest) :]
    return True


def _fitting(stem: str, rest: str) -> str:
    """The particle in the form that this stem wants: 학교 takes 는, 학생 takes 은."""
    final = unicodedata.normalize("NFD", stem)[-1:] >= "\u11a8" if _script(stem) == "ko" else False
    for closed, opened in _PARTICLES:
        if rest in (closed, opened):
            return closed if final else opened
    return rest


def _letters(word: str) -> str:
    return unicodedata.normalize("NFD", word.lower())


def _script(word: str) -> str:
    return "ko" if any(_HANGUL.match(char) for char in word) else "other"


def _some(known: Sequence[str], word: str) -> list[str]:
    """A few known words of the same script, spread over the alphabet."""
    same = [one for one in known if _script(one) == _script(word) and len(one) > 1]
    # Of a Korean verb the vocabulary holds stems, 가르치 and 가르쳤, that are no words yet: they share a beginning.
    begun = Counter(one[:-1] for one in same)
    whole = [one for one in same if len(one) > 2 and begun[one[:-1]] == 1] if _script(word) == "ko" else same
    named = whole or same or list(known)
    return named[:: max(1, len(named) // NAMED)][:NAMED]
