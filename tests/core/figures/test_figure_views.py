"""Grid, lines, strip, difference, picture, profile and generation, each by traces written by hand."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from hand_made import rows, tokens_of, trace_of

from attention_core.errors import InputError, NotAvailableError
from attention_core.figures import (
    VIEWS,
    Choice,
    Style,
    difference,
    generation,
    grid,
    lines,
    make,
    overlay,
    profile,
    strip,
)
from attention_core.looking import look
from attention_core.maps import FactoredMap, Kind
from attention_core.masks import CausalMask
from attention_core.pictures import Picture

ONE = rows("20 0 0", "5 10 5", "0 15 5")
TWO = rows("10 10 0", "0 20 0", "10 0 10")


# ---- all heads


def test_a_grid_has_every_head_of_every_layer():
    trace = trace_of("a b c", torch.stack([ONE, TWO]), torch.stack([TWO, ONE]))
    panel = grid(trace).panel
    assert panel.values.shape == (2, 2, 3, 3)
    assert panel.values[1, 1] == pytest.approx(ONE.double().numpy())
    assert (panel.chosen, panel.highs) == (None, None)
    assert grid(trace, layer=1, head=0).panel.chosen == (1, 0)
    assert make("grid", trace, Choice(layer=0, head=1)).panel.chosen == (0, 1)


def test_each_head_of_a_grid_may_end_at_its_own_largest_weight():
    even = rows("5 5 10", "5 5 10", "8 8 4")
    figure = grid(trace_of("a b c", torch.stack([ONE, even])), range="head")
    assert figure.panel.highs.tolist() == [[1.0, 0.5]]
    assert figure.scale.title == "share of the head's largest weight"
    assert "Colours reach to each head's own largest value." in " ".join(figure.caption)


def test_a_grid_strikes_through_what_is_off_and_leaves_blocked_cells_blank():
    trace = trace_of("a b c", torch.stack([rows("20 0 0", "5 15 0", "0 15 5")] * 2), causal=True)
    trace = replace(trace, off=("decoder-self.0.1", "cross.0.0"))
    figure = grid(trace)
    assert figure.panel.off == ((0, 1),)
    assert np.isnan(figure.panel.values[0, 0]).tolist() == np.triu(np.ones((3, 3), bool), 1).tolist()
    assert "Switched off: L0 H1, L0 H0." in figure.caption


@pytest.mark.parametrize("range_", ["unit", "head"])
def test_a_grid_where_nobody_may_look_anywhere_says_that_there_is_nothing(range_):
    """A trace file may say so; no model does."""
    trace = trace_of("a b", torch.eye(2)[None], causal=True)
    vectors = torch.ones(1, 2, 3)
    ahead = FactoredMap(
        kind=Kind.DECODER_SELF, layer=0, query_vectors=vectors, key_vectors=vectors, value_vectors=vectors,
        scale=1.0, mask=CausalMask(-9),
    )  # fmt: skip
    figure = grid(replace(trace, maps=(ahead,)), range=range_)
    assert np.isnan(figure.panel.values).all()
    assert figure.alt_text.endswith("Nothing that is shown has any weight.")


def test_a_grid_of_a_long_text_stays_small_and_says_how_coarse_it_is():
    count = 70
    figure = grid(trace_of(" ".join("a" * count), torch.eye(count)[None], causal=True))
    assert figure.panel.values.shape == (1, 1, 32, 32)
    assert np.nanmin(np.diag(figure.panel.values[0, 0])) == 1
    assert "Each cell is the largest of up to 3 × 3 tokens." in " ".join(figure.caption)
    assert np.isnan(figure.panel.values[0, 0, 0, 1])  # tokens 0 and 1 may not look at 2 and 3


def test_a_grid_of_too_long_a_text_is_told(monkeypatch):
    trace = trace_of("a b c", torch.eye(3).expand(4, 3, 3))
    monkeypatch.setattr(sys.modules["attention_core.figures.grid"], "MOST_WEIGHTS", 4 * 9 - 1)
    with pytest.raises(InputError, match="all 4 heads: about 2 tokens are the most"):
        grid(trace)


# ---- lines


def test_lines_of_a_short_text_tie_every_pair():
    figure = lines(trace_of("a b c", ONE[None]), layer=0, head=0, query=1)
    assert figure.panel.values == pytest.approx(ONE.double().numpy())
    assert figure.panel.numbers == ("0.25", "0.50", "0.25")
    assert (figure.panel.left.chosen, figure.panel.right.chosen) == (1, 1)


def test_of_a_long_text_only_the_strongest_lines_of_the_chosen_token_are_left():
    count = 60
    row = torch.arange(count, 0, -1, dtype=torch.float64)
    given = (row / row.sum()).float().expand(1, count, count)
    trace = trace_of(" ".join(f"w{at}" for at in range(count)), given)
    panel = lines(trace, layer=0, head=0, query=30).panel
    assert panel.right.labels == tuple(f"w{at}" for at in range(24))
    assert panel.left.labels == tuple(f"w{at}" for at in range(27, 34))
    assert panel.left.chosen == 3
    drawn = ~np.isnan(panel.values)
    assert drawn[3].all()
    assert drawn.sum() == 24
    assert lines(trace, layer=0, head=0, query=30).alt_text.startswith("Lines from 1 query to 24 keys, by attention")
    caption = " ".join(lines(trace, layer=0, head=0, query=30).caption)
    assert "this shows only the 24 strongest lines of “w30”" in caption
    assert lines(trace, layer=0, head=0, queries=(0, 40), keys=(0, 40)).panel.values.shape == (40, 40)


def test_blocked_pairs_have_no_line():
    panel = lines(trace_of("a b", rows("20 0", "10 10")[None], causal=True), layer=0, head=0, query=0).panel
    assert np.isnan(panel.values[0, 1])
    assert panel.numbers == ("1.00", "")


# ---- the strip


def test_a_strip_colours_the_text_by_one_row():
    given = rows("20 0 0 0", "4 8 6 2", "5 5 5 5", "0 0 0 20")
    figure = strip(trace_of("[S] it was [E]", given[None]), layer=0, head=0, query=1)
    assert figure.panel.values == pytest.approx([0.2, 0.4, 0.3, 0.1])
    assert figure.panel.numbers == ("0.20", "0.40", "0.30", "0.10")
    assert (figure.panel.tokens.chosen, figure.panel.tokens.special) == (1, (True, False, False, True))
    assert figure.title == "M · L0 H0 · it"
    assert figure.alt_text.endswith("It looks most at “it”, 0.400.")


def test_pieces_of_a_word_stand_close_in_a_strip():
    trace = trace_of("un able cat", ONE[None])
    trace = replace(trace, source=replace(trace.source, words=(0, 0, 1)))
    assert strip(trace, layer=0, head=0, query=0).panel.starts == (True, False, True)


def test_a_strip_says_what_was_hidden_and_what_lies_ahead():
    trace = trace_of("[S] a b", rows("20 0 0", "15 5 0", "4 6 10")[None], causal=True)
    figure = strip(trace, layer=0, head=0, query=1, special="hide")
    assert "0.750 of this row went to special tokens that are hidden." in figure.caption
    assert figure.panel.numbers == ("0.25", "")
    assert np.isnan(figure.panel.values[1])


def test_in_cross_attention_the_strip_is_of_the_source():
    trace = trace_of("I am here", rows("20 0 0", "0 10 10")[None], target="je suis")
    figure = strip(trace, layer=0, head=0, query=1)
    assert figure.panel.tokens.labels == ("I", "am", "here")
    assert figure.panel.tokens.chosen is None
    assert "while it writes “suis”" in figure.caption[0]
    assert figure.alt_text.startswith("The source as 3 tokens, coloured by how much “suis” looks at each, L0 H0 of M.")


def test_of_a_pair_the_strip_is_of_the_sentence_that_is_looked_at():
    trace = trace_of("a b c", rows("20 0 0", "5 5 10", "0 0 20")[None])
    paired = replace(trace, source=replace(trace.source, segment=("A", "A", "B"), pair="c"))
    told = strip(paired, layer=0, head=0, query=1, segments="AB").alt_text
    assert told.startswith("Sentence B as 1 token, coloured by how much “b” looks at each, L0 H0 of M.")
    assert told.endswith("It looks most at “c”, 0.500.")


def test_a_strip_of_more_tokens_than_are_read_is_told():
    count = 1025
    trace = trace_of(" ".join("a" * count), torch.eye(count)[None])
    with pytest.raises(InputError, match="1025 tokens; a strip shows at most 1024: choose a window of keys"):
        strip(trace, layer=0, head=0)
    assert len(strip(trace, layer=0, head=0, keys=(0, 20)).panel.tokens) == 20


# ---- what changes


def test_a_difference_is_after_minus_before_on_shared_axes():
    first = trace_of("a cat sat", ONE[None])
    second = trace_of("a dog sat", TWO[None])
    figure = difference(first, second, layer=0, head=0, query=1)
    assert figure.panel.values == pytest.approx((TWO - ONE).double().numpy())
    assert figure.panel.rows.labels == ("a", "cat/dog", "sat")
    assert figure.panel.rows.chosen == 1
    assert (figure.scale.high, figure.scale.diverging) == (0.75, True)
    assert figure.panel.numbers == (("−.50", "+.50", ""), ("−.25", "+.50", "−.25"), ("+.50", "−.75", "+.25"))
    assert figure.alt_text.endswith("Most changes from “sat” to “cat/dog”: 0.750 before, 0.000 after, −0.750.")
    assert "First: a cat sat. Second: a dog sat." in figure.caption


def test_texts_that_end_by_themselves_get_no_second_full_stop():
    first, second = trace_of("a cat sat.", ONE[None]), trace_of("a cat sat?", TWO[None])
    assert "First: a cat sat. Second: a cat sat?" in difference(first, second, layer=0, head=0).caption


def test_on_the_page_what_changes_most_wears_a_mark():
    first, second = trace_of("a cat sat", ONE[None]), trace_of("a dog sat", TWO[None])
    marked = make("difference", first, Choice(), other=second).panel
    assert (marked.rows.chosen, marked.columns.chosen) == (2, 1)
    completed = make("difference", first, Choice(query=0), other=second).panel
    assert (completed.rows.chosen, completed.columns.chosen) == (0, 0)
    plain = difference(first, second, layer=0, head=0).panel
    assert (plain.rows.chosen, plain.columns.chosen) == (None, None)


def test_what_one_side_alone_has_is_marked():
    longer = trace_of("a very cat sat", torch.eye(4)[None])
    figure = difference(trace_of("a cat sat", torch.eye(3)[None]), longer, layer=0, head=0)
    assert figure.panel.columns.labels == ("a", "+very", "cat", "sat")
    assert figure.panel.rows.labels == ("a", "cat", "sat")
    assert "+ and − mark tokens" in " ".join(figure.caption)
    assert not figure.panel.values.any()
    assert figure.alt_text.endswith("Nothing changes.")
    assert figure.scale.high == 0.05  # small changes do not fill the picture


def test_long_texts_are_named_from_where_they_part():
    """As static/js/lib/pairs.js: two words before the first that differs."""
    same = "a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h i j k l m n o p q r s t u"
    eye = torch.eye(49)[None]
    first, second = trace_of(f"{same} was hard", eye), trace_of(f"{same} was soft", eye)
    caption = " ".join(difference(first, second, layer=0, head=0).caption)
    assert "First: … u was hard. Second: … u was soft." in caption


def test_heads_that_are_off_are_what_comes_after():
    whole = trace_of("a b c", ONE[None])
    off = replace(trace_of("a b c", TWO[None]), off=("encoder-self.0.0",))
    for pair in ((whole, off), (off, whole)):
        figure = difference(*pair, layer=0, head=0)
        assert figure.panel.values == pytest.approx((TWO - ONE).double().numpy())
        assert "First: all heads on. Second: switched off L0 H0." in figure.caption
        assert figure.facts["compared"] == "switch"


def test_two_models_are_compared_by_words_and_by_the_nearest_head():
    first = trace_of("a b c", torch.stack([ONE, TWO]))
    other = trace_of("a b c", torch.stack([TWO, ONE]))
    other = replace(other, model=replace(other.model, name="n", title="N", full_title="Model N"))
    figure = difference(first, other, layer=0, head=0)
    assert not figure.panel.values.any()  # H1 of the other is the same head
    assert "First: M, L0 H0. Second: Model N, L0 H1." in figure.caption
    assert (figure.facts["other"]["model"], figure.facts["other"]["head"]) == ("n", 1)
    chosen = difference(first, other, layer=0, head=0, other_layer=0, other_head=0)
    assert chosen.panel.values == pytest.approx((TWO - ONE).double().numpy())
    with pytest.raises(InputError, match="look at both by words"):
        make("difference", first, Choice(), other=other)


def test_a_window_of_a_difference_holds_the_same_tokens():
    longer = trace_of("a very cat sat", torch.eye(4)[None])
    figure = difference(trace_of("a cat sat", torch.eye(3)[None]), longer, layer=0, head=0, keys=(1, 3))
    assert figure.panel.columns.labels == ("cat", "sat")


def test_a_difference_needs_two_traces_that_share_something():
    with pytest.raises(InputError, match="needs a second trace"):
        make("difference", trace_of("a b c", ONE[None]), Choice())
    with pytest.raises(InputError, match="share no token"):
        difference(trace_of("a b c", ONE[None]), trace_of("d e", rows("20 0", "0 20")[None]), layer=0, head=0)


# ---- a picture


def seen(weights, special="show"):
    """A trace of a picture of 2 x 2 patches of 3 x 3 pixels each."""
    trace = trace_of("[CLS] p q r s", weights[None])
    trace = replace(trace, picture=Picture(torch.zeros(6, 6, 3, dtype=torch.uint8), 2, 2))
    return look(trace, special=special)


LOOKS = rows("4 2 4 8 2", "0 20 0 0 0", "0 0 20 0 0", "0 0 0 20 0", "5 0 15 0 0")


def test_a_picture_lies_under_where_a_patch_looks():
    figure = overlay(seen(LOOKS), layer=0, head=0)
    assert figure.panel.values == pytest.approx(np.array([[0.1, 0.2], [0.4, 0.1]]))
    assert figure.panel.chosen is None  # the class token looks unless another one was chosen
    assert figure.scale.high == pytest.approx(1.0)
    assert "[CLS] itself gets 0.200, all patches together 0.800." in figure.caption
    assert "coloured by where [CLS], the whole picture, looks" in figure.alt_text
    assert figure.alt_text.endswith("Most goes to the patch in row 2, column 1, 0.400.")
    last = overlay(seen(LOOKS), layer=0, head=0, query=4)
    assert last.panel.chosen == (1, 1)
    assert last.panel.values == pytest.approx(np.array([[0, 0.75], [0, 0]]))
    assert "the patch in row 2, column 2 looks" in last.caption[0]


def test_a_class_token_that_is_hidden_has_no_number():
    figure = overlay(seen(LOOKS, "hide"), layer=0, head=0, query=4)
    assert figure.panel.chosen == (1, 1)
    assert "itself" not in " ".join(figure.caption)


def test_a_text_has_no_picture():
    with pytest.raises(NotAvailableError, match="no picture"):
        overlay(trace_of("a b c", ONE[None]), layer=0, head=0)


# ---- a profile


def test_a_profile_sets_a_head_among_all_heads():
    trace = trace_of("a b c", torch.stack([torch.eye(3), torch.full((3, 3), 1 / 3)]))
    figure = profile(trace, layer=0, head=0)
    named = {row.name: row for row in figure.panel.rows}
    assert named["entropy, bits"].chosen == 0
    assert sorted(named["entropy, bits"].values) == pytest.approx([0, np.log2(3)])
    assert named["itself"].chosen == 1
    assert named["itself"].text == "1.000"
    assert named["best offset"].text == "1.000 (0)"
    assert "same word" not in named  # no word stands twice
    assert figure.scale is None
    assert "L0 H0 of M among 2 heads: entropy, bits: 0.00; distance, tokens: 0.00;" in figure.alt_text


def test_a_profile_is_of_the_text_as_it_was_read():
    trace = trace_of("[S] a b", torch.eye(3)[None])
    with pytest.raises(NotAvailableError, match="as the model read it"):
        make("profile", look(trace, special="hide"), Choice())


def test_a_text_too_long_for_all_heads_is_told(monkeypatch):
    trace = trace_of("a b c", torch.eye(3).expand(4, 3, 3))
    monkeypatch.setattr(sys.modules["attention_core.figures.profile"], "MOST_WEIGHTS", 4 * 9 - 1)
    with pytest.raises(InputError, match="all 4 heads into numbers: about 2 tokens are the most"):
        profile(trace, layer=0, head=0)


# ---- what a model wrote


def test_each_written_token_has_the_row_that_chose_it():
    given = rows("20 0 0 0", "10 10 0 0", "4 4 12 0", "5 5 5 5")
    trace = replace(trace_of("the cat sat down", given[None], causal=True), written=2)
    figure = generation(trace, layer=0, head=0, query=2)
    assert figure.panel.rows.labels == ("sat", "down")
    assert figure.panel.columns.labels == ("the", "cat", "sat")
    assert figure.panel.values[0, :2] == pytest.approx([0.5, 0.5])
    assert np.isnan(figure.panel.values[0, 2])
    assert figure.panel.values[1] == pytest.approx([0.2, 0.2, 0.6])
    assert figure.panel.rows.chosen == 1
    assert figure.facts["written"] == ["sat", "down"]
    assert "The largest is 0.600: it looked at “sat” when it wrote “down”." in figure.alt_text


def test_a_text_that_nobody_wrote_has_no_steps():
    trace = trace_of("a b", rows("20 0", "10 10")[None], causal=True)
    with pytest.raises(NotAvailableError, match="wrote nothing"):
        generation(trace, layer=0, head=0)
    with pytest.raises(NotAvailableError, match="take the heatmap"):
        generation(trace_of("I am", rows("20 0", "0 20")[None], target="je suis"), layer=0, head=0)
    with pytest.raises(NotAvailableError, match="single tokens"):
        make("generation", look(replace(trace, written=1), words=True), Choice())


# ---- captions


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_figure_says_what_it_is_in_both_languages(view, language):
    trace = seen(LOOKS) if view == "picture" else trace_of("a b c", ONE[None])
    if view == "generation":
        trace = replace(trace_of("a b", rows("20 0", "10 10")[None], causal=True), written=1)
    other = trace_of("a d c", TWO[None]) if view == "difference" else None
    figure = make(view, trace, Choice(), Style(language=language), other=other, link="https://example.org/x")
    assert figure.caption[-1] == "https://example.org/x"
    assert any("float32" in line for line in figure.caption)
    assert figure.title
    assert figure.alt_text
    korean = [line for line in (*figure.caption, figure.alt_text) if any("가" <= letter <= "힣" for letter in line)]
    assert bool(korean) == (language == "ko")
    assert not any("{" in line for line in (*figure.caption, figure.alt_text, figure.title))
    assert tokens_of("a b c").texts[0] in str(figure.facts["tokens"]) or view == "picture"
