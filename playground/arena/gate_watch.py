"""The gate watch of a running playground: the last days' votes, read beside the visitors.

Boundary: decides when days are read; what is a jump is decided in `ratings.gate_watch`.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import date, timedelta

from playground.clock import Clock
from playground.errors import PlaygroundError
from playground.ratings.gate_watch import DAYS_BEFORE, GateDay, GateWatch, day_of, watch
from playground.ratings.policy import CountingPolicy
from playground.storage.database.store import Store

log = logging.getLogger(__name__)

EVERY_S = 20.0
"""The least time between two readings."""
REST = 50.0
"""A reading rests for so many times the seconds that it took."""


class ArenaGateWatch:
    """The latest watch, made anew by `refresh`; days that are over are read once."""

    def __init__(self, policy: CountingPolicy, clock: Clock) -> None:
        self._policy = policy
        self._clock = clock
        self._rests_until: float | None = None
        self._counted_by = policy
        self._over: dict[str, GateDay] = {}
        self.latest: GateWatch | None = None
        """None before the first reading, and while the votes cannot be read: nothing is known then."""

    def refresh(self, store: Store) -> None:
        """Read today's votes, and the days before if they are not known, unless that was done just now."""
        began = self._clock.monotonic()
        if self._rests_until is not None and began < self._rests_until:
            return
        try:
            self.latest = self._read(store)
        except PlaygroundError as error:
            log.info("the votes that are left out were not counted: %s", error)
            self.latest = None
        self._rests_until = began + max(EVERY_S, REST * (self._clock.monotonic() - began))

    def _read(self, store: Store) -> GateWatch:
        now = self._clock.now()
        today = date.fromisoformat(now[:10])
        earlier = [(today - timedelta(days=days)).isoformat() for days in range(DAYS_BEFORE, 0, -1)]
        with store.reading() as reading:
            policy = self._policy
            if policy.pairs == "drawn" and not reading.has_drawn_vote(policy.min_decision_s):
                policy = replace(policy, pairs="all")  # as the board falls back
            if policy != self._counted_by:
                self._counted_by, self._over = policy, {}
            for day in earlier:
                if day not in self._over:
                    self._over[day] = day_of(day, reading.judged_pairs(day=day, final_by=now), policy)
            latest = day_of(now[:10], reading.judged_pairs(day=now[:10], final_by=now), policy)
        self._over = {day: self._over[day] for day in earlier}
        return watch([self._over[day] for day in earlier], latest)
