"""Texts that were made to be slow, crowds, and clients that leave: a lesson costs no more than it may."""

import asyncio
import json
import threading
import time

import pytest

from app.lessons import drafts, parcel
from app.lessons.allowance import Allowance
from app.lessons.format import LONGEST_TEXT, read_lesson
from app.lessons.neutral import neutral
from app.lessons.rendering import render
from app.lessons.shelf import ORDER, Shelf, parts_of
from app.pending import Turns
from app.problems import BusyError, ClientGoneError, ProblemError

COLUMNS = 128
# A row of one character gets as many cells as the first row has.
TABLE = f"{'|'.join('a' * COLUMNS)}\n{'|'.join('-' * COLUMNS)}\n" + "|\n" * 511 + "\n"
QUOTES = "> " * 20 + "a\n" + "b\n" * 800


def lesson(*texts, **more):
    blocks = [{"type": "text", "markdown": one} for one in texts]
    named = {"name": "owls", "language": "en", "title": "Owls", "summary": "What owls see"}
    return {"format": "attention-atlas-lesson", "version": 1, **named, "blocks": blocks, **more}


def read(*texts):
    return read_lesson(json.dumps(lesson(*texts)).encode())


# ---- tables


def test_a_table_grows_no_larger_than_its_text():
    attack = (TABLE * 20)[:LONGEST_TEXT]  # 35 seconds and 9 MB of HTML before there was a bound
    began = time.thread_time()
    assert len(render(attack).html) < 2 * LONGEST_TEXT
    neutral(attack, "http://x")
    assert time.thread_time() - began < 5
    nested = "".join(f"> {line}\n" for line in attack.splitlines())[:LONGEST_TEXT]
    assert len(render(nested).html) < 2 * LONGEST_TEXT


@pytest.mark.parametrize("row", ["a|b|c", "||||"])
def test_a_table_that_is_written_in_full_stays_one(row):
    line = "|-|-|-|" if row.startswith("|") else "-|-|-"
    rows = LONGEST_TEXT // (len(row) + 1) - 10
    made = render(f"|a|b|c|\n{line}\n" + f"{row}\n" * rows).html
    assert made.count("<tr>") == rows + 1


def test_several_tables_share_the_bound():
    small = "|a|b|\n|-|-|\n|c|\n\n"
    assert render(small * 300).html.count("<table>") == 300
    assert render(f"{TABLE}\n\n{small}").html.count("<table>") == 1


# ---- time


def test_texts_that_cost_too_much_are_refused_wherever_they_are_set():
    slow = read(*[QUOTES] * 20)
    for work in (
        lambda: parts_of(slow, Allowance(0.02)),
        *(
            lambda name=name: parcel.write(name, parcel.Parcel(slow, {}, "", Allowance(0.02)))
            for name in parcel.FORMATS
        ),
    ):
        began = time.thread_time()
        with pytest.raises(ProblemError, match=r"take too long to set; accepted: at most 0\.02 seconds"):
            work()
        assert time.thread_time() - began < 1  # one text more than it may


def test_time_that_others_take_does_not_count():
    allowance = Allowance(0.1)
    allowance.spend()
    time.sleep(0.15)
    allowance.spend()


def test_the_reply_says_what_is_wrong(empty, monkeypatch):
    monkeypatch.setattr(drafts, "Allowance", lambda: Allowance(0))
    for route in ("preview", "export?format=html"):
        problem = empty.post(f"/api/v1/lessons/{route}", content=json.dumps(lesson("a", "b"))).json()
        assert (problem["type"], problem["status"], problem["reason"]) == ("/problems/lesson", 422, "slow")
    assert empty.post("/api/v1/lessons/check", content=json.dumps(lesson("a", "b"))).status_code == 200


