"""A proxy that records every byte between visitors and an app, one exchange per connection.

Boundary: sockets and HTTP/1.1 framing; knows nothing of battles. Two header lines of a request are replaced: the
connection is closed after the response, so that a connection is an exchange, and the response is not compressed.
"""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

END_OF_HEAD = b"\r\n\r\n"
OURS = (b"connection:", b"accept-encoding:")


@dataclass
class Exchange:
    """One request and the bytes of its response so far."""

    request: bytes
    response: bytearray = field(default_factory=bytearray)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def method(self) -> str:
        return self.request.split(b" ", 1)[0].decode()

    @property
    def target(self) -> str:
        return self.request.split(b" ", 2)[1].decode()

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def sent(self) -> bytes:
        """The body of the request."""
        return self.request.partition(END_OF_HEAD)[2]


@dataclass(frozen=True)
class Reply:
    """A parsed response; the body of an abandoned stream is what had come."""

    status: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @classmethod
    def read(cls, raw: bytes) -> Reply:
        head, separator, rest = raw.partition(END_OF_HEAD)
        assert separator or not raw, f"half a head: {raw!r}"
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = tuple((name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines))
        chunked = ("transfer-encoding", "chunked") in headers
        return cls(status, headers, _unchunked(rest) if chunked else rest)


def _unchunked(raw: bytes) -> bytes:
    body = bytearray()
    while raw:
        size, _, raw = raw.partition(b"\r\n")
        body += raw[: int(size or b"0", 16)]
        raw = raw[int(size or b"0", 16) + 2 :]
    return bytes(body)


@dataclass
class Wire:
    """Listens on a port of its own and forwards everything to the app."""

    app: tuple[str, int]
    listener: socket.socket
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def url(self) -> str:
        host, port = self.listener.getsockname()
        return f"http://{host}:{port}"

    def serve(self) -> None:
        """Forward connections until the listener is closed."""
        with suppress(OSError):
            while True:
                visitor, _ = self.listener.accept()
                threading.Thread(target=self._exchange, args=(visitor,), daemon=True).start()

    def since(self, number: int) -> list[Exchange]:
        """Return the exchanges that began after the first `number` ones."""
        return self.exchanges[number:]

    def _exchange(self, visitor: socket.socket) -> None:
        with visitor, suppress(OSError):
            request = _request(visitor)
            if not request:
                return  # a browser opens connections that it may need
            exchange = Exchange(request)
            self.exchanges.append(exchange)
            try:
                with socket.create_connection(self.app) as app:
                    app.sendall(request)
                    _forward(app, visitor, exchange.response)
            finally:
                exchange.ended.set()


def _request(visitor: socket.socket) -> bytes:
    raw = b""
    while END_OF_HEAD not in raw:
        more = visitor.recv(65536)
        if not more:
            return b""
        raw += more
    head, _, body = raw.partition(END_OF_HEAD)
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(OURS)]
    sizes = [int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:")]
    while len(body) < sum(sizes):
        body += visitor.recv(65536)
    return b"\r\n".join([*lines, b"Connection: close", b"Accept-Encoding: identity"]) + END_OF_HEAD + body


def _forward(app: socket.socket, visitor: socket.socket, record: bytearray) -> None:
    """Forward and record the response until either side hangs up."""
    while True:
        readable, _, _ = select.select([app, visitor], [], [])
        if app in readable:
            data = app.recv(65536)
            record += data  # before the visitor has it, so that nothing seen is missing
            if not data:
                return
            visitor.sendall(data)
        elif not visitor.recv(65536):
            return


@contextmanager
def recording(url: str) -> Iterator[Wire]:
    """Record the traffic of the app at `url`; visitors open the wire's address instead."""
    there = urlsplit(url)
    listener = socket.create_server(("127.0.0.1", 0))
    wire = Wire((str(there.hostname), int(there.port or 80)), listener)
    threading.Thread(target=wire.serve, daemon=True).start()
    try:
        yield wire
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
