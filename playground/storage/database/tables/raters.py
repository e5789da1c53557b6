"""Raters: their consent, the keys of programs, and what is stored about one rater.

Boundary: reads and writes rows; who may see or change them is decided elsewhere.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from playground.records import BattleState, Belongings, OwnBattle
from playground.storage.database.tables.criteria import COUNT_REASONS
from playground.storage.database.tables.live import UNSEEN
from playground.storage.database.tables.panels import PANEL_IDS_OF_RATER
from playground.storage.database.tables.transaction import Snapshot, Transaction

OWN_BATTLES = "b.owner = :rater AND (:source = '' OR b.source = :source)"
"""A rater's battles `b`; `:source` is page or api, empty: both."""

OWN_WORDS = "(b.study IS NULL OR b.own_words = 1)"
"""The words of a battle `b` are its rater's: those of a study are the operator's, unless raters write them."""

WRITTEN_NOTES = "FROM vote_notes WHERE rater_id = :rater AND kind IN ('comment', 'report')"
"""A rater's notes in free text; reasons are counted, and stay after an erasure."""

_VOTES = f"""
SELECT count(*) FROM votes v JOIN battles b ON b.id = v.battle_id
WHERE {OWN_BATTLES} AND v.choice <> 'undo'
  AND NOT EXISTS (SELECT 1 FROM votes n WHERE n.battle_id = v.battle_id AND n.revision > v.revision)"""

_JUDGED_ON = """
SELECT count(*) FROM votes v
WHERE v.rater_id = ? AND v.created_at >= ? AND v.created_at < ? AND v.choice <> 'undo' AND v.imported IS NULL
  AND NOT EXISTS (SELECT 1 FROM votes n WHERE n.battle_id = v.battle_id AND n.revision > v.revision)"""

_LATEST = f"""
SELECT b.id, b.created_at, b.blind, b.erased_at, b.hidden_at, b.study,
  CASE WHEN b.state = 'voted' AND b.final_at <= :now THEN 'revealed' ELSE b.state END AS state,
  CASE WHEN b.hidden_at IS NULL THEN substr(i.instruction, 1, :chars) ELSE '' END AS start, (
  SELECT v.choice FROM votes v WHERE v.battle_id = b.id ORDER BY v.revision DESC LIMIT 1) AS choice
FROM battles b JOIN instructions i ON i.id = b.instruction_id
WHERE {OWN_BATTLES} ORDER BY b.created_at DESC, b.id LIMIT :limit"""


class RaterReads(Snapshot):
    def belongings(self, rater_id: str, source: str) -> Belongings:
        """Count what is stored of one rater; from both sources if `source` is empty."""
        own = own_values(rater_id, source)
        [counts] = self.select(
            f"SELECT count(*), count(b.erased_at) FROM battles b WHERE {OWN_BATTLES} AND {OWN_WORDS}", own
        )
        battles, erased = counts
        battles += self.scalar(f"SELECT count(*) FROM ({UNSEEN})", own)
        notes = self.scalar(f"SELECT count(*) {WRITTEN_NOTES}", own) + self.scalar(COUNT_REASONS, own)
        panel_ids = self.scalar(f"SELECT count(*) {PANEL_IDS_OF_RATER}", own)
        return Belongings(battles - erased, erased, self.scalar(_VOTES, own), notes, panel_ids)

    def latest_battles(self, rater_id: str, source: str, limit: int, chars: int, now: str) -> Sequence[OwnBattle]:
        """Return a rater's battles as of `now`, newest first, with the first `chars` characters of each instruction."""
        values = {**own_values(rater_id, source), "limit": limit, "chars": chars, "now": now}
        return [_own_battle(row) for row in self.select(_LATEST, values)]

    def count_judged_on(self, rater_id: str, day: str) -> int:
        """Count a rater's votes of a day (ISO 8601) that stand."""
        return int(self.scalar(_JUDGED_ON, (rater_id, day, f"{day}~")))

    def program_of_key(self, key_hash: str) -> str | None:
        """Return the name of the program whose key has this hash; None if there is none."""
        name = self.scalar("SELECT name FROM program_keys WHERE hash = ?", (key_hash,))
        return None if name is None else str(name)

    def program_keys(self) -> Mapping[str, str]:
        """Return the programs that have a key: name -> time of creation."""
        found = self.select("SELECT name, created_at FROM program_keys ORDER BY name")
        return {row["name"]: row["created_at"] for row in found}


class RaterWrites(Transaction):
    def agree(self, rater_id: str, version: str, created_at: str) -> None:
        """Store when a rater first agreed to a version of the terms."""
        self.insert(
            "consents",
            {"rater_id": rater_id, "version": version, "created_at": created_at},
            conflict="ON CONFLICT DO UPDATE SET created_at = excluded.created_at"
            " WHERE excluded.created_at < created_at",
        )

    def put_program_key(self, name: str, key_hash: str, created_at: str) -> None:
        """Store a program's key, replacing an earlier one."""
        self.upsert("program_keys", "name", {"name": name, "hash": key_hash, "created_at": created_at})

    def remove_program_key(self, name: str) -> bool:
        """Delete a program's key; return False if it had none."""
        return self._connection.execute("DELETE FROM program_keys WHERE name = ?", (name,)).rowcount == 1


def own_values(rater_id: str, source: str) -> dict[str, Any]:
    return {"rater": rater_id, "source": source}


def _own_battle(row: sqlite3.Row) -> OwnBattle:
    return OwnBattle(
        battle_id=row["id"],
        created_at=row["created_at"],
        state=BattleState(row["state"]),
        start=row["start"],
        choice=None if row["choice"] == "undo" else row["choice"],
        erased=row["erased_at"] is not None,
        blind=bool(row["blind"]),
        hidden=row["hidden_at"] is not None,
        of_study=row["study"] is not None,
    )
