"""Passes over several texts at once, of which only the rows of attention that are asked for are computed.

Our own transformer takes texts of one length or nearly so side by side, shorter ones padded; the padding is masked and
cut off again. Models on the attention interface, and those read from eager weights, run one text after the other.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from attention_core.capture import hooks, ready, selfcheck
from attention_core.errors import NotAvailableError, SelfCheckError
from attention_core.experiments.evaluate.packing import packed
from attention_core.maps import Kind
from attention_core.models.decoders import is_causal
from attention_core.models.loading import LoadedModel
from attention_core.nn.attention import AttentionRecord, attention_scores, masked_softmax
from attention_core.nn.changing import Changes
from attention_core.nn.watching import Watch
from attention_core.tokens import Tokens

BATCH_TOKENS = 1024  # of one pass; more of them leave the processor's cache and take longer
BATCH_TEXTS = 64
_CELLS = 1 << 22  # weights of one layer that a pass may take, for long texts of which every row is asked


@dataclass(frozen=True, eq=False)
class Asked:
    """One text in tokens, and the rows that are wanted: some queries, or None for all."""

    tokens: Tokens
    queries: tuple[int, ...] | None = None

    @property
    def rows(self) -> tuple[int, ...]:
        """The wanted queries, spelled out."""
        return tuple(range(len(self.tokens))) if self.queries is None else self.queries


def kind_of(model: LoadedModel) -> Kind:
    """The attention that is read: within an encoder where there is one, else within the decoder.

    NotAvailableError for a model that reads no text, or two sequences that are not run by our own transformer.
    """
    if model.tokenizer is None:
        raise NotAvailableError(f"{model.card.title} looks at pictures; these tasks are about words")
    if model.back_end != "in-house" and model.encoder_decoder:
        raise NotAvailableError(f"{model.card.title} writes a target, and these tasks are about one text")
    kinds = model.card.kinds or getattr(model.network.config, "kinds", ())
    if kinds:
        return Kind.ENCODER_SELF if Kind.ENCODER_SELF in kinds else Kind.DECODER_SELF
    return Kind.DECODER_SELF if is_causal(model.network) else Kind.ENCODER_SELF


def batches(asked: Sequence[Asked], *, together: bool) -> list[list[int]]:
    """The numbers of what goes through the model together: texts of similar length, the longest first.

    Where texts do not go `together`, each is a batch of its own.
    """
    order = sorted(range(len(asked)), key=lambda number: -len(asked[number].tokens))
    if not together:
        return [[number] for number in order]
    found: list[list[int]] = []
    room = 0
    for number in order:
        one = asked[number]
        if not found or len(found[-1]) >= room:
            longest = len(one.tokens)
            rows = longest if one.queries is None else 4
            room = max(1, min(BATCH_TEXTS, BATCH_TOKENS // longest, _CELLS // (12 * rows * longest)))
            found.append([])
        found[-1].append(number)
    return found


class Passes:
    """A model that is proved, and ready for many passes; threads may share it."""

    def __init__(self, model: LoadedModel) -> None:
        self.model = ready(model)
        self.kind = kind_of(model)
        self._network: Any = model.network
        if model.back_end == "in-house":
            faster = packed(model.network)
            if faster is not None and self._agrees(faster):
                self._network = faster

    @property
    def together(self) -> bool:
        """Whether several texts go through at once."""
        return self.model.back_end == "in-house"

    def weights(self, batch: Sequence[Asked]) -> list[Tensor]:
        """The exact weights float32 (layer, head, query, key) of the asked rows of each text, all its tokens as keys.

        A SelfCheckError where weights do not give the output that the model's own kernel gave.
        """
        with torch.inference_mode():
            if self.together:
                return _together(self._network, self.model, batch)
            return [_alone(self.model, one) for one in batch]

    def _agrees(self, faster: Any) -> bool:
        """Whether another network computes the model's own weights, on a probe and within the tolerance."""
        ids = selfcheck.probe_inputs(self.model)["input_ids"]
        with torch.inference_mode():
            own, other = (_records(network, self.kind, ids, None) for network in (self._network, faster))
            for one, two in zip(own, other, strict=True):
                scores = attention_scores(one.query, one.key, scale=one.scale)
                limit = selfcheck.tolerance(self.model.dtype, float(scores.abs().max()))
                if not float((one.weights() - two.weights()).abs().max()) <= limit:
                    return False
        return True


