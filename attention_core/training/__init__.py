"""The recipes of the bundled models: each can be run again by anyone with `attention-atlas train NAME`.

A recipe's module has a function `make(run) -> Result`; it is imported when the recipe runs, not before.
"""

from attention_core.training.recipe import Recipe, Result, Run, TrainingCancelled


def _induction(run: Run) -> Result:
    from attention_core.training.induction import make

    return make(run)


def _korean(run: Run) -> Result:
    from attention_core.training.korean.recipe import make

    return make(run)


def _shapes(run: Run) -> Result:
    from attention_core.training.shapes import make

    return make(run)


RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (Recipe("ko-en", _korean, seed=1), Recipe("induction", _induction), Recipe("shapes", _shapes))
}
"""Every recipe by the name of the model that it makes."""

__all__ = ["RECIPES", "Recipe", "Result", "Run", "TrainingCancelled"]
