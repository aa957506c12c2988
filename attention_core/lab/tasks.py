"""The tasks of the lab: endless seeded sequences, a test set that training never shows, and what a head should do.

    reverse     at each place the token that stands there from behind; a head looks across (mirror)
    sort        at each place the token that is due there; a head looks for it (due)
    induction   the next token of a stretch that comes again; one head looks at the previous token, a later one at what
                followed the same token before (Olsson et al. 2022, "In-context Learning and Induction Heads")

A score is a head's mean weight where its role says that it should look, over the rows that have such a place: 0 to 1.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor

from attention_core.errors import ShapeError
from attention_core.lab.choices import LabChoices

HELD_OUT = 8  # one of so many sequences is held out for the test
TEST_SEED = 2**40  # beyond every seed that can be chosen
UNFORETOLD = 0.05  # how much a token counts that nothing foretells: the model is to say that it does not know


@dataclass(frozen=True, eq=False)
class Batch:
    """Sequences and what is to be said of them, each (sequence, position).

    ids: what the model reads; answers: what it is to say at each place; counts: how much each place counts in the loss;
    asked: where its answer is checked.
    """

    ids: Tensor
    answers: Tensor
    counts: Tensor
    asked: Tensor


class Task(ABC):
    """One task; `roles` names what its heads are scored for, `inner` is the MLP's width over the model's, or 0."""

    name: str
    roles: tuple[str, ...]
    inner: int

    @abstractmethod
    def symbols(self, vocabulary: int) -> tuple[str, ...]:
        """The tokens as a person reads them, by id."""

    @abstractmethod
    def places(self, ids: Tensor) -> Mapping[str, Tensor]:
        """Where a head of each role looks: booleans (sequence, query, key); rows without a place ask for nothing."""

    @abstractmethod
    def _make(self, choices: LabChoices, count: int, generator: torch.Generator) -> Tensor:
        """`count` whole sequences (sequence, position)."""

    @abstractmethod
    def _ask(self, whole: Tensor, *, test: bool) -> Batch:
        """What the model reads and is to say of whole sequences."""

    def draw(self, choices: LabChoices, count: int, generator: torch.Generator) -> Batch:
        """The next `count` sequences of training, none of which the test can hold."""
        return self._ask(self._drawn(choices, count, generator, held_out=False), test=False)

    def test(self, choices: LabChoices, count: int) -> Batch:
        """The same `count` sequences for every run of these sizes; training shows none of them."""
        generator = torch.Generator().manual_seed(TEST_SEED)
        return self._ask(self._drawn(choices, count, generator, held_out=True), test=True)

    def scores(self, weights: Tensor, ids: Tensor) -> dict[str, Tensor]:
        """Each head's score of each role (layer, head), of weights (layer, head, sequence, query, key) over ids
        (sequence, position); a ShapeError when they do not fit."""
        if weights.ndim != 5 or weights.shape[2:] != (*ids.shape, ids.shape[1]):
            raise ShapeError(
                f"weights are (layer, head, sequence, query, key) of the ids' sequences, not {tuple(weights.shape)} "
                f"for ids {tuple(ids.shape)}"
            )
        found = {}
        for role, places in self.places(ids).items():
            rows = places.any(dim=-1)  # (sequence, query)
            given = (weights * places).sum(dim=-1)  # (layer, head, sequence, query)
            found[role] = given[:, :, rows].mean(dim=-1)  # (layer, head)
        return found

    def _drawn(self, choices: LabChoices, count: int, generator: torch.Generator, *, held_out: bool) -> Tensor:
        """Sequences that are held out, or none of which is."""
        parts: list[Tensor] = []
        while sum(map(len, parts)) < count:
            whole = self._make(choices, HELD_OUT * count if held_out else count + count // 4, generator)
            parts.append(whole[_is_held_out(whole) == held_out])
        return torch.cat(parts)[:count]


class Reverse(Task):
    """The tokens from behind; any token may come twice."""

    name = "reverse"
    roles = ("mirror",)
    inner = 2

    def symbols(self, vocabulary: int) -> tuple[str, ...]:
        """Letters, then Korean syllables."""
        return LETTERS[:vocabulary]

    def places(self, ids: Tensor) -> Mapping[str, Tensor]:
        """Mirror: the place as far from the end as the query is from the beginning."""
        across = torch.eye(ids.shape[1], dtype=torch.bool).flip(1)  # (query, key)
        return {"mirror": across.expand(len(ids), -1, -1)}

    def _make(self, choices: LabChoices, count: int, generator: torch.Generator) -> Tensor:
        return torch.randint(choices.vocabulary, (count, choices.length), generator=generator)

    def _ask(self, whole: Tensor, *, test: bool) -> Batch:
        del test
        return _everywhere(whole, whole.flip(1))


class Sort(Task):
    """The tokens in order; no token comes twice."""

    name = "sort"
    roles = ("due",)
    inner = 2

    def symbols(self, vocabulary: int) -> tuple[str, ...]:
        """Whole numbers from 1."""
        return tuple(str(number) for number in range(1, vocabulary + 1))

    def places(self, ids: Tensor) -> Mapping[str, Tensor]:
        """Due: where the token stands that belongs at the query's place."""
        order = ids.argsort(dim=1)  # (sequence, query): where what belongs there stands
        return {"due": torch.nn.functional.one_hot(order, ids.shape[1]).bool()}

    def _make(self, choices: LabChoices, count: int, generator: torch.Generator) -> Tensor:
        return _without_repeats(choices, count, choices.length, generator)

    def _ask(self, whole: Tensor, *, test: bool) -> Batch:
        del test
        return _everywhere(whole, whole.sort(dim=1).values)


