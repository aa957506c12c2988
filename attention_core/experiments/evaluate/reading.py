"""Files of pronouns with their antecedents: JSON lines to rows. What is broken is named by its line, the rest goes on.

A row is {"id", "text", "pronoun": [start, end], "antecedent": [start, end], "distractors": [[start, end], ...],
"meta": {"group"?, "twin"?}}; spans are half-open ranges of code points in the text. Rows of one `group` stay in one
half when heads are chosen on one half and reported on the other; without it a row is a group of its own. `twin` is a
name that two rows share, or the id of the other row.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

from attention_core.errors import InputError
from attention_core.tokens import Span

_SPAN = "a pair [start, end] of whole numbers"


@dataclass(frozen=True)
class Fault:
    """A line that was left out, and why."""

    line: int
    why: str


@dataclass(frozen=True)
class Row:
    """One pronoun and what it might mean; the antecedent is the first of the candidates."""

    line: int
    id: str
    text: str
    pronoun: Span
    candidates: tuple[Span, ...]
    group: str
    twin: str | None = None

    def distance(self, span: Span) -> tuple[int, int]:
        """How far a span begins from where the pronoun begins; of equals the earlier one comes first."""
        return abs(span[0] - self.pronoun[0]), span[0]


@dataclass(frozen=True)
class RowFile:
    """The usable rows of a file, the lines that are broken, and the sha256 of its bytes."""

    name: str
    digest: str
    rows: tuple[Row, ...]
    faults: tuple[Fault, ...]


class _BrokenError(Exception):
    """Why a line cannot be used."""


def read_bytes(path: Path) -> tuple[bytes, str]:
    """The bytes of a file and their sha256; an InputError for what is no file."""
    if not path.is_file():
        raise InputError(f"{path} is not a file; name a file of JSON lines or a CoNLL-U file")
    data = path.read_bytes()
    return data, sha256(data).hexdigest()


def numbered_lines(data: bytes) -> Iterator[tuple[int, str | None]]:
    """The lines of a file with their numbers from 1, None for one that is not UTF-8."""
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        try:
            yield number, line.decode("utf-8").removesuffix("\r")
        except UnicodeDecodeError:
            yield number, None


def read_rows(path: Path) -> RowFile:
    """The rows of a file; an InputError when it has none that can be used."""
    data, digest = read_bytes(path)
    rows: list[Row] = []
    faults: list[Fault] = []
    seen: dict[str, int] = {}
    for number, line in numbered_lines(data):
        if line is not None and not line.strip():
            continue
        try:
            row = _row(number, line)
            if row.id in seen:
                raise _BrokenError(f"its id {row.id[:100]!r} is that of line {seen[row.id]}")
        except _BrokenError as broken:
            faults.append(Fault(number, str(broken)))
            continue
        seen[row.id] = number
        rows.append(row)
    if not rows:
        first = f"; line {faults[0].line}: {faults[0].why}" if faults else ": it is empty"
        raise InputError(f"no row of {path.name} can be used{first}")
    return RowFile(path.name, digest, tuple(rows), tuple(faults))


def _row(number: int, line: str | None) -> Row:
    if line is None:
        raise _BrokenError("it is not UTF-8")
    try:
        given = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _BrokenError(f"it is not JSON: {error}") from None
    if not isinstance(given, dict):
        raise _BrokenError(f"it is not a JSON object but {type(given).__name__}")
    missing = [name for name in ("id", "text", "pronoun", "antecedent", "distractors") if name not in given]
    if missing:
        raise _BrokenError(f"it has no {', '.join(missing)}")
    name, text = _text("id", given["id"]), _text("text", given["text"])
    meta = given.get("meta")
    meta = {} if meta is None else meta
    if not isinstance(meta, dict):
        raise _BrokenError("its meta is not an object")
    group, twin = (None if meta.get(key) is None else _text(key, meta[key]) for key in ("group", "twin"))
    pronoun, candidates = _spans(given, text)
    return Row(number, name, text, pronoun, candidates, name if group is None else group, twin)


def _text(what: str, given: Any) -> str:
    if not isinstance(given, str) or not given.strip():
        raise _BrokenError(f"its {what} is not a text of at least one character")
    try:
        given.encode()
    except UnicodeEncodeError:
        raise _BrokenError(f"its {what} holds half of a surrogate pair") from None
    return given


def _spans(given: dict[str, Any], text: str) -> tuple[Span, tuple[Span, ...]]:
    """The pronoun and the candidates, the antecedent first; none of them may touch another."""
    if not isinstance(given["distractors"], list):
        raise _BrokenError(f"its distractors are not a list of spans, each {_SPAN}")
    pronoun = _span("pronoun", given["pronoun"], text)
    antecedent = _span("antecedent", given["antecedent"], text)
    rivals = tuple(_span(f"distractor {n}", span, text) for n, span in enumerate(given["distractors"], 1))
    if antecedent in rivals:
        raise _BrokenError(f"its antecedent {list(antecedent)} is also a distractor")
    ordered = sorted((antecedent, *rivals))
    for before, after in pairwise(ordered):
        if after[0] < before[1]:
            raise _BrokenError(f"its candidates {list(before)} and {list(after)} overlap")
    for span in ordered:
        if span[0] < pronoun[1] and pronoun[0] < span[1]:
            raise _BrokenError(f"its pronoun {list(pronoun)} overlaps the candidate {list(span)}")
    return pronoun, (antecedent, *rivals)


def _span(what: str, given: Any, text: str) -> Span:
    pair = isinstance(given, list) and len(given) == 2
    if not pair or any(isinstance(place, bool) or not isinstance(place, int) for place in given):
        raise _BrokenError(f"its {what} is not {_SPAN}")
    start, end = given
    if not 0 <= start < end <= len(text):
        raise _BrokenError(f"its {what} {given} is not a span of at least one character within 0 to {len(text)}")
    return start, end
