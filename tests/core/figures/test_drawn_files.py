"""Drawn files: what the colours mean, what a file says of itself, what is refused, several at once."""

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from hand_drawn import CAT, VIEWS, causal, heads, heat
from matplotlib import pyplot
from PIL import Image
from pypdf import PdfReader

from attention_core.errors import InputError, UnknownNameError
from attention_core.figures.colour import colours
from attention_core.figures.look import LOOKS
from attention_core.figures.matplotlib_writer import pdf, png, svg, to_matplotlib
from attention_core.figures.matplotlib_writer.cells import _thinned


def named(drawing, gid):
    return next(artist for artist in drawing.axes[0].get_children() if artist.get_gid() == gid)


def opened(file):
    return Image.open(io.BytesIO(file))


def pixels(file):
    return np.asarray(opened(file).convert("RGB")).astype(int)


def hexadecimal(colour):
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]


# ------------------------------------------------------------------------------------------- what is to be seen


@pytest.mark.parametrize("name", ["heatmap", "heatmap-dark-causal", "difference"])
def test_every_cell_has_the_colour_of_its_value_in_its_place(name):
    made = VIEWS[name]
    values = made.panel.values
    cells = named(to_matplotlib(made), "cells")
    wanted = colours(values, made.scale, made.style)[~np.isnan(values)]
    np.testing.assert_allclose(cells.get_facecolor()[:, :3], wanted, atol=1e-6)
    corners = np.array([path.vertices[0] for path in cells.get_paths()])
    step = corners[1, 0] - corners[0, 0] if not np.isnan(values).any() else 35
    rows, columns = np.nonzero(~np.isnan(values))
    np.testing.assert_allclose(corners - corners[0], np.stack([columns, rows], axis=1) * step)


@pytest.mark.parametrize("count", [41, 200])
def test_large_pictures_of_cells_are_one_image_of_the_same_colours(count):
    values = causal(count)
    made = heat(["x"] * count, values=values, numbered=False)
    image = named(to_matplotlib(made), "cells").get_array()
    assert image.shape == (count, count, 4)
    free = ~np.isnan(values)
    assert ((image[..., 3] == 255) == free).all()
    wanted = np.round(255 * colours(values, made.scale, made.style))
    assert (np.asarray(image[..., :3])[free] == wanted[free]).all()


def test_a_pixel_of_a_png_is_the_colour_of_its_cell():
    made = heat(["a", "b"], values=[[1, 0], [0.5, 0.5]], numbered=False)
    found = {tuple(one) for one in pixels(png(made)).reshape(-1, 3)}
    for weight in (1.0, 0.5):
        assert tuple(np.round(255 * colours(np.array(weight), made.scale, made.style)).astype(int)) in found


def test_what_is_thinner_than_a_pixel_is_not_lost():
    """512 tokens in a picture of 160 pixels: the one strong cell is still seen, whichever its place."""
    assert _thinned(np.array([[0.1, 0.2, 0.9], [0.3, np.nan, 0.4], [-0.8, 0.1, np.nan]]), 2).tolist()[0] == [0.3, 0.9]
    assert _thinned(np.array([[0.1, -0.2], [0.1, 0.1]]), 2).tolist() == [[-0.2]]
    assert np.isnan(_thinned(np.full((3, 3), np.nan), 2)).all()
    values = np.zeros((512, 512))
    values[300, 77] = 1
    made = heat(["x"] * 512, values=values, numbered=False, width=160)
    drawn = named(to_matplotlib(replace(made, caption=())), "cells").get_array()[..., :3]
    strongest = np.round(255 * colours(np.array(1.0), made.scale, made.style))
    assert (np.asarray(drawn) == strongest).all(axis=2).sum() == 1


