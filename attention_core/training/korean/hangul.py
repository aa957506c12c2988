"""Korean word forms: particles that fit the sound before them, and conjugation, split where pieces are split.

A form is a tuple of pieces. Where an ending melts into the stem's last syllable, that syllable stays with the
stem, because a syllable is the smallest thing one can read: 가다 gives 간·다, 갔·다, 갈, 가·서; 먹다 gives 먹·는다,
먹·었·다, 먹·을, 먹·어서; 피곤하다 gives 피곤·하·다, 피곤·했·다, 피곤·할, 피곤·해서. The rules are those of any grammar
of Korean (vowel harmony, contraction, and the irregular stems in ㄷ, ㅂ, ㅅ, 르, 으, ㄹ and 하).
"""

from dataclasses import dataclass
from typing import Literal

from attention_core.errors import InputError

Pieces = tuple[str, ...]
StemClass = Literal["-", "ㄷ", "ㅂ", "ㅅ", "르", "으", "ㄹ", "하", "시"]

_FIRST, _VOWELS, _FINALS = 0xAC00, 21, 28
_N, _L, _B, _SS = 4, 8, 17, 20  # where the finals ㄴ, ㄹ, ㅂ and ㅆ stand among the 28
_A, _AE, _EO, _E, _YEO, _O, _WA, _U, _WEO, _EU, _I = 0, 1, 4, 5, 6, 8, 9, 13, 14, 18, 20  # among the 21 vowels
_BRIGHT = (_A, 2, _O)  # ㅏ ㅑ ㅗ
_ALSO_APART = ("보", "주")


def _parts(syllable: str) -> tuple[int, int, int]:
    """The numbers of a syllable's initial, vowel and final (0: none)."""
    code = ord(syllable) - _FIRST
    if not 0 <= code < 19 * _VOWELS * _FINALS:
        raise InputError(f"{syllable!r} is not a Hangul syllable")
    return code // (_VOWELS * _FINALS), code // _FINALS % _VOWELS, code % _FINALS


def _syllable(initial: int, vowel: int, final: int = 0) -> str:
    return chr(_FIRST + (initial * _VOWELS + vowel) * _FINALS + final)


def final_of(word: str) -> int:
    """The number of the consonant that the word ends in, 0 for a vowel."""
    return _parts(word[-1])[2]


def _with_final(word: str, final: int) -> str:
    initial, vowel, _ = _parts(word[-1])
    return word[:-1] + _syllable(initial, vowel, final)


def particle(word: str, name: str) -> str:
    """The particle called `name`, written after a consonant and after a vowel ("은/는"), as it follows `word`."""
    after_consonant, after_vowel = name.split("/")
    final = final_of(word)
    # 으로 is the one particle that treats ㄹ as a vowel: 서울로, 지하철로.
    bare = not final or (name == "으로/로" and final == _L)
    return after_vowel if bare else after_consonant


def _contracted(stem: str) -> str | None:
    """The stem with 아 or 어 melted into its last vowel, or None where the two stay apart."""
    initial, vowel, final = _parts(stem[-1])
    if final or stem.endswith("하"):
        return None
    melted = {_A: _A, _AE: _AE, _EO: _EO, _E: _E, _YEO: _YEO, _O: _WA, _U: _WEO, _I: _YEO}.get(vowel)
    return None if melted is None else stem[:-1] + _syllable(initial, melted)


def _infinitive_b(stem: str) -> str:
    """돕 → 도와, all others like 춥 → 추워."""
    return _with_final(stem, 0) + ("와" if stem in ("돕", "곱") else "워")


def _infinitive_reu(stem: str) -> str:
    """고르 → 골라, 부르 → 불러: the ㄹ doubles, and the vowel before it decides."""
    before = stem[:-1]
    return _with_final(before, _L) + ("라" if _parts(before[-1])[1] in _BRIGHT else "러")


def _infinitive_eu(stem: str) -> str:
    """쓰 → 써, 바쁘 → 바빠: ㅡ leaves, and the vowel before it decides."""
    bright = len(stem) > 1 and _parts(stem[-2])[1] in _BRIGHT
    return stem[:-1] + _syllable(_parts(stem[-1])[0], _A if bright else _EO)


