"""What a person at a notebook gives to the functions of figures: numbers of any library; what is none is told."""

import numpy as np
import pytest
import torch
from hand_made import trace_of

from attention_core.errors import InputError
from attention_core.figures import difference, grid, heatmap, interactive, lines, strip

TRACE = trace_of("a b c", torch.softmax(torch.arange(18.0).reshape(2, 3, 3) % 5, -1))


def test_numbers_of_numpy_and_torch_are_numbers():
    """The head that an argmax names is drawn as it is."""
    plain = heatmap(TRACE, layer=0, head=1, query=2, queries=(0, 2), numbers=True)
    for number in (np.int64, np.uint8, lambda value: torch.tensor(value)):
        found = heatmap(
            TRACE, layer=number(0), head=number(1), query=number(2), queries=[number(0), number(2)], numbers=np.True_
        )
        assert found.facts == plain.facts
        assert found.alt_text == plain.alt_text
        assert found.write("json") == plain.write("json")
    tokens = heatmap(np.eye(2), np.array(["a", "b"]))
    assert tokens.panel.rows.labels == ("a", "b")


WRONG = {
    "layer is a whole number, not '3'": {"layer": "3", "head": 0},
    "layer is a whole number, not 0.0": {"layer": 0.0, "head": 0},
    "head is a whole number, not None": {"layer": 0, "head": None},
    "query is a whole number, not 'b'": {"layer": 0, "head": 0, "query": "b"},
    "queries is a window of two positions": {"layer": 0, "head": 0, "queries": 2},
    "keys is a whole number, not 'a'": {"layer": 0, "head": 0, "keys": ("a", "b")},
    "words is True or False, not 'no'": {"layer": 0, "head": 0, "words": "no"},
    "width is a whole number, not '400'": {"layer": 0, "head": 0, "width": "400"},
    "font_size is a number of pixels": {"layer": 0, "head": 0, "font_size": "big"},
    "link is an address": {"layer": 0, "head": 0, "link": 5},
    "accepted: kind, layer": {"layer": 0, "head": 0, "colour": "red"},
}


@pytest.mark.parametrize("sentence", WRONG)
def test_an_option_of_another_sort_is_told(sentence):
    with pytest.raises(InputError) as raised:
        heatmap(TRACE, **WRONG[sentence])
    assert sentence in str(raised.value)


def test_what_is_no_trace_is_told():
    for ask in (
        lambda: grid("The cat sat"),
        lambda: lines(np.eye(3), layer=0, head=0),
        lambda: strip(None, layer=0, head=0),
        lambda: interactive(np.eye(3)),
        lambda: difference(TRACE, "b", layer=0, head=0),
    ):
        with pytest.raises(InputError, match="a trace is needed"):
            ask()


def test_an_address_that_leads_nowhere_stays_out_of_the_caption():
    assert not any("[bad" in line for line in heatmap(TRACE, layer=0, head=0, link="http://[bad").caption)


def test_the_first_token_may_be_chosen_in_what_one_walks_through():
    page = interactive(TRACE, layer=0, head=0, query=0, key=1).page.decode()
    assert "query=0" in page
    assert "key=1" in page


def test_a_figure_is_written_as_what_it_says():
    assert repr(heatmap(TRACE, layer=0, head=1)).startswith("Figure('Heatmap of attention weights, L0 H1 of M, 3 queri")


def test_beside_a_special_or_a_single_choice_the_largest_of_the_others_is_told():
    """That [CLS] looks at itself, or a first token at the only one it may, is not what somebody wants to hear."""
    sunk = torch.tensor([[[0.9, 0.05, 0.05], [0.3, 0.6, 0.1], [0.2, 0.7, 0.1]]])
    told = heatmap(trace_of("[CLS] cat sat", sunk), layer=0, head=0).alt_text
    assert "is 0.900, from “[CLS]” to “[CLS]”. Among ordinary tokens it is 0.700, from “sat” to “cat”." in told
    plain = heatmap(trace_of("a cat sat", sunk), layer=0, head=0).alt_text
    assert "Among" not in plain
