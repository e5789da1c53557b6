"""The statements that every table needs, on a connection that is inside a transaction.

Boundary: begins and ends no transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from playground.errors import StorageError
from playground.records import Instruction
from playground.storage.database.rows import instruction_row

COPY_PAGES = 256
"""Pages of 4 KB; a vote waits until they are copied."""
Values = Sequence[Any] | Mapping[str, Any]


class Snapshot:
    """Reads from one snapshot of the database."""

    def __init__(self, connection: sqlite3.Connection, pause: Callable[[], None] | None = None) -> None:
        """Read through a connection; `pause` lets other threads use it for a moment, if they share it."""
        self._connection = connection
        self._pause = pause

    def select(self, statement: str, values: Values = ()) -> Sequence[sqlite3.Row]:
        return self._connection.execute(statement, values).fetchall()

    def scalar(self, statement: str, values: Values = ()) -> Any:
        """Return the first column of a query's first row; None if there is no row."""
        row = self._connection.execute(statement, values).fetchone()
        return None if row is None else row[0]

    def sqlite_version(self) -> str:
        return str(self.scalar("SELECT sqlite_version()"))

    def size_bytes(self) -> int:
        """Return the size of the file, including pages that are still in the log."""
        return int(self.scalar("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"))

    def copy_to(self, target: Path) -> None:
        """Copy the whole database to a new file, which needs no other beside it.

        Through a connection that threads share, it pauses after every `COPY_PAGES`; SQLite then writes what they commit
        into the copy too.

        Raises:
            StorageError: the file cannot be written, or the database not be read.
        """
        try:
            with closing(sqlite3.connect(target, isolation_level=None)) as copy:
                if self._pause is None:
                    self._connection.backup(copy)
                else:
                    pause = self._pause
                    self._connection.backup(copy, pages=COPY_PAGES, progress=lambda *_: pause())
                copy.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.Error as error:
            raise StorageError(f"the database could not be copied ({error}); check whether the disk is full") from error


class Transaction(Snapshot):
    """Writes inside one transaction; its reads see them."""

    def change(self, statement: str, values: Iterable[Mapping[str, Any]]) -> int:
        """Run a statement once for each of `values`; return the number of changed rows."""
        return self._connection.executemany(statement, values).rowcount

    def insert(self, table: str, *rows: Mapping[str, Any], conflict: str = "") -> int:
        """Insert rows with the same columns, in one statement; return the number of the last one.

        Args:
            conflict: the statement's ON CONFLICT clause.
        """
        marks = ", ".join("?" * len(rows[0]))
        statement = (
            f"INSERT INTO {table} ({', '.join(rows[0])}) VALUES {', '.join([f'({marks})'] * len(rows))} {conflict}"
        )
        return self._connection.execute(statement, [value for row in rows for value in row.values()]).lastrowid or 0

    def add_rater(self, rater_id: str, created_at: str) -> None:
        """Add a rater unless stored."""
        self.insert("raters", {"id": rater_id, "created_at": created_at}, conflict="ON CONFLICT DO NOTHING")

    def add_instruction(self, instruction: Instruction) -> str:
        """Add an instruction unless stored; return its id."""
        row = instruction_row(instruction)
        self.insert("instructions", row, conflict="ON CONFLICT DO NOTHING")
        return str(row["id"])

    def upsert(self, table: str, key: str, row: Mapping[str, Any]) -> None:
        """Insert a row, or replace all its columns but the key."""
        columns = ", ".join(f"{name} = excluded.{name}" for name in row if name != key)
        self.insert(table, row, conflict=f"ON CONFLICT ({key}) DO UPDATE SET {columns}")

    def _add_event(self, kind: str, created_at: str, **about: Any) -> None:
        """Add an event for the journal, in the transaction of the change itself."""
        self.insert("journal_events", {"kind": kind, "created_at": created_at, **about})
