"""Released schemas are frozen; a file of another schema is read-only."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from playground.errors import DatabaseDiffers, DatabaseLocked, StorageError
from playground.records import Origin
from playground.storage.database.connection import connect, open_writer
from playground.storage.database.migrations import APPLICATION_ID, migrations, read_schema, schema_of, schema_version
from playground.storage.database.store import Store, open_store
from playground.storage.journal.journal import Journal
from playground.storage.journal.lines import seal
from playground.storage.journal.segments import journal_folder, segments
from playground.storage.maintenance.restore import restore
from playground.storage.maintenance.verify import verify
from tests.support.cast import ADA, BEN, House, house
from tests.support.paths import FIXTURES

SCHEMAS = FIXTURES / "schemas"


VERSIONS = range(1, schema_version() + 1)


KINDS = ("table", "index", "trigger", "view")


def of_version(path: Path, version: int) -> sqlite3.Connection:
    """An empty database of a version."""
    connection = connect(path)
    db = Database(connection, execute_plugins=False)
    migrations().apply(db, stop_before=[step.name for step in migrations().pending(db)[version:]])
    return stamped(connection, version)


def database_between_versions(path: Path) -> Path:
    """A database that claims version 2, written between two releases."""
    connection = connect(path)
    connection.executescript((SCHEMAS / "between-1-and-2.sql").read_text())
    stamped(connection, 2).close()
    return path


def stamped(connection: sqlite3.Connection, version: int) -> sqlite3.Connection:
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {version}")
    return connection


@pytest.mark.parametrize("version", VERSIONS)
def test_released_schema_never_changes(version: int) -> None:
    parts = sorted(schema_of(version).items(), key=lambda part: (KINDS.index(part[0][0]), part[0][1]))
    text = "".join(f"{sql.strip()};\n" for _, sql in parts)
    golden = SCHEMAS / f"{version}.sql"
    if os.environ.get("WRITE_GOLDEN") and version == schema_version():
        golden.write_text(text)
    assert text == golden.read_text(), "run with WRITE_GOLDEN=1 while the newest version is not released"


def test_every_version_has_a_golden_schema() -> None:
    assert {path.stem for path in SCHEMAS.glob("[0-9]*.sql")} == {str(version) for version in VERSIONS}


@pytest.mark.parametrize("version", VERSIONS)
def test_any_version_migrates_to_the_current_schema(tmp_path: Path, version: int) -> None:
    of_version(tmp_path / "old.db", version).close()
    with closing(open_writer(tmp_path / "old.db")) as migrated:
        assert read_schema(migrated) == schema_of(schema_version())
    assert (tmp_path / f"old.db.before-{schema_version()}").exists() is (version < schema_version())


def test_second_version_votes_get_an_origin(tmp_path: Path) -> None:
    path = second_version_with_votes(tmp_path)
    with Store(path) as store:
        assert {pair.rater_id: pair.origin for pair in store.judged_pairs()} == {
            ADA: Origin.PERSON,
            "ann": Origin.PROGRAM,
        }
        journal_of(store)
        assert verify(store, journal_folder(path)) == []


def test_fourth_version_goes_on_counting_events(tmp_path: Path) -> None:
    """The highest number that was ever given stays used, also if its event is gone."""
    path = second_version_with_votes(tmp_path)
    with closing(connect(path)) as old:
        old.execute("UPDATE sqlite_sequence SET seq = 40 WHERE name = 'journal_events'")
    with closing(open_writer(path)) as migrated:
        assert [row[0] for row in migrated.execute("SELECT seq FROM journal_events ORDER BY seq")] == [1, 2]
        migrated.execute(
            "INSERT INTO journal_events (kind, battle_id, created_at)"
            " SELECT 'moderation', id, 'now' FROM battles LIMIT 1"
        )
        assert migrated.execute("SELECT max(seq) FROM journal_events").fetchone()[0] == 41


def second_version_with_votes(folder: Path) -> Path:
    """A database of the second version with a vote of the page and one of the API."""
    home = house(folder / "new")
    home.battle_is_open("page")
    home.battles.vote("page", "a", ADA, final=True)
    home.battle_is_open("api", owner="ann", source="api")
    home.battles.vote("api", "b", "ann", final=True, source="api")
    home.store.close()
    old = of_version(folder / "old.db", 2)
    old.execute("PRAGMA foreign_keys = OFF")
    old.execute("ATTACH ? AS new", (str(home.store.path),))
    for table in ("models", "raters", "instructions", "generations", "battles", "battle_sides", "votes"):
        columns = ", ".join(row["name"] for row in old.execute(f"PRAGMA main.table_info({table})"))
        old.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}")
    old.execute(
        "INSERT INTO journal_events (kind, battle_id, vote_id, created_at)"
        " SELECT 'vote', battle_id, id, created_at FROM main.votes ORDER BY rowid"
    )
    old.close()
    return folder / "old.db"


@pytest.mark.proves("restore with missing, doubled and torn segments")
def test_restore_adds_later_columns_to_old_lines(tmp_path: Path) -> None:
    home = house(tmp_path)
    home.battle_is_open("page")
    home.battles.vote("page", "a", ADA, final=True)
    home.battle_is_open("api", owner="ann", source="api")
    home.battles.vote("api", "b", "ann", final=True, source="api")
    folder = journal_of(home.store)
    for segment in segments(folder):
        segment.write_bytes(b"".join(without_later_columns(line) for line in segment.read_bytes().splitlines()))
    with Store(tmp_path / "again.db") as store:
        restored = restore(store, folder)
        assert (restored.votes_added, restored.refused, restored.damaged) == (2, 0, 0)
        assert {pair.rater_id: pair.origin for pair in store.judged_pairs()} == {
            ADA: Origin.PERSON,
            "ann": Origin.PROGRAM,
        }
        assert verify(store, folder) == []


def journal_of(store: Store) -> Path:
    """Write the store's journal."""
    assert store.path is not None
    folder = journal_folder(store.path)
    Journal(store, folder).close()
    return folder


