"""A model ready to look into: its network, its tokenizer, and how its attention is read."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from attention_core.errors import CheckpointError, InputError, NotAvailableError, TextError
from attention_core.models.card import IN_HOUSE, NATIVE, ModelCard
from attention_core.models.chat import ChatTemplate
from attention_core.models.checking import checked_config, checked_weights, demand_room
from attention_core.models.decoders import is_causal, vocabulary_of, why_it_cannot_write
from attention_core.models.examples import (
    MOST_WRITTEN,
    EmptyTextError,
    Encoded,
    Example,
    TextReader,
    refuse_half_characters,
)
from attention_core.models.reference import load_reference
from attention_core.models.seeing import Seeing, read_preprocessor
from attention_core.models.tokenizer import guarded, read_tokenizer
from attention_core.nn.changing import There
from attention_core.nn.checkpoints import load_transformer
from attention_core.nn.families import FAMILIES
from attention_core.nn.norms import Outputs
from attention_core.tokens import Tokens

__all__ = ["EmptyTextError", "Encoded", "Example", "LoadedModel", "load_model", "load_reference", "wrap"]

BackEnd = Literal["in-house", "interface", "eager"]


@dataclass(eq=False)
class LoadedModel:
    """A network with its tokenizer. `back_end` says how attention is read; `checked` once it has been proved.

    A model of pictures has `seeing` instead of a tokenizer. `labels` are the names of its classes by number. `folder`
    is where transformers finds the same model, None where it knows none. `there` is what was seen when it was proved:
    how many layers and heads each kind of attention has, in the order in which they run. `outputs` are the layers that
    mix the heads' outputs, as far as they were found then.
    """

    card: ModelCard
    tokenizer: Tokenizer | None
    network: nn.Module
    back_end: BackEnd
    dtype: torch.dtype = torch.float32
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    folder: Path | None = None
    seeing: Seeing | None = None
    labels: Mapping[int, str] = field(default_factory=dict)
    checked: bool = False
    refusal: str | None = None  # why a faster back end was refused by the self-check
    lock: threading.Lock = field(default_factory=threading.Lock)
    chat: ChatTemplate | None = None
    there: There = field(default_factory=dict)
    outputs: Outputs = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._reader = None if self.tokenizer is None else TextReader(self.tokenizer, self.card)

    @property
    def reader(self) -> TextReader:
        """What reads texts for this model; a NotAvailableError for a model of pictures."""
        if self._reader is None:
            raise NotAvailableError(f"{self.card.title} looks at pictures and takes no text")
        return self._reader

    @property
    def encoder_decoder(self) -> bool:
        """Whether the model has two sequences."""
        config: Any = getattr(self.network, "config", None)
        return bool(getattr(config, "is_encoder_decoder", False) or "cross" in getattr(config, "kinds", ()))

    def encode(self, example: Example, *, truncate: bool = False) -> Encoded:
        """The example in tokens; without a target for a model that is to write its own.

        A TextError for a text without tokens, TooManyTokensError for one too long, NotAvailableError for what
        this model cannot take.
        """
        if example.target is not None and not self.encoder_decoder:
            raise NotAvailableError(f"{self.card.title} has one sequence and takes no target text")
        if example.written or example.chat:
            return self._continued(example)
        if self.seeing is not None:
            return self._see(self.seeing, example)
        if example.image is not None:
            raise NotAvailableError(f"{self.card.title} reads text and takes no picture")
        if example.pair is not None and self.encoder_decoder:
            raise NotAvailableError(f"{self.card.title} takes a target text, not a second text for its encoder")
        if example.pair is not None and self._reads_on:
            raise NotAvailableError(f"{self.card.title} reads one text on; it takes no second one")
        spoken = self.card.languages if self.card.input == "translation" and self.card.closed_vocabulary else ("", "")
        what = "source" if spoken[0] else "text"
        source = self.reader.read(example.text, example.pair, truncate=truncate, what=what, language=spoken[0])
        inputs = {"input_ids": self._ids(source)}
        if "B" in source.segment and self._segments > 1:
            segments = [1 if segment == "B" else 0 for segment in source.segment]
            inputs["token_type_ids"] = torch.tensor([segments], device=self.device)
        encoded = Encoded(source, inputs)
        if example.target is None:
            return encoded
        target = self.reader.read(example.target, truncate=truncate, what="target", language=spoken[1])
        return self.with_target(encoded, target)

    def check_writes(self, example: Example) -> None:
        """A NotAvailableError unless this model can continue this example."""
        why = "looks at pictures" if self.seeing is not None else why_it_cannot_write(self.network)
        if why:
            raise NotAvailableError(f"{self.card.title} cannot write on: it {why}")
        if example.image is not None:
            raise NotAvailableError(f"{self.card.title} reads text and takes no picture")
        if example.pair is not None:
            raise NotAvailableError(f"{self.card.title} reads one text on; it takes no second one")

    def _continued(self, example: Example) -> Encoded:
        """A text or a message to the model, and what it wrote after it; never truncated."""
        self.check_writes(example)
        self._check_written(example.written)
        text = example.text
        if example.chat:
            if self.chat is None:
                raise NotAvailableError(f"{self.card.title} has no chat template")
            if not text.strip():
                raise EmptyTextError("there is no message to the model; write a sentence")
            refuse_half_characters(text)
            text = self.chat.render(text)
        source = self.reader.read(text, markers=not example.chat)
        if example.written:
            source = self.reader.follow(source, example.written, markers=not example.chat)
        return Encoded(source, {"input_ids": self._ids(source)})

    def _check_written(self, ids: Sequence[int]) -> None:
        """An InputError for ids that are none of the vocabulary, or too many."""
        if len(ids) > MOST_WRITTEN:
            raise InputError(f"{len(ids)} tokens follow the text; accepted: at most {MOST_WRITTEN}")
        count = vocabulary_of(self.network)
        for one in ids:
            if type(one) is not int or not 0 <= one < count:
                raise InputError(
                    f"written token {str(one)[:40]!r} is none of this model's; accepted: 0 to {count - 1}",
                    reason="written",
                )

    def with_target(self, encoded: Encoded, target: Tokens) -> Encoded:
        """The example with the target that the decoder writes; it reads a start token and all but the last."""
        start = self._start
        decoder_input = target.shifted(start, self.reader.piece(start))
        inputs = {**encoded.inputs, "decoder_input_ids": self._ids(decoder_input)}
        return Encoded(encoded.source, inputs, target, decoder_input)

    @property
    def _reads_on(self) -> bool:
        """Whether it is one stack that never looks ahead."""
        config: Any = self.network.config
        return "decoder-self" in config.kinds if hasattr(config, "kinds") else is_causal(self.network)

    @property
    def _segments(self) -> int:
        """How many kinds of text the model tells apart; RoBERTa knows one, DistilBERT none."""
        config: Any = self.network.config
        return int(getattr(config, "segments", 0) or getattr(config, "type_vocab_size", 0) or 0)

    @property
    def _start(self) -> int:
        """The token that a decoder beside an encoder reads first."""
        config: Any = self.network.config
        start = getattr(config, "start", None)
        start = getattr(config, "decoder_start_token_id", None) if start is None else start
        start = getattr(config, "bos_token_id", None) if start is None else start
        if start is None:
            raise NotAvailableError(f"the configuration of {self.card.title} does not say how its decoder starts")
        return int(start)

    def _see(self, seeing: Seeing, example: Example) -> Encoded:
        if example.text or example.pair is not None:
            raise NotAvailableError(f"{self.card.title} looks at pictures and takes no text")
        if example.image is None:
            raise NotAvailableError(f"{self.card.title} needs a picture")
        picture, pixels = seeing.see(example.image)
        inputs = {"pixel_values": pixels.to(self.device, self.dtype)}
        return Encoded(Tokens.of_patches(picture.rows, picture.columns), inputs, picture=picture)

    def _ids(self, tokens: Tokens) -> Tensor:
        rows = _rows(self.network)
        for number, piece in zip(tokens.ids, tokens.pieces, strict=True):
            if rows is not None and number >= rows:
                raise TextError(f"{self.card.title} has no embedding for {piece[:100]!r}; leave it out")
        return torch.tensor([tokens.ids], device=self.device)


@torch.inference_mode(False)  # whoever asks: of weights made in inference mode no gradient can be taken ever after
def load_model(
    card: ModelCard,
    folder: Path,
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    scaled: bool = True,
    positions: bool = True,
) -> LoadedModel:
    """The model in a folder of config.json, tokenizer.json and model.safetensors (or several, with their index).

    A CheckpointError names the file that is missing, damaged, pickled or does not fit the others; a MemoryLimitError
    has both numbers. The families of IN_HOUSE run on our own transformer, unless the configuration asks for what it
    lacks; others run in transformers, never with code of their own. For lessons `scaled=False` leaves out the division
    by √dim and `positions=False` the positions, in the families of IN_HOUSE; the card then says so.
    """
    device = torch.device(device)
    config = checked_config(folder)
    family = config["model_type"]
    seeing = Seeing.of(config, read_preprocessor(folder)) if card.input == "picture" else None
    tokenizer = None if seeing else read_tokenizer(folder)
    labels = _labels(config.get("id2label"))
    demand_room(card.title, checked_weights(folder, config), dtype.itemsize, str(device))
    if family in IN_HOUSE and not FAMILIES[family].faults(config):
        network: nn.Module = load_transformer(folder, dtype=dtype, device=device, scaled=scaled, positions=positions)
        # Only a published model has a twin in transformers that it can be compared with.
        twin = folder if scaled and positions and family != NATIVE else None
        card = _altered(card, scaled=scaled, positions=positions)
        _demand_fit(folder, network, tokenizer)
        chat = _chat(folder, network, tokenizer)
        return LoadedModel(card, tokenizer, network, "in-house", dtype, device, twin, seeing, labels, chat=chat)
    if family == NATIVE:
        load_transformer(folder)  # says what is wrong with it: nothing else reads it
    if not (scaled and positions):
        raise NotAvailableError(f"√dim and positions of {card.title} cannot be left out: transformers runs it")
    network = load_reference(folder, dtype=dtype, device=device)
    _refuse_input(network, seeing)
    _demand_fit(folder, network, tokenizer)
    card = replace(card, max_tokens=_limit_of(network)) if card.max_tokens is None and seeing is None else card
    chat = _chat(folder, network, tokenizer)
    return LoadedModel(card, tokenizer, network, "interface", dtype, device, folder, seeing, labels, chat=chat)


def _chat(folder: Path, network: nn.Module, tokenizer: Tokenizer | None) -> ChatTemplate | None:
    """The folder's chat template; only a model that continues a text can answer."""
    if tokenizer is None or why_it_cannot_write(network):
        return None
    return ChatTemplate.of_folder(folder, tokenizer)


