"""Heads on real data: chosen on one half, reported on the other, beside what no head is needed for.

result = evaluate(open_model("minilm"), Path("gap.jsonl"), "antecedent")
"""

from attention_core.experiments.evaluate.evaluating import evaluate
from attention_core.experiments.evaluate.keeping import load_result, load_results
from attention_core.experiments.evaluate.measuring import EvaluationCancelled, Options
from attention_core.experiments.evaluate.results import TASKS, AntecedentResult, SyntaxResult

__all__ = [
    "TASKS",
    "AntecedentResult",
    "EvaluationCancelled",
    "Options",
    "SyntaxResult",
    "evaluate",
    "load_result",
    "load_results",
]
