"""Heads that are switched off in an example, and the target that a model writes by itself meanwhile."""

import re
from typing import Any

from attention_core.errors import NotAvailableError, UnknownNameError
from attention_core.models.examples import MOST_WRITTEN, Encoded, Example
from attention_core.models.loading import LoadedModel
from attention_core.nn.changing import HOW, Changes, Head, HeadsOff

_NUMBER = re.compile("0|[1-9][0-9]{0,3}")


def heads_off(model: LoadedModel, example: Example, *, writes: bool = False) -> HeadsOff | None:
    """What switches off the heads that a proved model's example names, None where it names none.

    An UnknownNameError for a name that is none, as "decoder-self.0.3" is one, for a head that is not there and for a
    way to switch off that is not known; a NotAvailableError with the reason "no-switch" for a model read from its own
    eager attention, and "no-mean-writing" where the model `writes` with the mean, which needs a whole text.
    """
    if example.off_with not in HOW:
        raise UnknownNameError("off_with", example.off_with, HOW)
    if not example.off:
        return None
    demand_changes(model)
    changes = HeadsOff([[head_of(name) for name in example.off]], example.off_with)
    changes.check(model.there)
    if writes:
        demand_writable(model, changes)
    return changes


def head_of(name: str) -> Head:
    """The kind, layer and head of "kind.layer.head"; an UnknownNameError for what is not spelled so."""
    kind, _, place = name.partition(".")
    layer, _, head = place.partition(".")
    if not (_NUMBER.fullmatch(layer) and _NUMBER.fullmatch(head)):
        raise UnknownNameError("head", name, ["kind.layer.head, for example encoder-self.0.0"])
    return kind, int(layer), int(head)


def demand_changes(model: LoadedModel) -> None:
    """A NotAvailableError for a model that nothing can be changed in while it runs."""
    if model.back_end == "eager":
        raise NotAvailableError(
            f"heads of {model.card.title} cannot be switched off: its attention is read from outside, by its own code",
            reason="no-switch",
            model=model.card.title,
        )


def demand_writable(model: LoadedModel, changes: Changes | None) -> None:
    """A NotAvailableError where heads say their mean: while a text is written there is no whole text to average."""
    if isinstance(changes, HeadsOff) and changes.how == "mean":
        raise NotAvailableError(
            f"{model.card.title} cannot write with heads at their mean, which is taken over a whole text; "
            "give it the text, or switch the heads off with zero",
            reason="no-mean-writing",
            model=model.card.title,
        )


def with_own_target(model: LoadedModel, encoded: Encoded, changes: Changes | None = None) -> tuple[Encoded, bool]:
    """The example with the target that an encoder-decoder writes, always the most probable token next, and whether it
    stopped without having written its end."""
    demand_writable(model, changes)
    written = model.reader.write(_write(model, encoded, changes))
    return model.with_target(encoded, written), not written.special[-1]


def _write(model: LoadedModel, encoded: Encoded, changes: Changes | None) -> list[int]:
    network: Any = model.network
    limit = min(MOST_WRITTEN, model.card.max_tokens or MOST_WRITTEN)
    if model.back_end == "in-house":
        from attention_core.capture import inhouse

        return inhouse.write(network, encoded.inputs, limit, changes)
    if not (hasattr(network, "can_generate") and network.can_generate()):
        raise NotAvailableError(f"{model.card.title} cannot write by itself and needs a target text")
    from attention_core.capture import interface  # imports transformers, which takes seconds

    ids = interface.write(network, encoded.inputs, limit, changes, model.there)
    if not ids:
        raise NotAvailableError(f"{model.card.title} writes nothing for this text; give it a target")
    return ids
