"""Studies: their items, the links of their raters, and the battles that these were assigned.

Boundary: reads and writes rows; who gets what next is decided in `studies`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from string import Template

from playground.records import (
    Adjudication,
    Assigned,
    CheckState,
    ClosedStudy,
    ItemCount,
    StoredStudy,
    StudyItem,
    StudyRater,
)
from playground.storage.database.filters import CLOSED
from playground.storage.database.rows import to_json
from playground.storage.database.tables.transaction import Snapshot, Transaction

_ITEMS = """
SELECT t.number, t.kind, t.generation_a, t.generation_b, t.expected, g.instruction_id, g.model_id, h.model_id,
  l.rater, l.probability
FROM study_items t JOIN generations g ON g.id = t.generation_a JOIN generations h ON h.id = t.generation_b
LEFT JOIN live_items l ON l.study = t.study AND l.item = t.number
WHERE t.study = ? AND t.number > ? ORDER BY t.number"""

# A choice of a pair by the order of the item: the side that holds its first answer is `a` there.
_LATEST = """
LEFT JOIN votes v ON v.battle_id = b.id AND v.choice <> 'undo'
  AND NOT EXISTS (SELECT 1 FROM votes n WHERE n.battle_id = b.id AND n.revision > v.revision)
LEFT JOIN battle_sides x ON x.battle_id = b.id AND x.generation_id = t.generation_a"""
_OUTCOME = """
CASE WHEN v.choice IN ('a', 'b') THEN CASE WHEN v.choice = x.side THEN 'a' ELSE 'b' END
  WHEN v.choice IN ('a>b', 'b>a') THEN CASE WHEN substr(v.choice, 1, 1) = x.side THEN 'a' ELSE 'b' END
  WHEN v.choice IN ('a=b', 'b=a') THEN 'tie' ELSE v.choice END"""

_ASSIGNED = f"""
SELECT s.battle, s.item, s.place, s.repeat_of, b.study_kind, b.state, {_OUTCOME} AS outcome, v.created_at, b.owner,
  v.choice, v.decision_s, s.dropped
FROM assignments s JOIN battles b ON b.id = s.battle
JOIN study_items t ON t.study = s.study AND t.number = s.item {_LATEST}
WHERE s.study = ? AND s.rater = ? ORDER BY s.place"""

_COUNTS = Template(f"""
SELECT item, count(*), sum(is_open), sum(is_final), count(DISTINCT CASE WHEN is_final THEN outcome END) > 1
FROM (
  SELECT s.item, b.state = 'open' AS is_open, {_OUTCOME} AS outcome,
    b.state = 'revealed' OR (b.state = 'voted' AND b.final_at <= :now) AS is_final
  FROM $items assignments s JOIN battles b ON b.id = s.battle AND b.state <> 'void' AND b.study_kind = 'item'
  JOIN study_items t ON t.study = s.study AND t.number = s.item {_LATEST}
  WHERE s.study = :study $among)
GROUP BY item""")
_AMONG = {"items": "json_each(:items) j CROSS JOIN", "among": "AND s.item = j.value"}
_ALL = {"items": "", "among": ""}

_OVERDUE = """
SELECT s.battle FROM battles b CROSS JOIN assignments s ON s.battle = b.id
WHERE b.study = ? AND b.state = 'open' AND s.reserved_until <= ? ORDER BY s.reserved_until, s.battle"""

_RATER = "SELECT study, number, rater, check_state, tries, finished_at FROM study_raters"

CLOSED_STUDIES = """
SELECT id, closed_at, why FROM studies WHERE closed_at IS NOT NULL
UNION ALL SELECT id, closed_at, why FROM closed_unknown_studies WHERE id NOT IN (SELECT id FROM studies)"""
"""The studies that are closed, also those that only votes name."""

_CLOSED = f"""
SELECT s.id, s.closed_at, s.why, (
  SELECT count(*) FROM battles b WHERE b.study = s.id AND b.study_kind = 'item' AND b.state IN ('voted', 'revealed'))
