"""What attention costs as a text grows, measured here and now: the formula, torch's fused kernel, a sliding window with
a global token, random features."""

import statistics
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from math import inf, log

import torch
from torch import Tensor

from attention_core.errors import InputError
from attention_core.experiments.running import Progress
from attention_core.ideas.counting import peak_bytes
from attention_core.ideas.device import Device, this_device
from attention_core.nn.attention import attention, fused_attention
from attention_core.nn.efficient import Window, random_feature_attention, random_features, sliding_window_attention
from attention_core.threads import this_thread_on_one_core

LEAST_SECONDS, MOST_SECONDS = 1.0, 60.0
MOST_BYTES = 768 << 20  # that one way may hold beside its inputs
COUNTS = tuple(64 << step for step in range(10))  # 64 to 32,768 positions
DIM = 64
WINDOW = Window(64, (0,))
FEATURES = 128
ROUNDS = 9  # runs of each way on a text of one length, of which the median is taken
LEAST_ROUNDS = 3
FITTED_FROM = 512  # positions; below, starting a kernel takes longer than what it computes
LEAST_POINTS = 3  # that a line is fitted through
GROWTH = 4.5  # at most so many times as long does it take on a text twice as long: 4 for N², and room
WARM_UP = 2  # runs of each way that are not timed: one is counted in bytes, one warms up
FINE = 1e-5  # seconds that a clock must tell apart
# What a processor worked for this thread: what else runs on the machine hardly changes it, as it does the time that
# goes by. Where the system counts it too coarsely, the time that goes by.
CLOCK = time.thread_time if time.get_clock_info("thread_time").resolution <= FINE else time.perf_counter
SHARE = 1.0  # seconds after which a text has had enough rounds


Work = Callable[[Tensor, Tensor, Tensor], object]


@dataclass(frozen=True)
class Point:
    """A text of `count` positions: the median of `runs`, in seconds that one core worked for it, and the most bytes
    held at once beside the inputs."""

    count: int
    seconds: float
    runs: int
    bytes: int


@dataclass(frozen=True)
class Growth:
    """One way to compute attention, by its name: formula, fused, window or features.

    The exponents are of count, fitted by least squares between logarithms on the points from 512 positions on; None
    for fewer than 3. `stopped` is why there is no longer text: "time", "memory", "size" for the longest there is, None
    while it goes on.
    """

    name: str
    points: tuple[Point, ...]
    time_exponent: float | None
    memory_exponent: float | None
    stopped: str | None


@dataclass(frozen=True)
class Versus:
    """A way beside the formula, on the longest text that both were measured on: how many times as fast it is, and its
    bytes as a share of the formula's."""

    name: str
    count: int
    speed: float
    memory: float


@dataclass(frozen=True)
class Cost:
    """One head of `dim` numbers in float32, measured on `device` for `seconds`.

    `share` is the part of the time that went by in which a core worked for the measuring thread: well below 1,
    something else ran here, and whoever waited for a result waited longer than these seconds.
    """

    dim: int
    window: int
    global_tokens: tuple[int, ...]
    features: int
    device: Device
    seconds: float
    share: float
    ways: tuple[Growth, ...]
    versus: tuple[Versus, ...]


@dataclass(frozen=True)
class CostProgress(Progress):
    """Tenths of seconds, and what was measured so far."""

    so_far: Cost


def cost(
    seconds: float = 10.0, seed: int = 0, *, most_bytes: int = MOST_BYTES, counts: Sequence[int] = COUNTS
) -> Generator[CostProgress, None, Cost]:
    """Measures for about so many seconds (1 to 60) on longer and longer texts of random vectors.

    All on one core, whose work is counted and not the time that goes by, which depends on what else runs. The ways are
    run by turns, and each point is the median of up to 9 runs. A way stops where the next text would take longer than
    the time that is left, or more than `most_bytes`, which are those of tensors alive at once (`counting`). An
    InputError for seconds out of bounds.
    """
    if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
        raise InputError(f"seconds is {seconds}; accepted: {LEAST_SECONDS:.0f} to {MOST_SECONDS:.0f}")
    began = time.perf_counter()
    ways = [_Way(name, work) for name, work in _works(seed).items()]
    random = torch.Generator().manual_seed(seed)
    for count in counts:
        going = _going(ways, began + seconds - time.perf_counter(), most_bytes)
        if not going:
            break
        vectors = tuple(torch.randn(1, count, DIM, generator=random) for _ in range(3))
        for _ in _measure(going, vectors, count):
            spent = time.perf_counter() - began
            yield CostProgress(int(10 * min(spent, seconds)), int(10 * seconds), _found(ways, spent))
    for way in ways:
        way.stopped = way.stopped or "size"
    return _found(ways, time.perf_counter() - began)


