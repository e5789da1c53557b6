"""A journal back into a database: a new one, or one that is older than its journal.

Boundary: reads segments, writes rows, many lines in each transaction; whatever is there twice, torn, missing or already
known changes nothing, and what was erased stays so, whatever an old line says.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from operator import itemgetter
from pathlib import Path

from playground.errors import DatabaseBroken, DatabaseNewer, StorageError
from playground.records import Instruction
from playground.storage.database.files import sync_folder
from playground.storage.database.migrations import schema_version
from playground.storage.database.rows import instruction_row, to_json
from playground.storage.database.statements import Reading, Writing
from playground.storage.database.store import Store
from playground.storage.journal import segments
from playground.storage.journal.entries import Record, brought_up, buried, database_id, last_event
from playground.storage.journal.journal import forget, is_whole, journal_ids
from playground.storage.journal.segments import About, Fault, Line, Tally, journal_folder
from playground.storage.journal.tombstones import Tombstones

BATCH = 1000
"""So many lines share a transaction."""

Progress = Callable[[int, int], None]
"""Called with how much of the journal was read, and its size, both in bytes."""

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
}
"""What makes a row the same row; in an order in which every row finds those that it names."""

_GUARDS: Mapping[str, str] = {
    "vote_flags": "SELECT {values} WHERE EXISTS (SELECT 1 FROM votes WHERE id = :vote_id) ON CONFLICT DO NOTHING",
    "consents": "SELECT {values} WHERE 1 ON CONFLICT DO UPDATE SET created_at = excluded.created_at"
    " WHERE excluded.created_at < created_at",
    "models": "SELECT {values} WHERE 1 ON CONFLICT DO UPDATE SET name = excluded.name, repo = excluded.repo,"
    " revision = excluded.revision, license = excluded.license, card = excluded.card",
}
_PLAIN = "SELECT {values} WHERE 1 ON CONFLICT DO NOTHING"

_MOVE = """
UPDATE battles SET state = :state, opened_at = :opened_at, final_at = :final_at, void_reason = :void_reason
WHERE id = :id AND state NOT IN ('revealed', 'void')"""
_FILL = """
UPDATE battle_sides SET generation_id = :generation_id
WHERE battle_id = :battle_id AND side = :side AND generation_id IS NULL AND :generation_id IS NOT NULL"""

# The id of a note counts for nothing but order: one that is taken is given anew. A vote that is not there has no notes.
_NOTE = """
INSERT INTO vote_notes (id, battle_id, vote_id, side, kind, text, rater_id, created_at)
SELECT CASE WHEN EXISTS (SELECT 1 FROM vote_notes WHERE id = :id) THEN NULL ELSE :id END,
  :battle_id, :vote_id, :side, :kind, :text, :rater_id, :created_at
WHERE :vote_id IS NULL OR EXISTS (SELECT 1 FROM votes WHERE id = :vote_id)"""

_NOTED = """
SELECT vote_id, side, kind, text, rater_id, created_at FROM vote_notes
WHERE battle_id IN (SELECT value FROM json_each(?))"""

_ERASURE = """
INSERT INTO erasures (id, rater_id, created_at, battles, notes)
SELECT CASE WHEN EXISTS (SELECT 1 FROM erasures WHERE id = :id) THEN NULL ELSE :id END,
  :rater_id, :created_at, :battles, :notes
WHERE NOT EXISTS (SELECT 1 FROM erasures WHERE rater_id = :rater_id AND created_at = :created_at)"""

# An event keeps its number, unless a database that went on without its journal gave it to another one.
_EVENT = """
INSERT INTO journal_events (seq, kind, battle_id, vote_id, erasure_id, created_at)
SELECT CASE WHEN EXISTS (SELECT 1 FROM journal_events WHERE seq = :seq) THEN NULL ELSE :seq END,
  :event, :battle_id, :vote_id, (SELECT id FROM erasures WHERE rater_id = :rater_id AND created_at = :at), :at
