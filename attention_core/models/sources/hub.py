"""From a repository of the Hugging Face hub to a model folder: named files only, safetensors only, checked by hash.

The hub's own client finds the repository, its commit and its files. The bytes are streamed here, because its
`hf_hub_download` (2.4) neither goes on with a broken download in a later call nor stops within ten megabytes.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attention_core.errors import FetchError
from attention_core.models.catalogue import EXTRAS, FILES, CatalogueEntry, Hub
from attention_core.models.sources import streaming
from attention_core.models.sources.common import ROOM, Watch, demand_hash, demand_space, write_origin
from attention_core.models.sources.pins import Pin, record, recorded
from attention_core.models.sources.streaming import RemoteFile, patiently

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo

ENDPOINT = "https://huggingface.co"
WEIGHTS = "model.safetensors"
TIMEOUT = 10.0  # seconds without a word from the server
# Files that hold weights in a form that is not opened here, in the order in which a refusal names them.
_OTHER_WEIGHTS = (
    "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json", "tf_model.h5",
    "flax_model.msgpack",
)  # fmt: skip
_HEADERS = {"user-agent": "attention-atlas"}  # and nothing of this machine


@dataclass(frozen=True)
class Plan:
    """The files of a repository at one commit that make the model."""

    commit: str
    files: tuple[RemoteFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)


def endpoint() -> str:
    """The hub's address: HF_ENDPOINT as it stands now, else the public one."""
    return (os.environ.get("HF_ENDPOINT") or ENDPOINT).rstrip("/")


def fill(source: Hub, entry: CatalogueEntry, work: Path, cache: Path, watch: Watch) -> None:
    """Downloads the model's files into `work`/model and checks them; the first time, records what they are.

    A FetchError's `reason` is one of offline, gated, missing-repo, missing-revision, no-safetensors, no-weights,
    no-tokenizer, changed, wrong-hash, disk-full, broken. What was downloaded before an error is kept beside the
    model's folder, and the next call goes on from there.
    """
    if _is_on("HF_HUB_OFFLINE") or _is_on("TRANSFORMERS_OFFLINE"):
        raise _refusal("offline", source, entry, "HF_HUB_OFFLINE forbids every download")
    watch.step("download", 0, None)
    pin = recorded(entry, cache)
    with _InWords(source, entry):
        plan = _plan(source, entry, pin, watch)
        part, kept = work / "part", work.parent / f".{entry.card.name}-part"
        streaming.claim(kept, part, plan.files)
        try:
            demand_space(entry, plan.size - streaming.size_of(part), work)
            (work / "model").mkdir()
            hashes = _download(plan, source, work, watch)
        except BaseException:
            streaming.keep(part, kept)
            raise
    _demand_recorded(entry, pin, hashes)
    found = Pin(source.repo, plan.commit, hashes, {file.name: file.size for file in plan.files})
    # Where another process was first, its record holds.
    _demand_recorded(entry, record(entry, cache, found), hashes)
    write_origin(
        entry, work / "model", hashes, source=f"hub {source.repo}@{plan.commit}", repo=source.repo, commit=plan.commit
    )


def _plan(source: Hub, entry: CatalogueEntry, pin: Pin | None, watch: Watch) -> Plan:
    """Which files are to be fetched; refuses what no download could mend before any of it is downloaded."""
    from huggingface_hub.errors import RevisionNotFoundError

    wanted = source.revision or (pin.revision if pin else None)
    try:
        info = patiently(lambda: _info(source, wanted), watch)
    except RevisionNotFoundError as error:
        if not source.revision and pin is not None:
            now = patiently(lambda: _info(source, None), watch).sha
            raise _changed(entry, f"{source.repo} at commit", pin.revision, str(now)) from error
        raise
    commit = str(info.sha)
    if not re.fullmatch("[0-9a-f]{40}", commit):
        raise _refusal("broken", source, entry, f"{endpoint()} names no commit of {source.repo}")
    if wanted is not None and commit != wanted:
        raise _refusal(
            "wrong-hash", source, entry, f"{source.repo} answered with commit {commit}, not {wanted}",
            file=source.repo, expected=wanted, found=commit,
        )  # fmt: skip
    names = _names(source, entry, info)
    if pin is not None and set(names) != set(pin.sha256):
        raise _changed(entry, f"the files of {source.repo}", " ".join(sorted(pin.sha256)), " ".join(sorted(names)))
    files = tuple(_stated(source, commit, name, watch) for name in names)
    for file in files:
        _demand_size(file, entry, source)
        known = source.sha256.get(file.name)
        if known and file.sha256:
            demand_hash(file.name, known, file.sha256)
        if pin is not None and file.sha256:
            _demand_recorded(entry, pin, {file.name: file.sha256})
    return Plan(commit, files)


