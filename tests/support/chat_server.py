"""An OpenAI-compatible server on the loopback that plays recorded streams of text (tests/fixtures/streams)."""

from __future__ import annotations

import json
import select
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

STREAMS = Path(__file__).parents[1] / "fixtures" / "streams"
COMPLETIONS, CHAT = "/v1/completions", "/v1/chat/completions"
UNKNOWN = (404, {"detail": "Not Found"})
NO_IDS = (
    500,
    {"error": {"message": "1 validation error", "type": "internal_server_error", "param": None, "code": None}},
)
"""llama-cpp-python's answer to token ids."""
OLLAMA_NO_IDS = (
    400,
    {"error": {"message": "json: cannot unmarshal array into Go struct field CompletionRequest.prompt of type string"}},
)
PROBE = {"prompt": "Hi", "messages": [{"role": "user", "content": "Hi"}]}


@dataclass
class Plays:
    """The behaviour of a server: a stream, or a status and a document, by path."""

    streams: Mapping[str, str] = field(default_factory=dict)
    no_ids: tuple[int, Mapping[str, Any]] = NO_IDS
    models: list[dict[str, Any]] = field(default_factory=lambda: [{"id": "org/tiny", "owned_by": "me"}])
    documents: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # by path
    stalls_after: int | None = None  # events
    refusal: tuple[int, Mapping[str, Any]] | None = None  # of every POST


class ChatServer(ThreadingHTTPServer):
    """Records its requests; probes are apart."""

    daemon_threads = True

    def __init__(self, plays: Plays) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.plays = plays
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.probes: list[str] = []
        self.keys: set[str | None] = set()
        self.closed = threading.Semaphore(0)  # released for each answer that the engine breaks off

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request: object, client_address: object) -> None:
        """Do nothing: clients that disconnect are part of the tests."""


class Handler(BaseHTTPRequestHandler):
    server: ChatServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.keys.add(self.headers.get("Authorization"))
        plays = self.server.plays
        documents = {"/v1/models": {"object": "list", "data": plays.models}, **plays.documents}
        found = documents.get(self.path)
        self._document(*((200, found) if found is not None else UNKNOWN))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.keys.add(self.headers.get("Authorization"))
        name = self.server.plays.streams.get(self.path)
        is_probe = isinstance(body.get("prompt"), list) or any(body.get(key) == value for key, value in PROBE.items())
        if is_probe:
            self.server.probes.append(self.path)
        else:
            self.server.asked.append((self.path, body))
        if self.server.plays.refusal is not None:
            self._document(*self.server.plays.refusal)
        elif name is None:
            self._document(*UNKNOWN)
        elif isinstance(body.get("prompt"), list):
            self._document(*self.server.plays.no_ids)
        else:
            self._play((STREAMS / name).read_text("utf-8"), None if is_probe else self.server.plays.stalls_after)

    def _play(self, stream: str, stalls_after: int | None) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        events = [event + "\n\n" for event in stream.split("\n\n") if event]
        for number, event in enumerate(events):
            if number == stalls_after:
                self._wait_for_close()
                return
            data = event.encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.write(b"0\r\n\r\n")

    def _wait_for_close(self) -> None:
        self.close_connection = True
        while True:
            readable, _, _ = select.select([self.connection], [], [], 0.02)
            if readable and self._is_closed():
                self.server.closed.release()
                return

    def _is_closed(self) -> bool:
        try:
            return self.connection.recv(1, socket.MSG_PEEK) == b""
        except ConnectionError:  # a client that leaves with bytes unread resets the connection
            return True

    def _document(self, status: int, document: Mapping[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Do nothing: tests read `asked`."""


@contextmanager
def playing(plays: Plays) -> Iterator[ChatServer]:
    """Run a server on a free port."""
    with ChatServer(plays) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