FROM ({CLOSED_STUDIES}) s
ORDER BY s.closed_at DESC, s.id"""

# One with votes, if there are some: it is in the journal already.
_ANY_BATTLE = """
SELECT b.id FROM battles b INDEXED BY battles_by_study WHERE b.study = ?
ORDER BY EXISTS (SELECT 1 FROM votes v WHERE v.battle_id = b.id) DESC LIMIT 1"""

_ARRIVED = "INSERT INTO study_browsers (study, number, rater) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"

# A browser that only opened a link gave no vote of its holder: an operator who tries the links joins nobody.
JUDGED = """
EXISTS (
  SELECT 1 FROM assignments a JOIN battles b ON b.id = a.battle
  WHERE (a.study, a.rater) = (s.study, s.number) AND b.owner = {browser}.rater
    AND b.study_kind IN ({kinds}) AND b.state IN ('voted', 'revealed'))"""
VOTES, OF_THE_CHECK = "'item', 'repeat'", "'check'"
"""Kinds of battles."""

# A restored database has the links of its studies only in their battles.
_SAME_PERSON = f"""
WITH restored AS (
  SELECT DISTINCT b.study, b.study_rater, b.owner FROM battles b INDEXED BY battles_by_study
  WHERE b.study IS NOT NULL AND b.study NOT IN (SELECT id FROM studies) AND b.study_rater IS NOT NULL
    AND b.study_kind IN ({VOTES}) AND b.state IN ('voted', 'revealed'))
SELECT DISTINCT x.rowid, y.rowid FROM study_browsers s
JOIN study_browsers t ON (t.study, t.number) = (s.study, s.number) AND t.rater > s.rater
JOIN raters x ON x.id = s.rater JOIN raters y ON y.id = t.rater
WHERE {JUDGED.format(browser="s", kinds=VOTES)} AND {JUDGED.format(browser="t", kinds=VOTES)}
UNION SELECT x.rowid, y.rowid FROM restored s JOIN restored t USING (study, study_rater)
JOIN raters x ON x.id = s.owner JOIN raters y ON y.id = t.owner WHERE s.owner < t.owner ORDER BY 1, 2"""

_UNKNOWN = f"""
SELECT DISTINCT b.study FROM battles b INDEXED BY battles_by_study CROSS JOIN votes v ON v.battle_id = b.id
WHERE b.study IS NOT NULL AND b.study NOT IN (SELECT id FROM studies) AND NOT ({CLOSED}) ORDER BY 1"""


class StudyReads(Snapshot):
    def study(self, study_id: str) -> StoredStudy | None:
        """Return a study; None if there is none."""
        columns = "id, hash, file, secret, created_at, closed_at, why"
        found = self.select(f"SELECT {columns} FROM studies WHERE id = ?", (study_id,))
        return StoredStudy(*found[0]) if found else None

    def study_ids(self) -> Sequence[str]:
        """Return the ids of all studies."""
        return [row[0] for row in self.select("SELECT id FROM studies ORDER BY id")]

    def unknown_studies(self) -> Sequence[str]:
        """Return the ids of studies that only votes name, as after a restore, and that are not closed here."""
        return [row[0] for row in self.select(_UNKNOWN)]

    def running_study_ids(self) -> Sequence[str]:
        """Return the ids of the studies that are not closed."""
        return [row[0] for row in self.select("SELECT id FROM studies WHERE closed_at IS NULL ORDER BY id")]

    def closed_studies(self) -> Sequence[ClosedStudy]:
        """Return the studies that are closed, also those that only votes name; the last one first."""
        return [ClosedStudy(*row) for row in self.select(_CLOSED)]

    def study_items(self, study_id: str, after: int = 0) -> Sequence[StudyItem]:
        """Return a study's items by number, those above `after`; they never change, and one that is live gets more."""
        found = self.select(_ITEMS, (study_id, after))
        return [
            StudyItem(n, kind, a, b, best, asked, (x, y), rater, chance)
            for n, kind, a, b, best, asked, x, y, rater, chance in found
        ]

    def study_raters(self, study_id: str) -> Sequence[StudyRater]:
        """Return the holders of a study's links by number."""
        return [_rater(row) for row in self.select(f"{_RATER} WHERE study = ? ORDER BY number", (study_id,))]

    def rater_of_link(self, study_id: str, token_hash: str) -> StudyRater | None:
        """Return the holder of a link; None if no link of the study has this token."""
        found = self.select(f"{_RATER} WHERE study = ? AND token_hash = ?", (study_id, token_hash))
        return _rater(found[0]) if found else None

    def same_raters(self) -> Sequence[tuple[int, int]]:
        """Return pairs of numbers of raters who are one person: the browsers that judged under one personal link."""
        return [(row[0], row[1]) for row in self.select(_SAME_PERSON)]

    def assigned(self, study_id: str, rater: int) -> Sequence[Assigned]:
        """Return all battles that the holder of a link got, in their order."""
        return [Assigned(*row) for row in self.select(_ASSIGNED, (study_id, rater))]

    def count_links(self, study_id: str) -> int:
        return int(self.scalar("SELECT count(*) FROM study_raters WHERE study = ?", (study_id,)))

    def item_counts(self, study_id: str, now: str, items: Sequence[int] | None = None) -> Mapping[int, ItemCount]:
        """Return the battles of each item that has some, as of `now`; of these items only, unless they are None."""
        statement = _COUNTS.substitute(_ALL if items is None else _AMONG)
        found = self.select(statement, {"study": study_id, "now": now, "items": to_json(items or [])})
        return {row[0]: ItemCount(row[1], row[2], row[3], bool(row[4])) for row in found}

    def adjudications(self, study_id: str) -> Mapping[int, Adjudication]:
        """Return the operator's last judgement on each item that has one."""
        rows = self.select(
            "SELECT item, outcome, created_at FROM adjudications WHERE study = ? ORDER BY id", (study_id,)
        )
        return {row[0]: Adjudication(*row) for row in rows}

    def overdue(self, study_id: str, now: str) -> Sequence[str]:
        """Return the open battles of a study whose reservation has ended."""
        return [row[0] for row in self.select(_OVERDUE, (study_id, now))]


