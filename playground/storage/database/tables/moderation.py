"""Decisions of the operator on battles (hidden, shown again, reviewed), and the reports that wait for one.

`battles.reviewed_at` is the time of the latest decision: of two histories of a battle, the later decision holds.

Boundary: reads and writes rows; what a hidden battle shows is decided in `battles`.
"""

from __future__ import annotations

from collections.abc import Sequence

from playground.records import AnswerReport, ModerationCounts
from playground.storage.database.tables.transaction import Snapshot, Transaction

_IS_NEW = "n.created_at >= coalesce(b.reviewed_at, '')"
_NEW = f"FROM vote_notes n JOIN battles b ON b.id = n.battle_id WHERE n.kind = 'report' AND {_IS_NEW}"
_REPORTED = f"SELECT n.battle_id {_NEW} GROUP BY n.battle_id ORDER BY max(n.created_at) DESC, n.battle_id LIMIT ?"
_HIDDEN = "SELECT id FROM battles WHERE hidden_at IS NOT NULL ORDER BY hidden_at DESC, id LIMIT ?"
_REPORTS = f"""
SELECT n.side, n.text, n.created_at, {_IS_NEW} AS is_new FROM vote_notes n JOIN battles b ON b.id = n.battle_id
WHERE n.battle_id = ? AND n.kind = 'report' ORDER BY n.created_at DESC, n.id DESC"""

_ON_SAME_ANSWERS = """
SELECT DISTINCT t.battle_id FROM battle_sides s JOIN battle_sides t ON t.generation_id = s.generation_id
WHERE s.battle_id = :id AND t.battle_id <> :id ORDER BY t.battle_id"""
_SHOWS_HIDDEN = """
SELECT EXISTS (
  SELECT 1 FROM battle_sides s JOIN battle_sides t ON t.generation_id = s.generation_id
  JOIN battles b ON b.id = t.battle_id
  WHERE s.battle_id = ? AND b.hidden_at IS NOT NULL)"""

_LATEST = """
SELECT max(coalesce(reviewed_at, ''), coalesce((
  SELECT max(created_at) FROM vote_notes WHERE battle_id = b.id AND kind = 'report'), ''))
FROM battles b WHERE id = ?"""

_DECIDE = """
UPDATE battles SET reviewed_at = :at,
  hidden_at = CASE :hidden WHEN 'yes' THEN coalesce(hidden_at, :at) WHEN 'no' THEN NULL ELSE hidden_at END
WHERE id = :id"""


class ModerationReads(Snapshot):
    def moderation_counts(self) -> ModerationCounts:
        """Count new reports, the battles that have some, and hidden battles."""
        [(reports, reported)] = self.select(f"SELECT count(*), count(DISTINCT n.battle_id) {_NEW}")
        hidden = self.scalar("SELECT count(*) FROM battles WHERE hidden_at IS NOT NULL")
        return ModerationCounts(reports, reported, hidden)

    def reported_battles(self, limit: int) -> Sequence[str]:
        """Return the ids of battles with new reports, the latest report first."""
        return [row[0] for row in self.select(_REPORTED, (limit,))]

    def hidden_battles(self, limit: int) -> Sequence[str]:
        """Return the ids of hidden battles, the latest first."""
        return [row[0] for row in self.select(_HIDDEN, (limit,))]

    def reports_on(self, battle_id: str) -> Sequence[AnswerReport]:
        """Return the reports on a battle, newest first."""
        found = self.select(_REPORTS, (battle_id,))
        return [AnswerReport(row["side"], row["text"], row["created_at"], bool(row["is_new"])) for row in found]

    def battles_on_answers_of(self, battle_id: str) -> Sequence[str]:
        """Return the ids of the other battles that show an answer of this one."""
        return [row[0] for row in self.select(_ON_SAME_ANSWERS, {"id": battle_id})]

    def shows_hidden_answers(self, battle_id: str) -> bool:
        """Return True if a hidden battle shows one of its answers."""
        return bool(self.scalar(_SHOWS_HIDDEN, (battle_id,)))

    def last_reviewed(self, battle_id: str) -> str:
        """Return the time of the latest decision on a battle, or of a later report; empty if there is neither."""
        return str(self.scalar(_LATEST, (battle_id,)) or "")


class ModerationWrites(Transaction):
    def decide(self, battle_id: str, at: str, hidden: bool | None) -> None:
        """Store a decision with an event for the journal; every report before `at` is reviewed.

        Args:
            at: after `last_reviewed`.
            hidden: None leaves it as it is.
        """
        word = "as it is" if hidden is None else "yes" if hidden else "no"
        self.change(_DECIDE, [{"id": battle_id, "at": at, "hidden": word}])
        self._add_event("moderation", at, battle_id=battle_id)
