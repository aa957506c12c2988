"""What changes between two traces: hand-made ones with known answers, and the minimal pair on the real model."""

import pytest
import torch
from hand_made import rows, tokens_of, trace_of
from hypothesis import given, settings
from hypothesis import strategies as st

from attention_core import maps
from attention_core.analysis import comparing
from attention_core.analysis.comparing import compare
from attention_core.analysis.difference import difference, likeness
from attention_core.capture import capture
from attention_core.errors import InputError, UnknownNameError, WindowError

BEFORE = rows("20 0 0", "10 10 0", "4 8 8")
AFTER = rows("20 0 0", "10 10 0", "4 12 4")


def random_trace(text: str, layers: int = 2, heads: int = 3, seed: int = 0):
    count = len(text.split(" "))
    given = torch.randn(layers, heads, count, count, generator=torch.Generator().manual_seed(seed)).mul(2).softmax(-1)
    return trace_of(text, *given)


def slow(one, other, queries, keys):
    """The change and both matrices of two heads' weights by plain loops, from the definition."""
    before, after = torch.zeros(len(queries), len(keys)), torch.zeros(len(queries), len(keys))
    for weights, side, into in ((one, "first", before), (other, "second", after)):
        for i, query in enumerate(queries):
            for j, key in enumerate(keys):
                for row in getattr(query, side):
                    into[i, j] += sum(float(weights[row, column]) for column in getattr(key, side) or ())
                into[i, j] /= len(getattr(query, side))
    return float((after - before).abs().sum(1).mean() / 2), before, after


def test_the_head_that_changes_comes_first_with_the_cell_that_changes_most() -> None:
    one = trace_of("a b red", torch.stack([BEFORE, BEFORE]))
    other = trace_of("a b blue", torch.stack([BEFORE, AFTER]))
    found = difference(one, other)
    assert [(head.layer, head.head) for head in found.heads] == [(0, 1), (0, 0)]
    first, second = found.heads
    # One of three rows moves a fifth of its attention.
    assert (first.change, second.change) == pytest.approx((0.2 / 3, 0.0))
    assert (first.largest.query, first.largest.key) == (2, 1)
    assert (first.largest.before, first.largest.after) == pytest.approx((0.4, 0.6))
    assert found.of(0, 1) is first
    with pytest.raises(UnknownNameError):
        found.of(0, 2)


def test_a_word_that_only_one_text_has_gets_nothing_from_the_other() -> None:
    one = trace_of("a b", torch.stack([rows("10 10", "4 16")]))
    other = trace_of("a new b", torch.stack([rows("10 10 0", "5 5 10", "4 8 8")]))
    found = difference(one, other)
    assert [pair.first for pair in found.queries] == [range(0, 1), range(1, 2)]
    assert [pair.second for pair in found.queries] == [range(0, 1), range(2, 3)]
    assert [pair.first for pair in found.keys] == [range(0, 1), None, range(1, 2)]
    # Row a: half its weight goes from b to the new word; row b: 0.4 of it does. The new word's own row has no other.
    assert found.heads[0].change == pytest.approx((0.5 + 0.4) / 2)
    expected = torch.tensor([[[0.5, 0.0, 0.5], [0.2, 0.0, 0.8]], [[0.5, 0.5, 0.0], [0.2, 0.4, 0.4]]])
    torch.testing.assert_close(compare(one, other).matrices((0, 0)), expected)


def test_a_trace_differs_from_itself_nowhere_and_from_another_as_much_as_that_from_it() -> None:
    one, other = random_trace("a b c d"), random_trace("a x c y d", seed=1)
    assert all(head.change == 0 for head in difference(one, one).heads)
    matrices = compare(one, one).matrices((1, 2))
    assert torch.equal(matrices[0], matrices[1])
    there, back = difference(one, other), difference(other, one)
    for head in there.heads:
        assert back.of(head.layer, head.head).change == pytest.approx(head.change, abs=1e-6)
    forth = compare(one, other).matrices((1, 2))
    # Keys of one text alone stand in another order; each row's numbers are the same ones, before and after swapped.
    assert torch.equal(compare(other, one).matrices((1, 2)).flip(0).sort(-1).values, forth.sort(-1).values)


