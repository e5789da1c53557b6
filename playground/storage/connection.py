"""Connections with our settings, and what a file has to be before one is used.

Boundary: opens and judges files; knows neither records nor who writes when. Every error of SQLite becomes one of
ours in `storage_error`.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from playground.errors import DatabaseBroken, DatabaseLocked, DatabaseNewer, StorageError
from playground.storage.migrations import APPLICATION_ID, migrate, schema_version

BUSY_S = 5.0
"""How long one statement waits for somebody else's lock."""

OLDEST_SQLITE = (3, 37)
"""The first with STRICT tables."""

_MAGIC = b"SQLite format 3\x00"


def connect(path: Path | None, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection to `path` (None: a database in memory) with foreign keys and recursive triggers on.

    It begins and ends transactions only when told to, and may be handed from thread to thread, one at a time.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise StorageError(f"this Python has SQLite {sqlite3.sqlite_version}; the playground needs 3.37 or newer")
    name = ":memory:" if path is None else f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
    connection = sqlite3.connect(
        name, uri=path is not None, timeout=BUSY_S, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA recursive_triggers = ON")
    return connection


def open_writer(path: Path | None, *, alone: bool = False) -> sqlite3.Connection:
    """The one connection that writes: checked, durable, migrated.

    `alone` is for a network mount, which cannot share memory between connections: no write-ahead log, and the file
    is locked for as long as the connection is open.

    Raises:
        DatabaseBroken: not a database of ours, or damaged; nothing was changed.
        DatabaseNewer: written by a newer version.
    """
    if path is not None:
        check_header(path)
    connection = connect(path)
    try:
        if path is not None:
            connection.execute(f"PRAGMA locking_mode = {'EXCLUSIVE' if alone else 'NORMAL'}")
            check_identity(connection, path)
            check_pages(connection, path)
            connection.execute(f"PRAGMA journal_mode = {'DELETE' if alone else 'WAL'}")
            connection.execute("PRAGMA synchronous = FULL")
        if _pragma(connection, "user_version") < schema_version():
            migrate(connection)
    except sqlite3.Error as error:
        connection.close()
        raise storage_error(error, path) from error
    except StorageError:
        connection.close()
        raise
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot write.

    Raises:
        StorageError: there is no such file, or its schema is not this version's.
    """
    if not path.is_file():
        raise StorageError(f"there is no database at {path}; start the playground once, or give --db")
    check_header(path)
    try:
        connection = connect(path, read_only=True)
    except sqlite3.Error as error:
        raise storage_error(error, path) from error
    try:
        check_identity(connection, path)
        if _pragma(connection, "user_version") < schema_version():
            raise StorageError(f"{path} was written by an older version; start the playground once to bring it up")
    except sqlite3.Error as error:
        connection.close()
        raise storage_error(error, path) from error
    except StorageError:
        connection.close()
        raise
    return connection


def check_header(path: Path) -> None:
    """Refuse a file that is no SQLite database; none and an empty one are fine: they become one.

    Raises:
        DatabaseBroken: the file begins with something else.
        StorageError: it cannot be read.
    """
    if not path.exists():
        return
    try:
        with path.open("rb") as file:
            start = file.read(len(_MAGIC))
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}") from error
    if start and start != _MAGIC:
        raise DatabaseBroken(f"{path} is not an SQLite database; move it away, or name another file with --db")


def check_identity(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse somebody else's database, and one from the future.

    Raises:
        DatabaseBroken: another program's.
        DatabaseNewer: `user_version` is above what this code knows.
    """
    application_id, version = _pragma(connection, "application_id"), _pragma(connection, "user_version")
    holds_something = connection.execute("SELECT EXISTS (SELECT 1 FROM sqlite_schema)").fetchone()[0]
    if application_id != APPLICATION_ID and (holds_something or application_id):
        raise DatabaseBroken(f"{path} is a database of another program; name another file with --db")
    if version > schema_version():
        raise DatabaseNewer(
            f"{path} has schema {version}, this version knows up to {schema_version()}; update the playground"
        )


def check_pages(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a damaged file: it would still take votes, and lose them.

    Raises:
        DatabaseBroken: what SQLite's `quick_check` found first.
    """
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise DatabaseBroken(f"{path} is damaged ({found}); put a backup in its place")


def storage_error(error: sqlite3.Error, path: Path | None) -> StorageError:
    """One of ours for one of SQLite's."""
    name = "the database in memory" if path is None else str(path)
    code = getattr(error, "sqlite_errorcode", None)
    match None if code is None else code & 0xFF:
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return DatabaseBroken(f"{name} is damaged ({error}); put a backup in its place")
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return DatabaseLocked(f"{name} is in use by another program; nothing was saved, try again")
        case sqlite3.SQLITE_FULL:
            return StorageError(f"no space left for {name}; nothing was saved, free some and try again")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return StorageError(f"{name} cannot be opened for this ({error}); check the rights of file and folder")
    return StorageError(f"{name}: {error}")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    value = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return int(value)
