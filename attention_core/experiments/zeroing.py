"""Value zeroing: what each token brings into the others, layer by layer, the rest of the layer included.

Mohebbi et al. 2023, "Quantifying Context Mixing in Transformers", section 3: in one layer the value vectors of one
token are zero in all heads, while what the layer gets stays what it was; how far another token's output then turns
(cosine distance) is how much of the one was mixed into the other. Rows are normalised, and the layers multiplied from
the bottom, without an identity: unlike attention the distances know of the residual.

The paper has encoders. A decoder beside an encoder mixes in two places, its own sequence and the source: a row is
normalised over both, and what was read of the source is followed down through the encoder.
"""

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from attention_core.capture.variants import Said, Variants
from attention_core.experiments.running import Progress, most_variants, pieces
from attention_core.maps import Kind
from attention_core.nn.changing import Changes, Several

Place = tuple[Kind, int]  # where values are zero: a kind of attention and a key


class Zeroed(Changes):
    """Row 0 of the batch stays; in row i the values of places[i - 1] are zero in every layer of their kind.

    Every layer of the stack with attention of the kind `stack` gets in all rows what row 0 has there, so that each row
    shows what zeroing does in each layer alone: all layers in one pass.
    """

    enters = True

    def __init__(self, stack: Kind, places: Sequence[Place]) -> None:
        self.stack = stack
        self._at: dict[str, list[tuple[int, int]]] = {}
        for row, (kind, position) in enumerate(places, start=1):
            self._at.setdefault(kind, []).append((row, position))

    def entering(self, kind: str, layer: int, hidden: Tensor) -> Tensor:
        """Row 0's hidden state in every row."""
        del layer
        return hidden[:1].repeat(len(hidden), 1, 1) if kind == self.stack else hidden

    def value(self, kind: str, layer: int, value: Tensor) -> Tensor:
        """The values with zeros where they are taken away."""
        del layer
        at = self._at.get(str(kind))
        if at is None:
            return value
        rows, positions = torch.tensor(at, device=value.device).unbind(1)
        changed = value.clone()
        changed[rows, :, positions] = 0.0
        return changed


@dataclass(frozen=True, eq=False)
class Mixing:
    """How the tokens of one example are mixed in each layer, float32; rows sum to 1.

    within: (layer, query, key) of the first stack. beside: (layer, target, target then source) of a decoder beside an
    encoder, None without one.
    """

    within: Tensor
    beside: Tensor | None = None

    def rolled(self) -> Tensor:
        """How the tokens are mixed through all layers (query, key): of a decoder beside an encoder the source's share
        (target, source), whose rows sum to what does not come from the target."""
        through = _product(self.within)
        if self.beside is None:
            return through
        count = self.beside.shape[1]
        read = torch.zeros(count, len(through))  # (target, source)
        for layer in self.beside:
            read = layer[:, :count] @ read + layer[:, count:] @ through
        return read


def mixing(variants: Variants, changes: Changes | None = None) -> Generator[Progress, None, Mixing]:
    """What value zeroing says of an example, while `changes`, the same in every row, go on.

    NotAvailableError with the reason "no-layers" for a model whose layers cannot be told apart from outside.
    """
    stacks = _stacks(len(variants.encoded.source), len(variants.encoded.decoder_input or ()), variants.model.there)
    done, total = 0, sum(map(len, stacks))
    most = max(1, most_variants(variants) - 1)  # beside the example as it is
    found = []
    for places in stacks:
        columns = []
        for chosen in pieces(places, most):
            columns.append(_distances(variants, places[0][0], changes, chosen))
            done += len(chosen)
            yield Progress(done, total)
        found.append(_shares(torch.cat(columns, dim=2), variants.model.dtype))
    return Mixing(*found)


def steps(source: int, target: int = 0) -> int:
    """How many steps `mixing` counts for a text of so many tokens, and a target of so many beside it."""
    return 2 * source + target if target else source


def _stacks(source: int, target: int, kinds: Iterable[str]) -> list[list[Place]]:
    """The places of each stack, in the order in which a model has them."""
    every = [Kind(kind) for kind in kinds]
    stacks = [[(every[0], key) for key in range(source)]]
    if target:
        stacks.append([(every[1], key) for key in range(target)] + [(every[2], key) for key in range(source)])
    return stacks


def _distances(variants: Variants, stack: Kind, changes: Changes | None, places: Sequence[Place]) -> Tensor:
    """How far each place turns each position's output (layer, position, place): 1 - cosine, float64."""
    zeroed = Zeroed(stack, places)
    with torch.inference_mode():
        said: Said = variants.say(
            len(places) + 1, changes=zeroed if changes is None else Several(zeroed, changes), with_layers=stack
        )
    assert said.layers is not None
    turned = []
    for layer in said.layers:
        direction = torch.nn.functional.normalize(layer.cpu().double(), dim=-1)  # (variant, position, embed_dim)
        # 1 - a·b = |a - b|² / 2 of unit vectors, without the rounding of numbers near 1.
        turned.append((direction[1:] - direction[0]).square().sum(-1).T / 2)  # (position, place)
    return torch.stack(turned)


def _shares(distances: Tensor, dtype: torch.dtype) -> Tensor:
    """Each row as shares of its sum, float32; what rounding could have turned counts as nothing.

    A row that nothing turns keeps to itself.
    """
    rounding = (8 * torch.finfo(dtype).eps) ** 2 / 2
    rows = distances.masked_fill(distances < rounding, 0.0)  # (layer, position, place)
    total = rows.sum(-1, keepdim=True)
    own = torch.eye(*rows.shape[1:], dtype=rows.dtype)
    return torch.where(total > 0, rows / total.clamp_min(torch.finfo(rows.dtype).tiny), own).float()


def _product(layers: Tensor) -> Tensor:
    through = layers[0]
    for layer in layers[1:]:
        through = layer @ through
    return through
