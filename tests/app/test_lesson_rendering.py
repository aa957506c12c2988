"""Markdown of strangers: what is shown, and that nothing of it runs, loads or breaks out."""

import time
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.lessons.formulas import ELEMENTS, formula
from app.lessons.rendering import TAGS, render, render_line


class Seen(HTMLParser):
    """Elements and attributes as a parser finds them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]


def harmless(html: str) -> bool:
    """Only what may stay: known elements, no handlers, links to the web or to ourselves, pictures of ours."""
    seen = Seen(html)
    return (
        set(seen.tags) <= TAGS | ELEMENTS
        and not [one for one in seen.attributes if one[1].startswith("on") or one[1] in ("srcset", "formaction")]
        and all(value.startswith("/figure.") for _, name, value in seen.attributes if name == "src")
        and all(
            ":" not in value.partition("/")[0] or value.startswith(("http://", "https://"))
            for _, name, value in seen.attributes
            if name == "href"
        )
        and all(value.startswith("text-align:") for _, name, value in seen.attributes if name == "style")
    )


def test_markdown_becomes_html():
    text = render("# One\n\n*a* **b** `c`\n\n| l | r |\n|---|--:|\n| 1 | 2 |\n\n## Two $x$\n\n### Three", first=4)
    assert text.html.startswith('<h2 id="part-4">One</h2>\n<p><em>a</em> <strong>b</strong> <code>c</code></p>')
    assert '<td style="text-align:right">2</td>' in text.html
    assert "<h3>Three</h3>" in text.html
    assert [(one.id, one.text) for one in text.headings] == [("part-4", "One"), ("part-5", "Two x")]
    assert render_line("see *it*, $d_k$").startswith("see <em>it</em>, ")


def test_levels_of_headings_are_not_skipped():
    assert Seen(render("#### a\n###### b\n# c\n###### d\n###### e\n###### f").html).tags == [
        "h2", "h3", "h2", "h3", "h4", "h4"]  # fmt: skip


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)><script>1</script></svg>",
        "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>",
        "<iframe src=//evil.example></iframe>",
        "</div></article><style>*{display:none}</style>",
        "[a](javascript:alert(1))",
        "[a](JaVaScRiPt&#58;alert(1))",
        "[a](java\tscript:alert(1))",
        "[a](vbscript:x) [b](data:text/html,<script>1</script>) [c](file:///etc/passwd) [d](blob:x)",
        "<javascript:alert(1)>",
        "[a]: javascript:alert(1)\n\n[a]",
        "![x](https://evil.example/pixel.png)",
        "![x](data:image/svg+xml;base64,PHN2Zz48L3N2Zz4=)",
        "![x](//evil.example/figure.svg?a)",
        "![x](/figure.svg?a=1\" onerror=\"alert(1))",
        "![\" onerror=\"alert(1)](/figure.svg?text=a)",
        "[x](https://a.example \"t\" onclick=\"alert(1)\")",
        "$\\text{<script>alert(1)</script>}$",
        "$\\text{</mtext></math><img src=x onerror=alert(1)>}$",
        "$\\href{javascript:alert(1)}{x}$",
        "$\\style{background:url(https://evil.example)}{x}$ $\\class{prose}{x}$",
        "$\\color{red\" onmouseover=\"alert(1)}{x}$",
        "$\\begin{array}{c\" onload=\"x}1\\end{array}$",
        "$$\n<b onclick=x>\n$$",
        "# <img src=x onerror=alert(1)>",
        "| <script> | b |\n|---|---|\n| <a href=javascript:x>y</a> | c |",
        "```html\"><script>\n<script>1</script>\n```",
        "<!-- --><script>1</script>",
        "&lt;script&gt; &#60;script&#62;",
    ],
)  # fmt: skip
def test_what_is_hostile_is_harmless(source):
    for html in (render(source).html, render_line(source)):
        assert harmless(html), html
        assert "<script" not in html
        assert "evil.example" not in "".join(str(value) for _, name, value in Seen(html).attributes if name != "href")


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from("<>\"'&;:/\\[]()!$*_`#|-{}^~ \n\tajsrx=0"), max_size=80))
def test_whatever_is_written_is_harmless(source):
    assert harmless(render(source).html)


def test_markup_is_shown_as_typed():
    for typed in ("<b>", "<br>", "&lt;", "<a href=x>"):
        shown = render_line(typed.replace("&", "\\&"))
        assert shown == typed.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def test_pictures_of_ours_stay_and_others_are_their_words():
    ours = render_line("![the cat](/figure.svg?text=cat&layer=3)")
    assert ours == '<img src="/figure.svg?text=cat&amp;layer=3" alt="the cat" loading="lazy">'
    assert render_line("![the cat](https://a.example/cat.png)") == "the cat"


def test_links_do_not_open_doors():
    assert render_line("[a](https://a.example)") == '<a href="https://a.example" rel="noopener">a</a>'
    assert render_line("[a](/lessons/sink)") == '<a href="/lessons/sink" rel="noopener">a</a>'


def test_formulas_are_mathml():
    assert formula("\\frac{q \\cdot k}{\\sqrt{d_k}}", block=True) == (
        '<math display="block"><mrow><mfrac><mrow><mi>q</mi><mo>·</mo><mi>k</mi></mrow><mrow><msqrt><mrow><msub>'
        "<mi>d</mi><mi>k</mi></msub></mrow></msqrt></mrow></mfrac></mrow></math>"
    )
    assert "<math" in render("so $a < b$ and $$\nx\n$$").html
    assert "&lt;" in formula("a < b", block=False)


@pytest.mark.parametrize("latex", ["\\frac{", "\\left(", "x^y^z", "{" * 500 + "}" * 500, "\\sqrt" * 190, "x" * 1001])
def test_a_bad_formula_is_shown_as_typed(latex):
    assert formula(latex, block=False) == f"<code>${latex}$</code>"
    assert formula(latex, block=True) == f"<code>$${latex}$$</code>"


def test_money_is_no_formula():
    assert render_line("It costs $5, or $6 with milk.") == "It costs $5, or $6 with milk."


@pytest.mark.parametrize(
    "source",
    ["[" * 20_000, "![" * 10_000, "*a_" * 6_600, ">" * 20_000, "$x" * 10_000, "`a``" * 5_000, "- " * 10_000,
     "<" * 20_000, "|" * 20_000, "# a\n" * 5_000, "$" + "ab" * 495 + "$ ",
     ("$" + "{" * 99 + "x" + "}" * 99 + "$ ") * 99],
)  # fmt: skip
def test_deep_and_long_texts_end_soon(source):
    begin = time.perf_counter()
    assert harmless(render(source).html)
    assert time.perf_counter() - begin < 20  # under 0.3 s on a quiet machine


def test_a_column_without_a_name_has_no_heading():
    html = render("| | weight |\n|---|--:|\n| cat | 0.49 |").html
    assert Seen(html).tags == ["table", "thead", "tr", "td", "th", "tbody", "tr", "td", "td"]