WHERE NOT EXISTS (
    SELECT 1 FROM journal_events WHERE seq = :seq AND kind = :event AND battle_id IS :battle_id AND created_at = :at)
  AND NOT (EXISTS (SELECT 1 FROM journal_events WHERE seq = :seq) AND EXISTS (
    SELECT 1 FROM journal_events
    WHERE kind = :event AND battle_id IS :battle_id AND vote_id IS :vote_id AND created_at = :at))
  AND (:vote_id IS NULL OR EXISTS (SELECT 1 FROM votes WHERE id = :vote_id))"""

# A line that could not be used is not missed at the next start.
_COUNTER = (
    "INSERT INTO sqlite_sequence (name, seq) SELECT 'journal_events', 0"
    " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'journal_events')",
    "UPDATE sqlite_sequence SET seq = :highest WHERE name = 'journal_events' AND seq < :highest",
)

_BLANK = (
    "UPDATE battles SET instruction_id = :instruction_id, erased_at = :erased_at WHERE id = :id AND erased_at IS NULL"
)
_BLANK_ANSWER = (
    "UPDATE generations SET instruction_id = :instruction_id, text = '', prompt_text = '', prompt_ids = '[]',"
    " token_ids = '[]' WHERE id = :id AND instruction_id <> :instruction_id",
    "UPDATE generation_flags SET detail = '' WHERE generation_id = :id AND detail <> ''",
)
_BLANK_NOTES = "DELETE FROM vote_notes WHERE rater_id = :rater_id AND kind IN ('comment', 'report')"
_UNUSED = """
DELETE FROM instructions WHERE id = :id
  AND NOT EXISTS (SELECT 1 FROM battles WHERE instruction_id = :id)
  AND NOT EXISTS (SELECT 1 FROM generations WHERE instruction_id = :id)"""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a journal brought."""

    lines: int  # whole ones
    votes_added: int  # undone ones and undoings too, as all counts of votes here
    votes_there: int  # in the journal, and in the database before
    refused: int  # lines that do not fit: of a battle that is not there, or was judged otherwise meanwhile
    damaged: int  # lines whose checksum does not fit
    torn: int  # last lines that a kill cut off
    missing: int  # numbers below the highest that no line has
    moved_to: str  # where the database's own journal lies now, if the two had gone apart; else empty


@dataclass(slots=True)
class _Common:
    """How much of its history each battle of the database has in common with the journal."""

    upto: dict[str, int] = field(default_factory=dict)  # the last event of the journal that the database has
    apart: set[str] = field(default_factory=set)  # battles with events that the journal lacks


def restore(store: Store, folder: Path, progress: Progress | None = None) -> Restored:
    """Bring everything that the journal in `folder` holds into the database; again and again is as once.

    A database without a battle becomes the one of the journal; any other has to be it already.

    Raises:
        StorageError: there is no journal; or the database takes no more, and keeps what it took.
        DatabaseBroken: it is the journal of another database.
        DatabaseNewer: a newer version wrote it.
        OSError: a segment cannot be read.
    """
    _check_headers(folder)
    _adopt(store, folder)
    erasures = [line.record for line in segments.whole(folder) if line.event == "erasure"]
    tombstones = store.write(partial(_bury, erasures=erasures))
    with store.reading() as reading:
        votes_before, last_row = _votes(reading)
        common = _in_common(reading, folder)
    tally, there, refused, size = Tally(), 0, 0, sum(path.stat().st_size for path in segments.segments(folder))
    for batch in _batches(_lines(folder, tally)):
        records = [tombstones.applied(brought_up(line.record)) for line in batch]
        first = [record["vote_id"] for record in records if tally.is_new(record["seq"]) and record["event"] == "vote"]
        with store.reading() as reading:
            there += _already(reading, first, last_row)
        refused += _replay(store, records, common)
        if progress is not None:
            progress(tally.bytes, size)
    store.write(partial(_count_on, highest=tally.highest))
    with store.reading() as reading:
        added = _votes(reading)[0] - votes_before
    moved_to = _put_aside(store, folder, tombstones)
    return Restored(tally.lines, added, there, refused, tally.damaged, tally.torn, tally.missing, moved_to)


