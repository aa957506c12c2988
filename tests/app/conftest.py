"""The real app over the real model."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import random_models
from starlette.testclient import TestClient

from app.factory import create_app
from app.settings import Settings
from attention_core.models.catalogue import Catalogue

CAT = "The cat sat on the mat because it was tired"


def open_client(*, catalogue: Catalogue | None = None, **given) -> TestClient:
    return TestClient(create_app(Settings(**given), catalogue=catalogue), base_url="http://localhost")


def wait_ready(client: TestClient) -> None:
    for _ in range(600):
        if client.get("/readyz").status_code == 200:
            return
        time.sleep(0.1)
    raise AssertionError("the default model did not become ready")


@pytest.fixture(scope="session")
def serve():
    """Opens a server of some settings."""
    return open_client


@pytest.fixture(scope="session")
def client(cache: Path) -> Iterator[TestClient]:
    with open_client(cache=cache) as client:
        wait_ready(client)
        yield client


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[TestClient]:
    """A server without a model."""
    with open_client(cache=tmp_path, fetch_on_start=False) as client:
        yield client


@pytest.fixture(scope="session")
def cat(client: TestClient) -> dict:
    return client.post("/api/v1/traces", json={"model": "minilm", "text": CAT}).json()


@pytest.fixture(scope="session")
def random_catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """Small random models, one of each input: "sees", "writes" and "translates"."""
    return random_models.catalogue(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def small(random_catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A server of the random models."""
    with open_client(catalogue=random_catalogue, cache=tmp_path_factory.mktemp("cache")) as client:
        yield client
