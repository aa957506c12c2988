"""What you see is what you get: numbers, colours, labels, lines and the chosen cell of a figure are the page's own.

Values are generated; one Node process asks the page's modules (static/js) about all of them.
"""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from hand_made import trace_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from attention_core.figures import Choice, lines, numbers
from attention_core.figures.colour import colours, positions, ticks
from attention_core.figures.figure import CURVES, Scale, Style
from attention_core.figures.labels import shown
from attention_core.figures.pairs import from_difference
from attention_core.figures.shown import show

ROOT = Path(__file__).parents[3]
SCRIPT = """
import { readFileSync } from "node:fs";
const at = (name) => import(`file://ROOT/static/js/${name}.js`);
const { createPalette } = await at("lib/color");
const { createDiverging, limitOf, shortChange, signedChange } = await at("lib/diverging");
const { short, weight } = await at("lib/i18n");
const { tickText } = await at("views/colour");
const { visible } = await at("lib/tokens");
const { chosenCell } = await at("lib/reader");
const { linesOf } = await at("lib/links");
const { fromDifference } = await at("lib/pairs");
const { weights, highs, changes, texts, heads, apart } = JSON.parse(readFileSync(0, "utf-8"));
const ramps = ["light", "dark"].flatMap((theme) => ["linear", "sqrt", "log"].map((scale) => {
  const palette = createPalette({ theme, scale, range: "head" });
  return highs.map((high) => weights.map((w) => [palette.t(w, high), palette.rgb(w, high)]));
}));
const marks = ["linear", "sqrt", "log"].map((scale) => {
  const palette = createPalette({ theme: "light", scale, range: "head" });
  return highs.map((high) => palette.ticks.map(({ share, at }) => [at, tickText(share * palette.top(high))]));
});
const limits = changes.map((change) => limitOf([change]));
const turns = ["light", "dark"].map((theme) => limits.map((limit, i) => {
  const palette = createDiverging({ theme, limit });
  return [palette.t(changes[i]), palette.rgb(changes[i])];
}));
const cells = heads.map(({ rows, special, query, key }) => {
  const [columns, data] = [rows[0].length, Float32Array.from(rows.flat())];
  return chosenCell({ data, columns, rows: rows.length }, { query, key }, { queries: special, keys: special });
});
const row = Float32Array.from({ length: 50 }, (_, i) => weights[i] + 1e-3);
const window = { queries: [0, 50], keys: [0, 50], exact: true, columns: 50, data: null };
const { queries, keys } = linesOf({ window, query: 20, row });
process.stdout.write(JSON.stringify({
  cells, lines: { queries, keys }, apart: apart.map(([text, other]) => fromDifference(text, other)),
  ramps, marks, limits, turns, visible: texts.map(visible),
  short: weights.map(short), weight: weights.map((w) => [weight(w, 2), weight(w)]),
  changes: changes.map((c) => [shortChange(c), signedChange(c)]),
}));
"""


def heads():
    """Heads of few tokens, some of them special, in which weights are equal now and then; and what was chosen there."""
    drawn = np.random.default_rng(6)
    found = []
    for number in range(120):
        count = 2 + number % 4
        parts = drawn.integers(0, 4, (count, count))
        parts[:, 0] += parts.sum(1) == 0
        rows = (parts / parts.sum(1, keepdims=True)).astype(np.float32)
        query, key = (None if chosen == count else int(chosen) for chosen in drawn.integers(0, count + 1, 2))
        special = [bool(drawn.integers(0, 3) == 0) for _ in range(count)]
        found.append({"rows": rows.tolist(), "special": special, "query": query, "key": key})
    return found


