"""Idle, late and unread connections are closed; used ones stay open."""

from __future__ import annotations

import asyncio
import resource
import signal
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from uvicorn.config import HTTP_PROTOCOLS

from playground.ui.gradio_patches import REQUEST_S, GuardedConnection, guard_connections
from playground.ui.http.connections import IdleConnections
from playground.ui.http.proxies import Proxies
from tests.conftest import LiveApp, free_port, start_app, stop_app, without_models
from tests.support.patience import wait_until
from tests.support.starts import FEW_FILES

SHORT_S = 0.6
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
STREAM = GET.replace(b"/ ", b"/stream ")
PIECES, PIECE_S = 4, 0.25


async def small_app(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the size of the body; ``/stream`` takes a second, ``/big`` is more than a socket holds."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] == "/stream":
        for _ in range(PIECES):
            await send({"type": "http.response.body", "body": b"piece", "more_body": True})
            await asyncio.sleep(PIECE_S)
    if scope["path"] == "/big":
        for _ in range(1000):
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
    await send({"type": "http.response.body", "body": b"size %d" % size})


@dataclass
class Small:
    """A server of `small_app` with short times."""

    server: uvicorn.Server
    port: int
    idle: IdleConnections

    def connect(self, host: str = "127.0.0.1") -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10, source_address=(host, 0))


@pytest.fixture
def small(request: pytest.FixtureRequest) -> Iterator[Small]:
    """Serve with at most 5 idle connections of an address and 8 in all, unless the test sets others."""
    how = getattr(request, "param", {})
    idle = IdleConnections(Proxies(how.get("proxies", "")), most_each=how.get("each", 5), most=how.get("most", 8))

    def connection(*args: Any, **kwargs: Any) -> GuardedConnection:
        return GuardedConnection(*args, **kwargs, idle=idle, request_s=SHORT_S, unread_s=how.get("unread_s", 60.0))

    port = free_port()
    config = uvicorn.Config(small_app, port=port, log_level="error", lifespan="off", http=connection)  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    yield Small(server, port, idle)
    server.should_exit = server.force_exit = True
    thread.join(10)


def ask(connection: socket.socket, sent: bytes = GET) -> bytes:
    """Send a request and return its whole response."""
    connection.sendall(sent)
    read = b""
    while not read.endswith(b"\r\n0\r\n\r\n"):
        piece = connection.recv(65536)
        assert piece, read
        read += piece
    return read


def closed_after_s(connection: socket.socket, drip: bytes = b"", every_s: float = 0.05) -> float:
    """Return the seconds until the server closes, while `drip` is sent a byte at a time."""
    began, connection_s = time.monotonic(), 10.0
    connection.settimeout(every_s)
    with suppress(ConnectionError):
        while time.monotonic() - began < connection_s:
            with suppress(TimeoutError):
                if not connection.recv(65536):
                    break
            if drip:
                connection.send(drip[:1])
                drip = drip[1:]
    return time.monotonic() - began


BODY = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
CHUNK = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n"


@pytest.mark.parametrize(
    ("sent", "drip"),
    [
        pytest.param(b"", b"", id="silent"),
        pytest.param(b"G", b"", id="one byte", marks=pytest.mark.slow),
        pytest.param(GET[:-2], b"", id="half a head", marks=pytest.mark.slow),
        pytest.param(GET[:-2], b"X" * 1000, id="a head in drips"),
        pytest.param(BODY, b"", id="no body", marks=pytest.mark.slow),
        pytest.param(BODY + b"x" * 500, b"", id="half a body", marks=pytest.mark.slow),
        pytest.param(BODY, b"x" * 900, id="a body in drips", marks=pytest.mark.slow),
        pytest.param(CHUNK, b"", id="half a chunk", marks=pytest.mark.slow),
        pytest.param(GET + b"G", b"", id="one byte after an answer", marks=pytest.mark.slow),
        pytest.param(GET + GET[:-2], b"X" * 1000, id="drips after an answer", marks=pytest.mark.slow),
    ],
)
def test_late_request_is_closed(small: Small, sent: bytes, drip: bytes) -> None:
    with small.connect() as connection:
        connection.sendall(sent)
        assert SHORT_S - 0.2 < closed_after_s(connection, drip) < 6
    wait_until(lambda: len(small.idle) == 0)


@pytest.mark.slow
def test_second_request_has_the_same_deadline(small: Small) -> None:
    with small.connect() as connection:
        assert b"size 0" in ask(connection)
        time.sleep(SHORT_S * 1.5)
        connection.sendall(GET[:10])
        assert SHORT_S - 0.2 < closed_after_s(connection) < 4


@pytest.mark.slow
def test_used_connection_stays_open(small: Small) -> None:
    with small.connect() as connection:
        for _ in range(2):
            time.sleep(SHORT_S * 0.7)
            assert b"size 0" in ask(connection)
        time.sleep(SHORT_S * 1.5)
        assert b"size 0" in ask(connection)


