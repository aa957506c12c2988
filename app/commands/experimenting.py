"""The command experiment: a model that runs again with something changed, printed for people or as the API replies."""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from app.commands.looking import Prepared, add_example, prepared
from app.documents import Document
from app.experimenting import Experimenting
from app.incoming import checked
from app.job_schemas import EXPERIMENTS as REQUESTS
from app.job_schemas import ExperimentRequest
from app.schemas import TraceRequest
from app.terminal import Bar, print_json
from attention_core.experiments import EXPERIMENTS, Experiment

NOTES = {
    "no-norms": "the values of this model's heads cannot be told from outside",
    "no-prediction": "the model predicts nothing here, and a gradient needs a prediction",
    "no-gradient": "gradients cannot be taken through this model",
    "no-layers": "the layers of this model cannot be told apart from outside",
    "too-long": "the text is too long for this method",
}
SUBLAYER = {
    "query_input": "into the query's projection",
    "key_input": "into the key's projection",
    "part": "what this head adds",
    "bias": "what the projection adds once",
    "joined": "all heads together",
}
SHOWN = 8  # numbers of a vector that are printed
MOST_TOKENS = 64  # of a long text, so many that matter most are printed


def add_experiment(parser: argparse.ArgumentParser) -> None:
    """Gives the parser a command for each experiment."""
    actions = parser.add_subparsers(title="experiments", required=True, metavar="EXPERIMENT")
    for one in EXPERIMENTS:
        known = COMMANDS[one.name]
        action = actions.add_parser(one.name, help=one.title.lower(), description=f"{one.help} ({one.reference})")
        add_example(action)
        if "row" in known.taken:
            action.add_argument(
                "--row", metavar="TOKEN", help="whose prediction or vector is watched, as a word or its place from 0"
            )
        known.add(action)
        action.set_defaults(command=_command(one, known))


@dataclass(frozen=True)
class Known:
    """How one experiment stands on the command line."""

    add: Callable[[argparse.ArgumentParser], None]
    taken: tuple[str, ...]  # the arguments beside the example that its request has
    spell: Callable[[argparse.Namespace, Document], Iterator[str]]


def _command(one: Experiment, known: Known) -> Callable[[argparse.Namespace], None]:
    def run(arguments: argparse.Namespace) -> None:
        ready = prepared(arguments)
        wanted = _wanted(one.name, arguments, known, ready)
        work, bar = Experimenting(ready.service, ready.lane, wanted, ready.image), Bar(unit="")
        try:
            body = work.run(bar.show)
        finally:
            bar.close()
        if arguments.json:
            print_json(body)
            return
        print(one.title)
        for line in known.spell(arguments, body):
            print(line)

    return run


def _wanted(name: str, arguments: argparse.Namespace, known: Known, ready: Prepared) -> ExperimentRequest:
    """The arguments as the API would take them, so that they have the same limits."""
    given = {one: getattr(arguments, one) for one in known.taken if getattr(arguments, one) is not None}
    example = {one: getattr(ready.request, one) for one in TraceRequest.model_fields}
    for one in ("row", "query", "key"):
        if one in given:
            given[one] = int(given[one]) if _is_place(given[one]) else _place(one, given, ready)
    own = checked(REQUESTS[name], {"do": "experiment", "name": name, "text": "", **given})
    return own.model_copy(update=example)


def _is_place(given: str) -> bool:
    return given.isascii() and given.isdecimal() and len(given) < 10


def _place(axis: str, given: dict[str, Any], ready: Prepared) -> int:
    """Where a word stands that the arguments name as a row, a query or a key; an InputError for one of several
    tokens."""
    from attention_core.analysis.words import token

    trace = ready.service.capture(ready.lane, ready.request, ready.image)
    kind = given.get("kind") or trace.kinds[0]
    tokens = trace.queries(kind) if axis == "query" else trace.keys(kind)
    if axis == "row":  # a translation is watched as it is written
        tokens = trace.source if trace.target is None else trace.target
    return token(tokens, given[axis])


