"""How experiments run: as generators that say how far they are, in pieces of at most about a second.

    result = finish(scan(model, example), report=lambda progress: print(progress.done, progress.total))

Whoever holds the generator decides when the next piece runs; closing it ends the experiment and frees what it holds.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TypeVar

from attention_core.capture.run import call_options
from attention_core.capture.variants import Variants
from attention_core.errors import AtlasError
from attention_core.models import memory

T = TypeVar("T")
Result = TypeVar("Result")

PIECE_SECONDS = 0.6  # that a piece should take, so that one slower than the last stays below a second
PIECE_BYTES = 256 << 20  # that one pass takes at most beyond what a single example needs
PIECE_TOKENS = 1024  # of one pass on a processor, whose cache would overflow with more
DEVICE_TOKENS = 16384  # and on anything else
LEAST = 16  # a run is no shorter than this part of the longest
GROWTH = 8  # times as long as the last one is a run at most


class ExperimentCancelled(AtlasError):  # noqa: N818
    """Someone stopped the experiment, which keeps nothing."""

    code = "experiment-cancelled"


@dataclass(frozen=True)
class Progress:
    """How far an experiment is: `done` of `total` steps of its own."""

    done: int
    total: int


def finish(
    experiment: Generator[Progress, None, Result],
    report: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Result:
    """What the experiment finds, run to its end here and now.

    `report` is told of each piece; before each one `cancelled` may stop it: then it is closed, and ExperimentCancelled.
    """
    with closing(experiment):
        while True:
            if cancelled is not None and cancelled():
                raise ExperimentCancelled("the experiment was cancelled")
            try:
                progress = next(experiment)
            except StopIteration as end:
                found: Result = end.value
                return found
            if report is not None:
                report(progress)


def most_variants(variants: Variants) -> int:
    """How many variants of an example go through its model at once, at least 1: more gain nothing, or take too much
    memory."""
    encoded, model = variants.encoded, variants.model
    count = len(encoded.source) + len(encoded.decoder_input or ())
    tokens = PIECE_TOKENS if model.device.type == "cpu" else DEVICE_TOKENS
    return max(1, min(tokens // count, PIECE_BYTES // variant_bytes(variants)))


def variant_bytes(variants: Variants) -> int:
    """The bytes that one variant more adds to a pass, at most."""
    encoded, model = variants.encoded, variants.model
    source, target = len(encoded.source), len(encoded.decoder_input or ())
    shape, item = memory.shape_of(model.network.config), model.dtype.itemsize
    silent = memory.pass_bytes(replace(shape, vocabulary=0), source, target, item=item)
    needed = silent - memory.PASS_BASE - item * memory.BLOCK_NUMBERS
    # Scores, their probabilities, and both of them apart from what they were.
    some = model.back_end == "in-house" or "logits_to_keep" in call_options(model.network)
    rows = variants.rows.stop - variants.rows.start if some else variants.positions
    return needed + 4 * 4 * rows * max(1, shape.vocabulary)


def pieces(items: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    """The items in runs of at most `most`, so long that work on one takes about PIECE_SECONDS.

    How long the last one took tells, from when it was handed out until the next is asked for: where others are served
    in between, the runs are shorter, down to the LEAST part of `most`, as long as the first one is. Shorter ones would
    take hardly less, since a pass reads all of a model's numbers however few tokens it has.
    """
    least, done = max(1, most // LEAST), 0
    size = least
    while done < len(items):
        began = time.perf_counter()
        run = items[done : done + size]
        yield run
        each = max(time.perf_counter() - began, 1e-6) / len(run)
        done += len(run)
        size = min(most, max(least, min(int(PIECE_SECONDS / each), GROWTH * size)))
