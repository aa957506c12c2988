"""The pictures of a lesson that leaves the page: which its views ask for, and what came of each."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from app.address import Starts, encoded, pairs_of
from app.figuring import Wanted, read_wanted
from app.lessons.format import Lesson, ViewBlock
from app.lessons.pages import PRINTED
from app.problems import ProblemError, document
from attention_core.errors import AtlasError, InputError

MOST_VIEWS = 40
MOST_PICTURES = 80
SHARP = 2  # pixels of a PNG for a CSS pixel
# What goes away by itself: then the whole lesson is asked for again, rather than kept with a hole in it.
PASSING = ("busy", "model-loading")


@dataclass(frozen=True)
class Picture:
    """A picture of a view as a file, and its words for who cannot see it."""

    wanted: Wanted
    data: bytes
    alt: str


@dataclass(frozen=True)
class Missing:
    """A picture that could not be made, and a sentence that says why."""

    why: str


Pictures = Mapping[int, Sequence[Picture | Missing]]  # by the place of their block
Draw = Callable[[Wanted], bytes]


@dataclass(frozen=True)
class Wish:
    """A picture that a view asks for: its block's place, and its address, a query string of /figure."""

    block: int
    query: str

    def wanted(self, file_format: str, starts: Starts) -> Wanted:
        """The figure that it is in a format; the problems of `read_wanted`."""
        sharp = f"&x={SHARP}" if file_format == "png" else "&values=0" if file_format == "json" else ""
        return read_wanted(self.query + sharp, file_format, starts)


def wishes(lesson: Lesson) -> list[Wish]:
    """The pictures that a lesson's views ask for, in order: in the lesson's language, as on paper. An InputError for
    more than an export has."""
    views = [(place, block) for place, block in enumerate(lesson.blocks) if isinstance(block, ViewBlock)]
    if len(views) > MOST_VIEWS:
        raise InputError(f"the lesson has {len(views)} views; an export has at most {MOST_VIEWS}", limit=MOST_VIEWS)
    made = [Wish(place, query) for place, block in views for query in _queries(block, lesson.language)]
    if len(made) > MOST_PICTURES:
        sentence = f"its views show {len(made)} pictures; an export has at most {MOST_PICTURES}"
        raise InputError(sentence, limit=MOST_PICTURES)
    return made


def _queries(block: ViewBlock, language: str) -> list[str]:
    pairs = [(name, value) for name, value in pairs_of(block.address) if name not in ("lang", "theme")]
    named = dict.fromkeys(PRINTED.get(part, part) for part in block.show or [])
    shown = [[("figure", name)] for name in named] or [[]]
    return [encoded([*pairs, ("lang", language), *figure]) for figure in shown]


def words_of(described: bytes) -> str:
    """The alt text in a figure's JSON."""
    return str(json.loads(described)["alt_text"])


def missing(error: AtlasError | ProblemError, messages: Mapping[str, str]) -> Missing:
    """Why there is no picture, in the words of `messages`; the error itself where it passes by itself."""
    body = document(error)
    code = body["type"].rpartition("/")[2]
    if code in PASSING:
        raise error
    names = (f"problem.{code}.{body.get('reason')}", f"problem.{code}")
    sentence = next((messages[name] for name in names if name in messages), "{detail}")
    try:
        return Missing(sentence.format(**{name: _said(value) for name, value in body.items()}))
    except (KeyError, IndexError, ValueError):
        return Missing(str(body["detail"]))


def _said(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def draw_all(lesson: Lesson, file_format: str, starts: Starts, draw: Draw, messages: Mapping[str, str]) -> Pictures:
    """All pictures of a lesson, one after the other, by a function that draws one."""
    made: dict[int, list[Picture | Missing]] = {}
    for wish in wishes(lesson):
        there = made.setdefault(wish.block, [])
        try:
            wanted = wish.wanted(file_format, starts)
            there.append(Picture(wanted, draw(wanted), words_of(draw(wish.wanted("json", starts)))))
        except (AtlasError, ProblemError) as error:
            there.append(missing(error, messages))
    return made