def _add_scan(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kind", help="encoder-self, decoder-self or cross (default: every kind)")
    parser.add_argument("--key", metavar="TOKEN", help="with --row: each head's weight from there to this token")
    parser.add_argument("--how", choices=("zero", "mean"), help="what stands for a head (default: zero)")
    parser.add_argument("--top", type=_count, default=10, metavar="N", help="heads that are printed (default: 10)")


def _add_importance(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kind", help="encoder-self, decoder-self or cross (default: the model's first)")
    parser.add_argument("--words", action="store_true", default=None, help="leave out whole words instead of tokens")


def _add_sublayer(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kind", help="encoder-self, decoder-self or cross (default: the model's first)")
    parser.add_argument("--layer", type=int, required=True, help="counted from 0")
    parser.add_argument("--head", type=int, required=True, help="counted from 0")
    for name, what in (("query", "the token that looks"), ("key", "the token looked at")):
        parser.add_argument(f"--{name}", required=True, metavar="TOKEN", help=f"{what}, as a word or its place from 0")


def _count(given: str) -> int:
    if not given.isdecimal() or not 1 <= int(given) <= 100_000:
        raise argparse.ArgumentTypeError(f"{given[:40]!r} is no number from 1 to 100000")
    return int(given)


def _spell_scan(arguments: argparse.Namespace, body: Document) -> Iterator[str]:
    yield f"{_aim(body)}; in place of a head: {'zeros' if body['how'] == 'zero' else 'its mean over this text'}"
    if body["base"]:
        yield f"with all heads: {_candidates(body['base'])}"
    width = max(len(_name(head)) for head in body["heads"])
    yield f"{'head':{width}}  {'effect':>6}  {'weight':>6}  then"
    for head in body["heads"][: arguments.top]:
        then = "" if head["after"] is None else _candidates([head["after"]])
        yield f"{_name(head):{width}}  {_number(head['effect'])}  {_number(head['attention'])}  {then}".rstrip()
    yield _agreement("weight and effect", body["agreement"])


def _spell_switch_off(_: argparse.Namespace, body: Document) -> Iterator[str]:
    yield f"{_aim(body)}: the effect is {body['effect']:.4f}"
    for name in ("before", "after"):
        if body[name]:
            yield f"{name}: {_candidates(body[name])}"
        if body["written"][name] is not None:
            yield f"{name}, written by the model itself: {body['written'][name]}"


def _spell_importance(_: argparse.Namespace, body: Document) -> Iterator[str]:
    yield f"{_aim(body)}, {body['kind']}"
    methods = [one for one in body["methods"] if one["scores"] is not None]
    yield "  ".join(["token".ljust(14), *(one["name"].rjust(13) for one in methods)])
    for at, text in enumerate(body["tokens"][:MOST_TOKENS]):
        yield "  ".join([text[:14].ljust(14), *(f"{one['scores'][at]:13.4f}" for one in methods)])
    if len(body["tokens"]) > MOST_TOKENS:
        yield f"and {len(body['tokens']) - MOST_TOKENS} more; --json has them all"
    for one in body["methods"]:
        if one["scores"] is None:
            yield f"{one['name']}: {NOTES.get(one['note'], one['note'])}"
        elif one["name"] != "leave-one-out":
            yield _agreement(f"{one['name']} and leaving tokens out", one["agreement"])


def _spell_sublayer(_: argparse.Namespace, body: Document) -> Iterator[str]:
    place = f"{_name(body)}, query {body['query']}, key {body['key']}"
    yield f"{place}: the first {SHOWN} of {len(body['given'])} numbers"
    for name, what in SUBLAYER.items():
        if body[name] is not None:
            yield f"{what:32}  " + " ".join(f"{one:8.4f}" for one in body[name][:SHOWN])
    yield f"the sum differs from the model's own output by at most {body['error']:.1e}"


COMMANDS: dict[str, Known] = {
    "scan": Known(_add_scan, ("row", "kind", "key", "how"), _spell_scan),
    "switch-off": Known(lambda _: None, ("row",), _spell_switch_off),
    "importance": Known(_add_importance, ("row", "kind", "words"), _spell_importance),
    "sublayer": Known(_add_sublayer, ("kind", "layer", "head", "query", "key"), _spell_sublayer),
}


def _aim(body: Document) -> str:
    aim = body["aim"]
    return aim["task"] if aim["row"] is None else f"{aim['task']} at {aim['row']}"


def _agreement(what: str, value: float | None) -> str:
    return f"{what}: {'too few to compare' if value is None else f'rank correlation {value:+.3f}'}"


def _candidates(candidates: list[Document]) -> str:
    return ", ".join(f"{one['text']} {one['probability']:.3f}" for one in candidates)


def _name(head: Document) -> str:
    return f"{head['kind']} L{head['layer']} H{head['head']}"


def _number(value: float | None) -> str:
    return f"{'-':>6}" if value is None else f"{value:6.4f}"
