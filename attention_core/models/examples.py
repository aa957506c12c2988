"""Examples: what people give a model to look at, and the same as tokens and tensors for the network."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tokenizers import Tokenizer
from torch import Tensor

from attention_core.errors import TextError, TooManyTokensError
from attention_core.models.card import ModelCard
from attention_core.models.spelling import Speller
from attention_core.models.tokenizer import guarded
from attention_core.models.words import refuse_language, refuse_unknown
from attention_core.pictures import Picture
from attention_core.tokens import Tokens

# What stands for a word of the text is no marker: the gap to be filled, and the word that is not known.
_WORDS = ("[MASK]", "<mask>", "[UNK]", "<unk>")
MOST_WRITTEN = 256  # tokens that a model writes by itself


class EmptyTextError(TextError):
    """A text without a single token to look at."""

    code = "empty-text"


@dataclass(frozen=True, eq=False)
class Example:
    """What to look at: a text, a pair of texts for one encoder, a source with its target text, or a picture.

    `image` is uint8 (height, width, 3), as `pictures.read_picture` gives it. `off` names heads that are switched
    off while the model runs, each as "kind.layer.head"; `off_with` is "zero" or "mean", as `nn.changing.HeadsOff` says.
    `written` are the ids of tokens that follow the text, at most MOST_WRITTEN, for a decoder that writes on. With
    `chat` the text is a person's message, which goes into the model's chat template. `what_if` names what a model of
    ours does otherwise meanwhile, as `attention_core.what_if` spells it.
    """

    text: str = ""
    pair: str | None = None
    target: str | None = None
    image: Tensor | None = None
    off: tuple[str, ...] = ()
    written: tuple[int, ...] = ()
    chat: bool = False
    off_with: str = "zero"
    what_if: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Encoded:
    """An example as the model takes it: tokens for people, tensors with a leading batch axis for the network."""

    source: Tokens
    inputs: Mapping[str, Tensor]
    target: Tokens | None = None
    decoder_input: Tokens | None = None
    picture: Picture | None = None


def refuse_half_characters(text: str) -> None:
    """A TextError for a text that is not valid Unicode."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise TextError("this text holds half of a surrogate pair, which is no character; remove it") from None


