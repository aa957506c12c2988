"""The words of the grammar, from the tables beside this file: what each means, and what it may stand with.

A noun belongs to groups ("food", "text", "spot"); a verb names the groups that its objects and places come from, so
that sentences make sense: one reads a book in a library and bakes bread in a kitchen.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from attention_core.training.korean.hangul import Stem, StemClass

_VOWEL_LETTERS = "aeiou"
_DOUBLED = ("sit", "run", "swim", "cut")
_ENDING_IN_IE = {"lie": "lying"}


def _rows(name: str) -> list[dict[str, str]]:
    """The rows of a table, each by the names in its first line; "-" stands for nothing."""
    text = files(__package__).joinpath(f"{name}.tsv").read_text(encoding="utf-8")
    head, *lines = [line.split("\t") for line in text.splitlines()]
    return [dict(zip(head, ("" if cell == "-" else cell for cell in line), strict=True)) for line in lines]


def _listed(cell: str) -> tuple[str, ...]:
    return tuple(cell.split(",")) if cell else ()


@dataclass(frozen=True)
class Noun:
    """A noun or name; `article` is what it has in English when nothing else decides ("the", "my", "a", "")."""

    korean: str
    english: str
    article: str
    plural: str
    groups: tuple[str, ...]
    traits: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """A place, and the preposition that it has in English when something happens there."""

    korean: str
    english: str
    article: str
    preposition: str
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Verb:
    """A verb with its objects, places and subjects; see `places` in verbs.tsv for the signs.

    A place group is written `group` (done there: 에서, in), `>group` (gone to: 에, to), `@group` (arrived: 에, at),
    `=group` (entered: 에, no preposition), `!group` (being there: 에, in); `+` marks furniture with a side (위, 옆).
    """

    stem: Stem
    english: str
    past: str
    objects: tuple[str, ...]
    places: tuple[str, ...]
    subjects: tuple[str, ...]
    traits: tuple[str, ...]

    @property
    def present(self) -> str:
        """The third person: goes, watches, cries."""
        word = self.english
        if word.endswith(("o", "s", "x", "ch", "sh")):
            return f"{word}es"
        return f"{word[:-1]}ies" if word[-1] == "y" and word[-2] not in _VOWEL_LETTERS else f"{word}s"

    @property
    def progressive(self) -> str:
        """The -ing form: going, writing, sitting."""
        word = self.english
        if word in _ENDING_IN_IE:
            return _ENDING_IN_IE[word]
        if word in _DOUBLED:
            return f"{word}{word[-1]}ing"
        return f"{word[:-1]}ing" if word[-1] == "e" and word[-2] != "e" else f"{word}ing"


@dataclass(frozen=True)
class Adjective:
    """An adjective and the groups of what may be like that."""

    stem: Stem
    english: str
    subjects: tuple[str, ...]
    traits: tuple[str, ...]


@dataclass(frozen=True)
class Time:
    """A time: its Korean pieces word by word, its English words (function, content), the tenses that it goes with."""

    korean: tuple[tuple[str, ...], ...]
    english: tuple[tuple[str, bool], ...]
    tenses: tuple[str, ...]


@dataclass(frozen=True)
class Motive:
    """What being or doing something makes one do, and not do; the words are the English ones of the tables."""

    cause: str
    does: tuple[str, ...]
    does_not: tuple[str, ...]


def _stem(row: dict[str, str]) -> Stem:
    kind: StemClass = row["class"] or "-"  # type: ignore[assignment]
    return Stem(row["korean"], kind)


@cache
def nouns() -> tuple[Noun, ...]:
    """Every noun and name."""
    return tuple(
        Noun(
            row["korean"],
            row["english"],
            row["article"],
            row["plural"],
            _listed(row["groups"]),
            _listed(row["traits"]),
        )
        for row in _rows("nouns")
    )


@cache
def places() -> tuple[Place, ...]:
    """Every place; all belong to the group "place" as well."""
    return tuple(
        Place(
            row["korean"],
            row["english"],
            row["article"],
            row["preposition"],
            ("place", *_listed(row["groups"])),
        )
        for row in _rows("places")
    )


@cache
def verbs() -> tuple[Verb, ...]:
    """Every verb; one that takes other objects with other subjects, or means something else, stands twice."""
    return tuple(
        Verb(
            _stem(row),
            row["english"],
            row["past"],
            _listed(row["objects"]),
            _listed(row["places"]),
            _listed(row["subjects"]),
            _listed(row["traits"]),
        )
        for row in _rows("verbs")
    )


@cache
def adjectives() -> tuple[Adjective, ...]:
    """Every adjective."""
    return tuple(
        Adjective(_stem(row), row["english"], _listed(row["subjects"]), _listed(row["traits"]))
        for row in _rows("adjectives")
    )


@cache
def times() -> tuple[Time, ...]:
    """Every time; of the English words of "in the|morning" those before the last bar are function words."""
    return tuple(
        Time(
            tuple(tuple(word.split("|")) for word in row["korean"].split(" ")),
            _time_words(row["english"]),
            _listed(row["tenses"]),
        )
        for row in _rows("times")
    )


def _time_words(cell: str) -> tuple[tuple[str, bool], ...]:
    *before, last = cell.split("|")
    function = ("in the", "on", "in", "at")
    earlier = [(word, part not in function) for part in before for word in part.split(" ")]
    return (*earlier, (last, True))


@cache
def motives() -> dict[str, Motive]:
    """What follows from what, by its cause."""
    rows = [Motive(row["cause"], _listed(row["does"]), _listed(row["does not"])) for row in _rows("motives")]
    return {motive.cause: motive for motive in rows}


@cache
def nouns_of(group: str) -> tuple[Noun, ...]:
    """The nouns of a group."""
    return tuple(noun for noun in nouns() if group in noun.groups)


@cache
def places_of(group: str) -> tuple[Place, ...]:
    """The places of a group."""
    return tuple(place for place in places() if group in place.groups)
