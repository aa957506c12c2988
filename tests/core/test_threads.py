"""How many cores torch takes: for this thread alone, however many threads ask at once."""

import subprocess
import sys
import threading

import pytest
import torch

from attention_core.threads import this_thread_on_one_core


@pytest.fixture
def cores():
    """Three cores for everybody, also where the tests run on one."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield 3
    torch.set_num_threads(before)


def cores_of_a_new_thread() -> int:
    found = []
    thread = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    return found[0]


def test_threads_that_ask_at_once_leave_the_others_their_cores(cores):
    """One that begins while another sets its own number once took that for everybody's, and put it back for good."""
    together, inside = threading.Barrier(6), []

    def work():
        together.wait(5)
        for _ in range(10):
            with this_thread_on_one_core():
                inside.append(torch.get_num_threads())

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(inside) == {1}
    assert (torch.get_num_threads(), cores_of_a_new_thread()) == (cores, cores)


def test_one_inside_the_other_leaves_the_others_their_cores(cores):
    with this_thread_on_one_core():
        with this_thread_on_one_core():
            assert (torch.get_num_threads(), cores_of_a_new_thread()) == (1, cores)
        assert (torch.get_num_threads(), cores_of_a_new_thread()) == (1, cores)
    assert (torch.get_num_threads(), cores_of_a_new_thread()) == (cores, cores)


def test_a_training_that_nobody_closed_ends_in_silence_with_the_program():
    code = (
        "from attention_core.threads import this_thread_on_one_core\n"
        "def run():\n"
        "    with this_thread_on_one_core():\n"
        "        yield\n"
        "held = run()\n"
        "next(held)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (ended.stdout, ended.stderr) == ("", "")
