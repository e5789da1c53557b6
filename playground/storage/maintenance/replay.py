"""The replay of journal records into the database, which may already have some of them, or other events.

Boundary: writes rows, many records in each transaction; reads no file but to compare histories.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter
from pathlib import Path

from playground.errors import StorageError
from playground.storage.database.rows import to_json
from playground.storage.database.statements import Reading, Writing
from playground.storage.database.store import Store
from playground.storage.journal import segments
from playground.storage.journal.lines import EventKey, Record

KEYS: Mapping[str, tuple[str, ...]] = {
    "raters": ("id",),
    "consents": ("rater_id", "version"),
    "instructions": ("id",),
    "models": ("id",),
    "generations": ("id",),
    "battles": ("id",),
    "battle_sides": ("battle_id", "side"),
    "generation_flags": ("generation_id", "kind"),
    "votes": ("id",),
    "vote_flags": ("vote_id", "kind"),
    "vote_criteria": ("vote_id", "criterion"),
    "guesses": ("battle_id",),
    "closed_unknown_studies": ("id",),
}
"""Tables with their keys, each after those that its rows refer to."""

SHARED = frozenset({"generations", "instructions", "raters"})
"""Tables whose rows stand in the lines of many battles and do not change."""

_NOTE_COLUMNS = ("battle_id", "vote_id", "side", "kind", "text", "rater_id", "created_at")

_MOVE = """
UPDATE battles SET state = :state, opened_at = :opened_at, final_at = :final_at, void_reason = :void_reason
WHERE id = :id AND state NOT IN ('revealed', 'void')"""
# Of two decisions of the operator the later one holds, in whatever order they are replayed.
_DECIDE = """
UPDATE battles SET reviewed_at = :reviewed_at, hidden_at = :hidden_at
WHERE id = :id AND :reviewed_at > coalesce(reviewed_at, '')"""
_CLOSE = "UPDATE studies SET closed_at = :closed_at, why = :why WHERE id = :id AND closed_at IS NULL"
_FILL = """
UPDATE battle_sides SET generation_id = :generation_id
WHERE battle_id = :battle_id AND side = :side AND generation_id IS NULL AND :generation_id IS NOT NULL"""

_ANSWER = """
UPDATE guesses SET named = :named
WHERE battle_id = :battle_id AND (side, choices) = (:side, :choices) AND named IS NULL AND :named IS NOT NULL"""

# A note's id only gives its order: if it is taken, the note gets a new one. A vote that is missing has no notes.
_INSERT_NOTE = f"""
INSERT INTO vote_notes (id, {", ".join(_NOTE_COLUMNS)})
SELECT CASE WHEN EXISTS (SELECT 1 FROM vote_notes WHERE id = :id) THEN NULL ELSE :id END,
  {", ".join(f":{name}" for name in _NOTE_COLUMNS)}
WHERE :vote_id IS NULL OR EXISTS (SELECT 1 FROM votes WHERE id = :vote_id)"""

_STORED_NOTES = f"""
SELECT {", ".join(_NOTE_COLUMNS)} FROM vote_notes WHERE battle_id IN (SELECT value FROM json_each(?))"""

_INSERT_ERASURE = """
INSERT INTO erasures (id, rater_id, created_at, battles, notes)
SELECT CASE WHEN EXISTS (SELECT 1 FROM erasures WHERE id = :id) THEN NULL ELSE :id END,
  :rater_id, :created_at, :battles, :notes
WHERE NOT EXISTS (SELECT 1 FROM erasures WHERE rater_id = :rater_id AND created_at = :created_at)"""

# An event keeps its number, unless a database that went on without its journal gave the number to another one.
_INSERT_EVENT = """
INSERT INTO journal_events (seq, kind, battle_id, vote_id, erasure_id, created_at)
SELECT CASE WHEN EXISTS (SELECT 1 FROM journal_events WHERE seq = :seq) THEN NULL ELSE :seq END,
  :event, :battle_id, :vote_id, (SELECT id FROM erasures WHERE rater_id = :rater_id AND created_at = :at), :at
WHERE NOT EXISTS (
    SELECT 1 FROM journal_events WHERE seq = :seq AND kind = :event AND battle_id IS :battle_id AND created_at = :at)
  AND NOT (EXISTS (SELECT 1 FROM journal_events WHERE seq = :seq) AND EXISTS (
    SELECT 1 FROM journal_events
    WHERE kind = :event AND battle_id IS :battle_id AND vote_id IS :vote_id AND created_at = :at))
  AND (:vote_id IS NULL OR EXISTS (SELECT 1 FROM votes WHERE id = :vote_id))"""


@dataclass(slots=True)
class Histories:
    """The agreement of each battle's history in the database with the journal."""

    common: dict[str, int] = field(default_factory=dict)  # the last event of the journal that the database has
    diverged: set[str] = field(default_factory=set)  # battles with events that the journal lacks


