"""Whether a database and its journal are whole and say the same.

Boundary: reads, changes nothing, and works beside a process that writes: what came after the moment that it looks at is
no finding. Each finding says what to do next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playground.errors import StorageError
from playground.storage.database.migrations import APPLICATION_ID, SCHEMA, differences, schema_of, schema_version
from playground.storage.database.statements import Reading
from playground.storage.database.store import Store
from playground.storage.journal import segments
from playground.storage.journal.entries import Record, brought_up, buried, database_id, event_of, last_event
from playground.storage.journal.journal import journal_ids
from playground.storage.journal.segments import Fault, Line, Tally
from playground.storage.journal.tombstones import Tombstones

LAG_S = 60.0
"""A vote that is in the database alone for longer is a finding."""
SHOWN = 3
"""So many examples are named."""

AGAIN = "stop the playground, move the journal folder away and start: it is written again in full"
LATE = "start the playground: it adds them; where it runs already, its log says what keeps it"
ASK = "keep copies of database and journal, and compare with a backup: python -m playground restore on a new --db"

_STANDS = """
(SELECT v.choice FROM votes v WHERE v.battle_id = b.id ORDER BY v.revision DESC LIMIT 1)"""
_STATES = f"""
SELECT b.id, b.state FROM battles b
WHERE (b.state IN ('voted', 'revealed')) <> (coalesce({_STANDS}, 'undo') <> 'undo')"""

ORPHANS = (
    ("battles without sides", "SELECT id FROM battles WHERE id NOT IN (SELECT battle_id FROM battle_sides)"),
    (
        "answers that no battle shows",
        "SELECT id FROM generations g WHERE NOT EXISTS (SELECT 1 FROM battle_sides WHERE generation_id = g.id)",
    ),
    (
        "instructions that nothing uses",
        "SELECT id FROM instructions i"
        " WHERE NOT EXISTS (SELECT 1 FROM battles WHERE instruction_id = i.id)"
        " AND NOT EXISTS (SELECT 1 FROM generations WHERE instruction_id = i.id)",
    ),
)

# What the line of a vote holds and never changes, and how its rows are found again.
_LASTING = {
    "votes": ("SELECT * FROM votes WHERE id = ?", ("id",)),
    "battle_sides": ("SELECT * FROM battle_sides WHERE battle_id = ? AND side = ?", ("battle_id", "side")),
    "generations": ("SELECT * FROM generations WHERE id = ?", ("id",)),
    "instructions": ("SELECT * FROM instructions WHERE id = ?", ("id",)),
}
_VOTES = "SELECT seq, vote_id, created_at FROM journal_events WHERE kind = 'vote' AND seq > ? ORDER BY seq LIMIT 10000"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it has to be."""

    what: str
    next_step: str


@dataclass(slots=True)
class Found:
    """What was met while the journal was read: places and ids."""

    tally: Tally = field(default_factory=Tally)
    damaged: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)  # votes that the table lacks
    different: list[str] = field(default_factory=list)  # votes of which the database says something else
    others: list[str] = field(default_factory=list)  # numbers that are another event in the database
    unerased: list[str] = field(default_factory=list)  # lines with words that their tombstone says are gone


Check = Callable[[Reading], Iterator[Finding]]


def audit(store: Store, folder: Path) -> Sequence[Finding]:
    """Everything that is wrong with a database and the journal in `folder`; empty where all is well."""
    checks: Sequence[tuple[str, Check]] = (
        ("its pages", _pages),
        ("its foreign keys", _keys),
        ("its schema", _schema),
        ("its settings", _settings),
        ("states and votes", _states),
        ("rows that nothing uses", _orphans),
        ("its journal", lambda reading: _journal(store, reading, folder)),
    )
    return [finding for what, check in checks for finding in _tried(store, what, check)]


def _tried(store: Store, what: str, check: Check) -> list[Finding]:
    """The findings of one check, or that it could not be made."""
    try:
        with store.reading() as reading:
            return list(check(reading))
    except (StorageError, OSError) as error:
        return [Finding(f"{what} could not be checked: {error}", "put a backup in its place, then restore the journal")]


# The database


def _pages(reading: Reading) -> Iterator[Finding]:
    for (found,) in reading.select("PRAGMA integrity_check(5)"):
        if found != "ok":
            yield Finding(f"the file is damaged: {found}", "put a backup in its place, then restore the journal")


def _keys(reading: Reading) -> Iterator[Finding]:
    rows = reading.select("PRAGMA foreign_key_check")
    yield from _several(
        "rows that name others which are not there",
        [f"{row['table']} {row['rowid']} -> {row['parent']}" for row in rows],
        ASK,
    )


def _schema(reading: Reading) -> Iterator[Finding]:
    found = {(row["type"], row["name"]): row["sql"] for row in reading.select(SCHEMA)}
    names = differences(found, schema_of(schema_version()))
    yield from _several("parts of the schema that are not this version's", names, ASK)