@pytest.mark.slow
def test_long_stream_stays_open_and_is_not_idle(small: Small) -> None:
    with ExitStack() as stack:
        streams = []
        for _ in range(7):
            streams.append(stack.enter_context(small.connect()))
            streams[-1].sendall(STREAM)
        wait_until(lambda: len(small.idle) == 0)
        for stream in streams:
            assert ask(stream, b"").count(b"piece") == PIECES


@pytest.mark.slow
def test_slow_upload_is_accepted(small: Small) -> None:
    with small.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2500\r\n\r\n")
        for _ in range(4):
            time.sleep(0.2)
            connection.sendall(b"x" * 500)
        assert b"size 2500" in ask(connection, b"x" * 500)


def test_connections_of_one_address_are_limited(small: Small) -> None:
    with ExitStack() as stack:
        silent = [stack.enter_context(small.connect()) for _ in range(6)]
        assert closed_after_s(silent[0]) < SHORT_S / 2
        elsewhere = stack.enter_context(small.connect("127.0.0.2"))
        for connection in (silent[-1], elsewhere):
            assert b"size 0" in ask(connection)


def test_connections_of_all_addresses_are_limited(small: Small) -> None:
    with ExitStack() as stack:
        silent = [stack.enter_context(small.connect(f"127.0.0.{number}")) for number in range(2, 11)]
        assert closed_after_s(silent[0]) < SHORT_S / 2
        assert b"size 0" in ask(silent[-1])


@pytest.mark.parametrize("small", [{"proxies": "127.0.0.1", "most": 50}], indirect=True)
def test_trusted_proxy_has_no_limit_of_its_own(small: Small) -> None:
    with ExitStack() as stack:
        idle = [stack.enter_context(small.connect()) for _ in range(20)]
        for connection in idle:
            assert b"size 0" in ask(connection)


@pytest.mark.slow
@pytest.mark.parametrize("small", [{"unread_s": 0.5}], indirect=True)
def test_unread_response_is_closed(small: Small) -> None:
    with small.connect() as connection:
        connection.sendall(GET.replace(b"/ ", b"/big "))
        wait_until(lambda: len(small.server.server_state.connections) == 1)
        wait_until(lambda: len(small.server.server_state.connections) == 0)


@pytest.mark.slow
def test_server_is_guarded_from_its_first_connection_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HTTP_PROTOCOLS, "auto", HTTP_PROTOCOLS["auto"])
    guard_connections(Proxies())
    HTTP_PROTOCOLS["auto"].keywords["request_s"] = SHORT_S  # type: ignore[union-attr]
    server = uvicorn.Server(uvicorn.Config(small_app, port=free_port(), log_level="error", lifespan="off"))
    threading.Thread(target=server.run, daemon=True).start()
    wait_until(lambda: server.started)
    with socket.create_connection(("127.0.0.1", server.config.port), timeout=10) as connection:
        assert closed_after_s(connection) < 5
    server.should_exit = server.force_exit = True


# The running app with the usual limit of files


def few_files() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_NOFILE, (FEW_FILES, FEW_FILES))


@pytest.fixture
def few(tmp_path: Path) -> Iterator[LiveApp]:
    """A running app that may open `FEW_FILES` files."""
    app = start_app(tmp_path, *without_models(tmp_path), forked=False, prepare=few_files)
    yield app
    stop_app(app)


def connect(app: LiveApp) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(app.url.rpartition(":")[2])), timeout=10)


def serves(app: LiveApp) -> bool:
    with suppress(OSError), urllib.request.urlopen(app.url, timeout=30) as reply:
        return reply.status == 200
    return False


def silent(app: LiveApp, count: int, says: Callable[[int], bytes]) -> list[socket.socket]:
    connections = []
    for number in range(count):
        connections.append(connect(app))
        connections[-1].sendall(says(number))
    return connections


def is_closed(connection: socket.socket) -> bool:
    connection.settimeout(0)
    try:
        return not connection.recv(65536)
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


@pytest.fixture
def many_files() -> Iterator[None]:
    """Let this process open more connections than the app may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4 * FEW_FILES), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.slow
@pytest.mark.usefixtures("many_files")
def test_silent_connections_lock_no_visitor_out(few: LiveApp) -> None:
    with ExitStack() as stack:
        began = time.monotonic()
        held = silent(few, 1100, lambda _: b"") + silent(few, 200, lambda _: GET[:-2])
        dripping = connect(few)
        dripping.sendall(GET[:-2])
        for connection in (*held, dripping):
            stack.callback(connection.close)
        for _ in range(3):
            assert serves(few), "while they are there"
        assert not is_closed(held[-1]), "its request is not late yet"
        while not all(map(is_closed, (*held, dripping))):
            assert time.monotonic() - began < 3 * REQUEST_S
            time.sleep(0.5)
            with suppress(OSError):
                dripping.send(b"X")
        assert time.monotonic() - began > REQUEST_S - 1
        assert serves(few)
    assert few.log.read_text().count("Traceback") <= 1, "for a second there may be no file for a connection"
