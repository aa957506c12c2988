"""Lesson files: what is read, and what is refused by name."""

import json
import logging

import pytest

from app.lessons.format import LANGUAGES, Lesson, read_lesson
from app.lessons.shelf import ORDER, Shelf
from attention_core.errors import InputError

VIEW = {"type": "view", "address": "text=Owls+see&layer=3&head=1", "show": ["strip", "heatmap"], "caption": "Look."}


def lesson(**more) -> dict:
    usual = {"format": "attention-atlas-lesson", "version": 1, "name": "owls", "language": "en", "title": "Owls",
             "summary": "What owls see.", "blocks": [{"type": "text", "markdown": "# Owls"}, VIEW]}  # fmt: skip
    return usual | more


def written(**more) -> bytes:
    return json.dumps(lesson(**more)).encode()


def view(**more) -> list[dict]:
    return [VIEW | more]


def test_a_lesson_is_read():
    read = read_lesson(written(minutes=10))
    assert (read.name, read.minutes, [block.type for block in read.blocks]) == ("owls", 10, ["text", "view"])
    assert json.loads(read.model_dump_json(exclude_none=True)) == lesson(minutes=10)
    assert read_lesson(written(language="ko", title="부엉이 🦉")).title == "부엉이 🦉"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not valid JSON"),
        (b"\xff\xfe{}", "not valid JSON in UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 50_000, "nested too deeply"),
        (b'{"format": "attention-atlas-lesson", "format": 1}', "a key stands twice"),
        (b'{"format": "attention-atlas-lesson", "version": NaN}', "NaN is not JSON"),
        (b'{"format": "attention-atlas-lesson", "version": ' + b"9" * 5000 + b"}", "not valid JSON"),
        (b"[]", "no lesson"),
        (b'{"format": "slides"}', 'accepted: a JSON object with "format": "attention-atlas-lesson"'),
        (written(version=2), "version 2; accepted: 1"),
        (written(version=True), "version True; accepted: 1"),
        (written(version="1"), "accepted: 1"),
        (b" " * (1024 * 1024 + 1), "has 1048577 bytes; accepted: at most 1048576"),
        (written(script="alert(1)"), "script: Extra inputs are not permitted"),
        (written(name="../owls"), "name: must be small letters"),
        (written(name="owls-"), "name: must be small letters"),
        (written(title="a\nb"), "title: must be one line"),
        (written(title="a\u2028b"), "title: must be one line"),
        (written(title=" "), "title: is empty"),
        (written(title="a\x1b[31m"), "control character U\\+001B"),
        (written(title="\ud800"), "title: .*unicode"),
        (written(language="fr"), "language: Input should be 'en' or 'ko'"),
        (written(minutes=0), "minutes: "),
        (written(minutes="5"), "minutes: Input should be a valid integer"),
        (written(blocks=[]), "blocks: "),
        (written(blocks=[{"type": "text", "markdown": "x"}] * 201), "blocks: List should have at most 200 items"),
        (written(blocks=[{"type": "html", "markdown": "x"}]), "blocks.0: Input tag 'html'"),
        (written(blocks=[{"type": "text", "markdown": "x" * 20_001}]), "blocks.0.markdown: .*at most 20000 characters"),
        (written(blocks=view(address="text=" + "x" * 8192)), "blocks.0.address: .*at most 8192 characters"),
        (written(blocks=view(address="")), "address: is empty"),
        (written(blocks=view(address="?")), "address: must be a query string"),
        (written(blocks=view(address="https://elsewhere.example/?text=a")), "unknown parameter 'https://elsewhere"),
        (written(blocks=view(address="javascript:alert(1)")), "unknown parameter 'javascript:"),
        (written(blocks=view(address="text=a&src=x")), "unknown parameter 'src'; accepted: text, pair"),
        (written(blocks=view(address="text=a&layer=-1")), "layer: '-1' is none; accepted: a whole number"),
        (written(blocks=view(address="text=a&layer=1&layer=2")), "layer: is given twice"),
        (written(blocks=view(show=[])), "blocks.0.show: List should have at least 1 item"),
        (written(blocks=view(show=["grid", "grid"])), "show: names a part twice"),
        (written(blocks=view(show=["script"])), "blocks.0.show.0: Input should be 'heatmap'"),
        (written(blocks=view(caption="a\nb")), "caption: must be one line"),
        (written(blocks=view(onload="x")), "blocks.0.onload: Extra inputs"),
    ],
)
def test_what_is_no_lesson_is_refused_with_its_place(data, said):
    with pytest.raises(InputError, match=said):
        read_lesson(data)


