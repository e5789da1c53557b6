"""Connections to the database, with the settings that every one needs.

Boundary: opens files that `inspection` accepts; knows neither records nor when something is written.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from playground.errors import StorageError
from playground.storage.database import inspection
from playground.storage.database.copying import copy_numbered
from playground.storage.database.inspection import beside, inspect, pragma
from playground.storage.database.migrations import migrate, schema_version
from playground.storage.database.sqlite_errors import NO_ACCESS, storage_error

BUSY_S = 5.0
"""The wait of a statement for another program's lock."""

OLDEST_SQLITE = (3, 37)
"""The first version with STRICT tables."""


def connect(
    path: Path | None, *, read_only: bool = False, busy_s: float = BUSY_S, immutable: bool = False
) -> sqlite3.Connection:
    """Connect to `path` (None: a new database in memory) with foreign keys and recursive triggers on.

    Transactions begin and end explicitly. The connection may be passed between threads, used by one at a time.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise StorageError(f"this Python has SQLite {sqlite3.sqlite_version}; the playground needs 3.37 or newer")
    query = f"mode={'ro' if read_only else 'rwc'}{'&immutable=1' if immutable else ''}"
    connection = sqlite3.connect(
        ":memory:" if path is None else f"{path.absolute().as_uri()}?{query}",
        uri=path is not None,
        timeout=busy_s,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA recursive_triggers = ON")
    return connection


def open_writer(path: Path | None, *, exclusive: bool = False, busy_s: float = BUSY_S) -> sqlite3.Connection:
    """Open the one connection that writes: the file is checked, durable, and migrated after a copy of the old one.

    Args:
        exclusive: for a network mount, which cannot share memory between connections: no write-ahead log, and the file
            stays locked while the connection is open.

    Raises:
        DatabaseBroken: not a database of the playground, or damaged; nothing was changed.
        DatabaseNewer: a newer version wrote it.
        DatabaseDiffers: its schema is not that of the version it claims.
        DatabaseLocked: another program uses it.
        StorageError: the file cannot be used or migrated.
    """
    thorough = path is not None and inspection.log_is_doubtful(path)
    inspected = path is not None and _inspect_first(path, exclusive, busy_s, thorough)
    with _errors_of(path):
        connection = connect(path, busy_s=busy_s)
    with _errors_of(path, connection):
        if path is not None:
            connection.execute(f"PRAGMA locking_mode = {'EXCLUSIVE' if exclusive else 'NORMAL'}")
            if not inspected:
                inspect(connection, path, thorough=thorough)
            connection.execute(f"PRAGMA journal_mode = {'DELETE' if exclusive else 'WAL'}")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON")  # erased text is overwritten in the file
            connection.execute("PRAGMA journal_size_limit = 0")  # and in a rollback journal that is kept open
            _check_writable(connection)
        _migrate(connection, path)
    return connection


def open_reader(
    path: Path, *, older: bool = False, already_open: bool = False, busy_s: float = BUSY_S
) -> sqlite3.Connection:
    """Open a connection that cannot write; a newer version's database may be read (see `newer_schema`).

    Args:
        older: accept an earlier version's too, for reads that do not depend on the schema.
        already_open: this process has the file open, so only SQLite may open it: under POSIX a process loses all its
            locks on a file as soon as it closes it anywhere, and another program would then take itself for the last
            user and delete the log.

    Raises:
        DatabaseBroken: not a database of the playground.
        StorageError: the file is missing or unreadable, or its schema is older than this version's.
    """
    if not path.is_file():
        raise StorageError(f"there is no database at {path}; start the playground once, or give --db")
    if not already_open:
        inspection.check_header(path)
    with _errors_of(path):
        connection = _connect_to_read(path, busy_s)
    with _errors_of(path, connection):
        inspection.check_identity(connection, path)
        if not older and pragma(connection, "user_version") < schema_version():
            raise StorageError(
                inspection.other_schema(connection, path)
                or f"{path} was written by an older version; start the playground once to migrate it"
            )
    return connection


@contextmanager
def _errors_of(path: Path | None, connection: sqlite3.Connection | None = None) -> Iterator[None]:
    """Raise SQLite's errors as ours, and close the connection after any."""
    try:
        yield
    except (sqlite3.Error, StorageError) as error:
        if connection is not None:
            connection.close()
        if isinstance(error, sqlite3.Error):
            raise storage_error(error, path) from error
        raise


def _inspect_first(path: Path, exclusive: bool, busy_s: float, thorough: bool) -> bool:
    """Inspect the file through a read-only connection; return False if that is not possible.

    A connection that can write would, on closing, copy a log into the file even if both were just refused.
    """
    inspection.check_header(path)
    if exclusive or not path.exists() or beside(path, "-journal").exists():  # only a writer can roll that back
        return False
    with _errors_of(path), closing(connect(path, read_only=True, busy_s=busy_s)) as connection:
        inspect(connection, path, thorough=thorough)
    return True


def _check_writable(connection: sqlite3.Connection) -> None:
    """Raise sqlite3.OperationalError for a read-only file, which SQLite opens without an error."""
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(f"PRAGMA user_version = {pragma(connection, 'user_version')}")
    connection.execute("ROLLBACK")


def _migrate(connection: sqlite3.Connection, path: Path | None) -> None:
    """Apply the missing migrations, after a copy of a file that is not new.

    Raises:
        StorageError: the copy could not be written; nothing was changed.
    """
    version = pragma(connection, "user_version")
    if version >= schema_version():
        return
    if path is not None and version:
        target = path.with_name(f"{path.name}.before-{schema_version()}")
        try:
            copy_numbered(connection, target)
        except (sqlite3.Error, OSError) as error:
            raise StorageError(
                f"{path} has schema {version} and was not changed: the copy to be kept before schema"
                f" {schema_version()}, {target.name}, could not be written ({error}); free some space beside it,"
                " then start again"
            ) from error
    migrate(connection)


def _connect_to_read(path: Path, busy_s: float) -> sqlite3.Connection:
    """Connect read-only; if not even shared memory may be created, as to an immutable file (there is no log)."""
    connection = connect(path, read_only=True, busy_s=busy_s)
    try:
        pragma(connection, "user_version")
    except sqlite3.OperationalError as error:
        connection.close()
        if error.sqlite_errorcode & 0xFF not in NO_ACCESS or beside(path, "-wal").exists():
            raise
        return connect(path, read_only=True, busy_s=busy_s, immutable=True)
    return connection
