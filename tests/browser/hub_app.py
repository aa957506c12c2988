"""The server over one small model of the hub, for a browser: hub_app.py --port PORT, and the cache in ATLAS_CACHE."""

import sys
from pathlib import Path

import uvicorn

sys.path.insert(0, str(Path(__file__).parents[1] / "core/hub"))
from hub_server import ENTRY

from app.factory import create_app
from app.settings import Settings
from attention_core.models.catalogue import Catalogue, load_catalogue, parse_catalogue


def main(port: int) -> None:
    """Serves the small model beside the bundled ones, without fetching anything by itself."""
    bundled = [entry for entry in load_catalogue().entries if entry.bundled]
    catalogue = Catalogue((*bundled, *parse_catalogue(ENTRY).entries))
    app = create_app(Settings(port=port, fetch_on_start=False), catalogue=catalogue)
    uvicorn.run(app, port=port, log_level="warning")


if __name__ == "__main__":
    main(int(sys.argv[2]))
