"""The blinding index of a running playground, computed beside the visitors.

Boundary: reads the guesses; what they say is computed in `ratings.blinding`.
"""

from __future__ import annotations

from playground.arena.refreshed import Refreshed
from playground.clock import Clock
from playground.ratings.blinding import Blinding, blinding
from playground.storage.database.store import Store

EVERY_S = 20.0
"""The least time between two readings."""


def arena_blinding(clock: Clock) -> Refreshed[Blinding]:
    """Return the index of all guesses; None while they cannot be read."""

    def read(store: Store, _: Blinding | None) -> Blinding:
        with store.reading() as reading:
            return blinding(reading.guesses())

    return Refreshed("guesses of models", read, clock, every_s=EVERY_S, outlives_errors=False)
