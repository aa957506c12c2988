"""The command attention-atlas. What a person can mend exits with 2, the rest with 1."""

import argparse
import sys
from collections.abc import Callable, Sequence

from pydantic import ValidationError

from app.commands.analysing import add_analyse
from app.commands.atlas import add_atlas
from app.commands.evaluating import add_evaluate
from app.commands.experimenting import add_experiment
from app.commands.figures import add_figure
from app.commands.ideas import add_idea
from app.commands.lab import add_lab
from app.commands.lesson import add_lesson
from app.commands.looking import add_trace, add_weights
from app.commands.models import add_models
from app.commands.page import add_page
from app.commands.serving import add_serve
from app.commands.training import add_train
from app.commands.writing import add_generate
from app.problems import ProblemError
from app.terminal import complain
from attention_core.errors import AtlasError, InputError, MemoryLimitError, ModelAbsentError

COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "serve": ("start the web server", add_serve),
    "models": ("list the models, fetch one, or forget one", add_models),
    "trace": ("see every head of a sentence or a picture, and what the model says", add_trace),
    "weights": ("print one head's weights", add_weights),
    "page": ("write a sentence with every head into one HTML file that works offline", add_page),
    "figure": ("draw a head, or all of them, into a file: PNG, SVG, PDF, HTML, numbers", add_figure),
    "lesson": ("write a lesson with its pictures into a file: a page, Markdown, a notebook", add_lesson),
    "analyse": ("find the heads that tie two words, or see what every head does", add_analyse),
    "experiment": ("switch heads off, or see which words matter", add_experiment),
    "generate": ("let a model continue a text", add_generate),
    "evaluate": ("find the best head on real data: pronouns or trees", add_evaluate),
    "atlas": ("show the roles that a model's heads have on data; measure what is missing", add_atlas),
    "idea": ("compute what an idea behind attention shows: scaling, order, cost and others", add_idea),
    "lab": ("train a small transformer on a task of your choice, and see its heads learn", add_lab),
    "train": ("train a bundled model again, by its own recipe", add_train),
}
MENDABLE = (InputError, ModelAbsentError, MemoryLimitError, ProblemError, OSError)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; the exit code."""
    arguments = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace], None] = arguments.command
    try:
        command(arguments)
    except (AtlasError, ProblemError, OSError) as error:
        complain(str(error))
        return 2 if isinstance(error, MENDABLE) else 1
    except ValidationError as error:  # a setting that is not one
        first = error.errors()[0]
        complain(f"setting {'.'.join(str(place) for place in first['loc'])}: {first['msg']}")
        return 2
    except KeyboardInterrupt:
        complain("stopped")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="attention-atlas", description="See how attention works, exactly.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, (help_line, add) in COMMANDS.items():
        add(commands.add_parser(name, help=help_line))
    return parser


if __name__ == "__main__":
    sys.exit(main())
