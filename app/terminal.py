"""What commands write: lines on stdout, complaints and progress bars on stderr."""

import json
import sys
from typing import TYPE_CHECKING, Any

from app.documents import Document
from attention_core.models.sources import FetchProgress

if TYPE_CHECKING:
    from app.jobs import FetchJob


class Bar:
    """A progress bar on stderr, a new one for each step; `unit` is what is counted, "B" for bytes."""

    def __init__(self, unit: str = "B") -> None:
        self._unit = unit
        self._step = ""
        self._bar: Any = None

    def show(self, progress: FetchProgress, note: str = "") -> None:
        """Draws how far the step is."""
        from tqdm import tqdm

        if progress.step != self._step:
            self.close()
            self._step = progress.step
            self._bar = tqdm(
                desc=progress.step, total=progress.total, unit=self._unit, unit_scale=self._unit == "B", file=sys.stderr
            )
        self._bar.total = progress.total
        self._bar.set_postfix_str(note, refresh=False)
        self._bar.update(max(0, progress.done - self._bar.n))

    def close(self) -> None:
        """Ends the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class JobBar:
    """The bar of the job that fetches a model while the server runs."""

    def __init__(self) -> None:
        self._bar = Bar()

    def __call__(self, job: "FetchJob") -> None:
        """Draws where the job stands; says why when it failed."""
        if job.state == "running" and job.step != "load":
            self._bar.show(FetchProgress(job.step, job.done, job.total))
            return
        self._bar.close()
        if job.problem is not None:
            complain(str(job.problem["detail"]))


def print_json(body: Document) -> None:
    """The document as one line of JSON."""
    print(json.dumps(body, ensure_ascii=False, allow_nan=False))


def complain(sentence: str) -> None:
    """One line on stderr, whatever the sentence quotes."""
    line = " ".join(sentence.split()).encode("utf-8", "backslashreplace").decode("utf-8")
    print(f"attention-atlas: {line}", file=sys.stderr)
