"""The real writing with a pause after each token, for tests that look in between."""

import time
from contextlib import closing

import attention_core.capture


def slow_down(monkeypatch, pause: float = 0.05) -> None:
    """Lets every step of `write` take a while longer."""
    write = attention_core.capture.write

    def paused(steps):
        with closing(steps):
            for step in steps:
                yield step
                time.sleep(pause)

    monkeypatch.setattr("attention_core.capture.write", lambda *given, **named: paused(write(*given, **named)))