def _works(seed: int) -> dict[str, Work]:
    """The ways by their names, the formula first."""
    features = random_features(DIM, FEATURES, seed).float()
    return {
        "formula": lambda query, key, value: attention(query, key, value)[0],
        "fused": fused_attention,
        "window": lambda query, key, value: sliding_window_attention(query, key, value, WINDOW),
        "features": lambda query, key, value: random_feature_attention(query, key, value, features),
    }


class _Way:
    """One way while it is measured."""

    def __init__(self, name: str, work: Work) -> None:
        self.name = name
        self.work = work
        self.points: list[Point] = []
        self.stopped: str | None = None
        self.worked = 0.0  # seconds of a processor in all timed runs, of how many that went by
        self.passed = 0.0
        self.fastest = 0.0  # the least seconds that went by in a run on the last text

    def needs(self, rounds: int) -> tuple[float, int]:
        """The seconds of so many runs on a text twice as long as the last one, and the bytes, at most."""
        if not self.points:
            return 0.0, 0
        return rounds * GROWTH * self.fastest, 4 * self.points[-1].bytes


def _going(ways: list[_Way], left: float, most_bytes: int) -> list[_Way]:
    """The ways that go on to the next text: those whose needs fit, the ones that need least time first served."""
    for way in sorted(ways, key=lambda one: one.needs(1)[0]):
        seconds, size = way.needs(LEAST_ROUNDS + WARM_UP)
        if way.stopped is None and size > most_bytes:
            way.stopped = "memory"
        elif way.stopped is None and seconds > left:
            way.stopped = "time"
        if way.stopped is None:
            left -= seconds
    return [way for way in ways if way.stopped is None]


def _measure(ways: list[_Way], vectors: tuple[Tensor, ...], count: int) -> Generator[None]:
    """Adds the point of this text to each way; yields after each run."""
    held, times = {}, {way.name: list[float]() for way in ways}
    for way in ways:
        with this_thread_on_one_core(), torch.inference_mode():
            way.fastest = inf
            held[way.name] = peak_bytes(lambda way=way: way.work(*vectors), vectors)  # type: ignore[misc]
            way.work(*vectors)
        yield
    began = time.perf_counter()
    for number in range(ROUNDS):
        if number >= LEAST_ROUNDS and time.perf_counter() - began > SHARE:
            break
        for way in ways[number % len(ways) :] + ways[: number % len(ways)]:  # each is the first one as often
            times[way.name].append(_timed(way, vectors))
            yield
    for way in ways:
        runs = times[way.name]
        way.points.append(Point(count, statistics.median(runs), len(runs), held[way.name]))


def _timed(way: _Way, vectors: tuple[Tensor, ...]) -> float:
    """The seconds of one run."""
    with this_thread_on_one_core(), torch.inference_mode():
        began, counted = time.perf_counter(), CLOCK()
        way.work(*vectors)
        worked, passed = CLOCK() - counted, time.perf_counter() - began
    way.worked += worked
    way.passed += passed
    way.fastest = min(way.fastest, passed)
    return worked


def _found(ways: list[_Way], seconds: float) -> Cost:
    growths = tuple(_growth(way) for way in ways)
    versus = tuple(_versus(one, growths[0]) for one in growths[1:] if one.points)
    passed = sum(way.passed for way in ways)
    share = min(1.0, sum(way.worked for way in ways) / passed) if passed else 1.0
    return Cost(
        DIM, WINDOW.size, WINDOW.global_tokens, FEATURES, this_device(threads=1), seconds, share, growths, versus
    )


def _growth(way: _Way) -> Growth:
    far = [point for point in way.points if point.count >= FITTED_FROM]
    counts = [point.count for point in far]
    times = exponent(counts, [point.seconds for point in far])
    return Growth(way.name, tuple(way.points), times, exponent(counts, [point.bytes for point in far]), way.stopped)


def exponent(counts: Sequence[float], sizes: Sequence[float]) -> float | None:
    """The slope of the line through (log count, log size) by least squares: 2 where a size grows like count².

    None for fewer than 3 points.
    """
    if len(counts) < LEAST_POINTS:
        return None
    x, y = [log(one) for one in counts], [log(one) for one in sizes]
    return statistics.linear_regression(x, y).slope


def _versus(way: Growth, formula: Growth) -> Versus:
    both = zip(way.points, formula.points, strict=False)
    one, exact = list(both)[-1]
    return Versus(way.name, one.count, exact.seconds / one.seconds, one.bytes / exact.bytes)
