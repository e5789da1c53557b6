"""The backup of a database: one checked file, a snapshot, also while the playground writes.

Boundary: reads the database and never writes to it; the journal is not part of the copy.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from playground.errors import DatabaseBroken, InvalidValue, StorageError
from playground.storage.database.connection import open_reader
from playground.storage.database.copying import DATABASE_SUFFIXES, DamagedCopy, copy_database
from playground.storage.database.sqlite_errors import storage_error


@dataclass(frozen=True, slots=True)
class Backup:
    path: Path
    size_bytes: int
    rows: Mapping[str, int]


def backup(database: Path, target: Path) -> Backup:
    """Copy `database`, of any version that can be read, to `target`, replacing an earlier backup.

    Raises:
        InvalidValue: `target` is the database itself, one of its files, or a folder.
        StorageError: the database cannot be read or the copy not written; no backup was made.
    """
    check_target(database, target)
    with closing(open_reader(database, older=True)) as source:
        try:
            rows = copy_database(source, target)
            return Backup(target, target.stat().st_size, rows)
        except sqlite3.Error as error:
            raise _failure(error, database, target) from error
        except OSError as error:
            raise StorageError(f"{target} cannot be written: {error.strerror}; no backup was made") from error


def check_target(database: Path, target: Path) -> None:
    """Refuse a target that is the database itself, one of its files, or a folder.

    Raises:
        InvalidValue: it is.
        StorageError: the target's folder does not exist.
    """
    resolved = database.resolve()
    own = [resolved.with_name(resolved.name + suffix) for suffix in (*DATABASE_SUFFIXES, ".lock")]
    if target.resolve() in own or (target.exists() and database.exists() and target.samefile(database)):
        raise InvalidValue(f"{target} belongs to the database itself; name another file for the backup")
    if target.is_dir():
        raise InvalidValue(f"{target} is a folder; name a file for the backup, such as {target / database.name}")
    if not target.parent.is_dir():
        raise StorageError(f"there is no folder {target.parent}; create it first, or name a file in another one")


def _failure(error: sqlite3.Error, database: Path, target: Path) -> StorageError:
    """Return our error; SQLite does not say which of the two files it means, but only the source can be locked."""
    if isinstance(error, DamagedCopy):
        return DatabaseBroken(f"{database} is damaged ({error}); no backup was made, keep the earlier ones")
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return storage_error(error, database)
    return StorageError(f"{target} cannot be written ({error}); no backup was made, check whether its disk is full")
