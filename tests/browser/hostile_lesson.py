"""A school's own lesson on the tests' server, written by somebody who means harm."""

import json
from pathlib import Path

ATTACK = "<script>alert(1)</script><img src=https://elsewhere.example/a.png onerror=alert(1)>"
LESSON = {
    "format": "attention-atlas-lesson",
    "version": 1,
    "name": "hostile",
    "language": "en",
    "title": ATTACK,
    "summary": ATTACK,
    "blocks": [
        {"type": "text", "markdown": f"# {ATTACK}\n\n{ATTACK}\n\n![x](https://elsewhere.example/b.png)"},
        {"type": "text", "markdown": "[go](javascript:alert(1)) $\\text{<img src=x onerror=alert(1)>}$ <b>bold</b>"},
        {"type": "view", "address": "text=%3Cscript%3Ealert(1)%3C%2Fscript%3E", "show": ["strip"], "caption": ATTACK},
    ],
}


def put_into(folder: Path) -> Path:
    """The folder, with the lesson in it."""
    (folder / "hostile.json").write_text(json.dumps(LESSON), encoding="utf-8")
    return folder
