"""Capture from our own transformer, which returns the record of what it computed: no hooks."""

from collections.abc import Mapping

from torch import Tensor

from attention_core.capture.run import Run, Seen, rows_of, sample_rows
from attention_core.maps import FactoredMap, Kind
from attention_core.nn.attention import AttentionRecord
from attention_core.nn.transformer import Transformer


def run(network: Transformer, inputs: Mapping[str, Tensor]) -> Run:
    """One forward pass over one example without padding, as factored maps."""
    output = network(inputs["input_ids"], inputs.get("token_type_ids"), record=True)
    seen = tuple(_seen(layer, record) for layer, record in enumerate(output.records))
    return Run(seen, output.hidden[0])


def _seen(layer: int, record: AttentionRecord) -> Seen:
    rows = sample_rows(record.query.shape[2])
    one = FactoredMap(
        kind=Kind.ENCODER_SELF,
        layer=layer,
        query_vectors=record.query[0],
        key_vectors=record.key[0],
        value_vectors=record.value[0],
        scale=record.scale,
    )
    return Seen(one, rows, rows_of(record.output[0], rows))