class TextReader:
    """Texts to tokens, with one tokenizer and the limits of one model."""

    def __init__(self, tokenizer: Tokenizer, card: ModelCard) -> None:
        # A tokenizer.json may ask for truncation and padding (MiniLM's does): both would hide tokens.
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self.tokenizer = tokenizer
        self._card = card
        self._byte_level = '"ByteLevel"' in tokenizer.to_str()
        normalizer = tokenizer.normalizer
        # Of a letter that it composes, the tokenizer would report only the first part's place.
        state = b"" if normalizer is None else normalizer.__getstate__()
        self._composes = b'"NFC"' in state or b'"NFKC"' in state
        added = tokenizer.get_added_tokens_decoder().items()
        self._special = frozenset(number for number, one in added if one.special and one.content not in _WORDS)
        self._speller = Speller(tokenizer, self._special, byte_level=self._byte_level)

    def read(
        self,
        text: str,
        pair: str | None = None,
        *,
        truncate: bool = False,
        what: str = "text",
        language: str = "",
        markers: bool = True,
    ) -> Tokens:
        """The tokens of a text, or of two for one encoder.

        An EmptyTextError, a TextError for half a surrogate pair, a TooManyTokensError unless `truncate`, which cuts
        one text and never two; where the model has a closed vocabulary, an UnknownWordsError, and a WrongLanguageError
        unless the text is in `language`. `what` is how these call the text. Without `markers` the tokenizer adds none
        of its own.
        """
        with guarded(self._card.name):
            return self._read(text, pair, truncate=truncate, what=what, language=language, markers=markers)

    def _read(
        self, text: str, pair: str | None, *, truncate: bool, what: str, language: str, markers: bool
    ) -> Tokens:
        refuse_half_characters(text + (pair or ""))
        if self._composes:
            text = unicodedata.normalize("NFC", text)
            pair = None if pair is None else unicodedata.normalize("NFC", pair)
        encoding = self.tokenizer.encode(text, pair, add_special_tokens=markers)
        special = self._is_special(encoding)
        if all(special):
            raise _nothing(encoding)
        if pair is not None:
            _demand_two(encoding, special)
        if self._card.closed_vocabulary:
            if language:
                spans = zip(encoding.offsets, special, strict=True)
                refuse_language("".join(text[slice(*span)] for span, marker in spans if not marker), what, language)
            refuse_unknown(self.tokenizer, text, encoding)
        count, limit, cut = len(encoding.ids), self._card.max_tokens, None
        if limit is not None and count > limit:
            if pair is not None:
                raise TooManyTokensError(count, limit, what="pair", parts=_sizes(encoding, special))
            if not truncate:
                raise TooManyTokensError(count, limit, what=what)
            cut, encoding = self._beginning(text, encoding, limit)
        return replace(self._tokens(text, encoding, pair), cut=cut, count=count)

    def follow(self, prompt: Tokens, ids: Sequence[int], *, markers: bool = True) -> Tokens:
        """The tokens of a text that was `read`, with or without `markers`, and of the ids that a model wrote after it.

        A TooManyTokensError where the model does not take all of them.
        """
        count, limit = len(prompt) + len(ids), self._card.max_tokens
        if limit is not None and count > limit:
            raise TooManyTokensError(count, limit)
        with guarded(self._card.name):
            return self._speller.follow(prompt, ids, markers=markers)

    def is_special(self, number: int) -> bool:
        """Whether an id is a marker of the model's own."""
        return number in self._special

    def write(self, ids: list[int]) -> Tokens:
        """The tokens of ids that a decoder wrote, with the text that they spell."""
        with guarded(self._card.name):
            text = self.tokenizer.decode(ids)
            encoding = self.tokenizer.encode(text)
        if encoding.ids == ids:
            return self._tokens(text, encoding)
        pieces, special = [self.piece(one) for one in ids], [one in self._special for one in ids]
        return Tokens.of_ids(ids, pieces, special, byte_level=self._byte_level)

    def _tokens(self, text: str, encoding: Any, pair: str | None = None) -> Tokens:
        special = self._is_special(encoding)
        return Tokens.of(text, encoding, special=special, byte_level=self._byte_level, pair=pair)

    def _is_special(self, encoding: Any) -> list[bool]:
        """Which tokens are markers of the model's own, put there by the tokenizer or typed by a person."""
        flags = zip(encoding.ids, encoding.special_tokens_mask, strict=True)
        return [bool(flag) or number in self._special for number, flag in flags]

    def piece(self, number: int) -> str:
        """The tokenizer's piece of an id."""
        return self._speller.piece(number)

    def shown(self, number: int) -> str:
        """The piece of an id as a person reads it."""
        return Tokens.of_ids([number], [self.piece(number)], [False], byte_level=self._byte_level).texts[0]

    def _beginning(self, text: str, encoding: Any, limit: int) -> tuple[int, Any]:
        """Where a long text is cut, and the encoding of its beginning, which the model takes."""
        special = encoding.special_tokens_mask
        room = limit - sum(special)
        spans = [span for span, is_special in zip(encoding.offsets, special, strict=True) if not is_special]
        # Cut between words, so that what is left is encoded just as it was in the whole text; a text without
        # a break is cut where it must be.
        cut = spans[room][0]
        while True:
            space = text.rfind(" ", 0, cut + 1)
            cut = space if space > cut // 2 else cut
            encoding = self.tokenizer.encode(text[:cut])
            if len(encoding.ids) <= limit:
                return cut, encoding
            cut -= 1


def _nothing(encoding: Any) -> EmptyTextError:
    """The error for a text of markers alone: typed by a person, or put there by the tokenizer around nothing."""
    if any(start < end for start, end in encoding.offsets):
        return EmptyTextError("this text holds special tokens alone; write a sentence", reason="special")
    return EmptyTextError("there is no text to look at; write a sentence")


def _sizes(encoding: Any, special: list[bool]) -> tuple[int, int]:
    """How many tokens each of two texts has, markers left out."""
    found = [number for number, marker in zip(encoding.sequence_ids, special, strict=True) if not marker]
    return found.count(0), found.count(1)


def _demand_two(encoding: Any, special: list[bool]) -> None:
    """An EmptyTextError unless each of two texts holds something beside markers."""
    first, second = _sizes(encoding, special)
    if not first:
        raise EmptyTextError("there is nothing in the first text to look at; write a sentence")
    if not second:
        raise EmptyTextError(
            "there is nothing in the second text to look at; write a sentence, or leave it out", reason="pair"
        )
