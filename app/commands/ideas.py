"""The command idea: what a page of ideas shows, computed here and printed for people or as the API replies."""

import argparse
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from app.documents import Document
from app.idea_schemas import LONG, QUICK
from app.ideas import LONG as LONG_WORK
from app.ideas import QUICK as QUICK_WORK
from app.incoming import checked
from app.terminal import Bar, print_json
from attention_core.ideas import IDEAS, Idea
from attention_core.models.sources import FetchProgress

REQUESTS: Mapping[str, type[BaseModel]] = {**QUICK, **LONG}
NOT_ASKED = ("do", "name")
UNDISTURBED = 0.9  # of its time a measurement has a processor when nothing else runs


def add_idea(parser: argparse.ArgumentParser) -> None:
    """Gives the parser a command for each idea, with an option for each of its parameters."""
    actions = parser.add_subparsers(title="ideas", required=True, metavar="NAME")
    for one in IDEAS:
        action = actions.add_parser(one.name, help=one.title, description=f"{one.help} ({one.reference})")
        for name, field in REQUESTS[one.name].model_fields.items():
            if name not in NOT_ASKED:
                _add_option(action, field.alias or name, field)
        action.add_argument("--json", action="store_true", help="print what the API replies")
        action.set_defaults(command=_command(one))


def _add_option(parser: argparse.ArgumentParser, name: str, field: FieldInfo) -> None:
    kind: Any = field.annotation
    choices = get_args(kind) if get_origin(kind) is Literal else None
    parser.add_argument(
        f"--{name}",
        type=kind if kind in (int, float) else str,
        choices=choices,
        metavar=None if choices else {int: "N", float: "X"}.get(kind, "TEXT"),
        help=f"{field.description} (default: {field.default})",
    )


def _command(one: Idea) -> Callable[[argparse.Namespace], None]:
    def run(arguments: argparse.Namespace) -> None:
        found = _long(one, arguments) if one.long else QUICK_WORK[one.name](_wanted(one, arguments))
        if arguments.json:
            print_json(found)
            return
        print(one.title)
        for line in SPELLED[one.name](found):
            print(line)

    return run


def _wanted(one: Idea, arguments: argparse.Namespace) -> BaseModel:
    """The options as the API would take them, so that they have the same limits."""
    model = REQUESTS[one.name]
    names = [field.alias or name for name, field in model.model_fields.items() if name not in NOT_ASKED]
    given = {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}
    fixed = {"do": "idea", "name": one.name} if one.long else {}
    return checked(model, {**fixed, **given})


def _long(one: Idea, arguments: argparse.Namespace) -> Document:
    wanted, work, bar = _wanted(one, arguments), LONG_WORK[one.name], Bar(unit="")
    with closing(bar), closing(work.run(wanted, work.most)) as pieces:
        while True:
            try:
                news = next(pieces)
            except StopIteration as end:
                found: Document = end.value
                return found
            bar.show(FetchProgress(one.name, news.done, news.total))


# ---- for people


def _spell_scaling(found: Document) -> Iterator[str]:
    yield f"{found['queries']} queries, {found['keys']} keys, seed {found['seed']}; means, entropy in bits"
    yield f"{'':>5}  {'divided by √dₖ':^42}  {'not divided':^42}"
    columns = "  ".join(name.rjust(9) for name in ("variance", "largest w", "entropy", "gradient"))
    yield f"{'dₖ':>5}  {columns}  {columns}"
    for one in found["curve"]:
        yield f"{one['dim']:5}  {_spread(one['scaled'])}  {_spread(one['unscaled'])}"
    yield f"uniform weights: entropy {found['most_entropy']:.4f}, gradient {found['uniform_gradient']:.4f}"


def _spread(one: Document) -> str:
    return "  ".join(f"{one[name]:9.4g}" for name in ("variance", "largest", "entropy", "gradient"))


def _spell_order(found: Document) -> Iterator[str]:
    yield f"{found['positions']}: {' '.join(found['words'])}"
    yield f"shuffled: {' '.join(found['shuffled'])}"
    yield f"put back in order, the largest difference of a weight: {found['difference']:.3g}"


def _spell_sparing(found: Document) -> Iterator[str]:
    yield " ".join(found["words"])
    window = f"a window of {found['size']}"
    if found["global"]:
        window += f" with global tokens {', '.join(map(str, found['global']))}"
    yield f"{window}: largest difference of a weight {found['window']['difference']:.3g}"
    yield f"{found['features']} random features: {found['estimate']['difference']:.3g}"


def _spell_cost(found: Document) -> Iterator[str]:
    device = found["device"]
    yield (
        f"{device['processor']}, on one core, torch {device['torch']}; one head of {found['dim']}, "
        f"window {found['window']}, {found['features']} features"
    )
    if found["share"] < UNDISTURBED:
        yield f"something else ran here: the core was there in {100 * found['share']:.0f} % of the time that went by"
    yield "  ".join(["way".ljust(8), "N".rjust(6), "ms".rjust(10), "MiB".rjust(9)])
    for way in found["ways"]:
        for point in way["points"]:
            size = point["bytes"] / 2**20
            yield f"{way['name']:8}  {point['count']:6}  {1000 * point['seconds']:10.3f}  {size:9.3f}"
    for way in found["ways"]:
        times, sizes = (_exponent(way[name]) for name in ("time_exponent", "memory_exponent"))
        yield f"{way['name']}: from N = 512 on, time grows like N^{times} and memory like N^{sizes}"
    for one in found["versus"]:
        yield (
            f"{one['name']} against the formula at N = {one['count']}: {one['speed']:.2f} times as fast, "
            f"{100 * one['memory']:.1f} % of the memory"
        )


def _exponent(one: float | None) -> str:
    return "? (too few texts)" if one is None else f"{one:.2f}"


def _spell_recurrence(found: Document) -> Iterator[str]:
    yield f"share of right answers for the word d steps ago; guessing: {found['chance']:.3f}"
    yield "   d  without attention  with attention"
    for d, pair in enumerate(zip(found["without"]["accuracy"], found["attending"]["accuracy"], strict=True), 1):
        yield f"{d:4}  {pair[0]:17.3f}  {pair[1]:14.3f}"


def _spell_masking(found: Document) -> Iterator[str]:
    yield (
        f"loss a word in nats; {found['trained_on']} sentences to learn from, {found['tested_on']} others; guessing "
        f"{found['guessing']:.3f}, knowing all there is to know {found['least']:.3f}"
    )
    for name, title in (("masked", "with the mask"), ("unmasked", "without")):
        one = found[name]
        yield f"{title}: trained {one['train'][-1]:.3f}, others {one['test'][-1]:.3f}, on its own {one['alone']:.3f}"
        for written in one["written"]:
            yield f"  {written['beginning']} | {' '.join(written['words'])}"


SPELLED: Mapping[str, Callable[[Document], Iterator[str]]] = {
    "scaling": _spell_scaling,
    "order": _spell_order,
    "sparing": _spell_sparing,
    "cost": _spell_cost,
    "recurrence": _spell_recurrence,
    "masking": _spell_masking,
}
