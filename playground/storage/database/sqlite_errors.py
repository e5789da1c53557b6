"""SQLite's errors as ours.

Boundary: pure; a message names the database and what to do.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from playground.errors import DatabaseBroken, DatabaseLocked, ReadTooLong, StorageError

MAX_PATH_BYTES = 500
"""SQLite accepts 512, including the ending of the log's name."""

NO_ACCESS = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)


def storage_error(error: sqlite3.Error, path: Path | None) -> StorageError:
    """Return our error for one of SQLite's; `path` is None for a database in memory."""
    name = "the database in memory" if path is None else str(path)
    code = getattr(error, "sqlite_errorcode", None)
    match None if code is None else code & 0xFF:
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return DatabaseBroken(f"{name} is damaged ({error}); put a backup in its place")
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return DatabaseLocked(f"{name} is in use by another program; nothing was saved, try again")
        case sqlite3.SQLITE_FULL:
            return StorageError(f"no space left for {name}; nothing was saved, free some and try again")
        case sqlite3.SQLITE_INTERRUPT:
            return ReadTooLong(f"reading {name} took longer than votes may wait; try again")
        case sqlite3.SQLITE_CANTOPEN if path is not None and len(bytes(path.absolute())) > MAX_PATH_BYTES:
            return StorageError(f"{name} is too long a path for SQLite; name a shorter one with --db")
        case code if code in NO_ACCESS:
            return StorageError(f"{name} cannot be opened for this ({error}); check the rights of file and folder")
    return StorageError(f"{name}: {error}")
