"""The journal of a database: every vote once more, as lines of files that only grow.

Boundary: a thread that reads what was committed and writes it down; no vote ever waits for it, and nothing of the
database changes. Where it has got to is said by the journal itself: what is missing after a kill, a full disk or a
deleted folder is written when it can be.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from playground.errors import DatabaseBroken, StorageError
from playground.storage.database.migrations import schema_version
from playground.storage.database.statements import Reading
from playground.storage.database.store import Store
from playground.storage.journal import segments
from playground.storage.journal.entries import Record, database_id, entries_after, event_of, last_event
from playground.storage.journal.segments import Appender, Fault, Line, Tally, sealed
from playground.storage.journal.tombstones import Tombstones

log = logging.getLogger(__name__)

POLL_S = 0.25
"""How long a vote may be in the database alone; a question to it takes some 50 µs."""
RETRY_S = 2.0
BATCH = 256
"""So many events are made safe on disk together."""
CLOSE_S = 5.0
"""What is not written so long after the end was asked for is written at the next start."""


@dataclass(frozen=True, slots=True)
class JournalState:
    """How the journal is doing."""

    lag: int  # events that are in the database alone
    error: str  # why the last try failed, in words; empty where it did not
    segments: int
    folder: Path


class Journal:
    """At work from its construction until `close`; closed before its store.

    Args:
        store: the database, open for writing: one journal has one writer, as the database has.
        folder: made when the first event is written.

    Raises:
        DatabaseBroken: the journal knows of votes that the database does not have.
        StorageError: the folder is there and cannot be read.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        self.folder = folder
        self._store = store
        check_against_journal(store, folder)
        with store.reading() as reading:
            self._appender = Appender(folder, database_id(reading), schema_version())
        self._written = _highest(folder)
        self._error = ""
        self._ending = threading.Event()
        self._deadline = float("inf")
        self._thread = threading.Thread(target=self._loop, name="journal", daemon=True)
        self._thread.start()

    def state(self) -> JournalState:
        """How it is doing now.

        Raises:
            StorageError: the database cannot be read.
        """
        error = self._error
        if not self._thread.is_alive() and not self._ending.is_set():
            error = "the thread that writes the journal has ended; restart the playground"
        with self._store.reading() as reading:
            lag = max(0, last_event(reading) - self._written)
        return JournalState(lag, error, len(segments.segments(self.folder)), self.folder)

    def close(self) -> None:
        """Write what is missing, as far as it can be done in seconds, and end; idempotent."""
        self._deadline = time.monotonic() + CLOSE_S
        self._ending.set()
        self._thread.join()

    def _loop(self) -> None:
        self._catch_up()
        while not self._ending.wait(RETRY_S if self._error else POLL_S):
            self._catch_up()
        self._catch_up()
        self._appender.end_segment()

    def _catch_up(self) -> None:
        try:
            while self._step() and time.monotonic() < self._deadline:
                pass
            self._says("")
        except OSError as error:
            self._says(f"{self.folder} cannot be written to: {error.strerror}; votes go on, and are added later")
        except StorageError as error:
            self._says(str(error))

    def _says(self, error: str) -> None:
        if error and error != self._error:
            log.warning("the journal: %s", error)
        self._error = error

    def _step(self) -> bool:
        """Write the next events; whether there were any, and time to write them."""
        with self._store.reading() as reading:
            if last_event(reading) <= self._written:
                return False
            entries = entries_after(reading, self._written, BATCH)
        if not entries or not self._forget([entry for entry in entries if entry["event"] == "erasure"]):
            return False
        self._appender.append([sealed(entry) for entry in entries])
        self._written = entries[-1]["seq"]
        return True

    def _forget(self, erasures: Sequence[Record]) -> bool:
        """Take erased words out of everything that was written; the tombstones come after it, as a sign that it did."""
        if not erasures:
            return True
        self._appender.end_segment()
        tombstones = Tombstones()
        for erasure in erasures:
            tombstones.add(erasure)
        return forget(self.folder, tombstones, lambda: time.monotonic() >= self._deadline)


