"""The default model, fetched once; a test that needs it fails, by name, when it cannot be had."""

from pathlib import Path

import pytest

from attention_core.errors import FetchError
from attention_core.models.catalogue import load_catalogue
from attention_core.models.sources import cache_folder, fetch, model_folder


@pytest.fixture(scope="session")
def cache() -> Path:
    """The cache folder that people use too (ATLAS_CACHE), with the default model in it."""
    folder = cache_folder().absolute()
    try:
        fetch(load_catalogue().default, folder)
    except FetchError as error:
        pytest.fail(f"the default model could not be fetched: {error}", pytrace=False)
    return folder


@pytest.fixture(scope="session")
def minilm_folder(cache: Path) -> Path:
    """The folder of MiniLM's files."""
    return model_folder(load_catalogue().entry("minilm"), cache)
