"""A lesson as something to take along: a page in a zip, Markdown in a zip, or a notebook.

Pure: a lesson and its pictures in, bytes out, the same bytes for the same lesson. Whatever a lesson says, the names in
a zip are ours.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from app.address import encoded, pairs_of
from app.assets import ROOT
from app.lessons.allowance import Allowance
from app.lessons.format import LANGUAGES, Lesson, TextBlock, ViewBlock
from app.lessons.neutral import neutral, plain
from app.lessons.pictures import Missing, Picture, Pictures
from app.lessons.rendering import Heading, Text, render, render_line

# format -> (the format of its pictures, media type, ending)
FORMATS: Mapping[str, tuple[str, str, str]] = {
    "html": ("svg", "application/zip", "zip"),
    "markdown": ("png", "application/zip", "md.zip"),
    "notebook": ("png", "application/x-ipynb+json", "ipynb"),
}
STYLES = ("base.css", "lessons.css")
_LINK = re.compile(r'(<a\b[^>]*?\bhref=")(?=/(?!/))')
_PICTURE = re.compile(r'<img src="/[^>]*? alt="([^"]*)"[^>]*>')
DAWN = (1980, 1, 1, 0, 0, 0)  # no clock: the first date that a zip can say


@dataclass(frozen=True)
class View:
    """A view as it is written: its number from 1, its pictures with the names of their files, and where it is live."""

    number: int
    block: ViewBlock
    pictures: tuple[tuple[str, Picture] | Missing, ...]
    link: str


@dataclass(frozen=True)
class Parcel:
    """A lesson, what became of its pictures, what links to our pages begin with, and how much work it may make."""

    lesson: Lesson
    pictures: Pictures
    base: str
    allowance: Allowance = field(default_factory=Allowance, compare=False)

    @property
    def parts(self) -> Iterator[TextBlock | View]:
        """The blocks, views with their pictures."""
        numbers = count(1)
        for place, block in enumerate(self.lesson.blocks):
            if isinstance(block, TextBlock):
                yield block
                continue
            number, found = next(numbers), self.pictures.get(place, ())
            named = tuple(
                one if isinstance(one, Missing) else (_name(number, at, one.wanted.format), one)
                for at, one in enumerate(found)
            )
            pairs = [pair for pair in pairs_of(block.address) if pair[0] not in ("lang", "theme")]
            yield View(number, block, named, f"{self.base}/?{encoded([*pairs, ('lang', self.lesson.language)])}")

    def said(self, markdown: str) -> str:
        """A text of the lesson as Markdown for any reader; a lesson problem where its texts take too long."""
        self.allowance.spend()
        return neutral(markdown, self.base).strip("\n")

    def shown(self, markdown: str, first: int) -> Text:
        """A text as HTML that stands by itself, with its headings; the same problem."""
        self.allowance.spend()
        text = render(markdown, first)
        return Text(_offline(text.html, self.base), text.headings)

    @property
    def words(self) -> Mapping[str, str]:
        """The messages of the lesson's language."""
        return messages(self.lesson.language)

    @property
    def file(self) -> bytes:
        """lesson.json."""
        return (json.dumps(self.lesson.model_dump(exclude_none=True), ensure_ascii=False, indent=1) + "\n").encode()


def write(format_name: str, parcel: Parcel) -> bytes:
    """The lesson in a format of FORMATS; a lesson problem where its texts take too long."""
    from app.lessons.notebook import notebook

    return {"html": page_zip, "markdown": markdown_zip, "notebook": notebook}[format_name](parcel)


def filename(lesson: Lesson, format_name: str) -> str:
    """What the file is called: the lesson's name, which is plain ASCII."""
    return f"{lesson.name}.{FORMATS[format_name][2]}"


@cache
def messages(language: str) -> Mapping[str, str]:
    """The words of a language."""
    assert language in LANGUAGES
    loaded: dict[str, str] = json.loads((ROOT / "app" / "messages" / f"{language}.json").read_text(encoding="utf-8"))
    return loaded


def _name(number: int, at: int, ending: str) -> str:
    return f"pictures/view-{number:02d}{f'-{at + 1}' if at else ''}.{ending}"


def page_zip(parcel: Parcel) -> bytes:
    """index.html with its pictures: it opens by double click and asks no server."""
    parts: list[dict[str, Any]] = []
    contents: list[Heading] = []
    for part in parcel.parts:
        if isinstance(part, View):
            parts.append({"view": part, "caption": _line(part.block.caption, parcel.base)})
            continue
        text = parcel.shown(part.markdown, len(contents) + 1)
        contents += text.headings
        parts.append({"html": text.html})
    template = _templates().get_template("exported.html")
    style = "\n".join((ROOT / "static" / "css" / name).read_text(encoding="utf-8") for name in STYLES)
    page = template.render(
        lesson=parcel.lesson, parts=parts, contents=contents, base=parcel.base, style=Markup(style),  # noqa: S704
        t=lambda key, **given: parcel.words[key].format(**given),
    )  # fmt: skip
    return _zipped({"index.html": page.encode(), **_files(parcel)})


def _offline(html: str, base: str) -> Markup:
    """What our rendering made, with links that lead back to us; of pictures that only a server draws, their words."""
    said = _PICTURE.sub(r"\1", html)
    return Markup(_LINK.sub(lambda found: found[1] + base.replace("&", "&amp;"), said))  # noqa: S704


def _line(caption: str | None, base: str) -> Markup | None:
    return _offline(render_line(caption), base) if caption else None


def markdown_zip(parcel: Parcel) -> bytes:
    """lesson.md with its pictures, for any reader of Markdown."""
    lesson = parcel.lesson
    written = [f"# {plain(lesson.title)}", plain(lesson.summary)]
    for part in parcel.parts:
        if isinstance(part, TextBlock):
            written.append(parcel.said(part.markdown))
            continue
        written += [
            plain(one.why) if isinstance(one, Missing) else f"![{plain(one[1].alt)}]({one[0]})" for one in part.pictures
        ]
        written.append(told(parcel, part))
    return _zipped({"lesson.md": ("\n\n".join(written) + "\n").encode(), **_files(parcel)})


def told(parcel: Parcel, view: View) -> str:
    """A line of Markdown below a view: its number, its caption, and the way to it. As it begins with words of ours, no
    caption begins a heading or a list."""
    words = parcel.words
    caption = f" {parcel.said(view.block.caption).strip()}" if view.block.caption else ""
    target = view.link.replace("(", "%28").replace(")", "%29")
    return f"**{words['tray.export.view'].format(number=view.number)}**{caption} [{words['lesson.open']}]({target})"


def _files(parcel: Parcel) -> dict[str, bytes]:
    views = [part for part in parcel.parts if isinstance(part, View)]
    pictures = dict(one for view in views for one in view.pictures if isinstance(one, tuple))
    return {"lesson.json": parcel.file, **{name: picture.data for name, picture in pictures.items()}}


def _zipped(files: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as packed:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, DAWN)
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, data, zipfile.ZIP_STORED if name.endswith(".png") else zipfile.ZIP_DEFLATED)
    return target.getvalue()


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(ROOT) / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
