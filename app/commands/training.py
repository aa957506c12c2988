"""The command train: one of our recipes, run again."""

import argparse
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from app.terminal import Bar
from attention_core.errors import InputError, UnknownNameError
from attention_core.models.sources import FetchProgress

if TYPE_CHECKING:
    from attention_core.training import Recipe, Result


def add_train(parser: argparse.ArgumentParser) -> None:
    """Gives the parser what `train` takes."""
    parser.add_argument("name", metavar="NAME", help="a bundled model that `models` lists")
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="a new folder (default: ./NAME)")
    parser.add_argument("--seed", type=int, help="of all that is drawn at random (default: the bundled model's)")
    parser.set_defaults(command=train)


def train(arguments: argparse.Namespace) -> None:
    """Trains a model into a new folder and prints how well it does; what is stopped leaves nothing."""
    from attention_core.training import RECIPES

    if arguments.name not in RECIPES:
        raise UnknownNameError("recipe", arguments.name, list(RECIPES))
    folder: Path = arguments.output if arguments.output is not None else Path(arguments.name)
    if arguments.seed is not None and not 0 <= arguments.seed < 2**32:
        raise InputError(f"the seed {arguments.seed} is not a number from 0 to {2**32 - 1}")
    recipe = RECIPES[arguments.name]
    result = trained(recipe, folder, recipe.seed if arguments.seed is None else arguments.seed)
    print(result.data)
    print(f"{result.steps} steps, {result.seconds:.0f} s")
    for name, score in result.scores.items():
        print(f"{name}: {score:.4f}")
    print(f"saved: {folder}")


def trained(recipe: "Recipe", folder: Path, seed: int, scale: float = 1.0) -> "Result":
    """The result of a recipe whose files are now in `folder`, which must be new or empty.

    The recipe works in a folder beside it, which becomes `folder` in one step at the end and never stays behind.
    """
    from attention_core.training import Run

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is there already; name a new folder with -o")
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = folder.parent / f".{folder.name}-{secrets.token_hex(4)}"
    bar = Bar(unit="")
    try:
        work.mkdir()

        def report(step: str, done: int, total: int, note: str) -> None:
            bar.show(FetchProgress(step, done, total), note)

        result = recipe.make(Run(work, seed=seed, scale=scale, report=report))
        work.replace(folder)
    finally:
        bar.close()
        shutil.rmtree(work, ignore_errors=True)
    return result
