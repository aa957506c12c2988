"""The command lab: trains a small transformer of one's own choices, or measures what the choices come to."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.terminal import Bar
from attention_core.errors import InputError
from attention_core.models.sources import FetchProgress

if TYPE_CHECKING:
    from attention_core.lab import Point, Trained

WHOLE = ("layers", "heads", "width", "seed", "steps", "length", "vocabulary")
CHOICES = (*WHOLE, "positions", "learning_rate", "scaled", "mask")


def add_lab(parser: argparse.ArgumentParser) -> None:
    """Gives the parser what `lab` takes."""
    parser.add_argument("task", nargs="?", metavar="TASK", help="reverse, sort or induction")
    for name in WHOLE:
        parser.add_argument(f"--{name}", type=int, metavar="N")
    parser.add_argument("--positions", help="none, sinusoidal, learned or rotary")
    parser.add_argument("--learning-rate", type=float, metavar="RATE")
    parser.add_argument(
        "--scaled", action=argparse.BooleanOptionalAction, help="whether scores are divided by the root of dim"
    )
    parser.add_argument("--mask", action=argparse.BooleanOptionalAction, help="whether no token sees a later one")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="PATH", help="a new folder for the model; with --measure the file"
    )
    parser.add_argument(
        "--measure", action="store_true", help="train every task's default and what might hurt, over several seeds"
    )
    parser.set_defaults(command=lab)


def lab(arguments: argparse.Namespace) -> None:
    """Trains and prints how well it does, or writes what was measured."""
    if arguments.measure:
        given = ["TASK"] * bool(arguments.task) + [f"--{name.replace('_', '-')}" for name in _given(arguments)]
        if given:
            raise InputError(f"--measure takes choices of its own; leave out {', '.join(given)}")
        _measure(arguments)
    elif arguments.task is None:
        raise InputError("name a task: reverse, sort or induction; or --measure")
    else:
        _train(arguments)


def _given(arguments: argparse.Namespace) -> dict[str, Any]:
    """The choices that were made, by their names."""
    return {name: getattr(arguments, name) for name in CHOICES if getattr(arguments, name) is not None}


def _train(arguments: argparse.Namespace) -> None:
    from attention_core.lab import LabChoices, finish, jumps, save, train

    choices = LabChoices.of(arguments.task, **_given(arguments))
    folder: Path | None = arguments.output
    if folder is not None and folder.exists():
        raise InputError(f"{folder} is there already; name a new folder with -o")
    bar = Bar(unit="")

    def report(point: "Point") -> None:
        bar.show(FetchProgress("train", point.step, choices.steps), f"loss {point.loss:.3f}")

    try:
        trained: Trained = finish(train(choices), report)
    finally:
        bar.close()
    print(f"accuracy: {trained.accuracy:.4f} after {trained.steps} steps, {trained.seconds:.0f} s")
    for role, scores in trained.checkpoints[-1].scores.items():
        layer, head = divmod(int(scores.argmax()), scores.shape[1])
        print(f"{role}: {float(scores.max()):.3f} (L{layer} H{head})")
    for jump in jumps(trained.checkpoints):
        print(f"L{jump.layer} H{jump.head} {jump.role}: {jump.low:.2f} to {jump.high:.2f} near step {jump.step}")
    if folder is not None:
        save(trained, folder)
        print(f"saved: {folder}")


def _measure(arguments: argparse.Namespace) -> None:
    from attention_core.lab import measuring

    path: Path = measuring.FILE if arguments.output is None else arguments.output
    if not os.access(path if path.exists() else path.parent, os.W_OK) or path.is_dir():
        raise InputError(f"{path} cannot be written; name a file in a folder that is there with -o")
    bar = Bar(unit="")
    try:
        measuring.write(measuring.measure(lambda what, done, total: bar.show(FetchProgress(what, done, total))), path)
    finally:
        bar.close()
    print(f"saved: {path}")