def _altered(card: ModelCard, *, scaled: bool, positions: bool) -> ModelCard:
    """The card of a model from which something was left out: no trace of it may pass for the model's own."""
    without = [name for name, kept in (("√dₖ", scaled), ("positions", positions)) if not kept]
    if not without:
        return card
    note = f" without {' and '.join(without)}"
    return replace(card, title=card.title + note, full_title=card.full_title + note, revision=card.revision + note)


def wrap(model: Any, tokenizer: Any, *, card: ModelCard | None = None) -> LoadedModel:
    """A transformers model that is already in memory, with its tokenizer, ready for `capture`.

    `tokenizer` is a `tokenizers.Tokenizer` or a fast tokenizer of transformers, None for a vision model. The
    model is put into eval mode.
    """
    _refuse_input(model)
    parameter = next(model.parameters())
    card = card if card is not None else _card_of(model)
    labels = _labels(getattr(model.config, "id2label", None))
    if tokenizer is None and getattr(model, "main_input_name", "") == "pixel_values":
        seeing = Seeing.of(model.config.to_dict())
        return LoadedModel(
            card, None, model.eval(), "interface", parameter.dtype, parameter.device, None, seeing, labels
        )
    if tokenizer is None:
        raise NotAvailableError("a transformers model needs its tokenizer: capture(model, text, tokenizer=...)")
    rust = tokenizer if isinstance(tokenizer, Tokenizer) else getattr(tokenizer, "backend_tokenizer", None)
    if not isinstance(rust, Tokenizer):
        raise NotAvailableError("this tokenizer has no fast (Rust) form, which spans and words need")
    copy = Tokenizer.from_str(rust.to_str())  # ours switches truncation off; the caller's stays as it is
    chat = None if why_it_cannot_write(model) else ChatTemplate.of_tokenizer(tokenizer)
    return LoadedModel(
        card, copy, model.eval(), "interface", parameter.dtype, parameter.device, labels=labels, chat=chat
    )


