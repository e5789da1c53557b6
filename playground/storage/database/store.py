"""The database of one playground: a file, or memory for comparisons that are not stored.

Boundary: opens, locks and runs transactions; what a battle may do is decided in `battles`. One process writes, any
number read.
"""

from __future__ import annotations

import logging
import math
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from queue import Empty, Full, LifoQueue
from typing import TypeVar

from filelock import FileLock

from playground.errors import DatabaseDiffers, DatabaseLocked, DatabaseNewer, StorageError
from playground.messages import Message
from playground.records import Battle, JudgedPair, ModelCard
from playground.storage.database.connection import BUSY_S, open_reader, open_writer
from playground.storage.database.fair_lock import FairLock
from playground.storage.database.inspection import newer_schema, other_schema
from playground.storage.database.instance_lock import acquire_lock
from playground.storage.database.scrubbing import Scrubber
from playground.storage.database.sqlite_errors import storage_error
from playground.storage.database.statements import Reading, Writing
from playground.storage.database.writer import DirectWriter, ThreadWriter, Writer

log = logging.getLogger(__name__)
T = TypeVar("T")

IDLE_READERS = 8
"""Connections kept open for the next reads."""
STEPS = 1000
"""Instructions of SQLite between two looks at the time."""
PAUSE_S = 0.001


