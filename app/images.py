"""Pictures: those that visitors send, held within a bound in bytes, and the samples that come with a model.

An upload's id is a hash of its bytes; a sample has a name. Nothing that a client sends becomes a path: names are
looked up in the catalogue's table of the files that are there.
"""

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from app.problems import ProblemError
from attention_core.models.catalogue import Catalogue


@dataclass(frozen=True)
class HeldImage:
    """A picture as PNG, without metadata; `id` is a hash of the bytes that came in."""

    id: str
    width: int
    height: int
    png: bytes


def image_id(data: bytes) -> str:
    """The id of a picture that came as these bytes."""
    return hashlib.sha256(data).hexdigest()[:40]


def decoded(data: bytes) -> HeldImage:
    """The picture of some bytes; a PictureError or PictureTooLargeError when they are none. It takes a while."""
    from attention_core.pictures import read_picture, to_png

    pixels = read_picture(data)
    height, width, _ = pixels.shape
    return HeldImage(image_id(data), width, height, to_png(pixels))


class ImageStore:
    """The pictures used last, within a bound in bytes, and every sample that was asked for."""

    def __init__(self, bound: int, catalogue: Catalogue) -> None:
        self._bound = bound
        self._held: OrderedDict[str, HeldImage] = OrderedDict()
        self._lock = threading.Lock()
        self._files = {entry.card.name: dict(entry.samples) for entry in catalogue.entries}
        self._samples: dict[Path, HeldImage] = {}
        self.nbytes = 0

    def get(self, wanted: str) -> HeldImage | None:
        """The upload of that id, which now counts as just used."""
        with self._lock:
            if wanted in self._held:
                self._held.move_to_end(wanted)
            return self._held.get(wanted)

    def put(self, image: HeldImage) -> None:
        """Holds an upload and lets those go that were used longest ago; the newest stays whatever its size."""
        with self._lock:
            if image.id not in self._held:
                self.nbytes += len(image.png)
            self._held[image.id] = image
            while self.nbytes > self._bound and len(self._held) > 1:
                _, oldest = self._held.popitem(last=False)
                self.nbytes -= len(oldest.png)

    def find(self, wanted: str, model: str = "") -> HeldImage:
        """An upload by id, or a sample by name, of this model first; an image-not-held problem without it.

        Reads a sample's file the first time, so not on the event loop.
        """
        held = self.get(wanted)
        if held is not None:
            return held
        for files in (self._files.get(model, {}), *self._files.values()):
            if wanted in files:
                return self._sample(files[wanted])
        raise ProblemError("image-not-held", "this picture is not held any more, or never was; send it again")

    def _sample(self, path: Path) -> HeldImage:
        if path not in self._samples:
            self._samples[path] = decoded(path.read_bytes())
        return self._samples[path]
