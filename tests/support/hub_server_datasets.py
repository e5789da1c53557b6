"""A hub on the loopback interface with datasets that can be created, written, listed and read."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from huggingface_hub import constants, file_download
from huggingface_hub.utils import _http

from tests.support.hub_server import LARGE, use_endpoint

WRITE, READ = "hf_may_write", "hf_may_read"
"""The tokens that the server knows."""
STORE = "herd/votes"
"""The dataset of the tests."""


@dataclass(frozen=True)
class Fault:
    """A fault in the answer of one request.

    status: answered in place of the right answer, with Retry-After if `retry_after` is set. 0: as it should be.
    drop: the connection is closed without an answer.
    hang: no answer before the server is told to go on.
    after: the request is carried out before that.
    """

    status: int = 0
    retry_after: str = ""
    drop: bool = False
    hang: bool = False
    after: bool = False


@dataclass(frozen=True)
class Commit:
    id: str
    message: str
    files: Mapping[str, bytes]


@dataclass
class Repository:
    private: bool
    commits: list[Commit] = field(default_factory=list)

    @property
    def files(self) -> Mapping[str, bytes]:
        return self.commits[-1].files

    def add(self, message: str, files: Mapping[str, bytes]) -> Commit:
        commit = Commit(secrets.token_hex(20), message, dict(files))
        self.commits.append(commit)
        return commit


class DatasetServer(ThreadingHTTPServer):
    """Datasets by name, with every commit; a record of requests; faults by step, first in first out.

    A step is one of ``whoami create info tree preupload batch upload verify commit squash resolve``.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), DatasetHandler)
        self.datasets: dict[str, Repository] = {}
        self.tokens: dict[str, str] = {WRITE: "write", READ: "read"}
        self.large: dict[str, bytes] = {}  # by SHA-256
        self.hashes: dict[tuple[bytes, bool], str] = {}  # by content, and whether it is large
        self.large_from_bytes = 10_000_000
        self.page_entries = 1000
        self.steps: list[str] = []
        self.uploaded_bytes = 0
        self.faults: dict[str, list[Fault]] = {}
        self.always: dict[str, Fault] = {}
        self.before_step: Callable[[str], None] = lambda step: None
        self.after_step: Callable[[str], None] = lambda step: None
        self.go_on = threading.Event()
        self.guard = threading.RLock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def files(self, repo: str = STORE) -> Mapping[str, bytes]:
        """Return the files of the newest commit."""
        return self.datasets[repo].files

    def make(self, repo: str = STORE, *, private: bool = True, files: Mapping[str, bytes] | None = None) -> Repository:
        """Create a dataset, as the hub does: with a first commit."""
        made = self.datasets[repo] = Repository(private)
        made.add("initial commit", {".gitattributes": b"", **(files or {})})
        return made

    def take_fault(self, step: str) -> Fault:
        with self.guard:
            self.steps.append(step)
            waiting = self.faults.get(step)
            return waiting.pop(0) if waiting else self.always.get(step, Fault())

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that disconnect."""


@dataclass(frozen=True)
class Answer:
    status: int
    document: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def _missing(status: int = 404) -> Answer:
    return Answer(status, headers={"X-Error-Code": "RepoNotFound"})


class DatasetHandler(BaseHTTPRequestHandler):
    """Each request is a step: the first that fits its method and path."""

    server: DatasetServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_HEAD(self) -> None:
        self._serve()

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing; tests read `steps`."""

    def _serve(self) -> None:
        body = self._body()
        url = urlsplit(self.path)
        path, query = unquote(url.path), parse_qs(url.query)
        step, work = self._step(path, query, body)
        self.server.before_step(step)
        fault = self.server.take_fault(step)
        answer = work() if fault.after or fault == Fault() else Answer(200)
        if fault == Fault() or fault.after:
            self.server.after_step(step)
        if fault.hang:
            self.server.go_on.wait(60)
        if fault.drop or fault.hang:
            self.close_connection = True
            return
        if fault.status:
            retry = {"Retry-After": fault.retry_after} if fault.retry_after else {}
            answer = Answer(fault.status, {"error": "a fault"}, retry)
        self._send(answer)

    def _step(self, path: str, query: Mapping[str, list[str]], body: bytes) -> tuple[str, Callable[[], Answer]]:
        if path == "/api/whoami-v2":
            return "whoami", self._whoami
        if path == "/api/validate-yaml":
            return "validate", lambda: Answer(200, {"errors": [], "warnings": []})
        if path == "/api/repos/create":
            return "create", lambda: self._create(json.loads(body))
        if path.startswith("/upload/"):
            return "upload", lambda: self._upload(path.removeprefix("/upload/"), body)
        if path == "/verify":
            return "verify", lambda: Answer(200, {})
        if path.endswith("/info/lfs/objects/batch"):
            return "batch", lambda: self._batch(json.loads(body))
        if "/resolve/" in path:
            repo, _, rest = path.removeprefix("/datasets/").partition("/resolve/")
            revision, _, name = rest.partition("/")
            return "resolve", lambda: self._resolve(repo, revision, name)
        repo, verb, revision = _parts(path.removeprefix("/api/datasets/"))
        work: Mapping[str, Callable[[], Answer]] = {
            "info": lambda: self._info(repo, revision),
            "tree": lambda: self._tree(repo, revision, query),
            "preupload": lambda: self._preupload(repo, json.loads(body)),
            "commit": lambda: self._commit(repo, [json.loads(line) for line in body.splitlines()]),
            "squash": lambda: self._squash(repo, json.loads(body)),
        }
        return verb, work[verb]

    # Rights

    @property
    def _right(self) -> str | None:
        """The right of the token: "" without one, None for an unknown one."""
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        return self.server.tokens.get(token) if token else ""

    def _refusal(self, repo: str, *, writes: bool = False) -> Answer | None:
        found, right = self.server.datasets.get(repo), self._right
        if right is None:
            return Answer(401, headers={"X-Error-Message": "Invalid credentials in Authorization header"})
        if found is None or (found.private and not right):
            return _missing(404 if right else 401)
        if writes and right != "write":
            return Answer(403, headers={"X-Error-Message": "You don't have the rights to write to this dataset"})
        return None

    # Steps

    def _whoami(self) -> Answer:
        return Answer(200, {"type": "user", "name": "ada"}) if self._right else Answer(401)

    def _create(self, asked: Mapping[str, Any]) -> Answer:
        repo = f"{asked['organization']}/{asked['name']}"
        if self._right != "write":
            return Answer(403 if self._right else 401)
        url = f"{self.server.url}/datasets/{repo}"
        with self.server.guard:
            if repo in self.server.datasets:
                return Answer(409, {"error": "You already created this dataset repo", "url": url})
            self.server.make(repo, private=asked.get("visibility") == "private")
        return Answer(200, {"url": url})

    def _info(self, repo: str, revision: str) -> Answer:
        if refusal := self._refusal(repo):
            return refusal
        found = self.server.datasets[repo]
        return Answer(200, {"id": repo, "sha": found.commits[-1].id, "private": found.private, "siblings": []})

    def _tree(self, repo: str, revision: str, query: Mapping[str, list[str]]) -> Answer:
        if refusal := self._refusal(repo):
            return refusal
        found = self._commit_of(repo, revision)
        if found is None:
            return Answer(404, headers={"X-Error-Code": "RevisionNotFound"})
        names = sorted(found.files)
        start = int(query.get("cursor", ["0"])[0])
        end = start + self.server.page_entries
        entries = [self._entry(name, found.files[name]) for name in names[start:end]]
        more = f'<{self.server.url}{urlsplit(self.path).path}?recursive=True&cursor={end}>; rel="next"'
        return Answer(200, entries, {"Link": more} if end < len(names) else {})

    def _preupload(self, repo: str, asked: Mapping[str, Any]) -> Answer:
        if refusal := self._refusal(repo, writes=True):
            return refusal
        files = self.server.files(repo)
        answers = [
            {
                "path": file["path"],
                "uploadMode": "lfs" if self._is_large(file["path"], file["size"]) else "regular",
                "shouldIgnore": False,
                **({"oid": self._hash(file["path"], files[file["path"]])} if file["path"] in files else {}),
            }
            for file in asked["files"]
        ]
        return Answer(200, {"files": answers})

    def _batch(self, asked: Mapping[str, Any]) -> Answer:
        def actions(oid: str) -> Mapping[str, Any]:
            if oid in self.server.large:
                return {}
            upload, verify = f"{self.server.url}/upload/{oid}", f"{self.server.url}/verify"
            return {"actions": {"upload": {"href": upload}, "verify": {"href": verify}}}

        objects = [{"oid": o["oid"], "size": o["size"], **actions(o["oid"])} for o in asked["objects"]]
        return Answer(200, {"transfer": "basic", "objects": objects})

    def _upload(self, oid: str, body: bytes) -> Answer:
        self.server.uploaded_bytes += len(body)
        if hashlib.sha256(body).hexdigest() != oid:
            return Answer(400)
        self.server.large[oid] = body
        return Answer(200)

    def _commit(self, repo: str, lines: list[Mapping[str, Any]]) -> Answer:
        with self.server.guard:
            if refusal := self._refusal(repo, writes=True):
                return refusal
            found = self.server.datasets[repo]
            files, header = dict(found.files), lines[0]["value"]
            if header.get("parentCommit", found.commits[-1].id) != found.commits[-1].id:
                return Answer(412, {"error": "A commit has happened since. Please refresh and try again."})
            for line in lines[1:]:
                value = line["value"]
                match line["key"]:
                    case "file":
                        files[value["path"]] = base64.b64decode(value["content"])
                        self.server.uploaded_bytes += len(files[value["path"]])
                    case "lfsFile":
                        files[value["path"]] = self.server.large[value["oid"]]
                    case "deletedFile":
                        if files.pop(value["path"], None) is None:
                            return Answer(404, headers={"X-Error-Code": "EntryNotFound"})
            commit = found.add(header["summary"], files)
        return Answer(
            200, {"commitUrl": f"{self.server.url}/datasets/{repo}/commit/{commit.id}", "commitOid": commit.id}
        )

    def _squash(self, repo: str, asked: Mapping[str, Any]) -> Answer:
        with self.server.guard:
            if refusal := self._refusal(repo, writes=True):
                return refusal
            found = self.server.datasets[repo]
            files = found.files
            found.commits.clear()
            found.add(asked["message"], files)
        return Answer(200, {})

    def _resolve(self, repo: str, revision: str, name: str) -> Answer:
        if refusal := self._refusal(repo):
            return refusal
        found = self._commit_of(repo, revision)
        if found is None or name not in found.files:
            return Answer(404, headers={"X-Error-Code": "EntryNotFound"})
        data, etag = found.files[name], self._hash(name, found.files[name])
        headers = {"X-Repo-Commit": found.id, "ETag": f'"{etag}"'}
        if self._is_large(name, len(data)):
            headers |= {"X-Linked-Size": str(len(data)), "X-Linked-Etag": f'"{etag}"'}
        return Answer(200, headers=headers, body=data)

    # Inside

    def _commit_of(self, repo: str, revision: str) -> Commit | None:
        commits = self.server.datasets[repo].commits
        return commits[-1] if revision == "main" else next((one for one in commits if one.id == revision), None)

    def _is_large(self, name: str, size: int) -> bool:
        return size > 0 and (size >= self.server.large_from_bytes or name.endswith((*LARGE, ".parquet")))

    def _hash(self, name: str, data: bytes) -> str:
        known, key = self.server.hashes, (data, self._is_large(name, len(data)))
        if key not in known:
            blob = hashlib.sha256(data) if key[1] else hashlib.sha1(b"blob %d\0" % len(data) + data)
            known[key] = blob.hexdigest()
        return known[key]

    def _entry(self, name: str, data: bytes) -> Mapping[str, Any]:
        row: dict[str, Any] = {"type": "file", "path": name, "size": len(data), "oid": self._hash(name, data)}
        if self._is_large(name, len(data)):
            row |= {"oid": "0" * 40, "lfs": {"oid": self._hash(name, data), "size": len(data), "pointerSize": 134}}
        return row

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _send(self, answer: Answer) -> None:
        body = answer.body if answer.document is None else json.dumps(answer.document).encode()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json" if answer.document is not None else "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _parts(rest: str) -> tuple[str, str, str]:
    """Return repository, step and revision of a path below ``/api/datasets/``."""
    org, name, *more = rest.split("/")
    verb = {"revision": "info", "super-squash": "squash"}.get(more[0], more[0]) if more else "info"
    return f"{org}/{name}", verb, "/".join(more[1:]) or "main"


@contextmanager
def running_datasets(port: int = 0) -> Iterator[DatasetServer]:
    """Run a server on a free port."""
    with DatasetServer(port) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.go_on.set()
            server.shutdown()
            thread.join()


@contextmanager
def datasets_for(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[DatasetServer]:
    """Run a server that the library in this process uses, with a token that may write.

    The library retries without waiting, and uploads large files over plain HTTP.
    """
    with running_datasets() as server:
        use_endpoint(monkeypatch, server.url)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(folder / "token"))
        for module in (file_download, _http):
            monkeypatch.setattr(module, "time", SimpleNamespace(sleep=lambda seconds: None))
        monkeypatch.setenv("HF_TOKEN", WRITE)
        yield server
