"""Rate limits: a bucket for each rater and kind of event, a larger one for each network, and failed attempts.

Boundary: pure; knows no request. Everything is in memory and lost with the process. For one thread: the server's event
loop.
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
"""Buckets of each size that are kept; above it the one that was used longest ago is dropped."""
NETWORK_TIMES = 10
"""The limit of a network, as a multiple of a rater's."""
MOST_OPEN = 100
"""Requests of one network that may stay open; a tab keeps one open while it compares."""
ATTEMPTS_PER_MINUTE = 10
MINUTE_S = 60.0
ROUNDING_S = 1e-6


class RequestKind(StrEnum):
    """Kinds of events with limits of their own: comparisons use up no votes."""

    COMPARE = "compare"
    VOTE = "vote"
    NOTE = "note"
    VIEW = "view"


_KINDS: Mapping[str, RequestKind] = MappingProxyType(
    {
        **dict.fromkeys(("compare", "regenerate", "go_on"), RequestKind.COMPARE),
        **dict.fromkeys(("vote", "undo", "reveal", "join", "look"), RequestKind.VOTE),
        **dict.fromkeys(("note_reasons", "note_comment", "send_report"), RequestKind.NOTE),
    }
)


def kind_of(name: str) -> RequestKind:
    """Return the kind of an event by its handler's name, to which Gradio may have added a number."""
    return _KINDS.get(re.sub(r"_\d+$", "", name), RequestKind.VIEW)


class Buckets:
    """Token buckets: each key has `per_minute` tokens, which refill at that rate; 0 means no limit."""

    def __init__(self, per_minute: int, remembered: int = REMEMBERED) -> None:
        self._share_s = MINUTE_S / per_minute if per_minute else 0.0
        self._remembered = remembered
        self._full_at_s: OrderedDict[Hashable, float] = OrderedDict()  # the last used at the end

    def wait_s(self, key: Hashable, now_s: float) -> float:
        """Return the seconds until `key` has a token; 0.0 if it has one."""
        if not self._share_s:
            return 0.0
        wait_s = self._full_at_s.get(key, now_s) + self._share_s - MINUTE_S - now_s
        return wait_s if wait_s > ROUNDING_S else 0.0

    def take(self, key: Hashable, now_s: float) -> None:
        """Take a token of `key`, even if it has none."""
        if self._share_s:
            self._full_at_s[key] = max(now_s, self._full_at_s.get(key, now_s)) + self._share_s
            self._full_at_s.move_to_end(key)
            if len(self._full_at_s) > self._remembered:
                self._full_at_s.popitem(last=False)

    def __len__(self) -> int:
        return len(self._full_at_s)


class RateLimits:
    """Limits of raters and networks for each kind of event, and of requests that stay open."""

    def __init__(self, settings: Settings, clock: Clock | None = None, remembered: int = REMEMBERED) -> None:
        self._clock = clock or Clock()
        self.per_minute: Mapping[RequestKind, int] = {
            RequestKind.COMPARE: settings.compares_per_minute,
            RequestKind.VOTE: settings.votes_per_minute,
            RequestKind.NOTE: settings.votes_per_minute,
            RequestKind.VIEW: settings.views_per_minute,
        }
        self._raters = {kind: Buckets(n, remembered) for kind, n in self.per_minute.items()}
        self._networks = {kind: Buckets(n * NETWORK_TIMES, remembered) for kind, n in self.per_minute.items()}
        self.open = OpenRequests()

    def wait_s(self, kind: RequestKind, rater: str, host: str) -> int:
        """Count a request of `rater` from the address `host`, or return the whole seconds that it has to wait.

        A refused request is not counted. If `rater` is "", the network stands for them.
        """
        now_s, where = self._clock.monotonic(), network(host)
        rater = rater or where
        wait_s = max(self._raters[kind].wait_s(rater, now_s), self._networks[kind].wait_s(where, now_s))
        if wait_s > 0:
            return math.ceil(wait_s)
        self._raters[kind].take(rater, now_s)
        self._networks[kind].take(where, now_s)
        return 0

    def __len__(self) -> int:
        """Return how many buckets are kept."""
        return sum(len(buckets) for table in (self._raters, self._networks) for buckets in table.values())


class OpenRequests:
    """Requests that are being answered, counted by sender."""

    def __init__(self, most: int = MOST_OPEN) -> None:
        self.most = most
        self._open: Counter[Hashable] = Counter()

    @contextmanager
    def counting(self, sender: Hashable) -> Iterator[bool]:
        """Count a request of `sender` for the duration; yield True if the sender has not too many."""
        self._open[sender] += 1
        try:
            yield self._open[sender] <= self.most
        finally:
            self._open[sender] -= 1
            if not self._open[sender]:
                del self._open[sender]

    def __len__(self) -> int:
        """Return how many senders have any."""
        return len(self._open)


class FailedAttempts:
    """Limit wrong tokens and passwords by network, and by the way in which they are sent."""

    def __init__(self, per_minute: int = ATTEMPTS_PER_MINUTE, clock: Clock | None = None) -> None:
        self._clock = clock or Clock()
        self._buckets = Buckets(per_minute)

    def wait_s(self, host: str, way: str = "") -> int:
        """Return the whole seconds until the address `host` may try again; 0 if it may now."""
        return math.ceil(self._buckets.wait_s((network(host), way), self._clock.monotonic()))

    def count(self, host: str, way: str = "") -> None:
        """Count a failed attempt."""
        self._buckets.take((network(host), way), self._clock.monotonic())


def network(host: str) -> str:
    """Return what one customer has: an IPv4 address, or the /64 of an IPv6 one; other text as it is, cut short."""
    try:
        return network_of(ipaddress.ip_address(host))
    except ValueError:
        return host[:64]
