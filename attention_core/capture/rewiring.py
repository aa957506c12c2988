"""What an example's what-ifs change in a model of ours."""

import torch

from attention_core import what_if
from attention_core.errors import NotAvailableError
from attention_core.maps import Kind
from attention_core.models.examples import Encoded, Example
from attention_core.models.loading import LoadedModel
from attention_core.nn.changing import Changes, Several
from attention_core.nn.rewiring import Rewired

_MASKS = {"mask:causal": (Kind.ENCODER_SELF, True), "mask:none": (Kind.DECODER_SELF, False)}


def demand_rewirable(model: LoadedModel, example: Example) -> tuple[str, ...]:
    """The example's what-ifs in one order; a NotAvailableError with the reason "no-what-if" where the model's attention
    is not ours, or has no mask of that kind, and what `what_if.checked` raises."""
    names = what_if.checked(example.what_if)
    if names and model.back_end != "in-house":
        raise NotAvailableError(
            f"another library runs the attention of {model.card.title}; only ours can be made to work otherwise",
            reason="no-what-if",
            model=model.card.title,
        )
    for name, (kind, _) in _MASKS.items():
        if name in names and kind not in model.there:
            raise NotAvailableError(
                f"{model.card.title} has no {kind} attention, so that {name} would change nothing",
                reason="no-such-mask",
                model=model.card.title,
            )
    return names


def demand_as_it_is(example: Example, what: str) -> None:
    """A NotAvailableError with the reason "as-it-is" for an example with what-ifs: `what` runs the model as it is."""
    if example.what_if:
        raise NotAvailableError(
            f"{what} takes the model as it is; leave out what_if {', '.join(example.what_if)}", reason="as-it-is"
        )


def rewired(model: LoadedModel, example: Example, encoded: Encoded, others: Changes | None = None) -> Changes | None:
    """What an example's what-ifs change, after the `others`; those alone where it has none. Raises as
    `demand_rewirable`."""
    names = demand_rewirable(model, example)
    if not names:
        return others
    seed, reader = what_if.seed_of(names), str(next(iter(model.there)))
    change = Rewired(
        unscaled="unscaled" in names,
        temperature=what_if.temperature_of(names),
        masks={str(kind): causal for name, (kind, causal) in _MASKS.items() if name in names},
        positions="positions:none" not in names,
        orders={} if seed is None else {reader: torch.tensor(what_if.places_of(encoded.source, seed))},
    )
    return change if others is None else Several(others, change)