class Induction(Task):
    """A stretch of random tokens that comes again and again; how long it is differs from sequence to sequence.

    What is checked is the last place alone, after which nothing stands that could give the answer away: so a model
    without a mask is asked the same as one with it.
    """

    name = "induction"
    roles = ("previous", "induction")
    inner = 0

    def symbols(self, vocabulary: int) -> tuple[str, ...]:
        """Letters, then Korean syllables."""
        return LETTERS[:vocabulary]

    def places(self, ids: Tensor) -> Mapping[str, Tensor]:
        """Previous: the place before. Induction: the places right after where the query's token stood before."""
        count = ids.shape[1]
        before = torch.eye(count, dtype=torch.bool).roll(-1, dims=1)  # (query, key), and the last key for the first
        before[0] = False
        same = ids[:, :, None] == ids[:, None, :]  # (sequence, query, key)
        after = same.roll(1, dims=2)  # (sequence, query, key): what precedes the key is the query's token
        earlier = torch.ones(count, count, dtype=torch.bool).tril()  # (query, key)
        earlier[:, 0] = False  # nothing precedes the first
        return {"previous": before.expand(len(ids), -1, -1), "induction": after & earlier}

    def _make(self, choices: LabChoices, count: int, generator: torch.Generator) -> Tensor:
        size = choices.length + 1  # the last one is only foretold
        least, most = shortest_stretch(choices.length), longest_stretch(choices.length)
        stretch = torch.randint(least, most + 1, (count, 1), generator=generator)
        first = _without_repeats(choices, count, most, generator)  # (sequence, place in the stretch)
        return first.gather(1, torch.arange(size).expand(count, -1) % stretch)  # (sequence, position)

    def _ask(self, whole: Tensor, *, test: bool) -> Batch:
        ids, answers = whole[:, :-1], whole[:, 1:]  # (sequence, position)
        foretold = (ids[:, :, None] == ids[:, None, :]).tril(-1).any(dim=-1)  # (sequence, position)
        asked = foretold.clone()
        if test:
            asked[:, :-1] = False
        return Batch(ids, answers, torch.where(foretold, 1.0, UNFORETOLD), asked)


def _is_held_out(whole: Tensor) -> Tensor:
    """Which sequences are for the test (sequence): told by a hash of the sequence itself, so that no list is needed.

    The hash is multiplicative (Knuth, The Art of Computer Programming, vol. 3, section 6.4), its bits from the middle:
    the last ones of such a sum may be the same for every order of the same tokens.
    """
    places = torch.arange(1, whole.shape[1] + 1)
    sums = (whole * (places * 2654435761 % 2**31)).sum(dim=1)
    return (sums >> 13) % HELD_OUT == 0


def shortest_stretch(length: int) -> int:
    """How long a stretch is at least in sequences of this length: a third of it."""
    return length // 3


def longest_stretch(length: int) -> int:
    """How long a stretch is at most: two thirds, so that a third of the sequence is foretold."""
    return 2 * length // 3


def _everywhere(ids: Tensor, answers: Tensor) -> Batch:
    """A task whose every place counts and is asked for."""
    return Batch(ids, answers, torch.ones(ids.shape), torch.ones_like(ids, dtype=torch.bool))


def _without_repeats(choices: LabChoices, count: int, size: int, generator: torch.Generator) -> Tensor:
    """Random ids (sequence, position), none twice in a sequence."""
    return torch.rand(count, choices.vocabulary, generator=generator).argsort(dim=1)[:, :size]


_LATIN = tuple("abcdefghijklmnopqrstuvwxyz")
_KOREAN = tuple(
    chr(0xAC00 + 588 * (lead) + 28 * vowel)
    for vowel in (0, 8, 13)  # ㅏ, ㅗ, ㅜ
    for lead in (0, 2, 3, 5, 6, 7, 9, 11, 12, 14, 15, 16, 17, 18)  # the fourteen plain consonants
)
LETTERS = _LATIN + _KOREAN
"""What tokens without an order look like: a to z, then 가, 나, 다, and so on."""

TASKS: Mapping[str, Task] = MappingProxyType({task.name: task for task in (Reverse(), Sort(), Induction())})
"""Every task by its name."""