def test_heads_stand_in_their_places_with_a_scale_of_their_own_where_told():
    made = heads(2, 3)
    shown = np.asarray(named(to_matplotlib(made), "cells").get_array())
    clear = shown[..., 3] == 0
    across, down = (1 + np.diff(line.astype(int)).clip(0).sum() for line in (clear[0], clear[:, 0]))
    assert (across, down) == (3, 2)
    blank = made.panel.values.copy()
    blank[1, 2] = np.nan
    last = np.asarray(named(to_matplotlib(replace(made, panel=replace(made.panel, values=blank))), "cells").get_array())
    assert ((last[..., 3] == 0) & ~clear).any()
    assert last[-1, -1, 3] == 0
    highs = made.panel.values.max(axis=(2, 3))
    own = np.asarray(named(to_matplotlib(replace(made, panel=replace(made.panel, highs=highs))), "cells").get_array())
    strongest = np.round(255 * colours(np.array(1.0), made.scale, made.style))
    assert (own[..., :3] == strongest).all(axis=2).sum() > (shown[..., :3] == strongest).all(axis=2).sum()


def test_lines_are_as_strong_as_their_weights():
    made = VIEWS["lines"]
    drawn = named(to_matplotlib(made), "lines")
    values, chosen = made.panel.values, made.panel.left.chosen
    assert len(drawn.get_paths()) == (values >= 0.02).sum()
    strengths = drawn.get_edgecolor()[:, 3]
    assert strengths.max() <= 1
    mark = np.array(hexadecimal(LOOKS["light"].mark)) / 255
    own = (np.abs(drawn.get_edgecolor()[:, :3] - mark) < 0.01).all(axis=1)
    np.testing.assert_allclose(np.sort(strengths[own]), np.sort(values[chosen][values[chosen] >= 0.02]), atol=1e-6)


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_the_paper_is_the_themes_or_nothing(theme):
    plain = opened(png(heat(CAT, theme=theme)))
    assert plain.mode == "RGB"
    assert list(plain.getpixel((0, 0))) == hexadecimal(LOOKS[theme].paper)
    clear = opened(png(heat(CAT, theme=theme, transparent=True)))
    assert clear.getpixel((0, 0))[3] == 0
    assert np.asarray(clear)[..., 3].max() == 255


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_type_can_be_read(theme):
    """4.5 : 1 on paper at least, by WCAG 2.2."""

    def luminance(colour):
        shares = np.array(hexadecimal(colour)) / 255
        linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    look = LOOKS[theme]
    for ink in (look.ink, look.soft, look.faint, look.mark, look.accent):
        low, high = sorted((luminance(ink), luminance(look.paper)))
        assert (high + 0.05) / (low + 0.05) >= 4.5


# ----------------------------------------------------------------------------------- sizes, and what is refused


def test_dots_a_pixel_multiply_the_size_of_a_png_alone():
    made = heat(CAT)
    one, three = opened(png(made)), opened(png(made, 3))
    assert three.size == (3 * one.width, 3 * one.height)
    assert round(one.info["dpi"][0]) == 96
    assert round(three.info["dpi"][0]) == 288


@pytest.mark.parametrize("scale", [0, 0.5, 3.5, float("nan"), -1])
def test_other_dots_a_pixel_are_refused(scale):
    with pytest.raises(InputError, match="accepted: 1 to 3"):
        png(heat(CAT), scale)


def test_a_png_of_absurd_size_is_refused_before_it_is_painted():
    made = heat(["x"] * 3, width=4000, numbered=False)
    with pytest.raises(InputError, match="at most 40 megapixels") as refused:
        png(made, 3)
    assert refused.value.facts["limit"] == 40


def test_letters_make_everything_larger_and_a_width_is_kept():
    small, large = (opened(png(heat(CAT, font_size=size))).width for size in (13, 26))
    assert large == pytest.approx(2 * small, rel=0.05)
    for name in ("cross", "grid", "lines", "strip", "profile", "picture"):
        told = replace(VIEWS[name], style=replace(VIEWS[name].style, width=333))
        assert opened(png(told)).width == 333, name


# -------------------------------------------------------------------------------- what a file says of itself


