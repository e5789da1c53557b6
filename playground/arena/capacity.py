"""The capacity for running comparisons, and how long until some is free.

Boundary: counts ids and remembers how long the last ones took.
"""

from __future__ import annotations

import math
import statistics
import threading
from collections import deque

from playground.clock import Clock
from playground.errors import Busy
from playground.messages import Message, marked

REMEMBERED = 50
UNKNOWN_S = 30.0
"""Assumed duration of a comparison before any has ended."""

ALL_TAKEN = marked(
    "{count} comparisons are being written now, as many as this playground takes at once. "
    "One of them should be done in about {wait_s} s; try again then."
)
ONE_TAKEN = marked(
    "1 comparison is being written now, as many as this playground takes at once. "
    "It should be done in about {wait_s} s; try again then."
)


class Capacity:
    """A number of comparisons that may run at once; shared by all threads."""

    def __init__(self, count: int, clock: Clock) -> None:
        self.count = count
        self._clock = clock
        self._since_s: dict[str, float] = {}
        self._took_s: deque[float] = deque(maxlen=REMEMBERED)
        self._guard = threading.Lock()

    def take(self, name: str) -> None:
        """Add a running comparison; raise Busy if there is no capacity."""
        with self._guard:
            if len(self._since_s) >= self.count:
                wait_s = self._wait_s()
                words = ONE_TAKEN if self.count == 1 else ALL_TAKEN
                raise Busy(Message(words, count=self.count, wait_s=wait_s), wait_s)
            self._since_s[name] = self._clock.monotonic()

    def free(self, name: str, *, ended: bool = True) -> None:
        """Remove a running comparison, if it is one; `ended`: its duration counts for estimates."""
        with self._guard:
            since_s = self._since_s.pop(name, None)
            if since_s is not None and ended:
                self._took_s.append(self._clock.monotonic() - since_s)

    def __len__(self) -> int:
        """Return the number of running comparisons."""
        with self._guard:
            return len(self._since_s)

    def _wait_s(self) -> int:
        """Return the whole seconds until the oldest ends, if it takes the median duration."""
        takes_s = statistics.median(self._took_s) if self._took_s else UNKNOWN_S
        oldest_s = min(self._since_s.values())
        return max(1, math.ceil(oldest_s + takes_s - self._clock.monotonic()))
