"""Group commit: one thread writes, and callers that come at the same time share one transaction.

Boundary: runs whatever it is given on one connection; knows no table. A caller gets its answer, or its own error,
after the commit and never before; an error undoes what its own operation did, by a savepoint where others share the
transaction, and nobody else's.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Generic, Protocol, TypeVar

from playground.errors import DatabaseBroken, InvalidValue, StorageError
from playground.storage.database.connection import storage_error
from playground.storage.database.file_identity import FileIdentity

T = TypeVar("T")

BATCH = 512
"""At most so many operations share one commit."""

ALIVE_S = 5.0


def _nothing() -> None:
    """Nobody has to be told."""


def _nowhere() -> None:
    """What is in memory cannot be deleted by anybody else."""


class Operation(Generic[T]):
    """One caller's work on the way through a transaction; a context manager that keeps the work's error."""

    def __init__(self, work: Callable[[sqlite3.Connection], T], then: Callable[[], None] = _nothing) -> None:
        self._work = work
        self._then = then
        self._connection: sqlite3.Connection | None = None
        self._undo = ""
        self._value: list[T] = []
        self._error: BaseException | None = None
        self._committed = False
        self._ended = threading.Event()

    def wait(self, timeout_s: float) -> bool:
        """Whether it has ended, after at most so long."""
        return self._ended.wait(timeout_s)

    def end(self) -> None:
        """Let whoever waits go on."""
        self._ended.set()
        self._then()

    def run(self, connection: sqlite3.Connection, alone: bool = False) -> None:
        """Do the work inside the open transaction, or leave no trace of it; may be run again in another one.

        Args:
            alone: nothing else is in the transaction, which an error then undoes as a whole.
        """
        self._connection, self._value, self._error = connection, [], None
        self._undo = "ROLLBACK" if alone else "ROLLBACK TO operation"
        if not alone:
            connection.execute("SAVEPOINT operation")
        with self:
            self._value.append(self._work(connection))
        if not alone:
            connection.execute("RELEASE operation")

    def __enter__(self) -> None:
        """Nothing: what an error goes back to is set before."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None or self._connection is None:
            return False
        if not self._connection.in_transaction:  # a full disk may undo the whole transaction: then all of it failed
            if isinstance(error, sqlite3.Error):
                return False
            raise sqlite3.OperationalError("the transaction was undone") from error
        self._connection.execute(self._undo)
        self._error = error
        return True

    def fail(self, error: BaseException) -> None:
        """Give the caller this error in place of what its work said: nothing was committed."""
        self._value, self._error = [], error

    @property
    def has_failed(self) -> bool:
        """Whether its work raised, and left nothing behind."""
        return self._error is not None

    def committed(self) -> None:
        """From now on the caller may be told what its work returned."""
        self._committed = True

    def result(self, path: Path | None) -> T:
        """What the work returned; once it has ended.

        Raises:
            StorageError: the database did not take it.
            InvalidValue: a value that no database can hold.
        """
        error = self._error
        if isinstance(error, sqlite3.Error):
            raise storage_error(error, path) from error
        if isinstance(error, UnicodeEncodeError | OverflowError):
            raise InvalidValue(f"a value cannot be stored: {error}") from error
        if error is not None:
            raise error
        if not self._committed:
            raise StorageError(f"{path or 'the database in memory'} gave no answer; nothing was saved, try again")
        return self._value[0]


def commit_together(
    connection: sqlite3.Connection, operations: Sequence[Operation[object]], present: Callable[[], None] = _nowhere
) -> None:
    """Run the operations in one transaction, commit it, and only then let their callers go on.

    Where that fails as a whole (a full disk), each is tried alone: one that is too large takes no other with it.
    Somebody's lock is everybody's, and is waited for once.

    Args:
        present: raises DatabaseBroken where what is committed would be lost; asked before and after.
    """
    try:
        _commit(connection, operations, present)
    except DatabaseBroken as error:
        _undo(connection)
        _fail(operations, error)
    except sqlite3.Error as error:
        _undo(connection)
        if len(operations) == 1 or _is_locked(error):
            _fail(operations, error)
        else:
            for operation in operations:
                commit_together(connection, [operation], present)
    finally:
        for operation in operations:
            operation.end()


def _fail(operations: Sequence[Operation[object]], error: BaseException) -> None:
    for operation in operations:
        operation.fail(error)


