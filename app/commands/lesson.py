"""The command lesson: a lesson.json, with its pictures, as a page, as Markdown, or as a notebook."""

import argparse
from pathlib import Path

from app.address import create_starts, load_examples
from app.commands.figures import Drawer
from app.figuring import Wanted
from app.lessons import parcel
from app.lessons.format import MOST_BYTES, read_lesson
from app.lessons.pictures import Missing, draw_all, wishes
from app.settings import Settings
from app.terminal import Bar, complain
from attention_core.errors import InputError
from attention_core.models.catalogue import load_catalogue
from attention_core.models.sources import FetchProgress


def add_lesson(parser: argparse.ArgumentParser) -> None:
    """Gives the parser what `lesson` takes."""
    parser.add_argument("file", metavar="FILE.json", type=Path, help="a lesson, as the page saves it")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE",
        help="it.zip: a page that opens by double click; it.md.zip: Markdown; it.ipynb: a notebook",
    )  # fmt: skip
    parser.set_defaults(command=lesson)


def lesson(arguments: argparse.Namespace) -> None:
    """Writes the file; of a view that cannot be drawn it says why, on stderr and in the file."""
    name = _format(arguments.output)
    with arguments.file.open("rb") as file:
        read = read_lesson(file.read(MOST_BYTES + 1))
    drawer, bar, words = Drawer(), Bar(unit="picture"), parcel.messages(read.language)
    starts, total, drawn = create_starts(load_examples(), load_catalogue().default.card.name), len(wishes(read)), 0

    def draw(wanted: Wanted) -> bytes:
        nonlocal drawn
        made = drawer.file(wanted)
        drawn += wanted.format != "json"
        bar.show(FetchProgress("pictures", drawn, total))
        return made

    try:
        pictures = draw_all(read, parcel.FORMATS[name][0], starts, draw, words)
    finally:
        bar.close()
    made = parcel.Parcel(read, pictures, Settings().base_url)
    arguments.output.write_bytes(parcel.write(name, made))
    for place, found in pictures.items():
        for one in found:
            if isinstance(one, Missing):
                complain(f"block {place + 1}: {one.why}")
    print(f"saved: {arguments.output}")


def _format(path: Path) -> str:
    """The format of a file by its ending."""
    by_length = sorted(parcel.FORMATS, key=lambda name: -len(parcel.FORMATS[name][2]))
    for name in by_length:
        if path.name.lower().endswith(f".{parcel.FORMATS[name][2]}"):
            return name
    raise InputError(f"{path.name[-40:]!r} names no format; accepted: it.zip, it.md.zip, it.ipynb")
