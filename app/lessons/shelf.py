"""The shelf of lessons: ours, and a school's own from the folder of a setting."""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from app.lessons import rendering
from app.lessons.allowance import Allowance
from app.lessons.format import LANGUAGES, MOST_BYTES, NAME, Lesson, ViewBlock, read_lesson
from app.problems import ProblemError
from attention_core.errors import AtlasError

log = logging.getLogger("attention_atlas")

OURS = Path(__file__).resolve().parent / "files"
ORDER = ("attention", "who-is-it", "sink", "translation", "induction", "importance")
MOST_FILES = 500
FILE = re.compile(rf"({NAME.pattern})(?:\.({'|'.join(LANGUAGES)}))?\.json")


@dataclass(frozen=True)
class View:
    """A view of a lesson, and its caption as HTML."""

    block: ViewBlock
    caption: str | None


@dataclass(frozen=True)
class Standing:
    """A lesson on the shelf, with its file as it was read."""

    lesson: Lesson
    file: bytes

    @cached_property
    def parts(self) -> tuple[rendering.Text | View, ...]:
        """Its blocks as `parts_of` gives them; made once."""
        return parts_of(self.lesson, Allowance())


def parts_of(lesson: Lesson, allowance: Allowance) -> tuple[rendering.Text | View, ...]:
    """The blocks of a lesson, texts and captions as safe HTML; a lesson problem where that takes too long."""
    made: list[rendering.Text | View] = []
    headings = 0
    for block in lesson.blocks:
        allowance.spend()
        if isinstance(block, ViewBlock):
            made.append(View(block, rendering.render_line(block.caption) if block.caption else None))
        else:
            text = rendering.render(block.markdown, headings + 1)
            headings += len(text.headings)
            made.append(text)
    return tuple(made)


class Shelf:
    """Lessons by name and language: ours in their order, then a school's own by name. Of two the own one stands."""

    def __init__(self, own: Path | None = None) -> None:
        """Reads every file once. What is no lesson is left out, and the log says why."""
        self._standing: dict[str, dict[str, Standing]] = {name: {} for name in ORDER}
        for folder in (OURS, *([own] if own else [])):
            for name, standing in _read(folder):
                self._standing.setdefault(name, {})[standing.lesson.language] = standing

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all lessons, in their order."""
        return tuple(name for name, standing in self._standing.items() if standing)

    def languages(self, name: str) -> tuple[str, ...]:
        """The languages a lesson is there in; none for a name that is not on the shelf."""
        return tuple(lang for lang in LANGUAGES if lang in self._standing.get(name, {}))

    def find(self, name: str, lang: str) -> Standing | None:
        """The lesson in this language, else in another that it is there in; None for an unknown name."""
        by_language = self._standing.get(name, {})
        return by_language.get(lang) or next(iter(by_language.values()), None)


def _read(folder: Path) -> Iterator[tuple[str, Standing]]:
    """The lessons of a folder, in the order of their files' names."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".json")
    except OSError as error:
        log.warning("lessons: %s cannot be read: %s", folder, error.strerror or type(error).__name__)
        return
    if len(paths) > MOST_FILES:
        log.warning("lessons: %s holds %d files; the first %d are read", folder, len(paths), MOST_FILES)
    for path in paths[:MOST_FILES]:
        try:
            name, standing = _name_of(path), _standing(path)
            if folder != OURS:  # what cannot be set in time is found now, not by a reader
                _ = standing.parts
            yield name, standing
        except (AtlasError, ProblemError, OSError, ValueError) as error:
            log.warning("lessons: %r was left out: %s", path.name[:100], _line(error))


def _standing(path: Path) -> Standing:
    if not path.is_file():
        raise ValueError("it is no file")
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    lesson = read_lesson(data)
    told = FILE.fullmatch(path.name)
    assert told is not None
    if lesson.name != told[1]:
        raise ValueError(f'its "name" is {lesson.name!r}; accepted: {told[1]!r}, as the file is called')
    if told[2] and lesson.language != told[2]:
        raise ValueError(f'its "language" is {lesson.language!r}; accepted: {told[2]!r}, as the file is called')
    return Standing(lesson, data)


def _name_of(path: Path) -> str:
    told = FILE.fullmatch(path.name)
    if told is None:
        raise ValueError("accepted are names such as owls.json and owls.ko.json: small letters, digits, hyphens")
    return told[1]


def _line(error: Exception) -> str:
    """An error in one line of the log, whatever a file's author wrote into it."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in str(error)[:600])