def _undo(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        with suppress(sqlite3.Error):  # tried once more before the next transaction; nobody was told yes
            connection.execute("ROLLBACK")


def _is_locked(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _commit(
    connection: sqlite3.Connection, operations: Sequence[Operation[object]], present: Callable[[], None]
) -> None:
    if connection.in_transaction:  # the last one could not be undone when it failed
        connection.execute("ROLLBACK")
    present()
    connection.execute("BEGIN IMMEDIATE")
    alone = len(operations) == 1
    for operation in operations:
        operation.run(connection, alone)
    if not (alone and operations[0].has_failed):  # which has undone the transaction
        connection.execute("COMMIT")
    present()  # it may have gone meanwhile
    for operation in operations:
        operation.committed()


class Chore(Generic[T]):
    """Work on the file as a whole, outside any transaction; whoever writes waits. Keeps its error, as `Operation`."""

    def __init__(self, work: Callable[[sqlite3.Connection], T]) -> None:
        self._work = work
        self._value: list[T] = []
        self._error: BaseException | None = None
        self._ended = threading.Event()

    def wait(self, timeout_s: float) -> bool:
        """Whether it has ended, after at most so long."""
        return self._ended.wait(timeout_s)

    def run(self, connection: sqlite3.Connection) -> None:
        """Do it."""
        with self:
            self._value.append(self._work(connection))

    def __enter__(self) -> None:
        """Nothing is begun."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._error = error
        self._ended.set()
        return True

    def result(self, path: Path | None) -> T:
        """What the work returned; once it has ended.

        Raises:
            StorageError: the database could not do it.
        """
        if isinstance(self._error, sqlite3.Error):
            raise storage_error(self._error, path) from self._error
        if self._error is not None:
            raise self._error
        return self._value[0]


class Writer(Protocol):
    """Runs work in a transaction and answers after its commit."""

    def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` returns, committed."""

    async def run_soon(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The same for an event loop, which goes on meanwhile."""

    def outside(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` returns, done between two transactions."""

    def close(self) -> None:
        """Finish what was accepted, accept nothing more; idempotent."""


class ThreadWriter:
    """One thread and one connection for every caller of this process."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._present = FileIdentity(path).check
        self._queue: SimpleQueue[Operation[object] | Chore[object] | None] = SimpleQueue()
        self._chores: list[Chore[object]] = []  # taken from the queue, to be done after the batch before them
        self._guard = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._loop, name="database writer", daemon=True)
        self._thread.start()

    def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` returns, after its commit; blocks until then."""
        return self._done(Operation(work))

    def outside(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` returns, done between two transactions; blocks until then."""
        return self._done(Chore(work))

    async def run_soon(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` returns, after its commit; the thread that asks does other things until then."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        asked = Operation(work, partial(_tell, loop, ended))
        self._put(asked)
        while not ended.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), ALIVE_S)
                break
            self._check_alive(asked)
        return asked.result(self._path)

    def _done(self, asked: Operation[T] | Chore[T]) -> T:
        self._put(asked)
        while not asked.wait(ALIVE_S):
            self._check_alive(asked)
        return asked.result(self._path)

    def _put(self, asked: Operation[T] | Chore[T]) -> None:
        with self._guard:
            if self._closed:
                raise StorageError(f"{self._path} is closed")
            self._queue.put(asked)  # type: ignore[arg-type]  # the thread does not look at the value

    def _check_alive(self, asked: Operation[T] | Chore[T]) -> None:
        if not self._thread.is_alive() and not asked.wait(0):  # else it was its last one
            raise StorageError(f"the thread that writes to {self._path} has ended; restart the playground")

    def close(self) -> None:
        """Commit what was accepted, end the thread, close the connection."""
        with self._guard:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join()
        self._connection.close()

    def _loop(self) -> None:
        more = True
        while more:
            batch, more = self._batch()
            if batch:
                commit_together(self._connection, batch, self._present)
            while self._chores:
                self._chores.pop().run(self._connection)

    def _batch(self) -> tuple[list[Operation[object]], bool]:
        """Everything that waits (at least one, or a chore), and whether more may come."""
        batch: list[Operation[object]] = []
        following = self._queue.get()
        while following is not None:
            if isinstance(following, Chore):
                self._chores.append(following)
                return batch, True
            batch.append(following)
            if len(batch) == BATCH:
                return batch, True
            try:
                following = self._queue.get_nowait()
            except Empty:
                return batch, True
        return batch, False


def _tell(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    with suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(ended.set)


class DirectWriter:
    """The same without a thread, for a single connection: the caller's own thread, one at a time."""

    def __init__(self, connection: sqlite3.Connection, guard: threading.RLock, path: Path | None = None) -> None:
        self._connection = connection
        self._guard = guard
        self._path = path
        self._present = _nowhere if path is None else FileIdentity(path, by_name=True).check

    def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` returns, committed."""
        operation = Operation(work)
        with self._guard:
            commit_together(self._connection, [operation], self._present)  # type: ignore[list-item]  # of any value
        return operation.result(self._path)

    async def run_soon(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The same on another thread."""
        return await asyncio.to_thread(self.run, work)

    def outside(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` returns, done between two transactions."""
        chore = Chore(work)
        with self._guard:
            chore.run(self._connection)
        return chore.result(self._path)

    def close(self) -> None:
        """Close the connection; what was in memory is forgotten."""
        with self._guard:
            self._connection.close()
