"""The models and variants that were ever in a battle here.

Boundary: counts rows. Battles whose models a visitor may not know yet are left out, and so are imported ones.
"""

from __future__ import annotations

from collections.abc import Sequence

from playground.records import Variant
from playground.storage.database.tables.transaction import Snapshot

# A void battle reveals nothing to its rater; from the next day on it is counted.
_VARIANTS = """
SELECT s.model_id, coalesce(g.model_revision, ''), coalesce(g.template_id, ''), coalesce(g.dtype, ''),
  min(substr(b.created_at, 1, 10)), max(substr(b.created_at, 1, 10)),
  count(DISTINCT b.id), count(DISTINCT CASE WHEN b.blind = 1 AND b.draw_probability IS NOT NULL THEN b.id END)
FROM battles b JOIN battle_sides s ON s.battle_id = b.id LEFT JOIN generations g ON g.id = s.generation_id
WHERE (b.blind = 0 OR b.state = 'revealed' OR b.state = 'voted' AND b.final_at <= :now
    OR b.state = 'void' AND b.created_at < substr(:now, 1, 10))
  AND NOT EXISTS (SELECT 1 FROM votes v WHERE v.battle_id = b.id AND v.imported IS NOT NULL)
GROUP BY 1, 2, 3, 4 ORDER BY 5, 1, 6, 2, 3, 4"""


class LedgerReads(Snapshot):
    def tested_variants(self, now: str) -> Sequence[Variant]:
        """Return all variants, the first tested first, by the battles whose models may be known `now`."""
        return [Variant(*row) for row in self.select(_VARIANTS, {"now": now})]
