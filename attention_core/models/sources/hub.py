"""From a repository of the Hugging Face hub to a model folder: named files only, safetensors only, checked by hash.

The hub's own client gives the token and says what a refusal means. Its requests (2.4) are not used: they read an answer
of any length and as slowly as it comes, a download neither goes on in a later call nor stops within ten megabytes, and
beside them it asks for /api/agent-harnesses and says which programs run here.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attention_core.errors import CheckpointError, FetchError
from attention_core.files import CONFIG_FILE, weights_in
from attention_core.models.catalogue import EXTRAS, FILES, CatalogueEntry, Hub
from attention_core.models.checking import checked_config
from attention_core.models.sources import asking, streaming
from attention_core.models.sources.asking import OddAnswerError
from attention_core.models.sources.common import ROOM, Watch, demand_hash, demand_space, kept_folder, write_origin
from attention_core.models.sources.pins import Pin, demand_readable, record, recorded
from attention_core.models.sources.streaming import RemoteFile

ENDPOINT = "https://huggingface.co"
WEIGHTS = "model.safetensors"
LISTING = 8 << 20  # bytes of what the hub says of a repository: the largest ones list some ten thousand files
# Files that hold weights in a form that is not opened here, in the order in which a refusal names them.
_OTHER_WEIGHTS = (
    "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json", "tf_model.h5",
    "flax_model.msgpack",
)  # fmt: skip


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

    A FetchError's `reason` is one of offline, gated, token, refused, missing-repo, missing-revision, no-safetensors,
    no-weights, no-tokenizer, no-model, changed, damaged-record, wrong-hash, disk-full, broken, odd-answer. What was
    downloaded before an error is kept beside the model's folder, and the next call goes on from there.
    """
    if _is_on("HF_HUB_OFFLINE") or _is_on("TRANSFORMERS_OFFLINE"):
        raise _refusal("offline", source, entry, "HF_HUB_OFFLINE forbids every download")
    if not _is_address(endpoint()):
        raise _refusal("offline", source, entry, f"HF_ENDPOINT is no http address: {endpoint()[:100]!r}")
    tokens = f"{endpoint()}/settings/tokens"
    if not _headers().get("authorization", "").isascii():
        raise _refusal("token", source, entry, f"the access token is none: make one at {tokens}", tokens=tokens)
    watch.step("download", 0, None)
    demand_readable(entry, cache)
    pin = recorded(entry, cache)
    with _InWords(source, entry):
        plan = _plan(source, entry, pin, watch)
        part, kept = work / "part", kept_folder(work.parent / entry.card.name)
        streaming.claim(kept, part, plan.files)
        try:
            demand_space(entry, plan.size - streaming.size_of(part), work)
            (work / "model").mkdir()
            hashes = _download(plan, source, entry, work, watch)
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
        commit, there = _listing(source, wanted, watch)
    except RevisionNotFoundError as error:
        if not source.revision and pin is not None:
            now, _ = _listing(source, None, watch)
            raise _changed(entry, f"{source.repo} at commit", pin.revision, now) from error
        raise
    if wanted is not None and commit != wanted:
        raise _refusal(
            "wrong-hash", source, entry, f"{source.repo} answered with commit {commit}, not {wanted}",
            file=source.repo, expected=wanted, found=commit,
        )  # fmt: skip
    names = _names(source, entry, there)
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


def _headers() -> dict[str, str]:
    """What is sent with each request: the person's token, and nothing of this machine."""
    from huggingface_hub import constants, get_token

    token = None if constants.HF_HUB_DISABLE_IMPLICIT_TOKEN else get_token()
    sent = {"user-agent": "attention-atlas", "accept-encoding": "identity"}
    return sent if token is None else {**sent, "authorization": f"Bearer {token}"}


def _listing(source: Hub, revision: str | None, watch: Watch) -> tuple[str, set[str]]:
    """The commit of a repository, and the names of its files."""
    address = f"{endpoint()}/api/models/{source.repo}" + (f"/revision/{revision}" if revision else "")
    try:
        told = json.loads(asking.read(address, _headers(), LISTING, watch))
        commit, names = told["sha"], {sibling["rfilename"] for sibling in told["siblings"]}
    except OddAnswerError:
        raise
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise OddAnswerError("a list of files that cannot be read") from error
    if not isinstance(commit, str) or not re.fullmatch("[0-9a-f]{40}", commit):
        raise OddAnswerError("a list of files without a commit")
    return commit, names


def _names(source: Hub, entry: CatalogueEntry, listed: set[str]) -> list[str]:
    """The names of the files to fetch, small ones first; a FetchError for a repository without weights or tokenizer."""
    there = set(listed)
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
            reason = "no-tokenizer" if name == "tokenizer.json" else "odd-answer"
            raise _refusal(reason, source, entry, f"{source.repo} has no {name}, which is needed", file=name)
    extras = [name for name in EXTRAS if name in there]
    return [*(name for name in needed if name != WEIGHTS), *extras, WEIGHTS]


def _stated(source: Hub, commit: str, name: str, watch: Watch) -> RemoteFile:
    """Size and fingerprint of one file, as the server states them."""
    from huggingface_hub import hf_hub_url

    repo = source.repo
    if name == "tokenizer.json" and source.tokenizer_repo:
        repo, commit = source.tokenizer_repo, source.tokenizer_revision
    url, headers = hf_hub_url(repo, name, revision=commit, endpoint=endpoint()), _headers()
    said = asking.head_of(url, headers, watch).headers
    if said.get("x-repo-commit") not in (None, commit):
        raise OddAnswerError(f"{name} of another commit than {commit}")
    # Large files lie elsewhere: the hub states their size and fingerprint in headers of its own.
    size = said.get("x-linked-size") or ("" if "location" in said else said.get("content-length", ""))
    etag = (said.get("x-linked-etag") or said.get("etag", "")).removeprefix("W/").strip('"')
    return RemoteFile(name, url, headers, int(size) if re.fullmatch("[0-9]{1,18}", size) else 0, etag)


