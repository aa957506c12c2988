"""What a figure of a trace shows: the window, the chosen cell, blank cells and hidden shares, by hand-made traces."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hand_made import rows, trace_of

from attention_core.errors import InputError, UnknownNameError, WindowError
from attention_core.figures import Choice, heatmap, lines, make
from attention_core.figures.shown import allowed_cells, show
from attention_core.looking import look
from attention_core.maps import DenseMap, Kind
from attention_core.masks import CausalMask

HEAD = rows("12 2 6 0", "1 8 11 0", "14 2 2 2", "5 5 5 5")  # of [S] cat sat [E], in twentieths
TEXT = "[S] cat sat [E]"


def test_a_head_is_shown_as_the_trace_has_it():
    figure = heatmap(trace_of(TEXT, torch.stack([HEAD, HEAD.flip(1)])), layer=0, head=0)
    np.testing.assert_allclose(figure.panel.values, HEAD.double())
    assert figure.panel.rows.labels == ("[S]", "cat", "sat", "[E]")
    assert figure.panel.rows.special == (True, False, False, True)
    assert figure.panel.numbers[1] == (".05", ".40", ".55", "")
    assert figure.scale.high == 1.0
    assert figure.panel.rest is None
    assert "Hatched" not in " ".join(figure.caption)


def test_the_chosen_cell_is_completed_as_on_the_page():
    """Without a choice the strongest cell of ordinary tokens; beside a chosen token its strongest."""
    trace = trace_of(TEXT, HEAD[None])
    cells = {(None, None): (1, 2), (2, None): (2, 1), (None, 1): (1, 1), (0, 3): (0, 3), (None, 0): (2, 0)}
    for (query, key), chosen in cells.items():
        assert show(trace, Choice(query=query, key=key)).cell == chosen
    # Where ordinary tokens have no weight, a special one is what is looked at.
    alone = trace_of(TEXT, rows("20 0 0 0", "20 0 0 0", "20 0 0 0", "20 0 0 0")[None])
    assert show(alone, Choice(query=2)).cell == (2, 0)


def test_a_cell_wears_a_mark_where_one_was_chosen_and_on_the_page_always():
    trace = trace_of(TEXT, HEAD[None])
    for panel in (heatmap(trace, layer=0, head=0).panel, heatmap(trace, layer=0, head=0, mark=False).panel):
        assert (panel.rows.chosen, panel.columns.chosen) == (None, None)
    for panel in (heatmap(trace, layer=0, head=0, mark=True).panel, make("heatmap", trace, Choice()).panel):
        assert (panel.rows.chosen, panel.columns.chosen) == (1, 2)
    drawn = lines(trace, layer=0, head=0).panel
    assert (drawn.left.chosen, drawn.right.chosen, drawn.numbers) == (None, None, ())
    assert lines(trace, layer=0, head=0, query=2).panel.right.chosen == 1


def test_a_choice_counts_the_tokens_that_the_model_read():
    seen = look(trace_of(TEXT, HEAD[None]), special="hide")
    axes = make("heatmap", seen, Choice(query=2, key=1)).panel
    assert (axes.rows.labels[axes.rows.chosen], axes.columns.labels[axes.columns.chosen]) == ("sat", "cat")
    hidden = show(seen, Choice(query=0))  # what is hidden cannot be chosen: the strongest cell is
    assert hidden.cell == (0, 1)
    with pytest.raises(InputError, match="query 9 is not one of the 4 tokens, 0 to 3"):
        heatmap(trace_of(TEXT, HEAD[None]), layer=0, head=0, query=9)


def test_any_piece_of_a_word_chooses_the_word():
    trace = trace_of("un able cat", rows("10 5 5", "5 10 5", "0 10 10")[None])
    trace = replace(trace, source=replace(trace.source, words=(0, 0, 1)))
    for piece in (0, 1):
        panel = heatmap(trace, layer=0, head=0, words=True, query=piece, key=2).panel
        assert (panel.rows.chosen, panel.columns.chosen) == (0, 1)
    assert panel.values == pytest.approx(np.array([[0.75, 0.25], [0.5, 0.5]]))


def test_what_was_hidden_stands_beside_its_row():
    figure = heatmap(trace_of(TEXT, HEAD[None]), layer=0, head=0, special="hide")
    assert figure.panel.values == pytest.approx(HEAD[1:3, 1:3].double().numpy())
    assert figure.panel.rest == ("−.05", "−.80")
    assert "Special tokens are left out. Beside each row: how much of it they had." in figure.caption
    assert heatmap(trace_of(TEXT, HEAD[None]), layer=0, head=0, special="hide", queries=(1, 2)).panel.rest == ("−.80",)
    scaled = heatmap(trace_of(TEXT, HEAD[None]), layer=0, head=0, special="renormalise")
    assert scaled.panel.values.sum(1) == pytest.approx([1, 1])
    assert scaled.panel.rest == ("−.05", "−.80")
    assert "no longer its own" in " ".join(scaled.caption)


def test_cells_that_a_mask_blocks_are_blank():
    trace = trace_of("a b c", rows("20 0 0", "0 20 0", "5 5 10")[None], causal=True)
    figure = heatmap(trace, layer=0, head=0)
    assert np.isnan(figure.panel.values).tolist() == np.triu(np.ones((3, 3), bool), 1).tolist()
    assert figure.panel.values[1, 0] == 0  # allowed, and nothing given
    assert figure.panel.numbers[0] == ("1.0", "", "")
    assert "Hatched cells may not be looked at." in " ".join(figure.caption)


def test_a_window_is_a_part_of_what_is_shown():
    trace = trace_of(TEXT, HEAD[None])
    figure = heatmap(trace, layer=0, head=0, queries=(1, 3), keys=(2, 9))
    assert figure.panel.values == pytest.approx(HEAD[1:3, 2:].double().numpy())
    assert (figure.panel.rows.labels, figure.panel.columns.labels) == (("cat", "sat"), ("sat", "[E]"))
    assert "Rows 1–2 and columns 2–3, counted from 0, of 4 × 4 tokens." in figure.caption
    assert figure.facts["tokens"] == {"queries": ["cat", "sat"], "keys": ["sat", "[E]"]}
    for wrong in ((4, 5), (2, 2), (3, 1), (-1, 2)):
        with pytest.raises(WindowError, match="is not a range within 0:4"):
            heatmap(trace, layer=0, head=0, keys=wrong)


def test_a_long_text_is_an_overview_of_its_largest_weights():
    count = 1030
    given = torch.zeros(1, count, count)
    given[0, torch.arange(count), 0] = 1.0  # everyone looks at the first
    given[0, 700, 0], given[0, 700, 650] = 0.25, 0.75
    trace = trace_of(" ".join(f"w{at}" for at in range(count)), given, causal=True)
    figure = heatmap(trace, layer=0, head=0)
    assert figure.panel.values.shape == (256, 256)
    assert figure.panel.numbers is None
    # Cell i holds the tokens from floor(i * 1030 / 256) on: 174 begins with token 700, 161 with 647.
    assert figure.panel.values[174, 161] == 0.75
    assert (figure.panel.rows.labels[174], figure.panel.columns.labels[161]) == ("w700", "w647")
    marked = heatmap(trace, layer=0, head=0, query=700).panel
    assert (marked.rows.chosen, marked.columns.chosen) == (174, 161)
    assert np.isnan(figure.panel.values[0, 255])
    assert not np.isnan(np.diag(figure.panel.values)).any()  # a cell on the diagonal holds allowed pairs
    assert "Each cell is the largest of up to 5 × 5 tokens." in figure.caption
    part = heatmap(trace, layer=0, head=0, queries=(690, 710), keys=(640, 660))
    assert part.panel.values[10, 10] == 0.75


def test_a_cell_of_an_overview_is_blank_where_nothing_in_it_may_be_looked_at():
    one = DenseMap(kind=Kind.DECODER_SELF, layer=0, given=torch.eye(4)[None], mask=CausalMask())
    # Queries 0 | 1 to 3, keys 0 and 1 | 2 and 3: of the first row token 0 may look at one of keys 0 and 1.
    assert allowed_cells(one, [0, 1, 4], [0, 2, 4]).tolist() == [[True, False], [True, True]]
    assert allowed_cells(one, [1, 2, 3], [2, 3, 4]).tolist() == [[False, False], [True, False]]


def test_the_range_of_colours_is_the_pages():
    trace = trace_of(TEXT, HEAD[None])
    assert make("heatmap", trace, Choice()).scale.high == 1
    figure = make("heatmap", trace, Choice(range="head", queries=(1, 2)))
    assert figure.scale.high == pytest.approx(0.7)  # of the whole head, not of the window
    assert "Colours reach to this head's largest value, 0.7." in " ".join(figure.caption)
    with pytest.raises(UnknownNameError, match="accepted: unit, head"):
        Choice(range="all")


def test_a_head_that_is_not_there_is_told():
    trace = trace_of(TEXT, HEAD[None])
    with pytest.raises(UnknownNameError, match="unknown layer '1'; accepted: 0"):
        heatmap(trace, layer=1, head=0)
    with pytest.raises(UnknownNameError, match="unknown head '7'; accepted: 0"):
        heatmap(trace, layer=0, head=7)
    with pytest.raises(UnknownNameError, match="accepted: encoder-self"):
        heatmap(trace, layer=0, head=0, kind="cross")
    with pytest.raises(InputError, match="name one: heatmap"):
        heatmap(trace, layer=0)
    with pytest.raises(InputError, match="brings its own tokens"):
        heatmap(trace, ["a"])
    with pytest.raises(UnknownNameError, match="unknown figure 'poster'; accepted: heatmap, grid"):
        make("poster", trace, Choice())


def test_the_caption_says_where_it_is_from():
    trace = trace_of(TEXT, HEAD[None])
    figure = heatmap(trace, layer=0, head=0, link="https://example.org/?text=%5BS%5D")
    assert figure.title == "M · L0 H0"
    assert figure.caption[0].startswith("L0 H0 (counted from 1: layer 1, head 1), encoder self-attention.")
    assert figure.caption[-2:] == ("M, exact, float32.", "https://example.org/?text=%5BS%5D")
    assert figure.facts["link"] == "https://example.org/?text=%5BS%5D"
    assert (figure.facts["layer"], figure.facts["head"], figure.facts["kind"]) == (0, 0, "encoder-self")


@pytest.mark.parametrize(
    "base", ["http://127.0.0.1:8000/?", "http://localhost/?", "http://[::1]:8000/?", f"https://a.example/?{'x' * 300}"]
)
def test_an_address_that_nobody_can_follow_stands_in_the_facts_alone(base):
    figure = heatmap(trace_of(TEXT, HEAD[None]), layer=0, head=0, link=f"{base}text=a")
    assert figure.caption[-1] == "M, exact, float32."
    assert figure.facts["link"] == f"{base}text=a"


def test_both_axes_of_cross_attention_have_tokens_of_their_own():
    trace = trace_of("I am here", rows("20 0 0", "0 10 10")[None], target="je suis")
    figure = heatmap(trace, layer=0, head=0)
    assert (figure.panel.rows.labels, figure.panel.columns.labels) == (("je", "suis"), ("I", "am", "here"))
    assert not np.isnan(figure.panel.values).any()


def test_of_several_kinds_one_is_chosen():
    trace = trace_of("I am", rows("20 0", "0 20")[None], target="je suis")
    both = DenseMap(kind=Kind.DECODER_SELF, layer=0, given=rows("20 0", "10 10")[None], mask=CausalMask())
    several = type(trace)(**{**vars(trace), "maps": (both, *trace.maps)})
    with pytest.raises(InputError, match="choose one: decoder-self, cross"):
        heatmap(several, layer=0, head=0)
    assert heatmap(several, layer=0, head=0, kind="cross").panel.columns.labels == ("I", "am")


def test_a_trace_from_a_file_says_so():
    trace = trace_of(TEXT, HEAD[None])
    opened = replace(trace, provenance=replace(trace.provenance, checked=False))
    assert "From a file, not checked against the model." in heatmap(opened, layer=0, head=0).caption
    assert heatmap(opened, layer=0, head=0).facts["checked"] is False
    assert "From a file" not in " ".join(heatmap(trace, layer=0, head=0).caption)


def test_a_text_that_was_cut_says_how_much_was_read():
    trace = trace_of("a b c", torch.eye(3)[None])
    cut = replace(trace, source=replace(trace.source, cut=5, count=9))
    assert "Only the beginning was read: 3 of 9 tokens." in heatmap(cut, layer=0, head=0).caption
    assert "Only the beginning was read: 3 of 9 tokens." in heatmap(look(cut, words=True), layer=0, head=0).caption
