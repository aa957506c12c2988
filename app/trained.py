"""The models that were trained in the lab here: held until newer ones need their places, and listed nowhere.

A model's name cannot be guessed: whoever began its training is told it, and may hand it on. Its files lie in a folder
of this server's own, which goes with it.
"""

import hashlib
import io
import json
import secrets
import shutil
import tempfile
import threading
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from app.problems import ProblemError
from attention_core.models.catalogue import CatalogueEntry

if TYPE_CHECKING:
    from torch import Tensor

    from attention_core.lab import Trained

BEGINNING = "lab-"  # of every name


@dataclass(frozen=True)
class TrainedModel:
    """One of them: its entry, and its maps at each checkpoint (layer, head, query, key)."""

    entry: CatalogueEntry
    maps: "tuple[Tensor, ...]"


class TrainedModels:
    """The models trained last; `forget` is told the name of each that goes. Any thread may ask."""

    def __init__(self, most: int, forget: Callable[[str], None]) -> None:
        self._most = most
        self._forget = forget
        self._held: OrderedDict[str, TrainedModel] = OrderedDict()
        self._lock = threading.Lock()
        self._folder: Path | None = None

    def hold(self, trained: "Trained") -> str:
        """Writes the model's files, holds it, and lets those go that were used longest ago; its name."""
        from attention_core.lab import card_of, save

        name = BEGINNING + secrets.token_hex(8)
        with self._lock:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="attention-atlas-lab-"))
            folder = self._folder / name
        save(trained, folder)
        weights = (folder / "model.safetensors").read_bytes()
        entry = CatalogueEntry(
            card=card_of(trained.choices, name, hashlib.sha256(weights).hexdigest()[:12]),
            size_bytes=len(weights), download_bytes=0, sources=(), bundled=None, sha256=MappingProxyType({}),
            look_for=(), cautions=(), training=None, trained=folder,
        )  # fmt: skip
        gone = []
        with self._lock:
            self._held[name] = TrainedModel(entry, tuple(one.maps for one in trained.checkpoints))
            while len(self._held) > self._most:
                gone.append(self._held.popitem(last=False))
        for other, model in gone:
            self._remove(other, model)
        return name

    def entry(self, name: str) -> CatalogueEntry | None:
        """The entry of that name, None for a name that is not like those of the lab; a lab-model-not-held problem."""
        return self.held(name).entry if name.startswith(BEGINNING) else None

    def find(self, name: str) -> CatalogueEntry | None:
        """The entry of that name, None where there is none."""
        with self._lock:
            model = self._held.get(name)
        return None if model is None else model.entry

    def held(self, name: str) -> TrainedModel:
        """The model of that name, which now counts as just used; a lab-model-not-held problem."""
        with self._lock:
            if name not in self._held:
                raise _not_held()
            self._held.move_to_end(name)
            return self._held[name]

    def close(self) -> None:
        """Lets all go."""
        with self._lock:
            held, self._held = list(self._held.items()), OrderedDict()
            folder, self._folder = self._folder, None
        for name, model in held:
            self._remove(name, model)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def _remove(self, name: str, model: TrainedModel) -> None:
        self._forget(name)
        assert model.entry.trained is not None
        shutil.rmtree(model.entry.trained, ignore_errors=True)


def group_of(name: str) -> str:
    """A model's name for those who count; the names of the lab's are for those who know them, and count as one."""
    return "lab" if name.startswith(BEGINNING) else name


def safetensors_of(model: TrainedModel) -> bytes:
    """The model's weights as one safetensors file, with its configuration and its tokenizer in the header."""
    from safetensors.torch import load, save

    files = _files(model)
    texts = {name: files[f"{name}.json"].decode() for name in ("config", "tokenizer", "results")}
    return save(load(files["model.safetensors"]), metadata={"format": "pt", **texts})


def folder_of(model: TrainedModel) -> bytes:
    """The model's folder as a zip file; unpacked into ATLAS_MODELS_DIR it is a model of one's own."""
    held, files = io.BytesIO(), _files(model)
    task = json.loads(files["results.json"])["choices"]["task"]
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in files.items():
            file.writestr(f"lab-{task}/{name}", data)
    return held.getvalue()


def _files(model: TrainedModel) -> dict[str, bytes]:
    """The model's files by their names; a lab-model-not-held problem where it was let go meanwhile."""
    assert model.entry.trained is not None
    try:
        return {path.name: path.read_bytes() for path in sorted(model.entry.trained.iterdir())}
    except FileNotFoundError:
        raise _not_held() from None


def _not_held() -> ProblemError:
    return ProblemError(
        "lab-model-not-held", "this model of the lab is not held any more, or never was; train it again"
    )
