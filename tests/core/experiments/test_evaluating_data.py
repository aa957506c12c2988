"""MiniLM on the public data sets that stand beside the project; skipped where they do not.

The figures are those of the data folder's SOURCES.md, which were measured by other code with the same rule: head chosen
on the even half of the groups, reported on the odd one; rows without a distractor left out; candidates and pronoun by
overlap; nearest by the distance of beginnings; twins of both halves.
"""

import time
from pathlib import Path

import pytest

from attention_core.capture import open_model
from attention_core.experiments.evaluate import Options, evaluate

DATA = Path(__file__).parents[4] / "shared" / "data"
FILES = {
    "coref/gap-a.jsonl": "antecedent",
    "coref/ontogum-a.jsonl": "antecedent",
    "coref/winogender.jsonl": "antecedent",
    "coref/koconovel-a.jsonl": "antecedent",
    "syntax/en_ewt-ud-dev.conllu": "syntax",
}

pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(not DATA.is_dir(), reason="the public data sets do not stand beside the project"),
]


@pytest.fixture(scope="module")
def minilm(cache):
    return open_model("minilm")


def test_winogender_gives_the_figures_of_the_table(minilm, tmp_path):
    result = evaluate(minilm, DATA / "coref/winogender.jsonl", "antecedent", Options(workers=2))
    assert (result.chosen.head.layer, result.chosen.head.head, result.chosen.rows) == (3, 1, 348)
    assert result.chosen.right == pytest.approx(0.557, abs=0.005)
    assert (result.chance, result.nearest, result.first) == (0.5, 0.5, 0.5)
    assert result.twins.both_right == pytest.approx(0.181, abs=0.005)
    assert result.twins.same_answer == pytest.approx(0.786, abs=0.005)
    assert result.chosen.interval[0] < 0.557 < result.chosen.interval[1]


@pytest.mark.parametrize("file", FILES)
def test_fifty_rows_take_less_than_a_minute(minilm, file):
    begun = time.perf_counter()
    result = evaluate(minilm, DATA / file, FILES[file], Options(limit=50, workers=2))
    assert time.perf_counter() - begun < 60
    assert result.origin.counts["read"] == 50
    assert result.origin.broken == ()


def test_the_baselines_of_gap_and_ontogum_are_those_of_the_table():
    """They need no model; which rows are reported is told by their number."""
    from attention_core.experiments.evaluate import antecedent
    from attention_core.experiments.evaluate.reading import read_rows
    from attention_core.experiments.evaluate.resampling import reported

    table = {"gap-a": (424, 0.5, 0.491, 0.538), "ontogum-a": (408, 0.361, 0.542, 0.235),
             "winogender": (348, 0.5, 0.5, 0.5), "koconovel-a": (401, 0.376, 0.489, 0.254)}  # fmt: skip
    for name, (count, chance, nearest, first) in table.items():
        rows = [row for row in read_rows(DATA / "coref" / f"{name}.jsonl").rows if len(row.candidates) > 1]
        there = [row for row in rows if reported(row.group)]
        found = (antecedent.chance(there), antecedent.nearest(there), antecedent.first(there))
        assert (len(there), found) == (count, pytest.approx((chance, nearest, first), abs=0.0006)), name
