"""Copies of an open database into one file, which appears under its name only when it is complete.

Boundary: copies through SQLite, beside any log and any writer; knows no table by name. Errors are SQLite's and the
system's own.
"""

from __future__ import annotations

import filecmp
import secrets
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from functools import partial
from itertools import chain, count
from pathlib import Path

from playground.storage.database.files import sync_folder

DATABASE_SUFFIXES = ("", "-journal", "-wal", "-shm")
"""Endings of the files that SQLite may create for one database."""


class DamagedCopy(sqlite3.DatabaseError):
    """The source of a copy is damaged, or the disk that it was written to."""


def copy_database(source: sqlite3.Connection, target: Path) -> Mapping[str, int]:
    """Copy the snapshot that `source` sees to `target`, replacing it; return the number of rows by table.

    Raises:
        sqlite3.Error, OSError: the copy failed or is damaged; nothing is left behind.
    """
    return _copy(source, target, lambda part: target)


def copy_numbered(source: sqlite3.Connection, target: Path) -> None:
    """Copy to `target`, or to a numbered name if a different file has that name.

    An identical copy is kept once, so that a start that keeps failing does not fill the disk.

    Raises:
        sqlite3.Error, OSError: as `copy_database`.
    """
    _copy(source, target, partial(_free_name, target=target))


def _free_name(part: Path, target: Path) -> Path:
    names = chain([target], (target.with_name(f"{target.name}-{number}") for number in count(2)))
    return next(name for name in names if not name.exists() or filecmp.cmp(part, name, shallow=False))


def _copy(source: sqlite3.Connection, target: Path, final_name: Callable[[Path], Path]) -> Mapping[str, int]:
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    source.execute("BEGIN")  # one snapshot for the copy and the counts that it is compared with
    try:
        rows = count_rows(source)
        _write(source, part, rows)
        part.replace(final_name(part))
        with suppress(OSError):  # some systems cannot open a folder
            sync_folder(target.parent)
    finally:
        with suppress(sqlite3.Error):  # it only read
            source.execute("ROLLBACK")
        for suffix in DATABASE_SUFFIXES:
            part.with_name(part.name + suffix).unlink(missing_ok=True)
    return rows


def _write(source: sqlite3.Connection, part: Path, rows: Mapping[str, int]) -> None:
    with closing(sqlite3.connect(part, isolation_level=None)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, readable in a folder that is read-only
        found = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok" or count_rows(copy) != rows:
            raise DamagedCopy(f"its copy fails the check: {' '.join(found.split())}")


def count_rows(connection: sqlite3.Connection) -> Mapping[str, int]:
    tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    names = [row[0] for row in connection.execute(tables).fetchall()]
    return {name: int(connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]) for name in names}
