"""What changes in a head from one trace to another: of another text, of another model, or with heads switched off."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, Unpack

import numpy as np

from attention_core.analysis.comparing import Comparison, compare
from attention_core.analysis.difference import likeness
from attention_core.errors import InputError
from attention_core.figures import numbers
from attention_core.figures.figure import MOST_NUMBERED, Axis, Cells, Figure, Scale, Style, Values
from attention_core.figures.labels import cut, shown
from attention_core.figures.options import Options, demand_head, demand_trace, sort
from attention_core.figures.pairs import Side, from_difference, pair_at, pair_axis, pair_window
from attention_core.figures.parts import of_line
from attention_core.figures.shown import COARSE, WHOLE, Choice, Shown, Span, place_of, show, window
from attention_core.figures.source import (
    facts,
    head_facts,
    head_line,
    looking_lines,
    model_line,
    model_lines,
    off_heads,
    title,
    what_ifs,
)
from attention_core.figures.words import model_name, say
from attention_core.trace import AttentionTrace

LONGEST_TEXT = 80
ENDS = (".", "?", "!", "…", "。", "？", "！")  # a text that ends so needs no full stop behind it
MOST_RANKED = 256  # tokens a side up to which the nearest head of another model is looked for


def difference(first: AttentionTrace, second: AttentionTrace, **options: Unpack[Options]) -> Figure:
    """What one head gives more or less from the first trace to the second: difference(one, other, layer=3, head=1).

    Of two models, which are compared by words, the second's head is `other_layer` and `other_head`, by default the
    nearest. See `Options` for what else can be chosen; an InputError for traces that share no token.
    """
    wanted = sort(options)
    demand_head(first, options, "difference")
    demand_trace(second)
    if first.model.name != second.model.name:
        wanted = replace(wanted, look={**wanted.look, "words": True})
    traces = wanted.looked(first), wanted.looked(second)
    return head_difference(traces[0], traces[1], wanted.choice, wanted.style, wanted.link)


def head_difference(
    trace: AttentionTrace, other: AttentionTrace, choice: Choice, style: Style, link: str | None = None
) -> Figure:
    """What changes in the head in focus; both traces are looked at already, in one way.

    Heads that are off, and what-ifs, are what comes after: where `trace` alone has some, `other` is the first.
    """
    if trace.model.name != other.model.name and not (trace.looking.words and other.looking.words):
        raise InputError("two models cut words into pieces of their own; look at both by words (words=True)")
    of = Both(*_sides(trace, other), choice, show(trace, choice))
    return of.figure(style, link)


def _sides(trace: AttentionTrace, other: AttentionTrace) -> tuple[AttentionTrace, AttentionTrace, Side]:
    changed = bool(trace.off or trace.what_if) and not (other.off or other.what_if)
    switched = trace.model.name == other.model.name and changed
    return (other, trace, "second") if switched else (trace, other, "first")


@dataclass(frozen=True, eq=False)
class Both:
    """Two traces on the axes that they share, and what of them is on show; `side` is the trace that was in focus."""

    first: AttentionTrace
    second: AttentionTrace
    side: Side
    choice: Choice
    own: Shown

    @cached_property
    def comparison(self) -> Comparison:
        """The axes that both have."""
        return compare(self.first, self.second, self.own.kind)

    @property
    def way(self) -> Literal["text", "model", "switch", "what-if"]:
        """What sets the two apart."""
        if self.first.model.name != self.second.model.name:
            return "model"
        same = (self.first.source.text, self.first.source.pair) == (self.second.source.text, self.second.source.pair)
        if same and self.first.what_if != self.second.what_if:
            return "what-if"
        return "switch" if same and self.first.off != self.second.off else "text"

    @cached_property
    def other(self) -> tuple[int, int]:
        """The second trace's head."""
        own = self.choice.layer, self.choice.head
        if self.choice.other_layer is not None or self.choice.other_head is not None:
            return self.choice.other_layer or 0, self.choice.other_head or 0
        if self.way != "model":
            return own
        if len(self.comparison.queries) * len(self.comparison.keys) > MOST_RANKED**2:
            return 0, 0
        nearest = likeness(self.first, *own, self.second, kind=self.own.kind).heads[0]
        return nearest.layer, nearest.head

    @cached_property
    def windows(self) -> tuple[Span, Span]:
        """The windows on show, in pairs of tokens."""
        wanted = (("queries", self.choice.queries), ("keys", self.choice.keys))
        tokens = (self.own.queries, self.own.keys)
        pairs = (self.comparison.queries, self.comparison.keys)
        rows, columns = (
            pair_window(some, self.side, None if span is None else window(name, span, len(axis)))
            for (name, span), axis, some in zip(wanted, tokens, pairs, strict=True)
        )
        return rows, columns

    @cached_property
    def exact(self) -> bool:
        """Whether a cell is one pair of tokens by one."""
        return all(stop - start <= WHOLE for start, stop in self.windows)

    @cached_property
    def matrices(self) -> tuple[Values, Values]:
        """The weights before and after (query, key)."""
        head, spans = (self.choice.layer, self.choice.head), tuple(slice(*span) for span in self.windows)
        between = (spans[0], spans[1])
        if self.exact:
            found = self.comparison.matrices(head, self.other, between)
        else:
            found = self.comparison.overview(head, self.other, COARSE, window=between)
        before, after = found.double().cpu().numpy()
        return before, after

    def figure(self, style: Style, link: str | None) -> Figure:
        """The heatmap of the changes."""
        before, after = self.matrices
        change = after - before
        pairs, axes = (self.comparison.queries, self.comparison.keys), self._axes(style, change)
        texts = self._texts(style, change)
        first = (say(style, "difference"), self._apart(style))
        alone = any(not pair.both for pair in pairs[1])
        caption = (
            f"{head_line(style, self.own)} {first[0]}",
            first[1],
            " ".join(looking_lines(style, self.own.trace)),
            " ".join((*self._coarse(style), *((say(style, "difference.alone"),) if alone else ()))),
            say(style, "difference.numbers", least=numbers.LEAST) if texts is not None else "",
            *self._models(style),
            *model_lines(style, self.own.trace, link),
        )
        there = self.second if self.side == "first" else self.first
        heading = say(style, "title.difference", head=f"{model_name(style, self.own.trace)} · {self.own.named}")
        return Figure(
            panel=Cells(change, *axes, numbers=texts),
            title=title(style, self.own.trace, heading),
            alt_text=self._alt_text(style, change, axes),
            scale=Scale(say(style, "scale.difference"), numbers.limit(float(np.abs(change).max())), diverging=True),
            caption=tuple(filter(None, caption)),
            facts=head_facts(
                self.own,
                link,
                compared=self.way,
                side=self.side,
                other={**facts(there, None), "layer": self.other[0], "head": self.other[1], "text": there.source.text},
            ),
            style=style,
        )

    def _axes(self, style: Style, change: Values) -> tuple[Axis, Axis]:
        chosen = self._cursor(change)
        sides = ((self.first.queries, self.second.queries), (self.first.keys, self.second.keys))
        pairs = (self.comparison.queries, self.comparison.keys)
        rows, columns = (
            pair_axis(some, (of(self.own.kind), to(self.own.kind)), span, say(style, name), at)
            for some, (of, to), span, name, at in zip(
                pairs, sides, self.windows, ("axis.queries", "axis.keys"), chosen, strict=True
            )
        )
        return rows, columns

    def _cursor(self, change: Values) -> tuple[int | None, int | None]:
        """The cell that wears a mark, in pairs: what was chosen, completed by what changes most."""
        if self.choice.query is None and self.choice.key is None and not self.choice.mark:
            return None, None
        asked = ((self.own.queries, self.choice.query, "query"), (self.own.keys, self.choice.key, "key"))
        pairs = (self.comparison.queries, self.comparison.keys)
        query, key = (pair_at(some, self.side, place_of(*one)) for some, one in zip(pairs, asked, strict=True))
        if query is not None and key is not None:
            return query, key
        size = np.abs(change)
        row = None if query is None or not self.exact else query - self.windows[0][0]
        if row is not None and 0 <= row < len(size):
            return query, self._start(1, int(size[row].argmax()), size.shape)
        at = divmod(int(size.argmax()), size.shape[1])
        return (self._start(0, at[0], size.shape) if query is None else query), self._start(1, at[1], size.shape)

    def _start(self, side: int, cell: int, shape: tuple[int, ...]) -> int:
        """The pair that a cell begins with."""
        start, stop = self.windows[side]
        return start + cell * (stop - start) // shape[side]

    def _texts(self, style: Style, change: Values) -> tuple[tuple[str, ...], ...] | None:
        fit = self.exact and max(change.shape) <= MOST_NUMBERED
        if style.numbers and not fit:
            sentence = f"numbers fit into at most {MOST_NUMBERED} x {MOST_NUMBERED} cells, not {change.shape[0]} x "
            raise InputError(f"{sentence}{change.shape[1]}; choose a window of queries and keys", limit=MOST_NUMBERED)
        if not fit or style.numbers is False:
            return None
        return tuple(tuple(map(numbers.change_cell, row)) for row in change.tolist())

    def _apart(self, style: Style) -> str:
        """What the first is and what the second."""
        if self.way == "text":
            first, second = _texts_apart(_whole(self.first), _whole(self.second))
            return say(style, "difference.text", first=_ended(first), second=_ended(second))
        if self.way == "model":
            names = self.first.model.full_title, self.second.model.full_title
            head = f"L{self.choice.layer} H{self.choice.head}"
            other = f"L{self.other[0]} H{self.other[1]}"
            return say(style, "difference.model", first=names[0], second=names[1], head=head, other=other)
        if self.way == "what-if":
            changes = [what_ifs(style, trace) or say(style, "none") for trace in (self.first, self.second)]
            return say(style, "difference.what-if", first=changes[0], second=changes[1])
        off = [off_heads(trace) or say(style, "none") for trace in (self.first, self.second)]
        if not self.first.off:
            return say(style, "difference.switch", heads=off[1])
        return say(style, "difference.switches", first=off[0], second=off[1])

    def _models(self, style: Style) -> tuple[str, ...]:
        """The other model; the caption ends with the one in focus."""
        return (model_line(style, self.second),) if self.way == "model" else ()

    def _coarse(self, style: Style) -> tuple[str, ...]:
        if self.exact:
            return ()
        most = [-(-(stop - start) // min(COARSE, stop - start)) for start, stop in self.windows]
        return (say(style, "difference.overview", rows=most[0], columns=most[1]),)

    def _alt_text(self, style: Style, change: Values, axes: tuple[Axis, Axis]) -> str:
        of = of_line(style, self.own)
        first = say(style, "alt.difference", of=of, rows=len(axes[0]), columns=len(axes[1]))
        if not change.any():
            return f"{first} {say(style, 'alt.same')}"
        query, key = divmod(int(np.abs(change).argmax()), change.shape[1])
        values: dict[str, Any] = {
            "change": numbers.signed(change[query, key]),
            "before": numbers.weight(self.matrices[0][query, key]),
            "after": numbers.weight(self.matrices[1][query, key]),
        }
        names = {"query": axes[0].labels[query], "key": axes[1].labels[key]}
        return f"{first} {say(style, 'alt.largest.difference', **values, **names)}"


def _texts_apart(first: str, second: str) -> tuple[str, str]:
    """Two texts, each as far as a line has room; long ones from where they part."""
    if max(len(first), len(second)) > LONGEST_TEXT:
        first, second = from_difference(first, second), from_difference(second, first)
    return cut(shown(first), LONGEST_TEXT), cut(shown(second), LONGEST_TEXT)


def _ended(text: str) -> str:
    """A text as a sentence of a caption: with a full stop where it has no end of its own."""
    return text if text.endswith(ENDS) else f"{text}."


def _whole(trace: AttentionTrace) -> str:
    return " / ".join(filter(None, (trace.source.text, trace.source.pair, trace.target.text if trace.target else "")))
