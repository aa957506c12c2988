"""A transformer of ours whose attention works otherwise than it learned: another scale, another mask, other places.

What that does to a trained model is not what training without it would have given.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from attention_core.errors import ShapeError, UnknownNameError
from attention_core.nn.changing import Changes, There
from attention_core.nn.config import DECODER_SELF, ENCODER_SELF


@dataclass(frozen=True, eq=False)
class Rewired(Changes):
    """What is otherwise in every layer and head.

    unscaled: scores are not divided by √dim (Vaswani et al. 2017, section 3.2.1). temperature: they are divided by it
    as well. masks: by kind, whether a query may not attend to later keys; cross-attention has no mask. Without
    `positions` no stack is told where its tokens stand. orders: by kind, the places (position) of a stack's tokens, a
    permutation: as if they stood so in the text, with everything put back where it was.
    """

    unscaled: bool = False
    temperature: float = 1.0
    masks: Mapping[str, bool] = field(default_factory=dict)
    positions: bool = True
    orders: Mapping[str, Tensor] = field(default_factory=dict)

    def check(self, there: There) -> None:
        """An UnknownNameError for a mask or an order of a kind that is not there, or that has none."""
        accepted = [kind for kind in there if kind in (ENCODER_SELF, DECODER_SELF)]
        for kind in (*self.masks, *self.orders):
            if kind not in accepted:
                raise UnknownNameError("kind", kind, accepted)

    def places(self, kind: str, places: Tensor) -> Tensor:
        """The order of this stack, else the places; a ShapeError where it is of another number of tokens."""
        order = self.orders.get(kind)
        if order is None:
            return places
        if order.shape != places.shape:
            raise ShapeError(f"an order of {len(order)} places for {len(places)} tokens")
        return order.to(places.device)

    def told(self, kind: str) -> bool:  # noqa: ARG002
        """Whether places count."""
        return self.positions

    def causal(self, kind: str, causal: bool) -> bool:
        """The mask that was wished for, else the model's own."""
        return self.masks.get(kind, causal)

    def scale(self, kind: str, layer: int, scale: float) -> float:  # noqa: ARG002
        """1 without the division by √dim; either way over the temperature."""
        return (1.0 if self.unscaled else scale) / self.temperature