def _refuse_input(model: Any, seeing: Seeing | None = None) -> None:
    reads = getattr(model, "main_input_name", "input_ids")
    if reads not in ("input_ids", "pixel_values") or (seeing is not None and reads != "pixel_values"):
        raise NotAvailableError(f"{type(model).__name__} reads {reads}; only text and pictures can be looked at")


def _labels(given: Mapping[Any, Any] | Sequence[Any] | None) -> Mapping[int, str]:
    """The names of classes by number; transformers writes them as an object with numbers for keys."""
    if not isinstance(given, Mapping):
        return {}
    return {int(key): str(value) for key, value in given.items() if str(key).isdecimal() and len(str(key)) < 8}


def _card_of(model: Any) -> ModelCard:
    config = model.config
    text = config.get_text_config()  # within the configuration of a model that sees too
    name = str(getattr(config, "name_or_path", "") or type(model).__name__)
    vision = getattr(model, "main_input_name", "") == "pixel_values"
    translation = bool(getattr(config, "is_encoder_decoder", False))
    return ModelCard(
        name=name,
        title=name,
        full_title=name,
        family=str(config.model_type),
        kinds=(),
        languages=(),
        layers=_count(text, "num_hidden_layers"),
        heads=_count(text, "num_attention_heads"),
        max_tokens=_limit_of(model),
        precision="exact",
        licence="",
        revision="",
        input="picture" if vision else "translation" if translation else "text",
    )


