"""One trace as one file that works offline: grid, heatmap, lines, table and token strip, by double click.

The page is templates/embed.html with everything it needs inside: style sheets, the modules by an import map of data
addresses, and compressed, unpacked by the browser, Plotly, the messages, the trace's documents and all its weights in
float32. Nothing of a text stands in it as markup or script, and its own policy lets it reach no network.
"""

import base64
import gzip
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from posixpath import dirname, join, normpath
from typing import Any, Literal

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from numpy.typing import NDArray
from torch import Tensor

from attention_core.documents import trace_document
from attention_core.errors import AtlasError, NotAvailableError, PageTooLongError
from attention_core.looking import look
from attention_core.maps import Kind
from attention_core.pictures import to_png
from attention_core.trace import AttentionTrace, Looking

MOST_TOKENS = 128
ROOT = Path(__file__).resolve().parents[2]  # the checkout, with the page's files beside the package
PACKED = 0.93 * 4 / 3  # what gzip and base64 leave of weights in float32 (measured); of a decoder's half are 0
_IMPORT = re.compile(r'(from\s+|import\s+)"(\.[^"]+)"')


@dataclass(frozen=True)
class Opening:
    """How the page opens. `search` is a query string with the parameters of the Explore page (layer, head, view, words
    and so on), `theme` the reader's own where it is None, `whole` the address that the whole view opens at, None for
    none."""

    search: str = ""
    language: Literal["en", "ko"] = "en"
    theme: Literal["light", "dark"] | None = None
    whole: str | None = None


def offline_page(trace: AttentionTrace, opening: Opening | None = None) -> bytes:
    """The page as an HTML file. PageTooLongError for more than MOST_TOKENS tokens, NotAvailableError for a trace that
    is looked at already: the page has these choices itself."""
    opening = opening or Opening()
    if trace.looking != Looking():
        raise NotAvailableError("this trace is seen through a choice already; make the page of the original")
    count = max(len(tokens) for tokens in trace.sequences)
    if count > MOST_TOKENS:
        raise PageTooLongError(count, MOST_TOKENS, estimated_bytes(trace))
    messages = _messages(opening.language)
    boot: dict[str, Any] = {
        "carried": True, "lang": opening.language, "examples": [], "default_model": "", "search": opening.search,
        "theme": opening.theme, "whole": opening.whole,
    }  # fmt: skip
    if trace.picture is not None:
        boot["picture"] = _data_address("image/png", to_png(trace.picture.pixels))
    parts = {"data": packed_json({"messages": messages, "documents": _documents(trace)}), **_arrays(trace)}
    page = _templates().get_template("embed.html").render(
        lang=opening.language,
        theme=opening.theme,
        title=f"{trace.source.text[:60].strip() or trace.model.title} – Attention Atlas",
        t=lambda key, **given: messages[key].format(**given),
        show=["strip", "grid", *(["picture"] if trace.picture is not None else []), "heatmap", "lines", "table"],
        controls=["heads", "looking", "colour"],
        boot=boot,
        inside=Inside(parts),
    )
    return page.encode()


def estimated_bytes(trace: AttentionTrace) -> int:
    """About how large the page of a trace would be, in bytes."""
    fixed = len(_plotly()) + sum(map(len, _modules().values())) + 100_000
    weights = 0.0
    for one in trace.maps:
        cells = one.head_count * one.query_count * one.key_count
        weights += 4 * cells * PACKED * (0.52 if one.kind == Kind.DECODER_SELF else 1)
    return fixed + int(weights)


class Inside:
    """What embed.html puts into a file instead of links to a server's. No person's text stands in any of it as it is:
    the parts are base64, the rest are files of ours."""

    first = 'import "atlas/viewer.js";'

    def __init__(self, parts: Mapping[str, str]) -> None:
        """`parts` are packed already, by name."""
        self.parts = {"plotly": _plotly(), **parts}
        self.imports = json.dumps({"imports": _modules()}, separators=(",", ":"))

    @property
    def policy(self) -> str:
        """The page's Content-Security-Policy: its own scripts, no network at all."""
        own = " ".join(_hash(text) for text in (self.imports, self.first, self.text("js/theme.js")))
        return (
            f"default-src 'none'; script-src {own} data: blob:; style-src 'unsafe-inline'; img-src data: blob:; "
            "base-uri 'none'; form-action 'none'"
        )

    def text(self, name: str) -> str:
        """A static file as it is."""
        return _read(f"static/{name}")


