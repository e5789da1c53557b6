"""A turnstile: comparisons that come at the same moment begin one after another, with a break after each.

Boundary: knows nothing of what passes; for one thread, the server's event loop. Page and API share one.

To begin a comparison takes some 10 ms of that thread, in several pieces. Were a crowd of them to begin at once, a vote
would wait behind all of their pieces; with breaks it waits for one.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from playground.clock import Clock

BREAK_S = 0.02
CROWD_S = 1.0
"""The breaks of a crowd together; a larger crowd gets shorter ones."""
LONGEST_S = 0.5

Leave = Callable[[], None]


class Turnstile:
    """First come, first served; a lone comparison does not wait."""

    def __init__(self, clock: Clock | None = None, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._clock = clock or Clock()
        self._sleep = sleep
        self._one = asyncio.Lock()
        self._left_s = -math.inf  # when the last one left
        self._coming = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Leave]:
        """Hold the lock; entries are at least one break apart.

        The lock is released at the end of the block, by a call of the function that is yielded, or after `LONGEST_S`:
        one that waits for a reader or a disk holds up nobody.
        """
        self._coming += 1
        try:
            await self._one.acquire()
        except asyncio.CancelledError:
            self._coming -= 1
            raise
        leave = self._leaving()
        timeout = asyncio.get_running_loop().call_later(LONGEST_S, leave)
        try:
            break_s = min(BREAK_S, CROWD_S / self._coming)
            await self._sleep(max(0.0, self._left_s + break_s - self._clock.monotonic()))
            yield leave
        finally:
            timeout.cancel()
            leave()

    def _leaving(self) -> Leave:
        """Return a function that releases the lock once."""
        inside = True

        def leave() -> None:
            nonlocal inside
            if inside:
                inside = False
                self._left_s = self._clock.monotonic()
                self._coming -= 1
                self._one.release()

        return leave
