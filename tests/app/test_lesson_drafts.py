"""A lesson in the making, over HTTP and on the command line: checked, rendered, exported; and strangers' lessons."""

import ast
import io
import json
import time
import zipfile
from html.parser import HTMLParser

import mistune
import nbformat
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from app.address import create_starts, load_examples
from app.cli import main
from app.figuring import read_wanted
from app.lessons.neutral import neutral
from app.lessons.notebook import code_of
from attention_core.figures import Figure

CAT = "text=The+cat+sat+on+the+mat+because+it+was+tired&model=minilm&layer=3&head=1&query=8&key=2"
ATTACK = "<script>alert(1)</script><img src=x onerror=alert(1)>"
ROUTES = ("check", "preview", "export?format=html")


def text(markdown):
    return {"type": "text", "markdown": markdown}


def view(address=CAT, **more):
    return {"type": "view", "address": address, **more}


def lesson(*blocks, **more):
    named = {"name": "owls", "language": "en", "title": "Owls", "summary": "What owls see"}
    return {"format": "attention-atlas-lesson", "version": 1, **named, "blocks": list(blocks or [text("Hi")]), **more}


def post(client, route, body):
    data = body if isinstance(body, bytes | str) else json.dumps(body)
    return client.post(f"/api/v1/lessons/{route}", content=data)


def files_of(reply):
    with zipfile.ZipFile(io.BytesIO(reply.content)) as packed:
        assert packed.testzip() is None
        return {name: packed.read(name) for name in packed.namelist()}


class Elements(HTMLParser):
    """The elements of a document, and its words."""

    def __init__(self, document):
        super().__init__()
        self.found, self.words = [], ""
        self.feed(document)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words += data


# ---- checking


def test_a_lesson_comes_back_as_it_was_read(empty):
    given = lesson(text("# Owls"), view(show=["grid"], caption="All *heads*"), minutes=5)
    reply = post(empty, "check", given)
    assert (reply.status_code, reply.json()) == (200, given)
    assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("{", "JSON"),
        ("[" * 100_000, "nested"),
        ({"blocks": []}, "no lesson"),
        (lesson(version=2), "version 2; accepted: 1"),
        (lesson(view("layer=x")), "blocks.0.address: layer: 'x' is none"),
        (lesson(text("a"), view("evil=1")), "blocks.1.address: unknown parameter 'evil'"),
        (lesson(text("\x00")), "blocks.0.markdown: holds the control character U+0000"),
        (lesson(name="../../etc/passwd"), "name: must be small letters"),
        (lesson(script="x"), "script: Extra inputs"),
        (lesson(*[text("a")] * 201), "blocks: List should have at most 200"),
    ],
)
@pytest.mark.parametrize("route", ROUTES)
def test_what_is_no_lesson_is_refused_with_its_place(empty, route, body, says):
    problem = post(empty, route, body)
    assert problem.status_code == 422
    assert problem.json()["type"] == "/problems/lesson"
    assert says in problem.json()["fault"]


@pytest.mark.parametrize("route", ROUTES)
def test_a_lesson_has_a_largest_size_and_comes_from_our_own_pages(empty, route):
    large = post(empty, route, b" " * (1024 * 1024 + 1))
    assert (large.status_code, large.json()["limit"]) == (413, 1024 * 1024)
    foreign = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    path = f"/api/v1/lessons/{route}"
    assert empty.post(path, content=json.dumps(lesson()), headers=foreign).status_code == 403
    known = f"{path}{'&' if '?' in path else '?'}no=1"
    assert empty.post(known, content=json.dumps(lesson())).json()["type"] == "/problems/unknown-parameter"
    assert empty.post("/api/v1/lessons/export?format=docx", content="{}").status_code == 422


# ---- rendering


def test_a_preview_is_what_the_lessons_page_shows(empty):
    blocks = [text(f"# Owls\n\n{ATTACK} $q \\cdot k$"), view(caption="*it* & cat", show=["strip", "table"])]
    shown, framed = post(empty, "preview?lang=ko", lesson(*blocks)).json()["blocks"]
    assert shown["headings"] == [{"id": "part-1", "text": "Owls"}]
    assert "<math" in shown["html"]
    assert {tag for tag, _ in Elements(shown["html"]).found} & {"script", "img"} == set()
    assert framed["caption"] == "<em>it</em> &amp; cat"
    assert framed["embed"].startswith("/embed?text=The+cat")
    assert framed["embed"].endswith("lang=ko&show=strip%2Ctable")
    assert ["figure=strip" in path for path in framed["pictures"]] == [True, False]
    assert (framed["parts"], framed["still"]) == (["strip", "table"], False)
    assert "L3 H1" in framed["title"]
    compared = post(empty, "preview", lesson(view(f"{CAT}&versus=A+dog+sat&view=difference"))).json()["blocks"][0]
    assert (compared["parts"], compared["still"]) == (["difference"], False)  # the frame compares by itself
    fleeting = post(empty, "preview", lesson(view(f"trace=file-{'0' * 40}"))).json()["blocks"][0]
    assert fleeting["still"] is True


