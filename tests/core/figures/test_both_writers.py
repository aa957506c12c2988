"""One figure, two writers: matplotlib and Plotly draw the same labels, numbers, titles and colours, as typed."""

import base64
import html
import io
import json
import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hand_drawn import CAT, VIEWS, axis, figure, heads, heat, weights
from PIL import Image

from attention_core.figures import matplotlib_writer, plotly_writer
from attention_core.figures.figure import Axis, Cells, Heads, Links, Measure, Measures, Overlay, Scale, Strip

HOSTILE = (
    "<b>", "<br>", "&lt;", "<a href=x>", "$$", r"$\frac{", "%{x}", "_^{}", "</script>", "<!--", '"\'', "{{7*7}}", "⏎",
)  # fmt: skip
BIG = heat([f"t{at}" for at in range(60)], numbered=False)


def hostile(panel_of):
    made = figure(panel_of(), f"title {' '.join(HOSTILE)}", Scale("<i>weight</i> $x$"))
    return replace(made, caption=tuple(f"says {text}" for text in HOSTILE), alt_text=" ".join(HOSTILE))


def hostile_cells():
    count = len(HOSTILE)
    texts = tuple(HOSTILE[at:] + HOSTILE[:at] for at in range(count))
    return Cells(weights(count), axis(HOSTILE, "<b>rows</b>", 3), axis(HOSTILE, "$rows$"), texts, HOSTILE)


FIGURES = VIEWS | {
    "hostile-heatmap": hostile(hostile_cells),
    "hostile-lines": hostile(
        lambda: Links(weights(len(HOSTILE)), axis(HOSTILE, "<b>", 2), axis(HOSTILE, "<br>", 1), HOSTILE)
    ),
    "hostile-strip": hostile(lambda: Strip(weights(len(HOSTILE))[0], axis(HOSTILE, "", 4), HOSTILE)),
    "hostile-profile": replace(
        hostile(lambda: Measures(tuple(Measure(text, np.ones(3), 1.0, text, 2.0) for text in HOSTILE), "<b>")),
        scale=None,
    ),
    "heatmap-sqrt": heat(CAT, scale=Scale("weight", 0.7, "sqrt"), palette="viridis"),
    "heatmap-log": heat(CAT, scale=Scale("weight", 0.7, "log"), theme="dark", palette="cividis"),
}


@cache
def drawn_by_matplotlib(figure):
    return matplotlib_writer.to_matplotlib(figure).axes[0]


@cache
def drawn_by_plotly(figure):
    return json.loads(plotly_writer.json(figure))


def of_matplotlib(figure):
    """Texts by what they are, as `gid` names them: {"row-3": "cat", ...}."""
    texts = {text.get_gid(): text.get_text() for text in drawn_by_matplotlib(figure).texts}
    return {name: text for name, text in texts.items() if name is not None}


def plain(text):
    """What Plotly draws for a text: our own marks and entities read, which are all that may stand in it."""
    own = r"</?(?:b|i)>|<span style=\"color:#[0-9a-f]{6}\">|</span>|<br>"
    text = re.sub(own, lambda mark: " " if mark[0] == "<br>" else "", text)
    assert "<" not in text
    assert "$" not in text
    return html.unescape(text).replace("\u2068", "").replace("\u2069", "").replace("\u00a0", " ").strip()


def of_plotly(figure):
    """The same texts of Plotly's JSON: by what they are where that can be told, and all of them in order."""
    drawn = drawn_by_plotly(figure)
    named = {}
    for side, name in (("yaxis", "row"), ("xaxis", "column")):
        part = drawn["layout"][side]
        for at, text in zip(part.get("tickvals", ()), part.get("ticktext", ()), strict=True):
            named[f"{name}-{at}"] = plain(text)
    texts = [trace for trace in drawn["data"] if trace.get("mode") == "text"]
    notes = [plain(note["text"]) for note in drawn["layout"]["annotations"]]
    bar = next((trace["marker"]["colorbar"] for trace in drawn["data"] if "colorbar" in trace.get("marker", {})), None)
    return named, texts, notes, bar


def squeezed(texts):
    return re.sub(r"\s+", "", "".join(texts))


