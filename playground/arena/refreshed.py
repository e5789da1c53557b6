"""Results that are read from the database now and then, beside the visitors, and shown as they were last read.

Boundary: decides when a result is read again; how it is read is the caller's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

from playground.clock import Clock
from playground.errors import PlaygroundError
from playground.storage.database.store import Store

log = logging.getLogger(__name__)

REST = 50.0
"""A reading rests for so many times the seconds that it took: it takes at most a fiftieth of one processor."""

Result = TypeVar("Result")


class Refreshed(Generic[Result]):
    """The latest result, read anew by `refresh`.

    Args:
        name: of the result, in the log.
        read: reads the result; the second argument is the latest one.
        every_s: seconds from one reading to the next, at least.
        outlives_errors: the latest result stays while it cannot be read again; if not, nothing is known then.
    """

    def __init__(
        self,
        name: str,
        read: Callable[[Store, Result | None], Result],
        clock: Clock,
        *,
        every_s: float,
        outlives_errors: bool,
    ) -> None:
        self._name = name
        self._read = read
        self._clock = clock
        self._every_s = every_s
        self._outlives_errors = outlives_errors
        self._rests_until: float | None = None
        self.latest: Result | None = None
        """None before the first reading."""

    def refresh(self, store: Store) -> None:
        """Read the result, unless that was done just now."""
        began = self._clock.monotonic()
        if self._rests_until is not None and began < self._rests_until:
            return
        try:
            self.latest = self._read(store, self.latest)
        except PlaygroundError as error:  # closing, a disk that fails, or a database of an earlier version
            log.info("%s: not read again: %s", self._name, error)
            if not self._outlives_errors:
                self.latest = None
        self._rests_until = began + max(self._every_s, REST * (self._clock.monotonic() - began))