@pytest.fixture(scope="module")
def asked():
    """Values of every kind, halves and ends among them."""
    found = {"weights": [], "highs": [], "changes": [], "texts": []}
    share, high = some.floats(0, 1, width=32), some.floats(0.0009765625, 1, width=32)
    special = some.sampled_from(["", " ", "\n", "\t", "\r", "\u200b", "\u00a0", "\u1100", "\u1161", "\u11a8", "\u3164"])

    @settings(max_examples=60, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(share, high, some.floats(-1, 1, width=32), some.one_of(special, some.text(max_size=4)))
    def gather(weight, high, change, text):
        for name, value in zip(found, (weight, high, change, text), strict=True):
            found[name].append(value)

    gather()
    found["heads"] = heads()
    drawn = np.random.default_rng(1)
    words = [" ".join(drawn.choice(["a", "b", "c  d"], size)) for size in drawn.integers(1, 12, 60)]
    found["apart"] = [
        pair for text in words for pair in ((text, f"{text} e"), (f"{text} e", f"{text} f g"), (text, text))
    ]
    found["weights"] += [0, 1, 0.125, 0.375, 0.625, 0.995, 0.9949999, 0.005, 0.05, 0.0005]
    found["changes"] += [0, 1, -1, 0.05, -0.05, 0.125, -0.125, 0.9950001, 0.0004]
    found["highs"] = [1, 0.5, 0.25, 0.0003, *found["highs"][:6]]
    return found


@pytest.fixture(scope="module")
def page(asked):
    """What the page's modules say of them."""
    node = ["node", "--input-type=module", "-e", SCRIPT.replace("ROOT", str(ROOT))]
    ran = subprocess.run(node, input=json.dumps(asked), capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_numbers_are_written_alike(asked, page):
    assert [numbers.short(weight) for weight in asked["weights"]] == page["short"]
    assert [[numbers.weight(weight, 2), numbers.weight(weight)] for weight in asked["weights"]] == page["weight"]
    written = [[numbers.change_cell(one), numbers.signed(one)] for one in asked["changes"]]
    told = zip(asked["changes"], page["changes"], strict=True)
    assert written == [[cell if abs(one) >= 0.05 else "", said] for one, (cell, said) in told]
    assert [numbers.limit(abs(change)) for change in asked["changes"]] == page["limits"]


def test_weights_have_the_same_colours(asked, page):
    kinds = [(theme, curve) for theme in ("light", "dark") for curve in CURVES]
    for (theme, curve), by_high in zip(kinds, page["ramps"], strict=True):
        for high, told in zip(asked["highs"], by_high, strict=True):
            scale, values = Scale("weight", high, curve), np.array(asked["weights"])
            np.testing.assert_allclose(positions(values, scale), [at for at, _ in told], atol=1e-9)
            # The page rounds to whole steps of 255, and a figure's ramp has 256 steps.
            drawn = 255 * colours(values, scale, Style(theme=theme))
            np.testing.assert_allclose(drawn, [rgb for _, rgb in told], atol=0.51)


def test_the_colour_bar_has_the_same_marks(asked, page):
    for curve, by_high in zip(CURVES, page["marks"], strict=True):
        for high, told in zip(asked["highs"], by_high, strict=True):
            mine = ticks(Scale("weight", high, curve))
            assert [text for _, text in mine] == [text for _, text in told]
            assert [at for at, _ in mine] == pytest.approx([at for at, _ in told])


def test_changes_have_the_same_colours(asked, page):
    for theme, told in zip(("light", "dark"), page["turns"], strict=True):
        for change, limit, (at, rgb) in zip(asked["changes"], page["limits"], told, strict=True):
            scale = Scale("change", limit, diverging=True)
            assert float(positions(np.array(change), scale)) == pytest.approx(at)
            drawn = 255 * colours(np.array(change), scale, Style(theme=theme))
            np.testing.assert_allclose(drawn, rgb, atol=0.51 + 1)


def test_what_cannot_be_seen_has_the_same_name(asked, page):
    """A text that hides something between its letters is written out here; the page draws it as the browser does."""
    for text, told in zip(asked["texts"], page["visible"], strict=True):
        mine = shown(text)
        assert mine == told or "<U+" in mine or any(sign in mine for sign in "⏎⇥")


def test_the_chosen_cell_is_the_same(asked, page):
    for head, told in zip(asked["heads"], page["cells"], strict=True):
        words = ["[s]" if special else "w" for special in head["special"]]
        trace = trace_of(" ".join(words), torch.tensor(head["rows"])[None])
        assert show(trace, Choice(query=head["query"], key=head["key"])).cell == (told["query"], told["key"])


def test_of_a_long_text_the_same_lines_are_drawn(asked, page):
    row = torch.tensor(asked["weights"][:50], dtype=torch.float32) + 1e-3
    given = (row / row.sum()).expand(1, 50, 50)
    panel = lines(trace_of(" ".join(f"w{at}" for at in range(50)), given), layer=0, head=0, query=20).panel
    assert panel.left.labels == tuple(f"w{at}" for at in page["lines"]["queries"])
    assert panel.right.labels == tuple(f"w{at}" for at in page["lines"]["keys"])


def test_long_texts_are_named_alike(asked, page):
    assert [from_difference(*pair) for pair in asked["apart"]] == page["apart"]
