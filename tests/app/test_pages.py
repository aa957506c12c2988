"""Pages, static files, headers, settings."""

import json
import re

import pytest
from pydantic import ValidationError

from app import cli
from app.lanes import Lane
from app.pages import language
from app.settings import Settings
from attention_core.errors import CheckpointError
from attention_core.models.catalogue import load_catalogue


def test_the_page_and_every_file_it_names(empty):
    reply = empty.get("/?text=<script>&unknown=1")
    assert reply.status_code == 200
    assert reply.headers["vary"].startswith("Accept-Language")
    for path in re.findall(r'(?:src|href)="(/static/[^"]+)"', reply.text):
        assert empty.get(path).status_code == 200, path
    boot = json.loads(re.search(r'id="boot">(.*?)</script>', reply.text, re.S)[1])
    assert boot["default_model"] == "minilm"
    script = empty.get(boot["plotly"])
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert script.headers["content-encoding"] == "gzip"
    assert "immutable" in script.headers["cache-control"]
    assert len(script.content) > 1_000_000
    assert empty.head("/").status_code == 200


@pytest.mark.parametrize(
    "path", ["/", "/api/v1/models", "/nothing", "/healthz", "/metrics", "/docs", "/api/v1/openapi.json"]
)
def test_security_headers_everywhere(empty, path):
    headers = empty.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_the_address_wins_over_the_browser(empty):
    assert '<html lang="ko">' in empty.get("/?lang=ko").text
    assert '<html lang="ko">' in empty.get("/", headers={"Accept-Language": "ko-KR,ko;q=0.9,en;q=0.8"}).text
    assert '<html lang="en">' in empty.get("/?lang=xx", headers={"Accept-Language": "fr"}).text


@pytest.mark.parametrize(("chosen", "accepted", "link"), [
    ("en", "ko", "/lesson?lang=en"), ("ko", "en", "/lesson?lang=ko"), ("ko", "ko", "/lesson"), ("en", "en", "/lesson"),
])  # fmt: skip
@pytest.mark.parametrize("path", ["/", "/lesson", "/lessons"])
def test_a_language_that_was_chosen_goes_along_with_every_link(empty, path, chosen, accepted, link):
    page = empty.get(f"{path}?lang={chosen}", headers={"Accept-Language": accepted}).text
    assert f'id="mine" href="{link}"' in page
    other = {"en": "ko", "ko": "en"}[chosen]
    assert re.findall(rf'<a [^>]*href="/[^"]*lang={other}', page) == []


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [("", "en"), ("ko", "ko"), ("fr, ko;q=0.2, en;q=0.1", "ko"), ("ko;q=0, en", "en"), ("ko;q=x", "en"), ("*", "en")],
)
def test_languages(accepted, expected):
    assert language(None, accepted) == expected


def test_settings_have_help_and_modes():
    assert all(field.description for field in Settings.model_fields.values())
    assert not Settings().is_public
    assert Settings(host="0.0.0.0").is_public
    assert not Settings(host="0.0.0.0").may_fetch
    assert Settings(host="0.0.0.0", allow_fetch=True).may_fetch
    assert Settings(mode="public", public_url="https://atlas.example/").hosts[0] == "atlas.example"


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"port": 81}, "http://127.0.0.1:81"),
        ({"host": "::1"}, "http://[::1]:8000"),
        ({"host": "0.0.0.0"}, "http://localhost:8000"),
        ({"host": "::"}, "http://localhost:8000"),
        ({"host": "0.0.0.0", "public_url": "https://atlas.example/"}, "https://atlas.example"),
        ({"public_url": "http://atlas.example:8443"}, "http://atlas.example:8443"),
        ({"public_url": ""}, "http://127.0.0.1:8000"),
    ],
)
def test_absolute_links_begin_where_people_reach_the_server(given, base):
    assert Settings(**given).base_url == base


@pytest.mark.parametrize(
    "url", ["atlas.example", "javascript:alert(1)", "https://", "https://a/b", "https://u@a", "https://a?x", "https://a#x"]
)
def test_a_public_url_is_an_address_that_links_can_begin_with(url):
    with pytest.raises(ValidationError, match=r"https://atlas\.example"):
        Settings(public_url=url)


def test_hosts_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("ATLAS_ALLOWED_HOSTS", "Atlas.example, other.example")
    assert Settings().hosts == ("atlas.example", "other.example")
    monkeypatch.setenv("ATLAS_ALLOWED_HOSTS", "*")
    assert Settings().hosts == ()


def test_a_wrong_setting_is_one_line(monkeypatch, capsys):
    monkeypatch.setenv("ATLAS_DTYPE", "float8")
    assert cli.main(["models"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "dtype" in error


def test_a_model_is_loaded_once_and_a_failed_load_is_told(tmp_path):
    entry, loads = load_catalogue().default, []

    def load(*_):
        loads.append(1)
        if len(loads) == 1:
            raise ValueError("broken")
        return "model"

    lane = Lane(entry, tmp_path, load, 8)
    with pytest.raises(CheckpointError, match="MiniLM cannot be loaded"):
        lane.warm().result()
    assert isinstance(lane.problem, CheckpointError)
    assert {future.result() for future in [lane.warm() for _ in range(8)]} == {"model"}
    assert len(loads) == 2
    assert lane.problem is None
    lane.pool.join()


def test_the_command_line_says_what_to_mend(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ATLAS_CACHE", str(tmp_path))
    assert cli.main(["trace", "x", "--model", "nothing"]) == 2
    assert "accepted: minilm" in capsys.readouterr().err
    assert cli.main(["trace", "\ud800"]) == 2
    assert cli.main(["models", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["models"][0]["state"] == "absent"
    with pytest.raises(SystemExit, match="2"):
        cli.main(["weights", "x"])
