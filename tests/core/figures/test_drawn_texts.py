"""Texts of drawn pictures: exactly the letters that were typed, in fonts that travel with us."""

import io
import re
import time
import warnings
from itertools import pairwise
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from hand_drawn import CAT, SENTENCES, VIEWS, heat, lines, script, strip, weights
from matplotlib import font_manager
from matplotlib.backends import backend_agg
from matplotlib.font_manager import FontManager, get_font
from matplotlib.text import Text
from pypdf import PdfReader

from attention_core.errors import InputError
from attention_core.figures import fonts
from attention_core.figures.matplotlib_writer import pdf, png, svg, to_matplotlib
from attention_core.figures.matplotlib_writer.measuring import fitted, width, wrapped
from attention_core.figures.matplotlib_writer.sheet import Sheet, Type

AS_TYPED = ["<b>", "<br>", "&lt;", "<a href=x>", "$$", r"$\frac{", "%{x}", "_^{}", "</text>", "]]>", "شجرة", "나는"]
SPACE = "{http://www.w3.org/2000/svg}"


def texts(drawing):
    """name -> text of everything that is written on it."""
    return {text.get_gid(): text.get_text() for text in drawing.axes[0].texts}


def in_svg(figure):
    return ["".join(text.itertext()) for text in ElementTree.fromstring(svg(figure)).iter(f"{SPACE}text")]


def in_pdf(figure):
    return PdfReader(io.BytesIO(pdf(figure))).pages[0].extract_text()


# ------------------------------------------------------------------------------------------- as they were typed


def test_hostile_tokens_stand_in_every_format_as_typed():
    figure = heat(AS_TYPED, numbered=False)
    assert len(png(figure)) > 1000
    drawn = texts(to_matplotlib(figure))
    tree = ElementTree.fromstring(svg(figure))
    in_tree = ["".join(text.itertext()) for text in tree.iter(f"{SPACE}text")]
    for place, token in enumerate(AS_TYPED):
        assert drawn[f"row-{place}"] == drawn[f"column-{place}"] == token
        assert in_tree.count(token) == 2
    assert not [one for one in tree.iter() if one.tag.removeprefix(SPACE) in ("a", "b", "br", "script")]
    found = in_pdf(figure)
    assert [token for token in AS_TYPED if token not in found] == []


def test_the_title_and_the_caption_are_as_typed_too():
    figure = heat(["a"], numbered=False)
    object.__setattr__(figure, "title", "$$ <b>")
    object.__setattr__(figure, "caption", (r"$\alpha$ <i>",))
    assert {"$$ <b>", r"$\alpha$ <i>"} < set(in_svg(figure))
    assert ElementTree.fromstring(svg(figure)).find(f"{SPACE}title").text == "$$ <b>"


def test_nobodys_own_settings_reach_the_picture():
    made = heat(["[CLS]", "$a$"])
    plain = [write(made) for write in (png, svg, pdf)]
    theirs = {"text.usetex": True, "text.hinting": "force_autohint", "svg.fonttype": "path", "font.size": 30}
    with matplotlib.rc_context(theirs | {"pdf.fonttype": 3, "pdf.compression": 0, "text.color": "red"}):
        assert [write(made) for write in (png, svg, pdf)] == plain


def test_texts_of_an_svg_are_texts_in_named_fonts():
    """Whoever has the fonts sees them; others get their own."""
    tree = ElementTree.fromstring(svg(heat(["[CLS]", "나는", "🐱"])))
    style = {"".join(text.itertext()): text.get("style") for text in tree.iter(f"{SPACE}text")}
    assert "font-family: 'Noto Sans CJK JP', sans-serif" in style["나는"]
    assert "font-family: 'Noto Emoji', sans-serif" in style["🐱"]
    assert "font-family: 'Noto Sans', sans-serif; font-style: italic" in style["[CLS]"]
    assert not any("Attention Atlas" in one for one in style.values())


# ---------------------------------------------------------------------------------------------------- fonts


@pytest.mark.parametrize("name", [name for name in SENTENCES if name != "missing"])
def test_every_script_has_its_letters(name):
    """Each glyph is there: matplotlib would warn of one that is not, and a warning is an error here."""
    assert fonts.missing([SENTENCES[name]]) == ()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        png(script(name))
        svg(script(name))
    for token in SENTENCES[name].split():
        known = [fonts.faces()[one] for one in fonts.names(token)]
        font = get_font([str(face.file) for face in known])
        font.set_size(20, 72)
        font.set_text(token)
        font.draw_glyphs_to_bitmap()
        assert font.get_image().any()


def test_korean_arabic_and_japanese_can_be_found_in_a_pdf():
    for name in ("korean", "chinese", "arabic", "emoji"):
        found = in_pdf(script(name))
        for token in SENTENCES[name].split():
            assert token in found


