"""A trace by the length of what keys hand on (Kobayashi et al. 2020): cases with known answers, and what must hold."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save_file
from test_looking import CARD, tokens, trace_of
from torch import nn

from attention_core import storage
from attention_core.analysis.link import link
from attention_core.analysis.profile import profile
from attention_core.errors import NotAvailableError, ShapeError, TraceError, UnknownNameError, WindowError
from attention_core.figures import heatmap
from attention_core.lengths import LengthMap
from attention_core.looking import look
from attention_core.maps import AttentionMap, FactoredMap, Kind
from attention_core.masks import CausalMask, Mask, SlidingWindowMask
from attention_core.nn.norms import OutputProjection, output_factors, transformed_lengths
from attention_core.trace import AttentionTrace, Provenance

HEADS, COUNT = 2, 5
WORDS: list[int | None] = [None, 0, 1, 1, None]  # [S] b c|d [S]: c and d are one word


def factored(norms: torch.Tensor | None, *, seed: int = 0, **changes: Any) -> FactoredMap:
    made = torch.Generator().manual_seed(seed)
    count = COUNT if norms is None else norms.shape[1]
    query, key, value = (torch.randn(HEADS, count, 4, generator=made) for _ in range(3))
    given = {"query_vectors": 3 * query, "key_vectors": key, "value_vectors": value, "scale": 0.5, **changes}
    return FactoredMap(kind=Kind.ENCODER_SELF, layer=0, value_norms=norms, **given)


def traced(one: AttentionMap, words: list[int | None] = WORDS) -> AttentionTrace:
    return AttentionTrace(CARD, tokens(words), None, (one,), Provenance("eager", "float32", "cpu", 0.0, 0.0, 1.0))


# ---- known answers


def test_a_cell_is_a_weight_times_a_length_as_a_share_of_its_row() -> None:
    norms = torch.tensor([[4.0, 1, 1, 1, 1], [0, 0, 0, 0, 2]])
    even = torch.zeros(HEADS, COUNT, 4)  # equal scores: every weight is 1/5
    seen = look(traced(factored(norms, query_vectors=even)), measure="norm")
    one = seen.maps[0]
    expected = torch.tensor([[0.5, 0.125, 0.125, 0.125, 0.125], [0.0, 0, 0, 0, 1]])
    torch.testing.assert_close(one.weights(), expected[:, None].expand(-1, COUNT, -1))
    torch.testing.assert_close(one.lengths(0, 2), torch.tensor([[[0.8, 0.2, 0.2, 0.2, 0.2]]]))
    assert seen.looking.measure == "norm"
    assert (seen.source, seen.maps[0].nbytes) == (look(seen, measure="norm").source, one.base.nbytes)


def test_the_length_of_a_transformed_value_by_hand() -> None:
    # Two heads of one dimension each share a value; the second one's slice is (0, 3): values 2 and -1 become 6 and 3.
    weight = torch.tensor([[3.0, 0.0], [4.0, 3.0]])  # (embed_dim, head)
    lengths = transformed_lengths(torch.tensor([[[2.0], [-1.0]]]), output_factors(weight, 2))
    torch.testing.assert_close(lengths, torch.tensor([[10.0, 5.0], [6.0, 3.0]]))


@pytest.mark.parametrize(
    ("heads", "groups", "size", "width"), [(4, 4, 8, 32), (6, 2, 4, 24), (2, 1, 16, 6), (1, 1, 3, 3)]
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_factor_gives_the_length_of_the_whole_product(
    heads: int, groups: int, size: int, width: int, dtype: torch.dtype
) -> None:
    torch.manual_seed(heads)
    weight, values = torch.randn(width, heads * size).to(dtype), torch.randn(groups, 7, size).to(dtype)
    own = torch.stack([
        (values[head * groups // heads].double() @ weight[:, head * size : (head + 1) * size].double().T).norm(dim=-1)
        for head in range(heads)
    ])  # fmt: skip
    found = transformed_lengths(values, output_factors(weight, heads))
    assert found is not None
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), own, rtol=1e-5, atol=1e-6)


def test_a_length_beyond_float32_is_none_and_a_dead_head_has_none() -> None:
    weight = torch.eye(4)
    assert transformed_lengths(torch.full((2, 3, 2), 1e30), output_factors(weight, 2)) is None
    weight[:, 2:] = 0
    found = transformed_lengths(torch.ones(2, 3, 2), output_factors(weight, 2))
    assert found is not None
    torch.testing.assert_close(found, torch.tensor([[2**0.5] * 3, [0.0] * 3]))


def test_a_projection_that_was_trained_on_or_replaced_is_read_anew() -> None:
    layer, values = nn.Linear(4, 4), torch.randn(2, 3, 2)
    found, whole = OutputProjection(layer), [torch.eye(4), 2 * torch.eye(4), 5 * torch.eye(4)]
    lengths = []
    layer.weight.data = whole[0]
    lengths.append(found.lengths(values, 2))
    with torch.no_grad():
        layer.weight.mul_(2)
    lengths.append(found.lengths(values, 2))
    layer.weight.data = whole[2]
    lengths.append(found.lengths(values, 2))
    for factor, one in zip((1, 2, 5), lengths, strict=True):
        torch.testing.assert_close(one, factor * values.norm(dim=-1))


# ---- what must hold


@settings(deadline=None, max_examples=40)
@given(
    norms=st.lists(st.sampled_from([0.0, 1e-30, 0.5, 1.0, 40.0, 1e30]), min_size=10, max_size=10),
    mask=st.sampled_from([Mask(), CausalMask(), SlidingWindowMask(2), CausalMask() & SlidingWindowMask(2)]),
    words=st.booleans(),
    special=st.sampled_from(["show", "hide", "renormalise"]),
    seed=st.integers(0, 50),
)
def test_rows_share_out_their_length_however_they_are_shown(
    norms: list[float], mask: Mask, words: bool, special: str, seed: int
) -> None:
    one = factored(torch.tensor(norms).view(HEADS, COUNT), seed=seed, mask=mask)
    trace = traced(one)
    lengths = one.lengths().double()
    shares = lengths / lengths.sum(-1, keepdim=True).where(lengths.sum(-1, keepdim=True) > 0, 1.0)
    seen = look(trace, measure="norm", words=words, special=special)
    shown = seen.maps[0]
    found = shown.weights()
    assert bool(torch.isfinite(found).all())
    # By hand, as the same look at a trace whose weights are these shares.
    whole = trace_of_shares(shares.float(), words=words, special=special)
    torch.testing.assert_close(found, whole, rtol=1e-4, atol=1e-6)
    blocked = ~shown.allowed()
    assert float(found[:, blocked].abs().sum()) == 0.0
    torch.testing.assert_close(shown.weights(1, slice(0, 2), slice(1, 2)), found[1:, 0:2, 1:2])
    torch.testing.assert_close(shown.overview(size=1)[:, 0, 0], found.amax((1, 2)))
    if special == "hide" and not words:
        kept = [1, 2, 3]
        torch.testing.assert_close(found.sum(-1) + shown.removed(), shares.sum(-1).float()[:, kept], atol=1e-5, rtol=0)


def trace_of_shares(shares: torch.Tensor, *, words: bool, special: str) -> torch.Tensor:
    """The rule of looking, written out for these five tokens: words sum columns and average rows, then tokens leave."""
    groups = [[0], [1], [2, 3], [4]] if words else [[at] for at in range(COUNT)]
    rows = torch.stack([shares[:, group].mean(1) for group in groups], 1)
    cells = torch.stack([rows[:, :, group].sum(2) for group in groups], 2)
    if special == "show":
        return cells
    cells = cells[:, 1:-1, 1:-1]
    left = cells.sum(-1, keepdim=True)
    return cells if special == "hide" else cells / left.where(left > 0, 1.0)


def test_a_pair_is_cut_after_its_lengths_were_shared_out() -> None:
    norms = torch.rand(HEADS, COUNT) + 0.1
    trace = traced(factored(norms))
    pair = replace(trace, source=replace(trace.source, segment=("A", "A", "B", "B", "B")))
    cut = look(pair, measure="norm", segments="AB").maps[0].weights()
    torch.testing.assert_close(cut, look(pair, measure="norm").maps[0].weights()[:, :2, 2:])


@pytest.mark.parametrize("looks", [{}, {"words": True}, {"special": "renormalise"}])
def test_rows_without_any_length_stay_zero_and_the_analyses_finite(looks: dict[str, Any]) -> None:
    norms = torch.zeros(HEADS, COUNT)
    norms[1, 4] = 1.0
    trace = look(traced(factored(norms, mask=CausalMask())), measure="norm", **looks)
    weights = trace.maps[0].weights()
    assert not weights[0].any()
    assert not weights[1, :3].any()  # they may not look at the one key that has a length
    for head in profile(trace).heads:
        assert all(value is None or value == value for value in vars(head).values())
    found = link(trace, [2] if not looks.get("words") else [1], [0], kind="encoder-self")
    assert all(head.weight == 0 for head in found.heads)


def test_a_learned_sink_takes_no_length() -> None:
    one = factored(torch.ones(HEADS, COUNT), sink=torch.tensor([4.0, 2.0]))
    shown = look(traced(one), measure="norm").maps[0]
    assert bool((one.weights().sum(-1) < 0.99).all())
    torch.testing.assert_close(shown.weights().sum(-1), torch.ones(HEADS, COUNT))
    torch.testing.assert_close(shown.weights(), one.weights() / one.weights().sum(-1, keepdim=True))
    assert (one.has_sink, shown.has_sink) == (True, False)


def test_a_figure_says_what_it_shows() -> None:
    trace = traced(factored(torch.ones(HEADS, COUNT)))
    plain, seen = heatmap(trace, layer=0, head=1), heatmap(look(trace, measure="norm"), layer=0, head=1)
    assert (plain.title, seen.title) == ("M · L0 H1", "M · L0 H1 · length ||αf(x)||")
    assert plain.alt_text.startswith("Heatmap of attention weights, L0 H1 of M, 5 queries")
    assert seen.alt_text.startswith("Heatmap of shares of the length of what is handed on, L0 H1 of M, 5 queries by 5")
    assert "Kobayashi" in " ".join(seen.caption)


# ---- what there is not


def test_without_norms_there_are_no_lengths_and_it_says_why() -> None:
    dense = trace_of(torch.eye(COUNT)[None], WORDS)
    unknown = traced(factored(None))
    for trace, note, why in ((dense, "no-values", "weights only"), (unknown, "no-projection", "not found")):
        one = trace.maps[0]
        assert (one.norms_note, one.value_norms) == (note, None)
        for ask in (one.lengths, lambda trace=trace: look(trace, measure="norm"), lambda one=one: measured_map(one)):
            with pytest.raises(NotAvailableError, match=why) as refused:
                ask()
            assert refused.value.facts == {"reason": "no-norms"}
    assert look(dense, measure="weight") is dense


def measured_map(one: AttentionMap) -> LengthMap:
    return LengthMap(kind=one.kind, layer=one.layer, mask=one.mask, base=one)


def test_unknown_measures_scores_and_raw_lengths_of_words_are_refused(tmp_path: Path) -> None:
    trace = traced(factored(torch.ones(HEADS, COUNT)))
    with pytest.raises(UnknownNameError, match="accepted: weight, norm"):
        look(trace, measure="gradient")
    seen, words = look(trace, measure="norm"), look(trace, measure="norm", words=True)
    with pytest.raises(NotAvailableError, match="already"):
        look(seen, words=True)
    with pytest.raises(NotAvailableError, match="scores"):
        seen.maps[0].scores()
    with pytest.raises(NotAvailableError, match="single tokens"):
        words.maps[0].lengths()
    with pytest.raises(UnknownNameError, match="accepted: 0, 1"):
        trace.maps[0].lengths(2)
    with pytest.raises(WindowError, match="within 0:5"):
        trace.maps[0].lengths(0, None, slice(0, 9))
    with pytest.raises(TraceError, match="save the original"):
        storage.save(seen, tmp_path / "seen.safetensors")


# ---- files


def test_a_file_keeps_the_norms_and_does_without_them(tmp_path: Path) -> None:
    norms = torch.rand(HEADS, COUNT)
    for given_norms in (norms, None):
        trace = traced(factored(given_norms))
        storage.save(trace, tmp_path / "trace.safetensors")
        again = storage.load(tmp_path / "trace.safetensors").maps[0]
        assert (again.value_norms is None) == (given_norms is None)
        assert again.nbytes == trace.maps[0].nbytes
        if given_norms is not None:
            assert torch.equal(again.value_norms, norms)


HOSTILE = {
    "shape": torch.ones(COUNT, HEADS),
    "negative": torch.full((HEADS, COUNT), -1.0),
    "nan": torch.full((HEADS, COUNT), torch.nan),
    "infinite": torch.full((HEADS, COUNT), torch.inf),
    "overflow": torch.full((HEADS, COUNT), 3e38),
    "dtype": torch.ones(HEADS, COUNT, dtype=torch.int32),
    "one number": torch.tensor(1.0),
}


@pytest.mark.parametrize("damage", [*HOSTILE, "not there", "no name", "a list"])
def test_hostile_norms_of_a_file_are_refused(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "trace.safetensors"
    storage.save(traced(factored(torch.rand(HEADS, COUNT))), path)
    with safe_open(str(path), "pt") as file:
        stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        document = json.loads(file.metadata()["trace"])
    described = document["maps"][0]
    if damage in HOSTILE:
        stored[described["value_norms"]] = HOSTILE[damage]
    else:
        described["value_norms"] = {"not there": "tensor.99", "no name": 7, "a list": [["tensor.0"]]}[damage]
    save_file(stored, path, metadata={"trace": json.dumps(document)})
    with pytest.raises(TraceError):
        storage.load(path)


def test_a_file_of_an_earlier_version_has_no_norms(tmp_path: Path) -> None:
    path = tmp_path / "trace.safetensors"
    storage.save(traced(factored(torch.rand(HEADS, COUNT))), path)
    with safe_open(str(path), "pt") as file:
        stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        document = json.loads(file.metadata()["trace"])
    del stored[document["maps"][0].pop("value_norms")]
    save_file(stored, path, metadata={"trace": json.dumps(document)})
    assert storage.load(path).maps[0].norms_note == "no-projection"


def test_norms_that_do_not_fit_a_map_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"float32 \(2, 5\).*not float64"):
        factored(torch.ones(HEADS, COUNT, dtype=torch.float64))
    with pytest.raises(ShapeError, match=r"\(head, key\)"):
        factored(torch.ones(3, COUNT))
