"""A database to read for minutes without delaying votes.

Boundary: decides whether a copy is needed; writes to the folder that it is given only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playground.storage.database.copying import DATABASE_SUFFIXES
from playground.storage.database.store import Store

COPY = "snapshot.db"


@contextmanager
def detached(store: Store, folder: Path) -> Iterator[Store]:
    """Yield the store, or a copy of it in `folder` if its reads and votes share one connection.

    That is so on a network mount (`exclusive`). Votes wait for a few pages of the copying at most.

    Raises:
        StorageError: the copy cannot be made.
    """
    if not store.has_one_connection:
        yield store
        return
    copy = folder / COPY
    try:
        with store.reading() as reading:
            reading.copy_to(copy)
        with Store(copy, read_only=True) as apart:
            yield apart
    finally:
        for suffix in DATABASE_SUFFIXES:
            copy.with_name(copy.name + suffix).unlink(missing_ok=True)
