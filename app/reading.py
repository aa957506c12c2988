"""What is read of a trace for one reply: arrays as .npy and pictures as PNG, each with a tag of its bytes."""

import hashlib
import io
from typing import TYPE_CHECKING, Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from app.problems import ProblemError
from app.schemas import (
    MOST_CELLS,
    LookParameters,
    NormParameters,
    RemovedParameters,
    ThumbnailParameters,
    VectorParameters,
    WeightParameters,
)

if TYPE_CHECKING:
    from attention_core.trace import AttentionTrace

Array = np.ndarray[Any, np.dtype[Any]]

IMMUTABLE = "public, max-age=31536000, immutable"


def tagged(request: Request, data: bytes, media_type: str, cache: str = IMMUTABLE) -> Response:
    """The bytes with a tag of them; 304 when the client has them."""
    return with_tag(request, f'"{hashlib.sha256(data).hexdigest()[:32]}"', data, media_type, cache)


def with_tag(request: Request, tag: str, data: bytes, media_type: str, cache: str) -> Response:
    """The same with a tag that is known already."""
    headers = {"ETag": tag, "Cache-Control": cache}
    known = [item.strip().removeprefix("W/") for item in request.headers.get("if-none-match", "").split(",")]
    if tag in known or known == ["*"]:
        return Response(status_code=304, headers=headers)
    return Response(data, media_type=media_type, headers=headers)


def npy(array: Array) -> bytes:
    """The array as a .npy file."""
    file = io.BytesIO()
    np.save(file, np.ascontiguousarray(array), allow_pickle=False)
    return file.getvalue()


def looked(trace: "AttentionTrace", wanted: LookParameters) -> "AttentionTrace":
    """The trace as it is to be shown; the trace itself when nothing is merged, hidden or measured otherwise."""
    if (wanted.words, wanted.special, wanted.segments, wanted.measure) == ("0", "show", "all", "weight"):
        return trace
    from attention_core.looking import look

    words = wanted.words == "1"
    return look(trace, words=words, special=wanted.special, segments=wanted.segments, measure=wanted.measure)


def read_thumbnails(trace: "AttentionTrace", wanted: ThumbnailParameters) -> Array:
    """uint8 (layer, head, query cell, key cell): round(255 sqrt(w)) of the largest weight w in each cell."""
    import torch

    shown = looked(trace, wanted)
    maps = shown.maps_of(shown.kinds[0] if wanted.kind is None else wanted.kind)
    stacked = torch.stack([one.overview(None, wanted.size) for one in maps])
    small: Array = (stacked.clamp(0, 1).sqrt() * 255).round().to(torch.uint8).cpu().numpy()
    return small


def read_weights(trace: "AttentionTrace", wanted: WeightParameters) -> Array:
    """float32 (query, key) of one head, (head, query, key) of all; an overview when a size is wanted."""
    shown = looked(trace, wanted)
    one = shown.map(shown.kinds[0] if wanted.kind is None else wanted.kind, wanted.layer)
    queries, keys = window_of(wanted.queries), window_of(wanted.keys)
    if wanted.size is not None:
        read = one.overview(wanted.head, wanted.size, wanted.reduce, queries, keys)
    else:
        demand_small(queries, keys, (one.query_count, one.key_count))
        read = one.weights(wanted.head, queries, keys)
    array: Array = (read if wanted.head is None else read[0]).float().cpu().numpy()
    return array


def read_removed(trace: "AttentionTrace", wanted: RemovedParameters) -> Array:
    """float32 (head, query): how much of each row went to special tokens that are hidden; 0 when none is."""
    from attention_core.looking import LookedMap

    shown = looked(trace, wanted)
    one = shown.map(shown.kinds[0] if wanted.kind is None else wanted.kind, wanted.layer)
    if isinstance(one, LookedMap):
        removed: Array = one.removed().float().cpu().numpy()
        return removed
    return np.zeros((one.head_count, one.query_count), dtype=np.float32)


def read_norms(trace: "AttentionTrace", wanted: NormParameters) -> Array:
    """float32 (layer, head, key): ‖f(x)‖ of what each key hands on, over the tokens that the model read."""
    import torch

    from attention_core.looking import look

    maps = look(trace, measure="norm").maps_of(trace.kinds[0] if wanted.kind is None else wanted.kind)
    norms = [one.value_norms for one in maps if one.value_norms is not None]
    array: Array = torch.stack(norms).cpu().numpy()
    return array


def read_vectors(trace: "AttentionTrace", wanted: VectorParameters) -> Array:
    """float32 (position, dim): the queries, keys or values of one head, at most MOST_CELLS x MOST_CELLS numbers."""
    from attention_core.analysis.steps import vectors

    kind = trace.kinds[0] if wanted.kind is None else wanted.kind
    read = vectors(trace, kind, wanted.layer, wanted.head, wanted.of, window_of(wanted.positions))
    if read.numel() > MOST_CELLS**2:
        most = MOST_CELLS**2 // read.shape[1]
        raise ProblemError("window", f"at most {most} vectors are read at once; name fewer positions", limit=most)
    array: Array = read.numpy()
    return array


def read_picture(trace: "AttentionTrace") -> bytes:
    """What the model saw, as PNG; a not-available problem for a trace of a text."""
    from attention_core.pictures import to_png

    if trace.picture is None:
        raise ProblemError("not-available", "this trace is of a text; there is no picture in it")
    return to_png(trace.picture.pixels)


def window_of(wanted: str | None) -> slice | None:
    """A range "a:b" as a slice; None takes all."""
    if wanted is None:
        return None
    first, _, last = wanted.partition(":")
    return slice(int(first), int(last))


def demand_small(queries: slice | None, keys: slice | None, whole: tuple[int, int]) -> None:
    """A window problem, with the limit, for more cells than can be read exactly at once; `whole` is the matrix's shape.

    One row of a long text is no large window.
    """
    windows = zip((queries, keys), whole, strict=True)
    sides = [count if window is None else window.stop - window.start for window, count in windows]
    if sides[0] * sides[1] > MOST_CELLS**2:
        raise ProblemError(
            "window",
            f"at most {MOST_CELLS} x {MOST_CELLS} weights can be read exactly; ask for a smaller window, or for a size",
            limit=MOST_CELLS,
        )
