"""Verification of a database and its journal: damage, contradictions, and differences between the two.

Boundary: reads only, also beside a process that writes: what is committed after its snapshot is no finding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playground.errors import StorageError
from playground.storage.database.migrations import APPLICATION_ID, SCHEMA, differences, schema_of, schema_version
from playground.storage.database.rows import read_card
from playground.storage.database.statements import Reading
from playground.storage.database.store import Store
from playground.storage.journal import segments
from playground.storage.journal.entries import database_id, erasures, event_key, last_event, migrated
from playground.storage.journal.lines import Fault, Line, Record
from playground.storage.journal.tally import JournalTally
from playground.storage.journal.tombstones import Tombstones

LAG_S = 60.0
"""The longest time that a vote is missing in the journal."""
MAX_NAMED = 3
"""Examples that a finding names."""

BACKUP = "put a backup in its place, then restore the journal"
REWRITE = "stop the playground, move the journal folder away and start: it is written again in full"
START = "start the playground: it adds them; if it is running, its log says what prevents it"
NEW_FILE = "restore the journal into a new database: python -m playground restore on a new --db"
KEEP = "keep copies of database and journal, and compare with a backup: python -m playground restore on a new --db"

_STATES = """
SELECT b.id, b.state FROM battles b
WHERE (b.state IN ('voted', 'revealed')) <> (coalesce((
  SELECT v.choice FROM votes v WHERE v.battle_id = b.id ORDER BY v.revision DESC LIMIT 1), 'undo') <> 'undo')"""

_ORPHANS = {
    "battles without sides": "SELECT id FROM battles WHERE id NOT IN (SELECT battle_id FROM battle_sides)",
    "answers that no battle shows": "SELECT id FROM generations g"
    " WHERE NOT EXISTS (SELECT 1 FROM battle_sides WHERE generation_id = g.id)"
    " AND NOT EXISTS (SELECT 1 FROM generated WHERE generation_id = g.id)"
    " AND NOT EXISTS (SELECT 1 FROM study_items WHERE generation_a = g.id OR generation_b = g.id)",
    "instructions that nothing uses": "SELECT id FROM instructions i"
    " WHERE NOT EXISTS (SELECT 1 FROM battles WHERE instruction_id = i.id)"
    " AND NOT EXISTS (SELECT 1 FROM generations WHERE instruction_id = i.id)"
    " AND NOT EXISTS (SELECT 1 FROM live_items WHERE instruction_id = i.id)",
}

# Tables whose rows in a vote's line never change, with their keys.
_CONSTANT = {
    "votes": ("id",),
    "battle_sides": ("battle_id", "side"),
    "generations": ("id",),
    "instructions": ("id",),
}
_VOTES = "SELECT seq, vote_id, created_at FROM journal_events WHERE kind = 'vote' AND seq > ? ORDER BY seq LIMIT 10000"


@dataclass(frozen=True, slots=True)
class Problem:
    what: str
    next_step: str


@dataclass(slots=True)
class _Comparison:
    """Differences between a journal and a snapshot: places and ids."""

    tally: JournalTally = field(default_factory=JournalTally)
    damaged: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)  # votes that the database lacks
    different: list[str] = field(default_factory=list)  # votes whose rows differ
    undecided: list[str] = field(default_factory=list)  # battles whose latest decision the database lacks
    others: list[str] = field(default_factory=list)  # numbers of another event in the database
    unerased: list[str] = field(default_factory=list)  # lines with text that was erased


Check = Callable[[Reading], Iterator[Problem]]


def verify(store: Store, folder: Path) -> Sequence[Problem]:
    """Return the faults of a database and of the journal in `folder`."""
    checks: Sequence[tuple[str, Check]] = (
        ("its pages", _pages),
        ("its foreign keys", _keys),
        ("its schema", _schema),
        ("its settings", _settings),
        ("its cards", _cards),
        ("states and votes", _states),
        ("unused rows", _orphans),
        ("judged pairs", _pairs),
        ("its journal", lambda reading: _journal(store, reading, folder)),
    )
    return [finding for what, check in checks for finding in _run(store, what, check)]


def _run(store: Store, what: str, check: Check) -> list[Problem]:
    try:
        with store.reading() as reading:
            return list(check(reading))
    except (StorageError, OSError) as error:
        return [Problem(f"{what} could not be checked: {error}", BACKUP)]


# The database


def _pages(reading: Reading) -> Iterator[Problem]:
    for (found,) in reading.select("PRAGMA integrity_check(5)"):
        if found != "ok":
            yield Problem(f"the file is damaged: {found}", BACKUP)


def _keys(reading: Reading) -> Iterator[Problem]:
    rows = reading.select("PRAGMA foreign_key_check")
    names = [f"{row['table']} {row['rowid']} -> {row['parent']}" for row in rows]
    yield from _summary("rows that refer to missing rows", names, KEEP)


def _schema(reading: Reading) -> Iterator[Problem]:
    found = {(row["type"], row["name"]): row["sql"] for row in reading.select(SCHEMA)}
    names = differences(found, schema_of(schema_version()))
    yield from _summary("parts of the schema that are not this version's", names, KEEP)


def _cards(reading: Reading) -> Iterator[Problem]:
    for row in reading.select("SELECT * FROM models ORDER BY id"):
        try:
            read_card(row)
        except StorageError as error:
            yield Problem(str(error), f"start the playground with the card file of {row['id']}: it is stored again")


def _settings(reading: Reading) -> Iterator[Problem]:
    for name, expected in (("application_id", APPLICATION_ID), ("user_version", schema_version())):
        found = reading.scalar(f"PRAGMA {name}")
        if found != expected:
            yield Problem(f"{name} is {found}, not {expected}", "open it with the version that wrote it")


def _states(reading: Reading) -> Iterator[Problem]:
    names = [f"{row['id']} is {row['state']}" for row in reading.select(_STATES)]
    yield from _summary("battles whose state and votes contradict each other", names, KEEP)


def _orphans(reading: Reading) -> Iterator[Problem]:
    for what, statement in _ORPHANS.items():
        yield from _summary(what, [row["id"] for row in reading.select(statement)], KEEP)


def _pairs(reading: Reading) -> Iterator[Problem]:
    yield from _summary("votes whose judged pairs are not what the votes say", reading.wrongly_judged(), NEW_FILE)


# The journal


def _journal(store: Store, reading: Reading, folder: Path) -> Iterator[Problem]:
    if segments.database_ids(folder) - {database_id(reading)}:
        yield Problem(f"{folder} holds the journal of another database", "move it away, or put that database back")
        return
    found = _compare(reading, folder)
    with store.reading() as later:  # it includes what was written while the journal was read
        last = last_event(later)
    restore = f"stop the playground, then: python -m playground restore --db {store.path}"
    if (highest := found.tally.highest) > last:
        yield Problem(f"the database ends with event {last}, its journal with {highest}", restore)
    yield from _summary("damaged lines in the journal", found.damaged, REWRITE)
    yield from _summary("votes of the journal that are not in the database", found.unknown, restore)
    yield from _summary("votes that differ between journal and database", found.different, KEEP)
    yield from _summary("the operator's decisions that are not in the database", found.undecided, restore)
    yield from _summary("events that are others in the journal", found.others, restore)
    yield from _summary("lines of the journal that hold erased words", found.unerased, REWRITE)
    lost, late = _unwritten(reading, found.tally)
    yield from _summary("votes that are missing in the journal", lost, REWRITE)
    yield from _summary("votes that are not in the journal yet", late, START)


def _compare(reading: Reading, folder: Path) -> _Comparison:
    """Read the whole journal, and compare the events that the snapshot has."""
    found, last, known_erasures = _Comparison(), last_event(reading), erasures(reading)
    tombstones = Tombstones.of(known_erasures)
    for segment in segments.in_order(folder):
        for line in segments.read(segment):
            found.tally.count(line)
            if line.fault is Fault.DAMAGED:
                found.damaged.append(_place(line))
            elif line.is_event:
                found.tally.add(line.seq)
                if line.seq <= last:
                    _compare_event(reading, tombstones, line, found)
                if tombstones.may_change(line.text) and tombstones.applied(line.record) != line.record:
                    found.unerased.append(_place(line))
    if not found.tally.events.issuperset(erasure["seq"] for erasure in known_erasures):
        found.unerased.clear()  # a redaction is under way: its tombstone is written last
    return found


def _compare_event(reading: Reading, tombstones: Tombstones, line: Line, found: _Comparison) -> None:
    if event_key(reading, line.seq) not in (None, line.key):
        found.others.append(f"number {line.seq}")
    if line.event == "vote":
        _compare_vote(reading, tombstones.applied(migrated(line.record)), found)
    elif line.event == "moderation":
        _, at, battle_id, _ = line.key
        reviewed = reading.scalar("SELECT reviewed_at FROM battles WHERE id = ?", (battle_id,))
        if reviewed is None or reviewed < at:
            found.undecided.append(str(battle_id))


def _compare_vote(reading: Reading, record: Record, found: _Comparison) -> None:
    rows = record["rows"]
    own = [row for row in rows["votes"] if row["id"] == record["vote_id"]]  # others may be newer than the snapshot
    if not own or not all(_stored(reading, "votes", row) for row in own):
        found.unknown.append(record["vote_id"])
    elif not (
        all(_same(reading, table, own if table == "votes" else rows[table]) for table in _CONSTANT)
        and _same_criteria(reading, record)
    ):
        [battle] = reading.select("SELECT erased_at FROM battles WHERE id = ?", (record["battle_id"],))
        if battle["erased_at"] == rows["battles"][0]["erased_at"]:  # else it was erased after the snapshot
            found.different.append(record["vote_id"])


def _same(reading: Reading, table: str, rows: Sequence[Record]) -> bool:
    return bool(rows) and all(_stored(reading, table, row) == row for row in rows)


def _same_criteria(reading: Reading, record: Record) -> bool:
    """Return True if the line has the stored answers to the criteria of its vote, and no others."""
    written = [row for row in record["rows"].get("vote_criteria", ()) if row["vote_id"] == record["vote_id"]]
    statement = "SELECT * FROM vote_criteria WHERE vote_id = ? ORDER BY criterion"
    return written == [dict(row) for row in reading.select(statement, (record["vote_id"],))]


def _stored(reading: Reading, table: str, row: Record) -> Record | None:
    """Return the database's row with the key of `row`."""
    condition = " AND ".join(f"{name} = :{name}" for name in _CONSTANT[table])
    found = reading.select(f"SELECT * FROM {table} WHERE {condition}", {name: row[name] for name in _CONSTANT[table]})
    return dict(found[0]) if found else None


def _unwritten(reading: Reading, tally: JournalTally) -> tuple[list[str], list[str]]:
    """Return the votes that the journal skipped, and those that it should have written by now."""
    lost, late, seq, highest = [], [], 0, tally.highest
    limit = (datetime.now(UTC) - timedelta(seconds=LAG_S)).isoformat(timespec="milliseconds")
    while events := reading.select(_VOTES, (seq,)):
        seq = events[-1]["seq"]
        left = [event for event in events if event["seq"] not in tally.events]
        lost += [event["vote_id"] for event in left if event["seq"] < highest]
        late += [e["vote_id"] for e in left if e["seq"] > highest and e["created_at"] < limit]
    return lost, late


def _summary(what: str, names: Sequence[str], next_step: str) -> Iterator[Problem]:
    """Yield one finding for all faults of a kind, with some of their names."""
    if names:
        more = ", …" if len(names) > MAX_NAMED else ""
        yield Problem(f"{what}: {len(names)} ({', '.join(names[:MAX_NAMED])}{more})", next_step)


def _place(line: Line) -> str:
    return f"{line.segment.parent.name}/{line.segment.name} line {line.number}"
