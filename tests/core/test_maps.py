"""The invariants of maps, overviews, masks and stored traces."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from attention_core import masks, storage
from attention_core.errors import NotAvailableError, ShapeError, TraceError, UnknownNameError, WindowError
from attention_core.maps import DenseMap, FactoredMap, Kind, RelativeBias
from attention_core.masks import CausalMask, ExplicitMask, Mask, PaddingMask, SlidingWindowMask, causal_mask
from attention_core.models.card import ModelCard
from attention_core.predictions import Candidate, Prediction, Predictions
from attention_core.tokens import Tokens
from attention_core.trace import AttentionTrace, Notice, Provenance

CARD = ModelCard("toy", "Toy", "Toy model", "toy", ("decoder-self",), ("en",), 2, 4, 64, "exact", "MIT", "0")


def any_mask(choice: int, count: int) -> Mask:
    real = torch.ones(count, dtype=torch.bool)
    real[1:: 3] = False
    options = (
        Mask(),
        CausalMask(),
        CausalMask() & SlidingWindowMask(3),
        PaddingMask(real),
        ExplicitMask(torch.arange(count * count).reshape(count, count) % 3 != 1),
        CausalMask() & PaddingMask(real),
    )
    return options[choice]


@st.composite
def factored(draw: st.DrawFn) -> FactoredMap:
    heads, groups = draw(st.sampled_from([(1, 1), (4, 4), (4, 2)]))
    count, dim = draw(st.integers(1, 40)), draw(st.integers(1, 6))
    torch.manual_seed(draw(st.integers(0, 1000)))
    bias: Any = draw(st.sampled_from([None, "matrix", "distance"]))
    if bias == "matrix":
        bias = torch.randn(heads, count, count)
    elif bias == "distance":
        bias = RelativeBias(by_distance=torch.randn(heads, 2 * count - 1), query_count=count)
    return FactoredMap(
        kind=Kind.DECODER_SELF,
        layer=0,
        mask=any_mask(draw(st.integers(0, 5)), count),
        query_vectors=torch.randn(heads, count, dim) * 3,
        key_vectors=torch.randn(groups, count, dim) * 3,
        value_vectors=torch.randn(groups, count, dim),
        scale=1 / math.sqrt(dim),
        bias=bias,
        soft_cap=draw(st.sampled_from([None, 5.0])),
        sink=torch.randn(heads) if draw(st.booleans()) else None,
    )


def ranges(count: int) -> st.SearchStrategy[slice]:
    return st.tuples(st.integers(0, count - 1), st.integers(1, count)).map(
        lambda pair: slice(min(pair[0], pair[1] - 1), max(pair[0] + 1, pair[1]))
    )


@settings(deadline=None, max_examples=60)
@given(one=factored(), data=st.data())
def test_any_window_is_the_same_cut_of_the_whole(one: FactoredMap, data: st.DataObject) -> None:
    heads, queries, keys = (data.draw(ranges(n)) for n in (one.head_count, one.query_count, one.key_count))
    torch.testing.assert_close(one.weights(heads, queries, keys), one.weights()[heads, queries, keys])
    torch.testing.assert_close(one.scores(heads, queries, keys), one.scores()[heads, queries, keys])
    assert torch.equal(one.allowed(queries, keys), one.allowed()[queries, keys])


@settings(deadline=None, max_examples=60)
@given(one=factored())
def test_rows_sum_to_one_with_the_sink_and_masked_keys_get_nothing(one: FactoredMap) -> None:
    weights, allowed = one.weights(), one.allowed()
    share = one.sink_share()
    whole = weights.sum(-1) + (0 if share is None else share)
    expected = allowed.any(-1).float() if share is None else torch.ones(one.query_count)
    assert float((whole - expected).abs().max()) <= 1e-5
    assert float((weights * ~allowed).abs().max()) == 0.0


@settings(deadline=None, max_examples=60)
@given(one=factored(), size=st.integers(1, 50), data=st.data())
def test_a_cell_of_an_overview_is_the_maximum_or_mean_of_its_weights(
    one: FactoredMap, size: int, data: st.DataObject
) -> None:
    queries, keys = data.draw(ranges(one.query_count)), data.draw(ranges(one.key_count))
    whole = one.weights(None, queries, keys)
    largest, mean = (one.overview(None, size, how, queries, keys) for how in ("max", "mean"))
    rows, columns = whole.shape[1:]
    cells = min(size, rows), min(size, columns)
    assert largest.shape == mean.shape == (one.head_count, *cells)
    for i in range(cells[0]):
        for j in range(cells[1]):
            part = whole[
                :,
                i * rows // cells[0] : (i + 1) * rows // cells[0],
                j * columns // cells[1] : (j + 1) * columns // cells[1],
            ]
            torch.testing.assert_close(largest[:, i, j], part.amax((1, 2)))
            torch.testing.assert_close(mean[:, i, j], part.mean((1, 2)), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(largest.amax((1, 2)), whole.amax((1, 2)))


def trace_of(one: FactoredMap) -> AttentionTrace:
    count = one.query_count
    tokens = Tokens(
        text="x" * count,
        ids=tuple(range(count)),
        pieces=("x",) * count,
        texts=("x",) * count,
        spans=tuple((n, n + 1) if n else None for n in range(count)),
        special=(True,) + (False,) * (count - 1),
        words=tuple(n or None for n in range(count)),
        segment=("A",) * count,
    )
    provenance = Provenance("in-house", "float32", "cpu", 0.1, 1e-7, 1e-5, {"torch": "2"})
    said = Prediction((Candidate("a", 0.75), Candidate("b", 0.25)), position=0, actual=Candidate("b", 0.25))
    return AttentionTrace(
        CARD,
        tokens,
        None,
        (one,),
        provenance,
        notices=(Notice("truncated", {"kept": 3}),),
        predictions=Predictions("next-token", (said,)),
        predictions_note="",
        off=(f"decoder-self.0.{one.head_count - 1}",),
    )


@settings(deadline=None, max_examples=40)
@given(one=factored())
def test_save_then_load_is_the_identity(tmp_path_factory: pytest.TempPathFactory, one: FactoredMap) -> None:
    trace = trace_of(one)
    path = tmp_path_factory.mktemp("trace") / "one.safetensors"
    storage.save(trace, path)
    again = storage.load(path)
    fields = ("model", "source", "target", "notices", "predictions", "predictions_note", "off")
    assert [getattr(again, name) for name in fields] == [getattr(trace, name) for name in fields]
    assert again.provenance == replace(trace.provenance, checked=False)
    other = again.maps[0]
    vectors = ("query_vectors", "key_vectors", "value_vectors")
    assert all(torch.equal(getattr(other, name), getattr(one, name)) for name in vectors)
    # Of the same numbers; where they lie in memory may change the order in which torch adds them up.
    torch.testing.assert_close(other.weights(), one.weights())
    assert torch.equal(other.allowed(), one.allowed())
    assert (other.kind, other.layer, other.nbytes) == (one.kind, one.layer, one.nbytes)


def test_long_rows_are_computed_in_blocks_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    one = simple(50)
    whole, cells = one.weights(), one.overview(size=7)
    monkeypatch.setattr("attention_core.attention_map.BLOCK_WEIGHTS", 120)
    torch.testing.assert_close(one.weights(), whole)
    torch.testing.assert_close(one.overview(size=7), cells)


def simple(count: int = 4, **changes: Any) -> FactoredMap:
    torch.manual_seed(3)
    vectors = {f"{name}_vectors": torch.randn(2, count, 4) for name in ("query", "key", "value")}
    return FactoredMap(**{"kind": Kind.DECODER_SELF, "layer": 0, "scale": 0.5, **vectors, **changes})


def test_equal_scores_share_a_row_equally() -> None:
    one = simple(4, query_vectors=torch.zeros(2, 4, 4), mask=CausalMask())
    expected = torch.tensor([[1, 0, 0, 0], [1 / 2, 1 / 2, 0, 0], [1 / 3, 1 / 3, 1 / 3, 0], [1 / 4] * 4])
    torch.testing.assert_close(one.weights(0)[0], expected)


@pytest.mark.parametrize(
    ("window", "error"),
    [
        ((2, None, None), UnknownNameError),
        ((-1, None, None), UnknownNameError),
        ((0, slice(0, 5), None), WindowError),
        ((0, slice(2, 2), None), WindowError),
        ((0, None, slice(-1, 2)), WindowError),
        ((0, None, 4), WindowError),
    ],
)
def test_a_window_outside_the_map_is_refused(window: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"accepted: 0, 1|within 0:4"):
        simple().weights(*window)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"key_vectors": torch.zeros(2, 4, 3)}, ShapeError),
        ({"value_vectors": torch.zeros(2, 5, 4)}, ShapeError),
        ({"query_vectors": torch.zeros(3, 4, 4)}, ShapeError),
        ({"sink": torch.zeros(3)}, ShapeError),
        ({"bias": torch.zeros(2, 4, 3)}, ShapeError),
        ({"key_vectors": torch.full((2, 4, 4), torch.nan)}, TraceError),
        ({"value_vectors": torch.full((2, 4, 4), torch.inf)}, TraceError),
    ],
)
def test_vectors_that_make_no_map_are_refused(changes: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        simple(**changes)


def dense(weights: torch.Tensor, **changes: Any) -> DenseMap:
    return DenseMap(**{"kind": Kind.DECODER_SELF, "layer": 0, "given": weights, **changes})


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        (torch.full((1, 3, 3), 0.5).tril(), "does not sum to 1"),
        (torch.full((1, 3, 3), 1 / 3), "masked keys"),
        (torch.full((1, 3, 3), torch.nan), "not finite"),
        (torch.tensor([[[1.0, 0, 0], [2, -1, 0], [0, 0, 1]]]), "does not sum to 1"),
    ],
)
def test_dense_weights_that_cannot_be_attention_are_refused(weights: torch.Tensor, sentence: str) -> None:
    with pytest.raises(TraceError, match=sentence):
        dense(weights, mask=CausalMask())


def test_a_dense_map_gives_its_weights_and_has_no_scores() -> None:
    one = dense(causal_mask(3).float() / torch.tensor([[1.0], [2], [3]]).expand(3, 3)[None], mask=CausalMask())
    torch.testing.assert_close(one.weights(0, 1), torch.tensor([[[0.5, 0.5, 0.0]]]))
    with pytest.raises(NotAvailableError, match="weights only"):
        one.scores()


def test_a_trace_refuses_tokens_that_do_not_fit_its_maps() -> None:
    good = trace_of(simple(4))
    with pytest.raises(ShapeError, match="3 query tokens"):
        AttentionTrace(CARD, trace_of(simple(3)).source, None, good.maps, good.provenance)
    with pytest.raises(TraceError, match="not 0 to"):
        AttentionTrace(CARD, good.source, None, (simple(4, layer=1),), good.provenance)
    with pytest.raises(UnknownNameError, match="accepted: 0"):
        good.map("decoder-self", 1)
    with pytest.raises(UnknownNameError, match="accepted: decoder-self"):
        good.map("cross", 0)


@pytest.mark.parametrize("damage", ["empty", "random", "no-trace", "version", "missing-tensor", "mask", "shape"])
def test_a_damaged_file_is_refused_with_a_sentence(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "trace.safetensors"
    storage.save(trace_of(simple()), path)
    import json

    from safetensors import safe_open

    with safe_open(str(path), "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        document = json.loads(file.metadata()["trace"])
    if damage == "empty":
        path.write_bytes(b"")
    elif damage == "random":
        path.write_bytes(bytes(range(256)) * 40)
    else:
        if damage == "version":
            document["format"] = "attention-atlas-trace-99"
        elif damage == "missing-tensor":
            document["maps"][0]["key"] = "tensor.99"
        elif damage == "mask":
            document["maps"][0]["mask"] = {"mask": "all-of", "parts": "x"}
        elif damage == "shape":
            tensors[document["maps"][0]["key"]] = torch.zeros(7, 7)
        key = "other" if damage == "no-trace" else "trace"
        save_file(tensors, path, metadata={key: json.dumps(document)})
    with pytest.raises(TraceError):
        storage.load(path)


def test_masks_restore_from_their_description() -> None:
    positions = torch.arange(9)
    for choice in range(6):
        mask = any_mask(choice, 9)
        again = masks.restore(mask.describe(), mask.tensors())
        assert torch.equal(again.window(positions, positions), mask.window(positions, positions))
    with pytest.raises(TraceError, match="unknown mask"):
        masks.restore({"mask": "lambda"}, {})


def test_the_causal_matrix_is_the_lower_triangle_of_ones() -> None:
    assert torch.equal(causal_mask(10), torch.ones(10, 10).tril().bool())


def test_what_was_said_stands_at_a_row_and_is_a_text() -> None:
    trace = trace_of(simple(4))
    for said in (
        Prediction((Candidate("a", 0.5),), position=4),
        Prediction((Candidate("a", 0.5),), position=-1),
    ):
        with pytest.raises(TraceError, match="row"):
            replace(trace, predictions=Predictions("next-token", (said,)))
    with pytest.raises(TraceError, match="no text"):
        Predictions("classes", (Prediction((Candidate({"a": 1}, 0.5),)),))  # type: ignore[arg-type]
    with pytest.raises(TraceError, match="0 to 1"):
        Predictions("classes", (Prediction((Candidate("a", 1.5),)),))


def test_tokens_that_contradict_themselves_are_refused() -> None:
    tokens = trace_of(simple(4)).source
    with pytest.raises(ShapeError, match="range"):
        replace(tokens, spans=((5, -99), *tokens.spans[1:]))
    with pytest.raises(ShapeError, match="no word"):
        replace(tokens, special=(True,) * 4)
