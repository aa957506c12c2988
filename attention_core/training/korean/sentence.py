"""What the grammar makes: a Korean sentence in morphemes, its English, and which word was made from which morpheme.

While a sentence is being put together, an English word points at the Korean pieces it stands for; `Sentence.of`
turns these into positions. The alignment is thus the grammar's own: nothing is guessed afterwards.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

CONTENT = frozenset({"noun", "name", "place", "verb", "adjective", "time", "adverb"})
"""The roles of content words. Pronouns, prepositions, articles, auxiliaries, *not* and *because* are not among them."""


@dataclass(frozen=True, eq=False)
class Piece:
    """One morpheme (or stem with what melted into it) while its sentence is made; compared by identity."""

    text: str
    role: str


Word = list[Piece]


@dataclass(frozen=True)
class English:
    """One English word, its role, and the Korean pieces it stands for: the stem first, none for an article."""

    text: str
    role: str
    sources: tuple[Piece, ...] = ()


@dataclass(frozen=True)
class Morpheme:
    """One piece of the Korean sentence: its text, its role, and which word (by spaces) it belongs to."""

    text: str
    role: str
    word: int
    first: bool

    @property
    def piece(self) -> str:
        """As the tokenizer writes it: ## before what continues a word."""
        return self.text if self.first else f"##{self.text}"


@dataclass(frozen=True)
class Aligned:
    """One word of the translation: its text, role, and the positions of the morphemes it may be read from."""

    text: str
    role: str
    sources: tuple[int, ...]

    @property
    def content(self) -> bool:
        """Whether it is a content word (and then it has a source)."""
        return self.role in CONTENT


@dataclass(frozen=True)
class Sentence:
    """A Korean sentence with its translation, the alignment, and the combinations of words in its clauses."""

    morphemes: tuple[Morpheme, ...]
    words: tuple[Aligned, ...]
    combinations: tuple[tuple[str, str, str], ...]

    @classmethod
    def of(
        cls, korean: Iterable[Word], english: Iterable[English], combinations: Sequence[tuple[str, str, str]]
    ) -> "Sentence":
        """The sentence of these words; an English word's pieces must be among the Korean ones."""
        flat = [(piece, at, piece is word[0]) for at, word in enumerate(korean) for piece in word]
        where = {id(piece): at for at, (piece, _, _) in enumerate(flat)}
        morphemes = tuple(Morpheme(piece.text, piece.role, word, first) for piece, word, first in flat)
        words = tuple(
            Aligned(word.text, word.role, tuple(where[id(piece)] for piece in word.sources)) for word in english
        )
        return cls(morphemes, words, tuple(combinations))

    @property
    def korean(self) -> str:
        """The Korean text."""
        return "".join(f" {one.text}" if one.first and at else one.text for at, one in enumerate(self.morphemes))

    @property
    def english(self) -> str:
        """The English text."""
        return " ".join(word.text for word in self.words)

    @property
    def pieces(self) -> list[str]:
        """The Korean pieces as the tokenizer must find them."""
        return [one.piece for one in self.morphemes]
