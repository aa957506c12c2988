"""What an evaluation found: frozen, and as the document that the command prints and the cache keeps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from attention_core.experiments.evaluate.antecedent import Twins
from attention_core.experiments.evaluate.reading import Fault

ANTECEDENT, SYNTAX, INDUCTION = "antecedent", "syntax", "induction"
TASKS = (ANTECEDENT, SYNTAX)  # of files; induction needs none
_PLACES = 4  # of a share in the tables of all heads, which are for colours and badges

Table = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Head:
    """A head by its layer and number, both counted from 0."""

    layer: int
    head: int

    def to_document(self) -> dict[str, int]:
        """Plain data."""
        return {"layer": self.layer, "head": self.head}


@dataclass(frozen=True)
class Chosen:
    """The head that was chosen on one half, and its share of right answers on the other.

    `rows` is how many rows the share is of and `interval` its 95 % interval; `chosen_rows` and `chosen_right` are of
    the half the head was chosen on; `again` is how often a resample chose the same head.
    """

    head: Head
    rows: int
    right: float
    interval: tuple[float, float]
    chosen_rows: int
    chosen_right: float
    again: float

    def to_document(self) -> dict[str, Any]:
        """Plain data, with the names that stand at the top of a result."""
        return {
            "rows": self.rows,
            "chosen": self.head.to_document(),
            "right": self.right,
            "interval": list(self.interval),
            "chosen_rows": self.chosen_rows,
            "chosen_right": self.chosen_right,
            "again": self.again,
        }


@dataclass(frozen=True)
class Origin:
    """What was evaluated: the model with its revision and precision, the file with its sha256, how many of its rows.

    `counts` says by name how many rows were `read`, how many `scored`, and how many left out for which reason.
    `warnings` are codes with how many rows they are about. `broken` are the lines that could not be used.
    """

    model: str
    revision: str
    dtype: str
    kind: str
    file: str
    sha256: str
    limit: int | None
    counts: Mapping[str, int]
    warnings: Mapping[str, int] = field(default_factory=dict)
    broken: tuple[Fault, ...] = ()

    def to_document(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "revision": self.revision,
            "dtype": self.dtype,
            "kind": self.kind,
            "file": self.file,
            "sha256": self.sha256,
            "limit": self.limit,
            "counts": dict(self.counts),
            "warnings": dict(self.warnings),
            "broken": [{"line": one.line, "why": one.why} for one in self.broken],
        }


@dataclass(frozen=True)
class AntecedentResult:
    """How often the chosen head picks a pronoun's antecedent, and what no head is needed for on the same rows.

    `twins` are those of both halves. `heads` is every head's share on all scored rows (layer, head): for a picture,
    since the best of many is lucky.
    """

    origin: Origin
    chosen: Chosen
    chance: float
    nearest: float
    first: float
    twins: Twins | None
    heads: Table

    task = ANTECEDENT

    def to_document(self) -> dict[str, Any]:
        """Plain data; `twins` is null where the file has none."""
        return {
            "task": self.task,
            "model": self.origin.model,
            **self.chosen.to_document(),
            "chance": self.chance,
            "nearest": self.nearest,
            "first": self.first,
            "twins": None if self.twins is None else vars(self.twins).copy(),
            "heads": rounded(self.heads),
            **self.origin.to_document(),
        }


@dataclass(frozen=True)
class Relation:
    """One relation in one direction. `offset` is the fixed offset that is right most often on the choosing half.

    `offset_right` is its share on the reported half; `chance` that of a word drawn at random; `heads` every head's
    share on all pairs (layer, head), and `offset_all` the offset's share on all of them.
    """

    relation: str
    direction: str
    chosen: Chosen
    chance: float
    offset: int
    offset_right: float
    offset_all: float
    heads: Table

    def to_document(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "relation": self.relation,
            "direction": self.direction,
            **self.chosen.to_document(),
            "chance": self.chance,
            "offset": self.offset,
            "offset_right": self.offset_right,
            "offset_all": self.offset_all,
            "heads": rounded(self.heads),
        }


@dataclass(frozen=True)
class SyntaxResult:
    """How often the chosen head's largest weight is on the word that a relation ties a word to.

    `overall` is of all relations together, from each word to the one it depends on. At the top of the document
    `nearest` is the best fixed offset, the word next to it, and `first` the first word of the sentence.
    """

    origin: Origin
    overall: Relation
    first: float
    relations: tuple[Relation, ...]

    task = SYNTAX

    def to_document(self) -> dict[str, Any]:
        """Plain data; `twins` is null: trees have none."""
        return {
            "task": self.task,
            "model": self.origin.model,
            **self.overall.chosen.to_document(),
            "chance": self.overall.chance,
            "nearest": self.overall.offset_right,
            "first": self.first,
            "twins": None,
            "heads": rounded(self.overall.heads),
            "relations": [one.to_document() for one in self.relations],
            **self.origin.to_document(),
        }


def rounded(table: Table) -> list[list[float]]:
    """A table of shares (layer, head) to four places."""
    return [[round(share, _PLACES) for share in row] for row in table]
