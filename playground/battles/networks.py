"""The networks of voters under daily pseudonyms, and the answers that each network and rater saw in open runs.

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

from playground.battles.ballot import Viewer
from playground.clock import Clock
from playground.records import Battle, Generation

REMEMBERED_VIEWERS = 20_000
REMEMBERED_ANSWERS = 2_000
"""Answers remembered for each network and each rater; the oldest are forgotten first."""


@dataclass(frozen=True, slots=True)
class Network:
    """The network of a vote."""

    tag: str  # 64 hexadecimal digits
    day: str  # of the tag, as ISO 8601 writes it


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
        self._seen: OrderedDict[str, OrderedDict[str, None]] = OrderedDict()  # digests of answers

    def of(self, address: str) -> Network | None:
        """Return the network of an address; None unless it is an address of the internet."""
        with self._guard:
            return self._of(address)

    def has_seen(self, viewer: Viewer, battle: Battle) -> bool:
        """Return True if an open run has shown the viewer or their network one of the battle's answers today."""
        digests = {_digest(side.generation) for side in battle.sides if side.generation and side.generation.good}
        with self._guard:
            return any(not digests.isdisjoint(self._seen.get(name, ())) for name in self._names(viewer))

    def remember(self, viewer: Viewer, answers: Iterable[Generation]) -> None:
        """Record until midnight that an open run has shown these answers to the viewer and their network."""
        digests = [_digest(answer) for answer in answers if answer.good]
        with self._guard:
            for name in self._names(viewer):
                seen = self._seen.setdefault(name, OrderedDict())
                self._seen.move_to_end(name)
                seen.update((digest, None) for digest in digests)
                while len(seen) > REMEMBERED_ANSWERS:
                    seen.popitem(last=False)
            while len(self._seen) > REMEMBERED_VIEWERS:
                self._seen.popitem(last=False)

    def _of(self, address: str) -> Network | None:
        today = self._clock.now()[:10]
        if today != self._day:
            self._day, self._key = today, self._new_key()
            self._seen.clear()
        known = public_network(address)
        if known is None:
            return None
        return Network(hmac.new(self._key, known.encode(), hashlib.sha256).hexdigest(), today)

    def _names(self, viewer: Viewer) -> Iterator[str]:
        """Yield the keys of `_seen` for a rater of the page (a program's name may be anybody's) and their network."""
        network = self._of(viewer.address)
        if viewer.source == "page":
            yield f"rater {viewer.rater}"
        if network is not None:
            yield network.tag


def public_network(address: str) -> str | None:
    """Return an IPv4 address, or the /64 of an IPv6 one; None for text that is not an address of the internet.

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
    """Return the addresses that one customer has: an IPv4 address, or the /64 of an IPv6 one."""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    mapped = address.ipv4_mapped
    return str(mapped) if mapped else str(ipaddress.IPv6Network((address, 64), strict=False))


def _digest(answer: Generation) -> str:
    """Return a digest of the model, its answer and the instruction."""
    asked = answer.instruction
    parts = (answer.model_id, asked.instruction, asked.input, asked.system, answer.text)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
