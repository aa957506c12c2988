"""What is done to a model while it runs: heads switched off, values taken away, tokens hidden.

A batch holds one example several times, and each row is a variant of its own; whatever runs the model, our own
transformer or another library, asks the same object at the same two places.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import torch
from torch import Tensor

from attention_core.errors import InputError, UnknownNameError

Head = tuple[str, int, int]  # kind, layer, head
There = Mapping[str, tuple[int, int]]  # how many layers and heads each kind of attention has
NOWHERE: There = MappingProxyType({})

HOW = ("zero", "mean")


class Changes:
    """What is done to a model while it runs, one variant for each row of the batch; this base changes nothing.

    `enters` says whether `entering` does anything: of a model of another library layers are looked for only then. What
    concerns places, the causal mask and the scale only our own transformer asks for.
    """

    enters = False

    def check(self, there: There) -> None:
        """An UnknownNameError for a place that the model does not have; asked for before anything runs."""

    def entering(self, kind: str, layer: int, hidden: Tensor) -> Tensor:
        """The hidden state (batch, position, embed_dim) that a layer gets, whose attention within is of this kind."""
        del kind, layer
        return hidden

    def places(self, kind: str, places: Tensor) -> Tensor:  # noqa: ARG002
        """Where the tokens of a stack stand (position), whose attention within is of this kind."""
        return places

    def told(self, kind: str) -> bool:  # noqa: ARG002
        """Whether such a stack is told where its tokens stand."""
        return True

    def causal(self, kind: str, causal: bool) -> bool:  # noqa: ARG002
        """Whether no query of this kind attends to a later key."""
        return causal

    def scale(self, kind: str, layer: int, scale: float) -> float:  # noqa: ARG002
        """What the scores of an attention are multiplied by."""
        return scale

    def value(self, kind: str, layer: int, value: Tensor) -> Tensor:  # noqa: ARG002
        """The values (batch, key head, key, value_dim) that the attention gets; grouped key heads stay grouped."""
        return value

    def output(self, kind: str, layer: int, output: Tensor) -> Tensor:  # noqa: ARG002
        """What goes on of the heads' outputs (batch, head, query, value_dim), before the output projection."""
        return output


class HeadsOff(Changes):
    """Switches heads off: row i of the batch loses those of variants[i]; one variant alone goes for every row.

    "zero": of such a head come zeros (Michel et al. 2019, "Are Sixteen Heads Really Better than One?", section 2.3).
    "mean": at every position comes the mean of its output over the positions of this text, so that what it says of the
    text as a whole stays and what it says of single tokens is lost. Wang et al. 2023 ("Interpretability in the Wild",
    section 2) take the mean over a reference of other texts; over this text alone it needs none, but in a decoder it
    knows of later tokens. The head's weights stay what they are. An UnknownNameError for another `how`.
    """

    def __init__(self, variants: Sequence[Sequence[Head]], how: str = "zero") -> None:
        if how not in HOW:
            raise UnknownNameError("off_with", how, HOW)
        if not variants:
            raise InputError("no variant says which heads are switched off; accepted: at least one, which may be empty")
        self.variants = tuple(tuple(heads) for heads in variants)
        self.how = how
        self._at: dict[tuple[str, int], list[tuple[int, int]]] = {}
        for row, heads in enumerate(self.variants):
            for kind, layer, head in heads:
                self._at.setdefault((str(kind), layer), []).append((row, head))

    def check(self, there: There) -> None:
        """An UnknownNameError for a head that is not there, which lists those that are."""
        for kind, layer, head in (one for heads in self.variants for one in heads):
            layers, heads_there = there.get(str(kind), (0, 0))
            if not (0 <= layer < layers and 0 <= head < heads_there):
                ranges = [f"{one}.0.0 to {one}.{most - 1}.{count - 1}" for one, (most, count) in there.items()]
                raise UnknownNameError("head", f"{kind}.{layer}.{head}", ranges)

    def output(self, kind: str, layer: int, output: Tensor) -> Tensor:
        """The outputs with zeros or the mean in place of the heads that are off."""
        at = self._at.get((str(kind), layer))
        if at is None:
            return output
        rows, heads = torch.tensor(at, device=output.device).unbind(1)
        if len(self.variants) == 1:
            rows, heads = torch.arange(len(output), device=output.device)[:, None], heads[None]  # (batch, head)
        changed = output.clone()
        off = 0.0 if self.how == "zero" else output[rows, heads].mean(dim=-2, keepdim=True)  # (..., 1, value_dim)
        changed[rows, heads] = off
        return changed


class ValuesOff(Changes):
    """Takes the values of some tokens away in one layer: those of row i at positions[i] are zero, in all its heads.

    Mohebbi et al. 2023, "Quantifying Context Mixing in Transformers", section 3: the weights stay what they are, so
    that nothing else changes in that layer; keys and queries of later layers do.
    """

    def __init__(self, kind: str, layer: int, positions: Sequence[Sequence[int]]) -> None:
        self.place = (str(kind), layer)
        self._at = [(row, position) for row, given in enumerate(positions) for position in given]

    def check(self, there: There) -> None:
        """An UnknownNameError for a layer that is not there."""
        kind, layer = self.place
        if kind not in there:
            raise UnknownNameError("kind", kind, list(there))
        if not 0 <= layer < there[kind][0]:
            raise UnknownNameError("layer", layer, range(there[kind][0]))

    def value(self, kind: str, layer: int, value: Tensor) -> Tensor:
        """The values with zeros where they are taken away."""
        if self.place != (str(kind), layer) or not self._at:
            return value
        rows, positions = torch.tensor(self._at, device=value.device).unbind(1)
        changed = value.clone()
        changed[rows, :, positions] = 0.0
        return changed


class Several(Changes):
    """Several changes, each after the other, of what the one before it left."""

    def __init__(self, *changes: Changes) -> None:
        self._changes = changes
        self.enters = any(one.enters for one in changes)

    def check(self, there: There) -> None:
        """What any of them raises."""
        for one in self._changes:
            one.check(there)

    def entering(self, kind: str, layer: int, hidden: Tensor) -> Tensor:
        """The hidden state after all of them."""
        for one in self._changes:
            hidden = one.entering(kind, layer, hidden)
        return hidden

    def places(self, kind: str, places: Tensor) -> Tensor:
        """The places after all of them."""
        for one in self._changes:
            places = one.places(kind, places)
        return places

    def told(self, kind: str) -> bool:
        """Whether none of them hides the places."""
        return all(one.told(kind) for one in self._changes)

    def causal(self, kind: str, causal: bool) -> bool:
        """Whether the mask is causal after all of them."""
        for one in self._changes:
            causal = one.causal(kind, causal)
        return causal

    def scale(self, kind: str, layer: int, scale: float) -> float:
        """The scale after all of them."""
        for one in self._changes:
            scale = one.scale(kind, layer, scale)
        return scale

    def value(self, kind: str, layer: int, value: Tensor) -> Tensor:
        """The values after all of them."""
        for one in self._changes:
            value = one.value(kind, layer, value)
        return value

    def output(self, kind: str, layer: int, output: Tensor) -> Tensor:
        """The outputs after all of them."""
        for one in self._changes:
            output = one.output(kind, layer, output)
        return output
