"""Limit the connections on which no request is being answered, for each network and in all.

Boundary: asyncio transports; knows nothing of HTTP. For one thread: the server's event loop.
"""

from __future__ import annotations

import asyncio
import selectors
from collections import OrderedDict, defaultdict
from collections.abc import Collection
from itertools import islice

from playground.ui.http.limits import network
from playground.ui.http.open_files import most_files
from playground.ui.http.proxies import Proxies

MOST_EACH = 100
"""Idle connections of one network."""
SHARE_OF_FILES = 4
"""All idle connections together may have a fourth of the files that the process may open."""
CANDIDATES = 10
"""The number of oldest connections that are considered when one has to be closed."""
Selector: type[selectors.BaseSelector] = getattr(selectors, "PollSelector", selectors.SelectSelector)
"""A selector that opens no file: there may be none left."""


class IdleConnections:
    """Connections on which nothing is being answered, the longest idle first.

    One above the limit closes the oldest, so that a visitor who asks at once always gets in.
    """

    def __init__(self, proxies: Proxies, most_each: int = MOST_EACH, most: int | None = None) -> None:
        self._proxies = proxies
        self._most_each = most_each
        self._most = most_files() // SHARE_OF_FILES if most is None else most
        self._all: OrderedDict[asyncio.Transport, str] = OrderedDict()  # -> its network; "" for a trusted proxy's
        self._by_network: defaultdict[str, OrderedDict[asyncio.Transport, None]] = defaultdict(OrderedDict)

    def add(self, connection: asyncio.Transport, host: str) -> None:
        """Add a connection of `host`; close the oldest of its network, or of all, above the limit."""
        where = "" if host in self._proxies else network(host)
        self._all[connection] = where
        if where:
            self._by_network[where][connection] = None
            self._close_oldest(self._by_network[where], self._most_each)
        self._close_oldest(self._all, self._most)

    def remove(self, connection: asyncio.Transport) -> None:
        """Remove a connection, if it is here."""
        where = self._all.pop(connection, "")
        if where:
            del self._by_network[where][connection]
            if not self._by_network[where]:
                del self._by_network[where]

    def __len__(self) -> int:
        return len(self._all)

    def _close_oldest(self, idle: Collection[asyncio.Transport], most: int) -> None:
        """Close the oldest above `most`, but none whose request has arrived and only has not been read yet."""
        excess = len(idle) - most
        if excess <= 0:
            return
        for connection in [one for one in islice(idle, CANDIDATES) if not _has_sent(one)][:excess]:
            self.remove(connection)
            connection.abort()


def _has_sent(connection: asyncio.Transport) -> bool:
    """Return True if bytes have arrived that the event loop has not read yet."""
    connected = connection.get_extra_info("socket")
    if connected is None or connected.fileno() < 0:
        return False
    with Selector() as selector:
        selector.register(connected, selectors.EVENT_READ)
        return bool(selector.select(0))
