"""The errors of Attention Atlas, one tree.

    AtlasError                      anything this project raises on purpose
    ├── InputError (ValueError)     a person's input; they can mend it
    │   ├── ShapeError              tensors that do not fit one another
    │   ├── TextError               an empty text, or one that is not valid Unicode
    │   ├── UnknownWordsError       words that a model with a closed vocabulary has never seen
    │   ├── WrongLanguageError      a text in a language that the model does not read there
    │   ├── TooManyTokensError      more tokens than the model takes
    │   ├── PictureError            bytes that are no picture of an accepted format
    │   │   └── PictureTooLargeError    more bytes or pixels than are taken
    │   ├── UnknownNameError        a model, layer, head, kind ... that does not exist
    │   ├── PageTooLongError        more tokens than a page that works offline takes
    │   ├── WindowError             a range of queries or keys outside the map
    │   └── NotAvailableError       the model does not have what was asked for
    ├── ModelError                  a model that cannot be used
    │   ├── MemoryLimitError        it, or one pass through it, needs more memory than there is
    │   ├── ModelAbsentError        not fetched yet
    │   ├── FetchError              the download failed or its hash is wrong
    │   └── CheckpointError         a folder whose files do not make the model they promise
    └── TraceError                  a trace, or a trace file, that would show wrong numbers
        └── SelfCheckError          recomputed weights differ from the model's own

Every error carries a `code`, which the HTTP interface uses as the problem type and the page as the key of its
translated sentence, and `facts`: the values that the sentence names.
"""

from collections.abc import Sequence
from typing import ClassVar

Fact = str | int | float | bool | None | Sequence[str] | Sequence[int]


class AtlasError(Exception):
    """Anything this project raises on purpose: a sentence, a code and the values the sentence names."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, **facts: Fact) -> None:
        super().__init__(message)
        self.facts = facts


class InputError(AtlasError, ValueError):
    """A person's input that they can mend."""

    code = "invalid-input"


class ShapeError(InputError):
    """Tensors whose shapes do not fit one another; the message names both shapes."""

    code = "shape"


class TextError(InputError):
    """A text with nothing to look at, or one that is not valid Unicode."""

    code = "text"


class TooManyTokensError(InputError):
    """More tokens than the model takes."""

    code = "too-many-tokens"

    def __init__(self, count: int, limit: int, *, what: str = "text", parts: tuple[int, int] | None = None) -> None:
        """`parts` are the tokens of each of two texts, which are never cut. `what` is "room" for a text that the model
        reads and that leaves it no place to write in, "experiment" for one that it reads and an experiment does not."""
        message = (
            f"this {what} has {count} tokens and the model takes at most {limit}; "
            "shorten it, or allow truncation to see its beginning"
        )
        facts: dict[str, Fact] = {}
        if parts is not None:
            message = (
                f"the two texts have {parts[0]} and {parts[1]} tokens, {count} with the model's markers, and the "
                f"model takes at most {limit}; shorten one of them"
            )
            facts = {"first": parts[0], "second": parts[1]}
        if what == "room":
            message = f"this text has {count} tokens; the model's {limit} places are full, and it cannot write any more"
        if what == "experiment":
            message = f"this text has {count} tokens, and this experiment takes at most {limit}; shorten it"
        super().__init__(message, count=count, limit=limit, reason=what, **facts)


class UnknownWordsError(InputError):
    """Words that a model with a closed vocabulary has never seen; suggestions are near the first of them."""

    code = "unknown-words"

    def __init__(
        self, words: Sequence[str], suggestions: Sequence[str], known: Sequence[str], *, polite: bool = False
    ) -> None:
        near = f"; did you mean {', '.join(suggestions)}?" if suggestions else "."
        super().__init__(
            f"this small model does not know {', '.join(words)}{near} It knows, for example, {', '.join(known)}",
            words=words,
            suggestions=suggestions,
            known=known,
            reason="polite" if polite else None,
        )


class WrongLanguageError(InputError):
    """A text in a language that the model does not read there."""

    code = "wrong-language"

    def __init__(self, what: str, language: str) -> None:
        super().__init__(f"the {what} is to be written in the language {language!r}", reason=f"{what}-{language}")


class PictureError(InputError):
    """Bytes that are no whole picture of an accepted format."""

    code = "picture"


class PictureTooLargeError(PictureError):
    """More bytes or more pixels than are taken; the message names both numbers."""

    code = "picture-too-large"


class UnknownNameError(InputError):
    """A name or number that does not exist; the message lists those that do."""

    code = "unknown-name"

    def __init__(self, what: str, value: object, accepted: Sequence[object]) -> None:
        names = [str(name) for name in accepted]
        listed = ", ".join(names) if names else "none"
        super().__init__(
            f"unknown {what} {str(value)[:100]!r}; accepted: {listed}",
            what=what,
            value=str(value)[:100],
            accepted=names,
        )


class PageTooLongError(InputError):
    """More tokens than a page that works offline takes; the message names how large it would be."""

    code = "page-too-long"

    def __init__(self, count: int, limit: int, nbytes: int) -> None:
        megabytes = round(nbytes / 1e6)
        super().__init__(
            f"with {count} tokens the page would have about {megabytes} MB; "
            f"a page that works offline takes at most {limit} tokens",
            count=count,
            limit=limit,
            megabytes=megabytes,
        )


class WindowError(InputError):
    """A range of queries or keys that is empty or reaches outside the map."""

    code = "window"


class NotAvailableError(InputError):
    """Something this model or this trace does not have; the message says why."""

    code = "not-available"


class ModelError(AtlasError):
    """A model that cannot be used as it is."""

    code = "model"


class MemoryLimitError(ModelError):
    """A model, or one pass through it, that needs more memory than there is; the message names both numbers."""

    code = "out-of-memory"

    def __init__(self, what: str, needed: int, available: int) -> None:
        super().__init__(
            f"{what} needs about {needed // 10**6} MB of memory, and {available // 10**6} MB are available",
            needed=needed,
            available=available,
        )


class ModelAbsentError(ModelError):
    """A model of the catalogue that has not been fetched yet."""

    code = "model-absent"


class FetchError(ModelError):
    """A download that failed, or brought something else than the catalogue promises."""

    code = "fetch-failed"


class CheckpointError(ModelError):
    """A model folder whose files do not make the model that its configuration promises."""

    code = "checkpoint"


class TraceError(AtlasError):
    """A trace, or a trace file, that would show wrong numbers."""

    code = "invalid-trace"


class SelfCheckError(TraceError):
    """Recomputed attention differs from the model's own by more than the tolerance."""

    code = "self-check"
