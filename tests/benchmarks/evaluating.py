"""Rows a second of `evaluate` against one capture() after the other, on MiniLM and pronouns of real texts.

python tests/benchmarks/evaluating.py [FILE [ROWS]]     (default: 200 rows of ../shared/data/coref/gap-a.jsonl)

Both sides read the weights of the pronoun's rows in every head, and take turns, so that what else the machine does
falls on both alike.
"""

import statistics
import sys
import time
from pathlib import Path

import torch

ROOT = Path(__file__).parents[2]
ROUNDS = 3


def main() -> None:
    """Print the ratio, and the rows a second of both sides."""
    from attention_core.capture import capture, open_model
    from attention_core.experiments.evaluate import antecedent
    from attention_core.experiments.evaluate.keeping import KeptRows
    from attention_core.experiments.evaluate.measuring import Options, measure
    from attention_core.experiments.evaluate.pronouns import item, placed
    from attention_core.experiments.evaluate.reading import read_rows

    file = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared/data/coref/gap-a.jsonl"
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    model = open_model("minilm")
    options = Options(workers=torch.get_num_threads())
    rows = [row for row in read_rows(file).rows if len(row.candidates) > 1][:count]

    def one_by_one(part: list) -> list:
        scores = []
        for row in part:
            trace = capture(model, row.text)
            at = antecedent.place(row, trace.source)
            span = slice(at.pronoun[0], at.pronoun[-1] + 1)
            weights = torch.stack([one.weights(None, span) for one in trace.maps])
            scores.append(antecedent.score(weights, at))
        return scores

    def in_batches(part: list) -> list:
        found, _, _ = placed(model, part, options)
        return measure(model, [item(model, *one) for one in found], KeptRows(None), options)

    one_by_one(rows[:2])
    in_batches(rows[:2])
    times: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        slow = one_by_one(rows)
        between = time.perf_counter()
        fast = in_batches(rows)
        times.append((between - begun, time.perf_counter() - between))
    worst = max(float(abs(a - b).max()) for a, b in zip(slow, fast, strict=True))
    ratio = statistics.median(slowly / quickly for slowly, quickly in times)
    slowest, fastest = (len(rows) / statistics.median(side) for side in zip(*times, strict=True))
    print(f"{len(rows)} rows of {file.name}, {torch.get_num_threads()} threads, medians of {ROUNDS} pairs: "
          f"{slowest:.1f} rows a second one by one, {fastest:.1f} in batches, {ratio:.2f} x; "
          f"scores differ by at most {worst:.1e}")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
