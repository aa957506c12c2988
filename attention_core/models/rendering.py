"""Renders one chat template: reads a task as JSON from its input, writes {"text"}, {"declined"} or {"fault"} to its
output. A program of its own, so that a template that never ends or fills the memory ends with it; `chat.py` runs it.
"""

import json
import sys
from collections.abc import Mapping
from datetime import date
from typing import Any

from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

SECONDS = 3
MEMORY = 1 << 29
_SENTENCE = 300


class DeclinedError(Exception):
    """What a template raises on purpose, by `raise_exception`."""


class Generation(Extension):
    """`{% generation %}`, which marks what training looks at: here its content is all that counts."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Any) -> Any:
        """The statements within."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, which raises for what it does not hand out, where Jinja would print nothing in its place."""

    def unsafe_undefined(self, obj: Any, attribute: str) -> Any:
        """A SecurityError."""
        raise SecurityError(f"{attribute!r} of {type(obj).__name__} is not for templates")


def rendered(task: Mapping[str, Any]) -> dict[str, str]:
    """The text, or why there is none."""
    try:
        template = _environment(task["today"]).from_string(task["template"])
        parts: list[str] = []
        size = 0
        for part in template.generate(**task["variables"]):
            size += len(part)
            if size > task["most"]:
                return {"fault": f"it makes more than {task['most']} characters"}
            parts.append(part)
        text = "".join(parts)
        text.encode()
        return {"text": text}
    except DeclinedError as error:
        return {"declined": str(error)[:_SENTENCE]}
    except SecurityError:
        return {"fault": "it reaches for something that the sandbox does not hand out"}
    except MemoryError:
        return {"fault": "it takes more memory than a template may"}
    except Exception as error:
        return {"fault": f"{type(error).__name__}: {str(error)[:_SENTENCE]}"}


def _environment(today: tuple[int, int, int]) -> Sandbox:
    """Jinja as transformers sets it up for chat templates."""
    made = Sandbox(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])

    def decline(message: object) -> None:
        raise DeclinedError(str(message))

    def tojson(
        value: Any,
        ensure_ascii: bool = False,
        indent: int | None = None,
        separators: tuple[str, str] | None = None,
        sort_keys: bool = False,
    ) -> str:
        return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    made.filters["tojson"] = tojson
    made.globals["raise_exception"] = decline
    made.globals["strftime_now"] = lambda wanted: date(*today).strftime(wanted)
    return made


def _limit() -> None:
    """Little time and memory from here on, where the system can hold a process to it."""
    try:
        import resource
    except ImportError:  # Windows: the clock of the one who waits is the only limit
        return
    for what, most in ((resource.RLIMIT_CPU, SECONDS), (resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(what)
        resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


if __name__ == "__main__":
    given = json.load(sys.stdin)
    _limit()
    json.dump(rendered(given), sys.stdout)
