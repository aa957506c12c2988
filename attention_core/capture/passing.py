"""What goes through one attention of any model that can be seen into: what its projections get, what it puts out."""

from typing import Any

import torch
from torch import nn

from attention_core.errors import NotAvailableError
from attention_core.maps import Kind
from attention_core.models.examples import Encoded
from attention_core.models.loading import LoadedModel
from attention_core.nn.changing import Changes
from attention_core.nn.norms import OutputProjection
from attention_core.nn.watching import Passage, Watch


def projection_of(model: LoadedModel, kind: str, layer: int) -> OutputProjection:
    """The layer that mixes the heads of one attention of a proved model; a NotAvailableError with the reason
    "no-sublayer" where it was not found, or the model is read from its own eager attention."""
    found = model.outputs.get((kind, layer))
    if found is None:
        raise _unseen(model)
    return found


def passage(model: LoadedModel, encoded: Encoded, kind: str, layer: int, changes: Changes | None = None) -> Passage:
    """What goes through one attention of a proved model in one pass over an example, while `changes` go on.

    Raises as `projection_of`, also where what goes into the attention cannot be told.
    """
    module: nn.Module = projection_of(model, kind, layer).module
    network: Any = model.network
    with torch.inference_mode():
        if model.back_end == "in-house":
            from attention_core.capture import inhouse

            watch = Watch(changes, keeps=False, through=(kind, layer))
            inhouse.say(network, encoded.inputs, watch, None)
            found = watch.passage
        else:
            from attention_core.capture import interface  # imports transformers, which takes seconds
            from attention_core.capture.witness import Witness

            found = interface.passage(network, encoded.inputs, Witness((Kind(kind), layer), module), changes)
    if found is None:
        raise _unseen(model)
    return found


def _unseen(model: LoadedModel) -> NotAvailableError:
    title = model.card.title
    return NotAvailableError(
        f"what goes into the attention of {title} and comes out of it cannot be told from outside",
        reason="no-sublayer",
        model=title,
    )
