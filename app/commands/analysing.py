"""The command analyse: an analysis of a text, printed for people or as the API replies it."""

import argparse
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from app import analyses
from app.commands.differing import add_difference, count_of
from app.commands.looking import LENGTHS, add_example, add_file, add_measure, captured
from app.documents import Document
from app.schemas import AnalysisParameters
from app.terminal import print_json
from attention_core.analysis import ANALYSES, Analysis
from attention_core.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    from attention_core.tokens import Tokens
    from attention_core.trace import AttentionTrace

Reader = Callable[[argparse.Namespace, "AttentionTrace"], Document]
Printer = Callable[[argparse.Namespace, "AttentionTrace", Document], Iterator[str]]

COLUMNS = {  # of the table of steps
    "dots": "q.k", "scaled": "scaled", "capped": "capped", "bias": "bias", "scores": "score", "exponentials": "exp",
    "weights": "weight",
}  # fmt: skip
NAMED = {"topic": "every word looks there: a topic", "sink": "every word looks there: a sink"}


def add_analyse(parser: argparse.ArgumentParser) -> None:
    """Gives the parser a command for each analysis."""
    actions = parser.add_subparsers(title="analyses", required=True, metavar="ANALYSIS")
    for one in ANALYSES:
        action = actions.add_parser(one.name, help=one.title.lower(), description=f"{one.help} ({one.reference})")
        if one.name == "difference":  # of two traces
            add_difference(action)
            continue
        add, read, spell = COMMANDS[one.name]
        add_example(action)
        add_file(action)
        action.add_argument("--kind", help="encoder-self, decoder-self or cross (default: the model's first)")
        add(action)
        action.set_defaults(command=_command(one, read, spell))


def _command(one: Analysis, read: Reader, spell: Printer) -> Callable[[argparse.Namespace], None]:
    def run(arguments: argparse.Namespace) -> None:
        trace, _ = captured(arguments)
        body = read(arguments, trace)
        if arguments.json:
            print_json(body)
            return
        print(f"{one.title}: {body['kind']}" + (f"; {LENGTHS}" if body.get("measure") == "norm" else ""))
        for line in spell(arguments, trace, body):
            print(line)

    return run


def _add_link(parser: argparse.ArgumentParser) -> None:
    add_measure(parser)
    parser.add_argument(
        "--query", required=True, metavar="WORD", help="the word that looks; it#2 is the second of its kind"
    )
    parser.add_argument("--key", required=True, metavar="WORD", help="the word that it might mean")
    parser.add_argument(
        "--rival", action="append", default=[], metavar="WORD", help="another word that it might mean; may be repeated"
    )
    parser.add_argument("--words", action="store_true", help="the lift compares with other words, not with tokens")
    parser.add_argument("--top", type=count_of, default=10, metavar="N", help="heads that are printed (default: 10)")


def _add_profile(parser: argparse.ArgumentParser) -> None:
    add_measure(parser)
    parser.add_argument("--layer", type=int, help="only this layer, counted from 0")
    parser.add_argument("--head", type=int, help="only this head, counted from 0")


