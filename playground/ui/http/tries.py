"""Wrong tokens and passwords, counted by the address that sent them.

Boundary: in memory, for one thread: the server's event loop.
"""

from __future__ import annotations

import math

from starlette.requests import Request

from playground.clock import Clock
from playground.ui.http.limits import Buckets, network
from playground.ui.http.middleware import Scope, address_of

TRIES_PER_MINUTE = 10


class WrongTries:
    """Allow `per_minute` wrong tries at once, and one more whenever its share of a minute has passed."""

    def __init__(self, per_minute: int = TRIES_PER_MINUTE, clock: Clock | None = None) -> None:
        self._clock = clock or Clock()
        self._buckets = Buckets(per_minute)

    def wait_s(self, scope: Scope, way: str = "") -> int:
        """Return the whole seconds until the sender may try again; 0: now. Each `way` to try is counted apart."""
        return math.ceil(self._buckets.wait_s(_key(scope, way), self._clock.monotonic()))

    def count(self, scope: Scope, way: str = "") -> None:
        """Count one wrong try."""
        self._buckets.take(_key(scope, way), self._clock.monotonic())


def _key(scope: Scope, way: str) -> tuple[str, str]:
    return network(address_of(Request(scope))), way
