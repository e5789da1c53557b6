"""Results that are reused for a few seconds, and computed once if many ask at the same moment.

Boundary: knows nothing of what is computed; for many threads.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from playground.clock import Clock

FRESH_S = 10.0
MOST = 64
T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Entry(Generic[T]):
    lock: threading.Lock = field(default_factory=threading.Lock)
    made_s: float | None = None
    value: T | None = None


class Recent(Generic[T]):
    """The latest results by key; an error is raised to those who asked for it, and kept by nobody."""

    def __init__(self, fresh_s: float = FRESH_S, most: int = MOST, clock: Clock | None = None) -> None:
        self._fresh_s = fresh_s
        self._most = most
        self._clock = clock or Clock()
        self._guard = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry[T]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return a fresh result of `make` for this key; others who want the same wait for it."""
        with self._guard:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            if len(self._entries) > self._most:
                self._entries.popitem(last=False)
        with entry.lock:
            if entry.made_s is None or self._clock.monotonic() - entry.made_s >= self._fresh_s:
                entry.value = make()
                entry.made_s = self._clock.monotonic()
            return entry.value  # type: ignore[return-value]  # of `make`, which may return None