def test_many_faults_are_ten_lines_at_most():
    with pytest.raises(InputError, match=r"blocks\.9\.markdown: .*; and 190 more$") as refused:
        read_lesson(written(blocks=[{"type": "text", "markdown": ""}] * 200))
    assert len(str(refused.value)) < 1000


# ---- the shelf


def test_our_six_lessons_stand_in_both_languages_and_say_the_same():
    shelf = Shelf()
    assert shelf.names == ORDER
    for name in ORDER:
        assert shelf.languages(name) == LANGUAGES
        english, korean = (shelf.find(name, lang).lesson for lang in LANGUAGES)
        assert [shape(one) for one in english.blocks] == [shape(one) for one in korean.blocks], name
        assert (english.language, korean.language) == LANGUAGES


def shape(block):
    """What does not depend on the language."""
    return (block.type, block.address, block.show) if block.type == "view" else block.type


@pytest.fixture
def folder(tmp_path, caplog):
    """Puts files into a school's folder; what the shelf then says of those that it left out, by their names."""
    caplog.set_level(logging.WARNING, logger="attention_atlas")

    def put(**files: bytes) -> tuple[Shelf, dict[str, str]]:
        for name, data in files.items():
            (tmp_path / name.replace("__", ".")).write_bytes(data)
        caplog.clear()
        shelf = Shelf(tmp_path)
        lines = [record.getMessage() for record in caplog.records]
        return shelf, {line.split("'")[1]: line for line in lines}

    return put


def test_a_school_has_lessons_of_its_own(folder):
    shelf, left_out = folder(
        owls__json=written(), birds__ko__json=written(name="birds", language="ko"),
        sink__json=written(name="sink", title="Our sink"), notes__txt=b"",
    )  # fmt: skip
    assert left_out == {}
    assert shelf.names == (*ORDER, "birds", "owls")
    assert (shelf.languages("owls"), shelf.languages("birds")) == (("en",), ("ko",))
    assert shelf.find("birds", "en").lesson.language == "ko"
    assert [shelf.find("sink", lang).lesson.title == "Our sink" for lang in LANGUAGES] == [True, False]
    assert shelf.find("nothing", "en") is None


def test_bad_files_are_named_and_left_out(folder, tmp_path):
    secret = tmp_path.parent / "secret.json"
    secret.write_bytes(b"a secret")
    (tmp_path / "link.json").symlink_to(secret)
    (tmp_path / "gone.json").symlink_to(tmp_path / "nowhere")
    (tmp_path / "dir.json").mkdir()
    (tmp_path / "a\nb.json").write_bytes(written())
    shelf, left_out = folder(
        broken__json=b"{", other__json=written(), owls__ko__json=written(), Upper__json=written(),
        good__json=written(name="good"), large__json=b" " * 2_000_000,
    )  # fmt: skip
    assert shelf.names == (*ORDER, "good")
    assert "a secret" not in left_out["link.json"]
    assert "it is no file" in left_out["dir.json"]
    assert "accepted: 'other', as the file is called" in left_out["other.json"]
    assert "accepted: 'ko', as the file is called" in left_out["owls.ko.json"]
    assert "small letters, digits, hyphens" in left_out["Upper.json"]
    assert "accepted: at most 1048576" in left_out["large.json"]
    assert set(left_out) == {"link.json", "gone.json", "dir.json", r"a\nb.json", "broken.json", "other.json",
                             "owls.ko.json", "Upper.json", "large.json"}  # fmt: skip
    assert all("\n" not in line for line in left_out.values())


def test_a_folder_that_is_not_there_is_named(tmp_path, caplog):
    assert Shelf(tmp_path / "nothing").names == ORDER
    assert "cannot be read" in caplog.text


def test_the_schema_is_published(empty):
    api = empty.get("/api/v1/openapi.json").json()
    schema = api["components"]["schemas"]["Lesson"]
    assert set(schema["properties"]) == set(Lesson.model_fields)
    routes = {path.removeprefix("/api/v1/lessons"): route for path, route in api["paths"].items() if "/lessons" in path}
    told = {
        path: [one["name"] for way in route.values() for one in way["parameters"]] for path, route in routes.items()
    }
    assert told == {
        "": ["lang"],
        "/{name}": ["name", "lang"],
        "/check": [],
        "/preview": ["lang"],
        "/export": ["format"],
    }
    body = routes["/check"]["post"]["requestBody"]["content"]["application/json"]
    assert body["schema"] == {"$ref": "#/components/schemas/Lesson"}
