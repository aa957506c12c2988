"""What a family of checkpoints is: its configuration read and written, and where our weights stand in its files.

A configuration comes from elsewhere and is not believed: each check returns clauses that say what stands there
and what would be accepted.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from attention_core.nn.config import TransformerConfig

Raw = Mapping[str, Any]

# The largest sizes taken at their word, far above any real model. A model is laid out from this text before any
# weight is looked at.
LARGEST_VOCABULARY = 10_000_000
LARGEST_WIDTH = 1_000_000
LARGEST_INNER = 10_000_000
LARGEST_TOKENS = 1_000_000
LARGEST_LAYERS = 1_000
LARGEST_HEADS = 10_000
LARGEST_SEGMENTS = 10_000
LARGEST_PICTURE = 10_000
LARGEST_CHANNELS = 1_000


@dataclass(frozen=True)
class Place:
    """Where one weight of ours stands in a file, and how it is laid there.

    leading: axes of size 1 that stand before ours; transposed: matrices are (in, out); third: ours is this third
    of the last axis, which holds query, key and value side by side.
    """

    name: str
    leading: int = 0
    transposed: bool = False
    third: int | None = None

    def stored_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """The shape in the file of a weight that has this shape with us."""
        turned = tuple(reversed(shape)) if self.transposed else tuple(shape)
        if self.third is not None:
            turned = (*turned[:-1], 3 * turned[-1])
        return (1,) * self.leading + turned

    def read(self, stored: Tensor) -> Tensor:
        """Our weight, from the tensor of the file."""
        tensor = stored.reshape(stored.shape[self.leading :])
        if self.third is not None:
            tensor = tensor.chunk(3, dim=-1)[self.third]
        return (tensor.t() if self.transposed else tensor).contiguous()

    def write(self, ours: Tensor) -> Tensor:
        """The tensor of the file, or its third, from our weight."""
        tensor = ours.t() if self.transposed else ours
        return tensor.reshape((1,) * self.leading + tuple(tensor.shape)).contiguous()


Places = Mapping[str, Place]


@dataclass(frozen=True, kw_only=True)
class Family:
    """One family: `faults` says what in a configuration we cannot run, the rest holds once there is none.

    config: our configuration, from theirs and the names in the weights file; raw: theirs, from ours. parts: our
    modules or weights, and where they stand; blocks: for a stack of ours, the name of their layer with {} for its
    number, and its parts. prefix: what may stand before every name of the bare model, whose names begin with
    one of `body`, while those of a head that we know begin with one of `top`. same: stored copies of a weight
    of ours. computed: what a file may store although it follows from its shape. ignored: buffers that hold nothing
    learned. zero: weights of ours that a file may lack.
    """

    model_type: str
    faults: Callable[[Raw], list[str]]
    config: Callable[[Raw, Collection[str]], TransformerConfig]
    raw: Callable[[TransformerConfig], dict[str, Any]]
    parts: Places = field(default_factory=dict)
    blocks: Mapping[str, tuple[str, Places]] = field(default_factory=dict)
    prefix: str = ""
    body: tuple[str, ...] = ("",)
    top: tuple[str, ...] = ()
    same: Mapping[str, str] = field(default_factory=dict)
    computed: Mapping[str, Callable[[int, int], Tensor]] = field(default_factory=dict)
    ignored: str = r"(?!)"  # a pattern for whole names; this one matches none
    zero: Collection[str] = ()
    modern: Callable[[str], str] = str

    def place(self, ours: str) -> Place | None:
        """Where a weight of ours stands; None for one that this family does not have."""
        if not self.parts:  # our own files
            return Place(ours)
        if ours in self.parts:
            return self.parts[ours]
        module, kind = ours.rsplit(".", 1)
        if module in self.parts:
            return _extended(self.parts[module], "", kind)
        stack, *rest = module.split(".", 2)
        if stack not in self.blocks or len(rest) != 2:
            return None
        layer, parts = self.blocks[stack]
        return _extended(parts[rest[1]], layer.format(rest[0]), kind) if rest[1] in parts else None

    def names(self, stored: Collection[str]) -> dict[str, str]:
        """The stored names that concern us, by their names in the bare model; others belong to other heads."""
        before = self.prefix if any(name.startswith(self.prefix) for name in stored) else ""
        bare = tuple(before + part for part in self.body)
        found = {}
        for name in stored:
            if name.startswith(bare):
                found[self.modern(name.removeprefix(before))] = name
            elif self.top and name.startswith(self.top):
                found[self.modern(name)] = name
        return found


def _extended(place: Place, before: str, kind: str) -> Place:
    transposed = place.transposed and kind == "weight"
    return Place(f"{before}{place.name}.{kind}", place.leading, transposed, place.third)


# ---------------------------------------------------------------------------- clauses about a configuration


def short(value: object) -> str:
    """A value of a configuration as a sentence shows it."""
    return "missing" if value is None else repr(value)[:100]


def sizes(raw: Raw, largest: Mapping[str, int], lowest: int = 1) -> list[str]:
    """A clause for each key that is not a whole number from `lowest` to its largest."""
    return [
        f"{key} is {short(raw.get(key))}; accepted: a whole number from {lowest} to {most}"
        for key, most in largest.items()
        if type(raw.get(key)) is not int or not lowest <= raw[key] <= most
    ]


def splits(raw: Raw, width: str, heads: str, faults: Sequence[str]) -> list[str]:
    """A clause when the width cannot be split into heads; asked once both are numbers."""
    if any(clause.startswith((f"{width} is", f"{heads} is")) for clause in faults) or not raw[width] % raw[heads]:
        return []
    return [f"{width} {raw[width]} is not a multiple of {heads} {raw[heads]}"]


def one_of(raw: Raw, key: str, accepted: Collection[str]) -> list[str]:
    """A clause when the key is not one of the accepted words."""
    value = raw.get(key)
    if isinstance(value, str) and value in accepted:
        return []
    return [f"{key} is {short(value)}; accepted: {', '.join(accepted)}"]


def small(raw: Raw, key: str, default: float) -> list[str]:
    """A clause when the key, or its default where it is left out, is not a number from 0 to 1."""
    value = raw.get(key, default)
    if isinstance(value, float | int) and not isinstance(value, bool) and 0 <= value <= 1:
        return []
    return [f"{key} is {short(value)}; accepted: a number from 0 to 1"]


def truth(raw: Raw, accepted: Mapping[str, tuple[bool, str]]) -> list[str]:
    """A clause for each key that is there and not the accepted truth; the table says why it must be."""
    return [
        f"{key} is {short(raw[key])}; accepted: {str(value).lower()}, because {reason}"
        for key, (value, reason) in accepted.items()
        if raw.get(key) is not None and raw[key] is not value
    ]


def either(raw: Raw, keys: Sequence[str]) -> list[str]:
    """A clause for each key that is there and neither true nor false."""
    return [
        f"{key} is {short(raw[key])}; accepted: true, false"
        for key in keys
        if raw.get(key) is not None and type(raw[key]) is not bool
    ]


def token(raw: Raw, key: str, vocabulary: int) -> int | None:
    """The id of a special token, or None: an id outside the vocabulary never occurs."""
    value = raw.get(key)
    return value if type(value) is int and 0 <= value < vocabulary else None


def token_faults(raw: Raw, keys: Sequence[str]) -> list[str]:
    """A clause for each key that is there and is no whole number."""
    return [
        f"{key} is {short(raw[key])}; accepted: one token's number"
        for key in keys
        if raw.get(key) is not None and type(raw[key]) is not int
    ]
