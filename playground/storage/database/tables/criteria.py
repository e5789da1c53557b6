"""Answers to the criteria of studies.

Boundary: reads and writes rows; which answers are taken is decided in `battles`. They travel to the journal with
their vote.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from playground.documents import convert
from playground.errors import StorageError
from playground.records import Criterion, CriterionAnswer, CriterionCount
from playground.storage.database.tables.transaction import Snapshot, Transaction

WRITTEN_REASONS = "vote_criteria SET reason = '' WHERE rater_id = :rater AND reason <> ''"
"""The update by which a rater's own words are erased; their choices are counted, and stay."""

COUNT_REASONS = "SELECT count(*) FROM vote_criteria WHERE rater_id = :rater AND reason <> ''"

# Of the votes that stand, on the items of a study. A side stands for its model.
_COUNTS = """
SELECT c.criterion, coalesce(s.model_id, c.choice) AS answer, count(*) AS votes
FROM battles b JOIN votes v ON v.battle_id = b.id AND v.choice <> 'undo'
  AND NOT EXISTS (SELECT 1 FROM votes n WHERE n.battle_id = b.id AND n.revision > v.revision)
JOIN vote_criteria c ON c.vote_id = v.id
LEFT JOIN battle_sides s ON s.battle_id = b.id AND s.side = c.choice
WHERE b.study = ? AND b.study_kind = 'item'
GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2"""


class CriterionReads(Snapshot):
    def criteria(self, study_id: str) -> Sequence[Criterion]:
        """Return the criteria of a study; none if it is not stored.

        Raises:
            StorageError: they are of a newer version.
        """
        stored = self.scalar("SELECT json_extract(file, '$.criterion') FROM studies WHERE id = ?", (study_id,))
        where = f"study {study_id}"
        return [convert(Criterion, one, where, StorageError) for one in json.loads(stored or "[]")]

    def criterion_answers(self, vote_id: str) -> Sequence[CriterionAnswer]:
        """Return the answers that were given with a vote."""
        statement = "SELECT criterion, choice, reason FROM vote_criteria WHERE vote_id = ? ORDER BY criterion"
        return [CriterionAnswer(*row) for row in self.select(statement, (vote_id,))]

    def criterion_counts(self, study_id: str) -> Sequence[CriterionCount]:
        """Count the answers to each criterion of a study, most frequent first."""
        return [CriterionCount(*row) for row in self.select(_COUNTS, (study_id,))]


class CriterionWrites(Transaction):
    def insert_criteria(self, vote_id: str, rater_id: str, answers: Sequence[CriterionAnswer]) -> None:
        """Store the answers that are given with a vote."""
        for one in answers:
            row = {"vote_id": vote_id, "criterion": one.criterion, "choice": one.choice, "reason": one.reason}
            self.insert("vote_criteria", {**row, "rater_id": rater_id})
