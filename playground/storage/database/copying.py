"""An open database into a file of its own: whole under its name, or not there.

Boundary: copies through SQLite, so that a log and whoever writes meanwhile do not matter; knows no table by name.
Errors are SQLite's and the system's own.
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

OF_ONE_DATABASE = ("", "-journal", "-wal", "-shm")
"""Endings of the names that SQLite may make."""


class NotWhole(sqlite3.DatabaseError):
    """What was copied is damaged, or the disk that it was copied to."""


def copy_database(source: sqlite3.Connection, target: Path) -> Mapping[str, int]:
    """Write what `source` sees now into `target`, in place of what is there; returns the rows of each table.

    Raises:
        sqlite3.Error, OSError: it could not be written, or did not come out whole; nothing is left behind.
    """
    return _copied(source, target, lambda part: target)


def keep_before(source: sqlite3.Connection, target: Path) -> None:
    """A copy that takes the place of no other: where a different one stands already, its name gets a number.

    The same once more is not kept twice: a start that fails again and again does not fill the disk.

    Raises:
        sqlite3.Error, OSError: as `copy_database`.
    """
    _copied(source, target, partial(_unused, target=target))


def _unused(part: Path, target: Path) -> Path:
    numbered = (target.with_name(f"{target.name}-{number}") for number in count(2))
    names = chain([target], numbered)
    return next(name for name in names if not name.exists() or filecmp.cmp(part, name, shallow=False))


def _copied(source: sqlite3.Connection, target: Path, name: Callable[[Path], Path]) -> Mapping[str, int]:
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    source.execute("BEGIN")  # one moment for the copy and for what it is compared with
    try:
        rows = count_rows(source)
        _write(source, part, rows)
        part.replace(name(part))
        with suppress(OSError):  # not every system lets a folder be opened for that
            sync_folder(target.parent)
    finally:
        with suppress(sqlite3.Error):  # it only read
            source.execute("ROLLBACK")
        for ending in OF_ONE_DATABASE:
            part.with_name(part.name + ending).unlink(missing_ok=True)
    return rows


def _write(source: sqlite3.Connection, part: Path, rows: Mapping[str, int]) -> None:
    with closing(sqlite3.connect(part, isolation_level=None)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, also where nothing may be written beside it
        found = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok" or count_rows(copy) != rows:
            raise NotWhole(f"its copy fails the check: {' '.join(found.split())}")


def count_rows(connection: sqlite3.Connection) -> Mapping[str, int]:
    """How many rows each table holds."""
    named = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    names = [row[0] for row in connection.execute(named).fetchall()]
    return {name: int(connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]) for name in names}