def _limit_of(model: Any) -> int | None:
    """How many tokens a model takes; RoBERTa and its kin count positions from the one after the padding token's."""
    for name, module in model.named_modules():
        first = getattr(module, "padding_idx", None)
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding) and first is not None:
            return module.num_embeddings - int(first) - 1
    return _count(model.config.get_text_config(), "max_position_embeddings") or None


def _count(config: Any, name: str) -> int:
    """A number of the configuration, 0 where it has none or, as Swin, one a stage."""
    given = getattr(config, name, None)
    return max(given, 0) if isinstance(given, int) else 0


def _rows(network: Any) -> int | None:
    """How many tokens the model has embeddings for, None where it does not say.

    A CheckpointError for a model that reads texts in more than one place, as CLIP does beside its pictures.
    """
    rows = getattr(network.config, "vocabulary", None)
    if rows is None and hasattr(network, "get_input_embeddings"):
        try:
            rows = getattr(network.get_input_embeddings(), "num_embeddings", None)
        except NotImplementedError as error:
            raise CheckpointError(
                f"{type(network).__name__} does not say where it reads its text", reason="config"
            ) from error
    return rows


def _demand_fit(folder: Path, network: Any, tokenizer: Tokenizer | None) -> None:
    """A CheckpointError for a tokenizer whose ids have no row in the model's table of embeddings.

    A few markers beyond it, which Gemma's has for pictures, are no fault while no text is given them.
    """
    rows = _rows(network)
    if tokenizer is None or rows is None:
        return
    start = getattr(network.config, "decoder_start_token_id", None)
    if type(start) is int and not 0 <= start < rows:
        where = f"{folder.name}/config.json"
        raise CheckpointError(
            f"{where}: decoder_start_token_id is {start}; accepted: 0 to {rows - 1}", reason="config", file=where
        )
    with guarded(folder.name):
        given = tokenizer.encode("a", add_special_tokens=True).ids
    last = max([*tokenizer.get_vocab(with_added_tokens=False).values(), *given, 0])
    if last >= rows:
        where = f"{folder.name}/tokenizer.json"
        raise CheckpointError(
            f"{where} does not belong to this model: it gives ids up to {last}, and the model's embedding has {rows} "
            "rows",
            reason="tokenizer-mismatch",
            file=where,
            last=last,
            rows=rows,
        )