def packed(data: bytes) -> str:
    """Bytes as the browser unpacks them: gzip in base64."""
    return base64.b64encode(gzip.compress(data, 9, mtime=0)).decode()


def packed_json(value: object) -> str:
    """Plain data, packed."""
    return packed(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))


def _documents(trace: AttentionTrace) -> dict[str, Any]:
    """The trace's document in every look, by lookKey of static/js/lib/offline.js; a problem where it cannot be had."""
    documents: dict[str, Any] = {}
    for words, special, segments in _looks(trace):
        try:
            found = trace_document("offline", look(trace, words=words, special=special, segments=segments))
        except AtlasError as error:
            found = {"type": f"/problems/{error.code}", "detail": str(error), **error.facts}
        documents[f"{int(words)} {special} {segments}"] = found
    return documents


def _looks(trace: AttentionTrace) -> Iterator[tuple[bool, str, str]]:
    """Every look there is, the plain one first."""
    is_pair = set(trace.source.segment) == {"A", "B"} and set(trace.kinds) == {Kind.ENCODER_SELF}
    for segments in ("all", "AA", "AB", "BA", "BB") if is_pair else ("all",):
        for special in ("show", "hide", "renormalise"):
            for words in (False, True):
                yield words, special, segments


def _arrays(trace: AttentionTrace) -> dict[str, str]:
    """All weights (layer, head, query, key) of each kind in float32, and the lengths of what keys hand on (layer, head,
    key) where there are any, packed."""
    arrays = {}
    for kind in trace.kinds:
        maps = trace.maps_of(kind)
        arrays[f"weights-{kind}"] = _npy([one.weights() for one in maps])
        norms = [one.value_norms for one in maps if one.value_norms is not None]
        if len(norms) == len(maps):
            arrays[f"norms-{kind}"] = _npy(norms)
    return arrays


def _npy(layers: list[Tensor]) -> str:
    stacked: NDArray[np.float32] = np.stack([layer.float().cpu().numpy() for layer in layers])
    file = io.BytesIO()
    np.save(file, np.ascontiguousarray(stacked), allow_pickle=False)
    return packed(file.getvalue())


# ---- the page's files, the same for every trace


def _read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _messages(language: str) -> dict[str, str]:
    messages: dict[str, str] = json.loads(_read(f"app/messages/{language}.json"))
    return messages


def _templates() -> Environment:
    loader = FileSystemLoader(ROOT / "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined)


def _modules() -> dict[str, str]:
    """Every module that viewer.js reaches, by the name that it is imported by here, as a data address. A data address
    has no neighbours: a relative import becomes such a name."""
    sources: dict[str, str] = {}
    waiting = ["viewer.js"]
    while waiting:
        name = waiting.pop()
        if name in sources:
            continue
        source = _read(f"static/js/{name}")
        sources[name] = _IMPORT.sub(_named(name, waiting.append), source)
    return {f"atlas/{name}": _data_address("text/javascript", text.encode()) for name, text in sorted(sources.items())}


def _named(importer: str, found: Callable[[str], object]) -> Callable[[re.Match[str]], str]:
    def name(match: re.Match[str]) -> str:
        target = normpath(join(dirname(importer), match[2]))
        found(target)
        return f'{match[1]}"atlas/{target}"'

    return name


@cache
def _plotly() -> str:
    """The plotly.min.js of the installed package, found without importing it, packed once."""
    spec = find_spec("plotly")
    assert spec is not None
    assert spec.origin is not None
    return packed((Path(spec.origin).parent / "package_data" / "plotly.min.js").read_bytes())


def _data_address(media_type: str, data: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def _hash(text: str) -> str:
    """A script's name in the policy (CSP 3, section 6.7.2)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
