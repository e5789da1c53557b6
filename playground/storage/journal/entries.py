"""Events of the database as records of the journal, each with the rows that are needed to restore it.

Boundary: reads one snapshot. Rows are copied as they are, with JSON text as text, so that a restored row is equal byte
for byte.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from playground.records import Origin
from playground.storage.database.rows import to_json
from playground.storage.database.statements import Reading
from playground.storage.database.tables.erasures import with_guests
from playground.storage.database.tables.studies import CLOSED_STUDIES
from playground.storage.journal.lines import EventKey, Record

_WANTED = "WITH wanted (battle) AS (SELECT value FROM json_each(?))"

_RATERS = f"""{_WANTED}, people (battle, rater) AS (
  SELECT b.id, b.owner FROM wanted JOIN battles b ON b.id = battle
  UNION SELECT battle, v.rater_id FROM wanted JOIN votes v ON v.battle_id = battle
  UNION SELECT battle, n.rater_id FROM wanted JOIN vote_notes n ON n.battle_id = battle)"""

_ANSWERS = "wanted JOIN battle_sides s ON s.battle_id = battle JOIN generations g ON g.id = s.generation_id"

# Rows that change while a battle is judged.
_CHANGING: Mapping[str, str] = {
    "raters": f"{_RATERS} SELECT battle AS of_battle, r.* FROM people JOIN raters r ON r.id = rater ORDER BY r.id",
    "battles": f"{_WANTED} SELECT battle AS of_battle, b.* FROM wanted JOIN battles b ON b.id = battle",
    "votes": f"""{_WANTED} SELECT battle AS of_battle, v.*
FROM wanted JOIN votes v ON v.battle_id = battle ORDER BY battle, v.revision""",
    "vote_flags": f"""{_WANTED} SELECT battle AS of_battle, f.*
FROM wanted JOIN votes v ON v.battle_id = battle JOIN vote_flags f ON f.vote_id = v.id ORDER BY battle, v.revision""",
    "vote_criteria": f"""{_WANTED} SELECT battle AS of_battle, c.*
FROM wanted JOIN votes v ON v.battle_id = battle JOIN vote_criteria c ON c.vote_id = v.id
ORDER BY battle, v.revision, c.criterion""",
    "vote_notes": f"""{_WANTED} SELECT battle AS of_battle, n.*
FROM wanted JOIN vote_notes n ON n.battle_id = battle ORDER BY n.id""",
    "closed_unknown_studies": f"""{_WANTED} SELECT battle AS of_battle, c.*
FROM wanted JOIN battles b ON b.id = battle JOIN ({CLOSED_STUDIES}) c ON c.id = b.study""",
    "guesses": f"{_WANTED} SELECT battle AS of_battle, g.* FROM wanted JOIN guesses g ON g.battle_id = battle",
}

_ALL: Mapping[str, str] = {
    **_CHANGING,
    "consents": f"{_RATERS} SELECT battle AS of_battle, c.* FROM people JOIN consents c ON c.rater_id = rater",
    "instructions": f"""{_WANTED}, asked (battle, id) AS (
  SELECT battle, b.instruction_id FROM wanted JOIN battles b ON b.id = battle
  UNION SELECT battle, g.instruction_id FROM {_ANSWERS})
SELECT battle AS of_battle, i.* FROM asked JOIN instructions i ON i.id = asked.id""",
    "models": f"""{_WANTED} SELECT DISTINCT battle AS of_battle, m.*
FROM wanted JOIN battle_sides s ON s.battle_id = battle JOIN models m ON m.id = s.model_id""",
    "generations": f"{_WANTED} SELECT battle AS of_battle, g.* FROM {_ANSWERS} ORDER BY battle, s.side",
    "generation_flags": f"""{_WANTED} SELECT battle AS of_battle, f.*
FROM {_ANSWERS} JOIN generation_flags f ON f.generation_id = g.id ORDER BY battle, s.side""",
    "battle_sides": f"""{_WANTED} SELECT battle AS of_battle, s.*
