"""The heatmap: labels as typed, numbers that can be read, and clear words for what is no heatmap."""

import re
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from itertools import pairwise
from xml.etree import ElementTree

import matplotlib.figure
import matplotlib.pyplot
import numpy as np
import pytest
import torch
from matplotlib.image import imread

from attention_core.errors import InputError, ShapeError
from attention_core.figures import heatmap, heatmap_figure, to_matplotlib, to_plotly
from attention_core.figures.colour import contrasting, viridis
from attention_core.figures.matplotlib_writer import FONTS, _installed_fonts
from attention_core.figures.plotly_writer import escape

TOKENS = ["the", "cat", "sat"]
WEIGHTS = [[0.5, 0.25, 0.25], [0.0, 1.0, 0.0], [0.1, 0.7, 0.2]]
AS_TYPED = ["<b>", "<br>", "&lt;", "<a href=x>", "$$", r"$\frac{", "%{x}", "_^{}", "شجرة"]


def labels(drawing):
    axes = drawing.axes[0]
    return [[text.get_text() for text in ticks] for ticks in (axes.get_yticklabels(), axes.get_xticklabels())]


def numbers(drawing):
    return [text.get_text() for text in drawing.axes[0].texts]


def drawn(drawing, kind="png"):
    file = BytesIO()
    drawing.savefig(file, format=kind)
    file.seek(0)
    return file


def equal_weights(rows, columns=None):
    columns = rows if columns is None else columns
    return np.full((rows, columns), 1 / columns)


def test_queries_are_rows_and_keys_are_columns():
    drawing = heatmap(WEIGHTS, TOKENS)
    assert isinstance(drawing, matplotlib.figure.Figure)
    image = drawing.axes[0].images[0]
    assert image.get_array().tolist() == WEIGHTS
    assert image.get_cmap().name == "viridis"
    assert labels(drawing) == [TOKENS, TOKENS]
    assert drawing.axes[0].get_ylim() == (2.5, -0.5)  # the first query is on top
    assert drawing.axes[1].get_ylabel() == "weight"


def test_blocked_cells_are_blank_in_both_writers():
    blocked = np.triu(np.ones((3, 3), dtype=bool), 1)
    figure = replace(heatmap_figure([[1, 0, 0], [0.5, 0.5, 0], [0, 0.25, 0.75]], TOKENS), blocked=blocked)
    drawing = to_matplotlib(figure)
    assert np.isnan(drawing.axes[0].images[0].get_array().filled(np.nan)).tolist() == blocked.tolist()
    assert [text == "" for text in numbers(drawing)] == blocked.ravel().tolist()
    assert np.isnan(np.array(to_plotly(figure).data[0].z)).tolist() == blocked.tolist()
    with pytest.raises(ShapeError, match="no weight"):
        replace(heatmap_figure(WEIGHTS, TOKENS), blocked=blocked)


def test_cross_attention_has_other_tokens_for_its_keys():
    assert labels(heatmap([[0.25, 0.75]], ["je"], ["I", "am"])) == [["je"], ["I", "am"]]


@pytest.mark.parametrize(
    "weights",
    [
        torch.tensor(WEIGHTS),
        torch.tensor(WEIGHTS, dtype=torch.bfloat16),
        torch.tensor(WEIGHTS, requires_grad=True),
        np.array(WEIGHTS, dtype=np.float32),
        [torch.tensor(row) for row in WEIGHTS],
    ],
    ids=["torch", "bfloat16", "with a gradient", "numpy", "list of tensors"],
)
def test_weights_come_as_tensors_arrays_and_lists(weights):
    shown = heatmap(weights, TOKENS).axes[0].images[0].get_array()
    np.testing.assert_allclose(shown, WEIGHTS, atol=5e-3)


def test_the_figure_keeps_its_own_copy():
    weights = np.array(WEIGHTS)
    drawing = heatmap(weights, TOKENS)
    weights[:] = 0
    assert drawing.axes[0].images[0].get_array().tolist() == WEIGHTS


def test_numbers_stand_in_cells_when_they_fit():
    assert numbers(heatmap(WEIGHTS, TOKENS)) == [".50", ".25", ".25", "0", "1.00", "0", ".10", ".70", ".20"]
    assert len(numbers(heatmap(equal_weights(24), ["a"] * 24))) == 24 * 24
    assert numbers(heatmap(equal_weights(25), ["a"] * 25)) == []
    assert len(to_plotly(heatmap_figure(equal_weights(25), ["a"] * 25)).data) == 1


