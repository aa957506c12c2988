"""Strings that have broken other programs: two public lists where the data folder stands beside the project."""

import json
from pathlib import Path

_DATA = Path(__file__).parents[3] / "shared" / "data" / "bad-input"
OWN = [
    "",
    "   ",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)>",
    "</script><script>alert(1)</script>",
    "{{7*7}} ${7*7} %s %n",
    "javascript:alert(1)",
    "\u202eabc\u202c \u200f\u200e",
    "a\x00b",
    "👩‍👩‍👧‍👦 🏳️‍🌈",
    "田中さんにあげて下さい",
    "Z̮̞̠͙͔ͅḀ̗̞͈̻̗Ḷ͙͎̯̹̞͓G̻O̭̗̮",
    "'; DROP TABLE traces; --",
    "../../../../etc/passwd",
    "ﷺ" * 30,
    "\ud800",
]


def naughty() -> list[str]:
    """The Big List of Naughty Strings and our own; only our own where the data folder is absent."""
    path = _DATA / "blns.json"
    return OWN + (json.loads(path.read_text(encoding="utf-8")) if path.exists() else [])


def scripts() -> list[str]:
    """500 cross-site scripting payloads; our own where the data folder is absent."""
    path = _DATA / "xss.txt"
    if not path.exists():
        return [text for text in OWN if "alert" in text]
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    # Every sixth: the list repeats itself in runs.
    return [line for line in lines[::6] if line.strip()][:500]
