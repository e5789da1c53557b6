"""A hub on the loopback interface, with the part of its protocol that a download uses."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from huggingface_hub import constants

LARGE = (".safetensors", ".bin", ".model", ".pth", ".gguf", ".h5", ".msgpack", ".onnx")
"""Endings of files that the hub keeps outside of git, known by their SHA-256."""

REPO = "herd/alpaca-tiny"
WEIGHTS = bytes(range(256)) * 200
KIT = {
    "config.json": b"{}",
    "generation_config.json": b'{"do_sample": false}',
    "tokenizer.model": b"pieces",
    "tokenizer_config.json": b'{"legacy": true}',
    "special_tokens_map.json": b'{"eos_token": "</s>"}',
    "LICENSE": b"Apache-2.0",
    "README.md": b"# Alpaca",
}
SAFE = KIT | {"model.safetensors": WEIGHTS}
SHARDS = ("pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin")
INDEX = json.dumps({"weight_map": dict(zip(("embed", "head"), SHARDS, strict=True))}).encode()
BIN = KIT | {"pytorch_model.bin.index.json": INDEX, SHARDS[0]: WEIGHTS, SHARDS[1]: WEIGHTS[::-1]}


@dataclass(frozen=True)
class Asked:
    """A request that the server received."""

    method: str
    path: str
    range: str | None
    token: str | None

    @property
    def file(self) -> str:
        """The file that was requested; empty for anything else."""
        return self.path.partition("/resolve/")[2].partition("/")[2]


@dataclass(frozen=True)
class Refusal:
    """A response in place of the right one."""

    status: int
    code: str = ""  # X-Error-Code
    message: str = ""  # X-Error-Message
    body: bytes = b""


@dataclass
class Faults:
    """Faults by path or file name; a test changes them while the server runs."""

    refusals: dict[str, Refusal] = field(default_factory=dict)
    cuts: dict[str, int] = field(default_factory=dict)  # the connection breaks off at this byte
    stalls: dict[str, int] = field(default_factory=dict)  # nothing is sent after this byte
    contents: dict[str, bytes] = field(default_factory=dict)  # sent in place of the file
    redirect: str = ""  # to the server that has the files


class HubServer(ThreadingHTTPServer):
    """Repositories by name and commit, branches that can move, and a record of requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.commits: dict[tuple[str, str], dict[str, bytes]] = {}
        self.branches: dict[tuple[str, str], str] = {}
        self.asked: list[Asked] = []
        self.faults = Faults()
        self.before_file: Callable[[str], None] = lambda name: None
        self.stalled, self.go_on = threading.Event(), threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def files_asked(self) -> list[str]:
        """The files that were downloaded, in order."""
        return [asked.file for asked in self.asked if asked.file and asked.method == "GET"]

    def ranges(self, name: str) -> list[str | None]:
        """The ranges of a file that were downloaded, in order; None means all of it."""
        return [asked.range for asked in self.asked if asked.file == name and asked.method == "GET"]

    def push(self, repo: str, files: Mapping[str, bytes], branch: str = "main") -> str:
        """Add a commit to a branch; return its hash."""
        held = sorted((name, hashlib.sha1(data).hexdigest()) for name, data in files.items())
        commit = hashlib.sha1(repr((repo, held)).encode()).hexdigest()
        self.commits[repo, commit] = dict(files)
        self.branches[repo, branch] = commit
        return commit

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that disconnect."""


class Handler(BaseHTTPRequestHandler):
    """Requests for a model, for the tree of a commit, and for a file or its metadata."""

    server: HubServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        asked = Asked(self.command, path, self.headers.get("Range"), self.headers.get("Authorization"))
        self.server.asked.append(asked)
        refusals = self.server.faults.refusals
        refusal = refusals.get(asked.file or "api") or refusals.get(path)
        if refusal:
            self._refuse(refusal)
        elif path.startswith("/api/models/"):
            self._describe(path.removeprefix("/api/models/"))
        else:
            repo, _, rest = path.removeprefix("/").partition("/resolve/")
            commit, _, name = rest.partition("/")
            self._file(commit, name, self.server.commits[repo, commit][name], asked.range)

    def _describe(self, rest: str) -> None:
        if "api" in self.server.faults.stalls:
            self.server.go_on.wait(60)
        repo, is_tree, revision = rest.partition("/tree/")
        if not is_tree:
            repo, _, revision = rest.partition("/revision/")
        commit = self.server.branches.get((repo, revision), revision)
        if not any(name == repo for name, _ in self.server.commits):
            return self._refuse(Refusal(404, "RepoNotFound"))
        if (repo, commit) not in self.server.commits:
            return self._refuse(Refusal(404, "RevisionNotFound"))
        files = self.server.commits[repo, commit]
        tree = [_entry(name, data) for name, data in files.items()]
        siblings = [{"rfilename": name} for name in files]
        model = {"id": repo, "modelId": repo, "sha": commit, "private": False, "siblings": siblings}
        document = tree if is_tree else model
        return self._answer(200, {"Content-Type": "application/json"}, json.dumps(document).encode())

    def _file(self, commit: str, name: str, data: bytes, wanted: str | None) -> None:
        headers = {
            "X-Repo-Commit": commit,
            "X-Linked-Size": str(len(data)),
            "X-Linked-Etag": f'"{_digest(name, data)}"',
        }
        faults = self.server.faults
        if faults.redirect:
            self._answer(302, headers | {"Location": faults.redirect + self.path}, b"")
        elif self.command == "HEAD":
            self._answer(200, headers, data)
        else:
            self.server.before_file(name)
            self._send_file(name, data, wanted)

    def _send_file(self, name: str, data: bytes, wanted: str | None) -> None:
        faults = self.server.faults
        data = faults.contents.get(name, data)
        start = 0
        if wanted:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        end = min(faults.cuts.get(name, len(data)), faults.stalls.get(name, len(data)))
        self.wfile.write(data[start:end])
        self.wfile.flush()
        if name in faults.stalls:
            self.server.stalled.set()
            self.server.go_on.wait(60)
        self.close_connection = end < len(data)

    def _refuse(self, refusal: Refusal) -> None:
        said = {"X-Error-Code": refusal.code, "X-Error-Message": refusal.message}
        self._answer(refusal.status, {name: value for name, value in said.items() if value}, refusal.body)

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing; tests read `asked`."""


def _entry(name: str, data: bytes) -> dict[str, Any]:
    """Return a file's entry in the tree of a commit."""
    row: dict[str, Any] = {"type": "file", "path": name, "size": len(data), "oid": _git_hash(data)}
    if name.endswith(LARGE):
        row["lfs"] = {"oid": _digest(name, data), "size": len(data), "pointerSize": 134}
    return row


def _digest(name: str, data: bytes) -> str:
    return hashlib.sha256(data).hexdigest() if name.endswith(LARGE) else _git_hash(data)


def _git_hash(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def use_endpoint(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Set what the library reads from `HF_ENDPOINT` when it is imported."""
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@contextmanager
def running_hub() -> Iterator[HubServer]:
    """Run a server on a free port."""
    with HubServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.go_on.set()
            server.shutdown()
            thread.join()
