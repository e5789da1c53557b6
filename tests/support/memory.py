"""Stores in memory that copy the schema of one migrated database: migrations take a hundred times as long as the copy.

Boundary: knows nothing of records. Stores in files are migrated, or copied by `tests.support.cast`.
"""

from __future__ import annotations

import sqlite3
from functools import cache

import pytest

from playground.storage.database import connection
from playground.storage.database.migrations import migrate
from playground.storage.database.store import Store


def memory_store() -> Store:
    """Open a store in memory, whose database has an id of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "migrate", _copy)
        return Store(None)


def _copy(new: sqlite3.Connection) -> None:
    _migrated().backup(new)
    new.execute("UPDATE facts SET value = lower(hex(randomblob(16))) WHERE name = 'database_id'")


@cache
def _migrated() -> sqlite3.Connection:
    made = connection.connect(None)
    migrate(made)
    return made