# ---- exporting


@pytest.fixture(scope="module")
def whole():
    return lesson(
        text("## First\n\n[on](/lessons/sink) and [a paper](https://example.org/a) with $\\sqrt{d}$"),
        view(caption="Where *it* looks"),
        text("Then `<s>` and all heads:"),
        view(show=["grid", "table"]),
        view("image=gone&model=shapes"),
    )


def test_a_page_in_a_zip_stands_by_itself(client, whole):
    reply = post(client, "export?format=html", whole)
    assert 'filename="owls.zip"' in reply.headers["content-disposition"]
    files = files_of(reply)
    pictures = ["pictures/view-01.svg", "pictures/view-02.svg", "pictures/view-02-2.svg"]
    assert list(files) == ["index.html", "lesson.json", *pictures]
    assert json.loads(files["lesson.json"]) == whole
    page = Elements(files["index.html"].decode())
    images = [attributes for tag, attributes in page.found if tag == "img"]
    assert [image["src"] for image in images] == pictures
    assert "0.487" in images[0]["alt"]
    assert b">.49<" in files[pictures[0]]
    assert "The server no longer holds this picture." in page.words
    links = [attributes["href"] for tag, attributes in page.found if tag == "a"]
    assert "http://127.0.0.1:8000/lessons/sink" in links
    assert all(link.startswith(("http", "#")) for link in links)
    assert "script" not in {tag for tag, _ in page.found}


def test_markdown_in_a_zip_has_pictures_with_words(client, whole):
    files = files_of(post(client, "export?format=markdown", whole))
    assert list(files)[:3] == ["lesson.md", "lesson.json", "pictures/view-01.png"]
    assert files["pictures/view-01.png"].startswith(b"\x89PNG")
    page = Elements(mistune.html(files["lesson.md"].decode()))
    assert [attributes["src"] for tag, attributes in page.found if tag == "img"] == list(files)[2:]
    assert "0.487" in next(attributes for tag, attributes in page.found if tag == "img")["alt"]
    assert "Then <s> and all heads:" in page.words
    assert "View 1. Where it looks Open and change it" in page.words


def test_the_code_of_a_notebook_draws_what_is_in_it(client, whole):
    hidden = view(CAT.replace("query=8&key=2", "special=hide&view=lines"))
    given = {**whole, "language": "ko", "blocks": [*whole["blocks"][:4], hidden]}
    written = post(client, "export?format=notebook", given).content
    book = nbformat.reads(written.decode(), as_version=4)
    nbformat.validate(book)
    names: dict = {}
    drawn = []
    for cell in book.cells:
        if cell.cell_type != "code":
            continue
        *first, last = cell.source.split("\n")
        if not cell.outputs:
            exec(cell.source, names)
            continue
        exec("\n".join(first), names)
        figure = eval(last, names)
        assert isinstance(figure, Figure)
        assert cell.outputs[0].data["text/plain"] == figure.alt_text
        drawn.append(last.split("(")[0])
    assert drawn == ["heatmap", "grid", "heatmap", "lines"]


KNOWN = {"capture", "Example", "read_picture", "load_catalogue", "heatmap", "lines", "difference", "overlay", "grid"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("text=a&layer=1", "trace = capture('minilm', 'a')\nheatmap(trace, layer=1, head=0)"),
        (
            "text=a&pair=b&view=lines&words=1&query=1",
            "trace = capture('minilm', Example('a', pair='b'))\nlines(trace, layer=0, head=0, query=1, words=True)",
        ),
        (
            "text=a&versus=b&view=difference&scale=sqrt",
            "trace = capture('minilm', 'a')\nother = capture('minilm', 'b')\n"
            "difference(trace, other, layer=0, head=0, curve='sqrt')",
        ),
        (
            "model=shapes&image=two-blue-squares-top-left",
            "trace = capture('shapes', Example(image=read_picture(load_catalogue().entry('shapes')"
            ".samples['two-blue-squares-top-left'].read_bytes())))\noverlay(trace, layer=0, head=0)",
        ),
        (f"image={'a' * 40}&model=shapes", None),
        ("text=a+b&model=lab-0123456789abcdef", None),  # a name that its server alone knows
        ("text='%29%0Aimport+os%3B+%22%22%22%5C&off=encoder-self.0.1", "..."),
    ],
)
def test_the_code_of_a_view_says_what_its_address_does_and_nothing_more(query, code):
    wanted = read_wanted(query, "png", create_starts(load_examples(), "minilm"))
    made = code_of(wanted)
    assert code == "..." or made == code
    called = [node.func for node in ast.walk(ast.parse(made or "")) if isinstance(node, ast.Call)]
    names = {one.id if isinstance(one, ast.Name) else one.attr for one in called}
    assert names <= KNOWN | {"entry", "read_bytes"}