def compare_histories(reading: Reading, folder: Path) -> Histories:
    """Compare the events by identity: database and journal may have given one number to different events."""
    rows = reading.select("SELECT seq, kind, created_at, battle_id, vote_id FROM journal_events")
    known: dict[int, EventKey] = {seq: (kind, at, battle_id, vote_id) for seq, kind, at, battle_id, vote_id in rows}
    events, found, histories = set(known.values()), set(), Histories()
    for line in segments.events(folder) if known else ():
        key, stored = line.key, known.get(line.seq)
        if stored == key or (stored is not None and key in events):  # with another number in the database
            found.add(key)
            battle_id = key[2] or ""  # an erasure has none
            histories.common[battle_id] = max(line.seq, histories.common.get(battle_id, 0))
    histories.diverged = {battle_id for kind, _, battle_id, _ in events - found if battle_id and kind != "moderation"}
    return histories


def replay(store: Store, records: Sequence[Record], histories: Histories) -> int:
    """Write records, each entirely or not at all; return how many were refused."""
    try:
        refused, later = store.write(partial(_write, records=records, histories=histories))
        histories.common |= {battle_id: record["seq"] for battle_id, record in later.items()}
        return refused
    except StorageError as error:
        if not isinstance(error.__cause__, sqlite3.IntegrityError):
            raise
        half = len(records) // 2
        return sum(replay(store, part, histories) for part in (records[:half], records[half:])) if half else 1


def _write(writing: Writing, records: Sequence[Record], histories: Histories) -> tuple[int, Mapping[str, Record]]:
    """Write records in one transaction; return how many were refused, and each battle's latest record that is new."""
    usable = sorted(_usable(writing, records), key=lambda record: int(record["seq"]))
    complete = [record for record in usable if "instructions" in record["rows"]]
    erasures = [record for record in usable if record["event"] == "erasure"]
    of_battles = [record for record in usable if record["event"] != "erasure"]
    chains = _stored_votes(writing, of_battles)
    votes, extended = _new_votes(writing, of_battles, chains)
    for table in KEYS:
        _insert(writing, table, votes if table == "votes" else _rows(table, complete if table == "battles" else usable))
    later = _later(of_battles, histories)
    current = {id: found for id, found in later.items() if id not in histories.diverged and _votes(found) == chains[id]}
    other = [found for id, found in later.items() if id not in current]
    writing.change(_MOVE, _rows("battles", [*(extended | current).values(), *erasures]))
    writing.change(_FILL, _rows("battle_sides", complete))
    writing.change(_ANSWER, _rows("guesses", usable))
    writing.change(_CLOSE, _rows("closed_unknown_studies", usable))
    writing.change(_DECIDE, [row for record in usable for row in _decided(record)])
    writing.change("DELETE FROM vote_notes WHERE battle_id = :id", [{"id": battle_id} for battle_id in current])
    writing.change(_INSERT_NOTE, _notes(current.values()) + _missing_notes(writing, _notes(other)))
    writing.change(_INSERT_ERASURE, [row for record in erasures for row in record["rows"]["erasures"]])
    writing.change(_INSERT_EVENT, [_event(record) for record in usable])
    return len(records) - len(usable) + _count_missing(writing, usable), later


def _usable(writing: Writing, records: Sequence[Record]) -> Iterator[Record]:
    """Return the records that are complete, or of a known battle."""
    ids = {record["battle_id"] for record in records if record["event"] != "erasure"}
    statement = "SELECT id FROM battles WHERE id IN (SELECT value FROM json_each(?))"
    known = {row["id"] for row in writing.select(statement, (to_json(sorted(ids)),))}
    known |= {record["battle_id"] for record in records if "instructions" in record["rows"]}
    return (record for record in records if record["event"] == "erasure" or record["battle_id"] in known)


def _decided(record: Record) -> list[Record]:
    """Return the rows of battles on which the operator has decided; lines of earlier versions know of none."""
    return [row for row in record["rows"].get("battles", ()) if row.get("reviewed_at")]


def _votes(record: Record) -> list[str]:
    return [vote["id"] for vote in record["rows"].get("votes", ())]


def _stored_votes(writing: Writing, records: Iterable[Record]) -> dict[str, list[str]]:
    chains: dict[str, list[str]] = {record["battle_id"]: [] for record in records}
    statement = (
        "SELECT battle_id, id FROM votes WHERE battle_id IN (SELECT value FROM json_each(?))"
        " ORDER BY battle_id, revision"
    )
    for row in writing.select(statement, (to_json(list(chains)),)):
        chains[row["battle_id"]].append(row["id"])
    return chains


