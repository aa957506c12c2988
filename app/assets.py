"""Static files under /static/<hash of all contents>/: kept for ever by browsers, compressed once by us."""

import asyncio
import gzip
import hashlib
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from app.problems import ProblemError

ROOT = Path(__file__).resolve().parent.parent
PLOTLY = "vendor/plotly.min.js"
FOREVER = "public, max-age=31536000, immutable"
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".png": "image/png",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True)
class Asset:
    """One static file in memory."""

    name: str
    body: bytes

    @property
    def media_type(self) -> str:
        """What the file is, by its ending; never guessed from the machine's tables."""
        return TYPES.get(Path(self.name).suffix, "application/octet-stream")

    @cached_property
    def packed(self) -> bytes:
        """The file compressed with gzip, the same bytes each time."""
        return gzip.compress(self.body, 9, mtime=0)


class Assets:
    """All static files, and plotly.js as the installed Plotly package carries it."""

    def __init__(self, folder: Path = ROOT / "static") -> None:
        files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
        files[PLOTLY] = _plotly()
        self._files = {name: Asset(name, path.read_bytes()) for name, path in files.items()}
        digest = hashlib.sha256()
        for name, asset in self._files.items():
            digest.update(f"{name}\0{len(asset.body)}\0".encode() + asset.body)
        self.version = digest.hexdigest()[:16]

    def url(self, name: str) -> str:
        """The address of a file; a KeyError for one that is not there, so that no page links to nothing."""
        return f"/static/{self.version}/{self._files[name].name}"

    async def reply(self, request: Request, version: str, name: str) -> Response:
        """The file; not-found for another version, whose contents we no longer have."""
        asset = self._files.get(name)
        if asset is None or version != self.version:
            raise ProblemError("not-found", "there is nothing at this address")
        headers = {"Cache-Control": FOREVER, "Vary": "Accept-Encoding", "Content-Type": asset.media_type}
        if "gzip" not in request.headers.get("accept-encoding", "") or len(asset.body) < 500:
            return Response(asset.body, headers=headers)
        packed = await asyncio.to_thread(lambda: asset.packed)
        return Response(packed, headers={**headers, "Content-Encoding": "gzip"})


def _plotly() -> Path:
    """The plotly.min.js of the installed package, found without importing it."""
    spec = find_spec("plotly")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "package_data" / "plotly.min.js"