def test_the_command_line_writes_the_same_bytes(client, whole, tmp_path, capsys):
    (tmp_path / "it.json").write_text(json.dumps(whole))
    assert main(["lesson", str(tmp_path / "it.json"), "-o", str(tmp_path / "it.md.zip")]) == 0
    assert (tmp_path / "it.md.zip").read_bytes() == post(client, "export?format=markdown", whole).content
    assert "block 5: " in capsys.readouterr().err
    assert main(["lesson", str(tmp_path / "it.json"), "-o", str(tmp_path / "it.docx")]) == 2
    (tmp_path / "no.json").write_text("{}")
    assert main(["lesson", str(tmp_path / "no.json"), "-o", str(tmp_path / "no.zip")]) == 2
    assert not (tmp_path / "no.zip").exists()


def test_an_export_has_a_largest_number_of_views(empty):
    problem = post(empty, "export?format=html", lesson(*[view()] * 41)).json()
    assert (problem["type"], problem["limit"]) == ("/problems/lesson", 40)
    absent = files_of(post(empty, "export?format=html", lesson(view(), language="ko")))
    assert list(absent) == ["index.html", "lesson.json"]
    assert "minilm 모델을 아직 내려받지 않았어요." in absent["index.html"].decode()


def test_a_strangers_lesson_does_nothing_in_anybodys_reader(empty):
    attack = lesson(
        text(f"{ATTACK}\n\n[x](javascript:alert(1)) ![y](https://elsewhere.example/b.png) `{ATTACK}`"),
        view("text=%3Cscript%3Ealert(1)%3C%2Fscript%3E", caption=f"# {ATTACK} [z](data:text/html,x)"),
        title=f"] {ATTACK}",
        summary=ATTACK,
    )
    page = Elements(files_of(post(empty, "export?format=html", attack))["index.html"].decode())
    markdown = files_of(post(empty, "export?format=markdown", attack))["lesson.md"].decode()
    book = json.loads(post(empty, "export?format=notebook", attack).content)
    said = [cell["source"] for cell in book["cells"] if cell["cell_type"] == "markdown"]
    for document in (page, *(Elements(mistune.html(source)) for source in (markdown, *said))):
        harmful(document)
        assert "<script>alert(1)</script>" in document.words or document in (page,) or "alert" not in document.words
    assert page.words.count("<script>alert(1)</script>") >= 4


def harmful(document):
    for tag, attributes in document.found:
        assert tag not in ("script", "iframe", "object", "embed", "form", "svg"), tag
        assert not [name for name in attributes if name.startswith("on")]
        if tag == "img":
            assert attributes["src"].startswith(("pictures/", "attachment:", "http://127.0.0.1:8000/figure."))
        if tag == "a":
            assert attributes.get("href", "#").startswith(("http://", "https://", "#", "/")), attributes


PIECES = [
    *("<b>", "<script>", "</p>", "<!--", "<?x", "<a href=x>", "`", "``", "```\n", "~~~\n", "\\", "\n", "\n\n", "    "),
    *("[", "]", "](", "](javascript:x)", "]: javascript:y\n", ")", "![", "<https://a.example>", "<javascript:x>"),
    *("&lt;", "&#106;avascript:", "> ", "- ", "1. ", "| a |\n|---|\n", "*", "_", "x", " ", "$"),
    *("](/lessons/sink)", "](//a.example)", "]: &#106;s:z\n"),
]


@settings(max_examples=300, deadline=None)
@example("`\n\n![](javascript:x)`")  # what looks like code, and is none
@example("`\n\n![a](https://elsewhere.example/b.png)`")
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_no_markdown_is_harmful_once_it_is_neutral(markdown):
    made = neutral(markdown, "http://127.0.0.1:8000")
    careless = MarkdownIt("commonmark", {"html": True}).enable("table")
    careless.validateLink = lambda _: True
    for read in (mistune.html, careless.render):
        harmful(Elements(read(made)))


def test_what_is_harmless_stays_as_it_was():
    plain = "# A\n\na < b, `<s>` and **x** $a$ <https://a.example>\n\n```\n<s>\n```\n\n[a](https://b.example) [c](#d)\n"
    assert neutral(plain, "http://x") == plain
    assert neutral("[a](/lessons/b) ![c](/figure.png?text=d)", "http://x") == (
        "[a](http://x/lessons/b) ![c](http://x/figure.png?text=d)"
    )


@pytest.mark.parametrize("piece", ["\n>", "[a\n", "`a", "~~~a\n```b\n", "![", "]( "])
def test_no_text_keeps_an_export_busy(piece):
    began = time.process_time()
    neutral((piece * 20_000)[:20_000], "http://x")
    assert time.process_time() - began < 5
