"""The command evaluate: heads on real data."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.commands.models import fetched
from app.settings import Settings
from app.terminal import Bar, complain, print_json
from attention_core.errors import InputError
from attention_core.models.catalogue import load_catalogue
from attention_core.models.directory import models_folder, with_own
from attention_core.models.sources import FetchProgress, cache_folder

if TYPE_CHECKING:
    from attention_core.experiments.evaluate import AntecedentResult, SyntaxResult
    from attention_core.experiments.evaluate.results import Chosen, Origin, Relation
    from attention_core.models.loading import LoadedModel

LEFT_OUT = 3  # the exit code when some lines could not be used and the rest was evaluated
MOST_NAMED = 20
_REASONS = {
    "no_rival": "rows with one candidate, which no head can miss",
    "too_long": "too long for the model",
    "too_short": "sentences with fewer than two words to look at",
    "later_candidate": "rows with a candidate after the pronoun, which a decoder cannot see from there",
    "lost_words": "words that share their only token with another word",
}
_WARNINGS = {
    "decided-later": "rows have a twin that reads the same up to the pronoun: what decides comes after it, where a "
    "decoder cannot see it from the pronoun; no head can be right on both",
    "later-words": "words depend on a later word, which a decoder cannot see from there",
}


def add_evaluate(parser: argparse.ArgumentParser) -> None:
    """Gives the parser what `evaluate` takes."""
    parser.description = (
        "Choose the best head on one half of the data and report it on the other, beside what no head is needed for. "
        "Finished rows are kept: a run that was stopped goes on where it was."
    )
    parser.epilog = (
        f"Exit codes: 0 every line was used; {LEFT_OUT} some lines could not be used, are named on stderr, and the "
        "rest was evaluated; 2 nothing could be evaluated; 1 stopped."
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="JSON lines (antecedent) or CoNLL-U (syntax)")
    parser.add_argument("--task", required=True, choices=("antecedent", "syntax"), help="what the file asks of a head")
    parser.add_argument("--model", help="a name that `models` lists (default: the first)")
    parser.add_argument("--limit", type=int, metavar="N", help="the first N rows alone; such a result is not kept")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(command=evaluate)


def evaluate(arguments: argparse.Namespace) -> None:
    """Prints which head does the task best and how well; exits with LEFT_OUT when lines could not be used."""
    result = _evaluated(arguments)
    broken = result.origin.broken
    for one in broken[:MOST_NAMED]:
        complain(f"{result.origin.file} line {one.line} was left out: {one.why}")
    if len(broken) > MOST_NAMED:
        complain(f"and {len(broken) - MOST_NAMED} more lines; --json names them all")
    if arguments.json:
        print_json(result.to_document())
    else:
        for line in summary(result):
            print(line)
    if broken:
        raise SystemExit(LEFT_OUT)


def _evaluated(arguments: argparse.Namespace) -> "AntecedentResult | SyntaxResult":
    """The result, with a bar while it is made."""
    from attention_core.experiments.evaluate import Options
    from attention_core.experiments.evaluate import evaluate as run

    if not arguments.file.is_file():
        raise InputError(f"{arguments.file} is not a file; name a file of JSON lines or a CoNLL-U file")
    model, cache, workers = opened(arguments.model)
    bar = Bar(unit="")

    def report(step: str, done: int, total: int) -> None:
        bar.show(FetchProgress(step, done, total))

    options = Options(limit=arguments.limit, cache=cache, workers=workers, report=report)
    try:
        return run(model, arguments.file, arguments.task, options)
    finally:
        bar.close()


def opened(name: str | None) -> "tuple[LoadedModel, Path, int]":
    """A model by its name, or the default one, fetched and loaded; the cache; and how many passes run side by side."""
    import torch

    from app.making import best_device, revised
    from attention_core.models.loading import load_model

    settings = Settings()
    catalogue, _ = with_own(load_catalogue(), models_folder(settings.models_dir))
    entry = catalogue.default if name is None else catalogue.entry(name)
    device = best_device(settings.device)
    folder, cache = fetched(entry), cache_folder(settings.cache)
    model = load_model(revised(entry, cache).card, folder, dtype=getattr(torch, settings.dtype), device=device)
    return model, cache, torch.get_num_threads() if device == "cpu" else 1


def summary(result: "AntecedentResult | SyntaxResult") -> list[str]:
    """A result in lines for people."""
    from attention_core.experiments.evaluate import AntecedentResult

    if isinstance(result, AntecedentResult):
        lines = [
            f"antecedent, {result.origin.model} on {result.origin.file}: {_chosen(result.chosen)}",
            f"without a head: chance {result.chance:.3f}, the nearest candidate {result.nearest:.3f}, "
            f"the first {result.first:.3f}",
        ]
        if result.twins is not None:
            lines.append(
                f"{result.twins.pairs} pairs of twins: right on both {result.twins.both_right:.3f}, the same answer to "
                f"both {result.twins.same_answer:.3f} (coin tosses between two: 0.250 and 0.500)"
            )
        return lines + _left_out(result.origin)
    lines = [
        f"syntax, {result.origin.model} on {result.origin.file}: {_chosen(result.overall.chosen)}",
        f"without a head: chance {result.overall.chance:.3f}, the best fixed offset ({result.overall.offset:+d}) "
        f"{result.overall.offset_right:.3f}, the first word {result.first:.3f}",
        *_table(result.relations),
    ]
    return lines + _left_out(result.origin)


def _chosen(chosen: "Chosen") -> str:
    low, high = chosen.interval
    return (
        f"{_name(chosen)}, chosen on {chosen.chosen_rows} rows, is right on {chosen.right:.3f} of {chosen.rows} others "
        f"(95 %: {low:.3f} to {high:.3f})"
    )


def _name(chosen: "Chosen") -> str:
    return f"L{chosen.head.layer} H{chosen.head.head}"


def _table(relations: Sequence["Relation"]) -> list[str]:
    """A line a relation and direction: the head, its share and interval, and the best fixed offset."""
    rows = [("relation", "from", "rows", "head", "right", "95 %", "offset", "right")]
    for one in relations:
        chosen = one.chosen
        rows.append((
            one.relation, one.direction.split("-")[0], f"{chosen.rows}", _name(chosen), f"{chosen.right:.3f}",
            f"{chosen.interval[0]:.3f}-{chosen.interval[1]:.3f}", f"{one.offset:+d}",
            f"{one.offset_right:.3f}",
        ))  # fmt: skip
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _left_out(origin: "Origin") -> list[str]:
    """What was not counted, and what to think of."""
    counts: dict[str, Any] = dict(origin.counts)
    lines = [f"left out: {counts[name]} {why}" for name, why in _REASONS.items() if counts.get(name)]
    if origin.broken:
        lines.append(f"left out: {len(origin.broken)} lines that could not be used")
    warnings = origin.warnings
    return lines + [f"warning: {warnings[code]} {why}" for code, why in _WARNINGS.items() if code in warnings]