def _settings(reading: Reading) -> Iterator[Finding]:
    for name, meant in (("application_id", APPLICATION_ID), ("user_version", schema_version())):
        found = reading.select(f"PRAGMA {name}")[0][0]
        if found != meant:
            yield Finding(f"{name} is {found}, not {meant}", "open it with the version that wrote it")


def _states(reading: Reading) -> Iterator[Finding]:
    names = [f"{row['id']} is {row['state']}" for row in reading.select(_STATES)]
    yield from _several("battles whose state and votes contradict each other", names, ASK)


def _orphans(reading: Reading) -> Iterator[Finding]:
    for what, statement in ORPHANS:
        yield from _several(what, [row["id"] for row in reading.select(statement)], ASK)


# The journal


def _journal(store: Store, reading: Reading, folder: Path) -> Iterator[Finding]:
    if journal_ids(folder) - {database_id(reading)}:
        yield Finding(f"{folder} holds the journal of another database", "move it away, or put that database back")
        return
    found = _met(reading, folder)
    with store.reading() as later:  # what was written while the journal was read is in both
        last = last_event(later)
    bring_in = f"stop the playground, then: python -m playground restore --db {store.path}"
    if found.tally.highest > last:
        what = f"the database ends with event {last}, its journal with {found.tally.highest}"
        yield Finding(what, bring_in)
    yield from _several("damaged lines in the journal", found.damaged, AGAIN)
    yield from _several("votes of the journal that are not in the database", found.unknown, bring_in)
    yield from _several("votes that differ between journal and database", found.different, ASK)
    yield from _several("events that are others in the journal", found.others, bring_in)
    yield from _several("lines of the journal that hold erased words", found.unerased, AGAIN)
    lost, late = _not_written(reading, found.tally)
    yield from _several("votes that are missing in the journal", lost, AGAIN)
    yield from _several("votes that are not in the journal yet", late, LATE)


def _met(reading: Reading, folder: Path) -> Found:
    """Read the whole journal, and compare every vote that the snapshot knows of."""
    found, last, erasures, tombstones = Found(), last_event(reading), buried(reading), Tombstones()
    for erasure in erasures:
        tombstones.add(erasure)
    for segment in segments.in_order(folder):
        for line in segments.read(segment):
            found.tally.count(line)
            if line.fault is Fault.DAMAGED:
                found.damaged.append(_place(line))
            elif line.fault is Fault.NONE and line.seq:
                found.tally.is_new(line.seq)
                if line.seq <= last and event_of(reading, line.seq) not in (None, line.about):
                    found.others.append(f"number {line.seq}")
                if line.event == "vote" and line.seq <= last:
                    _compare(reading, tombstones, brought_up(line.record), found)
                if tombstones.may_change(line.text) and tombstones.applied(line.record) != line.record:
                    found.unerased.append(_place(line))
    if not all(found.tally.has(erasure["seq"]) for erasure in erasures):
        found.unerased.clear()  # they are about to be rewritten: the tombstone comes last
    return found


def _compare(reading: Reading, tombstones: Tombstones, record: Record, found: Found) -> None:
    """Put the vote of a line where it belongs, should the database say something else or nothing of it."""
    rows = tombstones.applied(record)["rows"]
    own = [row for row in rows["votes"] if row["id"] == record["vote_id"]]  # others may be younger than the snapshot
    if not _are_there(reading, "votes", own, by_key=True):
        found.unknown.append(record["vote_id"])
    elif not all(_are_there(reading, table, rows[table] if table != "votes" else own) for table in _LASTING):
        [battle] = reading.select("SELECT erased_at FROM battles WHERE id = ?", (record["battle_id"],))
        if battle["erased_at"] == rows["battles"][0]["erased_at"]:  # else its words went after the snapshot
            found.different.append(record["vote_id"])


def _are_there(reading: Reading, table: str, rows: Sequence[Record], by_key: bool = False) -> bool:
    statement, key = _LASTING[table]
    for row in rows:
        stored = reading.select(statement, [row[name] for name in key])
        if not stored or not (by_key or dict(stored[0]) == row):
            return False
    return bool(rows)


def _not_written(reading: Reading, tally: Tally) -> tuple[list[str], list[str]]:
    """Votes that the journal left out, and those that it has not come to for longer than it takes."""
    lost, late, seq = [], [], 0
    patience = (datetime.now(UTC) - timedelta(seconds=LAG_S)).isoformat(timespec="milliseconds")
    while events := reading.select(_VOTES, (seq,)):
        seq = events[-1]["seq"]
        left = [event for event in events if not tally.has(event["seq"])]
        lost += [event["vote_id"] for event in left if event["seq"] < tally.highest]
        late += [e["vote_id"] for e in left if e["seq"] > tally.highest and e["created_at"] < patience]
    return lost, late


def _several(what: str, names: Sequence[str], next_step: str) -> Iterator[Finding]:
    """One finding for all of a kind, with some of their names."""
    if names:
        more = ", …" if len(names) > SHOWN else ""
        yield Finding(f"{what}: {len(names)} ({', '.join(names[:SHOWN])}{more})", next_step)


def _place(line: Line) -> str:
    return f"{line.segment.parent.name}/{line.segment.name} line {line.number}"
