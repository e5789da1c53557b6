"""The gate watch of a running playground: the last days' votes, read beside the visitors.

Boundary: reads days; what is a jump is decided in `ratings.gate_watch`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from playground.arena.refreshed import Refreshed
from playground.clock import Clock
from playground.ratings.gate_watch import DAYS_BEFORE, GateDay, GateWatch, day_of, watch
from playground.ratings.policy import CountingPolicy
from playground.storage.database.store import Store

EVERY_S = 20.0
"""The least time between two readings."""


def arena_gate_watch(policy: CountingPolicy, clock: Clock) -> Refreshed[GateWatch]:
    """Return the watch; None while the votes cannot be read."""
    days = GateDays(policy, clock)
    return Refreshed("votes that are left out", days.read, clock, every_s=EVERY_S, outlives_errors=False)


class GateDays:
    """The days of the watch; those that are over are read once, and again when a study ends."""

    def __init__(self, policy: CountingPolicy, clock: Clock) -> None:
        self._policy = policy
        self._clock = clock
        self._counted_by = policy
        self._over: dict[str, GateDay] = {}
        self._ended_studies: tuple[int, ...] = ()

    def read(self, store: Store, _: GateWatch | None) -> GateWatch:
        """Read today's votes, and the days before if they are not known."""
        now = self._clock.now()
        today = date.fromisoformat(now[:10])
        earlier = [(today - timedelta(days=days)).isoformat() for days in range(DAYS_BEFORE, 0, -1)]
        with store.reading() as reading:
            policy = self._policy
            if policy.pairs == "drawn" and not reading.has_drawn_vote(policy.min_decision_s):
                policy = replace(policy, pairs="all")  # as the board falls back
            ended = reading.ended_studies()
            if (policy, ended) != (self._counted_by, self._ended_studies):
                self._counted_by, self._ended_studies, self._over = policy, ended, {}
            for day in earlier:
                if day not in self._over:
                    self._over[day] = day_of(day, reading.judged_pairs(day=day, final_by=now), policy)
            latest = day_of(now[:10], reading.judged_pairs(day=now[:10], final_by=now), policy)
        self._over = {day: self._over[day] for day in earlier}
        return watch([self._over[day] for day in earlier], latest)
