"""A server on this machine that speaks the hub's endpoints and serves small real models, with faults to switch on."""

import hashlib
import json
import re
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

RESOLVE = re.compile(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)")
API = re.compile(r"/api/models/([^/]+/[^/]+?)(?:/revision/([^/]+))?")
LARGE = 10_000  # bytes from which a file is kept apart, as the hub keeps large ones

NAME = "owner/tiny"
ENTRY = """
[[model]]
name = "tiny"
title = "Tiny"
full_title = "tiny"
family = "bert"
kinds = ["encoder-self"]
languages = []
layers = 2
heads = 2
max_tokens = 32
precision = "exact"
licence = "MIT"
size_bytes = 50000
[[model.source]]
type = "hub"
repo = "owner/tiny"
"""


@dataclass
class Repo:
    """A repository at one commit, and what is wrong with it."""

    files: dict[str, bytes]
    commit: str = "a" * 40
    gated: bool = False
    lists: list[str] | None = None  # names that it claims to have
    break_after: int | None = None  # bytes of a large file after which the line breaks
    breaks: int = 10**9  # how often it does
    slow: float = 0.0  # seconds before each piece of a large file
    tag: str | None = None  # the fingerprint that it claims of its weights
    size: int | None = None  # the size that it claims of its weights
    whole: bool = False  # answers a range with everything
    status: int = 200  # of every file
    answers: tuple[int, str | None] | None = None  # the status and the error code of whatever is asked about it
    told: object = None  # what it says of itself instead of its list of files
    pours: str = ""  # what never ends: "listing", or "error" instead of a large file
    drips: float = 0.0  # seconds between two of the bytes that never end
    leads: str = ""  # where a large file is said to lie


@dataclass
class Hub:
    """What is served, and what was asked for: (method, path, range, authorization)."""

    url: str = ""
    repos: dict[str, Repo] = field(default_factory=dict)
    asked: list[tuple[str, str, str | None, str | None]] = field(default_factory=list)
    sent: int = 0

    def gets(self, name):
        return [one for one in self.asked if one[0] == "GET" and name in one[1]]


def git_name(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.answer()

    @property
    def hub(self) -> Hub:
        return self.server.hub

    def answer(self):
        path = unquote(urlsplit(self.path).path)
        headers = self.headers
        self.hub.asked.append((self.command, path, headers.get("Range"), headers.get("Authorization")))
        if api := API.fullmatch(path):
            self.info(*api.groups())
        elif resolve := RESOLVE.fullmatch(path):
            self.file(*resolve.groups())
        elif path.startswith("/cdn/"):
            _, _, owner, name, file = path.split("/", 4)
            self.send_large(self.hub.repos[f"{owner}/{name}"], file)
        else:
            self.refuse(404, "EntryNotFound")

    def refuse(self, status, code=None, commit=None):
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        if commit:
            self.send_header("X-Repo-Commit", commit)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def found(self, name, revision):
        repo = self.hub.repos.get(name)
        if repo is not None and repo.answers is not None:
            self.refuse(*repo.answers)
        elif repo is None:
            self.refuse(401 if self.headers.get("Authorization") is None else 404, "RepoNotFound")
        elif revision not in (None, "main", repo.commit):
            self.refuse(404, "RevisionNotFound")
        else:
            return repo
        return None

    def info(self, name, revision):
        repo = self.found(name, revision)
        if repo is None:
            return
        listed = repo.lists if repo.lists is not None else list(repo.files)
        if repo.pours == "listing":
            self.pour_for_ever(repo, 200)
            return
        body = {"id": name, "sha": repo.commit, "siblings": [{"rfilename": one} for one in listed]}
        data = json.dumps(body if repo.told is None else repo.told).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def file(self, name, revision, file):
        repo = self.found(name, revision)
        if repo is None:
            return
        if repo.gated and self.headers.get("Authorization") != "Bearer hf_good":
            self.refuse(403 if self.headers.get("Authorization") else 401, "GatedRepo")
        elif file not in repo.files:
            self.refuse(404, "EntryNotFound", repo.commit)
        elif repo.status != 200:
            self.refuse(repo.status)
        elif len(repo.files[file]) < LARGE:
            data = repo.files[file]
            self.send_response(200)
            self.send_header("X-Repo-Commit", repo.commit)
            self.send_header("ETag", f'"{git_name(data)}"')
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command == "GET":
                self.hub.sent += len(data)
                self.wfile.write(data)
        else:
            data = repo.files[file]
            tag = repo.tag or hashlib.sha256(data).hexdigest()
            self.send_response(302)
            self.send_header("X-Repo-Commit", repo.commit)
            self.send_header("X-Linked-Etag", f'"{tag}"')
            self.send_header("X-Linked-Size", str(len(data) if repo.size is None else repo.size))
            # Another name of the same machine: a redirect must not carry the token there.
            other = self.hub.url.replace("127.0.0.1", "localhost")
            self.send_header("Location", repo.leads or f"{other}/cdn/{name}/{file}")
            self.send_header("Content-Length", "0")
            self.end_headers()

    def pour_for_ever(self, repo, status):
        self.send_response(status)
        self.end_headers()
        piece = b" " if repo.drips else b" " * (1 << 20)
        try:
            while not self.server.ended.wait(repo.drips):
                self.wfile.write(piece)
                self.hub.sent += len(piece)
        except OSError:  # nobody listens any more
            pass
        self.close_connection = True

    def send_large(self, repo, file):
        if repo.pours == "error" and self.command == "GET":
            self.pour_for_ever(repo, 500)
            return
        data, start = repo.files[file], 0
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        if asked and not repo.whole:
            start = int(asked.group(1))
            if start >= len(data):
                self.refuse(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        if self.command == "GET":
            self.pour(repo, data, start)

    def pour(self, repo, data, start):
        step, end = 4096, len(data)
        if repo.break_after is not None and repo.breaks > 0 and start + repo.break_after < end:
            repo.breaks -= 1
            end = start + repo.break_after
        for at in range(start, end, step):
            time.sleep(repo.slow)
            piece = data[at : min(at + step, end)]
            try:
                self.wfile.write(piece)
            except OSError:  # nobody listens any more
                break
            self.hub.sent += len(piece)
        if end < len(data):
            self.close_connection = True


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.ended = threading.Event()
        self.hub = Hub(url=f"http://127.0.0.1:{self.server_port}")


@contextmanager
def serving():
    """A Hub that answers at its url until the end of the block."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.hub
    finally:
        server.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


def tiny_bert(folder, *, seed=0, safe=True):
    """The files of a small random BERT that transformers saved, with its tokenizer."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel

    torch.manual_seed(seed)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "sat", "on", "mat"]
    config = BertConfig(
        vocab_size=len(words), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=32,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.add_special_tokens(words[:5])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def hashes_of(files):
    return {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


def left_over(cache):
    return sorted(path.name for path in (cache / "models").iterdir())