def test_a_png_carries_title_alternative_text_and_link():
    made = replace(heat(CAT), title="L3 H1 · 한국어", alt_text="가장 큰 가중치는 0.49예요.")
    held = opened(png(made)).text
    assert held["Title"] == "L3 H1 · 한국어"
    assert held["Description"] == "가장 큰 가중치는 0.49예요."
    assert held["Source"] == "https://atlas.example/?layer=3&head=1"


def test_an_svg_is_an_image_with_a_name_and_a_description():
    tree = ElementTree.fromstring(svg(replace(heat(CAT), alt_text="A & <b>")))
    space = "{http://www.w3.org/2000/svg}"
    assert tree.get("role") == "img"
    named = {one.get("id"): one for one in tree}
    assert [named[one].text for one in tree.get("aria-labelledby").split()] == ["L3 H1", "A & <b>"]
    assert not list(tree.iter(f"{space}script"))
    assert not [one for one in tree.iter() for value in one.attrib.values() if value.startswith("http")]
    names = [one.get("id") for one in tree.iter() if one.get("id")]
    assert len(names) == len(set(names))


def test_a_pdf_carries_title_and_alternative_text():
    held = PdfReader(io.BytesIO(pdf(VIEWS["cross"]))).metadata
    assert (held["/Title"], held["/Subject"]) == ("L3 H1", "Strongest: it looks at cat.")
    assert "/CreationDate" not in held


def test_what_no_file_may_hold_is_spelled_or_left_out():
    """Controls and lone surrogates would make an SVG that nobody opens."""
    broken = "a\x00b\x0b\ud800\uffff\nc"
    made = replace(heat(["a"]), title=broken, alt_text=broken, caption=(broken,), facts={"link": broken})
    tree = ElementTree.fromstring(svg(made))
    written = {"".join(one.itertext()) for one in tree.iter("{http://www.w3.org/2000/svg}text")}
    assert "aU+0000b U+D800U+FFFF c" in written
    assert next(iter(tree)).text.startswith("a b")
    assert opened(png(made)).text["Title"].startswith("a b")
    assert PdfReader(io.BytesIO(pdf(made))).metadata["/Title"].startswith("a b")


def test_the_same_figure_is_the_same_file():
    for write in (png, svg, pdf):
        assert write(VIEWS["cross"]) == write(VIEWS["cross"])


# --------------------------------------------------------------------------------------------- several at once


def test_threads_draw_the_same_files():
    made = [VIEWS["heatmap"], VIEWS["cross"], VIEWS["strip-from-right"], VIEWS["grid"]]
    work = [*((write, one) for one in made for write in (png, svg)), (pdf, made[1])]
    expected = [write(one) for write, one in work]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(lambda job: job[0](job[1]), work)) == expected


def test_nothing_global_is_touched():
    before = dict(matplotlib.rcParams)
    for write in (png, svg):
        write(heat(CAT))
    assert pyplot.get_fignums() == []
    assert dict(matplotlib.rcParams) == before


def test_a_file_that_fails_leaves_the_settings_alone(monkeypatch):
    before = dict(matplotlib.rcParams)
    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        svg(heat(CAT))
    assert dict(matplotlib.rcParams) == before


# ------------------------------------------------------------------------------------------------------ writing


def test_formats_are_known_by_name(tmp_path):
    made = VIEWS["cross"]
    starts = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
    for kind, start in starts.items():
        assert made.write(kind).startswith(start)
    made.save(tmp_path / "it.svg")
    assert (tmp_path / "it.svg").read_bytes() == made.write("svg")
    for kind in ("gif", "", "PNG", "../png"):
        with pytest.raises(UnknownNameError, match="unknown format") as refused:
            made.write(kind)
        assert "svg" in refused.value.facts["accepted"]


def test_every_panel_is_a_vector_picture_too():
    for name in ("grid", "lines", "strip", "profile", "picture", "pair"):
        assert ElementTree.fromstring(svg(VIEWS[name])).get("viewBox")
    assert len(PdfReader(io.BytesIO(pdf(VIEWS["picture"]))).pages) == 1  # the others' PDFs are read elsewhere
