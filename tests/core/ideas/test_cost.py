"""What attention costs: bytes are counted and known beforehand; times are only held to be measured."""

import gc
import threading

import pytest
import torch

from attention_core.errors import InputError
from attention_core.experiments.running import finish
from attention_core.ideas import cost as module
from attention_core.ideas.cost import cost, exponent
from attention_core.ideas.counting import peak_bytes
from attention_core.ideas.device import this_device
from attention_core.ideas.masking import masking
from attention_core.ideas.recurrence import recurrence

COUNTS = (256, 512, 1024, 2048)


@pytest.fixture(scope="module")
def measured():
    """A short measurement with the news of it."""
    news = []
    patch = pytest.MonkeyPatch()
    patch.setattr(module, "SHARE", 0.05)
    found = finish(cost(60, counts=COUNTS), news.append)
    patch.undo()
    return found, news


def test_bytes_are_those_of_the_tensors_alive_at_once():
    given = torch.zeros(10, 100)

    def work():
        twice = given + given  # 4,000 bytes
        del twice
        wide = given.repeat(2, 1)  # 8,000
        row = wide[0]  # a view of it
        del wide
        return row + 1  # 400 beside them

    assert peak_bytes(work, [given]) == 8400
    assert peak_bytes(lambda: given.view(100, 10), [given]) == 0


def test_the_formulas_bytes_grow_like_the_square_and_the_others_like_the_text(measured):
    ways = {way.name: way for way in measured[0].ways}
    assert list(ways) == ["formula", "fused", "window", "features"]
    assert ways["formula"].memory_exponent == pytest.approx(2, abs=0.06)
    for name in ("fused", "window", "features"):
        assert ways[name].memory_exponent == pytest.approx(1, abs=0.06), name
    last = ways["formula"].points[-1]
    # Scores and weights (query, key), the output (query, value_dim); what else there is, is no larger than that.
    least = 4 * (2 * last.count**2 + last.count * measured[0].dim)
    assert least <= last.bytes <= 1.05 * least


def test_times_are_measured_on_every_text_by_turns(measured):
    found, news = measured
    for way in found.ways:
        assert [point.count for point in way.points] == list(COUNTS)
        assert all(point.seconds > 0 and point.runs >= 3 for point in way.points)
        assert way.stopped == "size"
        assert way.time_exponent is not None
    assert found.device == this_device(threads=1)
    assert found.device.processor
    assert 0 < found.share <= 1
    assert [one.count for one in found.versus] == [COUNTS[-1]] * 3
    formula, fused = found.ways[0].points[-1], found.ways[1].points[-1]
    assert found.versus[0].speed == pytest.approx(formula.seconds / fused.seconds)
    assert found.versus[0].memory == pytest.approx(fused.bytes / formula.bytes)
    done = [one.done for one in news]
    assert done == sorted(done)
    assert done[-1] <= news[-1].total == 600
    assert len(news[0].so_far.ways[0].points) == 0


def test_a_way_that_would_take_too_much_memory_stops_and_the_others_go_on():
    found = finish(cost(60, counts=(64, 128, 256), most_bytes=1 << 19))
    stopped = {way.name: (way.stopped, len(way.points)) for way in found.ways}
    assert stopped["formula"] == ("memory", 2)
    assert stopped["fused"] == ("size", 3)
    assert found.ways[0].time_exponent is None


def test_time_that_is_up_ends_it():
    found = finish(cost(1.0))
    assert found.seconds < 10
    assert found.ways[0].stopped in ("time", "memory")
    assert found.ways[0].points


def test_the_exponent_of_known_powers():
    counts = [512, 1024, 2048]
    assert exponent(counts, [3e-6 * count**2 for count in counts]) == pytest.approx(2)
    assert exponent(counts, [7.0 * count for count in counts]) == pytest.approx(1)
    assert exponent(counts[:2], [1.0, 2.0]) is None


def tensors() -> int:
    gc.collect()
    return sum(issubclass(type(one), torch.Tensor) for one in gc.get_objects())


@pytest.mark.parametrize("start", [cost, recurrence, masking])
def test_closing_a_long_idea_frees_what_it_holds(start):
    before, threads, alive = tensors(), torch.get_num_threads(), set(threading.enumerate())
    pieces = start()
    first = next(pieces)
    assert 0 <= first.done < first.total
    assert tensors() > before
    pieces.close()
    del first, pieces
    assert (tensors(), torch.get_num_threads()) == (before, threads)
    assert set(threading.enumerate()) <= alive


@pytest.mark.parametrize("seconds", [0.5, 61, float("nan")])
def test_seconds_have_bounds(seconds):
    with pytest.raises(InputError, match="accepted: 1 to 60"):
        finish(cost(seconds))
