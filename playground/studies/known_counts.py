"""The counts of running studies, remembered between requests and kept up with the database.

A study of 100,000 battles takes seconds to count, and a vote waits for each write. So it is counted once, from a
snapshot, and later only the items are read that had an open battle or a vote that was not final, or got a battle since.

Boundary: reads counts; each write of a study runs in `write`, begins with `current` and tells `expect` which item got a
battle. Nothing else assigns battles.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from threading import Lock
from typing import TypeVar

from playground.storage.database.statements import Reading, Writing
from playground.storage.database.store import Store
from playground.studies.assignment import Plan
from playground.studies.counts import ItemCounts

T = TypeVar("T")


class KnownCounts:
    """The counts of the studies of one store."""

    def __init__(self) -> None:
        self._known: dict[str, ItemCounts | None] = {}
        self._lock = Lock()

    def prepare(self, reading: Reading, plan: Plan, now: str) -> ItemCounts | None:
        """Return the counts as of the last write, after counting a study that never was; None if a write has to."""
        with self._lock:  # a study is counted before its first battle is assigned: no later snapshot has more
            if plan.study.id not in self._known:
                self._known[plan.study.id] = _counted(reading, plan, now)
            return self._known[plan.study.id]

    def final(self, reading: Reading, plan: Plan, now: str) -> int:
        """Return how many votes are final `now`, also since the last write; 0 if a write has to count first."""
        known = self.prepare(reading, plan, now)
        if known is None:
            return 0
        numbers = sorted(known.unsettled)
        return known.final_with(reading.item_counts(plan.study.id, now, numbers), numbers)

    def current(self, reading: Reading, plan: Plan, now: str) -> ItemCounts:
        """Return the counts as of a write."""
        known = self._known.get(plan.study.id)
        if known is None:
            known = self._known[plan.study.id] = _counted(reading, plan, now)
            return known
        known.add(plan.rated)
        if known.unsettled:
            known.update(reading.item_counts(plan.study.id, now, sorted(known.unsettled)), known.unsettled)
        return known

    def expect(self, study_id: str, item: int) -> None:
        """Note that an item got a battle in this write."""
        known = self._known.get(study_id)
        if known is not None:
            known.unsettled.add(item)

    def forget(self, study_id: str) -> None:
        """Count a study anew: what was read may have been rolled back."""
        self._known[study_id] = None

    def write(self, store: Store, study_id: str, job: Callable[[Writing], T]) -> T:
        """Run a write of a study, and forget its counts when a transaction is rolled back."""
        attempts, is_committed = count(), False

        def work(writing: Writing) -> T:
            if next(attempts):  # the transaction before was rolled back
                self.forget(study_id)
            return job(writing)

        try:
            result = store.write(work)
            is_committed = True
        finally:
            if not is_committed:
                self.forget(study_id)
        return result


def _counted(reading: Reading, plan: Plan, now: str) -> ItemCounts:
    counts, found = ItemCounts(plan.rated, plan.wanted), reading.item_counts(plan.study.id, now)
    counts.update(found, found)
    return counts