def test_the_fonts_of_a_pdf_are_inside():
    for name, kinds in (("arabic", {"/Type0"}), ("korean", {"/Type3"})):
        held = PdfReader(io.BytesIO(pdf(script(name)))).pages[0]["/Resources"]["/Font"]
        assert {font["/Subtype"] for font in held.values()} == kinds
        for font in held.values():
            if font["/Subtype"] == "/Type3":
                assert font["/CharProcs"]
            else:
                assert "/FontFile2" in font["/DescendantFonts"][0]["/FontDescriptor"]


def test_a_letter_that_no_font_has_is_spelled_and_the_caption_says_so():
    drawn = texts(to_matplotlib(script("missing")))
    assert [drawn[f"row-{place}"] for place in range(4)] == ["a", "U+10FFF0", "b", "U+12345"]
    assert drawn["caption-0"].startswith("U+XXXX stands for")
    assert not any(one.startswith("U+XXXX") for one in texts(to_matplotlib(script("hindi"))).values())
    korean = texts(to_matplotlib(heat(["\U0010fff0"], language="ko")))
    assert any("U+XXXX는" in one for one in korean.values())


def test_joiners_and_variation_selectors_are_not_missing():
    for text in ("क्\u200dष", "❤\ufe0f", "👩\u200d👧", "می\u200cخواهم"):
        assert fonts.spelled(text) == text
    assert fonts.missing(["x\U000fffff y\U000fffff"]) == ("\U000fffff",)


def test_letters_of_one_script_come_from_one_face():
    """Otherwise they would not join. Latin beside them keeps its own face where the script's has none."""
    assert fonts.names("क्षत्रिय") == ("Noto Sans Devanagari",)
    assert fonts.names("the") == ("Noto Sans",)
    assert fonts.names("갔다 the")[0] == "Noto Sans CJK JP"
    assert fonts.names("[SEP]", italic=True) == ("Noto Sans Italic",)
    assert fonts.names("나는", italic=True) == ("Noto Sans CJK JP",)  # there are no slanted ones


def test_a_chinese_character_has_the_shape_that_its_readers_know():
    """骨 and 直 are written in other ways in China and Japan; one font has both, told apart by the text around."""

    def label(others):
        drawing = to_matplotlib(heat(["直骨", others], numbered=False))
        text = next(one for one in drawing.axes[0].texts if one.get_gid() == "row-0")
        assert text.get_text() == "直骨"
        return text.get_language()

    assert [label("去"), label("ます"), label("갔다"), label("the")] == ["zh-Hans", "ja", "ko", "zh-Hans"]
    shapes = set()
    for language in ("zh-Hans", "ja"):
        sheet = Sheet(60, 30, language=language)
        sheet.text(5, 15, "直骨", Type(20, "#000000"))
        sheet.drawing.canvas.draw()
        shapes.add(bytes(sheet.drawing.canvas.buffer_rgba()))
    assert len(shapes) == 2


def test_no_font_of_the_machine_is_needed(monkeypatch):
    """With a matplotlib that knows no font of the system every picture is the same."""
    before = {name: png(script(name)) for name in SENTENCES}
    search = font_manager.findSystemFonts

    def search_told(paths=None, **how):
        return search(paths, **how) if paths else []

    monkeypatch.setattr(font_manager, "findSystemFonts", search_told)
    bare = FontManager()
    ours = str(matplotlib.get_data_path())
    assert all(entry.fname.startswith(ours) for entry in bare.ttflist)
    for module, name in ((font_manager, "fontManager"), (backend_agg, "_fontManager"), (fonts, "fontManager")):
        monkeypatch.setattr(module, name, bare)
    fonts.faces.cache_clear()
    fonts.faces()
    try:
        assert {name: png(script(name)) for name in SENTENCES} == before
    finally:
        fonts.faces.cache_clear()


def test_without_the_packages_letters_are_spelled(monkeypatch):
    """DejaVu comes with matplotlib and is always there; no picture fails for want of a font."""
    held = fonts.faces()
    only = {"DejaVu Sans": held["DejaVu Sans"]}
    caches = (fonts.spelled, fonts._chosen, fonts._face_of)
    for cache in caches:
        cache.cache_clear()
    monkeypatch.setattr(fonts, "faces", lambda: only)
    try:
        assert texts(to_matplotlib(heat(["나는", "the"])))["row-0"] == "U+B098U+B294"
    finally:
        for cache in caches:
            cache.cache_clear()


def test_the_faces_are_ours_whatever_the_machine_calls_its_own():
    files = {face.family: str(face.file) for face in fonts.faces().values()}
    for family, file in files.items():
        assert font_manager.fontManager.findfont(family, fallback_to_default=False) == file
        assert fonts.name_of(family) in fonts.faces()
    assert fonts.name_of("DejaVu Sans") is None


# ---------------------------------------------------------------------------------------- widths, cut and broken