def test_the_nearest_head_comes_first() -> None:
    one, other = random_trace("a b c", layers=1), random_trace("a b c", layers=3, heads=2, seed=5)
    layers = [each.given for each in other.maps]
    planted = trace_of("a b c", *layers[:2], torch.stack([layers[2][0], one.maps[0].given[1]]))
    found = likeness(one, 0, 1, planted)
    assert (found.heads[0].layer, found.heads[0].head, found.heads[0].change) == (2, 1, 0.0)
    assert len(found.heads) == 6
    changes = [head.change for head in found.heads]
    assert changes == sorted(changes)
    assert changes[1] > 0
    with pytest.raises(InputError, match="1 layers of 3 heads and 3 layers of 2 heads") as caught:
        difference(one, planted)
    assert caught.value.facts["reason"] == "shapes"
    for layer, head in ((1, 0), (-1, 0), (0, 3), (0, -1)):
        with pytest.raises(UnknownNameError):
            likeness(one, layer, head, planted)


TEXTS = st.lists(st.sampled_from(["a", "b", "c", "the", "[S]"]), min_size=1, max_size=7).map(" ".join)


@settings(deadline=None, max_examples=60)
@given(TEXTS, TEXTS, st.sampled_from([1, 7, 40, 1 << 19]))
def test_any_two_traces_differ_as_the_definition_says_however_they_are_cut_in_blocks(first, second, block) -> None:
    one, other = random_trace(first, layers=1, heads=2), random_trace(second, layers=1, heads=2, seed=3)
    if not any(pair.both for pair in comparing.align(one.source, other.source)):
        with pytest.raises(InputError, match="share no token"):
            compare(one, other)
        return
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(comparing, "BLOCK_WEIGHTS", block)
        found, both = difference(one, other), compare(one, other)
        for head in found.heads:
            weights = (trace.maps[0].given[head.head] for trace in (one, other))
            change, before, after = slow(*weights, both.queries, both.keys)
            assert head.change == pytest.approx(change, abs=1e-6)
            matrices = both.matrices((0, head.head))
            torch.testing.assert_close(matrices, torch.stack([before, after]))
            cell = head.largest
            assert abs(cell.after - cell.before) == pytest.approx(float((after - before).abs().max()), abs=1e-6)
            assert matrices[:, cell.query, cell.key].tolist() == pytest.approx([cell.before, cell.after])
            crossed = both.matrices((0, 0), (0, 1))
            assert torch.equal(crossed[0], both.matrices((0, 0))[0])
            assert torch.equal(crossed[1], both.matrices((0, 1))[1])


