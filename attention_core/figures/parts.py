"""What several figures have in common: axes, numbers in cells, and the sentences about them."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from attention_core.errors import InputError
from attention_core.figures import numbers
from attention_core.figures.figure import MOST_NUMBERED, Axis, Style, Values
from attention_core.figures.labels import label
from attention_core.figures.shown import Shown
from attention_core.figures.words import model_name, say
from attention_core.tokens import Tokens
from attention_core.trace import AttentionTrace


def cell_texts(values: Values, style: Style) -> tuple[tuple[str, ...], ...] | None:
    """The numbers in the cells; None where there are too many to be read, or none are wanted.

    An InputError where they are wanted and cannot be read.
    """
    fit = max(values.shape) <= MOST_NUMBERED
    if style.numbers and not fit:
        sentence = f"numbers fit into at most {MOST_NUMBERED} x {MOST_NUMBERED} cells, not {values.shape[0]} x "
        raise InputError(f"{sentence}{values.shape[1]}; choose a window of queries and keys", limit=MOST_NUMBERED)
    if not fit or style.numbers is False:
        return None
    return tuple(tuple(map(numbers.cell, row)) for row in values.tolist())


def cell_lines(style: Style, values: Values, texts: tuple[tuple[str, ...], ...] | None) -> tuple[str, ...]:
    """What a reader of the cells has to know: that small numbers are left out, and what is blank."""
    some = texts is not None and bool(((values < numbers.LEAST) & (values > 0)).any())
    said = [say(style, "numbers", least=numbers.LEAST)] if some else []
    return (*said, *((say(style, "blocked"),) if np.isnan(values).any() else ()))


def row_rest(of: Shown) -> tuple[str, ...] | None:
    """What was hidden of each row on show; None where nothing is, or rows are no single tokens."""
    removed = of.removed
    if removed is None or not of.exact:
        return None
    return tuple(f"−{numbers.short(share)}" for share in removed[slice(*of.windows[0])].tolist())


def window_lines(style: Style, of: Shown) -> tuple[str, ...]:
    """Which part of the whole is on show, and how coarse it is."""
    sizes = (len(of.queries), len(of.keys))
    said = []
    if of.windows != ((0, sizes[0]), (0, sizes[1])):
        spans = [f"{start}–{stop - 1}" for start, stop in of.windows]
        said.append(say(style, "window", queries=spans[0], keys=spans[1], rows=sizes[0], columns=sizes[1]))
    if not of.exact:
        most = [max(stop - start for start, stop in pairwise(edges)) for edges in of.edges]
        said.append(say(style, "overview", rows=most[0], columns=most[1]))
    return (" ".join(said),) if said else ()


def largest_line(style: Style, values: Values, axes: tuple[Axis, Axis], name: str = "alt.largest") -> str:
    """What is strongest, as a sentence for who does not see it: where a special token has the most, or where there was
    nothing else to look at, also what is strongest beside that."""
    if not np.nan_to_num(values).any():
        return say(style, "alt.nothing")
    weights = np.nan_to_num(values)
    ordinary = np.where(_is_telling(values, axes), weights, 0.0)
    first = _at_largest(style, weights, axes, name)
    if name != "alt.largest" or not ordinary.any() or ordinary.max() == weights.max():
        return first
    return f"{first} {_at_largest(style, ordinary, axes, 'alt.largest.ordinary')}"


def _at_largest(style: Style, weights: Values, axes: tuple[Axis, Axis], name: str) -> str:
    query, key = divmod(int(weights.argmax()), weights.shape[1])
    weight = numbers.weight(weights[query, key])
    return say(style, name, weight=weight, query=axes[0].labels[query], key=axes[1].labels[key])


def _is_telling(values: Values, axes: tuple[Axis, Axis]) -> NDArray[np.bool_]:
    """Which cells (query, key) are of two ordinary tokens, of which the one could have looked elsewhere."""
    rows, columns = (~np.array(axis.special or (False,) * len(axis)) for axis in axes)
    free = (~np.isnan(values)).sum(axis=1) > 1
    return np.asarray((rows & free)[:, None] & columns[None, :])


def chosen_line(style: Style, of: Shown, axes: tuple[Axis, Axis], name: str = "alt.chosen") -> str:
    """The chosen cell as a sentence, where somebody chose it and it is on show."""
    query, key = axes[0].chosen, axes[1].chosen
    asked = of.choice.query is not None or of.choice.key is not None
    if not asked or query is None or key is None or np.isnan(value := of.values[query, key]):
        return ""
    return say(style, name, query=axes[0].labels[query], key=axes[1].labels[key], weight=numbers.weight(value))


def of_line(style: Style, of: Shown) -> str:
    """Of which head of which model, as a part of a sentence."""
    return say(style, "alt.of", head=of.named, model=model_name(style, of.trace))


def token_axis(tokens: Tokens, edges: Sequence[int], title: str, chosen: int | None) -> Axis:
    """An axis of cells: each wears the token it begins with. `chosen` is a position of the axis."""
    first = list(edges[:-1])
    at = None
    if chosen is not None and edges[0] <= chosen < edges[-1]:
        at = int(np.searchsorted(np.array(edges), chosen, side="right")) - 1
    pair = tokens.pair is not None or "B" in tokens.segment
    return Axis(
        labels=tuple(label(tokens.texts[place]) for place in first),
        title=title,
        special=tuple(tokens.special[place] for place in first),
        chosen=at,
        segments=tuple(tokens.segment[place] for place in first) if pair else (),
    )


def what_line(style: Style, trace: AttentionTrace) -> str:
    """What the numbers are, as a part of a sentence."""
    return say(style, "alt.norm" if trace.looking.measure == "norm" else "alt.weights")


def shown_axis(of: Shown, style: Style, side: int) -> Axis:
    """The axis of what is on show: side 0 looks, side 1 is looked at."""
    tokens, name = ((of.queries, "axis.queries"), (of.keys, "axis.keys"))[side]
    return token_axis(tokens, of.edges[side], say(style, name), of.marked[side])
