"""Databases of earlier versions become what a fresh one is, with everything that was in them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlite_utils import Database

from playground.rater import rater_id
from playground.storage.connection import connect, open_writer
from playground.storage.migrations import APPLICATION_ID, schema_version
from playground.storage.schema import first
from playground.storage.store import Store
from tests.cast import ADA, house


def first_version(path: Path) -> sqlite3.Connection:
    """A database as the first version of the schema left it."""
    connection = connect(path)
    for statement in first.TABLES + first.INDEXES + first.TRIGGERS + (first.PAIRS,):
        connection.execute(statement)
    Database(connection)["_sqlite_migrations"].insert(
        {"id": 1, "migration_set": "playground", "name": "first", "applied_at": "2026-11-01"}, pk="id"
    )
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("PRAGMA user_version = 1")
    return connection


def schema_of(connection: sqlite3.Connection) -> list[tuple[str, ...]]:
    rows = connection.execute(
        "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE '%migrations%' ORDER BY 1, 2"
    )
    return [tuple(row) for row in rows]


def test_a_migrated_database_has_the_schema_of_a_fresh_one(tmp_path: Path) -> None:
    first_version(tmp_path / "old.db").close()
    migrated, fresh = open_writer(tmp_path / "old.db"), open_writer(tmp_path / "new.db")
    assert schema_of(migrated) == schema_of(fresh)
    assert migrated.execute("PRAGMA user_version").fetchone()[0] == schema_version()
    migrated.close()
    fresh.close()


def test_votes_of_the_first_version_stay_and_their_rater_is_stored_by_her_hash(tmp_path: Path) -> None:
    home = house(tmp_path / "new")
    home.battle_is_open()
    home.battles.vote("battle-1", "a", ADA, reasons=["correct"], comment="Good.")
    home.store.close()
    old = first_version(tmp_path / "old.db")
    old.execute("PRAGMA foreign_keys = OFF")
    old.execute("ATTACH ? AS new", (str(home.store.path),))
    for table in ("models", "raters", "instructions", "generations", "battles", "battle_sides", "votes", "vote_notes"):
        columns = ", ".join(row["name"] for row in old.execute(f"PRAGMA main.table_info({table})"))
        old.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}")
    old.close()

    with Store(tmp_path / "old.db") as store:
        [vote] = list(store.judged_pairs())
        assert vote.rater_id == rater_id(ADA)
        battle = store.battle("battle-1")
        assert battle is not None
        assert battle.vote is not None
        assert battle.owner == rater_id(ADA)
        with store.reading() as reading:
            connection = reading._connection
            assert [row[0] for row in connection.execute("SELECT id FROM raters")] == [rater_id(ADA)]
            assert [row[0] for row in connection.execute("SELECT DISTINCT rater_id FROM vote_notes")] == [rater_id(ADA)]
            assert [tuple(row) for row in connection.execute("SELECT kind, battle_id FROM journal_events")] == [
                ("vote", "battle-1")
            ]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