class StudyWrites(Transaction):
    def insert_study(self, study: StoredStudy, items: Sequence[StudyItem]) -> None:
        """Add a study with its items, whose answers are stored."""
        names = ("id", "hash", "file", "secret", "created_at")
        self.insert("studies", {name: getattr(study, name) for name in names})
        for item in items:
            names = ("number", "kind", "generation_a", "generation_b", "expected")
            self.insert("study_items", {"study": study.id, **{name: getattr(item, name) for name in names}})

    def close_study(self, study_id: str, at: str, why: str) -> bool:
        """Close a study, with an event for the journal; return False if it is closed already."""
        statement = "UPDATE studies SET closed_at = ?, why = ? WHERE id = ? AND closed_at IS NULL"
        if self._connection.execute(statement, (at, why, study_id)).rowcount == 0:
            return False
        self._add_end(study_id, at)
        return True

    def close_unknown_study(self, study_id: str, at: str, why: str) -> None:
        """Close a study that only votes name, with an event for the journal."""
        self.insert("closed_unknown_studies", {"id": study_id, "closed_at": at, "why": why})
        self._add_end(study_id, at)

    def _add_end(self, study_id: str, at: str) -> None:
        """Add an event of one of a study's battles: its line has the end of the study. It may have none."""
        battle_id = self.scalar(_ANY_BATTLE, (study_id,))
        if battle_id is not None:
            self._add_event("notes", at, battle_id=battle_id)

    def insert_link(self, study_id: str, token_hash: str, check: CheckState, at: str) -> int:
        """Add a personal link; return its number."""
        last = self.scalar("SELECT coalesce(max(number), 0) FROM study_raters WHERE study = ?", (study_id,))
        row = {"study": study_id, "number": last + 1, "token_hash": token_hash, "check_state": check.value}
        self.insert("study_raters", {**row, "created_at": at})
        return int(last) + 1

    def update_study_rater(self, rater: StudyRater, at: str) -> None:
        """Store the browser's rater, the check and the end of the holder of a link."""
        if rater.rater is not None:
            self.add_rater(rater.rater, at)
            self._connection.execute(_ARRIVED, (rater.study, rater.number, rater.rater))
        self._connection.execute(
            "UPDATE study_raters SET rater = ?, check_state = ?, tries = ?, finished_at = ?"
            " WHERE study = ? AND number = ?",
            (rater.rater, rater.check_state, rater.tries, rater.finished_at, rater.study, rater.number),
        )

    def assign(self, study_id: str, rater: int, assigned: Assigned, until: str) -> None:
        """Store whom a battle was assigned to."""
        names = ("battle", "item", "place", "repeat_of")
        row = {name: getattr(assigned, name) for name in names}
        self.insert("assignments", {**row, "study": study_id, "rater": rater, "reserved_until": until})

    def reserve(self, battle_ids: Sequence[str], until: str) -> None:
        """Reserve battles until a later time."""
        values = [{"battle": battle, "until": until} for battle in battle_ids]
        self.change("UPDATE assignments SET reserved_until = :until WHERE battle = :battle", values)

    def adjudicate(self, study_id: str, judged: Adjudication) -> None:
        """Add the operator's judgement on an item."""
        row = {name: getattr(judged, name) for name in ("item", "outcome", "created_at")}
        self.insert("adjudications", {"study": study_id, **row})

    def drop(self, battle_id: str, why: str) -> None:
        """Store why the item of a battle does not come to its rater again: skipped | unusable."""
        self.change("UPDATE assignments SET dropped = :why WHERE battle = :battle", [{"why": why, "battle": battle_id}])


def _rater(row: sqlite3.Row) -> StudyRater:
    study, number, rater, check_state, tries, finished_at = row
    return StudyRater(study, number, rater, CheckState(check_state), tries, finished_at)