@dataclass(frozen=True)
class Stem:
    """A verb's or adjective's stem, and which irregular class it belongs to ("-" for none).

    The class "시" is for stems that -시- always follows, and which are written here without it: 주무 of 주무시다.
    """

    text: str
    kind: StemClass = "-"

    @property
    def _kind(self) -> StemClass:
        return "하" if self.kind == "-" and self.text.endswith("하") and len(self.text) > 1 else self.kind

    def _base(self) -> Pieces:
        """What plain endings follow: (공부, 하), (먹,)."""
        return (self.text[:-1], "하") if self._kind == "하" else (self.text,)

    def _open(self) -> str:
        """What endings in 으 follow, without the 으 itself: 들 of 듣다, 추우 of 춥다, 지 of 짓다."""
        if self._kind == "ㅂ":
            return _with_final(self.text, 0) + "우"
        if self._kind == "ㄷ":
            return _with_final(self.text, _L)
        return _with_final(self.text, 0) if self._kind in ("ㅅ", "ㄹ") else self.text

    @property
    def _takes_eu(self) -> bool:
        """Whether an ending keeps its 으 after this stem (먹으시, 들으시, 지으시)."""
        return self._kind in ("ㄷ", "ㅅ") or (self._kind == "-" and final_of(self.text) != 0)

    def _infinitive(self) -> tuple[Pieces, str]:
        """The stem before 아 or 어, and the ending that stays apart from it, "" where it melted in."""
        special = {"ㅂ": _infinitive_b, "르": _infinitive_reu, "으": _infinitive_eu}.get(self._kind)
        if self._kind == "하":
            return (self.text[:-1],), "해"
        melted = special(self.text) if special else _contracted(self.text)
        if melted and self._kind not in ("ㄷ", "ㅅ", "ㄹ"):
            return (melted,), ""
        stem = self.text if self._kind in ("-", "ㄹ") else self._open()
        return (stem,), "아" if _parts(self.text[-1])[1] in _BRIGHT else "어"

    def before(self, ending: str) -> Pieces:
        """The stem and an ending that changes nothing: 지, 고, 기, 겠, and 다 of adjectives."""
        return (self.text, "시", ending) if self.kind == "시" else (*self._base(), ending)

    @property
    def may_stay_apart(self) -> bool:
        """Whether the past is also written uncontracted: 보았다 beside 봤다, 주었다 beside 줬다."""
        return self.kind == "-" and self.text[-1] in _ALSO_APART

    def past(self, *, apart: bool = False) -> Pieces:
        """The stem in the past, to be followed by 다 or 기: 갔, 먹·었, 공부·했, 추웠; `apart`: 보·았 for 봤."""
        if apart and self.may_stay_apart:
            return (self.text, "았" if _parts(self.text[-1])[1] in _BRIGHT else "었")
        stem, ending = self._infinitive()
        return (*stem, _with_final(ending, _SS)) if ending else (_with_final(stem[0], _SS),)

    def because(self) -> Pieces:
        """The stem with -아서 or -어서: 가·서, 먹·어서, 피곤·해서, 추워·서."""
        stem, ending = self._infinitive()
        return (*stem, f"{ending}서")

    def present(self) -> Pieces:
        """A verb's plain present, the 다 included: 간·다, 산·다, 먹·는다, 공부·한다."""
        if self._kind == "하":
            return (self.text[:-1], "한다")
        if self._kind == "ㄹ" or not final_of(self.text):
            return (_with_final(self.text, _N), "다")
        return (self.text, "는다")

    def future(self) -> Pieces:
        """The stem with -(으)ㄹ, to be followed by 것이다: 갈, 살, 먹·을, 들·을, 추울, 공부·할."""
        if self._kind == "하":
            return (self.text[:-1], "할")
        if self._kind == "ㄹ":
            return (self.text,)
        return (self._open(), "을") if self._takes_eu else (_with_final(self._open(), _L),)

    def honoured(self, ending: str) -> Pieces:
        """The stem with -(으)시- and what melts into it: 시, 셨, 신다, 실 or 셔서 (가·셨, 읽·으셨, 피곤·하·셨)."""
        if self._kind == "하":
            return (self.text[:-1], "하", ending)
        return (self._open(), f"으{ending}" if self._takes_eu else ending)