FROM wanted JOIN battle_sides s ON s.battle_id = battle ORDER BY battle, s.side""",
}

_EVENTS = "SELECT * FROM journal_events WHERE seq > ? ORDER BY seq LIMIT ?"
_LAST = """
SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'journal_events'), 0),
           coalesce((SELECT max(seq) FROM journal_events), 0))"""

_ERASED = f"{with_guests('b.owner = :rater_id')} AND b.erased_at = :created_at"
_ERASED_ANSWERS = f"""
SELECT DISTINCT g.id, g.instruction_id
FROM battles b JOIN battle_sides s ON s.battle_id = b.id JOIN generations g ON g.id = s.generation_id
JOIN instructions i ON i.id = g.instruction_id
WHERE {_ERASED} AND i.instruction || i.input || i.system = ''"""
_HOLDERS = f"""
SELECT DISTINCT o.owner FROM ({_ERASED_ANSWERS}) e
JOIN battle_sides t ON t.generation_id = e.id JOIN battles o ON o.id = t.battle_id
UNION SELECT b.owner FROM battles b WHERE {_ERASED}"""


def database_id(reading: Reading) -> str:
    """Return the id of a database, which is random and tells it from any other file of its name."""
    return str(reading.scalar("SELECT value FROM facts WHERE name = 'database_id'"))


def last_event(reading: Reading) -> int:
    """Return the highest `seq` that was ever assigned; 0 if none was."""
    return int(reading.scalar(_LAST))


def is_empty(reading: Reading) -> bool:
    """Return True if a database never had an event, and has no battle."""
    return not last_event(reading) and not reading.select("SELECT 1 FROM battles LIMIT 1")


def count_events(reading: Reading) -> int:
    return int(reading.scalar("SELECT count(*) FROM journal_events"))


def count_votes(reading: Reading, after: int, until: int) -> int:
    """Return the number of votes and undos whose events have a number above `after` and at most `until`."""
    statement = "SELECT count(*) FROM journal_events WHERE kind = 'vote' AND seq > ? AND seq <= ?"
    return int(reading.scalar(statement, (after, until)))


def last_withholding(reading: Reading, after: int) -> int:
    """Return the number of the last erasure or decision of the operator above `after`; 0 if there is none."""
    statement = "SELECT coalesce(max(seq), 0) FROM journal_events WHERE kind IN ('erasure', 'moderation') AND seq > ?"
    return int(reading.scalar(statement, (after,)))


def event_key(reading: Reading, seq: int) -> EventKey | None:
    """Return the identity of the event with a number; None if there is none."""
    statement = "SELECT kind, created_at, battle_id, vote_id FROM journal_events WHERE seq = ?"
    return next(((row[0], row[1], row[2], row[3]) for row in reading.select(statement, (seq,))), None)


def entries_after(reading: Reading, seq: int, limit: int) -> Sequence[Record]:
    """Return the next `limit` events after `seq` as records; votes and notes since then are already in their rows."""
    events = reading.select(_EVENTS, (seq, limit))
    battles = to_json(sorted({row["battle_id"] for row in events if row["battle_id"] is not None}))
    found = {table: _by_battle(reading.select(statement, (battles,))) for table, statement in _ALL.items()}
    return [_erasure(reading, row) if row["kind"] == "erasure" else _battle(row, found) for row in events]


def erasures(reading: Reading) -> Sequence[Record]:
    return [_erasure(reading, row) for row in reading.select("SELECT * FROM journal_events WHERE kind = 'erasure'")]


def migrated(record: Record) -> Record:
    """Return a record of an earlier schema with this schema's columns: a vote's origin follows from its battle."""
    rows = record["rows"]
    later = {
        "battles": [{"rated": 0, "own_words": 0, **battle} for battle in rows.get("battles", ())],
        "votes": [_migrated_vote(vote, rows["battles"]) for vote in rows.get("votes", ())],
        "generations": [
            {"reasoning": "", "written_together": None, **generation} for generation in rows.get("generations", ())
        ],
    }
    return {**record, "rows": {**rows, **{table: found for table, found in later.items() if found}}}


def _migrated_vote(vote: Record, battles: Iterable[Record]) -> Record:
    if "origin" in vote and "imported" in vote:
        return vote
    sources = {battle["id"]: battle["source"] for battle in battles}
    origin = Origin.PROGRAM if sources[vote["battle_id"]] == "api" else Origin.PERSON
    return {"origin": origin, "strength": None, "imported": None, **vote}


def _by_battle(found: Sequence[sqlite3.Row]) -> Mapping[str, list[Record]]:
    grouped: dict[str, list[Record]] = defaultdict(list)
    for row in found:
        values = dict(row)
        grouped[values.pop("of_battle")].append(values)
    return grouped


def _battle(event: sqlite3.Row, found: Mapping[str, Mapping[str, list[Record]]]) -> Record:
    """Return a vote with all rows of its battle; a later event of a battle that has a vote with those that change."""
    battle_id = event["battle_id"]
    is_complete = event["kind"] == "vote" or battle_id not in found["votes"]
    rows = {table: found[table].get(battle_id, []) for table in (_ALL if is_complete else _CHANGING)}
    about = {"battle_id": battle_id, "vote_id": event["vote_id"]}
    return {"seq": event["seq"], "event": event["kind"], "at": event["created_at"], **about, "rows": rows}


def _erasure(reading: Reading, event: sqlite3.Row) -> Record:
    """Return a tombstone: the erased battles, and the answers that no battle shows any more with their instruction.

    `holders` are the owners of these battles, and of all that showed these answers.
    """
    [erasure] = (dict(row) for row in reading.select("SELECT * FROM erasures WHERE id = ?", (event["erasure_id"],)))
    rows = {
        "raters": reading.select("SELECT * FROM raters WHERE id = :rater_id", erasure),
        "battles": reading.select(f"SELECT * FROM battles b WHERE {_ERASED}", erasure),
    }
    return {
        "seq": event["seq"],
        "event": event["kind"],
        "at": event["created_at"],
        "erasure_id": event["erasure_id"],
        "rows": {"erasures": [erasure], **{table: [dict(row) for row in found] for table, found in rows.items()}},
        "generations": {row["id"]: row["instruction_id"] for row in reading.select(_ERASED_ANSWERS, erasure)},
        "holders": [row["owner"] for row in reading.select(_HOLDERS, erasure)],
    }
