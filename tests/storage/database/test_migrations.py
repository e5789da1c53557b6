"""Databases of earlier versions are migrated without loss."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest
from sqlite_utils import Database

from playground.errors import StorageError
from playground.rater_ids import rater_id
from playground.storage.database.connection import connect, open_writer
from playground.storage.database.migrations import APPLICATION_ID, migrate, schema_version
from playground.storage.database.schema import first
from playground.storage.database.store import Store
from tests.support.cast import ADA, BEN, house
from tests.support.faulty import Faulty
from tests.support.paths import ROOT


def first_version(path: Path) -> sqlite3.Connection:
    """An empty database of the first version."""
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


def test_migrated_schema_equals_a_fresh_one(tmp_path: Path) -> None:
    first_version(tmp_path / "old.db").close()
    migrated, fresh = open_writer(tmp_path / "old.db"), open_writer(tmp_path / "new.db")
    assert schema_of(migrated) == schema_of(fresh)
    assert migrated.execute("PRAGMA user_version").fetchone()[0] == schema_version()
    migrated.close()
    fresh.close()


def first_version_with_a_vote(folder: Path) -> Path:
    """A database of the first version with a vote."""
    home = house(folder / "new")
    home.battle_is_open()
    home.battles.vote("battle-1", "a", ADA, reasons=["correct"], comment="Good.", final=True)
    home.battles.note("battle-1", BEN, report_side="a", report="Rude.")  # Ben has no battle
    home.store.close()
    old = first_version(folder / "old.db")
    old.execute("PRAGMA foreign_keys = OFF")
    old.execute("ATTACH ? AS new", (str(home.store.path),))
    for table in ("models", "raters", "instructions", "generations", "battles", "battle_sides", "votes", "vote_notes"):
        columns = ", ".join(row["name"] for row in old.execute(f"PRAGMA main.table_info({table})"))
        old.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}")
    old.close()
    return folder / "old.db"


def dump_of(path: Path) -> list[str]:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return [*connection.iterdump(), str(connection.execute("PRAGMA user_version").fetchone())]


@pytest.mark.proves("an older schema")
def test_first_version_raters_are_hashed(tmp_path: Path) -> None:
    first_version_with_a_vote(tmp_path)
    with Store(tmp_path / "old.db") as store:
        [vote] = list(store.judged_pairs())
        assert vote.rater_id == rater_id(ADA)
        battle = store.battle("battle-1")
        assert battle is not None
        assert battle.vote is not None
        assert battle.owner == rater_id(ADA)
        with store.reading() as reading:
            connection = reading._connection
            both = {rater_id(ADA), rater_id(BEN)}
            assert {row[0] for row in connection.execute("SELECT id FROM raters")} == both
            assert {row[0] for row in connection.execute("SELECT rater_id FROM vote_notes")} == both
            assert [tuple(row) for row in connection.execute("SELECT kind, battle_id FROM journal_events")] == [
                ("vote", "battle-1"),
                ("notes", "battle-1"),
            ]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.proves("an older schema")
def test_copy_is_kept_before_migration(tmp_path: Path) -> None:
    path = first_version_with_a_vote(tmp_path)
    before = dump_of(path)
    Store(path).close()
    kept = tmp_path / f"old.db.before-{schema_version()}"
    assert dump_of(kept) == before
    assert dump_of(path) != before
    Store(path).close()
    assert sorted(file.name for file in tmp_path.glob("*before*")) == [kept.name], "there is nothing to bring up"


def test_fresh_database_needs_no_copy(tmp_path: Path) -> None:
    Store(tmp_path / "playground.db").close()
    assert list(tmp_path.glob("*before*")) == []


def test_earlier_copy_is_never_overwritten(tmp_path: Path) -> None:
    path = first_version_with_a_vote(tmp_path)
    old, kept = path.read_bytes(), tmp_path / f"old.db.before-{schema_version()}"
    kept.write_bytes(b"precious")
    for _ in range(3):
        path.write_bytes(old)
        Store(path).close()
    assert kept.read_bytes() == b"precious"
    assert sorted(file.name for file in tmp_path.glob("*before*")) == [kept.name, f"{kept.name}-2"]


def test_failed_copy_prevents_migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = first_version_with_a_vote(tmp_path)
    before = dump_of(path)

    def full(source: sqlite3.Connection, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("playground.storage.database.connection.copy_numbered", full)
    with pytest.raises(
        StorageError, match=r"old\.db has schema 1 and was not changed: .*No space left on device.*free some"
    ):
        Store(path)
    assert dump_of(path) == before


@pytest.mark.slow
@pytest.mark.parametrize("lasts", [False, True])
def test_failed_migration_changes_nothing(tmp_path: Path, lasts: bool) -> None:
    path = first_version_with_a_vote(tmp_path)
    before, statement, failed = dump_of(path), 0, True
    while failed:
        statement += 1
        with closing(connect(path)) as connection:
            faulty = Faulty(connection, lasts=lasts)
            faulty.break_at(statement)
            with suppress(sqlite3.Error):
                migrate(faulty)  # type: ignore[arg-type]
        failed = faulty.failed
        assert (dump_of(path) == before) is failed, f"statement {statement}"
    assert statement > 40
    with closing(open_writer(path)) as migrated, closing(open_writer(tmp_path / "fresh.db")) as fresh:
        assert schema_of(migrated) == schema_of(fresh)


def test_current_database_is_opened_without_the_library_of_migrations(tmp_path: Path) -> None:
    house(tmp_path).store.close()
    code = (
        "import sys; from pathlib import Path; from playground.storage.database.store import Store\n"
        "Store(Path(sys.argv[1])).close(); print([m for m in ('sqlite_utils', 'pandas') if m in sys.modules])\n"
    )
    path = str(tmp_path / "playground.db")
    done = subprocess.run([sys.executable, "-c", code, path], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