def _demand_size(file: RemoteFile, entry: CatalogueEntry, source: Hub) -> None:
    if file.size < 1 or (file.name != WEIGHTS and file.size > ROOM):
        said = f"{file.size} bytes" if file.size else "no size"
        raise _refusal("odd-answer", source, entry, f"{source.repo} states {said} for {file.name}", file=file.name)


def _download(plan: Plan, source: Hub, entry: CatalogueEntry, work: Path, watch: Watch) -> dict[str, str]:
    """The sha256 of every file, each checked against what the server and the catalogue say of it.

    The weights come last, and only for a configuration that would be loaded.
    """
    progress = streaming.Total(watch, plan.size)
    hashes = {}
    for file in plan.files:
        part = streaming.part_of(work / "part", file)
        if file.name == WEIGHTS:
            _demand_config(plan, source, entry, work)
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
    _demand_weights(source, entry, work)
    return hashes


def _demand_config(plan: Plan, source: Hub, entry: CatalogueEntry, work: Path) -> None:
    """FetchError, reason "no-model", for a configuration that loading would refuse."""
    look = work / "look" / entry.card.name
    look.mkdir(parents=True)
    config = next(file for file in plan.files if file.name == CONFIG_FILE)
    (look / CONFIG_FILE).write_bytes(streaming.part_of(work / "part", config).read_bytes())
    try:
        checked_config(look)
    except CheckpointError as error:
        raise _refusal("no-model", source, entry, str(error), file=CONFIG_FILE) from error


def _demand_weights(source: Hub, entry: CatalogueEntry, work: Path) -> None:
    """FetchError, reason "no-model", for weights whose header is none."""
    try:
        weights_in(work / "model")
    except CheckpointError as error:
        raise _refusal("no-model", source, entry, str(error), file=WEIGHTS) from error


def _demand_recorded(entry: CatalogueEntry, pin: Pin | None, hashes: Mapping[str, str]) -> None:
    """FetchError, reason "changed", unless the files are those that the first download recorded."""
    for name, found in hashes.items():
        if pin is not None and pin.sha256.get(name) != found:
            raise _changed(entry, name, pin.sha256.get(name, "no such file"), found)


def _changed(entry: CatalogueEntry, what: str, expected: str, found: str) -> FetchError:
    return FetchError(
        f"{what} is not what was recorded when {entry.card.title} was first downloaded: {found} instead of "
        f"{expected}; it was not used. `attention-atlas models forget {entry.card.name}` removes the record and the "
        "model, for who wants what is there now",
        reason="changed",
        model=entry.card.title,
        name=entry.card.name,
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


def _is_address(text: str) -> bool:
    import httpx2

    try:
        url = httpx2.URL(text)
    except httpx2.InvalidURL:
        return False
    return url.scheme in ("http", "https") and bool(url.host)


def _is_on(name: str) -> bool:
    return os.environ.get(name, "").upper() in ("1", "ON", "YES", "TRUE")


class _InWords:
    """Turns what a request raises into FetchErrors that say what a person can do."""

    def __init__(self, source: Hub, entry: CatalogueEntry) -> None:
        self._source, self._entry = source, entry

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: Any, error: BaseException | None, __: Any) -> None:
        import httpx2
        from huggingface_hub.errors import HfHubHTTPError

        repo, where = self._source.repo, endpoint()
        if isinstance(error, HfHubHTTPError):
            told = _refused(error, self._source)
        elif isinstance(error, httpx2.TransportError):
            told = ("offline", f"{where} does not answer ({type(error).__name__})", {"where": where})
        elif isinstance(error, OddAnswerError):
            told = ("odd-answer", f"{where} gave an odd answer about {repo}: {error}", {})
        elif isinstance(error, httpx2.HTTPError | httpx2.InvalidURL):
            told = ("odd-answer", f"{where} gave an answer that cannot be read ({type(error).__name__})", {})
        else:
            return
        reason, sentence, facts = told
        raise _refusal(reason, self._source, self._entry, sentence, **facts) from error


def _refused(error: Any, source: Hub) -> tuple[str, str, dict[str, str]]:
    """What the hub refuses: the reason, a sentence, and what the page's own sentence needs beside the repository."""
    from huggingface_hub import errors

    repo, where, status = source.repo, endpoint(), error.response.status_code
    tokens = f"{where}/settings/tokens"
    with_token = "authorization" in error.response.request.headers
    if isinstance(error, errors.GatedRepoError):
        sentence = (
            f"{repo} is only for people who accepted its terms: accept them at {where}/{repo}, make an access "
            f"token at {tokens}, and start again with it in HF_TOKEN"
        )
        return "gated", sentence, {"page": f"{where}/{repo}", "tokens": tokens}
    if status == 401 and with_token:
        return "token", f"{where} does not accept the access token: make another one at {tokens}", {"tokens": tokens}
    if isinstance(error, errors.RepositoryNotFoundError):
        return "missing-repo", f"{where} has no repository {repo}, or not for everybody", {}
    if isinstance(error, errors.RevisionNotFoundError):
        revision = source.revision or "main"
        return "missing-revision", f"{repo} has no commit {revision} any more", {"revision": revision}
    if status in (401, 403):
        token = "the access token may not have the permission" if with_token else "it may want an access token"
        return "refused", f"{where} does not give out {repo} ({status}); {token}", {"tokens": tokens}
    return "odd-answer", f"{where} answered with {status}", {}
