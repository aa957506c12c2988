"""A folder's tokenizer, read without trust, and a guard around every use of it.

The Rust library behind it raises bare Exceptions, and where it panics not even these.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from attention_core.errors import CheckpointError
from attention_core.models.checking import TOKENIZER_FILE, demand_tokenizer

# How many characters one may become before the text is cut; a chain of replacements multiplies. Real ones stay below 8.
MOST_GROWTH = 256


def read_tokenizer(folder: Path) -> Tokenizer:
    """The folder's tokenizer, which neither pads nor truncates; a CheckpointError when it has none that can be used."""
    path = demand_tokenizer(folder)
    with guarded(folder.name):
        tokenizer = Tokenizer.from_file(str(path))
        # Before anything is encoded: a file may ask for padding to any length.
        tokenizer.no_truncation()
        tokenizer.no_padding()
        normalizer = tokenizer.normalizer
        state = {} if normalizer is None else json.loads(normalizer.__getstate__())
    growth = _growth(state)
    if growth > MOST_GROWTH:
        raise _damaged(folder.name, f"its normalizer makes more than {MOST_GROWTH} characters of one")
    return tokenizer


@contextmanager
def guarded(name: str) -> Iterator[None]:
    """While this is open, what the tokenizer of that model raises or panics with is a CheckpointError."""
    try:
        yield
    except BaseException as error:
        # A panic is no Exception, and its class cannot be imported; an error of the library is of no class of its own.
        if type(error) is not Exception and type(error).__name__ != "PanicException":
            raise
        raise _damaged(name, str(error)[:300]) from error


def _damaged(name: str, said: str) -> CheckpointError:
    return CheckpointError(
        f"the {TOKENIZER_FILE} of {name} cannot be read: {said}", reason="tokenizer", file=f"{name}/{TOKENIZER_FILE}"
    )


def _growth(state: Mapping[str, Any]) -> int:
    """How many characters a normalizer makes of one, tried on the characters that it replaces.

    Replacements are followed in Python, step by step, and no further than MOST_GROWTH; of a regular expression only
    what it puts in is known.
    """
    steps = [one for one in state.get("normalizers", [state]) if one.get("type") == "Replace"]
    spelled = [one["pattern"].get("String", "") for one in steps]
    text = "".join({*"".join([*spelled, *(one["content"] for one in steps)])}) + "".join(spelled)
    first = max(1, len(text))
    for one, pattern in zip(steps, spelled, strict=True):
        content = one["content"]
        if pattern and first + text.count(pattern) * len(content) > first * MOST_GROWTH:
            return MOST_GROWTH + 1
        text = text.replace(pattern, content) if pattern else text + content
    return -(-len(text) // first)
