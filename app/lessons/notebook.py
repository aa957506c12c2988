"""A lesson as a Jupyter notebook: its texts, and for each view the Python that draws it, with what it drew.

The pictures are in the file, so it reads the same before anything is run; run, it draws them anew. What a stranger
wrote stands in the code as literals only.
"""

import base64
import hashlib
import json
import struct
from collections.abc import Iterator
from html import escape
from typing import Any

from app.address import FALLBACKS
from app.calls import capture_call, is_of_lab, is_own
from app.figuring import TABS, Wanted
from app.lessons.format import TextBlock
from app.lessons.neutral import plain
from app.lessons.parcel import Parcel, View, told
from app.lessons.pictures import SHARP, Missing, Picture

FUNCTIONS = {"picture": "overlay"}  # the others are called as the view is
# Options that have the same name in the library and in the address.
LOOKED = ("words", "special", "segments", "measure")
CHOSEN = ("query", "key", "queries", "keys")
Cell = dict[str, Any]


def notebook(parcel: Parcel) -> bytes:
    """The lesson as an .ipynb, nbformat 4.5."""
    cells = list(_numbered(_cells(parcel)))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    book = {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}, "title": parcel.lesson.title},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return (json.dumps(book, ensure_ascii=False, indent=1) + "\n").encode()


def _cells(parcel: Parcel) -> Iterator[Cell]:
    lesson, parts = parcel.lesson, list(parcel.parts)
    yield _said(f"# {plain(lesson.title)}\n\n{plain(lesson.summary)}")
    views = [part for part in parts if isinstance(part, View)]
    drawn = [one[1].wanted for view in views for one in view.pictures if isinstance(one, tuple)]
    code = [wanted for wanted in drawn if code_of(wanted)]
    if code:
        yield _said(plain(parcel.words["tray.export.install"]) + "\n\n    pip install attention-atlas")
        yield _code(_imports(code))
    for part in parts:
        if isinstance(part, TextBlock):
            yield _said(parcel.said(part.markdown))
            continue
        for one in part.pictures:
            yield _said(plain(one.why)) if isinstance(one, Missing) else _drawn(one[1], parcel)
        yield _said(told(parcel, part))


def _drawn(picture: Picture, parcel: Parcel) -> Cell:
    """The cell of a picture: code with what it drew, or where no code can say it the picture alone."""
    data = base64.b64encode(picture.data).decode()
    code = code_of(picture.wanted)
    if code is None:
        said = f"![{plain(picture.alt)}](attachment:view.png)\n\n{plain(parcel.words['tray.export.no-code'])}"
        return _said(said) | {"attachments": {"view.png": {"image/png": data}}}
    width = struct.unpack(">I", picture.data[16:20])[0] // SHARP
    html = (
        f'<img src="data:image/png;base64,{data}" alt="{escape(picture.alt)}" width="{width}" '
        'style="max-width: 100%; height: auto">'
    )
    return _code(code, {"text/html": html, "image/png": data, "text/plain": picture.alt})


def _imports(drawn: list[Wanted]) -> str:
    names = sorted({_function(wanted) for wanted in drawn})
    lines = ["from attention_core import capture", f"from attention_core.figures import {', '.join(names)}"]
    if any("Example(" in str(code_of(wanted)) for wanted in drawn):
        lines.insert(1, "from attention_core.capture import Example")
    if any(wanted.address.image for wanted in drawn):
        lines += [
            "from attention_core.models.catalogue import load_catalogue",
            "from attention_core.pictures import read_picture",
        ]
    return "\n".join(lines)


def _function(wanted: Wanted) -> str:
    view = wanted.figure or ("difference" if wanted.compared else None)
    if view is None:
        shown = wanted.address.view
        view = "picture" if wanted.address.image and shown in (None, "picture") else TABS.get(shown or "", "heatmap")
    return FUNCTIONS.get(view, view)


def code_of(wanted: Wanted) -> str | None:
    """Python that draws a figure with the library; None where it stands on a file of somebody's own, or on a model that
    was trained in a lab."""
    address = wanted.address
    if address.trace or (address.image and is_own(address.image)):
        return None
    if any(is_of_lab(request.model) for request in wanted.requests):
        return None
    function = _function(wanted)
    lines = [
        f"{name} = {capture_call(request)}" for name, request in zip(("trace", "other"), wanted.requests, strict=False)
    ]
    traces = "trace, other" if wanted.compared else "trace"
    options = "".join(f", {name}={value!r}" for name, value in _options(wanted, function).items())
    return "\n".join([*lines, f"{function}({traces}{options})"])


def _options(wanted: Wanted, function: str) -> dict[str, Any]:
    at = wanted.address
    said: dict[str, Any] = {} if at.kind is None else {"kind": at.kind}
    said |= {"layer": at.layer, "head": at.head}
    said |= {name: value for name in CHOSEN if (value := getattr(at, name)) is not None}
    looked = () if function == "profile" else LOOKED
    said |= {name: value for name in looked if (value := getattr(at, name)) != getattr(FALLBACKS, name)}
    if wanted.compared == "model":
        there = {"other_layer": at.versus_layer, "other_head": at.versus_head}
        said |= there if None not in there.values() else {}
    said |= {"curve": at.scale} if at.scale != FALLBACKS.scale else {}
    said |= {"range": at.range} if at.range else {}
    return said | ({"language": at.lang} if at.lang == "ko" else {})


def _said(markdown: str) -> Cell:
    return {"cell_type": "markdown", "metadata": {}, "source": markdown}


def _code(source: str, shown: dict[str, str] | None = None) -> Cell:
    outputs = [{"output_type": "execute_result", "data": shown, "metadata": {}}] if shown else []
    return {"cell_type": "code", "metadata": {}, "source": source, "outputs": outputs}


def _numbered(cells: Iterator[Cell]) -> Iterator[Cell]:
    """The cells with ids, which are the same for the same lesson, and as if they had been run in order."""
    run = 0
    for at, cell in enumerate(cells):
        name = hashlib.sha256(f"{at} {cell['source']}".encode()).hexdigest()[:12]
        if cell["cell_type"] == "code":
            run += 1
            outputs = [{**one, "execution_count": run} for one in cell["outputs"]]
            cell |= {"execution_count": run, "outputs": outputs}
        yield {"id": name, **cell}