def without_later_columns(line: bytes) -> bytes:
    record = json.loads(line)
    if "rows" not in record:
        return line + b"\n"
    record.pop("crc")
    for vote in record["rows"]["votes"]:
        del vote["origin"]
    for generation in record["rows"]["generations"]:
        del generation["reasoning"]
    for battle in record["rows"]["battles"]:
        del battle["rated"], battle["own_words"]
    return seal(record)


def test_database_between_versions_is_read_only(tmp_path: Path) -> None:
    path = database_between_versions(tmp_path / "playground.db")
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA journal_mode = DELETE")
    content = path.read_bytes()
    with pytest.raises(DatabaseDiffers, match=r"claims schema 2 and differs from it: .*table vote_flags differs"):
        Store(path)
    with open_store(path) as store:
        assert not store.writable
        assert store.read_only.startswith("playground.db claims schema 2 and differs from it: ")
        for part in ("index battles_by_owner_and_instruction is missing", "table vote_flags differs"):
            assert part in store.read_only
        assert "nothing is written to it" in store.read_only
        with pytest.raises(DatabaseLocked, match="nothing was saved"):
            House(store).battles.vote("battle-1", "a", BEN)
        assert store.count_votes() == 0
        with pytest.raises(StorageError, match=r"this cannot be read here: playground\.db claims schema 2"):
            list(store.judged_pairs())
    assert path.read_bytes() == content
    assert list(tmp_path.glob("*before*")) == []


@pytest.mark.parametrize("version", [0, schema_version() - 1])
def test_lowered_version_number_is_said_to_be_one(tmp_path: Path, version: int) -> None:
    path = tmp_path / "playground.db"
    Store(path).close()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute(f"PRAGMA user_version = {version}")
    said = f"says that it has schema {version}, and has the tables of schema {schema_version()}"
    with pytest.raises(DatabaseDiffers, match=said):
        Store(path)
    with pytest.raises(StorageError, match=said) as caught:
        Store(path, read_only=True)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute(re.search("PRAGMA user_version = [0-9]+", str(caught.value)).group())  # type: ignore[union-attr]
    Store(path).close()


