"""Figures made by hand, one for every panel and script, that the writers' tests draw."""

from dataclasses import replace

import numpy as np

from attention_core.figures import numbers
from attention_core.figures.figure import (
    Axis,
    Cells,
    Figure,
    Heads,
    Links,
    Measure,
    Measures,
    Overlay,
    Scale,
    Strip,
    Style,
)

CAT = ["[CLS]", "the", "cat", "sat", "on", "it", "[SEP]"]
SENTENCES = {
    "korean": "나는 학교에 갔다 .",
    "chinese": "我 直接 去 骨科",
    "japanese": "私は 骨を 食べ ました",
    "arabic": "القطة جلست على السجادة",
    "hindi": "मैं स्कूल क्षत्रिय गया",
    "emoji": "😀 🐱 ❤️ 👩‍👩‍👧",
    "missing": "a \U0010fff0 b \U00012345",
}


def weights(rows, columns=None, seed=0):
    """Rows that sum to 1, a few large weights in each."""
    scores = 2.5 * np.random.default_rng(seed).normal(size=(rows, columns or rows))
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return scores / scores.sum(axis=1, keepdims=True)


def axis(tokens, title="", chosen=None, segments=()):
    special = tuple(token in ("[CLS]", "[SEP]") for token in tokens)
    return Axis(tuple(tokens), title, special, chosen, tuple(segments))


def heat(rows, columns=None, *, values=None, scale=None, chosen=(None, None), numbered=True, **options):
    """A heatmap of tokens; options are those of the style."""
    columns = rows if columns is None else columns
    values = weights(len(rows), len(columns)) if values is None else np.asarray(values, dtype=np.float64)
    scale = Scale("weight") if scale is None else scale
    text = numbers.change_cell if scale.diverging else numbers.cell
    texts = tuple(tuple(text(float(value)) for value in row) for row in values) if numbered else None
    panel = Cells(values, axis(rows, "query: looks", chosen[0]), axis(columns, "key: is looked at", chosen[1]), texts)
    return figure(panel, "L3 H1", scale, **options)


def figure(panel, title="L3 H1", scale=None, **options):
    caption = ("Head L3 H1 (counted from 1: layer 4, head 2).",)
    facts = {"link": "https://atlas.example/?layer=3&head=1"}
    scale = scale or Scale("weight")
    return Figure(panel, title, "Strongest: it looks at cat.", scale, caption, facts, Style(**options))


def causal(count):
    values = np.tril(weights(count))
    values /= values.sum(axis=1, keepdims=True)
    values[np.triu_indices(count, 1)] = np.nan
    return values


def lines(**options):
    values = weights(7)
    texts = tuple(numbers.weight(value, 2) for value in values[5])
    return figure(Links(values, axis(CAT, "these look", 5), axis(CAT, "at these", 2), texts), **options)


def strip(tokens, chosen=1, **options):
    values = weights(len(tokens))[chosen]
    texts = tuple(numbers.weight(value, 2) for value in values)
    return figure(Strip(values, axis(tokens, "", chosen), texts), **options)


def heads(layers=3, count=5, **options):
    values = np.stack([[weights(5, seed=layer * count + head) for head in range(count)] for layer in range(layers)])
    return figure(Heads(values, (1, 2), None, ((0, 0),)), "All heads", **options)


def profile(**options):
    spread = np.linspace(0.05, 0.95, 24) ** 2
    rows = (Measure("entropy", 3 * spread, 1.2, "1.20", 3.0), Measure("itself", spread, np.nan, "–", 1.0))
    return replace(figure(Measures(rows, "L3 H1"), **options), scale=None)


def overlay(**options):
    ramp = np.linspace(0, 255, 12).astype(np.uint8)
    across, down = np.broadcast_to(ramp, (12, 12)), np.broadcast_to(ramp[:, None], (12, 12))
    pixels = np.stack([across, down, np.full((12, 12), 90)])
    values = weights(1, 9)[0].reshape(3, 3)
    return figure(Overlay(pixels.transpose(1, 2, 0).astype(np.uint8), values, (1, 1)), **options)


def script(name):
    """The heatmap of a sentence in a script, small."""
    tokens = SENTENCES[name].split()
    made = heat(tokens, chosen=(1, 2), language="ko" if name == "korean" else "en")
    return replace(made, caption=())


def pair():
    tokens, letters = ["[CLS]", "a", "cat", "[SEP]", "it", "ran"], "AAAABB"
    panel = Cells(
        weights(6),
        axis(tokens, "query: looks", segments=letters),
        axis(tokens, "key: is looked at", segments=letters),
        None,
        ("−.12",) * 6,
    )
    return figure(panel)


SCRIPTS = {name: script(name) for name in SENTENCES}
VIEWS = {
    "heatmap": heat(CAT, chosen=(5, 2)),
    "heatmap-dark-causal": heat(CAT, values=causal(7), theme="dark"),
    "heatmap-print": heat(CAT, values=causal(7), chosen=(5, 2), theme="print", palette="greys", numbered=False),
    "cross": heat(["나는", "갔다"], ["I", "went", "there"]),
    "pair": pair(),
    "difference": heat(CAT, values=weights(7) - weights(7, seed=1), scale=Scale("change", 0.8, diverging=True)),
    "grid": heads(),
    "lines": lines(),
    "strip": strip(CAT, 5),
    "strip-from-right": strip(SENTENCES["arabic"].split(), width=260, theme="dark"),
    "profile": profile(),
    "picture": overlay(),
}
