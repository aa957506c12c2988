"""The command analyse difference: what changes in the heads from one text, model or set of heads to another."""

import argparse
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from app.commands.looking import LENGTHS, Prepared, add_looked_example, prepared
from app.differences import read_difference, sides
from app.documents import Document
from app.schemas import DifferenceParameters
from app.terminal import print_json
from attention_core.errors import InputError

if TYPE_CHECKING:
    from attention_core.trace import AttentionTrace


def add_difference(parser: argparse.ArgumentParser) -> None:
    """Gives the parser what `analyse difference` takes."""
    add_looked_example(parser)
    parser.add_argument("--kind", help="encoder-self, decoder-self or cross (default: the model's first)")
    versus = parser.add_mutually_exclusive_group()
    versus.add_argument("--with", dest="versus", metavar="TEXT", help="the other text, in the same model")
    versus.add_argument(
        "--with-model", metavar="NAME", help="the other model, for the same text: ranks its heads by how near they come"
    )
    parser.add_argument("--layer", type=int, help="with --with-model: the head that they are compared with, from 0")
    parser.add_argument("--head", type=int, help="counted from 0")
    parser.add_argument("--top", type=count_of, default=10, metavar="N", help="heads that are printed (default: 10)")
    parser.epilog = "With --off alone the same text is compared with these heads on and off."
    parser.set_defaults(command=difference)


def count_of(given: str) -> int:
    """A number of heads to print; argparse's own error for what is none."""
    if not given.isdecimal() or not 1 <= int(given) <= 100_000:
        raise argparse.ArgumentTypeError(f"{given[:40]!r} is no number from 1 to 100000")
    return int(given)


def difference(arguments: argparse.Namespace) -> None:
    """Prints the heads of a text by how much they change."""
    first, second = _both(arguments)
    look = {"words": "1" if arguments.words else "0", "special": arguments.special, "segments": arguments.segments}
    named = {name: getattr(arguments, name) for name in ("kind", "layer", "head", "measure")}
    wanted = DifferenceParameters.model_construct(versus="", ranked="1", **look, **named)
    body = read_difference(first, second, wanted)
    if arguments.json:
        print_json(body)
        return
    first, second, _ = sides(first, second, wanted)
    for line in _spelled(first, second, body, arguments.top):
        print(line)


def _both(arguments: argparse.Namespace) -> "tuple[AttentionTrace, AttentionTrace]":
    """The two traces, before and after."""
    other = dict(vars(arguments))
    if arguments.versus is not None:
        other |= {"text": arguments.versus, "target": None}
    elif arguments.with_model is not None:
        if arguments.layer is None or arguments.head is None:
            raise InputError("two models have other heads; name one of the first's with --layer and --head")
        other |= {"model": arguments.with_model, "off": None}
    elif arguments.off is not None:
        other["off"] = None
    else:
        raise InputError("say what to compare with: --with TEXT, --with-model NAME, or --off HEADS")
    one, its = prepared(arguments), prepared(argparse.Namespace(**other))
    traces = _captured(one, one), _captured(its, one if arguments.with_model is None else its)
    is_switch = arguments.versus is None and arguments.with_model is None
    return (traces[1], traces[0]) if is_switch else traces


def _captured(ready: Prepared, loaded: Prepared) -> "AttentionTrace":
    """The trace of an example, in a model that another example has loaded already."""
    return loaded.service.capture(loaded.lane, ready.request, ready.image)


def _spelled(first: "AttentionTrace", second: "AttentionTrace", body: Document, top: int) -> Iterator[str]:
    yield f"What changes: {body['kind']}" + (f"; {LENGTHS}" if body["measure"] == "norm" else "")
    for mark, trace in (("-", first), ("+", second)):
        off = f" (off: {', '.join(trace.off)})" if trace.off else ""
        yield f"{mark} {trace.model.title}: {' '.join(trace.source.text.split())}{off}"
    near = "how far each head of the second is from" if body["of"] else "how much of each row moves,"
    of = f" L{body['of']['layer']} H{body['of']['head']} of the first," if body["of"] else ""
    yield f"change: {near}{of} 0 to 1; mean over {len(body['queries'])} rows that both have"
    yield f"{'head':8}  {'change':>6}  {'before':>6}  {'after':>6}  where most"
    labels = _Labels(first, second, body)
    for head in body["heads"][:top]:
        cell = head["largest"]
        where = f"{labels.of('queries', cell['query'])} -> {labels.of('keys', cell['key'])}"
        name = f"L{head['layer']} H{head['head']}"
        yield f"{name:8}  {head['change']:6.3f}  {cell['before']:6.3f}  {cell['after']:6.3f}  {where}"


class _Labels:
    """Pairs of a reply in words: "cat", "tired/soft", "-/very"."""

    def __init__(self, first: "AttentionTrace", second: "AttentionTrace", body: Document) -> None:
        self._body = body
        self._texts = {
            axis: [getattr(trace, axis)(body["kind"]).texts for trace in (first, second)]
            for axis in ("queries", "keys")
        }

    def of(self, axis: str, number: int) -> str:
        pair, texts = self._body[axis][number], self._texts[axis]
        before, after = (_spelling(words, pair[side]) for words, side in zip(texts, ("first", "second"), strict=True))
        return after if pair["same"] else f"{before}/{after}"


def _spelling(texts: Sequence[str], where: Sequence[int] | None) -> str:
    return "-" if where is None else " ".join(texts[where[0] : where[1]])