def test_numbers_are_black_or_white_whichever_contrasts_more():
    def contrast(colour, ink):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
        luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05
        return luminance / 0.05 if ink == "black" else 1.05 / luminance

    colours = viridis(np.linspace(0, 1, 200), 1.0)
    for colour, ink in zip(colours, contrasting(colours), strict=True):
        assert contrast(colour, ink) == max(contrast(colour, "black"), contrast(colour, "white"))
        assert contrast(colour, ink) >= 4.5
    inks = [text.get_color() for text in heatmap([[0.0, 1.0]], ["a"], ["b", "c"]).axes[0].texts]
    assert inks == ["white", "black"]
    assert list(to_plotly(heatmap_figure([[0.0, 1.0]], ["a"], ["b", "c"])).data[1].textfont.color) == inks


def test_colours_run_from_zero_to_the_largest_weight_or_as_told():
    assert heatmap_figure(WEIGHTS, TOKENS).largest == 1.0
    assert heatmap_figure(equal_weights(4), list("abcd")).largest == 0.25
    assert heatmap_figure(np.zeros((1, 1)), ["a"]).largest == 1.0
    told = to_matplotlib(heatmap_figure(equal_weights(2), ["a", "b"], largest=1))
    assert told.axes[0].images[0].get_clim() == (0, 1)
    with pytest.raises(InputError, match="colour scale ends at -1"):
        heatmap_figure(WEIGHTS, TOKENS, largest=-1)


def test_the_alt_text_says_what_is_to_be_seen():
    figure = heatmap_figure(WEIGHTS, TOKENS)
    assert figure.alt_text == (
        "Heatmap of attention weights, 3 queries by 3 keys. The largest is 1.000, from cat to cat."
    )
    assert to_plotly(figure).layout.meta == {"alt": figure.alt_text}


# -------------------------------------------------------------------------------------------- labels as typed


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_matplotlib_draws_labels_as_typed(kind):
    figure = heatmap_figure(equal_weights(len(AS_TYPED)), AS_TYPED, caption="$$ <b>")
    drawing = to_matplotlib(figure)
    assert drawn(drawing, kind).getbuffer().nbytes > 1000
    assert labels(drawing) == [AS_TYPED, AS_TYPED]
    assert drawing.axes[0].get_title(loc="left") == "$$ <b>"


def test_the_letters_of_the_svg_are_the_letters_typed():
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        svg = drawn(heatmap(equal_weights(len(AS_TYPED)), AS_TYPED), "svg")
    tree = ElementTree.parse(svg)
    texts = ["".join(text.itertext()) for text in tree.iter("{http://www.w3.org/2000/svg}text")]
    for token in AS_TYPED:
        assert texts.count(token) == 2
    assert not list(tree.iter("{http://www.w3.org/2000/svg}a"))


def test_dollars_take_room_as_letters_do():
    """A formula would be drawn narrower than its source: four letters and a backslash fewer."""
    widths = {}
    for token in (r"$\alpha$", r"$\alphab"):
        drawing = heatmap([[1.0]], [token])
        drawn(drawing)
        widths[token] = drawing.axes[0].get_yticklabels()[0].get_window_extent().width
    formula, plain = widths.values()
    assert formula == pytest.approx(plain, rel=0.1)


def test_a_users_tex_setting_does_not_reach_the_labels():
    with matplotlib.rc_context({"text.usetex": True}):
        drawing = heatmap(WEIGHTS, ["$$", r"\input{x}", "%"])
    assert not any(text.get_usetex() for text in drawing.axes[0].get_yticklabels())


def plotly_reads(text):
    """What Plotly's label reader makes of a text, as its svg_text_utils.js does: tags, then entities."""
    without_tags = re.sub(r"<(/?)([^ >]*)(\s+(.*))?>", "", text)
    entities = {"amp": "&", "lt": "<", "gt": ">"}
    return re.sub(
        r"&(#\d+|[a-z]+);",
        lambda found: chr(int(found[1][1:])) if found[1][0] == "#" else entities[found[1]],
        without_tags,
    )


@pytest.mark.parametrize("token", AS_TYPED)
def test_plotly_draws_labels_as_typed(token):
    layout = to_plotly(heatmap_figure([[1.0]], [token], caption=token)).layout
    for label in (layout.xaxis.ticktext[0], layout.yaxis.ticktext[0], layout.title.text, escape(token)):
        assert plotly_reads(label) == token
        assert "$" not in label  # MathJax looks for these first


def test_equal_tokens_stay_separate_columns():
    figure = to_plotly(heatmap_figure(WEIGHTS, ["the", "the", "cat"]))
    assert list(figure.layout.xaxis.tickvals) == [0, 1, 2]
    assert list(figure.layout.xaxis.ticktext) == ["the", "the", "cat"]


def test_what_cannot_be_seen_is_spelled_out_on_one_line():
    tokens = ["new\nline", "\t", "\x00", "\r", "\u2028", "\ud800"]
    expected = ["new↵line", "⇥", r"\x00", r"\r", r"\u2028", r"\ud800"]
    drawing = heatmap(equal_weights(6), tokens)
    assert labels(drawing)[0] == expected
    assert drawn(drawing)


