"""Chat templates: a person's message in the form that a model was trained to answer.

A template is a program that came with the weights, and hostile until it has rendered: it runs in Jinja's sandbox, in a
process of its own with little time and memory (`rendering.py`). It is rendered as transformers does it, but for the
date: a link must show the same text tomorrow, so that every template is told `TODAY`.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from attention_core.errors import CheckpointError, NotAvailableError

TODAY = (2024, 7, 26)  # the date that Llama's template takes where it is told none
MOST_TEMPLATE = 1 << 18  # characters of a template; long ones have 20,000
MOST_RENDERED = 1 << 20  # characters that one may make of a message
SECONDS = 10.0  # by the clock; the process itself is stopped after 3 of computing
_FILE_BYTES = 1 << 24
_RENDERER = Path(__file__).with_name("rendering.py")
_TOKENS = ("bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token")


@dataclass(frozen=True)
class ChatTemplate:
    """A template and the markers that it may name: pairs of their name, as "bos_token", and their text."""

    source: str
    markers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of_folder(cls, folder: Path, tokenizer: Tokenizer) -> "ChatTemplate | None":
        """The template of a model's folder, None where it has none.

        From config.json, else tokenizer_config.json, else chat_template.jinja.
        """
        source = template_of(folder)
        if source is None:
            return None
        config, told = _read(folder / "config.json"), _read(folder / "tokenizer_config.json")
        markers = {}
        for name in _TOKENS:
            number = config.get(f"{name}_id")
            text = _text_of(told.get(name))
            if text is None and type(number) is int and 0 <= number < 1 << 31:
                text = tokenizer.id_to_token(number)
            if text is not None:
                markers[name] = text
        return cls(source, tuple(markers.items()))

    @classmethod
    def of_tokenizer(cls, tokenizer: Any) -> "ChatTemplate | None":
        """The template of a tokenizer of transformers, None where it has none."""
        source = _chosen(getattr(tokenizer, "chat_template", None))
        if source is None:
            return None
        named = ((name, getattr(tokenizer, name, None)) for name in _TOKENS)
        return cls(source, tuple((name, str(text)) for name, text in named if text is not None))

    def render(self, text: str) -> str:
        """The message in the template, ready for the model's answer.

        A NotAvailableError where the template itself refuses the message, a CheckpointError where it is broken,
        reaches out of the sandbox, or takes too much time, memory or room.
        """
        return _rendered(self, text)


def template_of(folder: Path) -> str | None:
    """The chat template in a model's folder; None where there is none, or one that is no text of a usual size."""
    for name in ("config.json", "tokenizer_config.json"):
        source = _chosen(_read(folder / name).get("chat_template"))
        if source is not None:
            return source
    try:
        with (folder / "chat_template.jinja").open(encoding="utf-8") as file:
            return _chosen(file.read(MOST_TEMPLATE + 1))
    except (OSError, UnicodeDecodeError):
        return None


def _chosen(given: Any) -> str | None:
    """One template: that for chats, where several are named."""
    if isinstance(given, list):
        given = {one.get("name"): one.get("template") for one in given if isinstance(one, dict)}
    if isinstance(given, Mapping):
        given = given.get("default")
    return given if isinstance(given, str) and 0 < len(given) <= MOST_TEMPLATE else None


def _text_of(given: Any) -> str | None:
    """A marker's text, which stands in a file as it is or within an object."""
    given = given.get("content") if isinstance(given, dict) else given
    return given if isinstance(given, str) else None


def _read(path: Path) -> dict[str, Any]:
    """A JSON object of a folder; empty where there is none, for a template is never needed to load a model."""
    try:
        with path.open("rb") as file:
            said = json.loads(file.read(_FILE_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


@lru_cache(maxsize=32)
def _rendered(template: ChatTemplate, text: str) -> str:
    """What the template makes of a message, by a process of its own."""
    task = {
        "template": template.source,
        "today": TODAY,
        "most": MOST_RENDERED,
        "variables": {
            **dict(template.markers),
            "messages": [{"role": "user", "content": text}],
            "add_generation_prompt": True,
            "tools": None,
            "documents": None,
        },
    }
    try:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-P", str(_RENDERER)],
            input=json.dumps(task).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # it could name the message, which stands in no log
            timeout=SECONDS,
            check=False,
        )
        said = json.loads(done.stdout) if done.returncode == 0 else {}
    except subprocess.TimeoutExpired:
        said = {}
    except (OSError, ValueError) as error:
        raise CheckpointError(f"the chat template cannot be rendered: {type(error).__name__}") from error
    if "text" in said:
        return str(said["text"])
    if "declined" in said:
        raise NotAvailableError(f"the chat template of this model refuses the message: {said['declined']}")
    why = said.get("fault", "it takes more time or memory than a template may")
    raise CheckpointError(f"the chat template of this model cannot be used: {why}")
