"""What a time was measured on: without that it says nothing."""

import platform
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

CPU_INFO = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Device:
    """The processor's name, on how many threads torch computed, and torch's version."""

    processor: str
    threads: int
    torch: str


def this_device(threads: int) -> Device:
    """The processor here, for work on so many threads."""
    return Device(_processor(), threads, torch.__version__)


@cache
def _processor() -> str:
    """Its name, where the system tells it; else the kind of machine."""
    try:
        lines = CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next((name for name in named if name), platform.processor() or platform.machine() or "unknown")
