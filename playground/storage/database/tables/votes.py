"""Votes, the pairs that they judge, and notes.

Boundary: reads and writes rows; which votes count is decided in `ratings`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from playground.records import JudgedPair, Vote
from playground.storage.database import rows
from playground.storage.database.tables.battles import BattleReads
from playground.storage.database.tables.transaction import Transaction

# The latest revision of every judged battle, as in the view `pairs`.
_LATEST = """
FROM votes v JOIN battles b ON b.id = v.battle_id JOIN instructions i ON i.id = b.instruction_id
WHERE v.choice <> 'undo'
  AND NOT EXISTS (SELECT 1 FROM votes n WHERE n.battle_id = v.battle_id AND n.revision > v.revision)"""


# As `FINAL` of `filters`, for the view `pairs`.
_FINAL = """(final_at <= ? OR created_at > ? OR EXISTS (
  SELECT 1 FROM battles s WHERE s.id = pairs.battle_id AND s.state = 'revealed'))"""


class VoteReads(BattleReads):
    """Reads of votes; a vote that was changed or undone is not among them."""

    def judged_pairs(
        self,
        *,
        blind_only: bool = False,
        category: str = "",
        final_by: str = "",
        battle_id: str = "",
        rater_id: str = "",
        day: str = "",
    ) -> Iterator[JudgedPair]:
        """Return the rows of `pairs`, in order of time.

        Args:
            final_by: leave out votes that could still be undone at that time; none that the future gave.
            battle_id: only of this battle.
            rater_id: only votes of this rater.
            day: only votes of this day (ISO 8601).
        """
        statement, values = _filtered(f"SELECT {rows.PAIR_COLUMNS} FROM pairs WHERE 1", blind_only, category)
        for condition, value in (
            (_FINAL, final_by),
            ("battle_id = ?", battle_id),
            ("rater_id = ?", rater_id),
            ("created_at >= ? AND created_at < ? || '~'", day),
        ):
            if value:
                statement = f"{statement} AND {condition}"
                values += [value] * condition.count("?")
        cursor = self._connection.execute(f"{statement} ORDER BY created_at, vote_id, side_a, side_b", values)
        return (rows.read_pair(row) for row in cursor)

    def count_votes(self) -> int:
        """Count the battles that have a vote."""
        return int(self.scalar(f"SELECT count(*) {_LATEST}"))

    def last_vote(self) -> tuple[int, str | None]:
        """Return how many votes and undos were ever written, and the time of the last; reads one row."""
        found = self.select("SELECT rowid, created_at FROM votes ORDER BY rowid DESC LIMIT 1")
        return (int(found[0][0]), str(found[0][1])) if found else (0, None)

    def notes(self, battle_id: str, kind: str, vote_id: str | None = None) -> Sequence[str]:
        """Return the texts of a battle's notes of one kind, oldest first; with `vote_id`, of that vote."""
        statement = "SELECT text FROM vote_notes WHERE battle_id = ? AND kind = ? AND vote_id IS ? ORDER BY id"
        return [row["text"] for row in self.select(statement, (battle_id, kind, vote_id))]

    def reports_by(self, rater_id: str) -> Sequence[Mapping[str, Any]]:
        """Return a rater's reports: battle_id, side, text, created_at, hidden; without the text on a hidden battle."""
        statement = (
            "SELECT n.battle_id, n.side, iif(b.hidden_at IS NULL, n.text, '') AS text, n.created_at,"
            " b.hidden_at IS NOT NULL AS hidden FROM vote_notes n JOIN battles b ON b.id = n.battle_id"
            " WHERE n.rater_id = ? AND n.kind = 'report' ORDER BY n.id"
        )
        return [{**row, "hidden": bool(row["hidden"])} for row in self.select(statement, (rater_id,))]


class VoteWrites(Transaction):
    """Changes of votes and notes; each adds an event for the journal."""

    def insert_vote(self, vote: Vote) -> None:
        """Add a vote or an undo; its revision must be the battle's next."""
        self.add_rater(vote.rater_id, vote.created_at)
        self.insert("votes", rows.vote_row(vote))
        self._add_event("vote", vote.created_at, battle_id=vote.battle_id, vote_id=vote.id)

    def tell_journal_of_reveal(self, battle_id: str, created_at: str) -> None:
        """Add an event for a vote that became final early."""
        self._add_event("reveal", created_at, battle_id=battle_id)

    def replace_notes(
        self, battle_id: str, vote_id: str, kind: str, texts: Sequence[str], rater_id: str, created_at: str
    ) -> None:
        """Replace a vote's notes of one kind (reason or comment) by `texts`."""
        gone = self._connection.execute("DELETE FROM vote_notes WHERE vote_id = ? AND kind = ?", (vote_id, kind))
        about = {"battle_id": battle_id, "vote_id": vote_id, "kind": kind}
        for text in texts:
            self._insert_note({**about, "text": text, "rater_id": rater_id, "created_at": created_at})
        if gone.rowcount or texts:
            self._add_event("notes", created_at, battle_id=battle_id)

    def insert_report(self, battle_id: str, side: str | None, text: str, rater_id: str, created_at: str) -> None:
        """Add a report about one side, or about the battle."""
        reviewed = self.scalar("SELECT reviewed_at FROM battles WHERE id = ?", (battle_id,))
        at = max(created_at, reviewed or "")  # new to the operator, also if the clock was set back
        about = {"battle_id": battle_id, "side": side, "kind": "report"}
        self._insert_note({**about, "text": text, "rater_id": rater_id, "created_at": at})
        self._add_event("notes", created_at, battle_id=battle_id)

    def _insert_note(self, note: Mapping[str, Any]) -> None:
        self.add_rater(note["rater_id"], note["created_at"])
        self.insert("vote_notes", note)


def _filtered(statement: str, blind_only: bool, category: str) -> tuple[str, list[Any]]:
    """Append conditions to a statement that ends in a condition."""
    values: list[Any] = []
    if blind_only:
        statement += " AND blind = 1"
    if category:
        statement, values = f"{statement} AND category = ?", [category]
    return statement, values
