"""Answers to files of instructions, by the key of what was asked of which model.

Boundary: stores and finds them; the key is made in `studies`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from playground.records import FinishReason
from playground.storage.database.rows import to_json
from playground.storage.database.tables.transaction import Snapshot, Transaction

_STANDING = """
SELECT d.key, d.attempt, g.finish_reason, g.error, g.id, g.good
FROM json_each(?) j JOIN generated d ON d.key = j.value JOIN generations g ON g.id = d.generation_id
ORDER BY d.key, d.attempt"""


@dataclass(frozen=True, slots=True)
class LastAttempt:
    """The last stored answer of a key."""

    attempt: int
    error: str  # empty: it did not fail
    generation_id: str
    good: bool  # it may be judged


class GeneratedReads(Snapshot):
    def last_attempts(self, keys: Iterable[str]) -> Mapping[str, LastAttempt]:
        """Return the last stored answers by key; keys without one are absent."""
        found = {}
        for key, attempt, reason, error, id, good in self.select(_STANDING, (to_json(list(keys)),)):
            found[key] = LastAttempt(attempt, error or "" if reason == FinishReason.ERROR else "", id, bool(good))
        return found


class GeneratedWrites(Transaction):
    def insert_generated(self, key: str, attempt: int, number: int, seed: int, generation_id: str) -> None:
        """Add an answer, whose generation is stored; the same attempt is never stored twice."""
        row = {"key": key, "attempt": attempt, "number": number, "seed": seed, "generation_id": generation_id}
        self.insert("generated", row)
