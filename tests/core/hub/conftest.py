"""A hub on this machine with one small repository, an empty cache, and the catalogue's entry of that repository."""

import hub_server
import pytest
from hub_server import ENTRY, NAME, Repo

from attention_core.models.catalogue import parse_catalogue
from attention_core.models.sources import streaming


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return hub_server.tiny_bert(tmp_path_factory.mktemp("bert"))


@pytest.fixture(scope="module")
def other_files(tmp_path_factory):
    return hub_server.tiny_bert(tmp_path_factory.mktemp("other"), seed=1)


@pytest.fixture
def hub(files, monkeypatch, tmp_path):
    with hub_server.serving() as hub:
        hub.repos[NAME] = Repo(dict(files))
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
        for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(streaming, "PAUSE", 0.01)
        yield hub


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def entry():
    return parse_catalogue(ENTRY).default
