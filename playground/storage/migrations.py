"""The steps of the schema in order, and how a database takes those that it lacks.

Boundary: the statements of a step stand in `schema`; opening, locking and checking a file is `connection`'s, reading
and writing rows `statements`'. A released step is never edited: the next change is a new function below the last one.
Never use ``table.transform()``: it drops a table's triggers without a word.
"""

from __future__ import annotations

import sqlite3
from functools import cache

from sqlite_utils import Database, Migrations

from playground.rater import rater_id
from playground.storage.schema import first as first_step
from playground.storage.schema import second as second_step

APPLICATION_ID = 0x504C4159  # "PLAY": says whose file it is

migrations = Migrations("playground")


@cache
def schema_version() -> int:
    """The `user_version` of a database with every step applied: how many steps there are."""
    return len(migrations.pending(Database(memory=True)))


def migrate(connection: sqlite3.Connection) -> None:
    """Apply the missing steps, all or none, and stamp the file as ours."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        migrations.apply(Database(connection, execute_plugins=False))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {schema_version()}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _run(db: Database, statements: tuple[str, ...]) -> None:
    for statement in statements:
        db.execute(statement)


@migrations()  # type: ignore[untyped-decorator]
def first(db: Database) -> None:
    """Everything that the first version stores."""
    _run(db, first_step.TABLES + first_step.INDEXES + first_step.TRIGGERS + (first_step.PAIRS,))


@migrations()  # type: ignore[untyped-decorator]
def second(db: Database) -> None:
    """A journal, consent, erasure, flags; a rater is stored by a hash of what her browser keeps."""
    _run(db, second_step.OLD_TRIGGERS + second_step.NOTES_INDEX)
    for (secret,) in db.execute(second_step.RATERS_OF_THE_PAGE).fetchall():
        for statement in second_step.RENAME_RATER:
            db.execute(statement, {"old": secret, "new": rater_id(secret)})
    _run(db, second_step.TABLES + second_step.INDEXES + second_step.PAIRS)
    _run(db, second_step.OLDER_ROWS)
    _run(db, second_step.TRIGGERS)
