"""The data of a figure: CSV for spreadsheets, JSON for programs, .npy for numpy; the numbers are exact."""

import csv as csv_text
import io
import json as json_text
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attention_core.figures.figure import Axis, Cells, Figure, Heads, Links, Measures, Overlay, Panel, Strip

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv(figure: Figure) -> bytes:
    """A table with a line of names, in UTF-8 with the mark that spreadsheets look for.

    Where two lists of tokens meet, a row for each that looks and a column for each looked at; else a line for each
    number. A blocked cell is empty. Texts that a spreadsheet would take for a formula begin with an apostrophe.
    """
    file = io.StringIO(newline="")
    csv_text.writer(file, lineterminator="\r\n").writerows(_table(figure.panel))
    return file.getvalue().encode("utf-8-sig", "backslashreplace")


def json(figure: Figure, *, values: bool = True) -> bytes:
    """{"title", "alt_text", "caption", "facts", "labels", "values"}: labels by axis; values as lists, null where
    blocked, or left out."""
    body = {
        "title": figure.title,
        "alt_text": figure.alt_text,
        "caption": list(figure.caption),
        "facts": dict(figure.facts),
        "labels": _labels(figure.panel),
        **({"values": listed(values_of(figure.panel))} if values else {}),
    }
    return json_text.dumps(body, ensure_ascii=False, allow_nan=False).encode("utf-8", "backslashreplace")


def npy(figure: Figure) -> bytes:
    """The numbers alone as float64, NaN where blocked; axes as `values_of` has them."""
    file = io.BytesIO()
    np.save(file, np.ascontiguousarray(values_of(figure.panel)), allow_pickle=False)
    return file.getvalue()


def values_of(panel: Panel) -> NDArray[np.float64]:
    """A panel's numbers: (row, column) of cells, lines and patches, (layer, head, row, column), (token,), and of
    measures (measure, head)."""
    if isinstance(panel, Measures):
        return np.stack([row.values for row in panel.rows])
    return panel.values


def _labels(panel: Panel) -> dict[str, list[str]]:
    match panel:
        case Cells():
            return {"rows": list(panel.rows.labels), "columns": list(panel.columns.labels)}
        case Links():
            return {"rows": list(panel.left.labels), "columns": list(panel.right.labels)}
        case Strip():
            return {"tokens": list(panel.tokens.labels)}
        case Measures():
            return {"measures": [row.name for row in panel.rows]}
    return {}


def listed(values: NDArray[np.float64]) -> Any:
    """Nested lists as JSON carries them: null where there is no number."""
    some = values.astype(object)
    some[np.isnan(values)] = None
    return some.tolist()


def _table(panel: Panel) -> list[list[str]]:
    match panel:
        case Cells():
            return _matrix(panel.rows, panel.columns, panel.values)
        case Links():
            return _matrix(panel.left, panel.right, panel.values)
        case Strip():
            each = zip(panel.tokens.labels, panel.values, strict=True)
            return [["token", "weight"], *([_safe(text), _number(value)] for text, value in each)]
        case Measures():
            named = [[_safe(row.name), _number(row.chosen), *map(_number, row.values)] for row in panel.rows]
            count = max(len(row.values) for row in panel.rows)
            return [["measure", _safe(panel.name), *(str(at) for at in range(count))], *named]
        case Overlay():
            return _indexed(("patch row", "patch column"), panel.values)
        case Heads():
            return _indexed(("layer", "head", "row", "column"), panel.values)


def _matrix(rows: Axis, columns: Axis, values: NDArray[np.float64]) -> list[list[str]]:
    lines = [[_safe(text), *map(_number, row)] for text, row in zip(rows.labels, values, strict=True)]
    return [["", *map(_safe, columns.labels)], *lines]


def _indexed(names: tuple[str, ...], values: NDArray[np.float64]) -> list[list[str]]:
    """A line for each number with its places, counted from 0."""
    lines = [[*map(str, at), _number(value)] for at, value in np.ndenumerate(values)]
    return [[*names, "weight"], *lines]


def _number(value: float) -> str:
    """In as few digits as say the same number; weights are float32."""
    if np.isnan(value):
        return ""
    single = np.float32(value)
    return np.format_float_positional(single if single == value else np.float64(value), unique=True, trim="-")


def _safe(text: str) -> str:
    """A cell's text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text