# Reading


def _lines(folder: Path, tally: Tally) -> Iterator[Line]:
    for segment in segments.in_order(folder):
        for line in segments.read(segment):
            tally.count(line)
            if line.fault is Fault.NONE and line.seq:
                yield line


def _batches(lines: Iterator[Line]) -> Iterator[list[Line]]:
    while batch := list(islice(lines, BATCH)):
        yield batch


def _check_headers(folder: Path) -> None:
    found = segments.segments(folder)
    if not found:
        raise StorageError(f"there is no journal in {folder}; name its folder, which ends in .journal")
    said = [header for header in map(segments.header, found) if header is not None]
    newest = max((int(header["version"]) for header in said), default=0)
    if newest > schema_version():
        raise DatabaseNewer(
            f"{folder} was written with schema {newest}, this version knows up to {schema_version()};"
            " update the playground"
        )


def _adopt(store: Store, folder: Path) -> None:
    """Make a database without a battle the one that the journal is of."""
    ids = journal_ids(folder)
    if len(ids) > 1:
        raise DatabaseBroken(f"{folder} holds journals of {len(ids)} databases; restore each from a folder of its own")
    with store.reading() as reading:
        own = database_id(reading)
        used = last_event(reading) or reading.select("SELECT 1 FROM battles LIMIT 1")
    if ids in (set(), {own}):
        return
    if used:
        raise DatabaseBroken(
            f"{folder} is the journal of another database than {store.path}; name a new file with --db"
        )
    adopted = [{"value": next(iter(ids))}]
    store.write(lambda writing: writing.change("UPDATE facts SET value = :value WHERE name = 'database_id'", adopted))


def _votes(reading: Reading) -> tuple[int, int]:
    """How many rows, and the number of the last; rows are only ever added."""
    [row] = reading.select("SELECT count(*) AS votes, coalesce(max(rowid), 0) AS last FROM votes")
    return row["votes"], row["last"]


def _in_common(reading: Reading, folder: Path) -> _Common:
    """Numbers alone do not compare: each history may have given them to other events."""
    rows = reading.select("SELECT seq, kind, created_at, battle_id, vote_id FROM journal_events")
    known: dict[int, About] = {seq: (kind, at, battle_id, vote_id) for seq, kind, at, battle_id, vote_id in rows}
    events, met, common = set(known.values()), set(), _Common()
    for line in segments.whole(folder) if known else ():
        about, there = line.about, known.get(line.seq)
        if there == about or (there is not None and about in events):  # which has another number here
            met.add(about)
            battle_id = about[2] or ""  # of no battle: an erasure
            common.upto[battle_id] = max(line.seq, common.upto.get(battle_id, 0))
    common.apart = {battle_id for _, _, battle_id, _ in events - met if battle_id}
    return common


def _already(reading: Reading, votes: Sequence[str], last_row: int) -> int:
    statement = "SELECT count(*) FROM votes WHERE id IN (SELECT value FROM json_each(?)) AND rowid <= ?"
    return int(reading.select(statement, (to_json(votes), last_row))[0][0])


def _count_on(writing: Writing, highest: int) -> None:
    for statement in _COUNTER:
        writing.change(statement, [{"highest": highest}])


def _put_aside(store: Store, folder: Path, erased: Tombstones) -> str:
    """Move the database's own journal away where the two had gone apart: the next start writes it in full."""
    own = None if store.path is None else journal_folder(store.path)
    if own is None or own.resolve() != folder.resolve():
        return ""
    with store.reading() as reading:
        if is_whole(reading, own):
            return ""
    forget(own, erased)
    aside = own.with_name(f"{own.name}.merged-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}")
    own.rename(aside)
    sync_folder(own.parent)
    return str(aside)


# Erasing