def _records(network: Any, kind: Kind, ids: Tensor, real: Tensor | None) -> list[AttentionRecord]:
    """What each layer computed for ids (batch, position), of which some may be padding."""
    watch = Watch(_UpTo(network.config.layers(kind) - 1))
    run = network.encode if kind == Kind.ENCODER_SELF else network.decode
    with suppress(_EnoughError):
        run(ids, mask=real, watch=watch)
    return watch.records[kind]


class _EnoughError(Exception):
    """The last attention is done, and what comes after it changes no weight."""


class _UpTo(Changes):
    """Ends the pass after the attention of one layer, whose record is taken: most of the last layer is left out."""

    def __init__(self, layer: int) -> None:
        self._last = layer

    def output(self, kind: str, layer: int, output: Tensor) -> Tensor:
        """The output as it is, before the last layer."""
        if layer == self._last:
            raise _EnoughError
        return super().output(kind, layer, output)


def _together(network: Any, model: LoadedModel, batch: Sequence[Asked]) -> list[Tensor]:
    sizes = torch.tensor([len(one.tokens) for one in batch])
    longest, device = int(sizes.max()), model.device
    ids = torch.zeros(len(batch), longest, dtype=torch.long)  # (batch, position); any id will do for padding
    for number, one in enumerate(batch):
        ids[number, : len(one.tokens)] = torch.tensor(one.tokens.ids)
    real = (torch.arange(longest) < sizes[:, None]).to(device)  # (batch, position)
    records = _records(network, kind_of(model), ids.to(device), None if bool(real.all()) else real)
    rows = [one.rows for one in batch]
    most = max(len(one) for one in rows)
    at = torch.tensor([[*one, *(one[:1] * (most - len(one)))] for one in rows], device=device)  # (batch, query)
    layers = [_rows(record, at, real, model.dtype) for record in records]
    together = torch.stack(layers)  # (layer, batch, head, query, key)
    return [
        together[:, number, :, : len(rows[number]), : len(one.tokens)].contiguous()
        for number, one in enumerate(batch)
    ]


def _rows(record: AttentionRecord, at: Tensor, real: Tensor, dtype: torch.dtype) -> Tensor:
    """The weights (batch, head, query, key) of some queries (batch, query), checked against the kernel's output."""
    query, output = _picked(record.query, at), _picked(record.output, at)  # (batch, head, query, dim)
    scores = attention_scores(query.float(), record.key.float(), scale=record.scale)  # (batch, head, query, key)
    allowed = real[:, None, None, :]  # (batch, 1, 1, key)
    if record.causal or (record.mask is not None and record.mask.shape[-2] > 1):
        earlier = torch.arange(real.shape[1], device=real.device) <= at[:, :, None]  # (batch, query, key)
        allowed = allowed & earlier[:, None]  # (batch, 1, query, key)
    weights = masked_softmax(scores, allowed)
    values = record.value.float()
    error = float((weights @ values - output.float()).abs().max()) / max(float(values.abs().max()), 1e-30)
    limit = selfcheck.tolerance(dtype, float(scores.abs().max()))
    if not error <= limit:
        raise SelfCheckError(f"recomputed rows differ from the model's own by {error:.1e}, more than {limit:.1e}")
    return weights


def _picked(vectors: Tensor, at: Tensor) -> Tensor:
    """Some positions (batch, query) of vectors (batch, head, position, dim)."""
    index = at[:, None, :, None].expand(-1, vectors.shape[1], -1, vectors.shape[3])
    return vectors.gather(2, index)  # (batch, head, query, dim)


def _alone(model: LoadedModel, asked: Asked) -> Tensor:
    inputs = {"input_ids": torch.tensor([asked.tokens.ids], device=model.device)}
    if model.back_end == "interface":
        from attention_core.capture import interface  # imports transformers, which takes seconds

        run = interface.run(model.network, inputs)
        selfcheck.check_rows(run, model.dtype)
    else:
        run = hooks.run(model.network, inputs)
    kind = kind_of(model)
    rows = asked.rows
    span = slice(min(rows), max(rows) + 1)
    picked = torch.tensor([row - span.start for row in rows], device=model.device)
    maps = [one for one in run.maps if one.kind == kind]
    return torch.stack([one.weights(None, span)[:, picked] for one in maps])  # (layer, head, query, key)
