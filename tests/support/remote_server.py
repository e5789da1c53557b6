"""A completions server on the loopback with vLLM's protocol, and faults on request.

Its model is arithmetic: the likeliest next id depends on the prompt and the position, other ids on the seed.
"""

from __future__ import annotations

import json
import random
import select
import socket
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PROBE = [1]
"""The prompt of the engine's probe."""
VOCAB_SIZE = 1000
STALLS = ("stall", "keepalives")
"""Faults after which nothing more is sent, or only keepalive comments."""


@dataclass(frozen=True)
class Fault:
    """A fault in one answer, after `after` tokens."""

    kind: str = ""  # one of STALLS | close | send (`data`) | hold (until `go_on`)
    after: int = 0
    data: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    answers_only: bool = False  # the status applies to answers, not to documents
    byte_by_byte: bool = False
    frame: Mapping[str, Any] = field(default_factory=dict)  # fields that replace those of every event
    last_frame: Mapping[str, Any] = field(default_factory=dict)  # of the last event


FINE = Fault()
NO_TEXT = Fault(status=404, body=b'{"detail":"Not Found"}')


def likeliest(prompt: Sequence[int], position: int) -> int:
    """Return the greedy id after `position` others."""
    return 10 + (sum(prompt) * 7 + position * position) % 900


def greedy(prompt: Sequence[int], count: int) -> tuple[int, ...]:
    """Return the first ids of the greedy answer."""
    return tuple(likeliest(prompt, position) for position in range(count))


class FakeServer(ThreadingHTTPServer):
    """Records its requests; each answer uses up one of `faults`, probes none."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.models: list[dict[str, Any]] = [{"id": "org/tiny", "owned_by": "vllm", "max_model_len": 256}]
        self.version: str | None = "0.32.0"
        self.uses_top_k = True
        self.always = FINE  # for every answer, probes included
        self.faults: deque[Fault] = deque()
        self.asked: list[dict[str, Any]] = []
        self.keys: set[str | None] = set()
        self.probes = 0
        self.writing = 0
        self.stalled = threading.Semaphore(0)  # released for each stalled answer
        self.closed = threading.Semaphore(0)  # released for each answer that the engine breaks off
        self.go_on = threading.Event()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request: object, client_address: object) -> None:
        """Do nothing: clients that disconnect are part of the tests."""


class Handler(BaseHTTPRequestHandler):
    """The engine's three requests."""

    server: FakeServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self.server.keys.add(self.headers.get("Authorization"))
        always = self.server.always
        if always.status != 200 and not always.answers_only:
            self._document(always.status, always.body, always.headers)
        elif self.path == "/v1/models":
            self._document(200, json.dumps({"object": "list", "data": self.server.models}).encode())
        elif self.path == "/version" and self.server.version is not None:
            self._document(200, json.dumps({"version": self.server.version}).encode())
        else:
            self._document(404, b'{"detail":"Not Found"}')

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        fault = self._fault(body)
        if fault.status != 200:
            self._document(fault.status, fault.body, fault.headers)
            return
        with self.server.lock:
            self.server.writing += 1
        try:
            self._stream(body, fault)
        except ConnectionError:  # a client that leaves with bytes unread resets the connection
            self.server.closed.release()
            self.close_connection = True
        finally:
            with self.server.lock:
                self.server.writing -= 1

    def _fault(self, body: dict[str, Any]) -> Fault:
        if not isinstance(body.get("prompt"), list):
            return NO_TEXT
        with self.server.lock:
            if body["prompt"] == PROBE:
                self.server.probes += 1
                return self.server.always
            self.server.asked.append(body)
            return self.server.faults.popleft() if self.server.faults else self.server.always

    def _stream(self, body: dict[str, Any], fault: Fault) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number, frame in enumerate(self._frames(body, fault)):
            if fault.kind and number == fault.after and not self._apply(fault):
                self.close_connection = True
                return
            data = f"data: {json.dumps(frame, ensure_ascii=False)}\n\n".encode()
            for piece in (data[i : i + 1] for i in range(len(data))) if fault.byte_by_byte else (data,):
                self._send(piece)
        self._send(b"data: [DONE]\n\n")
        self._send(b"")

    def _apply(self, fault: Fault) -> bool:
        """Apply the fault; return True if the answer continues."""
        if fault.kind == "hold":
            return self._hold()
        if fault.kind == "send":
            self._send(fault.data)
        elif fault.kind in STALLS:
            self.server.stalled.release()
            while not self._closed():
                if fault.kind == "keepalives":
                    self._send(b": still here\n\n")
        return False

    def _hold(self) -> bool:
        while not self.server.go_on.is_set():
            if self._closed():
                return False
        return True

    def _closed(self) -> bool:
        """Return True if the client closes the connection within 20 ms."""
        readable, _, _ = select.select([self.connection], [], [], 0.02)
        if readable and self.connection.recv(1, socket.MSG_PEEK) == b"":
            self.server.closed.release()
            return True
        return False

    def _frames(self, body: dict[str, Any], fault: Fault) -> Iterator[dict[str, Any]]:
        prompt, stops, count = body["prompt"], body["stop_token_ids"], body["max_tokens"]
        noise = random.Random(body["seed"])
        is_greedy = body["temperature"] == 0 or (body["top_k"] == 1 and self.server.uses_top_k)
        for position in range(count):
            token_id = likeliest(prompt, position) if is_greedy else noise.randrange(10, VOCAB_SIZE)
            stopped, full = token_id in stops and position >= body["min_tokens"], position + 1 == count
            choice = {
                "index": 0,
                "text": "né…",
                "logprobs": None,
                "finish_reason": "stop" if stopped else "length" if full else None,
                "stop_reason": token_id if stopped else None,
                "prompt_token_ids": prompt if position == 0 else None,
                "token_ids": [token_id],
            }
            choice |= fault.frame | (fault.last_frame if stopped or full else {})
            yield {"id": "cmpl-1", "object": "text_completion", "model": body["model"], "choices": [choice]}
            if stopped:
                return

    def _document(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def log_message(self, format: str, *args: Any) -> None:
        """Do nothing: tests read `asked`."""


@contextmanager
def running_server() -> Iterator[FakeServer]:
    """Run a server on a free port."""
    with FakeServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.go_on.set()
            server.shutdown()
            thread.join()