def test_a_school_learns_at_the_start_which_file_cannot_be_set(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr("app.lessons.shelf.Allowance", lambda: Allowance(0.02))
    (tmp_path / "slow.json").write_text(json.dumps(lesson(*[QUOTES] * 20, name="slow")))
    (tmp_path / "good.json").write_text(json.dumps(lesson("*a*", name="good")))
    assert Shelf(tmp_path).names == (*ORDER, "good")
    assert "'slow.json' was left out: the lesson's texts take too long" in caplog.text


def test_a_file_of_windows_is_read():
    assert read_lesson(b"\xef\xbb\xbf" + json.dumps(lesson("a")).encode()).name == "owls"


# ---- crowds, and who leaves


async def stays():
    return False


async def leaves():
    return True


def test_turns_come_in_order_and_some_are_too_many():
    async def scene():
        turns, order, end = Turns(1, 2), [], asyncio.Event()

        async def take(name, gone=stays):
            async with turns.turn(gone, 20):
                order.append(name)
                await end.wait()

        tasks = [asyncio.create_task(take(name)) for name in "abc"]
        await asyncio.sleep(0.05)
        with pytest.raises(BusyError):
            await take("d")
        tasks[1].cancel()
        await asyncio.sleep(0)
        tasks.append(asyncio.create_task(take("e")))  # the place of one who left
        end.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        with pytest.raises(ZeroDivisionError):
            async with turns.turn(stays, 20):
                raise ZeroDivisionError
        await take("f")  # nothing was lost
        return order

    assert asyncio.run(scene()) == ["a", "c", "e", "f"]


def test_who_leaves_or_waits_too_long_has_no_turn():
    async def scene():
        turns = Turns(1, 5)
        async with turns.turn(stays, 20):
            for gone, seconds, error in ((leaves, 20, ClientGoneError), (stays, 0, BusyError)):
                with pytest.raises(error):
                    async with turns.turn(gone, seconds):
                        raise AssertionError
        async with turns.turn(leaves, 0):  # it is free again, and at once
            pass

    asyncio.run(scene())


class Caller:
    """A request over ASGI whose client leaves when it is told to."""

    def __init__(self, app, path, query, body):
        self.left = asyncio.Event()
        self.status = None
        self._body = [{"type": "http.request", "body": body}]
        host = [(b"host", b"localhost")]
        self._scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "headers": host,
                       "query_string": query, "http_version": "1.1", "scheme": "http", "server": ("localhost", 80),
                       "client": ("127.0.0.1", 1), "root_path": ""}  # fmt: skip
        self.task = asyncio.create_task(app(self._scope, self._receive, self._send))

    async def _receive(self):
        if self._body:
            return self._body.pop()
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message):
        self.status = message.get("status", self.status)


@pytest.mark.parametrize(("path", "query"), [("preview", b""), ("export", b"format=markdown")])
def test_texts_are_set_for_nobody_who_has_left(empty, monkeypatch, path, query):
    running, made = threading.Event(), []
    spend = Allowance.spend

    def slowly(self):
        running.set()
        time.sleep(0.05)
        spend(self)
        made.append(1)

    monkeypatch.setattr(Allowance, "spend", slowly)

    async def scene():
        body = json.dumps(lesson(*["a"] * 200)).encode()
        caller = Caller(empty.app, f"/api/v1/lessons/{path}", query, body)
        await asyncio.to_thread(running.wait, 5)
        caller.left.set()
        await asyncio.wait_for(caller.task, 5)
        await asyncio.sleep(0.2)
        counted = len(made)
        await asyncio.sleep(0.2)
        return caller.status, counted, len(made)

    status, counted, later = asyncio.run(scene())
    assert status == 499
    assert counted == later < 30  # of 200


def test_no_picture_is_drawn_for_an_export_whose_client_has_left(empty, monkeypatch):
    drawn, real = [], drafts.words_of
    monkeypatch.setattr(drafts, "words_of", lambda data: drawn.append(1) or real(data))
    address = "model=induction&text=owl+fox+owl&layer={}&head={}"
    views = [{"type": "view", "address": address.format(at // 4 % 2, at % 4)} for at in range(30)]

    async def scene():
        caller = Caller(empty.app, "/api/v1/lessons/export", b"format=html", json.dumps(lesson(blocks=views)).encode())
        while not drawn:
            await asyncio.sleep(0.01)
        caller.left.set()
        await asyncio.wait_for(caller.task, 20)
        await asyncio.sleep(0.5)  # what was being drawn ends
        return caller.status

    assert asyncio.run(scene()) == 499
    assert len(drawn) < 5
