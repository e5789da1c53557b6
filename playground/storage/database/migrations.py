"""The steps of the schema in order, and how a database takes those that it lacks.

Boundary: the statements of a step stand in `schema`; opening, locking and checking a file is `connection`'s, reading
and writing rows `statements`'. A released step is never edited: the next change is a new function below the last one.
Never use ``table.transform()``: it drops a table's triggers without a word.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import cache

from sqlite_utils import Database, Migrations

from playground.raters import rater_id
from playground.storage.database.schema import first as first_step
from playground.storage.database.schema import second as second_step
from playground.storage.database.schema import third as third_step

APPLICATION_ID = 0x504C4159  # "PLAY": says whose file it is

migrations = Migrations("playground")

SCHEMA = """
SELECT type, name, sql FROM sqlite_schema
WHERE name NOT LIKE '%migrations%' AND name NOT LIKE 'sqlite_%' ORDER BY type, name"""
"""The statements that made a database, but for those of SQLite and of the migrations themselves."""

Schema = Mapping[tuple[str, str], str]
"""(type, name) -> statement."""


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


@cache
def schema_of(version: int) -> Schema:
    """The schema of a database to which the first `version` steps were applied."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        db = Database(connection, execute_plugins=False)
        later = [step.name for step in migrations.pending(db)[version:]]
        migrations.apply(db, stop_before=later)
        return read_schema(connection)


def read_schema(connection: sqlite3.Connection) -> Schema:
    """The schema that a database has."""
    return {(kind, name): sql for kind, name, sql in connection.execute(SCHEMA)}


def differences(found: Schema, meant: Schema) -> Sequence[str]:
    """What tells one schema from another, in words: "view pairs differs", "index votes_by_rater is missing"."""

    def words(part: tuple[str, str]) -> str:
        how = "is missing" if part not in found else "does not belong to it" if part not in meant else "differs"
        return f"{' '.join(part)} {how}"

    return [words(part) for part in sorted({*meant, *found}) if found.get(part) != meant.get(part)]


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


@migrations()  # type: ignore[untyped-decorator]
def third(db: Database) -> None:
    """Who or what voted, votes of one network, keys of programs."""
    _run(db, third_step.ORIGIN + third_step.FLAGS + third_step.TABLES + third_step.INDEXES + third_step.PAIRS)
