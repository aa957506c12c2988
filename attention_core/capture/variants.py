"""One pass over several copies of an example, each changed in its own way: what the model says in each case.

    said = say(model, encoded, 2, changes=HeadsOff([[], [("encoder-self", 3, 1)]]))
    said.hidden[0], said.hidden[1]      # as it is, and without that head
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from attention_core.capture.run import call_options
from attention_core.capture.switching import demand_changes
from attention_core.errors import InputError, ShapeError, TraceError, UnknownNameError
from attention_core.maps import Kind
from attention_core.models.examples import Encoded
from attention_core.models.loading import LoadedModel
from attention_core.nn.changing import Changes
from attention_core.nn.watching import Watch


@dataclass(frozen=True, eq=False)
class Said:
    """What a model said in each variant of one example.

    hidden: the last hidden state (variant, position, embed_dim) of the stack that says something, the decoder's where
    there are two. logits: the scores of some rows (variant, row, token), or (variant, class) whatever the rows; None
    for a model without a head. layers: the hidden state (variant, position, embed_dim) after each layer of one stack,
    the last one after the final norm; None unless asked for. The exception is a ViT that transformers runs: its last
    layer, and with a head `hidden` too, come before the final norm.
    """

    hidden: Tensor
    logits: Callable[[slice], Tensor] | None
    layers: tuple[Tensor, ...] | None = None


def say(
    model: LoadedModel,
    encoded: Encoded,
    count: int,
    *,
    changes: Changes | None = None,
    hidden: Tensor | None = None,
    with_layers: bool | str = False,
) -> Said:
    """What a proved model says in `count` variants of an example, in one forward pass; `Variants.say` without a limit
    on the rows that can be asked for."""
    return Variants(model, encoded).say(count, changes=changes, hidden=hidden, with_layers=with_layers)


class Variants:
    """One example that goes through a proved model again and again, changed.

    `rows` are those whose scores will be asked for, None for all of them: where a model scores a large vocabulary, the
    others are left out. NotAvailableError with the reason "no-switch" for a model read from its own eager attention.
    """

    def __init__(self, model: LoadedModel, encoded: Encoded, rows: slice | None = None) -> None:
        demand_changes(model)
        self.model = model
        self.encoded = encoded
        self.rows = slice(0, self.positions) if rows is None else rows

    @property
    def positions(self) -> int:
        """How many tokens the stack reads that says something."""
        return len(self.encoded.source if self.encoded.decoder_input is None else self.encoded.decoder_input)

    def say(
        self,
        count: int,
        *,
        changes: Changes | None = None,
        hidden: Tensor | None = None,
        with_layers: bool | str = False,
    ) -> Said:
        """What is said in each of `count` variants, each with its own change.

        hidden: booleans (variant, source position), True for a token that no query may look at, itself included;
        positions stay. A query left without any key brings zeros. with_layers: also the hidden states after each
        layer, True for those of the stack that says something, or a kind of attention for the stack that has it. Run
        it in inference mode unless gradients are wanted. A ShapeError for `hidden` of another size, and what
        `changes.check` raises.
        """
        if count < 1:
            raise InputError(f"{count} variants; accepted: at least 1")
        if hidden is not None and (hidden.dtype != torch.bool or hidden.shape != (count, len(self.encoded.source))):
            raise ShapeError(
                f"hidden is boolean (variant, source position) {(count, len(self.encoded.source))}, "
                f"not {str(hidden.dtype).removeprefix('torch.')} {tuple(hidden.shape)}"
            )
        if changes is not None:
            changes.check(self.model.there)
        stack = self._stack(with_layers)
        inputs = {name: one.expand(count, *one.shape[1:]) for name, one in self.encoded.inputs.items()}
        hidden = None if hidden is None else hidden.to(self.model.device)
        if self.model.back_end == "in-house":
            return _inhouse(self.model.network, inputs, Watch(changes, keeps=False, layers=bool(stack)), hidden, stack)
        return self._interface(inputs, changes, hidden, stack)

    def _stack(self, with_layers: bool | str) -> str:
        """The stack whose layers are wanted: "encoder", "decoder", or "" for none."""
        if not with_layers:
            return ""
        kinds = list(self.model.there)
        kind = kinds[-1] if with_layers is True else with_layers
        if kind not in kinds:
            raise UnknownNameError("kind", kind, kinds)
        return "encoder" if kind == Kind.ENCODER_SELF else "decoder"

    def _interface(
        self, inputs: dict[str, Tensor], changes: Changes | None, hidden: Tensor | None, stack: str
    ) -> Said:
        from attention_core.capture import interface  # imports transformers, which takes seconds

        network: Any = self.model.network
        if network.main_input_name != "pixel_values" and network.get_output_embeddings() is None:
            network = network.base_model  # another head says nothing that is watched, and may refuse a batch
        options: dict[str, Any] = {"output_hidden_states": True}
        first = 0  # the row of the first scores that come back
        if "logits_to_keep" in call_options(network):
            first = self.rows.start
            options["logits_to_keep"] = torch.arange(first, self.rows.stop, device=self.model.device)
        output = interface.say(network, inputs, changes, hidden, **options)
        last = getattr(output, "last_hidden_state", None)  # of a model without a head
        if last is None:
            last = self._states(output, "decoder")[-1]
        layers = self._states(output, stack)[1:] if stack else None  # the first is the embedding
        return Said(last, self._scores(output, first), layers)

    def _states(self, output: Any, stack: str) -> tuple[Tensor, ...]:
        """The hidden states of one of two stacks, or of the only one."""
        name = "hidden_states" if self.encoded.decoder_input is None else f"{stack}_hidden_states"
        states = getattr(output, name, None)
        if states is None:
            raise TraceError(f"{type(self.model.network).__name__} returns no hidden states")
        return tuple(states)

    def _scores(self, output: Any, first: int) -> Callable[[slice], Tensor] | None:
        """The scores that a model of transformers gave for some rows, as `run.logits_of` understands them."""
        network: Any = self.model.network
        own: Tensor | None = getattr(output, "logits", None)
        if own is None:
            return None
        if network.main_input_name == "pixel_values":
            return (lambda _: own) if own.ndim == 2 else None
        if own.ndim != 3 or own.shape[-1] != getattr(network.config, "vocab_size", None):
            return None
        return lambda rows: own[:, rows.start - first : rows.stop - first]


def _inhouse(network: Any, inputs: dict[str, Tensor], watch: Watch, hidden: Tensor | None, stack: str) -> Said:
    from attention_core.capture import inhouse

    last = inhouse.say(network, inputs, watch, hidden)
    logits: dict[str, Callable[[slice], Tensor] | None] = {"none": None, "classes": lambda _: network.logits(last)}
    scores = logits.get(network.config.output, lambda rows: network.logits(last[:, rows]))
    return Said(last, scores, tuple(watch.hidden[stack]) if stack else None)
