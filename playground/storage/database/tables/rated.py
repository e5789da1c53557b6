"""Rated battles: the stored battles that a rater may be given, and those that they were given.

Boundary: reads rows; which words look personal, and what a rated battle is, is decided in `battles` and `arena`.
"""

from __future__ import annotations

from collections.abc import Sequence

from playground.storage.database.tables.transaction import Snapshot

# The schema marks `offered`. One that anybody reported is not given, whichever battle on its answers the report names.
_OFFERED = """
SELECT b.id, (SELECT count(*) FROM battles o WHERE o.comparison_id = b.comparison_id AND o.state <> 'void') AS judged
FROM battles b INDEXED BY battles_to_rate
WHERE b.offered = 1 AND b.erased_at IS NULL AND b.hidden_at IS NULL AND b.id >= :start AND b.id < :end
  AND b.owner <> :rater
  AND EXISTS (
    SELECT 1 FROM consents c WHERE c.rater_id = b.owner AND c.version >= :terms AND c.created_at <= b.created_at)
  AND NOT EXISTS (SELECT 1 FROM battles o WHERE o.comparison_id = b.comparison_id AND o.owner = :rater)
  AND NOT EXISTS (
    SELECT 1 FROM battles o JOIN vote_notes n ON n.battle_id = o.id
    WHERE o.comparison_id = b.comparison_id AND n.kind = 'report')
ORDER BY b.id LIMIT :limit"""

_RESERVED = """
SELECT id FROM battles INDEXED BY battles_rated
WHERE rated = 1 AND owner = ? AND state = 'open' AND hidden_at IS NULL AND study IS NULL ORDER BY created_at, id"""
_HAS = "SELECT EXISTS (SELECT 1 FROM battles WHERE comparison_id = ? AND owner = ?)"
_JUDGED = """
SELECT count(*) FROM battles INDEXED BY battles_rated
WHERE rated = 1 AND owner = ? AND state IN ('voted', 'revealed') AND study IS NULL"""


class RatedReads(Snapshot):
    def offered_battles(self, rater_id: str, terms: str, start: str, end: str, limit: int) -> Sequence[tuple[str, int]]:
        """Return battles that others may judge, with the number of battles on their answers that are not void.

        Args:
            rater_id: they have had no battle of the comparison.
            terms: its owner had agreed to this version of the terms, or a later one, when they made it.
            start: ids from this one on, in their order.
            end: ids before this one.
        """
        values = {"rater": rater_id, "terms": terms, "start": start, "end": end, "limit": limit}
        return [(row["id"], row["judged"]) for row in self.select(_OFFERED, values)]

    def reserved_battles(self, rater_id: str) -> Sequence[str]:
        """Return the ids of a rater's rated battles that are open, oldest first."""
        return [row["id"] for row in self.select(_RESERVED, (rater_id,))]

    def has_comparison(self, comparison_id: str, rater_id: str) -> bool:
        """Return True if a rater has had a battle of a comparison."""
        return bool(self.scalar(_HAS, (comparison_id, rater_id)))

    def count_rated(self, rater_id: str) -> int:
        """Count the rated battles that a rater has judged."""
        return int(self.scalar(_JUDGED, (rater_id,)))