def test_widths_are_those_of_the_drawn_letters():
    drawing = to_matplotlib(heat(["unbelievably", "나는 학교", "it"], numbered=False))
    drawing.set_dpi(4 * 96)  # so large that single dots do not count
    renderer = drawing.canvas.get_renderer()
    for text in drawing.axes[0].texts:
        if (text.get_gid() or "").startswith("row-"):
            drawn = text.get_window_extent(renderer).width / 4
            assert drawn == pytest.approx(width(text.get_text(), 13), abs=2)


def test_dollars_take_room_as_letters_do():
    """A formula would be drawn narrower than its source: four letters and a backslash fewer."""
    assert width(r"$\alpha$", 13) == pytest.approx(width(r"$\alphab", 13), rel=0.1)


def test_what_is_too_wide_is_cut_as_late_as_possible():
    cut = fitted("unbelievably long", 13, 80)
    assert cut.endswith("…")
    assert width(cut, 13) <= 80 < width("unbelievably long"[: len(cut)] + "…", 13)
    assert fitted("it", 13, 80) == "it"
    assert fitted("it", 13, 1) == "…"


def test_lines_are_broken_between_words_and_addresses_after_signs():
    text = "Rows look, columns are looked at. https://atlas.example/?text=The+cat+sat+on+the+mat&layer=3"
    broken = wrapped(text, 11, 200, 9)
    assert all(width(line, 11) <= 200 for line in broken)
    assert "".join(broken).replace(" ", "") == text.replace(" ", "")
    assert all(line[-1] in "&?/=+" for line in broken[2:-1])
    assert wrapped(text, 11, 200, 2)[-1].endswith("…")
    assert wrapped("가나다라마바사아자차카타파하" * 3, 11, 100, 9)[0] in "가나다라마바사아자차카타파하"
    assert wrapped("", 11, 100, 9) == ()
    # Only what is drawn is measured: a title as long as a file takes no minutes, and what it begins with stands there.
    before = time.process_time()
    lines = wrapped("A" * 200_000, 13, 400, 3)
    assert time.process_time() - before < 5
    assert len(lines) == 3
    assert lines[-1].endswith("A…")
    assert len(wrapped("ab " * 50_000, 13, 400, 3)) == 3


def test_labels_of_a_long_text_do_not_touch():
    count = 300
    drawing = to_matplotlib(heat([f"word{index}" for index in range(count)], numbered=False))
    rows = [text for text in drawing.axes[0].texts if re.fullmatch(r"row-\d+", text.get_gid() or "")]
    assert 30 < len(rows) < count
    boxes = [text.get_window_extent() for text in rows]
    assert all(lower.y1 <= upper.y0 + 2 for upper, lower in pairwise(boxes))


def test_the_chosen_tokens_label_is_among_them():
    tokens = [f"word{index}" for index in range(301)]
    drawn = texts(to_matplotlib(heat(tokens, numbered=False, chosen=(151, 298))))
    assert drawn["row-151"] == "word151"
    assert drawn["column-298"] == "word298"


@pytest.mark.parametrize("width", [160, 230, 480])
def test_everything_stays_on_the_paper_at_any_width(width):
    long = ["unbelievably"] * 9
    made = [heat(long, width=width), heat(long[:1], width=width), strip(long, width=width), lines(width=width)]
    for figure in (*made, heat(long, width=width, font_size=width / 12)):
        demand_on_paper(figure)


def test_letters_that_have_no_room_are_refused():
    with pytest.raises(InputError, match="accepted: 360 or more") as refused:
        to_matplotlib(heat(["a"], width=359, font_size=30))
    assert refused.value.facts["limit"] == 360


@pytest.mark.parametrize("figure", [*VIEWS.values(), heat(["a"]), heat(["x"] * 70, ["unbelievably"] * 2)])
def test_everything_stays_on_the_paper(figure):
    demand_on_paper(figure)


def demand_on_paper(figure):
    drawing = to_matplotlib(figure)
    wide, high = drawing.bbox.size
    if figure.style.width:
        assert wide == figure.style.width
    for text in drawing.findobj(Text):
        box = text.get_window_extent()
        assert text.get_text() == "" or (box.x0 >= -2 and box.y0 >= -2 and box.x1 <= wide + 2 and box.y1 <= high + 2), (
            text.get_text()
        )


def test_numbers_are_black_or_white_and_left_out_where_they_cannot_be_read():
    drawing = to_matplotlib(heat(["a"], ["b", "c"], values=[[0.1, 0.9]]))
    inks = {text.get_text(): text.get_color() for text in drawing.axes[0].texts if text.get_gid().startswith("number")}
    assert inks == {".10": "black", ".90": "white"}
    narrow = texts(to_matplotlib(heat(CAT * 3, values=weights(21), width=200)))
    assert not any(name.startswith("number") for name in narrow)


def test_the_bar_says_where_the_colours_end():
    drawn = texts(to_matplotlib(VIEWS["difference"]))
    assert [drawn[f"bar-{index}"] for index in range(3)] == ["−0.80", "0.00", "+0.80"]
    assert drawn["scale"] == "change"
    assert np.isin(["0", "1"], list(texts(to_matplotlib(VIEWS["strip"])).values())).all()
