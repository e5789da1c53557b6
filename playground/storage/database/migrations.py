"""Migrations: the versions of the schema, and their application to a database.

A released migration is never edited: the next change is a new function below the last one. Never use
``table.transform()``: it silently drops a table's triggers.

Boundary: the statements of a migration are in `schema`; files are opened and checked elsewhere.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import cache
from typing import Any

from playground.rater_ids import rater_id
from playground.storage.database.schema import criteria as criteria_step
from playground.storage.database.schema import fifth as fifth_step
from playground.storage.database.schema import first as first_step
from playground.storage.database.schema import fourth as fourth_step
from playground.storage.database.schema import live as live_step
from playground.storage.database.schema import panels as panels_step
from playground.storage.database.schema import second as second_step
from playground.storage.database.schema import studies as studies_step
from playground.storage.database.schema import third as third_step

APPLICATION_ID = 0x504C4159  # "PLAY"

SCHEMA = """
SELECT type, name, sql FROM sqlite_schema
WHERE name NOT LIKE '%migrations%' AND name NOT LIKE 'sqlite_%' ORDER BY type, name"""
"""The statements that created a database, without those of SQLite and sqlite-utils."""

Schema = Mapping[tuple[str, str], str]
"""(type, name) -> statement."""


def schema_version() -> int:
    """Return the `user_version` of a current database: the number of migrations."""
    return len(STEPS)


def migrate(connection: sqlite3.Connection) -> None:
    """Apply the missing migrations, all or none, and set application id and version."""
    from sqlite_utils import Database  # here, because it imports pandas, which a current database does not need

    connection.execute("BEGIN IMMEDIATE")
    try:
        migrations().apply(Database(connection, execute_plugins=False))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {schema_version()}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


@cache
def schema_of(version: int) -> Schema:
    """Return the schema after the first `version` migrations."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for step in STEPS[:version]:
            step(connection)
        return read_schema(connection)


def read_schema(connection: sqlite3.Connection) -> Schema:
    return {(kind, name): sql for kind, name, sql in connection.execute(SCHEMA)}


def differences(found: Schema, expected: Schema) -> Sequence[str]:
    """Name the differences of two schemas: "view pairs differs", "index votes_by_rater is missing"."""

    def describe(part: tuple[str, str]) -> str:
        how = "is missing" if part not in found else "does not belong to it" if part not in expected else "differs"
        return f"{' '.join(part)} {how}"

    return [describe(part) for part in sorted({*expected, *found}) if found.get(part) != expected.get(part)]


def _run(db: sqlite3.Connection, statements: tuple[str, ...]) -> None:
    for statement in statements:
        db.execute(statement)


def first(db: sqlite3.Connection) -> None:
    """Models, instructions, generations, battles, votes, notes, pairs."""
    _run(db, first_step.TABLES + first_step.INDEXES + first_step.TRIGGERS + (first_step.PAIRS,))


def second(db: sqlite3.Connection) -> None:
    """Journal, consent, erasures, flags; raters are stored by a hash of their cookie."""
    _run(db, second_step.OLD_TRIGGERS + second_step.NOTES_INDEX)
    for (secret,) in db.execute(second_step.RATERS_OF_THE_PAGE).fetchall():
        for statement in second_step.RENAME_RATER:
            db.execute(statement, {"old": secret, "new": rater_id(secret)})
    _run(db, second_step.TABLES + second_step.INDEXES + second_step.PAIRS)
    _run(db, second_step.OLDER_ROWS)
    _run(db, second_step.TRIGGERS)


def third(db: sqlite3.Connection) -> None:
    """Origins of votes, networks, keys of programs."""
    _run(db, third_step.ORIGIN + third_step.FLAGS + third_step.TABLES + third_step.INDEXES + third_step.PAIRS)


def fourth(db: sqlite3.Connection) -> None:
    """Imported votes, strength of preference, hidden battles, flat judged pairs."""
    _run(db, fourth_step.COLUMNS + fourth_step.EVENTS + fourth_step.INDEXES + fourth_step.PAIRS)


def fifth(db: sqlite3.Connection) -> None:
    """Reasoning, descent, guesses of models, answers to files, rated battles, studies, criteria, live studies."""
    _run(db, fifth_step.REASONING + fifth_step.TOGETHER + fifth_step.DESCENT)
    _run(db, fifth_step.GUESSES + fifth_step.GENERATED + fifth_step.RATED)
    _run(db, studies_step.STATEMENTS + panels_step.STATEMENTS + criteria_step.STATEMENTS + live_step.STATEMENTS)


STEPS = (first, second, third, fourth, fifth)


@cache
def migrations() -> Any:
    """Return the migrations as sqlite-utils keeps them in a database, by the names of their functions."""
    from sqlite_utils import Migrations

    kept = Migrations("playground")
    for step in STEPS:
        kept()(step)
    return kept
