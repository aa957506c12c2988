"""The command page: an example in one HTML file that works offline, with every head of the model."""

import argparse
from pathlib import Path

from app.address import Address
from app.commands.looking import add_file, add_looked_example, captured
from app.terminal import print_json
from app.viewing import page_of
from attention_core.errors import UnknownNameError


def add_page(parser: argparse.ArgumentParser) -> None:
    """Gives the parser what `page` takes."""
    add_looked_example(parser)
    add_file(parser)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.html", help="where it is written")
    parser.add_argument("--layer", type=int, default=0, help="where it opens, counted from 0")
    parser.add_argument("--head", type=int, default=0, help="where it opens, counted from 0")
    parser.add_argument("--kind", help="encoder-self, decoder-self or cross (default: the model's first)")
    parser.add_argument("--view", choices=("heatmap", "lines", "table"), help="how it opens (default: heatmap)")
    parser.add_argument("--lang", choices=("en", "ko"), default="en", help="the language of the page")
    parser.add_argument("--theme", choices=("light", "dark"), help="default: the reader's own")
    parser.set_defaults(command=page)


def page(arguments: argparse.Namespace) -> None:
    """Writes the page. An error, and no file, for more tokens than it takes."""
    trace, _ = captured(arguments)
    kind = trace.kinds[0] if arguments.kind is None else arguments.kind
    heads = trace.map(kind, arguments.layer).head_count
    if not 0 <= arguments.head < heads:
        raise UnknownNameError("head", arguments.head, range(heads))
    address = Address(
        model=trace.model.name, kind=str(kind), layer=arguments.layer, head=arguments.head, view=arguments.view,
        measure=arguments.measure, words=arguments.words, special=arguments.special, segments=arguments.segments,
        off=",".join(trace.off) or None, how=trace.off_with, theme=arguments.theme, lang=arguments.lang,
    )  # fmt: skip
    written = page_of(trace, address, arguments.lang, None)
    arguments.output.write_bytes(written)
    tokens = max(map(len, trace.sequences))
    if arguments.json:
        print_json({"output": str(arguments.output), "bytes": len(written), "tokens": tokens})
    else:
        print(f"{arguments.output}: {tokens} tokens, {len(written) / 1e6:.1f} MB")
