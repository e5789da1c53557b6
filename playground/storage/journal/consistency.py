"""The comparison of a journal with its database.

Boundary: reads both, changes neither.
"""

from __future__ import annotations

from pathlib import Path

from playground.errors import DatabaseBroken, StorageError
from playground.storage.database.statements import Reading
from playground.storage.database.store import Store
from playground.storage.journal import segments
from playground.storage.journal.entries import database_id, event_key, last_event
from playground.storage.journal.lines import Fault


def highest_seq(folder: Path) -> int:
    """Return the number of the journal's last event; 0 if there is none.

    Raises:
        StorageError: the journal cannot be read.
    """
    try:
        return segments.highest_seq(folder)
    except OSError as error:
        raise StorageError(f"the journal {folder} cannot be read: {error.strerror}; check its rights") from error


def check_against_journal(store: Store, folder: Path) -> None:
    """Refuse a database that lacks events of its journal: a new one under the old name, or an older copy.

    A journal that lacks events of the database is normal, unless it ends with another event than the database has
    under that number: then each went on without the other.

    Raises:
        DatabaseBroken: naming what was found and what to do.
        StorageError: the journal cannot be read.
    """
    highest = highest_seq(folder)
    if not highest:
        return
    with store.reading() as reading:
        own, known = database_id(reading), last_event(reading)
        others = [seq for seq, key in segments.last_events(folder) if event_key(reading, seq) not in (None, key)]
    is_own = segments.database_ids(folder) <= {own}
    if not is_own or highest > known or others:
        raise DatabaseBroken(_refusal(store, folder, highest, known, is_own, others))


def _refusal(store: Store, folder: Path, highest: int, known: int, is_own: bool, others: list[int]) -> str:
    lines = sum(line.fault is Fault.NONE for segment in segments.segments(folder) for line in segments.read(segment))
    journal = f"its journal {folder} holds {lines} lines, up to event {highest}"
    command = f"python -m playground restore --db {store.path}; or move the journal folder away"
    if is_own and others:
        return (
            f"{store.path} went on without its journal: event {others[0]} is another one there, and {journal};"
            f" merge them with: {command}"
        )
    if is_own:
        return (
            f"{store.path} is older than its journal: it ends with event {known}, and {journal};"
            f" add the missing votes with: {command}"
        )
    if known == 0:
        return f"{store.path} holds no vote, but {journal}; restore it with: {command}"
    return (
        f"{store.path} is another database than the one of the journal beside it: {journal};"
        " put that database back, or move the journal folder away"
    )


def matches(reading: Reading, folder: Path) -> bool:
    """Return True if the journal, up to its end, has exactly the events of the database under their numbers."""
    events = set[int]()
    for line in segments.events(folder):
        if event_key(reading, line.seq) != line.key:
            return False
        events.add(line.seq)
    statement = "SELECT count(*) FROM journal_events WHERE seq <= ?"
    return len(events) == int(reading.scalar(statement, (max(events, default=0),)))
