"""Connections with our settings, and what a file has to be before one is used.

Boundary: opens and judges files; knows neither records nor who writes when. Every error of SQLite becomes one of
ours in `storage_error`.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from playground.errors import DatabaseBroken, DatabaseDiffers, DatabaseLocked, DatabaseNewer, StorageError
from playground.storage.database.copying import keep_before
from playground.storage.database.migrations import (
    APPLICATION_ID,
    differences,
    migrate,
    read_schema,
    schema_of,
    schema_version,
)
from playground.storage.database.write_ahead import log_fits

BUSY_S = 5.0
"""How long one statement waits for somebody else's lock."""

OLDEST_SQLITE = (3, 37)
"""The first with STRICT tables."""

LONGEST_PATH_BYTES = 500
"""SQLite takes 512, with the ending of the log."""
_MAGIC = b"SQLite format 3\x00"
SHOWN = 5
"""So many differences of a schema are named."""

_NO_RIGHTS = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)


def connect(
    path: Path | None, *, read_only: bool = False, busy_s: float = BUSY_S, immutable: bool = False
) -> sqlite3.Connection:
    """A connection to `path` (None: a database in memory) with foreign keys and recursive triggers on.

    It begins and ends transactions only when told to, and may be handed from thread to thread, one at a time.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise StorageError(f"this Python has SQLite {sqlite3.sqlite_version}; the playground needs 3.37 or newer")
    how = f"mode={'ro' if read_only else 'rwc'}{'&immutable=1' if immutable else ''}"
    connection = sqlite3.connect(
        ":memory:" if path is None else f"{path.absolute().as_uri()}?{how}",
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


def open_writer(path: Path | None, *, alone: bool = False, busy_s: float = BUSY_S) -> sqlite3.Connection:
    """The one connection that writes: checked, durable, migrated (after a copy of what there was before).

    `alone` is for a network mount, which cannot share memory between connections: no write-ahead log, and the file
    is locked for as long as the connection is open.

    Raises:
        DatabaseBroken: not a database of ours, or damaged; nothing was changed.
        DatabaseNewer: written by a newer version.
        DatabaseDiffers: its schema is not that of the version it claims.
        DatabaseLocked: another program uses it.
        StorageError: the file cannot be used, or not be brought up to this version.
    """
    thorough = path is not None and _is_doubtful(path)
    judged = path is not None and _judged_beforehand(path, alone, busy_s, thorough)
    try:
        connection = connect(path, busy_s=busy_s)
    except sqlite3.Error as error:
        raise storage_error(error, path) from error
    try:
        if path is not None:
            connection.execute(f"PRAGMA locking_mode = {'EXCLUSIVE' if alone else 'NORMAL'}")
            if not judged:
                _judge(connection, path, thorough)
            connection.execute(f"PRAGMA journal_mode = {'DELETE' if alone else 'WAL'}")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON")  # what is erased is gone from the file too
            connection.execute("PRAGMA journal_size_limit = 0")  # and from a rollback journal that is kept open
            _check_writable(connection)
        _bring_up(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise storage_error(error, path) from error
    except StorageError:
        connection.close()
        raise
    return connection


def open_reader(path: Path, *, older: bool = False, known: bool = False, busy_s: float = BUSY_S) -> sqlite3.Connection:
    """A connection that cannot write; a database of a newer version may be read (see `newer`).

    Args:
        older: an earlier version's is fine too, for what does not depend on the schema.
        known: this process has it open already, so nothing looks into the file but SQLite: a system that follows
            POSIX takes all of a process's locks on a file as soon as the process closes it anywhere, and another
            program would then take itself for the last one and delete the log.

    Raises:
        DatabaseBroken: not a database of ours.
        StorageError: there is no such file, it cannot be read, or its schema is older than this version's.
    """
    if not path.is_file():
        raise StorageError(f"there is no database at {path}; start the playground once, or give --db")
    if not known:
        check_header(path)
    try:
        connection = _reading(path, busy_s)
    except sqlite3.Error as error:
        raise storage_error(error, path) from error
    try:
        check_identity(connection, path)
        if not older and _pragma(connection, "user_version") < schema_version():
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
    """Refuse somebody else's database.

    Raises:
        DatabaseBroken: another program's.
    """
    application_id = _pragma(connection, "application_id")
    holds_something = connection.execute("SELECT EXISTS (SELECT 1 FROM sqlite_schema)").fetchone()[0]
    if application_id != APPLICATION_ID and (holds_something or application_id):
        raise DatabaseBroken(f"{path} is a database of another program; name another file with --db")


def newer(connection: sqlite3.Connection, path: Path) -> str:
    """Why a database of the future is only read, in words; empty for one of this version or before."""
    version = _pragma(connection, "user_version")
    if version <= schema_version():
        return ""
    return f"{path} has schema {version}, this version knows up to {schema_version()}; update the playground"


def foreign_schema(connection: sqlite3.Connection, path: Path) -> str:
    """How a database of this version or before differs from the schema of its version; empty where it does not.

    A file that was made by a version between two releases would else open, and fail at the first vote.
    """
    version = _pragma(connection, "user_version")
    found = differences(read_schema(connection), schema_of(version))
    if not found or version > schema_version():
        return ""
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return (
        f"{path} claims schema {version} and differs from it: {', '.join(found[:SHOWN])}{more}; nothing is written to"
        " it. Put a backup in its place, or restore its journal into a new file"
        " (python -m playground restore --db NEW FOLDER)"
    )


def check_pages(connection: sqlite3.Connection, path: Path, *, thorough: bool) -> None:
    """Refuse a damaged file: it would still take votes, and lose them.

    Args:
        thorough: look at the indexes as well, which takes three times as long.

    Raises:
        DatabaseBroken: what SQLite's own check found first.
    """
    found = connection.execute(f"PRAGMA {'integrity_check' if thorough else 'quick_check'}(1)").fetchone()[0]
    if found != "ok":
        log = _beside(path, "-wal")
        its_log = f"; if the file was put there while {log.name} lay beside it, move that away" if _holds(log) else ""
        raise DatabaseBroken(f"{path} is damaged ({' '.join(found.split())}); put a backup in its place{its_log}")


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
        case sqlite3.SQLITE_CANTOPEN if path is not None and len(bytes(path.absolute())) > LONGEST_PATH_BYTES:
            return StorageError(f"{name} is too long a path for SQLite; name a shorter one with --db")
        case code if code in _NO_RIGHTS:
            return StorageError(f"{name} cannot be opened for this ({error}); check the rights of file and folder")
    return StorageError(f"{name}: {error}")


def _is_doubtful(path: Path) -> bool:
    """Whether a log lies there that may be another file's; each kill leaves one, and nearly always it is this one's."""
    log = _beside(path, "-wal")
    try:
        return _holds(log) and not log_fits(path, log)
    except OSError:
        return True


def _judged_beforehand(path: Path, alone: bool, busy_s: float, thorough: bool) -> bool:
    """Judge the file through a connection that cannot write; whether that can be done.

    One that can would, when it is closed, bring a log home into the file even where both were just refused.
    """
    check_header(path)
    if alone or not path.exists() or _beside(path, "-journal").exists():  # what was half done is undone by a writer
        return False
    try:
        with closing(connect(path, read_only=True, busy_s=busy_s)) as connection:
            _judge(connection, path, thorough)
    except sqlite3.Error as error:
        raise storage_error(error, path) from error
    return True


def _judge(connection: sqlite3.Connection, path: Path, thorough: bool) -> None:
    check_identity(connection, path)
    future = newer(connection, path)
    if future:
        raise DatabaseNewer(future)
    check_pages(connection, path, thorough=thorough)
    other = foreign_schema(connection, path)
    if other:
        raise DatabaseDiffers(other)


def _check_writable(connection: sqlite3.Connection) -> None:
    """Raises sqlite3.OperationalError for a file that may only be read: SQLite opens one without a word."""
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(f"PRAGMA user_version = {_pragma(connection, 'user_version')}")
    connection.execute("ROLLBACK")


def _bring_up(connection: sqlite3.Connection, path: Path | None) -> None:
    """Apply the steps that are missing; a file that holds something is copied first.

    Raises:
        StorageError: there is no room for the copy; nothing was changed.
    """
    version = _pragma(connection, "user_version")
    if version >= schema_version():
        return
    if path is not None and version:
        wanted = path.with_name(f"{path.name}.before-{schema_version()}")
        try:
            keep_before(connection, wanted)
        except (sqlite3.Error, OSError) as error:
            raise StorageError(
                f"{path} has schema {version} and was left so: the copy to be kept before schema {schema_version()}, "
                f"{wanted.name}, could not be made ({error}); free some space beside it, then start again"
            ) from error
    migrate(connection)


def _reading(path: Path, busy_s: float) -> sqlite3.Connection:
    """A connection that can read; where nothing at all may be written, not even the memory that is shared, one that
    takes the file for unchanging (it is, as long as there is no log).
    """
    connection = connect(path, read_only=True, busy_s=busy_s)
    try:
        _pragma(connection, "user_version")
    except sqlite3.OperationalError as error:
        connection.close()
        if error.sqlite_errorcode & 0xFF not in _NO_RIGHTS or _beside(path, "-wal").exists():
            raise
        return connect(path, read_only=True, busy_s=busy_s, immutable=True)
    return connection


def _holds(log: Path) -> bool:
    return log.exists() and log.stat().st_size > 0


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    value = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return int(value)
