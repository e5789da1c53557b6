"""Places for comparisons: so many are written at once, and who finds none is told for how long.

Boundary: counts ids and remembers how long the last ones took; knows nothing of what they are.
"""

from __future__ import annotations

import math
import statistics
import threading
from collections import deque

from playground.clock import Clock
from playground.errors import Busy

REMEMBERED = 50
UNKNOWN_S = 30.0
"""What one comparison is said to take before any has ended."""

ALL_TAKEN = (
    "{count} comparisons are being written now, as many as this playground takes at once. "
    "One of them should be done in about {wait_s} s; try again then."
)
ONE_TAKEN = (
    "1 comparison is being written now, as many as this playground takes at once. "
    "It should be done in about {wait_s} s; try again then."
)


class Capacity:
    """Shared by all threads; a place is taken by an id, once, and freed by it."""

    def __init__(self, count: int, clock: Clock) -> None:
        self.count = count
        self._clock = clock
        self._since_s: dict[str, float] = {}
        self._took_s: deque[float] = deque(maxlen=REMEMBERED)
        self._guard = threading.Lock()

    def take(self, name: str) -> None:
        """Raises Busy where no place is free."""
        with self._guard:
            if len(self._since_s) >= self.count:
                wait_s = self._wait_s()
                words = ONE_TAKEN if self.count == 1 else ALL_TAKEN
                raise Busy(words.format(count=self.count, wait_s=wait_s), wait_s)
            self._since_s[name] = self._clock.monotonic()

    def free(self, name: str, *, ended: bool = True) -> None:
        """Give a place back; one that was never taken is ignored. `ended`: it counts as how long one takes."""
        with self._guard:
            since_s = self._since_s.pop(name, None)
            if since_s is not None and ended:
                self._took_s.append(self._clock.monotonic() - since_s)

    def __len__(self) -> int:
        """How many are taken."""
        with self._guard:
            return len(self._since_s)

    def _wait_s(self) -> int:
        """Whole seconds until the one that has been written for longest ends, if it takes as long as most did."""
        takes_s = statistics.median(self._took_s) if self._took_s else UNKNOWN_S
        oldest_s = min(self._since_s.values())
        return max(1, math.ceil(oldest_s + takes_s - self._clock.monotonic()))
