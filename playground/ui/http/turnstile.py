"""Comparisons begin one at a time with a break after each, so that a crowd of them holds up no vote.

Boundary: knows nothing of what passes. For one thread: the server's event loop.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from playground.clock import Clock

BREAK_S = 0.02
"""To begin one takes the thread that serves everybody some 10 ms, not all of it in one piece."""
CROWD_S = 1.0
"""Of more than come within so long the breaks get shorter."""
LONGEST_S = 0.5

Leave = Callable[[], None]


class Turnstile:
    """Who comes alone does not wait; of those who come together, whoever came first goes first."""

    def __init__(self, clock: Clock | None = None, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._clock = clock or Clock()
        self._sleep = sleep
        self._one = asyncio.Lock()
        self._left_s = -math.inf  # when the last one was through
        self._coming = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Leave]:
        """Inside there is nobody else, and has not been during the break.

        It is left at the end, or sooner by a call of what is given, and by itself after `LONGEST_S`: whoever reads no
        answer, or waits for a disk, holds up nobody.
        """
        self._coming += 1
        try:
            await self._one.acquire()
        except asyncio.CancelledError:
            self._coming -= 1
            raise
        leave = self._leaving()
        by_itself = asyncio.get_running_loop().call_later(LONGEST_S, leave)
        try:
            break_s = min(BREAK_S, CROWD_S / self._coming)
            await self._sleep(max(0.0, self._left_s + break_s - self._clock.monotonic()))
            yield leave
        finally:
            by_itself.cancel()
            leave()

    def _leaving(self) -> Leave:
        """Lets the next one in, once."""
        inside = True

        def leave() -> None:
            nonlocal inside
            if inside:
                inside = False
                self._left_s = self._clock.monotonic()
                self._coming -= 1
                self._one.release()

        return leave