@pytest.mark.parametrize("count", [1, 5, 12, 13])
@pytest.mark.parametrize("size", [1, 3, 5, 40])
def test_an_overview_shows_of_each_cell_what_differs_most(count, size, monkeypatch) -> None:
    monkeypatch.setattr(comparing, "BLOCK_WEIGHTS", 30)
    text = " ".join(f"w{n}" for n in range(count))
    both = compare(random_trace(text), random_trace(text, seed=9))
    whole = both.matrices((1, 1))
    cells = min(size, count)
    edges = [index * count // cells for index in range(cells + 1)]
    most, mean = both.overview((1, 1), None, size), both.overview((1, 1), None, size, "mean")
    assert most.shape == mean.shape == (2, cells, cells)
    for i in range(cells):
        for j in range(cells):
            block = whole[:, edges[i] : edges[i + 1], edges[j] : edges[j + 1]].flatten(1)
            best = (block[1] - block[0]).abs().argmax()
            assert most[:, i, j].tolist() == pytest.approx(block[:, best].tolist())
            assert mean[:, i, j].tolist() == pytest.approx(block.mean(1).tolist(), abs=1e-6)
    if count > 3:
        window = (slice(1, count - 1), slice(2, 3))
        torch.testing.assert_close(both.matrices((1, 1), window=window), whole[:, 1 : count - 1, 2:3])
        small = both.overview((1, 1), None, 40, window=window)
        torch.testing.assert_close(small, whole[:, 1 : count - 1, 2:3])


def test_windows_heads_and_kinds_that_are_not_there_are_refused() -> None:
    both = compare(random_trace("a b c"), random_trace("a b c"))
    for window in ((slice(0, 4), None), (None, slice(2, 2)), (slice(3, 9), None), (slice(-1, 2), None)):
        with pytest.raises(WindowError, match="0:3"):
            both.matrices((0, 0), window=window)
    for head in ((2, 0), (0, 3), (-1, 0), (0, -1)):
        with pytest.raises(UnknownNameError):
            both.matrices(head)
        with pytest.raises(UnknownNameError):
            both.matrices((0, 0), head)
    with pytest.raises(InputError, match="at least 1 cell"):
        both.overview((0, 0), None, 0)
    with pytest.raises(UnknownNameError):
        both.overview((0, 0), None, 4, "min")
    causal = trace_of("a b", torch.stack([rows("20 0", "10 10")]), causal=True)
    with pytest.raises(UnknownNameError, match="decoder-self"):
        compare(random_trace("a b"), causal)
    with pytest.raises(UnknownNameError, match="cross"):
        compare(causal, causal, "cross")


def test_between_two_sequences_rows_and_columns_are_aligned_by_themselves() -> None:
    one = trace_of("나 학교", torch.stack([rows("16 4", "2 18", "10 10")]), target="i school [e]")
    other = trace_of("나 병원", torch.stack([rows("16 4", "4 16", "10 10")]), target="i hospital [e]")
    found = difference(one, other)
    assert [pair.same for pair in found.queries] == [True, False, True]  # what is written
    assert [pair.same for pair in found.keys] == [True, False]
    assert found.heads[0].change == pytest.approx(0.1 / 3)


@pytest.mark.model
def test_tired_and_soft_are_a_minimal_pair(cache) -> None:
    """Only soft says that the mat is meant: L3 H1 gives cat less of it and mat more."""
    del cache
    one, other = (capture("minilm", f"The cat sat on the mat because it was {word}") for word in ("tired", "soft"))
    found = difference(one, other)
    assert [pair.same for pair in found.keys] == [True] * 10 + [False, True]
    before, after = compare(one, other).matrices((3, 1))
    assert float(before[8, 2]) == pytest.approx(0.487, abs=0.001)
    assert float(before[8, 2] - after[8, 2]) > 0.2
    assert float(after[8, 6]) > float(before[8, 6])
    torch.testing.assert_close(before, one.map("encoder-self", 3).weights(1)[0])
    torch.testing.assert_close(after, other.map("encoder-self", 3).weights(1)[0])
    assert 0 < found.heads[-1].change < found.heads[0].change < 1


def test_a_long_text_is_streamed(monkeypatch) -> None:
    """No window is larger than a block, whatever lies between the rows that both have."""
    count, seen = 300, []
    weights = maps.AttentionMap.weights

    def watched(self, *window):
        found = weights(self, *window)
        seen.append(found.numel())
        return found

    monkeypatch.setattr(maps.AttentionMap, "weights", watched)
    monkeypatch.setattr(comparing, "BLOCK_WEIGHTS", 8 * count)
    words = [f"w{n}" for n in range(count)]
    one = random_trace(" ".join(words), layers=1, heads=2)
    other = random_trace(" ".join([*words[:10], *words[-10:]]), layers=1, heads=2)
    found = difference(one, other)
    assert len(found.queries) == 20
    assert len(tokens_of(" ".join(words))) == count
    assert max(seen) <= 8 * count
