"""The real app over the real model."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.factory import create_app
from app.settings import Settings

CAT = "The cat sat on the mat because it was tired"


def open_client(**given) -> TestClient:
    return TestClient(create_app(Settings(**given)), base_url="http://localhost")


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
