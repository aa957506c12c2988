"""A model ready to look into: its network, its tokenizer, and how its attention is read."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from attention_core.errors import (
    CheckpointError,
    NotAvailableError,
    TextError,
    TooManyTokensError,
)
from attention_core.models.card import ModelCard
from attention_core.nn.checkpoints import load_encoder
from attention_core.tokens import Tokens

BackEnd = Literal["in-house", "interface", "eager"]
# The families whose checkpoints our own transformer runs.
IN_HOUSE = frozenset({"bert"})


class EmptyTextError(TextError):
    """A text without a single token to look at."""

    code = "empty-text"


@dataclass(frozen=True)
class Example:
    """What to look at: a text, or a pair of texts for one encoder, or a source with its target text."""

    text: str
    pair: str | None = None
    target: str | None = None


@dataclass(frozen=True)
class Encoded:
    """An example as the model takes it: tokens for people, ids (1, position) for the network."""

    source: Tokens
    target: Tokens | None
    inputs: Mapping[str, Tensor]


@dataclass(eq=False)
class LoadedModel:
    """A network with its tokenizer. `back_end` says how attention is read; `checked` once it has been proved."""

    card: ModelCard
    tokenizer: Tokenizer
    network: nn.Module
    back_end: BackEnd
    dtype: torch.dtype = torch.float32
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    folder: Path | None = None
    checked: bool = False
    refusal: str | None = None  # why a faster back end was refused by the self-check
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        # A tokenizer.json may ask for truncation and padding (MiniLM's does): both would hide tokens.
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self._byte_level = '"ByteLevel"' in self.tokenizer.to_str()

    @property
    def encoder_decoder(self) -> bool:
        """Whether the model has two sequences."""
        return bool(getattr(getattr(self.network, "config", None), "is_encoder_decoder", False))

    def encode(self, example: Example, *, truncate: bool = False) -> Encoded:
        """The example in tokens. A TextError for a text without tokens, TooManyTokensError for one too long."""
        if (example.target is not None) != self.encoder_decoder:
            wanted = (
                "needs a target text" if self.encoder_decoder else "has one sequence and takes no target text"
            )
            raise NotAvailableError(f"{self.card.title} {wanted}")
        source = self._tokens(example.text, example.pair, truncate=truncate)
        target = None
        if example.target is not None:
            target = self._tokens(example.target, None, truncate=truncate)
        return Encoded(source, target, self._inputs(source, target))

    def _tokens(self, text: str, pair: str | None, *, truncate: bool) -> Tokens:
        try:
            (text + (pair or "")).encode()
        except UnicodeEncodeError:
            raise TextError("this text holds half of a surrogate pair, which is no character; remove it") from None
        encoding = self.tokenizer.encode(text, pair)
        if all(encoding.special_tokens_mask):
            raise EmptyTextError("there is no text to look at; write a sentence")
        count, limit, cut = len(encoding.ids), self.card.max_tokens, None
        if limit is not None and count > limit:
            if not truncate or pair is not None:
                raise TooManyTokensError(count, limit)
            text, cut, encoding = self._truncated(text, encoding.offsets, encoding.special_tokens_mask, limit)
        return Tokens.of(text, encoding, byte_level=self._byte_level, cut=cut, count=count)

    def _truncated(
        self, text: str, offsets: list[tuple[int, int]], special: list[int], limit: int
    ) -> tuple[str, int, Any]:
        """The whole text, where it is cut, and the encoding of its beginning, which the model takes."""
        room = limit - sum(special)
        spans = [span for span, is_special in zip(offsets, special, strict=True) if not is_special]
        # Cut between words, so that what is left is encoded just as it was in the whole text; a text without
        # a break is cut where it must be.
        cut = spans[room][0]
        while True:
            space = text.rfind(" ", 0, cut + 1)
            cut = space if space > cut // 2 else cut
            encoding = self.tokenizer.encode(text[:cut])
            if len(encoding.ids) <= limit:
                return text, cut, encoding
            cut -= 1

    def _inputs(self, source: Tokens, target: Tokens | None) -> dict[str, Tensor]:
        inputs = {"input_ids": torch.tensor([source.ids], device=self.device)}
        if "B" in source.segment:
            segments = [1 if segment == "B" else 0 for segment in source.segment]
            inputs["token_type_ids"] = torch.tensor([segments], device=self.device)
        if target is not None:
            inputs["decoder_input_ids"] = torch.tensor([target.ids], device=self.device)
        return inputs


def load_model(
    card: ModelCard, folder: Path, *, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
) -> LoadedModel:
    """The model in a folder of config.json, tokenizer.json and model.safetensors; a CheckpointError when it is not.

    BERT checkpoints run on our own encoder; other families run in transformers, never with code of their own.
    """
    device = torch.device(device)
    tokenizer = _read_tokenizer(folder)
    if _model_type(folder) in IN_HOUSE:
        network: nn.Module = load_encoder(folder, dtype=dtype, device=device).eval()
        return LoadedModel(card, tokenizer, network, "in-house", dtype, device, folder)
    network = load_reference(folder, dtype=dtype, device=device)
    return LoadedModel(card, tokenizer, network, "interface", dtype, device, folder)


def load_reference(folder: Path, *, dtype: torch.dtype, device: torch.device) -> nn.Module:
    """transformers' own model of the folder, with the readable attention that gives its weights."""
    from transformers import AutoModel  # takes seconds, and most starts never need it
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        network = AutoModel.from_pretrained(
            folder,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=dtype,
            attn_implementation="eager",
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise CheckpointError(f"transformers cannot load {folder.name}: {error}") from error
    return network.to(device).eval()  # type: ignore[no-any-return]


def wrap(model: Any, tokenizer: Any, *, card: ModelCard | None = None) -> LoadedModel:
    """A transformers model that is already in memory, with its tokenizer, ready for `capture`.

    `tokenizer` is a `tokenizers.Tokenizer` or a fast tokenizer of transformers. The model is put into eval mode.
    """
    rust = tokenizer if isinstance(tokenizer, Tokenizer) else getattr(tokenizer, "backend_tokenizer", None)
    if not isinstance(rust, Tokenizer):
        raise NotAvailableError("this tokenizer has no fast (Rust) form, which spans and words need")
    copy = Tokenizer.from_str(rust.to_str())  # ours switches truncation off; the caller's stays as it is
    parameter = next(model.parameters())
    card = card if card is not None else _card_of(model)
    return LoadedModel(card, copy, model.eval(), "interface", parameter.dtype, parameter.device)


def _card_of(model: Any) -> ModelCard:
    config = model.config
    name = str(getattr(config, "name_or_path", "") or type(model).__name__)
    limit = getattr(config, "max_position_embeddings", None)
    return ModelCard(
        name=name,
        title=name,
        full_title=name,
        family=str(config.model_type),
        kinds=(),
        languages=(),
        layers=int(getattr(config, "num_hidden_layers", 0) or 0),
        heads=int(getattr(config, "num_attention_heads", 0) or 0),
        max_tokens=limit if isinstance(limit, int) and limit > 0 else None,
        precision="exact",
        licence="",
        revision="",
    )


def _read_tokenizer(folder: Path) -> Tokenizer:
    try:
        return Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # the Rust library raises bare Exceptions
        raise CheckpointError(f"the tokenizer.json of {folder.name} cannot be read: {error}") from error


def _model_type(folder: Path) -> str:
    try:
        return str(json.loads((folder / "config.json").read_text(encoding="utf-8"))["model_type"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"the config.json of {folder.name} names no model_type: {error}") from error
