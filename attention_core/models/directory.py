"""An operator's own models: every subfolder of ATLAS_MODELS_DIR that holds a config.json is an entry named after it.

Nothing is loaded and torch is not needed: a folder's card is read from its config.json, and what is wrong with it is
found in headers.
"""

import json
import os
import re
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import file_digest, sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any

from attention_core.errors import CheckpointError
from attention_core.files import CONFIG_FILE, PREPROCESSOR_FILE
from attention_core.models import memory
from attention_core.models.card import NATIVE, ModelCard
from attention_core.models.catalogue import Catalogue, CatalogueEntry
from attention_core.models.checking import (
    TOKENIZER_FILE,
    checked_config,
    checked_weights,
    demand_possible,
    demand_tokenizer,
)

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
HASHES = "own-models.json"  # in the cache: what was hashed, so that a second start need not do it again
DIGITS = 12  # of a revision
HASHED = (CONFIG_FILE, TOKENIZER_FILE, PREPROCESSOR_FILE)

# Families whose configuration need not say that they have two stacks, or that they never look ahead.
_BOTH = """
    t5 mt5 umt5 longt5 switch_transformers bart mbart marian pegasus pegasus_x blenderbot blenderbot-small m2m_100
    nllb-moe bigbird_pegasus plbart prophetnet fsmt led mvp
"""
_DECODERS = """
    gpt2 gpt_neo gpt_neox gpt_neox_japanese gptj gpt_bigcode gpt_oss bloom opt codegen xglm biogpt ctrl falcon mpt
    llama llama4_text mistral mixtral ministral qwen2 qwen2_moe qwen3 qwen3_moe gemma gemma2 gemma3_text phi phi3
    stablelm starcoder2 olmo olmo2 olmoe granite cohere cohere2 smollm3 exaone4 helium glm glm4 persimmon
"""
# Families that look both ways whatever their class is called, unless their configuration says otherwise.
_BOTH_WAYS = """
    bert roberta roberta-prelayernorm xlm-roberta xlm-roberta-xl camembert electra big_bird bert-generation ernie
    data2vec-text megatron-bert rembert roformer xmod xlnet xlm flaubert
"""
# Families that count positions from the one after the padding token's.
_OFFSET = "roberta xlm-roberta xlm-roberta-xl camembert mpnet longformer data2vec-text ibert"
BOTH, DECODERS, BOTH_WAYS, PADDED = (
    frozenset(names.split()) for names in (_BOTH, _DECODERS, _BOTH_WAYS, _OFFSET)
)
_ROOM = ("max_tokens", "max_position_embeddings", "n_positions", "max_seq_len", "n_ctx", "seq_length")
_FAILED = ModelCard(
    name="", title="", full_title="", family="", kinds=("encoder-self",), languages=(), layers=0, heads=0,
    max_tokens=None, precision="exact", licence="", revision="",
)  # fmt: skip


@dataclass(frozen=True)
class OwnModels:
    """What a folder of models holds: entries, those `failed` with the reason by name, and a line for each folder that
    is `left_out` of the list."""

    entries: tuple[CatalogueEntry, ...] = ()
    failed: Mapping[str, CheckpointError] = field(default_factory=lambda: MappingProxyType({}))
    left_out: tuple[str, ...] = ()


def models_folder(override: Path | None = None) -> Path | None:
    """The folder of the operator's own models: the override, else ATLAS_MODELS_DIR; None for none."""
    given = override or os.environ.get("ATLAS_MODELS_DIR")
    return Path(given).expanduser().absolute() if given else None


def with_own(catalogue: Catalogue, folder: Path | None) -> tuple[Catalogue, OwnModels]:
    """The catalogue with the models of a folder behind its own, and what was found there."""
    if folder is None:
        return catalogue, OwnModels()
    own = scan(folder, [entry.card.name for entry in catalogue.entries])
    return Catalogue((*catalogue.entries, *own.entries)), own