def _info(source: Hub, revision: str | None) -> "ModelInfo":
    from huggingface_hub import HfApi

    api = HfApi(endpoint=endpoint(), headers=_HEADERS)
    return api.model_info(source.repo, revision=revision, timeout=TIMEOUT)


def _names(source: Hub, entry: CatalogueEntry, info: "ModelInfo") -> list[str]:
    """The names of the files to fetch, small ones first; a FetchError for a repository without weights or tokenizer."""
    there = {sibling.rfilename for sibling in info.siblings or ()}
    if WEIGHTS not in there:
        other = next((name for name in _OTHER_WEIGHTS if name in there), None)
        if other is None:
            raise _refusal("no-weights", source, entry, f"{source.repo} has no model.safetensors")
        sentence = f"{source.repo} has no model.safetensors, only {other}, and weights in other formats are not opened"
        raise _refusal("no-safetensors", source, entry, sentence, file=other)
    needed = [name for name in FILES if not (name == "tokenizer.json" and entry.card.input == "picture")]
    if source.tokenizer_repo:
        there.add("tokenizer.json")
    for name in needed:
        if name not in there:
            reason = "no-tokenizer" if name == "tokenizer.json" else "broken"
            raise _refusal(reason, source, entry, f"{source.repo} has no {name}, which is needed", file=name)
    extras = [name for name in EXTRAS if name in there]
    return [*(name for name in needed if name != WEIGHTS), *extras, WEIGHTS]


def _stated(source: Hub, commit: str, name: str, watch: Watch) -> RemoteFile:
    """Size and fingerprint of one file, as the server states them."""
    if name == "tokenizer.json" and source.tokenizer_repo:
        return patiently(lambda: _remote(source.tokenizer_repo, source.tokenizer_revision, name), watch)
    return patiently(lambda: _remote(source.repo, commit, name), watch)


def _remote(repo: str, commit: str, name: str) -> RemoteFile:
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.utils import build_hf_headers

    url = hf_hub_url(repo, name, revision=commit, endpoint=endpoint())
    stated = get_hf_file_metadata(url, timeout=TIMEOUT, headers=_HEADERS, endpoint=endpoint())
    if stated.commit_hash not in (None, commit):
        raise FetchError(f"the server has {name} of commit {stated.commit_hash}, not {commit}", reason="broken")
    headers = build_hf_headers(headers={**_HEADERS, "accept-encoding": "identity"})
    return RemoteFile(name, url, headers, -1 if stated.size is None else stated.size, stated.etag or "")


def _demand_size(file: RemoteFile, entry: CatalogueEntry, source: Hub) -> None:
    if file.size < 0 or (file.name != WEIGHTS and file.size > ROOM):
        said = f"{file.size} bytes" if file.size >= 0 else "no size"
        raise _refusal("broken", source, entry, f"{source.repo} states {said} for {file.name}", file=file.name)


def _download(plan: Plan, source: Hub, work: Path, watch: Watch) -> dict[str, str]:
    """The sha256 of every file, each checked against what the server and the catalogue say of it."""
    progress = streaming.Total(watch, plan.size)
    hashes = {}
    for file in plan.files:
        part = streaming.part_of(work / "part", file)
        found = streaming.download(file, part, progress)
        expected = file.sha256 or found.sha256
        if file.git and file.git != found.git:
            expected = f"another one (git's {file.git})"
        try:
            demand_hash(file.name, source.sha256.get(file.name, expected), found.sha256)
            demand_hash(file.name, expected, found.sha256)
        except FetchError:
            part.unlink()
            raise
        hashes[file.name] = found.sha256
    for file in plan.files:
        streaming.part_of(work / "part", file).rename(work / "model" / file.name)
    return hashes


