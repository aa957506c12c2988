"""Where a figure's numbers come from and what was done to them: its title, the lines of its caption, its facts."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from attention_core.figures.figure import Style
from attention_core.figures.labels import cut, shown
from attention_core.figures.numbers import tick
from attention_core.figures.shown import Shown
from attention_core.figures.words import model_name, say
from attention_core.trace import AttentionTrace

REVISION = 12  # characters that tell two revisions apart
LONGEST_TEXT = 160
LONGEST_LINK = 300


def title(style: Style, trace: AttentionTrace, first: str) -> str:
    """The line above a figure: what it is of, and what must not be overlooked."""
    # A quantised or changed model is another one than the published one, and a figure travels without its page.
    norm = say(style, "title.norm") if trace.looking.measure == "norm" else ""
    quantised = say(style, "title.quantised") if trace.model.precision == "quantised" else ""
    changed = say(style, "title.changed") if trace.what_if else ""
    return " · ".join(filter(None, (first, norm, quantised, changed)))


def head_title(style: Style, of: Shown) -> str:
    """The title of a figure of one head."""
    return title(style, of.trace, say(style, "title", model=model_name(style, of.trace), head=of.named))


def head_line(style: Style, of: Shown) -> str:
    """Which head it is, counted from 0 and from 1, and its kind."""
    layer, head = of.choice.layer, of.choice.head
    kind = say(style, f"kind.{of.kind}")
    return say(style, "head", head=of.named, layer=layer + 1, number=head + 1, kind=kind)


def scale_title(style: Style, trace: AttentionTrace) -> str:
    """What the colours are of."""
    return say(style, f"scale.{trace.looking.measure}")


def colour_lines(style: Style, of: Shown) -> tuple[str, ...]:
    """How values became colours, where that is not from 0 to 1 in even steps."""
    said = [] if of.choice.curve == "linear" else [say(style, f"curve.{of.choice.curve}")]
    if of.range == "head" and of.largest > 0:
        said.append(say(style, "range.head", top=tick(of.largest)))
    return tuple(said)


def looking_lines(style: Style, trace: AttentionTrace, *, rest: bool = False) -> tuple[str, ...]:
    """What was done to the numbers; with `rest`, what was hidden stands beside the rows."""
    looking = trace.looking
    said = []
    if looking.measure == "norm":
        said.append(say(style, "measure.norm"))
    if looking.words:
        said.append(say(style, "words"))
    if looking.special != "show":
        said.append(say(style, f"special.{looking.special}"))
        if rest:
            said.append(say(style, "special.rest"))
    if looking.segments != "all":
        said.append(say(style, "segments", rows=looking.segments[0], columns=looking.segments[1]))
    return tuple(said)


def text_line(style: Style, trace: AttentionTrace) -> tuple[str, ...]:
    """The text that the model read, where the picture does not spell it out; nothing of a picture."""
    if trace.picture is not None:
        return ()
    texts = (trace.source.text, trace.source.pair, trace.target.text if trace.target else None)
    line = " / ".join(shown(text) for text in texts if text)
    return (say(style, "text", text=cut(line, LONGEST_TEXT)),)


def model_lines(style: Style, trace: AttentionTrace, link: str | None) -> tuple[str, ...]:
    """The model, which of its heads were off, how far it is to be trusted, and the address."""
    said = [model_line(style, trace)]
    if trace.source.cut is not None and trace.source.count is not None:
        read = max((at for group in trace.source.positions or () for at in group), default=len(trace.source) - 1) + 1
        said.append(say(style, "truncated", shown=read, count=trace.source.count))
    if trace.off:
        said.append(say(style, "off" if trace.off_with == "zero" else "off.mean", heads=off_heads(trace)))
    if trace.what_if:
        said.append(say(style, "what-if", changes=what_ifs(style, trace)))
    if not trace.provenance.checked:
        said.append(say(style, "unchecked"))
    return (*said, *((link,) if link and _leads_somewhere(link) else ()))


def _leads_somewhere(link: str) -> bool:
    """Whether readers can follow an address, which the figure's facts hold in any case: not to somebody's own computer,
    and not where it would fill the caption."""
    try:
        host = urlsplit(link).hostname or ""
    except ValueError:  # a person's own, of which nothing can be told
        return False
    return len(link) <= LONGEST_LINK and host != "localhost" and not host.startswith("127.") and host != "::1"


def model_line(style: Style, trace: AttentionTrace) -> str:
    """The model's title, revision and precision."""
    card = trace.model
    precision = say(style, f"precision.{card.precision}", dtype=trace.provenance.dtype)
    name = "model" if card.revision else "model.bare"
    return say(style, name, title=card.full_title, revision=card.revision[:REVISION], precision=precision)


def off_heads(trace: AttentionTrace) -> str:
    """The heads that were switched off as "L0 H3, L1 H2", with their kind where the trace has several."""
    several = len(trace.kinds) > 1
    named = []
    for name in trace.off:
        kind, layer, head = name.split(".")
        named.append(f"L{layer} H{head}" + (f" ({kind})" if several else ""))
    return cut(", ".join(named), LONGEST_TEXT)


def what_ifs(style: Style, trace: AttentionTrace) -> str:
    """What the model did otherwise than it learned, in words."""
    named = (name.partition(":") for name in trace.what_if)
    valued = ("temperature", "shuffle")
    return ", ".join(
        say(style, f"what-if.{name}" if name in valued else f"what-if.{name}{colon}{value}", value=value)
        for name, colon, value in named
    )


def facts(trace: AttentionTrace, link: str | None, **more: Any) -> Mapping[str, Any]:
    """What exports carry, as plain data: numbers, texts, lists and dicts of them."""
    card, looking = trace.model, trace.looking
    return {
        "model": card.name,
        "title": card.title,
        "full_title": card.full_title,
        "revision": card.revision,
        "precision": card.precision,
        "licence": card.licence,
        "dtype": trace.provenance.dtype,
        "measure": looking.measure,
        "looking": {"words": looking.words, "special": looking.special, "segments": looking.segments},
        "off": list(trace.off),
        "off_with": trace.off_with,
        "what_if": list(trace.what_if),
        "checked": trace.provenance.checked,
        "versions": dict(trace.provenance.versions),
        "link": link,
        **more,
    }


def head_facts(of: Shown, link: str | None, **more: Any) -> Mapping[str, Any]:
    """The facts of a figure of one head, with every token of the window as a person reads it."""
    (first, last), (start, stop) = of.windows
    tokens = {"queries": list(of.queries.texts[first:last]), "keys": list(of.keys.texts[start:stop])}
    place = {"kind": str(of.kind), "layer": of.choice.layer, "head": of.choice.head}
    return facts(of.trace, link, **place, tokens=tokens, **more)