def _bury(writing: Writing, erasures: Sequence[Record]) -> Tombstones:
    """Erase what the journal says was erased since; returns that and what the database knew itself."""
    known, new = Tombstones(), Tombstones()
    for erasure in buried(writing):
        known.add(erasure)
    done = {(row["rater_id"], row["created_at"]) for row in writing.select("SELECT * FROM erasures")}
    for erasure in erasures:
        [row] = erasure["rows"]["erasures"]
        if (row["rater_id"], row["created_at"]) not in done:
            new.add(erasure)
        known.add(erasure)
    if new.raters:
        _blank(writing, new)
    return known


def _blank(writing: Writing, erased: Tombstones) -> None:
    answers = [{"id": id, "instruction_id": instruction} for id, instruction in erased.generations.items()]
    ids = to_json([*erased.battles, *erased.generations])
    asked = writing.select(
        "SELECT instruction_id AS id FROM battles WHERE id IN (SELECT value FROM json_each(:ids))"
        " UNION SELECT instruction_id FROM generations WHERE id IN (SELECT value FROM json_each(:ids))",
        {"ids": ids},
    )
    categories = [row["category"] for row in writing.select("SELECT DISTINCT category FROM instructions")]
    _insert(writing, "instructions", [instruction_row(Instruction("", category=name)) for name in categories])
    writing.change(_BLANK, erased.battles.values())
    for statement in _BLANK_ANSWER:
        writing.change(statement, answers)
    writing.change(_BLANK_NOTES, [{"rater_id": rater} for rater in erased.raters])
    empty = [{"id": instruction_row(Instruction("", category=name))["id"]} for name in categories]
    writing.change(_UNUSED, [{"id": row["id"]} for row in asked] + empty)


# Writing


def _replay(store: Store, records: Sequence[Record], common: _Common) -> int:
    """Bring in some records, all or none of each; how many did not fit."""
    try:
        refused, later = store.write(partial(_bring_in, records=records, common=common))
        common.upto |= {battle_id: record["seq"] for battle_id, record in later.items()}
        return refused
    except StorageError as error:
        if not isinstance(error.__cause__, sqlite3.IntegrityError):
            raise
        half = len(records) // 2
        return sum(_replay(store, part, common) for part in (records[:half], records[half:])) if half else 1


def _bring_in(writing: Writing, records: Sequence[Record], common: _Common) -> tuple[int, Mapping[str, Record]]:
    """How many did not fit, and the latest record of each battle that the database did not know."""
    usable = sorted(_usable(writing, records), key=lambda record: int(record["seq"]))
    whole = [record for record in usable if "instructions" in record["rows"]]
    about_battles = [record for record in usable if record["event"] != "erasure"]
    chains = _chains(writing, about_battles)
    votes, brought = _admitted(writing, about_battles, chains)
    for table in KEYS:
        _insert(writing, table, votes if table == "votes" else _rows(table, whole if table == "battles" else usable))
    later = _later(about_battles, common)
    news = {id: found for id, found in later.items() if id not in common.apart and _chain(found) == chains[id]}
    beside = [found for id, found in later.items() if id not in news]
    erasures = [record for record in usable if record["event"] == "erasure"]
    writing.change(_MOVE, _rows("battles", [*(brought | news).values(), *erasures]))
    writing.change(_FILL, _rows("battle_sides", whole))
    writing.change("DELETE FROM vote_notes WHERE battle_id = :id", [{"id": battle_id} for battle_id in news])
    writing.change(_NOTE, _notes(news.values()) + _unnoted(writing, _notes(beside)))
    writing.change(_ERASURE, [row for record in erasures for row in record["rows"]["erasures"]])
    writing.change(_EVENT, [_event(record) for record in usable])
    return len(records) - len(usable) + _not_there(writing, usable), later


def _usable(writing: Writing, records: Sequence[Record]) -> Iterator[Record]:
    """Those that are whole, or news of a battle that is known."""
    ids = {record["battle_id"] for record in records if record["event"] != "erasure"}
    statement = "SELECT id FROM battles WHERE id IN (SELECT value FROM json_each(?))"
    known = {row["id"] for row in writing.select(statement, (to_json(sorted(ids)),))}
    known |= {record["battle_id"] for record in records if "instructions" in record["rows"]}
    return (record for record in records if record["event"] == "erasure" or record["battle_id"] in known)


