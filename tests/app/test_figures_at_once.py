"""What many strangers may ask of figures at once: each is made once, for who still waits, within bounds."""

import asyncio
import sys
import threading

import pytest

import app.drawing
from app.address import create_starts
from app.drawing import Figures
from app.drawn import Files
from app.figuring import read_wanted
from app.metrics import Metrics
from app.problems import BusyError, ClientGoneError
from app.service import TraceService
from app.settings import Settings
from attention_core.maps import AttentionMap

pytestmark = pytest.mark.model


@pytest.fixture
def figures(random_catalogue, tmp_path):
    """A maker of figures of the small models, and the events of a drawing that is held up."""

    def open_figures(**given):
        settings = Settings(cache=tmp_path, **given)
        service = TraceService(settings, random_catalogue, tmp_path, Metrics())
        return Figures(service, create_starts([{"model": "writes", "text": "a b"}], "writes"), Files(service)), service

    return open_figures


class Held:
    """A drawing that waits until it is let go, and counts how often it was begun."""

    def __init__(self, monkeypatch):
        self.begun, self.go = [], threading.Event()
        real = app.drawing.draw

        def draw(wanted, traces, link, pause):
            self.begun.append(wanted.address.head)
            assert self.go.wait(20)
            return real(wanted, traces, link, pause)

        monkeypatch.setattr(app.drawing, "draw", draw)


async def stays():
    return False


def ask(figures, query, gone=stays):
    wanted = read_wanted(query, "csv", figures._starts)
    return asyncio.ensure_future(figures.file(wanted, gone))


async def until(condition):
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to that")


def test_one_figure_is_drawn_once_for_all_who_ask_and_too_many_are_turned_away(figures, monkeypatch):
    held = Held(monkeypatch)
    made, service = figures(queue_limit=2)

    async def scene():
        same = [ask(made, "text=a+b&head=0") for _ in range(5)]
        await until(lambda: held.begun == [0])
        other = ask(made, "text=a+b&head=1")
        await until(lambda: held.begun == [0, 1])
        with pytest.raises(BusyError):
            await ask(made, "text=a+b&layer=1")
        held.go.set()
        files = await asyncio.gather(*same)
        assert len({file.tag for file in files}) == 1
        assert (await other).tag != files[0].tag
        assert (await ask(made, "text=a+b&head=0&download=1")).tag == files[0].tag
        assert held.begun == [0, 1]
        await service.close()

    asyncio.run(scene())


def test_who_only_reads_does_not_wait_for_figures(figures, monkeypatch):
    held = Held(monkeypatch)
    made, service = figures()

    async def scene():
        drawn = [ask(made, f"text=a+b&head={head}&layer={layer}") for layer in (0, 1) for head in (0, 1)]
        await until(lambda: len(held.begun) == 2 and len(made._files._pending) == 4)
        assert await asyncio.wait_for(service.read(lambda: 7), 10) == 7
        held.go.set()
        await asyncio.gather(*drawn)
        await service.close()

    asyncio.run(scene())


def test_what_nobody_waits_for_is_not_drawn(figures, monkeypatch):
    held = Held(monkeypatch)
    made, service = figures()
    left = asyncio.Event()

    async def gone():
        return left.is_set()

    async def scene():
        first = [ask(made, f"text=a+b&head={head}") for head in (0, 1)]
        await until(lambda: len(held.begun) == 2)  # all who draw are busy
        waiting = ask(made, "text=a+b&layer=1", gone)
        await until(lambda: len(made._files._pending) == 3)
        left.set()
        with pytest.raises(ClientGoneError):
            await waiting
        assert len(made._files._pending) == 2
        held.go.set()
        await asyncio.gather(*first)
        assert len(held.begun) == 2
        await service.close()

    asyncio.run(scene())


def test_all_heads_of_a_long_text_stop_when_nobody_waits_any_more(figures, monkeypatch):
    """Not at once, but before the next head; who was only told to come back finds it done."""
    monkeypatch.setattr(sys.modules["attention_core.figures.grid"], "AT_ONCE", 0)
    seen, go, left = [], threading.Event(), asyncio.Event()
    real = AttentionMap.overview

    def overview(one, heads, size, *rest):
        seen.append(heads)
        assert go.wait(20)
        return real(one, heads, size, *rest)

    monkeypatch.setattr(AttentionMap, "overview", overview)

    async def gone():
        return left.is_set()

    async def scene(patience):
        made, service = figures(trace_timeout=patience)
        asking = ask(made, "text=a+b+c&figure=grid", gone)
        await until(lambda: seen == [0])
        if patience > 1:
            left.set()
        with pytest.raises(ClientGoneError if patience > 1 else BusyError):
            await asking
        assert len(made._files._pending) == int(patience < 1)
        go.set()
        await until(lambda: service.drawers.count == 0)
        assert len(made._files._held) == int(patience < 1)
        await service.close()

    asyncio.run(scene(60))
    assert seen == [0]
    seen.clear()
    go.clear()
    left.clear()
    asyncio.run(scene(0.5))
    assert len(seen) > 1


def test_the_cache_keeps_within_its_bound(figures):
    made, service = figures(figure_cache_bytes=200)

    async def scene():
        for head in (0, 1):
            for layer in (0, 1):
                await ask(made, f"text=a+b+c&layer={layer}&head={head}")
                assert made._files.nbytes == sum(len(file.data) for file in made._files._held.values()) <= 200
        assert 0 < len(made._files._held) < 4
        await service.close()

    asyncio.run(scene())


def test_a_drawing_that_fails_leaves_nothing_behind(figures, monkeypatch):
    made, service = figures()

    def fail(*_):
        raise RuntimeError("no")

    monkeypatch.setattr(app.drawing, "draw", fail)

    async def scene():
        for _ in range(2):
            with pytest.raises(RuntimeError):
                await ask(made, "text=a+b")
        assert not made._files._pending
        assert made._files.nbytes == 0
        await service.close()

    asyncio.run(scene())
