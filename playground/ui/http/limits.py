"""How often one visitor may ask, and how much at once: a bucket for each rater and event, a larger one per address.

Boundary: pure; told the time and who asks, it answers with a wait or none. Everything is in memory and forgotten with
the process. For one thread: the server's event loop.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections import Counter, OrderedDict
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from types import MappingProxyType

from playground.battles.networks import network_of
from playground.clock import Clock
from playground.settings import Settings

REMEMBERED = 20_000
"""Buckets of each size that are kept; a flood of made-up raters pushes out the one that was used longest ago."""
CONNECTION_TIMES = 10
MOST_OPEN = 100
"""Requests that may stay open from one address: a tab keeps one while it compares."""
MINUTE_S = 60.0
ROUNDING_S = 1e-6


class Kind(StrEnum):
    """What is counted apart: votes never wait because somebody compared too much."""

    COMPARE = "compare"
    VOTE = "vote"
    NOTE = "note"
    VIEW = "view"


_KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        **dict.fromkeys(("compare", "regenerate"), Kind.COMPARE),
        **dict.fromkeys(("vote", "undo", "reveal"), Kind.VOTE),
        **dict.fromkeys(("note_reasons", "note_comment", "send_report"), Kind.NOTE),
    }
)


def kind_of(name: str) -> Kind:
    """The kind of an event, by its handler's name, which Gradio numbers when it is wired twice."""
    return _KINDS.get(re.sub(r"_\d+$", "", name), Kind.VIEW)


class Buckets:
    """`per_minute` at once, and one more whenever its share of a minute has passed; 0: no limit."""

    def __init__(self, per_minute: int, remembered: int = REMEMBERED) -> None:
        self._share_s = MINUTE_S / per_minute if per_minute else 0.0
        self._remembered = remembered
        self._full_at_s: OrderedDict[Hashable, float] = OrderedDict()

    def wait_s(self, key: Hashable, now_s: float) -> float:
        """How long until `key` may ask; 0: now. Changes nothing."""
        if not self._share_s:
            return 0.0
        wait_s = self._full_at_s.get(key, now_s) + self._share_s - MINUTE_S - now_s
        return wait_s if wait_s > ROUNDING_S else 0.0

    def take(self, key: Hashable, now_s: float) -> None:
        """Count one request."""
        if self._share_s:
            self._full_at_s[key] = max(now_s, self._full_at_s.get(key, now_s)) + self._share_s
            self._full_at_s.move_to_end(key)
            if len(self._full_at_s) > self._remembered:
                self._full_at_s.popitem(last=False)

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._full_at_s)


class Limits:
    """The buckets of one page."""

    def __init__(self, settings: Settings, clock: Clock | None = None, remembered: int = REMEMBERED) -> None:
        self._clock = clock or Clock()
        self.per_minute: Mapping[Kind, int] = {
            Kind.COMPARE: settings.compares_per_minute,
            Kind.VOTE: settings.votes_per_minute,
            Kind.NOTE: settings.votes_per_minute,
            Kind.VIEW: settings.views_per_minute,
        }
        self._raters = {kind: Buckets(n, remembered) for kind, n in self.per_minute.items()}
        self.open = Open()
        self._connections = {kind: Buckets(n * CONNECTION_TIMES, remembered) for kind, n in self.per_minute.items()}

    def wait_s(self, kind: Kind, rater: str, host: str) -> int:
        """Count a request of `rater` from the address `host`; the whole seconds to wait where it is refused, else 0.

        What is refused is not counted. `rater` may be empty: then the address stands for her.
        """
        now_s, connection = self._clock.monotonic(), network(host)
        rater = rater or connection
        wait_s = max(self._raters[kind].wait_s(rater, now_s), self._connections[kind].wait_s(connection, now_s))
        if wait_s > 0:
            return math.ceil(wait_s)
        self._raters[kind].take(rater, now_s)
        self._connections[kind].take(connection, now_s)
        return 0

    def __len__(self) -> int:
        """How many buckets are remembered."""
        return sum(len(buckets) for table in (self._raters, self._connections) for buckets in table.values())


class Open:
    """Requests that are being answered, counted by who sent them."""

    def __init__(self, most: int = MOST_OPEN) -> None:
        self.most = most
        self._open: Counter[Hashable] = Counter()

    @contextmanager
    def one_more(self, key: Hashable) -> Iterator[bool]:
        """Counts inside as one of `key`'s; yields whether it may be."""
        self._open[key] += 1
        try:
            yield self._open[key] <= self.most
        finally:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]

    def __len__(self) -> int:
        """How many senders have any."""
        return len(self._open)


def network(host: str) -> str:
    """What one customer has: an IPv4 address, or the /64 of an IPv6 one; what is no address as it is, cut."""
    try:
        return network_of(ipaddress.ip_address(host))
    except ValueError:
        return host[:64]
