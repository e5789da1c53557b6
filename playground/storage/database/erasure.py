"""What is stored of one rater, and how her words are taken out of it: texts go, what was counted stays.

Boundary: runs inside a transaction that somebody else began and ends; that nothing of hers is being written or could
still be undone is seen to by whoever calls. What may be blanked is held by the schema's triggers.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from playground.records import BattleState, Belongings, Erased, Instruction, OwnBattle
from playground.storage.database import rows

# `:source` is page or api; empty: both
_HERS = "b.owner = :rater AND (:source = '' OR b.source = :source)"

_BATTLES = f"SELECT count(*), count(b.erased_at) FROM battles b WHERE {_HERS}"

_VOTES = f"""
SELECT count(*) FROM votes v JOIN battles b ON b.id = v.battle_id
WHERE {_HERS} AND v.choice <> 'undo'
  AND NOT EXISTS (SELECT 1 FROM votes n WHERE n.battle_id = v.battle_id AND n.revision > v.revision)"""

# What she wrote beside votes and answers, wherever; reasons are counted, and stay.
_NOTES = "FROM vote_notes WHERE rater_id = :rater AND kind IN ('comment', 'report')"

_LATEST = f"""
SELECT b.id, b.created_at, b.blind, b.erased_at,
  CASE WHEN b.state = 'voted' AND b.final_at <= :now THEN 'revealed' ELSE b.state END AS state,
  substr(i.instruction, 1, :chars) AS start, (
  SELECT v.choice FROM votes v WHERE v.battle_id = b.id ORDER BY v.revision DESC LIMIT 1) AS choice
FROM battles b JOIN instructions i ON i.id = b.instruction_id
WHERE {_HERS} ORDER BY b.created_at DESC, b.id LIMIT :limit"""

_UNSETTLED = f"SELECT b.id FROM battles b WHERE {_HERS} AND b.erased_at IS NULL AND b.state IN (:s1, :s2, :s3)"

_INSTRUCTIONS = f"""
SELECT DISTINCT i.id, i.category FROM battles b JOIN instructions i ON i.id = b.instruction_id
WHERE {_HERS} AND b.erased_at IS NULL"""

# Another rater's battle may show the same answers: they are hers too, until she erases them.
_GENERATIONS = f"""
SELECT DISTINCT g.id, g.instruction_id, i.category
FROM battles b JOIN battle_sides s ON s.battle_id = b.id JOIN generations g ON g.id = s.generation_id
JOIN instructions i ON i.id = g.instruction_id
WHERE {_HERS} AND b.erased_at IS NOT NULL AND i.instruction || i.input || i.system <> ''
  AND NOT EXISTS (
    SELECT 1 FROM battle_sides t JOIN battles o ON o.id = t.battle_id
    WHERE t.generation_id = g.id AND o.erased_at IS NULL)"""


def belongings(connection: sqlite3.Connection, rater_id: str, source: str) -> Belongings:
    """How much of one rater is stored."""
    hers = _values(rater_id, source)
    battles, erased = connection.execute(_BATTLES, hers).fetchone()
    votes = connection.execute(_VOTES, hers).fetchone()[0]
    notes = connection.execute(f"SELECT count(*) {_NOTES}", hers).fetchone()[0]
    return Belongings(battles - erased, erased, votes, notes)


def latest_battles(
    connection: sqlite3.Connection, rater_id: str, source: str, limit: int, chars: int, now: str
) -> Sequence[OwnBattle]:
    """A rater's battles as they stand `now`, the newest first, with so many characters of each instruction."""
    values = {**_values(rater_id, source), "limit": limit, "chars": chars, "now": now}
    return [_own_battle(row) for row in connection.execute(_LATEST, values)]


def unsettled(connection: sqlite3.Connection, rater_id: str, source: str) -> Sequence[str]:
    """Ids of her battles that are being written, wait for a vote, or may still be undone."""
    states = (BattleState.GENERATING, BattleState.OPEN, BattleState.VOTED)
    values = _values(rater_id, source) | {f"s{place}": state.value for place, state in enumerate(states, start=1)}
    return [row["id"] for row in connection.execute(_UNSETTLED, values)]


def erase_words(connection: sqlite3.Connection, rater_id: str, source: str, now: str) -> Erased:
    """Take her words out, leave a tombstone, tell the journal; where there are none, nothing happens."""
    hers = _values(rater_id, source)
    unused = [row["id"] for row in connection.execute(_INSTRUCTIONS, hers)]
    battles = _blank_battles(connection, hers, now)
    unused += _blank_generations(connection, hers)
    _drop_unused(connection, unused)
    notes = connection.execute(f"DELETE {_NOTES}", hers).rowcount
    if battles or notes:
        _bury(connection, rater_id, now, battles, notes)
    return Erased(battles, notes)


