"""How long a lesson's texts may keep the processor, whatever a stranger has written."""

import time

from app.problems import ClientGoneError, ProblemError

# Of one core. The longest lesson that a person would write, a file of 1 MiB, takes less than one.
SECONDS = 3


class Allowance:
    """The work that one lesson may make, in one thread. Time that others take does not count."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._began: float | None = None
        self._stopped = False

    def spend(self) -> None:
        """Asks before each text. A lesson problem when the time is spent, a ClientGoneError after `stop`."""
        if self._stopped:
            raise ClientGoneError
        now = time.thread_time()
        if self._began is None:
            self._began = now
        if now - self._began > self._seconds:
            accepted = f"at most {self._seconds:g} seconds of the processor"
            sentence = f"the lesson's texts take too long to set; accepted: {accepted}"
            raise ProblemError("lesson", sentence, fault=sentence, reason="slow", limit=round(self._seconds))

    def stop(self) -> None:
        """Nobody waits any more; from any thread."""
        self._stopped = True