def forget(folder: Path, tombstones: Tombstones, is_late: Callable[[], bool] = lambda: False) -> bool:
    """Rewrite every segment with words that were erased, each all or nothing; damaged lines of such ones go as well.

    Returns:
        False where it became too late for all of them; to be done again.

    Raises:
        OSError: one could not be written; those before it are done, and it is as before.
    """

    def concerns(line: Line) -> bool:
        return line.fault is not Fault.NONE or tombstones.may_change(line.text)

    def change(line: Line) -> bytes | None:
        if line.fault is not Fault.NONE:  # whose words it holds cannot be known
            return None
        return sealed(_unsealed(tombstones.applied(line.record))) if concerns(line) else line.text + b"\n"

    for left in folder.rglob("*.part"):  # of a rewriting that a kill ended
        left.unlink()
    for segment in segments.segments(folder):
        if is_late():
            return False
        if any(concerns(line) for line in segments.read(segment)):
            segments.rewrite(segment, change)
    return True


def check_against_journal(store: Store, folder: Path) -> None:
    """Refuse a database that lacks what its journal holds: a new one under the old name, or an old one put back.

    A journal that lacks what the database holds is normal, but for one that ends with another event than the database
    has under that number: what happened to each without the other is in neither.

    Raises:
        DatabaseBroken: naming what is there and what to do.
        StorageError: the journal is there and cannot be read.
    """
    highest = _highest(folder)
    if not highest:
        return
    with store.reading() as reading:
        own, known = database_id(reading), last_event(reading)
        others = [seq for seq, about in segments.ends(folder) if event_of(reading, seq) not in (None, about)]
    ids = journal_ids(folder) or {own}
    if ids == {own} and highest <= known and not others:
        return
    lines = sum(line.fault is Fault.NONE for segment in segments.segments(folder) for line in segments.read(segment))
    there = f"its journal {folder} holds {lines} lines, up to event {highest}"
    restore = f"python -m playground restore --db {store.path}"
    if ids == {own} and others:
        what = f"{store.path} went on without its journal: event {others[0]} is another one there, and {there}"
        raise DatabaseBroken(f"{what}; bring both together with: {restore}; or move the journal folder away")
    if ids == {own}:
        what = f"{store.path} is older than its journal: it ends with event {known}, and {there}"
        raise DatabaseBroken(f"{what}; bring the missing votes in with: {restore}; or move the journal folder away")
    if known == 0:
        what = f"{store.path} holds no vote, but {there}"
        raise DatabaseBroken(f"{what}; make it again with: {restore}; or move the journal folder away")
    raise DatabaseBroken(
        f"{store.path} is another database than the one of the journal beside it: {there};"
        " put that database back, or move the journal folder away"
    )


def is_whole(reading: Reading, folder: Path) -> bool:
    """Whether a journal, as far as it goes, has the events of the database under their numbers, and no other."""
    tally = Tally()
    for line in segments.whole(folder):
        if event_of(reading, line.seq) != line.about:
            return False
        tally.is_new(line.seq)
    statement = "SELECT count(*) FROM journal_events WHERE seq <= ?"
    return tally.events == int(reading.select(statement, (tally.highest,))[0][0])


def journal_ids(folder: Path) -> set[str]:
    """The databases whose events lie in a folder, as far as its segments say."""
    headers = (segments.header(segment) for segment in segments.segments(folder))
    return {said["database_id"] for said in headers if said is not None}


def _highest(folder: Path) -> int:
    try:
        return segments.highest_seq(folder)
    except OSError as error:
        raise StorageError(f"the journal {folder} cannot be read: {error.strerror}; check its rights") from error


def _unsealed(record: Record) -> Record:
    return {name: value for name, value in record.items() if name != "crc"}
