"""The blinding index of a running playground, computed beside the visitors.

Boundary: decides when guesses are read; what they say is computed in `ratings.blinding`.
"""

from __future__ import annotations

import logging

from playground.clock import Clock
from playground.errors import PlaygroundError
from playground.ratings.blinding import Blinding, blinding
from playground.storage.database.store import Store

log = logging.getLogger(__name__)

EVERY_S = 20.0
"""The least time between two readings."""
REST = 50.0
"""A reading rests for so many times the seconds that it took."""


class ArenaBlinding:
    """The latest result, computed anew by `refresh`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rests_until: float | None = None
        self.latest: Blinding | None = None
        """None before the first reading, and while the guesses cannot be read: nothing is known then."""

    def refresh(self, store: Store) -> None:
        """Read all guesses, unless that was done just now."""
        began = self._clock.monotonic()
        if self._rests_until is not None and began < self._rests_until:
            return
        try:
            with store.reading() as reading:
                self.latest = blinding(reading.guesses())
        except PlaygroundError as error:  # closing, a disk that fails, or a database of an earlier version
            log.info("the guesses of models were not counted: %s", error)
            self.latest = None
        self._rests_until = began + max(EVERY_S, REST * (self._clock.monotonic() - began))
