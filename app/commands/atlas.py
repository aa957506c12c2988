"""The command atlas: what a model's heads do on real data, and the roles that come of it."""

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from app.commands.evaluating import LEFT_OUT, opened
from app.terminal import Bar, complain, print_json
from attention_core.models.sources import FetchProgress

if TYPE_CHECKING:
    from attention_core.experiments.atlas import Atlas, Task

MOST_HEADS = 8  # of a role of many heads, that are printed
_SAID = {
    "antecedent": "picks a pronoun's antecedent more often than any rule without a head, on rows it was not chosen on",
    "syntax": "looks at the word of a relation at least 10 % more often than the best fixed offset does",
    "induction": "looks at what followed the same token before, in random tokens repeated",
}


def add_atlas(parser: argparse.ArgumentParser) -> None:
    """Gives the parser what `atlas` takes."""
    parser.description = (
        "The roles that a model's heads have on data. What is missing is measured, with sentences of this project's "
        "own and random tokens, and kept; results of `evaluate` stand beside it. The page shows it at /models/NAME."
    )
    parser.epilog = f"Exit codes: 0 everything was measured; {LEFT_OUT} some of it could not be, and stderr says why."
    parser.add_argument("name", metavar="NAME", nargs="?", help="a name that `models` lists (default: the first)")
    parser.add_argument("--again", action="store_true", help="measure anew what is there already")
    parser.add_argument("--json", action="store_true", help="print what the API replies")
    parser.set_defaults(command=atlas)


def atlas(arguments: argparse.Namespace) -> None:
    """Prints the atlas, after measuring what is missing; exits with LEFT_OUT when something could not be measured."""
    from attention_core.experiments.atlas import compute_atlas
    from attention_core.experiments.evaluate import Options

    model, cache, workers = opened(arguments.name)
    bar = Bar(unit="")

    def report(task: "Task", step: str, done: int, total: int) -> None:
        bar.show(FetchProgress(f"{task.file} {step}", done, total))

    try:
        options = Options(workers=workers)
        found, failed = compute_atlas(model, cache, again=arguments.again, options=options, report=report)
    finally:
        bar.close()
    for task, why in failed:
        complain(f"{task.task} on {task.file} could not be measured: {why}")
    if arguments.json:
        print_json(found.to_document())
    else:
        for line in summary(found):
            print(line)
    if failed:
        raise SystemExit(LEFT_OUT)


def summary(found: "Atlas") -> Iterator[str]:
    """An atlas in lines for people: each result, then each role with its heads."""
    if not found.results:
        yield f"{found.model}: nothing was measured" + ("" if found.tasks else "; there is no task for this model")
    for one in found.results:
        yield _line(one)
    names = dict.fromkeys(role.name for role in found.roles)
    if found.results and not names:
        yield "no head has a role on these data"
    for name in names:
        yield f"{name}: {_SAID[name]}"
        roles = [role for role in found.roles if role.name == name]
        for role in roles[:MOST_HEADS]:
            way = "" if role.direction is None else f" ({role.direction})"
            of = "" if role.of == role.file else f"{role.of}{way}, "
            yield (
                f"  L{role.layer} H{role.head}  {role.score:.3f}, from {role.threshold:.3f} on: "
                f"{of}{role.rows} rows of {role.file}"
            )
        if len(roles) > MOST_HEADS:
            yield f"  and {len(roles) - MOST_HEADS} more; --json has them all"


def _line(one: dict[str, Any]) -> str:
    head, (low, high) = one["chosen"], one["interval"]
    rules = [("nearest", "the best offset" if one["task"] == "syntax" else "nearest"), ("first", "first")]
    beside = "".join(f", {name} {one[key]:.3f}" for key, name in rules if one[key] is not None)
    return (
        f"{one['task']} on {one['file']}: L{head['layer']} H{head['head']} {one['right']:.3f} of {one['rows']} rows "
        f"(95 %: {low:.3f} to {high:.3f}); chance {one['chance']:.3f}{beside}"
    )