def has_erasure(connection: sqlite3.Connection, rater_id: str, created_at: str) -> bool:
    """Whether she had her words erased at that very time."""
    statement = "SELECT EXISTS (SELECT 1 FROM erasures WHERE rater_id = ? AND created_at = ?)"
    return bool(connection.execute(statement, (rater_id, created_at)).fetchone()[0])


def erasure_to_scrub(connection: sqlite3.Connection) -> int | None:
    """The id of the last erasure, where the file was not written anew since."""
    last = connection.execute("SELECT max(id) FROM erasures").fetchone()[0]
    fact = connection.execute("SELECT value FROM facts WHERE name = 'scrubbed_erasure'").fetchone()
    return None if last is None or (fact is not None and int(fact["value"]) >= last) else int(last)


def scrubbed(connection: sqlite3.Connection, erasure_id: int) -> None:
    """Keep that the file was written anew after an erasure."""
    connection.execute(
        "INSERT INTO facts (name, value) VALUES ('scrubbed_erasure', ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (str(erasure_id),),
    )


def _blank_battles(connection: sqlite3.Connection, hers: Mapping[str, Any], now: str) -> int:
    changed = 0
    for row in connection.execute(_INSTRUCTIONS, hers).fetchall():
        values = {**hers, "now": now, "old": row["id"], "empty": _empty(connection, row["category"])}
        changed += connection.execute(
            f"UPDATE battles AS b SET instruction_id = :empty, erased_at = :now"
            f" WHERE {_HERS} AND b.erased_at IS NULL AND b.instruction_id = :old",
            values,
        ).rowcount
    return changed


def _blank_generations(connection: sqlite3.Connection, hers: Mapping[str, Any]) -> Sequence[str]:
    """Empty what only erased battles show; returns the ids of the instructions that it answered."""
    found = connection.execute(_GENERATIONS, hers).fetchall()
    connection.executemany(
        "UPDATE generations SET instruction_id = ?, text = '', prompt_text = '', prompt_ids = '[]', token_ids = '[]'"
        " WHERE id = ?",
        [(_empty(connection, row["category"]), row["id"]) for row in found],
    )
    # what was found in an answer is a piece of it
    connection.executemany(
        "UPDATE generation_flags SET detail = '' WHERE generation_id = ?", [(row["id"],) for row in found]
    )
    return sorted({row["instruction_id"] for row in found})


def _drop_unused(connection: sqlite3.Connection, instruction_ids: Sequence[str]) -> None:
    connection.executemany(
        "DELETE FROM instructions WHERE id = :id"
        " AND NOT EXISTS (SELECT 1 FROM battles WHERE instruction_id = :id)"
        " AND NOT EXISTS (SELECT 1 FROM generations WHERE instruction_id = :id)",
        [{"id": instruction_id} for instruction_id in instruction_ids],
    )


def _bury(connection: sqlite3.Connection, rater_id: str, now: str, battles: int, notes: int) -> None:
    """The tombstone: that something was here, and that the journal has to forget it too."""
    tombstone = connection.execute(
        "INSERT INTO erasures (rater_id, created_at, battles, notes) VALUES (?, ?, ?, ?)",
        (rater_id, now, battles, notes),
    ).lastrowid
    connection.execute(
        "INSERT INTO journal_events (kind, erasure_id, created_at) VALUES ('erasure', ?, ?)", (tombstone, now)
    )


def _empty(connection: sqlite3.Connection, category: str) -> str:
    """The id of the instruction without words of a category, which is added when there is none yet."""
    row = rows.instruction_row(Instruction("", "", "", category))
    connection.execute(
        "INSERT INTO instructions (id, instruction, input, system, category)"
        " VALUES (:id, :instruction, :input, :system, :category) ON CONFLICT DO NOTHING",
        row,
    )
    return str(row["id"])


def _own_battle(row: sqlite3.Row) -> OwnBattle:
    choice = None if row["choice"] == "undo" else row["choice"]
    return OwnBattle(
        battle_id=row["id"],
        created_at=row["created_at"],
        state=BattleState(row["state"]),
        start=row["start"],
        choice=choice,
        erased=row["erased_at"] is not None,
        blind=bool(row["blind"]),
    )


def _values(rater_id: str, source: str) -> dict[str, Any]:
    return {"rater": rater_id, "source": source}
