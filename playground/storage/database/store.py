"""The database of one playground: a file, or memory for what a visitor asked not to store.

Boundary: opens, locks, and hands out transactions; what a battle may do is `battles`'. An answer to a write comes
after its commit. One process writes (an exclusive lock beside the file), any number read.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from queue import Empty, Full, LifoQueue
from typing import TypeVar

from filelock import FileLock

from playground.errors import DatabaseDiffers, DatabaseLocked, DatabaseNewer, StorageError
from playground.records import Battle, JudgedPair, ModelCard
from playground.storage.database.connection import (
    BUSY_S,
    foreign_schema,
    newer,
    open_reader,
    open_writer,
    storage_error,
)
from playground.storage.database.files import free_bytes
from playground.storage.database.instance_lock import acquire_lock
from playground.storage.database.statements import Reading, Writing
from playground.storage.database.writer import DirectWriter, ThreadWriter, Writer

log = logging.getLogger(__name__)
T = TypeVar("T")

LOG_BUSY_MS = 500
"""So long the log waits for readers to end; votes wait with it."""
TOO_LARGE = (
    "bytes of what was erased may be left in %s, too large to be written anew while it takes votes; "
    "stop the playground when it suits, run python -m playground erase --leftovers, and start it again"
)
IDLE_READERS = 8
"""So many connections are kept for the next question."""


class Store:
    """Open on construction; close it, or use it as a context manager.

    Args:
        path: the database, made with its folder when missing; None: in memory, forgotten with the object.
        read_only: read beside a process that writes, or what a newer version wrote; every write raises.
        older: with `read_only`, read what an earlier version wrote too.
        alone: for a file on a network mount: rollback journal, exclusive lock, one connection for everything.
        lock_wait_s: how long to wait for another writer to end.
        busy_s: how long one statement waits for another program's lock.

    Attributes:
        read_only: why nothing is written, in words for whoever looks at the page; "" where it is.
        has_other_schema: whether its schema is not this version's, so that some questions may go wrong.

    Raises:
        DatabaseLocked: another process writes to it.
        DatabaseNewer: written by a newer version.
        DatabaseDiffers: its schema is not that of the version it claims.
        DatabaseBroken: not a database of ours, or damaged.
        StorageError: the file or its folder cannot be used.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        read_only: bool = False,
        older: bool = False,
        alone: bool = False,
        lock_wait_s: float = 2.0,
        busy_s: float = BUSY_S,
    ) -> None:
        self.path = path
        self.read_only = ""
        self.has_other_schema = False
        self._busy_s = busy_s
        self._guard = threading.RLock()  # of the single connection
        self._readers: LifoQueue[sqlite3.Connection] = LifoQueue(IDLE_READERS)
        self._lock: FileLock | None = None
        self._single: sqlite3.Connection | None = None
        self._writer: Writer | None = None
        self._emptied = self._written_anew = 0  # the last erasure after which the log was emptied, the file was written
        self._closed = False
        if path is None:
            self._single = open_writer(None)
            self._writer = DirectWriter(self._single, self._guard)
        elif read_only:
            reader = open_reader(path, older=older, busy_s=busy_s)
            other = _without_folder(newer(reader, path) or foreign_schema(reader, path), path)
            self.has_other_schema, self.read_only = bool(other), other or "it was opened so"
            self._put_back(reader)
        else:
            with ExitStack() as undo:
                self._lock = acquire_lock(path, lock_wait_s)
                undo.callback(self._lock.release)
                connection = open_writer(path, alone=alone, busy_s=busy_s)
                if alone:
                    self._single = connection
                self._writer = DirectWriter(connection, self._guard, path) if alone else ThreadWriter(connection, path)
                undo.pop_all()  # the lock is kept until `close`

    @property
    def stored(self) -> bool:
        """Whether what is written outlives the process."""
        return self.path is not None

    @property
    def writable(self) -> bool:
        """False for a store that only reads."""
        return self._writer is not None

    def write(self, work: Callable[[Writing], T]) -> T:
        """Run `work` in a transaction and return what it returns, after the commit.

        An exception in `work` undoes what it wrote and is raised here. Works of several threads may share a commit,
        never an error. `work` must only use what it is given: it runs on another thread.

        Raises:
            StorageError: nothing was saved.
        """
        return self._writing.run(lambda connection: work(Writing(connection)))

    async def write_soon(self, work: Callable[[Writing], T]) -> T:
        """The same for an event loop, which goes on meanwhile; what was begun is done though nobody waits for it."""
        return await self._writing.run_soon(lambda connection: work(Writing(connection)))

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """One consistent snapshot, whatever is written meanwhile."""
        if self._single is not None:
            with self._guard:
                try:
                    yield Reading(self._single)
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
        """Empty the log and write the file anew, so that nothing erased is left in them; votes wait for it.

        Returns at once where nothing was erased since the last time. SQLite's `secure_delete` is not enough: a row
        that once moved to another page can leave a copy in the first one's free space.

        Args:
            most_bytes: of a larger file only the log is emptied, once after each erasure; None: whatever it takes.

        Returns:
            False where something erased may be left: the file is too large, or somebody has been reading for too
            long. Tried again, only what is missing is done.

        Raises:
            StorageError: it could not be done; there has to be twice as much free space as the file takes.
        """
        if self.path is None or self._writer is None:
            return True
        with self.reading() as reading:
            last, size = reading.erasure_to_scrub(), reading.size_bytes()
        if last is None:
            return True
        is_small = most_bytes is None or size <= most_bytes
        if self._emptied < last:
            if not self._writer.outside(_empty_log):
                return False
            self._emptied = last
            if not is_small:
                log.warning(TOO_LARGE, self.path)
        if self._written_anew < last and is_small:
            self._write_anew(self.path, self._writer, 2 * size)
            self._written_anew = last
        if self._written_anew < last or not self._writer.outside(_empty_log):
            return False
        self.write(lambda writing: writing.scrubbed(last))
        return True

    def upsert_model(self, card: ModelCard) -> None:
        """Keep a card; battles may then use its model."""
        self.write(lambda writing: writing.upsert_model(card))

    def battle(self, battle_id: str) -> Battle | None:
        """A battle as it is stored; None when there is none."""
        with self.reading() as reading:
            return reading.battle(battle_id)

    def judged_pairs(self, *, blind_only: bool = False, category: str = "", final_by: str = "") -> Iterator[JudgedPair]:
        """What every standing vote says, pair by pair, in time; `final_by` leaves out what could be undone then."""
        with self.reading() as reading:
            yield from reading.judged_pairs(blind_only=blind_only, category=category, final_by=final_by)

    def count_votes(self) -> int:
        """How many battles have a vote that stands."""
        with self.reading() as reading:
            return reading.count_votes()

    def close(self) -> None:
        """Commit what was accepted, end the thread, free the lock; idempotent."""
        self._closed = True
        self._close_idle()
        if self._writer is not None:  # last: only a connection that writes can bring the log home into the file
            self._writer.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Store:
        """The store itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    @property
    def _writing(self) -> Writer:
        if self._writer is None:
            raise DatabaseLocked(f"the database is open for reading only, so nothing was saved: {self.read_only}")
        return self._writer

    def _write_anew(self, path: Path, writer: Writer, needed: int) -> None:
        free = free_bytes(path.parent)
        if free is not None and free < needed:
            raise StorageError(f"writing {path} anew takes {needed} free bytes beside it, there are {free}; free some")
        try:
            writer.outside(lambda connection: connection.execute("VACUUM"))
        except StorageError as error:
            with suppress(StorageError):
                writer.outside(_empty_log)  # what it wrote there before it failed takes others' space
            raise StorageError(f"{path} could not be written anew ({error.__cause__ or error})") from error

    def _take(self) -> sqlite3.Connection:
        if self._closed or self.path is None:
            raise StorageError(f"{self.path} is closed")
        try:
            return self._readers.get_nowait()
        except Empty:
            return open_reader(self.path, known=True, busy_s=self._busy_s)

    def _put_back(self, connection: sqlite3.Connection) -> None:
        try:
            self._readers.put_nowait(connection)
        except Full:  # enough idle ones
            connection.close()
        if self._closed:
            self._close_idle()

    def _close_idle(self) -> None:
        with suppress(Empty):
            while True:
                self._readers.get_nowait().close()


def open_store(path: Path, *, alone: bool = False, lock_wait_s: float = 2.0, busy_s: float = BUSY_S) -> Store:
    """A store that writes where it may, and else one that only reads and says why in `read_only`.

    Raises:
        StorageError: it can be neither written nor read.
    """
    try:
        return Store(path, alone=alone, lock_wait_s=lock_wait_s, busy_s=busy_s)
    except (DatabaseNewer, DatabaseDiffers) as error:
        log.warning("%s; until then it is only read", error)
        return Store(path, read_only=True, older=True, busy_s=busy_s)
    except DatabaseLocked as error:
        log.warning("%s; until then it is only read", error)
        store = Store(path, read_only=True, busy_s=busy_s)
        store.read_only = f"another program writes to {path.name}; stop it, then start this playground again"
        return store


def _empty_log(connection: sqlite3.Connection) -> bool:
    """Bring the write-ahead log home into the file and cut it off; whether nobody kept it from that by reading."""
    usual = connection.execute("PRAGMA busy_timeout").fetchone()[0]
    connection.execute(f"PRAGMA busy_timeout = {LOG_BUSY_MS}")
    try:
        return not connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    finally:
        connection.execute(f"PRAGMA busy_timeout = {usual}")


def _without_folder(words: str, path: Path) -> str:
    """Where the file lies is nobody's business who looks at the page."""
    return words.replace(str(path), path.name)
