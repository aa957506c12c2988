"""An evaluation from a file to a result."""

from pathlib import Path

from attention_core.errors import InputError, UnknownNameError
from attention_core.experiments.evaluate.bounding import bound_rows
from attention_core.experiments.evaluate.keeping import save_result
from attention_core.experiments.evaluate.measuring import Options
from attention_core.experiments.evaluate.passes import kind_of
from attention_core.experiments.evaluate.pronouns import antecedents
from attention_core.experiments.evaluate.results import ANTECEDENT, TASKS, AntecedentResult, SyntaxResult
from attention_core.experiments.evaluate.trees import relations
from attention_core.models.loading import LoadedModel


def evaluate(
    model: LoadedModel, path: Path, task: str, options: Options | None = None
) -> AntecedentResult | SyntaxResult:
    """The result of a task on a file, kept in the cache when it is of the whole file.

    An InputError for a file without usable rows, or with too few to choose a head on one half and report the other;
    NotAvailableError for a model that reads no text; EvaluationCancelled. What cannot be used is left out, counted
    by reason and named by line in `origin`.
    """
    options = Options() if options is None else options
    if task not in TASKS:
        raise UnknownNameError("task", task, TASKS)
    if options.limit is not None and options.limit < 1:
        raise InputError(f"a limit of {options.limit} rows leaves nothing; take 1 or more")
    kind_of(model)
    try:
        result = antecedents(model, path, options) if task == ANTECEDENT else relations(model, path, options)
        if options.cache is not None and options.limit is None:
            save_result(result, model.card, options.cache)
    finally:  # rows of runs that were stopped take room too
        if options.cache is not None:
            bound_rows(options.cache)
    return result
