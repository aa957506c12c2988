"""How much room the finished rows of evaluations may take on disk. Results are small and stay."""

import re
from collections.abc import Iterator
from pathlib import Path

MOST_BYTES = 512 << 20  # of all rows together; those of 879 rows of GAP by the 72 heads of MiniLM take 0.75 MB
MOST_RESULT_BYTES = 8 << 20  # of one result; that of a treebank by 270 heads has a quarter of one
_ROWS = re.compile(r"([0-9a-f]{32})-[a-z]+-[a-z0-9]+-[0-9]+\.rows")
_DIGEST = re.compile(r'"sha256": "([0-9a-f]{32})')


def bound_rows(cache: Path, most: int = MOST_BYTES) -> tuple[Path, ...]:
    """Removes rows until those that are left take at most so many bytes; what was removed.

    Rows whose evaluation has its result go first, the oldest before the others; then those of runs that were stopped.
    Nothing but files of rows is ever touched.
    """
    found = sorted(_found(cache), key=lambda one: (not one[1], one[2]))
    total = sum(size for *_, size in found)
    removed = []
    for path, _, _, size in found:
        if total <= most:
            break
        path.unlink(missing_ok=True)
        total -= size
        removed.append(path)
    return tuple(removed)


def _found(cache: Path) -> Iterator[tuple[Path, bool, float, int]]:
    """Each file of rows, whether its evaluation is finished, when it was last written, and its bytes."""
    finished: dict[Path, set[str]] = {}
    for path in (cache / "evaluations").glob("*/*.rows"):
        named = _ROWS.fullmatch(path.name)
        try:
            if named is None or path.is_symlink() or not path.is_file():
                continue
            about = path.stat()
            if path.parent not in finished:
                finished[path.parent] = _digests(path.parent)
        except OSError:  # another process removed it meanwhile
            continue
        yield path, named[1] in finished[path.parent], about.st_mtime, about.st_size


def _digests(folder: Path) -> set[str]:
    """How the sha256 of each file begins that has a result in this folder."""
    read = [one.read_text(encoding="utf-8", errors="replace") for one in folder.glob("*.json") if _is_small(one)]
    return {digest for text in read for digest in _DIGEST.findall(text)}


def _is_small(path: Path) -> bool:
    return path.is_file() and path.stat().st_size <= MOST_RESULT_BYTES