@pytest.mark.parametrize(
    ("statement", "part"),
    [
        ("DROP TRIGGER votes_stay", "trigger votes_stay is missing"),
        ("DROP INDEX votes_by_rater", "index votes_by_rater is missing"),
        ("ALTER TABLE raters ADD COLUMN name TEXT", "table raters differs"),
        ("CREATE TRIGGER mine AFTER INSERT ON votes BEGIN SELECT 1; END", "trigger mine does not belong to it"),
        ("DROP VIEW pairs", "view pairs is missing"),
    ],
)
def test_schema_difference_is_named(tmp_path: Path, statement: str, part: str) -> None:
    path = tmp_path / "playground.db"
    Store(path).close()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute(statement)
    with pytest.raises(DatabaseDiffers, match=f"claims schema {schema_version()} and differs from it: {part};"):
        Store(path)
    with open_store(path) as store:
        assert part in store.read_only


def test_many_schema_differences_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "playground.db"
    with closing(connect(path)) as empty:
        empty.execute("CREATE TABLE other (id)")
        stamped(empty, schema_version())
    with pytest.raises(DatabaseDiffers, match=r"is missing and \d+ more; nothing is written"):
        Store(path)


def test_file_has_application_id_and_version(raw: sqlite3.Connection) -> None:
    assert raw.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
    assert raw.execute("PRAGMA user_version").fetchone()[0] == schema_version()
    assert raw.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_memory_and_file_have_the_same_schema(raw: sqlite3.Connection) -> None:
    statement = "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name"
    with Store(None) as store, store.reading() as reading:
        in_memory = [tuple(row) for row in reading._connection.execute(statement)]
    assert in_memory == raw.execute(statement).fetchall()


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE votes SET choice = 'b'", "votes are append-only"),
        ("UPDATE OR IGNORE votes SET choice = 'b'", "votes are append-only"),
        ("DELETE FROM votes", "votes are append-only"),
        ("REPLACE INTO votes SELECT * FROM votes", "append-only|revision is one more"),
        ("INSERT OR REPLACE INTO votes"
         " SELECT id, battle_id, 2, choice, rater_id, created_at, decision_s, origin, NULL, NULL FROM votes",
         "append-only"),
        ("INSERT INTO votes SELECT 'new', battle_id, 1, choice, rater_id, 'now', 1, 'person', NULL, NULL FROM votes",
         "revision is one"),
        ("INSERT INTO votes SELECT 'new', battle_id, 3, choice, rater_id, 'now', 1, 'person', NULL, NULL FROM votes",
         "revision is one"),
        ("INSERT INTO votes SELECT 'new', battle_id, 2, 'A', rater_id, 'now', 1, 'person', NULL, NULL FROM votes",
         "CHECK constraint"),
        ("INSERT INTO votes SELECT 'new', battle_id, 2, 'a>', rater_id, 'now', 1, 'person', NULL, NULL FROM votes",
         "CHECK constraint"),
        ("INSERT INTO votes SELECT 'new', battle_id, 2, 'b', 'nobody', 'now', 1, 'person', NULL, NULL FROM votes",
         "judged_pairs.rater"),
        ("INSERT INTO votes SELECT 'new', battle_id, 'two', 'b', rater_id, 'now', 1, 'person', NULL, NULL FROM votes",
         "cannot store"),
        ("UPDATE generations SET text = 'better'", "written once"),
        ("DELETE FROM generations", "written once"),
        ("REPLACE INTO generations SELECT * FROM generations", "written once"),
        ("UPDATE battles SET owner = 'rater-ben'", "only a battle's state"),
        ("UPDATE battles SET blind = 0", "only a battle's state"),
        ("UPDATE battles SET state = 'open', final_at = NULL", "stays so"),
        ("UPDATE battle_sides SET model_id = 'pocket-galpaca'", "keeps the model"),
        ("UPDATE battle_sides SET generation_id = NULL", "filled once"),
        ("DELETE FROM battles", "FOREIGN KEY"),
        ("DELETE FROM models WHERE id = 'pocket-openalpaca'", "FOREIGN KEY"),
    ],
)  # fmt: skip
def test_schema_refuses_statement(home: House, raw: sqlite3.Connection, statement: str, message: str) -> None:
    home.battle_is_open()
    home.battles.vote("battle-1", "a", ADA, final=True)
    before = list(raw.iterdump())
    with pytest.raises(sqlite3.Error, match=message):
        raw.execute(statement)
    with pytest.raises(StorageError, match=message):  # also through the store
        home.store.write(lambda writing: writing._connection.execute(statement))
    assert list(raw.iterdump()) == before
