"""The pages of lessons and their files under /api/v1."""

import json
import re
from html import unescape
from html.parser import HTMLParser

import pytest

from app.lessons.format import FORMAT
from app.lessons.shelf import ORDER

HOSTILE = {
    "format": FORMAT,
    "version": 1,
    "name": "owls",
    "language": "en",
    "title": "</title><script>alert(1)</script>",
    "summary": '"><img src=x onerror=alert(1)>',
    "blocks": [
        {"type": "text", "markdown": "</div></article><script>alert(1)</script>\n\n# </h2><svg onload=alert(1)>"},
        {"type": "view", "caption": "<b onclick=alert(1)>", "show": ["table", "grid"],
         "address": "text=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&lang=ko&theme=dark&layer=1&head=2"},
        {"type": "view", "address": "model=shapes"},
    ],
}  # fmt: skip


class Elements(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture(scope="module")
def school(tmp_path_factory, serve):
    """A server without models, with a hostile lesson of a school's own, in English only."""
    folder = tmp_path_factory.mktemp("lessons")
    (folder / "owls.json").write_text(json.dumps(HOSTILE))
    with serve(cache=tmp_path_factory.mktemp("cache"), fetch_on_start=False, lessons_dir=folder) as client:
        yield client


def titles(html: str) -> list[str]:
    return [unescape(one) for one in re.findall(r'<h2><a href="/lessons/[^"]+" dir="auto">([^<]+)</a>', html)]


def test_the_list_names_every_lesson_in_the_readers_language(school):
    english, korean = (school.get(f"/lessons?lang={lang}") for lang in ("en", "ko"))
    assert titles(english.text)[0] == "What attention computes"
    assert titles(korean.text)[0] == "어텐션은 무엇을 계산할까요?"
    assert len(titles(english.text)) == len(titles(korean.text)) == 7
    assert [one["href"] for one in Elements(korean.text).of("a") if one["href"].startswith("/lessons/")] == [
        f"/lessons/{name}?lang=ko" for name in (*ORDER, "owls")
    ]
    assert school.head("/lessons").status_code == 200


def test_only_a_lesson_may_hold_frames_and_only_ours(school):
    policies = {
        path: school.get(path).headers["content-security-policy"] for path in ("/", "/lessons", "/lessons/sink")
    }
    assert policies["/lessons/sink"] == policies["/"] + "; frame-src 'self'"
    assert policies["/lessons"] == policies["/"]
    assert "script-src 'self';" in policies["/"]


def test_a_lesson_has_views_contents_and_neighbours(school):
    page = school.get("/lessons/translation?lang=ko")
    elements = Elements(page.text)
    assert page.headers["content-language"] == "ko"
    frames = elements.of("iframe")
    assert [frame["src"].partition("?")[0] for frame in frames] == ["/embed"] * 4
    assert frames[1]["src"].endswith("&lang=ko&show=lines")
    assert all(frame["loading"] == "lazy" for frame in frames)
    assert frames[1]["title"] == "대화형 그림: 선, 한국어–영어, L1 H3: 나는 학교에 갔다"
    contents = [one["href"][1:] for one in elements.of("a") if one["href"].startswith("#part")]
    assert contents == [one["id"] for one in elements.of("h2") if "id" in one]
    around = [one["href"] for one in elements.of("a") if one["href"].startswith("/lessons/")]
    assert around == ["/lessons/sink?lang=ko", "/lessons/induction?lang=ko"]
    assert "<math" in school.get("/lessons/attention").text


@pytest.mark.parametrize("name", ["nothing", "%2e%2e", "owls.json", "owls.en", "SINK", "%00", "%ff"])
def test_what_is_no_lesson_is_the_list_with_404(school, name):
    page = school.get(f"/lessons/{name}")
    assert page.status_code == 404
    assert "No lesson of this name" in page.text
    assert len(titles(page.text)) == 7
    reply = school.get(f"/api/v1/lessons/{name}")
    assert (reply.status_code, reply.json()["type"]) == (404, "/problems/not-found")


def test_a_lesson_of_strangers_breaks_nothing(school):
    page = school.get("/lessons/owls?lang=ko")
    elements = Elements(page.text)
    scripts = [one for one in elements.of("script") if one.get("type") != "application/json"]
    assert [one.get("src", "").startswith("/static/") for one in scripts] == [True, True, True]
    assert not [one for one in elements.found if any(name.startswith("on") for name in one[1])]
    assert elements.of("img")[0]["src"].startswith("/figure.svg?")
    first, second = elements.of("iframe")
    assert first["src"].startswith("/embed?text=%22%3E%3Cscript%3E")
    assert first["src"].endswith("&layer=1&head=2&lang=ko&show=table%2Cgrid")
    assert second["src"] == "/embed?model=shapes&lang=ko"
    printed = [one["src"] for one in elements.of("img") if one.get("class") == "printed"]
    assert [re.findall("figure=([a-z]+)", source) for source in printed] == [["heatmap"], ["grid"], []]
    assert '<article lang="en">' in page.text
    assert "</div></article><script>" not in page.text
    listed = school.get("/lessons?lang=ko").text
    assert "영어 수업만 있어요" in listed


def test_files_travel_as_they_are_written(school):
    listed = school.get("/api/v1/lessons?lang=ko").json()["lessons"]
    assert [one["name"] for one in listed] == [*ORDER, "owls"]
    assert listed[2] == {"name": "sink", "title": "싱크: 왜 모두 첫 토큰을 볼까요?", "summary": listed[2]["summary"],
                         "minutes": 15, "language": "ko", "languages": ["en", "ko"]}  # fmt: skip
    assert (listed[6]["language"], listed[6]["minutes"]) == ("en", None)
    reply = school.get("/api/v1/lessons/owls?lang=ko")
    assert reply.content == json.dumps(HOSTILE).encode()
    assert reply.headers["content-type"] == "application/json"
    again = school.get("/api/v1/lessons/owls", headers={"If-None-Match": reply.headers["etag"]})
    assert again.status_code == 304
    assert school.get("/api/v1/lessons?text=x").json()["type"] == "/problems/unknown-parameter"
    assert school.get("/api/v1/lessons/sink?lang=fr").status_code == 422


def test_every_page_leads_to_the_lessons(school):
    for path, current in [("/", "Explore"), ("/lessons", "Lessons"), ("/lessons/sink", "Lessons")]:
        header = school.get(path).text.partition("</header>")[0]
        assert re.findall(r'aria-current="page">([^<]+)<', header) == [current]
        assert 'href="/lessons"' in header