def scan(folder: Path, taken: Collection[str]) -> OwnModels:
    """The models of a folder, by name; `taken` are names that they cannot have.

    A subfolder may be a link; what is in it may not lead out of it and of the folder of all, except into the blobs of
    a hub's cache.
    """
    entries, failed, left_out = [], {}, []
    try:
        inner = sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError as error:
        return OwnModels(left_out=(f"ATLAS_MODELS_DIR: {folder} cannot be read: {error.strerror or error}",))
    lower = {name.lower() for name in taken}
    for path in inner:
        name = path.name
        try:
            if not (path / CONFIG_FILE).is_file() and not (path / CONFIG_FILE).is_symlink():
                continue
        except OSError as error:
            left_out.append(f"{name!r} in ATLAS_MODELS_DIR cannot be read: {error.strerror or error}")
            continue
        if not NAME.fullmatch(name):
            left_out.append(
                f"{name!r} in ATLAS_MODELS_DIR is not listed: a model's name has at most 64 of A-Z, a-z, 0-9, '.', "
                "'_' and '-', and begins with a letter or a digit"
            )
        elif name.lower() in lower:  # some file systems do not tell them apart
            left_out.append(f"{name!r} in ATLAS_MODELS_DIR is not listed: another model has that name")
        else:
            lower.add(name.lower())
            entry, problem = _entry(path, folder)
            entries.append(entry)
            if problem is not None:
                failed[name] = problem
    return OwnModels(tuple(entries), MappingProxyType(failed), tuple(left_out))


def revised(entry: CatalogueEntry, cache: Path) -> CatalogueEntry:
    """An own model with its revision: the first digits of a hash over all that makes it what it is.

    Files are read once, however large, and again when their size or time has changed. A MemoryLimitError for what
    could never be loaded, a CheckpointError for what is damaged, gone or leads elsewhere. Any other entry as it is.
    """
    if entry.directory is None:
        return entry
    demand_there(entry)
    try:
        _demand_inside(entry.directory, entry.directory.parent)
        config = checked_config(entry.directory)
        stored = checked_weights(entry.directory, config)
        demand_possible(entry.card.title, stored)
        beside = [entry.directory / name for name in HASHED if (entry.directory / name).is_file()]
        hashes = _hashes([*beside, *stored.files], cache / HASHES)
    except OSError as error:
        raise _unreadable(entry.directory, error) from error
    spelled = "\n".join(f"{name} {digest}" for name, digest in sorted(hashes.items()))
    revision = sha256(spelled.encode()).hexdigest()[:DIGITS]
    return replace(entry, card=replace(entry.card, revision=revision))


def demand_there(entry: CatalogueEntry) -> None:
    """A CheckpointError for an own model whose folder has been taken away since it was listed."""
    if entry.directory is not None and not (entry.directory / CONFIG_FILE).exists():
        where = f"{entry.directory.name}/{CONFIG_FILE}"
        raise CheckpointError(f"{where} is not there any more", reason="unreadable", file=where)


def demand_unchanged(entry: CatalogueEntry, cache: Path) -> None:
    """A CheckpointError for an own model whose files are no longer those of its revision.

    To be asked once it is loaded: what was read in between could be of both.
    """
    if entry.directory is not None and revised(entry, cache).card.revision != entry.card.revision:
        raise changed(entry.directory)


def changed(folder: Path) -> CheckpointError:
    """The error of files that are not those that were read first."""
    return CheckpointError(
        f"the files of {folder.name} have changed since they were first read; start again",
        reason="changed",
        file=folder.name,
    )


def card_of(name: str, config: Mapping[str, Any]) -> ModelCard:
    """What config.json tells of a model; where it does not say that a model looks back only, or has two stacks, its
    family and the class that wrote it do."""
    text = config.get("text_config")
    sizes = {**config, **text} if isinstance(text, dict) else dict(config)
    shape = memory.shape_of(sizes)
    kinds, reads = _kinds(config)
    layers = shape.decoder_layers if kinds == ("decoder-self",) and shape.decoder_layers else shape.encoder_layers
    return replace(
        _FAILED,
        name=name,
        title=name,
        full_title=name,
        family=str(config["model_type"])[:100],
        kinds=kinds,
        layers=layers,
        heads=shape.heads,
        max_tokens=None if reads == "picture" else _room(sizes),
        input=reads,
    )