def _demand_recorded(entry: CatalogueEntry, pin: Pin | None, hashes: Mapping[str, str]) -> None:
    """FetchError, reason "changed", unless the files are those that the first download recorded."""
    for name, found in hashes.items():
        if pin is not None and pin.sha256.get(name) != found:
            raise _changed(entry, name, pin.sha256.get(name, "no such file"), found)


def _changed(entry: CatalogueEntry, what: str, expected: str, found: str) -> FetchError:
    return FetchError(
        f"{what} is not what was recorded when {entry.card.title} was first downloaded: {found} instead of "
        f"{expected}; it was not used",
        reason="changed",
        model=entry.card.title,
        file=what,
        expected=expected,
        found=found,
    )


def _refusal(reason: str, source: Hub, entry: CatalogueEntry, sentence: str, **facts: str) -> FetchError:
    return FetchError(
        f"{entry.card.title} could not be fetched: {sentence}",
        reason=reason,
        model=entry.card.title,
        repo=source.repo,
        **facts,
    )


def _is_on(name: str) -> bool:
    return os.environ.get(name, "").upper() in ("1", "ON", "YES", "TRUE")


class _InWords:
    """Turns what the hub's client raises into FetchErrors that say what a person can do."""

    def __init__(self, source: Hub, entry: CatalogueEntry) -> None:
        self._source, self._entry = source, entry

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: Any, error: BaseException | None, __: Any) -> None:
        if error is not None and not isinstance(error, FetchError):
            told = self._told(error)
            if told is not None:
                raise told from error

    def _told(self, error: BaseException) -> FetchError | None:
        import httpx2
        from huggingface_hub import errors

        repo, where = self._source.repo, endpoint()
        status = error.response.status_code if isinstance(error, errors.HfHubHTTPError) else None
        reason, sentence, facts = "", "", {}
        if isinstance(error, errors.GatedRepoError) or (status in (401, 403) and not _is_missing(error, errors)):
            reason = "gated"
            sentence = (
                f"{repo} is only for people who accepted its terms: accept them at {where}/{repo}, make an access "
                f"token at {where}/settings/tokens, and start again with it in HF_TOKEN"
            )
            facts = {"page": f"{where}/{repo}", "tokens": f"{where}/settings/tokens"}
        elif isinstance(error, errors.RepositoryNotFoundError):
            reason, sentence = "missing-repo", f"{where} has no repository {repo}, or not for everybody"
        elif isinstance(error, errors.RevisionNotFoundError):
            reason, facts = "missing-revision", {"revision": self._source.revision or "main"}
            sentence = f"{repo} has no commit {facts['revision']} any more"
        elif isinstance(error, errors.OfflineModeIsEnabled):
            reason, sentence = "offline", "HF_HUB_OFFLINE forbids every download"
        elif isinstance(error, httpx2.TransportError):
            reason, sentence, facts = "offline", f"{where} does not answer ({type(error).__name__})", {"where": where}
        elif isinstance(error, errors.HfHubHTTPError | errors.EntryNotFoundError | httpx2.HTTPError):
            reason, sentence = "broken", f"{where} answered with {status or type(error).__name__}"
        elif isinstance(error, ValueError | TypeError | KeyError | AttributeError | httpx2.InvalidURL):
            reason, sentence = "broken", f"{where} gave an answer that cannot be read ({type(error).__name__})"
        return _refusal(reason, self._source, self._entry, sentence, **facts) if reason else None


def _is_missing(error: BaseException, errors: Any) -> bool:
    """Whether the hub calls the repository missing: without a token it says 401 for that too."""
    return isinstance(error, errors.RepositoryNotFoundError) and not isinstance(error, errors.GatedRepoError)
