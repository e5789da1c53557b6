"""A connection whose disk fails at a chosen statement."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from playground.errors import StorageError
from playground.storage.database.store import Store
from playground.storage.database.writer import ThreadWriter

ENDINGS = ("COMMIT",)


class Faulty:
    """Executes statements, and fails at the one set by `break_at`; with `lasts`, at all after it too.

    Args:
        undoes: the failure rolls back the transaction, as a full disk may.
        late: a commit is carried out and then fails.
    """

    def __init__(self, real: sqlite3.Connection, *, lasts: bool = False, undoes: bool = False, late: bool = False):
        self._real = real
        self._lasts, self._undoes, self._late = lasts, undoes, late
        self._left: int | None = None
        self.failed = False

    def break_at(self, statement: int) -> None:
        """Fail at the n-th statement from now, counted from 1."""
        self._left, self.failed = statement, False

    def mend(self) -> None:
        """Fail no more."""
        self._left = None

    @property
    def in_transaction(self) -> bool:
        return self._real.in_transaction

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if not self._fails(sql):
            return self._real.execute(sql, *parameters)
        self.failed = True
        if self._late:
            self._real.execute(sql)
        elif self._undoes and self._real.in_transaction:
            self._real.execute("ROLLBACK")
        raise sqlite3.OperationalError("disk I/O error")

    def close(self) -> None:
        self._real.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def _fails(self, sql: str) -> bool:
        if self._left is None or (self._late and sql not in ENDINGS):
            return False
        self._left -= 1
        return self._left == 0 or (self._lasts and self._left < 0)


def make_faulty(store: Store, **how: bool) -> Faulty:
    """Replace the connection of a store's writer by a faulty one."""
    writer = store._writer
    assert isinstance(writer, ThreadWriter)
    faulty = Faulty(writer._connection, **how)
    writer._connection = faulty  # type: ignore[assignment]
    return faulty


def tries_until_done(faulty: Faulty, act: Callable[[], object], after_each: Callable[[], None]) -> int:
    """Let `act` fail at its first, second, third … statement until it succeeds; return the number of failures."""
    failures = 0
    while True:
        faulty.break_at(failures + 1)
        try:
            act()
        except (StorageError, sqlite3.Error):
            if not faulty.failed:
                raise
        faulty.mend()
        if not faulty.failed:
            return failures
        failures += 1
        after_each()