def _new_votes(
    writing: Writing, records: Iterable[Record], chains: dict[str, list[str]]
) -> tuple[list[Record], dict[str, Record]]:
    """Return the votes that extend the database's, and the records that hold them; `chains` is updated.

    In a database that went on without its journal a battle may have been judged otherwise: its own votes are kept, and
    a revealed battle takes no more.
    """
    statement = "SELECT id FROM battles WHERE state = 'revealed' AND id IN (SELECT value FROM json_each(?))"
    revealed = {row["id"] for row in writing.select(statement, (to_json(list(chains)),))}
    votes: list[Record] = []
    extended: dict[str, Record] = {}
    for record in records:
        battle_id, chain = record["battle_id"], _votes(record)
        known = len(chains[battle_id])
        if battle_id not in revealed and len(chain) > known and chain[:known] == chains[battle_id]:
            votes += record["rows"]["votes"][known:]
            chains[battle_id], extended[battle_id] = chain, record
    return votes, extended


def _later(records: Iterable[Record], histories: Histories) -> Mapping[str, Record]:
    """Return the latest record of each battle if the database does not have it; `records` are in order."""
    latest = {record["battle_id"]: record for record in records}
    return {id: record for id, record in latest.items() if record["seq"] > histories.common.get(id, 0)}


def _notes(records: Iterable[Record]) -> list[Record]:
    return [note for record in records for note in record["rows"].get("vote_notes", ())]


def _missing_notes(writing: Writing, notes: Sequence[Record]) -> list[Record]:
    """Return the notes on votes that have none (a vote's stored notes are kept), and new reports."""
    stored = writing.select(_STORED_NOTES, (to_json(sorted({note["battle_id"] for note in notes})),))
    votes, reports = {row["vote_id"] for row in stored} - {None}, {tuple(row) for row in stored}
    values = itemgetter(*_NOTE_COLUMNS)
    return [note for note in notes if note["vote_id"] not in votes and values(note) not in reports]


def _rows(table: str, records: Iterable[Record]) -> list[Record]:
    """Return each row of a table once, from the last record that has it."""
    key = itemgetter(*KEYS[table])
    return list({key(row): row for record in records for row in record["rows"].get(table, ())}.values())


def _insert(writing: Writing, table: str, rows: Sequence[Record]) -> None:
    """Add the rows that are missing; columns that an earlier version's line lacks are NULL."""
    if not rows:
        return
    if table in SHARED:
        rows = _missing(writing, table, rows)
    columns = [row["name"] for row in writing.select(f"PRAGMA table_info ({table})")]
    names, values = ", ".join(columns), ", ".join(f":{name}" for name in columns)
    condition, on_conflict = "1", "NOTHING"
    match table:
        case "vote_flags" | "vote_criteria":
            condition = "EXISTS (SELECT 1 FROM votes WHERE id = :vote_id)"
        case "closed_unknown_studies":
            condition = "NOT EXISTS (SELECT 1 FROM studies WHERE id = :id)"
        case "consents":
            on_conflict = "UPDATE SET created_at = excluded.created_at WHERE excluded.created_at < created_at"
        case "models":
            on_conflict = "UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in columns if name != "id")
    statement = f"INSERT INTO {table} ({names}) SELECT {values} WHERE {condition} ON CONFLICT DO {on_conflict}"
    writing.change(statement, [dict.fromkeys(columns) | row for row in rows])


def _missing(writing: Writing, table: str, rows: Sequence[Record]) -> Sequence[Record]:
    """Return the rows whose ids are not stored; to find them is faster than to try to insert long rows again."""
    statement = f"SELECT id FROM {table} WHERE id IN (SELECT value FROM json_each(?))"
    known = {row[0] for row in writing.select(statement, (to_json([row["id"] for row in rows]),))}
    return [row for row in rows if row["id"] not in known]


def _event(record: Record) -> Record:
    erased = record["rows"].get("erasures") or [{"rater_id": None}]
    values = {name: record.get(name) for name in ("seq", "event", "at", "battle_id", "vote_id")}
    return values | {"rater_id": erased[0]["rater_id"]}


def _count_missing(writing: Writing, records: Iterable[Record]) -> int:
    """Count the votes of the records that the database did not take."""
    votes = {record["vote_id"] for record in records if record["event"] == "vote"}
    statement = "SELECT count(*) FROM votes WHERE id IN (SELECT value FROM json_each(?))"
    return len(votes) - int(writing.scalar(statement, (to_json(sorted(votes)),)))