def _add_steps(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--layer", type=int, required=True, help="counted from 0")
    parser.add_argument("--head", type=int, required=True, help="counted from 0")
    parser.add_argument("--query", required=True, metavar="TOKEN", help="the token that looks, as a word or its place")


def _link(arguments: argparse.Namespace, trace: "AttentionTrace") -> Document:
    from attention_core.analysis.words import words

    kind = trace.kinds[0] if arguments.kind is None else trace.maps_of(arguments.kind)[0].kind
    queries, keys = trace.queries(kind), trace.keys(kind)
    query, key = words(queries, arguments.query), words(keys, arguments.key)
    if queries is keys and query == key:
        raise InputError(f"{arguments.query!r} and {arguments.key!r} are the same word of the text; name two words")
    rivals = [words(keys, rival) for rival in arguments.rival]
    seen = analyses.measured(trace, arguments.measure)
    return analyses.link_document(seen, kind, query, key, rivals, words=arguments.words)


def _spell_link(arguments: argparse.Namespace, trace: "AttentionTrace", body: Document) -> Iterator[str]:
    queries, keys = trace.queries(body["kind"]), trace.keys(body["kind"])
    rivals = ", ".join(_word(keys, rival) for rival in body["rivals"])
    yield f"{_word(queries, body['query'])} -> {_word(keys, body['key'])}" + (f", not {rivals}" if rivals else "")
    what = "word" if body["words"] else "token"
    yield (
        f"lift: the weight minus the mean of what {body['other_count']} other {what}s give to the same key"
        if body["other_count"]
        else f"no other {what} may look there, so there is no lift: the heads stand by their weight"
    )
    yield f"{'head':8}  {'lift':>6}  {'weight':>6}  {'others':>6}  {'margin':>6}  {'share':>6}"
    top = body["heads"][: arguments.top]
    named = [head for head in body["heads"][arguments.top :] if head["named"]]
    for head in [*top, *sorted(named, key=lambda head: -head["weight"])[:3]]:
        numbers = "  ".join(_number(head[name]) for name in ("lift", "weight", "others", "margin", "share"))
        yield f"{_name(head):8}  {numbers}  {NAMED.get(head['named'], '')}".rstrip()


def _profile(arguments: argparse.Namespace, trace: "AttentionTrace") -> Document:
    body = analyses.read_profile(trace, AnalysisParameters(kind=arguments.kind, measure=arguments.measure))
    for axis in ("layer", "head"):
        wanted, there = getattr(arguments, axis), sorted({head[axis] for head in body["heads"]})
        if wanted is not None and wanted not in there:
            raise UnknownNameError(axis, wanted, there)
    wanted = [(axis, getattr(arguments, axis)) for axis in ("layer", "head") if getattr(arguments, axis) is not None]
    return {**body, "heads": [head for head in body["heads"] if all(head[axis] == at for axis, at in wanted)]}


def _spell_profile(_: argparse.Namespace, trace: "AttentionTrace", body: Document) -> Iterator[str]:
    keys = trace.keys(body["kind"])
    yield f"means over {body['rows']} tokens"
    yield f"{'head':8}  {'bits':>6}  {'far':>6}  {'offset':>12}  {'special':>7}  {'itself':>6}  {'topic':>6}"
    for head in body["heads"]:
        offset = "-" if head["offset"] is None else f"{head['offset']:+d} {head['offset_share']:.3f}"
        topic = "" if head["topic_key"] is None else f" {keys.texts[head['topic_key']]}"
        roles = ", ".join(f"{role['name']} {role['score']:.2f}" for role in head["roles"])
        yield (
            f"{_name(head):8}  {head['entropy']:6.2f}  {_number(head['distance'], 2)}  {offset:>12}  "
            f"{head['special']:7.3f}  {_number(head['own'])}  {_number(head['topic'])}{topic}"
            + (f"  [{roles}]" if roles else "")
        )


def _mentions(arguments: argparse.Namespace, trace: "AttentionTrace") -> Document:
    return analyses.read_mentions(trace, AnalysisParameters(kind=arguments.kind))


def _spell_mentions(_: argparse.Namespace, trace: "AttentionTrace", body: Document) -> Iterator[str]:
    for name, tokens in (("pronouns", trace.queries(body["kind"])), ("candidates", trace.keys(body["kind"]))):
        found = ", ".join(f"{_word(tokens, one)} ({one[0]}:{one[1]})" for one in body[name])
        yield f"{name}: {found or 'none that the rule knows'}"


def _steps(arguments: argparse.Namespace, trace: "AttentionTrace") -> Document:
    from attention_core.analysis.words import token

    kind = trace.kinds[0] if arguments.kind is None else trace.maps_of(arguments.kind)[0].kind
    query = token(trace.queries(kind), arguments.query)
    return analyses.steps_document(trace, kind, arguments.layer, arguments.head, query)


def _spell_steps(_: argparse.Namespace, trace: "AttentionTrace", body: Document) -> Iterator[str]:
    queries, keys = trace.queries(body["kind"]), trace.keys(body["kind"])
    yield f"{_name(body)}, the row of {queries.texts[body['query']]}; scale {body['scale']:.6f}"
    columns = [name for name in COLUMNS if body[name] is not None]
    yield "  ".join(["key".ljust(14), *(COLUMNS[name].rjust(11) for name in columns)])
    for at, text in enumerate(keys.texts):
        row = [text[:14].ljust(14), *(_number(body[name][at], 4).rjust(11) for name in columns)]
        yield "  ".join(row if body["allowed"][at] else [*row, "masked"])
    if body["sink"] is not None:
        yield f"the learned sink takes exp(...) = {body['sink']:.4f} of the sum"
    yield f"sum of the exponentials: {body['total']:.6f}; largest score: {_number(body['peak'], 4).strip()}"
    yield "output: " + " ".join(f"{one:.4f}" for one in body["output"])


COMMANDS: dict[str, tuple[Callable[[argparse.ArgumentParser], None], Reader, Printer]] = {
    "link": (_add_link, _link, _spell_link),
    "profile": (_add_profile, _profile, _spell_profile),
    "mentions": (add_measure, _mentions, _spell_mentions),
    "steps": (_add_steps, _steps, _spell_steps),
}


def _word(tokens: "Tokens", where: Sequence[int]) -> str:
    from attention_core.analysis.words import spelled

    return spelled(tokens, tuple(range(*where))) or "".join(tokens.texts[where[0] : where[1]])


def _name(head: Document) -> str:
    return f"L{head['layer']} H{head['head']}"


def _number(value: float | None, digits: int = 3) -> str:
    return f"{'-':>6}" if value is None else f"{value:6.{digits}f}"
