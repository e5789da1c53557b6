"""A database to read for minutes without delaying votes.

Boundary: reads and copies; writes to the folder that it is given only.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playground.errors import StorageError
from playground.storage.database.copying import DATABASE_SUFFIXES, copy_database
from playground.storage.database.sqlite_errors import storage_error
from playground.storage.database.store import Store

COPY = "snapshot.db"


@contextmanager
def detached(store: Store, folder: Path) -> Iterator[Store]:
    """Yield the store, or a copy of it in `folder` if its reads and votes share one connection.

    That is so on a network mount (`exclusive`). Votes wait for the copying, which takes far less time than an export.

    Raises:
        StorageError: the copy cannot be made.
    """
    if store._single is None or not store.stored:
        yield store
        return
    copy = folder / COPY
    try:
        with store.reading() as reading:
            _copy(reading._connection, copy)
        with Store(copy, read_only=True) as apart:
            yield apart
    finally:
        for suffix in DATABASE_SUFFIXES:
            copy.with_name(copy.name + suffix).unlink(missing_ok=True)


def _copy(connection: sqlite3.Connection, copy: Path) -> None:
    try:
        copy_database(connection, copy)
    except sqlite3.Error as error:
        raise storage_error(error, copy) from error
    except OSError as error:
        raise StorageError(f"{copy} cannot be written: {error.strerror}") from error
