"""The real writing and the real scan with a pause after each step, for tests that look in between."""

import time
from contextlib import closing
from dataclasses import replace

import torch

import attention_core.capture
from app.experiments import OFFERED


def slow_down(monkeypatch, pause: float = 0.05) -> None:
    """Lets every step of `write` take a while longer."""
    write = attention_core.capture.write

    def paused(steps):
        with closing(steps):
            for step in steps:
                yield step
                time.sleep(pause)

    monkeypatch.setattr("attention_core.capture.write", lambda *given, **named: paused(write(*given, **named)))


def slow_scan(monkeypatch, pause: float = 0.08) -> None:
    """Lets `scan` work on one head at a time, with a pause after each."""
    monkeypatch.setattr("attention_core.experiments.running.PIECE_TOKENS", 1)
    scanning = OFFERED["scan"]

    def paused(*given):
        with closing(scanning.run(*given)) as work:
            while True:
                try:
                    progress = next(work)
                except StopIteration as end:
                    return end.value
                # Other people's work runs in this thread now.
                assert torch.is_grad_enabled()
                assert not torch.is_inference_mode_enabled()
                yield progress
                time.sleep(pause)

    monkeypatch.setitem(OFFERED, "scan", replace(scanning, run=paused))
