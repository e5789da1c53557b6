"""Instructions that raters of live studies wrote, and the items that they became.

Boundary: reads and writes rows; who may write, and which models answer, is decided in `studies`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from playground.records import LiveItem
from playground.storage.database.rows import read_instruction
from playground.storage.database.tables.transaction import Snapshot, Transaction

_LIVE = """
SELECT l.*, i.instruction, i.input, i.system, i.category
FROM live_items l JOIN instructions i ON i.id = l.instruction_id"""

_LAST = f"{_LIVE} WHERE l.study = ? AND l.rater = ? ORDER BY l.number DESC LIMIT 1"

# Those that may still become a vote of somebody else, who has them for some time.
_WAITING = """
SELECT model_a, model_b FROM live_items l
WHERE study = ? AND rater <> ? AND failed IS NULL AND created_at > ?
  AND NOT EXISTS (
    SELECT 1 FROM assignments s JOIN battles b ON b.id = s.battle
    WHERE s.study = l.study AND s.item = l.item AND (b.state <> 'void' OR s.dropped IS NOT NULL))"""

_BEING_ANSWERED = f"""
{_LIVE} JOIN studies t ON t.id = l.study AND t.closed_at IS NULL
WHERE l.item IS NULL AND l.failed IS NULL ORDER BY l.created_at, l.study, l.number"""

_HAS_NO_END = """
SELECT EXISTS (SELECT 1 FROM live_items WHERE study = ? AND number = ? AND item IS NULL AND failed IS NULL)"""

UNSEEN = """
SELECT l.study, l.number, l.instruction_id, i.category, l.seed
FROM live_items l JOIN instructions i ON i.id = l.instruction_id
LEFT JOIN assignments s ON s.study = l.study AND s.item = l.item LEFT JOIN battles b ON b.id = s.battle
WHERE :source IN ('', 'page') AND i.instruction || i.input || i.system <> ''
GROUP BY l.study, l.number
HAVING max(:rater IN (l.owner, b.owner)) AND count(b.id) = count(b.erased_at)"""
"""A rater's instructions that no battle with words shows: not answered, not judged, or without answers to judge."""

_WRITTEN = f"""
{_LIVE} WHERE l.owner = :rater AND :source IN ('', 'page') AND i.instruction || i.input || i.system <> ''
ORDER BY l.created_at, l.study, l.number"""

_COUNTS = """
SELECT count(*), coalesce(sum(item IS NULL AND failed IS NULL), 0), count(failed) FROM live_items WHERE study = ?"""


class LiveReads(Snapshot):
    def last_live_item(self, study_id: str, rater: int) -> LiveItem | None:
        """Return the instruction that the holder of a link wrote last; None if there is none."""
        found = self.select(_LAST, (study_id, rater))
        return _live_item(found[0]) if found else None

    def live_items_written(self, rater_id: str, source: str) -> Sequence[LiveItem]:
        """Return the instructions that were written in a browser and not erased, oldest first."""
        return [_live_item(row) for row in self.select(_WRITTEN, {"rater": rater_id, "source": source})]

    def count_live_items(self, study_id: str, rater: int) -> int:
        """Count the instructions of the holder of a link."""
        return int(self.scalar("SELECT count(*) FROM live_items WHERE study = ? AND rater = ?", (study_id, rater)))

    def waiting_live_items(self, study_id: str, rater: int, since: str) -> Sequence[tuple[str, str]]:
        """Return the models of each instruction that others wrote after `since`, and that is still to be judged."""
        return [(row[0], row[1]) for row in self.select(_WAITING, (study_id, rater, since))]

    def live_items_being_answered(self) -> Sequence[LiveItem]:
        """Return the instructions without answers of the studies that are not closed, oldest first."""
        return [_live_item(row) for row in self.select(_BEING_ANSWERED)]

    def is_being_answered(self, live: LiveItem) -> bool:
        """Return True unless an instruction has ended since it was read: answered, failed or erased."""
        return bool(self.scalar(_HAS_NO_END, (live.study, live.number)))

    def live_counts(self, study_id: str) -> tuple[int, int, int]:
        """Count the instructions of a study: all, those that are being answered, and those that came to nothing."""
        return tuple(self.select(_COUNTS, (study_id,))[0])

    def last_item(self, study_id: str) -> int:
        """Return the highest number of a study's items; 0 if there is none."""
        return int(self.scalar("SELECT coalesce(max(number), 0) FROM study_items WHERE study = ?", (study_id,)))


class LiveWrites(Transaction, LiveReads):
    def insert_live_item(self, live: LiveItem) -> LiveItem:
        """Add an instruction; return it with its number."""
        self.add_rater(live.owner, live.created_at)
        last = self.scalar("SELECT coalesce(max(number), 0) FROM live_items WHERE study = ?", (live.study,))
        live = replace(live, number=last + 1)
        names = ("study", "number", "rater", "owner", "seed", "probability", "created_at")
        models = dict(zip(("model_a", "model_b"), live.models, strict=True))
        asked = {"instruction_id": self.add_instruction(live.instruction)}
        self.insert("live_items", {name: getattr(live, name) for name in names} | models | asked)
        return live

    def add_live_answers(self, live: LiveItem, generation_a: str, generation_b: str) -> bool:
        """Make an item of two stored answers; return False if the instruction has ended."""
        number = self.last_item(live.study) + 1
        if not self.is_being_answered(live):
            return False
        item = {"study": live.study, "number": number, "kind": "item"}
        self.insert("study_items", {**item, "generation_a": generation_a, "generation_b": generation_b})
        self._end(live, "item", number)
        return True

    def fail_live_item(self, live: LiveItem, why: str) -> None:
        """Store why an instruction becomes no item, unless it has ended."""
        if self.is_being_answered(live):
            self._end(live, "failed", why)

    def _end(self, live: LiveItem, column: str, value: int | str) -> None:
        statement = f"UPDATE live_items SET {column} = :value WHERE study = :study AND number = :number"
        self.change(statement, [{"value": value, "study": live.study, "number": live.number}])


def _live_item(row: sqlite3.Row) -> LiveItem:
    names = ("study", "number", "rater", "owner", "seed", "probability", "created_at", "item", "failed")
    models = (row["model_a"], row["model_b"])
    return LiveItem(instruction=read_instruction(row), models=models, **{name: row[name] for name in names})