def _chain(record: Record) -> list[str]:
    return [vote["id"] for vote in record["rows"].get("votes", ())]


def _chains(writing: Writing, records: Iterable[Record]) -> dict[str, list[str]]:
    """The votes that the database has of each battle, in order."""
    chains: dict[str, list[str]] = {record["battle_id"]: [] for record in records}
    statement = (
        "SELECT battle_id, id FROM votes WHERE battle_id IN (SELECT value FROM json_each(?))"
        " ORDER BY battle_id, revision"
    )
    for row in writing.select(statement, (to_json(list(chains)),)):
        chains[row["battle_id"]].append(row["id"])
    return chains


def _admitted(
    writing: Writing, records: Iterable[Record], chains: dict[str, list[str]]
) -> tuple[list[Record], dict[str, Record]]:
    """Votes that go on where the database's own end (`chains` has them from now on), and the records that brought them.

    In a database that went on without its journal a battle may have been judged otherwise: its own votes stand, and
    what was revealed there cannot be undone any more.
    """
    statement = "SELECT id FROM battles WHERE state = 'revealed' AND id IN (SELECT value FROM json_each(?))"
    ended = {row["id"] for row in writing.select(statement, (to_json(list(chains)),))}
    votes: list[Record] = []
    brought: dict[str, Record] = {}
    for record in records:
        battle_id, chain = record["battle_id"], _chain(record)
        known = len(chains[battle_id])
        if battle_id not in ended and len(chain) > known and chain[:known] == chains[battle_id]:
            votes += record["rows"]["votes"][known:]
            chains[battle_id], brought[battle_id] = chain, record
    return votes, brought


def _later(records: Iterable[Record], common: _Common) -> Mapping[str, Record]:
    """The latest record of each battle that is later than what the database knows of it; `records` in order."""
    latest = {record["battle_id"]: record for record in records}
    return {battle_id: record for battle_id, record in latest.items() if record["seq"] > common.upto.get(battle_id, 0)}


def _notes(records: Iterable[Record]) -> list[Record]:
    return [note for record in records for note in record["rows"].get("vote_notes", ())]


def _unnoted(writing: Writing, notes: Sequence[Record]) -> list[Record]:
    """Those about votes without a note (notes on a vote are one set, the database's stands), and new reports."""
    stored = writing.select(_NOTED, (to_json(sorted({note["battle_id"] for note in notes})),))
    votes, reports = {row["vote_id"] for row in stored} - {None}, {tuple(row) for row in stored}
    values = itemgetter("vote_id", "side", "kind", "text", "rater_id", "created_at")
    return [note for note in notes if note["vote_id"] not in votes and values(note) not in reports]


def _rows(table: str, records: Iterable[Record]) -> list[Record]:
    """Each row of a table once, as the last record has it."""
    key = itemgetter(*KEYS[table])
    return list({key(row): row for record in records for row in record["rows"].get(table, ())}.values())


def _insert(writing: Writing, table: str, rows: Sequence[Record]) -> None:
    """Add what is not there; columns that a line of an earlier version lacks are empty."""
    if rows:
        columns = [row["name"] for row in writing.select(f"PRAGMA table_info ({table})")]
        source = _GUARDS.get(table, _PLAIN).format(values=", ".join(f":{name}" for name in columns))
        empty = dict.fromkeys(columns)
        writing.change(f"INSERT INTO {table} ({', '.join(columns)}) {source}", [empty | row for row in rows])


def _event(record: Record) -> Record:
    erased = record["rows"].get("erasures") or [{"rater_id": None}]
    named = {name: record.get(name) for name in ("seq", "event", "at", "battle_id", "vote_id")}
    return named | {"rater_id": erased[0]["rater_id"]}


def _not_there(writing: Writing, records: Iterable[Record]) -> int:
    votes = {record["vote_id"] for record in records if record["event"] == "vote"}
    statement = "SELECT count(*) FROM votes WHERE id IN (SELECT value FROM json_each(?))"
    return len(votes) - int(writing.select(statement, (to_json(sorted(votes)),))[0][0])