class Store:
    """A database, open from construction until `close`; also a context manager.

    Args:
        path: the database, created with its folder if missing; None: in memory, gone with the object.
        read_only: open it beside a process that writes, or although a newer version wrote it; every write raises.
        older: with `read_only`, also open what an earlier version wrote.
        exclusive: for a file on a network mount: rollback journal, exclusive lock, one connection for everything.
        lock_wait_s: how long to wait until another writer has ended.
        busy_s: how long a statement waits for another program's lock.

    Attributes:
        read_only: why nothing is written, as shown on the page; empty if the store is writable.
        has_one_connection: True if reads and writes of a file share one connection, so that votes wait for a read.
        has_other_schema: True if the schema is not this version's, so that some reads may fail.

    Raises:
        DatabaseLocked: another process writes to it.
        DatabaseNewer: a newer version wrote it.
        DatabaseDiffers: its schema is not that of the version it claims.
        DatabaseBroken: not a database of the playground, or damaged.
        StorageError: the file or its folder cannot be used.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        read_only: bool = False,
        older: bool = False,
        exclusive: bool = False,
        lock_wait_s: float = 2.0,
        busy_s: float = BUSY_S,
    ) -> None:
        self.path = path
        self.read_only = ""
        self.has_other_schema = False
        self.has_one_connection = exclusive
        self._busy_s = busy_s
        self._guard: FairLock | threading.RLock = FairLock() if exclusive else threading.RLock()  # of one connection
        self._readers: LifoQueue[sqlite3.Connection] = LifoQueue(IDLE_READERS)
        self._lock: FileLock | None = None
        self._single: sqlite3.Connection | None = None
        self._writer: Writer | None = None
        self._scrubber: Scrubber | None = None
        self._closed = False
        if path is None:
            self._single = open_writer(None)
            self._writer = DirectWriter(self._single, self._guard)
        elif read_only:
            self._open_read_only(path, older)
        else:
            self._open(path, exclusive, lock_wait_s)

    def _open_read_only(self, path: Path, older: bool) -> None:
        reader = open_reader(path, older=older, busy_s=self._busy_s)
        other = newer_schema(reader, path) or other_schema(reader, path)
        self.has_other_schema = bool(other)
        self.read_only = other.replace(str(path), path.name) or "it was opened read-only"  # no folder: visitors see it
        self._put_back(reader)

    def _open(self, path: Path, exclusive: bool, lock_wait_s: float) -> None:
        with ExitStack() as undo:
            self._lock = acquire_lock(path, lock_wait_s)
            undo.callback(self._lock.release)
            connection = open_writer(path, exclusive=exclusive, busy_s=self._busy_s)
            if exclusive:
                self._single = connection
                self._writer = DirectWriter(connection, self._guard, path)
            else:
                self._writer = ThreadWriter(connection, path)
            self._scrubber = Scrubber(path, self._writer)
            undo.pop_all()  # the lock is held until `close`

    @property
    def stored(self) -> bool:
        """True if what is written outlives the process."""
        return self.path is not None

    @property
    def writable(self) -> bool:
        """False if the store was opened read-only."""
        return self._writer is not None

    def write(self, work: Callable[[Writing], T]) -> T:
        """Run `work` in a transaction and return its result after the commit.

        An exception in `work` rolls back what it wrote and is raised here. It runs in another thread, perhaps in the
        same transaction as the work of other callers, and must only use its argument.

        Raises:
            StorageError: nothing was saved.
        """
        return self._writing.run(lambda connection: work(Writing(connection)))

    async def write_soon(self, work: Callable[[Writing], T]) -> T:
        """Do the same without blocking the event loop; `work` runs even if the waiting task is cancelled."""
        return await self._writing.run_async(lambda connection: work(Writing(connection)))

    @contextmanager
    def reading(self, most_s: float = math.inf) -> Iterator[Reading]:
        """Open a consistent snapshot, unaffected by later writes.

        Args:
            most_s: a read that lasts longer is stopped, if votes wait for it (see `has_one_connection`).

        Raises:
            ReadTooLong: it was stopped.
            StorageError: the database cannot be read.
        """
        if self._single is not None:
            with self._guard, _stopped_after(self._single, most_s if self.has_one_connection else math.inf):
                try:
                    yield Reading(self._single, partial(_pause, self._guard))
                except sqlite3.Error as error:
                    raise storage_error(error, self.path) from error
            return
        connection = self._take()
        try:
            connection.execute("BEGIN")
            yield Reading(connection)
        except sqlite3.Error as error:
            if self.has_other_schema and isinstance(error, sqlite3.OperationalError):
                raise StorageError(f"this cannot be read here: {self.read_only}") from error
            raise storage_error(error, self.path) from error
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._put_back(connection)

    def scrub(self, *, most_bytes: int | None = None) -> bool:
        """Remove the bytes that erased text may have left in the file and its log; votes wait for it.

        Returns at once if nothing was erased since the last time.

        Args:
            most_bytes: of a larger file only the log is emptied, once after each erasure; None: no limit.

        Returns:
            False if something may be left: the file is too large, or a reader kept the log. A later call does only
            what is missing.

        Raises:
            StorageError: it failed; free space of twice the file's size is needed.
        """
        if self._scrubber is None:
            return True
        with self.reading() as reading:
            last, size_bytes = reading.erasure_to_scrub(), reading.size_bytes()
        if last is None:
            return True
        if not self._scrubber.scrub(last, size_bytes, most_bytes):
            return False
        self.write(lambda writing: writing.mark_scrubbed(last))
        return True

    def upsert_model(self, card: ModelCard) -> None:
        self.write(lambda writing: writing.upsert_model(card))

    def battle(self, battle_id: str) -> Battle | None:
        with self.reading() as reading:
            return reading.battle(battle_id)

    def judged_pairs(self, *, blind_only: bool = False, category: str = "", final_by: str = "") -> Iterator[JudgedPair]:
        """Yield the judged pairs in order of time; see `Reading.judged_pairs`."""
        with self.reading() as reading:
            yield from reading.judged_pairs(blind_only=blind_only, category=category, final_by=final_by)

    def count_votes(self) -> int:
        with self.reading() as reading:
            return reading.count_votes()

    def close(self) -> None:
        """Finish accepted writes, end the thread, release the lock; idempotent."""
        self._closed = True
        self._close_idle()
        if self._writer is not None:  # last: only a connection that writes can copy the log into the file
            self._writer.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _writing(self) -> Writer:
        if self._writer is None:
            words = "the database is open for reading only, so nothing was saved: {reason}"
            raise DatabaseLocked(Message(words, reason=self.read_only))
        return self._writer

    def _take(self) -> sqlite3.Connection:
        if self._closed or self.path is None:
            raise StorageError(f"{self.path} is closed")
        try:
            return self._readers.get_nowait()
        except Empty:
            return open_reader(self.path, already_open=True, busy_s=self._busy_s)

    def _put_back(self, connection: sqlite3.Connection) -> None:
        try:
            self._readers.put_nowait(connection)
        except Full:
            connection.close()
        if self._closed:
            self._close_idle()

    def _close_idle(self) -> None:
        with suppress(Empty):
            while True:
                self._readers.get_nowait().close()


@contextmanager
def _stopped_after(connection: sqlite3.Connection, most_s: float) -> Iterator[None]:
    """Interrupt statements of the connection from `most_s` on."""
    if most_s == math.inf:
        yield
        return
    ends_s = time.monotonic() + most_s
    connection.set_progress_handler(lambda: time.monotonic() > ends_s, STEPS)
    try:
        yield
    finally:
        connection.set_progress_handler(None, STEPS)


def _pause(guard: FairLock | threading.RLock) -> None:
    """Let a thread that waits for the connection have it."""
    guard.release()
    time.sleep(PAUSE_S)  # else this thread would take it again at once
    guard.acquire()


def open_store(path: Path, *, exclusive: bool = False, lock_wait_s: float = 2.0, busy_s: float = BUSY_S) -> Store:
    """Open a store for writing; if that is not possible, for reading, with the reason in `read_only`.

    Raises:
        StorageError: it can be neither written nor read.
    """
    try:
        return Store(path, exclusive=exclusive, lock_wait_s=lock_wait_s, busy_s=busy_s)
    except (DatabaseNewer, DatabaseDiffers) as error:
        log.warning("%s; until then it is only read", error)
        return Store(path, read_only=True, older=True, busy_s=busy_s)
    except DatabaseLocked as error:
        log.warning("%s; until then it is only read", error)
        store = Store(path, read_only=True, busy_s=busy_s)
        store.read_only = f"another program writes to {path.name}; stop it, then start this playground again"
        return store
