"""A backup of the database: one file, whole, of one moment, also while the playground writes.

Boundary: reads the database and never writes to it; the journal beside it is not part of the copy.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from playground.errors import DatabaseBroken, InvalidValue, StorageError
from playground.storage.database.connection import open_reader, storage_error
from playground.storage.database.copying import OF_ONE_DATABASE, NotWhole, copy_database

OWN_FILES = (*OF_ONE_DATABASE, ".lock")
"""Endings of the names that belong to a database."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What was copied; `rows` by table."""

    path: Path
    size_bytes: int
    rows: Mapping[str, int]


def back_up(database: Path, target: Path) -> Backup:
    """Copy `database`, of this version or another, to `target`, in place of an earlier backup there.

    Raises:
        InvalidValue: `target` is the database itself or lies in its way, or is no name for a file.
        StorageError: the database cannot be read, or the copy not be written; then there is none.
    """
    _check_target(database, target)
    with closing(open_reader(database, older=True)) as source:
        try:
            rows = copy_database(source, target)
            return Backup(target, target.stat().st_size, rows)
        except sqlite3.Error as error:
            raise _failure(error, database, target) from error
        except OSError as error:
            raise StorageError(f"{target} cannot be written: {error.strerror}; no backup was made") from error


def _check_target(database: Path, target: Path) -> None:
    own = [database.resolve().with_name(database.resolve().name + ending) for ending in OWN_FILES]
    if target.resolve() in own or (target.exists() and database.exists() and target.samefile(database)):
        raise InvalidValue(f"{target} belongs to the database itself; name another file for the backup")
    if target.is_dir():
        raise InvalidValue(f"{target} is a folder; name a file for the backup, such as {target / database.name}")
    if not target.parent.is_dir():
        raise StorageError(f"there is no folder {target.parent}; make it first, or name a file in another one")


def _failure(error: sqlite3.Error, database: Path, target: Path) -> StorageError:
    """SQLite does not say which of two files it means; a damaged or locked one is the source."""
    if isinstance(error, NotWhole):
        return DatabaseBroken(f"{database} is damaged ({error}); no backup was made, keep the earlier ones")
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return storage_error(error, database)
    return StorageError(f"{target} cannot be written ({error}); no backup was made, see whether its disk is full")