@pytest.mark.parametrize("name", FIGURES)
def test_titles_captions_and_the_bar_say_the_same(name):
    figure = FIGURES[name]
    said, (_, _, notes, bar) = of_matplotlib(figure), of_plotly(figure)
    for part, whole in (("title", figure.title), ("caption", "".join(figure.caption))):
        lines = [text for gid, text in said.items() if re.fullmatch(rf"{part}-\d+", gid)]
        if part == "title" or lines:
            assert squeezed(lines) == squeezed(whole)
        assert squeezed(whole) in {squeezed(note) for note in notes} | {""}
    if isinstance(figure.panel, Measures):
        assert bar is None
        return
    named = [text for gid, text in said.items() if re.fullmatch(r"bar-\d+", gid)]
    assert sorted(map(plain, bar["ticktext"])) == sorted(named)
    assert plain(bar["title"]["text"]) == figure.scale.title == said["scale"]


@pytest.mark.parametrize("name", [name for name, one in FIGURES.items() if isinstance(one.panel, Cells)])
def test_heatmaps_have_the_same_labels_and_numbers(name):
    figure = FIGURES[name]
    panel = figure.panel
    said, (named, texts, notes, _) = of_matplotlib(figure), of_plotly(figure)
    for side, labels in (("row", panel.rows.labels), ("column", panel.columns.labels)):
        assert [said[f"{side}-{at}"] for at in range(len(labels))] == list(labels)
        assert [named[f"{side}-{at}"] for at in range(len(labels))] == list(labels)
    numbers = {gid: text for gid, text in said.items() if gid.startswith("number-")}
    drawn = {
        f"number-{y}-{x}": plain(text)
        for trace in texts[: 1 if panel.numbers else 0]
        for x, y, text in zip(trace["x"], trace["y"], trace["text"], strict=True)
    }
    assert drawn == numbers
    rest = [text for gid, text in said.items() if gid.startswith("rest-")]
    assert [plain(text) for text in texts[-1]["text"]] == rest if panel.rest else not rest
    letters = sorted(text for gid, text in said.items() if gid.startswith(("row-text-", "column-text-")))
    assert [note for note in sorted(notes) if note in ("A", "B")] == letters


@pytest.mark.parametrize("name", [name for name, one in FIGURES.items() if isinstance(one.panel, Cells)])
def test_heatmaps_have_the_same_values_in_the_same_colours(name):
    figure = FIGURES[name]
    values = figure.panel.values
    trace = [trace for trace in drawn_by_plotly(figure)["data"] if trace["type"] == "heatmap"][-1]
    drawn = np.array(trace["z"], dtype=np.float64)
    np.testing.assert_array_equal(drawn, values)
    cells = next(one for one in drawn_by_matplotlib(figure).get_children() if one.get_gid() == "cells")
    inked = cells.get_facecolor()[:, :3] * 255
    shares = (values[~np.isnan(values)] - trace["zmin"]) / (trace["zmax"] - trace["zmin"])
    at = [share for share, _ in trace["colorscale"]]
    colours = np.array([[int(part) for part in re.findall(r"\d+", colour)] for _, colour in trace["colorscale"]])
    mixed = np.stack([np.interp(shares, at, colours[:, part]) for part in range(3)], axis=1)
    assert np.abs(mixed - inked).max() < 4  # of 255: Plotly mixes between stops


@pytest.mark.parametrize("name", [name for name in FIGURES if name.endswith("lines")])
def test_lines_have_the_same_labels_numbers_and_lines(name):
    figure = FIGURES[name]
    said, (_, texts, _, _) = of_matplotlib(figure), of_plotly(figure)
    left, right, numbers = ([plain(text) for text in trace["text"]] for trace in texts)
    assert left == list(figure.panel.left.labels) == [said[f"row-{at}"] for at in range(len(left))]
    assert right == list(figure.panel.right.labels) == [said[f"column-{at}"] for at in range(len(right))]
    assert numbers == list(figure.panel.numbers) == [said[f"number-{at}"] for at in range(len(numbers))]
    strokes = [trace for trace in drawn_by_plotly(figure)["data"] if trace.get("mode") == "lines"]
    ends = {
        (trace["y"][at], trace["y"][at + 1]) for trace in strokes for at in range(0, len(trace["y"]), 3)
    }
    assert ends == {tuple(map(int, at)) for at in np.argwhere(figure.panel.values >= 0.02)}


@pytest.mark.parametrize("name", ["strip", "strip-from-right", "hostile-strip"])
def test_strips_have_the_same_tokens_and_numbers_in_the_same_order(name):
    figure = FIGURES[name]
    said, (_, texts, _, _) = of_matplotlib(figure), of_plotly(figure)
    tokens, numbers = ([plain(text) for text in trace["text"]] for trace in texts)
    assert tokens == list(figure.panel.tokens.labels) == [said[f"token-{at}"] for at in range(len(tokens))]
    assert numbers == list(figure.panel.numbers) == [said[f"number-{at}"] for at in range(len(numbers))]
    first, second = texts[0]["x"][:2]
    assert (first > second) == (name == "strip-from-right")


