"""The networks that votes come from, told apart for a day and never by their addresses; and who saw which answers.

Boundary: in memory; knows neither the database nor Gradio. A tag is HMAC-SHA-256 of an address under a key that is
new at each start and at midnight UTC and is stored nowhere, so that no tag can be traced to an address afterwards.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from playground.clock import Clock
from playground.records import Battle, Generation

REMEMBERED_VIEWERS = 20_000
REMEMBERED_ANSWERS = 2_000
"""Answers that each viewer, a network or a rater, has seen with their models' names; the oldest are forgotten first."""


@dataclass(frozen=True, slots=True)
class Network:
    """Where a vote comes from."""

    tag: str  # 64 hexadecimal digits
    day: str  # of the tag, as ISO 8601 writes it


@dataclass(frozen=True, slots=True)
class Seen:
    """Answers that were shown with their models' names in open runs of one day, as digests."""

    digests: frozenset[str] = frozenset()

    def holds_one_of(self, battle: Battle) -> bool:
        """Return whether one of a battle's answers is among them."""
        return any(
            side.generation is not None and side.generation.good and _digest(side.generation) in self.digests
            for side in battle.sides
        )


class Networks:
    """The networks of one process; safe to use from several threads."""

    def __init__(
        self, clock: Clock | None = None, new_key: Callable[[], bytes] = lambda: secrets.token_bytes(32)
    ) -> None:
        self._clock = clock or Clock()
        self._new_key = new_key
        self._guard = threading.Lock()
        self._day = ""
        self._key = b""
        self._seen: OrderedDict[str, OrderedDict[str, None]] = OrderedDict()

    def of(self, address: str) -> Network | None:
        """The network of an address; None for one that is unknown: it tells nobody from anybody."""
        known = public_network(address)
        if known is None:
            return None
        with self._guard:
            self._turn_day()
            tag = hmac.new(self._key, known.encode(), hashlib.sha256).hexdigest()
            return Network(tag, self._day)

    def seen(self, network: Network | None, rater: str) -> Seen:
        """Return what a network and a rater have seen today, stored or not."""
        with self._guard:
            self._turn_day()
            return Seen(frozenset(d for viewer in self._viewers(network, rater) for d in self._seen.get(viewer, ())))

    def saw(self, network: Network | None, rater: str, answers: Iterable[Generation]) -> None:
        """Remember until midnight that answers were shown to a network and a rater with their models' names."""
        digests = [_digest(answer) for answer in answers if answer.good]
        with self._guard:
            self._turn_day()
            for viewer in self._viewers(network, rater):
                seen = self._seen.setdefault(viewer, OrderedDict())
                self._seen.move_to_end(viewer)
                seen.update((digest, None) for digest in digests)
                while len(seen) > REMEMBERED_ANSWERS:
                    seen.popitem(last=False)
            while len(self._seen) > REMEMBERED_VIEWERS:
                self._seen.popitem(last=False)

    def _viewers(self, network: Network | None, rater: str) -> Iterator[str]:
        if rater:
            yield f"rater {rater}"
        if network is not None and network.day == self._day:
            yield network.tag

    def _turn_day(self) -> None:
        today = self._clock.now()[:10]
        if today != self._day:
            self._day, self._key = today, self._new_key()
            self._seen.clear()


def public_network(address: str) -> str | None:
    """An IPv4 address or the /64 of an IPv6 one; None where it says nothing about the sender.

    Behind a proxy that is not trusted every address is the proxy's own: loopback, private or link-local.
    """
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return None
    if isinstance(known, ipaddress.IPv6Address) and known.ipv4_mapped:
        known = known.ipv4_mapped
    return network_of(known) if known.is_global else None


def network_of(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """Return what one customer has: an IPv4 address, or the /64 of an IPv6 one."""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    mapped = address.ipv4_mapped
    return str(mapped) if mapped else str(ipaddress.IPv6Network((address, 64), strict=False))


def _digest(answer: Generation) -> str:
    """The same for the same model's same answer to the same instruction."""
    asked = answer.instruction
    parts = (answer.model_id, asked.instruction, asked.input, asked.system, answer.text)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