def _kinds(config: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    """The kinds of attention and the input."""
    family, named = config["model_type"], config.get("architectures")
    classes = [name for name in named if isinstance(name, str)] if isinstance(named, list) else []
    if family == NATIVE:  # our own files say which stacks they have
        first, second = (bool(config.get(stack)) for stack in ("encoder_layers", "decoder_layers"))
        if first and second:
            return ("encoder-self", "decoder-self", "cross"), "translation"
        return (("encoder-self",) if first else ("decoder-self",)), "picture" if config.get("patches") else "text"
    # BEiT has a vocabulary of patches; a model that reads words beside its picture counts their positions.
    if {"image_size", "patch_size"} <= config.keys() and not {"max_position_embeddings", "text_config"} & config.keys():
        return ("encoder-self",), "picture"
    if config.get("is_encoder_decoder", family in BOTH) is True:
        return ("encoder-self", "decoder-self", "cross"), "translation"
    looks_back = family not in BOTH_WAYS and any(name.endswith(("ForCausalLM", "LMHeadModel")) for name in classes)
    said = any(config.get(key) is True for key in ("is_decoder", "causal"))  # causal: XLM's word
    if looks_back or said or family in DECODERS:
        return ("decoder-self",), "text"
    return ("encoder-self",), "text"


def _room(sizes: Mapping[str, Any]) -> int | None:
    """How many tokens the model takes; None where it does not say, and loading tells."""
    found: int | None = next((sizes[name] for name in _ROOM if type(sizes.get(name)) is int and sizes[name] > 0), None)
    if found is None or sizes.get("model_type") not in PADDED:
        return found
    pad = sizes.get("pad_token_id", 1)
    return max(1, found - (pad if type(pad) is int else 1) - 1)


def _entry(path: Path, root: Path) -> tuple[CatalogueEntry, CheckpointError | None]:
    """The entry of one folder, and what makes it unusable."""
    card, size, problem = replace(_FAILED, name=path.name, title=path.name, full_title=path.name), 0, None
    try:
        _demand_inside(path, root)
        config = checked_config(path)
        card = card_of(path.name, config)
        size = checked_weights(path, config).nbytes
        if card.input != "picture":
            demand_tokenizer(path)
    except OSError as error:
        problem = _unreadable(path, error)
    except CheckpointError as error:
        problem = error
    entry = CatalogueEntry(
        card=card, size_bytes=size, download_bytes=0, sources=(), bundled=None, sha256=MappingProxyType({}),
        look_for=(), cautions=(), training=None, directory=path,
    )  # fmt: skip
    return entry, problem


def _unreadable(path: Path, error: OSError) -> CheckpointError:
    name = Path(str(error.filename)).name if error.filename else CONFIG_FILE
    where = f"{path.name}/{name}"
    return CheckpointError(f"{where} cannot be read: {error.strerror or error}", reason="unreadable", file=where)


def _demand_inside(path: Path, root: Path) -> None:
    """A CheckpointError for a file that is a link to somewhere else: a folder from elsewhere could show any file."""
    real = _real(path)
    places = [real, _real(root)]
    if real.parent.name == "snapshots":  # a hub's cache keeps a model's files apart and links to them
        places.append(real.parent.parent / "blobs")
    for one in _linked(path):
        target = _real(one)
        if not any(target.is_relative_to(place) for place in places):
            where = f"{path.name}/{one.name}"
            raise CheckpointError(
                f"{where} is a link to a file outside of its folder; put the file itself there",
                reason="unreadable",
                file=where,
            )


def _real(path: Path) -> Path:
    """Where a path leads; unlike `resolve` of Python 3.11 it raises for no circle of links."""
    return Path(os.path.realpath(path))


def _linked(path: Path) -> Iterator[Path]:
    return (one for one in path.iterdir() if one.is_symlink())


def _hashes(files: Collection[Path], memo: Path) -> dict[str, str]:
    """The sha256 of each file by its name, from the memo where it knows a file of this place, size and time."""
    known: dict[str, Any] = {}
    with suppress(OSError, ValueError, RecursionError):
        read = json.loads(memo.read_bytes())
        known = read if isinstance(read, dict) else {}
    found, new = {}, {}
    for path in files:
        stat = path.stat()
        # Who overwrites a file may set its time back, but not that of its last change.
        key = f"{_real(path)} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns} {stat.st_ino}"
        digest = known.get(key)
        if not (isinstance(digest, str) and re.fullmatch(r"[0-9a-f]{64}", digest)):
            with path.open("rb") as file:
                digest = new[key] = file_digest(file, "sha256").hexdigest()
        found[path.name] = digest
    if new:
        with suppress(OSError):  # the next start hashes again
            _write({**known, **new}, memo)
    return found


def _write(known: Mapping[str, Any], memo: Path) -> None:
    memo.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{memo.name}-", dir=memo.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(dict(list(known.items())[-1000:]), file)
    Path(name).replace(memo)