@pytest.mark.parametrize("name", ["profile", "hostile-profile"])
def test_profiles_have_the_same_measures(name):
    figure = FIGURES[name]
    said, (named, texts, _, _) = of_matplotlib(figure), of_plotly(figure)
    rows = figure.panel.rows
    assert [named[f"row-{at}"] for at in range(len(rows))] == [said[f"measure-{at}"] for at in range(len(rows))]
    assert [plain(text) for text in texts[0]["text"]] == [said[f"value-{at}"] for at in range(len(rows))]


@pytest.mark.parametrize("name", [name for name, one in FIGURES.items() if isinstance(one.panel, Cells)])
def test_what_is_blocked_is_hatched_and_nothing_else(name):
    blocked = np.isnan(FIGURES[name].panel.values)
    images = drawn_by_plotly(FIGURES[name])["layout"]["images"]
    assert len(images) == int(blocked.any())
    if not images:
        return
    data = base64.b64decode(images[0]["source"].removeprefix("data:image/png;base64,"))
    inked = np.asarray(Image.open(io.BytesIO(data)))[..., 3] > 0
    size = inked.shape[0] // len(blocked)
    cells = inked.reshape(len(blocked), size, len(blocked[0]), size).any(axis=(1, 3))
    np.testing.assert_array_equal(cells, blocked)


def test_all_heads_are_one_matrix_in_its_place():
    figure = heads(layers=2, count=3)
    drawn = json.loads(plotly_writer.json(figure))
    tiled = np.array(drawn["data"][0]["z"], dtype=np.float64)
    for layer in range(2):
        for head in range(3):
            tile = tiled[layer * 6 : layer * 6 + 5, head * 6 : head * 6 + 5]
            np.testing.assert_array_equal(tile, figure.panel.values[layer, head])
    assert drawn["layout"]["xaxis"]["ticktext"] == ["H0", "H1", "H2"]
    assert drawn["layout"]["yaxis"]["ticktext"] == ["L0", "L1"]
    said = drawn["data"][1]["text"]
    assert said[5] == f"L1 H2: {figure.panel.values[1, 2].max():.3f}"


def test_colours_of_heads_that_end_at_their_own_largest():
    values = np.stack([[weights(4) * 0.1, weights(4)]])
    highs = values.max(axis=(2, 3))
    drawn = json.loads(plotly_writer.json(figure(Heads(values, None, highs))))
    tiled = np.array(drawn["data"][0]["z"], dtype=np.float64)
    assert np.nanmax(tiled[:, :4]) == pytest.approx(1)
    assert np.nanmax(tiled[:, 5:]) == pytest.approx(1)


def test_a_picture_shows_the_weights_of_its_patches():
    drawn = json.loads(plotly_writer.json(VIEWS["picture"]))
    np.testing.assert_array_equal(np.array(drawn["data"][0]["z"]), VIEWS["picture"].panel.values)
    assert drawn["layout"]["images"][0]["source"].startswith("data:image/png;base64,")
    assert isinstance(VIEWS["picture"].panel, Overlay)


@pytest.mark.parametrize("name", FIGURES)
def test_plotly_itself_takes_every_figure_and_the_bytes_are_the_same_twice(name):
    figure = FIGURES[name]
    made = plotly_writer.to_plotly(figure)  # checks each property by its name
    assert made.layout.meta["alt"] == figure.alt_text
    assert plotly_writer.json(figure) == plotly_writer.json(figure)


def test_the_html_page_holds_its_data_and_never_ends_early():
    figure = FIGURES["hostile-heatmap"]
    page = plotly_writer.html(figure).decode()
    data = page.partition('<script type="application/json" id="data">')[2].partition("</script>")[0]
    assert json.loads(data) == json.loads(plotly_writer.json(figure))
    outside = page.replace(plotly_writer._plotly(), "")
    assert outside.count("</script>") == 3
    assert f'aria-label="{html.escape(figure.alt_text)}"' in outside
    assert "http" not in outside.replace(figure.facts["link"], "")  # nothing is asked of the network


def test_what_every_nth_label_names_is_told_when_pointed_at():
    drawn = json.loads(plotly_writer.json(BIG))
    assert len(drawn["layout"]["xaxis"]["tickvals"]) < 60
    cells = next(trace for trace in drawn["data"] if trace["type"] == "heatmap")
    assert cells["text"][7][13] == "t7 → t13"
    assert isinstance(BIG.panel.rows, Axis)
