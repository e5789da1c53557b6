"""Close connections that hold a place and ask for nothing: silent ones, half-sent requests, answers that nobody reads.

Boundary: one internal of uvicorn, its HTTP/1.1 protocol on h11 (written for uvicorn 0.54, h11 0.16), whose own timeout
covers only the pause between an answer and the next request. Knows nothing of what is asked. For one thread: the
server's event loop. A stream that is being answered, however long, is left alone.
"""

from __future__ import annotations

import asyncio
import selectors
from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import Any

import h11
from uvicorn.config import HTTP_PROTOCOLS, Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from playground.ui.http.limits import network
from playground.ui.http.open_files import most_files
from playground.ui.http.proxies import Proxies

REQUEST_S = 15.0
"""How long a request may take to arrive, from the connection or its first byte on; more at `SLOWEST_BYTES_S`."""
SLOWEST_BYTES_S = 500.0
UNREAD_S = 60.0
"""How long an answer may wait for a visitor to read on."""
MOST_EACH = 100
"""Connections of one address on which nothing is being answered."""
NoFile: type[selectors.BaseSelector] = getattr(selectors, "PollSelector", selectors.SelectSelector)
"""A selector that opens no file: there may be none left."""
LOOKED_AT = 10
"""So many of the oldest are looked at when one has to go."""
SHARE_OF_FILES = 4
"""All of those together may have one in so many of the files that the process may open."""


class Waiting:
    """Connections on which nothing is being answered, the one that has waited longest first.

    One more than there may be closes the oldest: a visitor, who asks at once, always finds a place.
    """

    def __init__(self, proxies: Proxies, most_each: int = MOST_EACH, most: int | None = None) -> None:
        self._proxies = proxies
        self._most_each = most_each
        self._most = most_files() // SHARE_OF_FILES if most is None else most
        self._all: OrderedDict[Connection, str] = OrderedDict()  # -> its network; "" for a trusted proxy's
        self._of: defaultdict[str, OrderedDict[Connection, None]] = defaultdict(OrderedDict)

    def add(self, connection: Connection, host: str) -> None:
        """Count one; close the oldest of its address, or of all, where there are too many."""
        where = "" if host in self._proxies else network(host)
        self._all[connection] = where
        if where:
            self._of[where][connection] = None
            self._close_oldest(self._of[where], self._most_each)
        self._close_oldest(self._all, self._most)

    def remove(self, connection: Connection) -> None:
        """Count one no more; nothing where it was not counted."""
        where = self._all.pop(connection, "")
        if where:
            del self._of[where][connection]
            if not self._of[where]:
                del self._of[where]

    def __len__(self) -> int:
        return len(self._all)

    def _close_oldest(self, waiting: Collection[Connection], most: int) -> None:
        """Close the first few of `waiting` above `most`; none whose request is here and has not been read yet."""
        over = len(waiting) - most
        if over <= 0:
            return
        for connection in [one for one in islice(waiting, LOOKED_AT) if not _has_sent(one)][:over]:
            self.remove(connection)
            connection.transport.abort()


class Connection(H11Protocol):
    """uvicorn's, with a deadline for each request and for reading each answer."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        waiting: Waiting,
        request_s: float = REQUEST_S,
        unread_s: float = UNREAD_S,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._waiting = waiting
        self._request_s = request_s
        self._unread_s = unread_s
        self._began_s = 0.0  # of the request that is arriving
        self._received_bytes = 0
        self._late: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self._expect_request()
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._waiting.remove(self)
        self._request_is_here()
        self._is_read()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._late is None and self.conn.their_state is h11.IDLE:
            self._expect_request()
        self._received_bytes += len(data)
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._waiting.remove(self)
        if self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            self._request_is_here()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self._request_is_here()  # the next one has not begun; until then uvicorn's own timeout runs
            self._wait()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self.loop.call_later(self._unread_s, self.transport.abort)  # closing waits until the answer has been read

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(self._unread_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._is_read()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._waiting.remove(self)
        self._request_is_here()
        super().handle_websocket_upgrade(event)

    def _wait(self) -> None:
        self._waiting.add(self, self.client[0] if self.client else "")

    def _expect_request(self) -> None:
        self._began_s, self._received_bytes = self.loop.time(), 0
        self._late = self.loop.call_later(self._request_s, self._check)

    def _request_is_here(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _check(self) -> None:
        """Close the connection if its request is late; what we do not read ourselves is not late."""
        left_s = self._began_s + self._request_s + self._received_bytes / SLOWEST_BYTES_S - self.loop.time()
        if self.flow.read_paused:
            left_s = max(left_s, self._request_s)
        if left_s > 0:
            self._late = self.loop.call_later(left_s, self._check)
        else:
            self.transport.abort()

    def _is_read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None


@contextmanager
def guarded_connections(proxies: Proxies, request_s: float = REQUEST_S) -> Iterator[None]:
    """Guard the connections of a server that starts inside, the first one too.

    Gradio builds uvicorn's configuration itself, so what it looks up there is exchanged meanwhile.
    """
    before = HTTP_PROTOCOLS["auto"]
    HTTP_PROTOCOLS["auto"] = partial(Connection, waiting=Waiting(proxies), request_s=request_s)  # type: ignore[assignment]
    try:
        yield
    finally:
        HTTP_PROTOCOLS["auto"] = before


def _has_sent(connection: Connection) -> bool:
    """Return whether something has come that the event loop has not read yet."""
    connected = connection.transport.get_extra_info("socket")
    if connected is None or connected.fileno() < 0:
        return False
    with NoFile() as selector:
        selector.register(connected, selectors.EVENT_READ)
        return bool(selector.select(0))
