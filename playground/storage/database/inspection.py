"""Checks of a file before it is used as the database.

Boundary: reads files and reports; opens none for writing.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from playground.errors import DatabaseBroken, DatabaseDiffers, DatabaseNewer, StorageError
from playground.storage.database.migrations import (
    APPLICATION_ID,
    differences,
    read_schema,
    schema_of,
    schema_version,
)
from playground.storage.database.write_ahead import log_fits

MAX_NAMED = 5
"""Differences of a schema that a message names."""

_MAGIC = b"SQLite format 3\x00"


def inspect(connection: sqlite3.Connection, path: Path, *, thorough: bool) -> None:
    """Refuse a file that must not be written to.

    Raises:
        DatabaseBroken: another program's, or damaged.
        DatabaseNewer: a newer version wrote it.
        DatabaseDiffers: its schema is not that of the version it claims.
    """
    check_identity(connection, path)
    newer = newer_schema(connection, path)
    if newer:
        raise DatabaseNewer(newer)
    check_pages(connection, path, thorough=thorough)
    other = other_schema(connection, path)
    if other:
        raise DatabaseDiffers(other)


def check_header(path: Path) -> None:
    """Refuse a file that is not an SQLite database; a missing or empty file is fine and becomes one.

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
    """Refuse another program's database.

    Raises:
        DatabaseBroken: its application id is not the playground's.
    """
    application_id = pragma(connection, "application_id")
    has_tables = connection.execute("SELECT EXISTS (SELECT 1 FROM sqlite_schema)").fetchone()[0]
    if application_id != APPLICATION_ID and (has_tables or application_id):
        raise DatabaseBroken(f"{path} is a database of another program; name another file with --db")


def newer_schema(connection: sqlite3.Connection, path: Path) -> str:
    """Return why a newer version's database is read-only; empty for this version's or an older one."""
    version = pragma(connection, "user_version")
    if version <= schema_version():
        return ""
    return f"{path} has schema {version}, this version knows up to {schema_version()}; update the playground"


def other_schema(connection: sqlite3.Connection, path: Path) -> str:
    """Return how a database differs from the schema of the version it claims; empty if it does not.

    A file written between two releases would otherwise open, and fail at the first vote.
    """
    version = pragma(connection, "user_version")
    schema = read_schema(connection)
    found = differences(schema, schema_of(version))
    if not found or version > schema_version():
        return ""
    tables = [newer for newer in range(version + 1, schema_version() + 1) if not differences(schema, schema_of(newer))]
    if tables:
        return (
            f"{path} says that it has schema {version}, and has the tables of schema {tables[0]}: another program"
            " changed its user_version; nothing is written to it. Put a backup in its place, or set the number again:"
            f" sqlite3 {path} 'PRAGMA user_version = {tables[0]}'"
        )
    more = f" and {len(found) - MAX_NAMED} more" if len(found) > MAX_NAMED else ""
    return (
        f"{path} claims schema {version} and differs from it: {', '.join(found[:MAX_NAMED])}{more}; nothing is written"
        " to it. Put a backup in its place, or restore its journal into a new file"
        " (python -m playground restore --db NEW FOLDER)"
    )


def check_pages(connection: sqlite3.Connection, path: Path, *, thorough: bool) -> None:
    """Refuse a damaged file, which would still accept votes and lose them.

    Args:
        thorough: check the indexes as well, which takes three times as long.

    Raises:
        DatabaseBroken: with the first fault that SQLite's own check found.
    """
    found = connection.execute(f"PRAGMA {'integrity_check' if thorough else 'quick_check'}(1)").fetchone()[0]
    if found != "ok":
        log = beside(path, "-wal")
        advice = f"; if the file was put there while {log.name} lay beside it, move that away" if _has_data(log) else ""
        raise DatabaseBroken(f"{path} is damaged ({' '.join(found.split())}); put a backup in its place{advice}")


def log_is_doubtful(path: Path) -> bool:
    """Return True if the write-ahead log beside a file may be another file's.

    Every kill leaves a log, which is nearly always the file's own.
    """
    log = beside(path, "-wal")
    try:
        return _has_data(log) and not log_fits(path, log)
    except OSError:
        return True


def beside(path: Path, ending: str) -> Path:
    """Return the path of a file that belongs to the database."""
    return path.with_name(path.name + ending)


def pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _has_data(log: Path) -> bool:
    return log.exists() and log.stat().st_size > 0