def test_a_very_long_token_is_cut():
    assert labels(heatmap([[1.0]], ["x" * 5000]))[0] == ["x" * 23 + "…"]
    assert labels(heatmap([[1.0]], ["x" * 24]))[0] == ["x" * 24]


def test_fonts_are_chosen_from_those_installed():
    installed = matplotlib.font_manager.fontManager.get_font_names()
    assert "DejaVu Sans" in _installed_fonts()
    assert set(_installed_fonts()) == set(installed) & set(FONTS)


def test_a_letter_that_no_font_has_is_drawn_as_a_box_with_matplotlibs_warning():
    with pytest.warns(UserWarning, match="Glyph 1114096"):
        assert drawn(heatmap([[1.0]], ["\U0010fff0"]))


def test_korean_is_drawn_where_a_font_for_it_is_installed():
    """Otherwise it is boxes and a warning: a machine without Korean fonts still gets a picture."""
    korean = {"Noto Sans CJK KR", "Noto Sans KR", "NanumGothic", "Malgun Gothic", "Apple SD Gothic Neo"}
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        drawn(heatmap([[1.0]], ["나는"]))
    if korean & set(_installed_fonts()):
        assert not seen
    else:
        assert all("missing from font" in str(warning.message) for warning in seen)


# ----------------------------------------------------------------------------------------------- how it looks


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (2, 2), (1, 40), (40, 1), (3, 25), (12, 12), (65, 65)])
def test_everything_stays_on_the_paper(rows, columns):
    long = ["unbelievable"] * (rows + columns)
    drawing = heatmap(equal_weights(rows, columns), long[:rows], long[:columns])
    drawn(drawing)
    width, height = drawing.bbox.size
    for axes in drawing.axes:
        box = axes.get_tightbbox()
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height


def test_labels_of_a_long_text_do_not_touch():
    tokens = [f"word{index}" for index in range(300)]
    drawing = heatmap(equal_weights(300), tokens)
    drawn(drawing)
    boxes = [text.get_window_extent() for text in drawing.axes[0].get_yticklabels()]
    assert 50 < len(boxes) < 300
    assert all(lower.y1 <= upper.y0 + 1 for upper, lower in pairwise(boxes))


def test_a_notebook_shows_it():
    png = heatmap(WEIGHTS, TOKENS)._repr_png_()
    assert imread(BytesIO(png)).shape[2] == 4


def test_nothing_global_is_touched():
    before = dict(matplotlib.rcParams)
    heatmap(WEIGHTS, TOKENS)
    assert matplotlib.pyplot.get_fignums() == []
    assert dict(matplotlib.rcParams) == before


def test_threads_draw_the_same_picture():
    expected = drawn(heatmap(WEIGHTS, TOKENS)).read()
    with ThreadPoolExecutor(4) as pool:
        pictures = list(pool.map(lambda _: drawn(heatmap(WEIGHTS, TOKENS)).read(), range(12)))
    assert set(pictures) == {expected}


# ----------------------------------------------------------------------------------------- what is no heatmap


@pytest.mark.parametrize(
    ("weights", "tokens", "message"),
    [
        (torch.zeros(1, 12, 3, 3), TOKENS, r"shape \(1, 12, 3, 3\) are not one matrix.*weights\[0, 1\]"),
        ([0.5, 0.5], TOKENS, r"shape \(2,\) are not one matrix"),
        (0.5, TOKENS, r"shape \(\) are not one matrix"),
        (
            np.zeros((3, 4)),
            TOKENS,
            r"shape \(3, 4\) \(query, key\) do not fit 3 query tokens and 3 key tokens",
        ),
        (WEIGHTS, ["the"], "do not fit 1 query tokens"),
        (np.zeros((0, 0)), [], "nothing to show"),
        ([[0.1, 0.2], [0.3]], TOKENS, "matrix of numbers"),
        ([["a", "b"]], ["x", "y"], "matrix of numbers"),
        (None, TOKENS, r"shape \(\)"),
        ([[0.5, float("nan")]], ["a"], "1 of these are not finite, the first at query 0, key 1: nan"),
        ([[0.5, float("inf")]], ["a"], "not finite"),
        ([[0.5, -0.5]], ["a"], "1 of these are negative, the first at query 0, key 1: -0.5"),
        (WEIGHTS, "cat", "list of texts, one a row, not str"),
        (WEIGHTS, 3, "list of texts, one a row, not int"),
        (WEIGHTS, [1, 2, 3], "tokens are texts; 1 is not"),
    ],
)
def test_what_is_no_heatmap_is_told(weights, tokens, message):
    key_tokens = ["b", "c"] if tokens == ["a"] else None
    with pytest.raises(InputError, match=message):
        heatmap(weights, tokens, key_tokens)


def test_a_shape_is_a_shape_error():
    with pytest.raises(ShapeError):
        heatmap(np.zeros((3, 4)), TOKENS)
