"""How much memory some computation holds at most: its tensors counted, op by op, as they come and go."""

import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


def peak_bytes(work: Callable[[], object], given: Iterable[Tensor]) -> int:
    """The most bytes of tensors alive at once while `work` runs, its result included and what it is `given` not.

    What a kernel allocates inside itself is no tensor, and is not counted: torch's fused attention has a few hundred
    kilobytes of it, whatever the length of the text.
    """
    counter = _Counter()  # type: ignore[no-untyped-call]
    counter.begin(given)
    with counter:
        work()
    return counter.most


class _Tally:
    """What every op returns; a storage counts from then until nothing refers to it any more."""

    def begin(self, given: Iterable[Tensor]) -> None:
        """Counts from nothing; the given tensors are not counted."""
        self.most = 0
        self._now = 0
        self._alive = {tensor.untyped_storage().data_ptr() for tensor in given}

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """What torch calls in place of each op."""
        made = func(*args, **(kwargs or {}))
        for one in tree_leaves(made):
            if isinstance(one, Tensor):
                self._count(one.untyped_storage())
        return made

    def _count(self, storage: torch.UntypedStorage) -> None:
        place, size = storage.data_ptr(), storage.nbytes()
        if size == 0 or place in self._alive:
            return
        self._alive.add(place)
        self._now += size
        self.most = max(self.most, self._now)
        weakref.finalize(storage, self._forget, place, size)

    def _forget(self, place: int, size: int) -> None:
        self._alive.discard(place)
        self._now -= size


class _Counter(_Tally, TorchDispatchMode):  # type: ignore[no-untyped-call]
    """A tally that torch asks; of two classes, since torch wraps the method of its own heirs in its compiler, for which
    it then loads eight hundred modules."""
