"""Capture from our own transformer, which returns the record of what it computed: no hooks."""

from collections.abc import Mapping

import torch
from torch import Tensor

from attention_core.capture.run import Run, Seen, newest_row, rows_of, sample_rows
from attention_core.maps import DenseMap, FactoredMap, Kind
from attention_core.masks import CausalMask, Mask, recognise
from attention_core.nn.attention import AttentionRecord
from attention_core.nn.blocks import Block
from attention_core.nn.changing import Changes
from attention_core.nn.config import CROSS
from attention_core.nn.generation import greedy
from attention_core.nn.norms import NO_OUTPUTS, OutputProjection, Outputs
from attention_core.nn.transformer import Transformer
from attention_core.nn.watching import Cache, Watch


def run(
    network: Transformer, inputs: Mapping[str, Tensor], changes: Changes | None = None, outputs: Outputs = NO_OUTPUTS
) -> Run:
    """One forward pass over one example without padding, as factored maps; with value norms where `outputs` are."""
    hidden, watch = _pass(network, inputs, Watch(changes))
    seen = tuple(
        _seen(Kind(kind), n, one, outputs.get((kind, n)))
        for kind, layers in watch.records.items()
        for n, one in enumerate(layers)
    )
    if network.config.output == "none":
        return Run(seen, hidden[0])
    return Run(seen, hidden[0], lambda rows: _logits(network, hidden, rows))


def readable_run(network: Transformer, inputs: Mapping[str, Tensor]) -> Run:
    """The same pass by the readable formula, as dense maps: the reference of models that no other library runs."""
    hidden, watch = _pass(network, inputs, Watch(readable=True))
    seen = tuple(
        Seen(DenseMap(kind=Kind(kind), layer=n, mask=_mask(one), given=_given(one)), (), None)
        for kind, layers in watch.records.items()
        for n, one in enumerate(layers)
    )
    return Run(seen, hidden[0])


def write(network: Transformer, inputs: Mapping[str, Tensor], limit: int, changes: Changes | None = None) -> list[int]:
    """The ids that the model writes for a source, always the most probable one next."""
    written: list[int] = greedy(network, inputs["input_ids"], limit=limit, changes=changes)[0].tolist()
    return written


class Continuation:
    """A decoder of ours in the middle of a text."""

    def __init__(self, network: Transformer, changes: Changes | None = None) -> None:
        self._network = network
        self._changes = changes
        self._cache = Cache()

    def read(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """The scores of the next token (token), and the rows of the newest position (layer, head, key), float32."""
        watch = Watch(self._changes)
        hidden = self._network.decode(ids, cache=self._cache, watch=watch).hidden[:, -1:]
        # The newest position sees everything that was read: no mask.
        rows = [
            newest_row(one.query[0, :, -1].float() * one.scale, one.key[0])
            for one in watch.records[Kind.DECODER_SELF]
        ]
        return self._network.logits(hidden)[0, 0], torch.stack(rows)


def say(network: Transformer, inputs: Mapping[str, Tensor], watch: Watch, hidden: Tensor | None) -> Tensor:
    """The last hidden state (variant, position, embed_dim) of one pass over a batch, which may hold no record.

    hidden: (variant, source position), True where no query may look.
    """
    return _pass(network, inputs, watch, None if hidden is None else ~hidden)[0]


def _pass(
    network: Transformer, inputs: Mapping[str, Tensor], watch: Watch, mask: Tensor | None = None
) -> tuple[Tensor, Watch]:
    source = inputs["pixel_values"] if network.config.patches else inputs["input_ids"]
    segments = inputs.get("token_type_ids")
    output = network(source, inputs.get("decoder_input_ids"), segments=segments, mask=mask, watch=watch)
    return output.hidden, watch


def _logits(network: Transformer, hidden: Tensor, rows: slice) -> Tensor:
    if network.config.output == "classes":
        return network.logits(hidden)[0]  # (class)
    return network.logits(hidden[:, rows])[0]  # (row, token)


def outputs_of(network: Transformer) -> Outputs:
    """The output projections of every attention of a transformer of ours."""
    found = {}
    for block in (*network.encoder, *network.decoder):
        assert isinstance(block, Block)
        found[block.kind, block.layer] = OutputProjection(block.attention.output)
        if block.has_cross:
            found[CROSS, block.layer] = OutputProjection(block.cross.output)
    return found


def _seen(kind: Kind, layer: int, record: AttentionRecord, output: OutputProjection | None) -> Seen:
    rows = sample_rows(record.query.shape[2])
    one = FactoredMap(
        kind=kind,
        layer=layer,
        mask=_mask(record),
        query_vectors=record.query[0],
        key_vectors=record.key[0],
        value_vectors=record.value[0],
        scale=record.scale,
        value_norms=None if output is None else output.lengths(record.value[0], record.query.shape[1]),
    )
    return Seen(one, rows, rows_of(record.output[0], rows))


def _mask(record: AttentionRecord) -> Mask:
    if record.mask is not None:
        shape = (record.query.shape[2], record.key.shape[2])
        return recognise(record.mask[0].expand(-1, *shape)[0])
    return CausalMask() if record.causal else Mask()


def _given(record: AttentionRecord) -> Tensor:
    assert record.given is not None  # a readable pass keeps every weight
    return record.given[0]
