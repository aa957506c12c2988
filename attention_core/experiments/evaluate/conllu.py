"""Trees of dependencies: CoNLL-U to sentences. What is broken is named by its line, the rest goes on.

https://universaldependencies.org/format.html: ten columns a word; lines of a multiword token (3-4) give the text of
several words, empty nodes (3.1) stand for no text, `SpaceAfter=No` glues a word to the next one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from attention_core.errors import InputError
from attention_core.experiments.evaluate.reading import Fault, numbered_lines, read_bytes
from attention_core.tokens import Span

COLUMNS = 10
_WORD = re.compile("[1-9][0-9]{0,5}")
_RANGE = re.compile("([1-9][0-9]{0,5})-([1-9][0-9]{0,5})")
_EMPTY = re.compile(r"[0-9]{1,6}\.[1-9][0-9]{0,5}")


@dataclass(frozen=True)
class Sentence:
    """One tree over the words of a text: `heads` are word numbers from 0, None for the root; `spans` lie in `text`.

    Words of one multiword token share its span where the token is not simply their forms in a row.
    """

    line: int
    id: str
    text: str
    words: tuple[str, ...]
    spans: tuple[Span, ...]
    heads: tuple[int | None, ...]
    deprels: tuple[str, ...]


@dataclass(frozen=True)
class SentenceFile:
    """The usable sentences of a file, the lines that break others, and the sha256 of its bytes."""

    name: str
    digest: str
    sentences: tuple[Sentence, ...]
    faults: tuple[Fault, ...]


class _BrokenError(Exception):
    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line


@dataclass
class _Draft:
    """A sentence while it is read: the surface from left to right, and the tree."""

    line: int
    text: str = ""
    glued: bool = True
    words: list[str] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    heads: list[int] = field(default_factory=list)
    deprels: list[str] = field(default_factory=list)
    until: int = 0  # the last word of the multiword token that is being read
    token: Span = (0, 0)
    form: str = ""

    def put(self, form: str, misc: str) -> Span:
        """Writes a form behind the text; where it stands."""
        self.text += form if self.glued or not self.text else f" {form}"
        self.glued = "SpaceAfter=No" in misc.split("|")
        return len(self.text) - len(form), len(self.text)


def read_sentences(path: Path) -> SentenceFile:
    """The sentences of a file; an InputError when it has none that can be used."""
    data, digest = read_bytes(path)
    sentences: list[Sentence] = []
    faults: list[Fault] = []
    for block in _blocks(numbered_lines(data)):
        try:
            sentences.append(_sentence(block, len(sentences) + len(faults) + 1))
        except _BrokenError as broken:
            faults.append(Fault(broken.line, str(broken)))
    if not sentences:
        first = f"; line {faults[0].line}: {faults[0].why}" if faults else ": it is empty"
        raise InputError(f"no sentence of {path.name} can be used{first}")
    return SentenceFile(path.name, digest, tuple(sentences), tuple(faults))


def _blocks(lines: Iterator[tuple[int, str | None]]) -> Iterator[list[tuple[int, str | None]]]:
    """The lines of each sentence, which end with an empty line; none of comments alone."""
    block: list[tuple[int, str | None]] = []
    for number, line in lines:
        if line is None or line.strip():
            block.append((number, line))
            continue
        if any(one is None or not one.startswith("#") for _, one in block):
            yield block
        block = []
    if any(one is None or not one.startswith("#") for _, one in block):
        yield block


def _sentence(block: list[tuple[int, str | None]], number: int) -> Sentence:
    draft, name = _Draft(block[0][0]), f"sentence {number}"
    for at, line in block:
        if line is None:
            raise _BrokenError(at, "it is not UTF-8")
        if line.startswith("#"):
            key, _, value = line[1:].partition("=")
            name = value.strip() if key.strip() == "sent_id" and value.strip() else name
            continue
        columns = line.split("\t")
        if len(columns) != COLUMNS:
            raise _BrokenError(at, f"it has {len(columns)} columns, not {COLUMNS} with tabs between them")
        if not _EMPTY.fullmatch(columns[0]):
            _read(draft, at, columns)
    if draft.until > len(draft.words):
        raise _BrokenError(block[-1][0], f"the multiword token up to word {draft.until} is not complete")
    return _finished(draft, name)


def _read(draft: _Draft, at: int, columns: list[str]) -> None:
    """Adds one word, or opens one multiword token."""
    number, form, head, deprel, misc = columns[0], columns[1], columns[6], columns[7], columns[9]
    if not form.strip():
        raise _BrokenError(at, "it has no form")
    following = len(draft.words) + 1
    if found := _RANGE.fullmatch(number):
        if int(found[1]) != following or int(found[2]) <= following or draft.until >= following:
            raise _BrokenError(at, f"the multiword token {number} does not begin at the next word, {following}")
        draft.until, draft.form, draft.token = int(found[2]), form, draft.put(form, misc)
        return
    if not _WORD.fullmatch(number) or int(number) != following:
        raise _BrokenError(at, f"its number is {number[:20]!r}, not that of the next word, {following}")
    if not re.fullmatch("[0-9]{1,6}", head):
        raise _BrokenError(at, f"its head is {head[:20]!r}, not the number of a word or 0")
    if deprel in ("", "_"):
        raise _BrokenError(at, "it has no relation")
    span = draft.token if following <= draft.until else draft.put(form, misc)
    draft.words.append(form)
    draft.spans.append(span)
    draft.heads.append(int(head))
    draft.deprels.append(deprel)
    if following == draft.until:
        _divide(draft)


def _divide(draft: _Draft) -> None:
    """Gives each word of a multiword token its part of the text, where the token is their forms in a row."""
    first = next(n for n, span in enumerate(draft.spans) if span == draft.token)
    forms = draft.words[first:]
    if "".join(forms) != draft.form:
        return
    start = draft.token[0]
    for number, form in enumerate(forms, first):
        draft.spans[number] = (start, start + len(form))
        start += len(form)


def _finished(draft: _Draft, name: str) -> Sentence:
    count = len(draft.words)
    for number, head in enumerate(draft.heads, 1):
        if head > count or head == number:
            raise _BrokenError(draft.line, f"word {number} has the head {head}, and there are {count} words")
    if 0 not in draft.heads:
        raise _BrokenError(draft.line, "no word is the root, whose head is 0")
    heads = tuple(head - 1 if head else None for head in draft.heads)
    return Sentence(
        draft.line, name, draft.text, tuple(draft.words), tuple(draft.spans), heads, tuple(draft.deprels)
    )
