"""Group commit: jobs that arrive at the same time share one transaction.

A job's future is resolved after the commit, never before. A job that fails is undone by a savepoint; the others in its
transaction are not affected.

Boundary: runs any function on a connection; knows no table.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from playground.errors import DatabaseBroken, InvalidValue, StorageError
from playground.storage.database.sqlite_errors import storage_error

T = TypeVar("T")

Result = tuple[Any, BaseException | None]
"""A job's result, or the error that it raised."""


def _running_future() -> Future[Any]:
    """Return a future that cannot be cancelled: an accepted job runs even if nobody waits for it any more."""
    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()
    return future


@dataclass(frozen=True, slots=True, eq=False)
class WriteJob(Generic[T]):
    """A caller's function and the future of its result; it may be run again in another transaction."""

    work: Callable[[sqlite3.Connection], T]
    in_transaction: bool = True
    future: Future[T] = field(default_factory=_running_future)


def no_check() -> None:
    """Check nothing: a database in memory cannot be deleted by another program."""


def commit_together(
    connection: sqlite3.Connection,
    jobs: Sequence[WriteJob[Any]],
    path: Path | None = None,
    check: Callable[[], None] = no_check,
) -> None:
    """Run the jobs in one transaction, commit it, then resolve their futures.

    If the transaction fails as a whole (a full disk), each job is tried in a transaction of its own, so that one that
    is too large fails alone. If another program holds a lock, all fail after waiting for it once.

    Args:
        path: named in error messages; None: in memory.
        check: raises DatabaseBroken if what is committed would be lost; called before the transaction and after it.
    """
    try:
        results = _commit(connection, jobs, check)
    except DatabaseBroken as error:
        _roll_back(connection)
        _fail(jobs, error)
    except sqlite3.Error as error:
        _roll_back(connection)
        if len(jobs) == 1 or _is_locked(error):
            _fail(jobs, _public_error(error, path))
        else:
            for job in jobs:
                commit_together(connection, [job], path, check)
    else:
        for job, result in zip(jobs, results, strict=True):
            _resolve(job, result, path)
    finally:
        name = path or "the database in memory"
        unresolved = [job for job in jobs if not job.future.done()]
        _fail(unresolved, StorageError(f"{name} gave no answer; nothing was saved, try again"))


def run_outside(connection: sqlite3.Connection, job: WriteJob[Any], path: Path | None = None) -> None:
    """Run a job on the file as a whole, outside any transaction."""
    _resolve(job, _result_of(job, connection), path)


def _commit(
    connection: sqlite3.Connection, jobs: Sequence[WriteJob[Any]], check: Callable[[], None]
) -> Sequence[Result]:
    if connection.in_transaction:  # the previous one failed and could not be rolled back
        connection.execute("ROLLBACK")
    check()
    connection.execute("BEGIN IMMEDIATE")
    if len(jobs) == 1:
        results = [_attempt(jobs[0], connection, "ROLLBACK")]
        if results[0][1] is None:
            connection.execute("COMMIT")
    else:
        results = []
        for job in jobs:
            connection.execute("SAVEPOINT job")
            results.append(_attempt(job, connection, "ROLLBACK TO job"))
            connection.execute("RELEASE job")
        connection.execute("COMMIT")
    check()  # the file may have been deleted in between
    return results


def _attempt(job: WriteJob[Any], connection: sqlite3.Connection, undo: str) -> Result:
    """Run a job and undo what it did if it fails."""
    value, error = _result_of(job, connection)
    if error is not None:
        if not connection.in_transaction:  # a full disk may roll back the whole transaction: then every job has failed
            if isinstance(error, sqlite3.Error):
                raise error
            raise sqlite3.OperationalError("the transaction was rolled back") from error
        connection.execute(undo)
    return value, error


def _result_of(job: WriteJob[Any], connection: sqlite3.Connection) -> Result:
    try:
        return job.work(connection), None
    except BaseException as error:  # noqa: BLE001  # raised in the caller's thread by its future
        return None, error


def _resolve(job: WriteJob[Any], result: Result, path: Path | None) -> None:
    value, error = result
    if error is None:
        job.future.set_result(value)
    else:
        job.future.set_exception(_public_error(error, path))


def _public_error(error: BaseException, path: Path | None) -> BaseException:
    if isinstance(error, sqlite3.Error):
        public: BaseException = storage_error(error, path)
    elif isinstance(error, UnicodeEncodeError | OverflowError):
        public = InvalidValue(f"a value cannot be stored: {error}")
    else:
        return error
    public.__cause__ = error
    return public


def _fail(jobs: Iterable[WriteJob[Any]], error: BaseException) -> None:
    for job in jobs:
        job.future.set_exception(error)


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        with suppress(sqlite3.Error):  # tried again before the next transaction; no job was acknowledged
            connection.execute("ROLLBACK")


def _is_locked(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
